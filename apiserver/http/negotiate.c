#include "apiserver/http/negotiate.h"
#include <stdlib.h>

#define MAX_CLAUSES 64

static const char *const media_names[] = {
	[MEDIA_JSON] = "application/json",
	[MEDIA_YAML] = "application/yaml",
	[MEDIA_PROTOBUF] = "application/vnd.kubernetes.protobuf",
};

const char *media_name(enum media media)
{
	return media_names[media];
}

struct clause {
	const char *type;
	const char *as, *g, *v;
	double q;
	size_t order;
};

static void take_parameter(struct clause *c, char *text)
{
	char *value = strchr(text, '=');
	if (!value)
		return;
	*value++ = 0;
	if (*value == '"') {
		value++;
		value[strcspn(value, "\"")] = 0;
	}
	if (str_eq(text, "as"))
		c->as = value;
	else if (str_eq(text, "g"))
		c->g = value;
	else if (str_eq(text, "v"))
		c->v = value;
	else if (str_eq(text, "q"))
		c->q = strtod(value, NULL);
}

static struct clause take_clause(struct arena *arena, const char *text, size_t order)
{
	char **parts;
	size_t n = str_split(arena, text, ';', &parts);
	struct clause c = {.type = "", .q = 1, .order = order};
	for (size_t i = 0; i < n; i++) {
		char *part = str_trim(arena, parts[i]);
		if (i)
			take_parameter(&c, part);
		else
			c.type = str_lower(arena, part);
	}
	return c;
}

static int by_quality(const void *a, const void *b)
{
	const struct clause *x = a, *y = b;
	if (x->q != y->q)
		return x->q > y->q ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static bool media_of(const char *type, enum media *ret_media)
{
	if (str_eq(type, "*/*") || str_eq(type, "application/*")) {
		*ret_media = MEDIA_JSON;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(media_names); i++)
		if (str_eq(type, media_names[i])) {
			*ret_media = (enum media)i;
			return true;
		}
	return false;
}

static bool shape_of(const struct clause *c, bool tables, struct accept *accept)
{
	static const struct {
		const char *as;
		enum shape shape;
	} names[] = {{"Table", SHAPE_TABLE}, {"PartialObjectMetadata", SHAPE_METADATA},
		{"PartialObjectMetadataList", SHAPE_METADATA_LIST}};
	if (!c->as)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(c->as, names[i].as) && str_eq(c->g, "meta.k8s.io") &&
			(str_eq(c->v, "v1") || str_eq(c->v, "v1beta1"))) {
			accept->shape = names[i].shape;
			accept->shape_version = c->v;
			/* Nobody has numbered a Table's fields. */
			return accept->shape != SHAPE_TABLE || (tables && accept->media != MEDIA_PROTOBUF);
		}
	return false;
}

/* Either the media type is none of ours, or what was asked of it is not to be had. */
static struct status *not_acceptable(bool known)
{
	static const char available[] = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
	if (known)
		return status_new(STATUS_NOT_ACCEPTABLE, "only the following media types are accepted: %s", available);
	return status_details(
		status_new(STATUS_NOT_ACCEPTABLE,
			"406: Not Acceptable\n\nAvailable representations: %s, application/json;stream=watch, "
			"application/vnd.kubernetes.protobuf;stream=watch",
			available),
		"", "", "");
}

/* Those of a header, the best first. */
static struct clause *take_clauses(struct arena *arena, const char *text, size_t *ret_n)
{
	char **parts;
	size_t n = str_split(arena, text, ',', &parts);
	if (n > MAX_CLAUSES)
		n = MAX_CLAUSES;
	struct clause *clauses = ARENA_ARRAY(arena, struct clause, n + 1);
	for (size_t i = 0; i < n; i++)
		clauses[i] = take_clause(arena, parts[i], i);
	qsort(clauses, n, sizeof(*clauses), by_quality);
	*ret_n = n;
	return clauses;
}

bool accept_as(
	struct arena *arena, const char *text, const char *as, const char *g, const char *v, enum media *ret_media)
{
	size_t n;
	struct clause *clauses = take_clauses(arena, str_or_empty(text), &n);
	for (size_t i = 0; i < n; i++) {
		if (!media_of(clauses[i].type, ret_media))
			continue;
		if (str_empty(clauses[i].as))
			return false;
		if (str_eq(clauses[i].as, as) && str_eq(clauses[i].g, g) && str_eq(clauses[i].v, v))
			return true;
	}
	return false;
}

bool accept_choose(struct arena *arena, const char *text, const char *const *types, size_t n_types, size_t *ret_choice)
{
	size_t n;
	struct clause *clauses = take_clauses(arena, str_or(text, "*/*"), &n);
	for (size_t i = 0; i < n; i++)
		for (size_t t = 0; t < n_types; t++)
			if (str_eq(clauses[i].type, types[t]) || str_eq(clauses[i].type, "*/*") ||
				(str_eq(clauses[i].type, "application/*") &&
					str_starts_with(types[t], "application/"))) {
				*ret_choice = t;
				return true;
			}
	return false;
}

struct status *accept_parse_text(struct arena *arena, const char *text, bool tables, struct accept *ret_accept)
{
	const struct accept plain = {.shape_version = "v1"};
	bool known = false;
	size_t n;
	*ret_accept = plain;
	if (str_empty(text))
		return NULL;
	struct clause *clauses = take_clauses(arena, text, &n);
	for (size_t i = 0; i < n; i++) {
		*ret_accept = plain;
		if (!media_of(clauses[i].type, &ret_accept->media))
			continue;
		if (shape_of(&clauses[i], tables, ret_accept))
			return NULL;
		known = true;
	}
	*ret_accept = plain;
	return not_acceptable(known);
}

/* People at a terminal or a browser get white space, as from the original. */
static bool wants_pretty(struct exchange *exchange)
{
	static const char *const agents[] = {"curl", "Wget", "Mozilla/5.0"};
	const char *text = exchange_query(exchange, "pretty");
	bool pretty = false;
	if (text)
		return str_to_bool(text, &pretty) ? pretty : true;
	const char *agent = exchange_header(exchange, "User-Agent");
	for (size_t i = 0; i < ARRAY_SIZE(agents); i++)
		if (agent && str_starts_with(agent, agents[i]))
			return true;
	return false;
}

struct status *accept_parse(struct exchange *exchange, bool tables, struct accept *ret_accept)
{
	struct status *s = accept_parse_text(exchange->arena, exchange_header(exchange, "Accept"), tables, ret_accept);
	/* An error is told in that form too. */
	ret_accept->pretty = wants_pretty(exchange);
	return s;
}

const char *content_type_of(struct exchange *exchange)
{
	const char *text = exchange_header(exchange, "Content-Type");
	if (!text)
		return "";
	char *type = str_trim(exchange->arena, arena_strndup(exchange->arena, text, strcspn(text, ";")));
	return str_lower(exchange->arena, type);
}

struct status *content_media(const char *content_type, enum media *ret_media)
{
	*ret_media = MEDIA_JSON;
	if (str_empty(content_type) || (strcmp(content_type, "*/*") != 0 && media_of(content_type, ret_media)))
		return NULL;
	return status_new(STATUS_UNSUPPORTED_MEDIA,
		"the body of the request was in an unknown format - accepted media types include: application/json, "
		"application/yaml, application/vnd.kubernetes.protobuf");
}
