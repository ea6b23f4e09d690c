#include "apiserver/http/negotiate.h"
#include <stdlib.h>

#define MAX_CLAUSES 64

static const char *const media_names[] = {
	[MEDIA_JSON] = "application/json",
	[MEDIA_YAML] = "application/yaml",
	[MEDIA_PROTOBUF] = "application/vnd.kubernetes.protobuf",
	[N_MEDIA] = NULL,
};

const char *media_name(enum media media)
{
	return media_names[media];
}

struct clause {
	const char *type, *subtype;
	const char *as, *g, *v, *stream, *sv;
	bool pretty;
	double q;
};

static char *trim_spaces(char *text)
{
	text += strspn(text, " ");
	size_t n = strlen(text);
	while (n && text[n - 1] == ' ')
		text[--n] = 0;
	return text;
}

static void take_parameter(struct clause *c, char *text)
{
	char *value = strchr(text, '=');
	if (!value || !value[1] || strchr(value + 1, '='))
		return;
	*value++ = 0;
	const char *name = trim_spaces(text);
	if (str_eq(name, "q")) {
		char *end;
		c->q = strtod(value, &end);
		if (*end)
			c->q = 0;
		return;
	}
	value = trim_spaces(value);
	if (str_eq(name, "as"))
		c->as = value;
	else if (str_eq(name, "g"))
		c->g = value;
	else if (str_eq(name, "v"))
		c->v = value;
	else if (str_eq(name, "stream"))
		c->stream = value;
	else if (str_eq(name, "sv"))
		c->sv = value;
	else if (str_eq(name, "pretty"))
		c->pretty = str_eq(value, "1");
}

/* False: it is none. */
static bool take_clause(struct arena *arena, const char *text, struct clause *ret_clause)
{
	char **parts;
	size_t n = str_split(arena, text, ';', &parts);
	*ret_clause = (struct clause){.q = 1, .type = "", .subtype = "*"};
	char *slash = n ? strchr(parts[0], '/') : NULL;
	if (slash)
		*slash++ = 0;
	if (n)
		ret_clause->type = trim_spaces(parts[0]);
	if (str_empty(slash) ? !str_eq(ret_clause->type, "*") : strchr(slash, '/') != NULL && strchr(slash, '/')[1])
		return false;
	if (!str_empty(slash)) {
		slash[strcspn(slash, "/")] = 0;
		ret_clause->subtype = trim_spaces(slash);
	}
	for (size_t i = 1; i < n; i++)
		take_parameter(ret_clause, parts[i]);
	return true;
}

/* Whether one is to be tried before the other. That this is no order, both may come first, is the original's. */
static bool comes_before(const struct clause *a, const struct clause *b)
{
	return a->q > b->q || (!str_eq(a->type, "*") && str_eq(b->type, "*")) ||
	       (!str_eq(a->subtype, "*") && str_eq(b->subtype, "*"));
}

/* Those of a header, the best first. */
static struct clause *take_clauses(struct arena *arena, const char *text, size_t *ret_n)
{
	char **parts;
	size_t n_parts = str_split(arena, text, ',', &parts), n = 0;
	if (n_parts > MAX_CLAUSES)
		n_parts = MAX_CLAUSES;
	struct clause *clauses = ARENA_ARRAY(arena, struct clause, n_parts + 1);
	for (size_t i = 0; i < n_parts; i++) {
		if (!take_clause(arena, parts[i], &clauses[n]))
			continue;
		for (size_t k = n++; k && comes_before(&clauses[k], &clauses[k - 1]); k--) {
			struct clause later = clauses[k - 1];
			clauses[k - 1] = clauses[k];
			clauses[k] = later;
		}
	}
	*ret_n = n;
	return clauses;
}

static bool fits(const struct clause *c, const char *type)
{
	const char *slash = strchr(type, '/');
	if (str_eq(c->type, "*") && str_eq(c->subtype, "*"))
		return true;
	return strlen(c->type) == (size_t)(slash - type) && str_starts_with(type, c->type) &&
	       (str_eq(c->subtype, "*") || str_eq(c->subtype, slash + 1));
}

/* What the clause wants instead of the object; false where that is not to be had in this media type. */
static bool shape_of(const struct clause *c, enum shapes shapes, struct accept *accept)
{
	static const struct {
		const char *as;
		enum shape shape;
	} names[] = {{"Table", SHAPE_TABLE}, {"PartialObjectMetadata", SHAPE_METADATA},
		{"PartialObjectMetadataList", SHAPE_METADATA_LIST}};
	if (!c->as && !c->g && !c->v)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names) && shapes != SHAPES_NONE; i++)
		if (str_eq(c->as, names[i].as) && str_eq(c->g, "meta.k8s.io") &&
			(str_eq(c->v, "v1") || str_eq(c->v, "v1beta1"))) {
			accept->shape = names[i].shape;
			accept->shape_version = c->v;
			/* Nobody has numbered a Table's fields. */
			return accept->shape != SHAPE_TABLE ||
			       (shapes == SHAPES_ALL && accept->media != MEDIA_PROTOBUF);
		}
	return false;
}

static bool takes(const struct clause *c, enum media media, enum shapes shapes, struct accept *accept)
{
	if (!fits(c, media_names[media]))
		return false;
	if (!str_empty(c->stream) && (media == MEDIA_YAML || !str_eq(c->stream, "watch")))
		return false;
	if (!str_empty(c->sv) && (shapes == SHAPES_NONE || !str_eq(c->sv, "v1")))
		return false;
	*accept = (struct accept){.media = media, .shape_version = "v1", .pretty = c->pretty};
	return shape_of(c, shapes, accept);
}

/* Whether a route that produces these media types (NULL ends them) is one for the header at all: names only, in any
 * order. */
static bool is_produced(struct arena *arena, const char *text, const char *const *types)
{
	char **parts;
	size_t n = str_split(arena, text, ',', &parts);
	for (size_t i = 0; i < n; i++) {
		parts[i][strcspn(parts[i], ";")] = 0;
		const char *type = trim_spaces(parts[i]);
		if (str_eq(type, "*/*") || str_in(type, types))
			return true;
	}
	return false;
}

static const char available[] = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
static const char streams[] = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

static struct status *check_produced(struct arena *arena, const char *text, const char *const *types, const char *told)
{
	if (str_empty(text) || is_produced(arena, text, types))
		return NULL;
	return status_details(
		status_new(STATUS_NOT_ACCEPTABLE, "406: Not Acceptable\n\nAvailable representations: %s", told), "", "",
		"");
}

struct status *accept_route(struct arena *arena, const char *text, bool lists)
{
	return check_produced(
		arena, text, media_names, lists ? arena_printf(arena, "%s, %s", available, streams) : available);
}

struct status *accept_only(struct arena *arena, const char *text, const char *type)
{
	return check_produced(arena, text, (const char *const[]){type, NULL}, type);
}

struct status *accept_stream(const struct accept *accept)
{
	if (accept->media != MEDIA_YAML)
		return NULL;
	return status_new(STATUS_NOT_ACCEPTABLE, "only the following media types are accepted: %s", streams);
}

bool accept_as(
	struct arena *arena, const char *text, const char *as, const char *g, const char *v, enum media *ret_media)
{
	size_t n;
	struct clause *clauses = take_clauses(arena, str_or_empty(text), &n);
	for (size_t i = 0; i < n; i++) {
		size_t media = 0;
		while (media < N_MEDIA && !fits(&clauses[i], media_names[media]))
			media++;
		if (media == N_MEDIA)
			continue;
		*ret_media = (enum media)media;
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
			if (fits(&clauses[i], types[t])) {
				*ret_choice = t;
				return true;
			}
	return false;
}

struct status *accept_parse_text(struct arena *arena, const char *text, enum shapes shapes, struct accept *ret_accept)
{
	size_t n;
	*ret_accept = (struct accept){.shape_version = "v1"};
	if (str_empty(text))
		return NULL;
	struct clause *clauses = take_clauses(arena, text, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t media = 0; media < N_MEDIA; media++)
			if (takes(&clauses[i], (enum media)media, shapes, ret_accept))
				return NULL;
	*ret_accept = (struct accept){.shape_version = "v1"};
	return status_new(STATUS_NOT_ACCEPTABLE, "only the following media types are accepted: %s", available);
}

/* People at a terminal or a browser get white space, as from the original. */
static bool wants_pretty(struct exchange *exchange)
{
	static const char *const agents[] = {"curl", "Wget", "Mozilla/5.0"};
	const char *text = exchange_query(exchange, "pretty");
	bool pretty = false;
	if (!str_empty(text))
		return str_to_bool(text, &pretty) && pretty;
	const char *agent = exchange_header(exchange, "User-Agent");
	for (size_t i = 0; i < ARRAY_SIZE(agents); i++)
		if (agent && str_starts_with(agent, agents[i]))
			return true;
	return false;
}

struct status *accept_parse(struct exchange *exchange, enum shapes shapes, struct accept *ret_accept)
{
	struct status *s = accept_parse_text(exchange->arena, exchange_header(exchange, "Accept"), shapes, ret_accept);
	ret_accept->pretty |= wants_pretty(exchange);
	return s;
}

const char *patch_type_of(struct exchange *exchange)
{
	const char *text = str_or_empty(exchange_header(exchange, "Content-Type"));
	return arena_strndup(exchange->arena, text, strcspn(text, ";"));
}

static const char *type_part(struct arena *arena, const char *text)
{
	return str_lower(arena, str_trim(arena, arena_strndup(arena, text, strcspn(text, ";"))));
}

/* What follows the type: nothing, or parameters that each have a name and a value. */
static bool are_parameters(struct arena *arena, const char *text)
{
	char **parts;
	size_t n = str_split(arena, text, ';', &parts);
	for (size_t i = 0; i < n; i++) {
		const char *part = str_trim(arena, parts[i]), *value = strchr(part, '=');
		if (*part && (!value || value == part || !value[1]))
			return false;
	}
	return true;
}

struct status *content_media(struct arena *arena, const char *text, enum media *ret_media)
{
	*ret_media = MEDIA_JSON;
	if (str_empty(text))
		return NULL;
	const char *type = type_part(arena, text);
	for (size_t i = 0; i < N_MEDIA; i++)
		if (str_eq(type, media_names[i]) && are_parameters(arena, text + strcspn(text, ";"))) {
			*ret_media = (enum media)i;
			return NULL;
		}
	return status_new(STATUS_UNSUPPORTED_MEDIA,
		"the body of the request was in an unknown format - accepted media types include: %s", available);
}
