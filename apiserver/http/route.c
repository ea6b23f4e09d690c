#include "apiserver/http/route.h"
#include "api/selector.h"
#include "apiserver/http/options.h"
#include "apiserver/validation/meta.h"
#include "base/str.h"

static const struct {
	const char *method;
	const char *verb;
} verbs[] = {{"POST", "create"}, {"GET", "get"}, {"HEAD", "get"}, {"PUT", "update"}, {"PATCH", "patch"},
	{"DELETE", "delete"}};

static const char *verb_of(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(verbs[i].method, method))
			return verbs[i].verb;
	return "";
}

/* Subresources of a namespace itself; anything else below a namespace is a resource in it. */
static bool is_namespace_part(const char *name)
{
	return str_eq(name, "status") || str_eq(name, "finalize");
}

const struct schema_type *subresource_type(
	const struct schema_resource *resource, const struct schema_subresource *subresource)
{
	static const struct {
		const char *kind;
		const char *api_version;
	} known[] = {{"Scale", "autoscaling/v1"}, {"Eviction", "policy/v1"},
		{"TokenRequest", "authentication.k8s.io/v1"}, {"Binding", "v1"}};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(known[i].kind, subresource->kind))
			return schema_find_api_version(known[i].api_version, known[i].kind);
	return schema_find_kind(resource->type->group, resource->type->version, subresource->kind);
}

/* The segments of a path that is unescaped already: an escaped slash or dot parts it as a plain one does. */
static size_t segments(struct arena *arena, const char *path, char ***ret_parts)
{
	while (*path == '/')
		path++;
	size_t n = strlen(path);
	while (n && path[n - 1] == '/')
		n--;
	return str_split(arena, arena_strndup(arena, path, n), '/', ret_parts);
}

static const char *part_or_empty(char **parts, size_t n, size_t i)
{
	return i < n ? parts[i] : "";
}

/* From the resource on: [namespaces NS] RESOURCE [NAME [SUBRESOURCE]]; false when more follows where nothing may. */
static bool take_resource(struct request *r, char **p, size_t n)
{
	r->namespace = "";
	if (n >= 2 && str_eq(p[0], "namespaces")) {
		r->in_namespace = true;
		r->namespace = p[1];
		if (n > 2 && !is_namespace_part(p[2])) {
			p += 2;
			n -= 2;
		}
	}
	r->resource = part_or_empty(p, n, 0);
	r->name = part_or_empty(p, n, 1);
	r->subresource = part_or_empty(p, n, 2);
	return n <= 3 || str_eq(r->subresource, "proxy");
}

/* The one name that a list is for, by its field selector; "" when any of its options cannot be read. */
static const char *selected_name(struct request *r, const struct exchange *exchange)
{
	const char *fields = exchange_query(exchange, "fieldSelector"),
		   *labels = exchange_query(exchange, "labelSelector");
	struct field_selector *selector;
	struct label_selector *by_label;
	int64_t number;
	if (str_empty(fields))
		return "";
	struct status *bad = field_selector_parse(r->arena, fields, &selector);
	if (!bad && !str_empty(labels))
		bad = label_selector_parse(r->arena, labels, &by_label);
	if (!bad)
		bad = query_number(exchange, "limit", &number);
	if (!bad)
		bad = query_number(exchange, "timeoutSeconds", &number);
	const char *name = bad ? "" : str_or_empty(field_selector_required(selector, "metadata.name"));
	status_drop(bad, "the list itself reports what is wrong");
	return *name && name_is_path_segment(r->arena, name, false) ? "" : name;
}

/* A get without a name is a list or a watch; a delete without, of a collection. */
static void settle_verb(struct request *r, const struct exchange *exchange)
{
	bool watch;
	query_flag(exchange, "watch", &watch);
	if (str_empty(r->name) && str_eq(r->verb, "get")) {
		r->verb = watch ? "watch" : "list";
		r->name = selected_name(r, exchange);
	}
	if (str_empty(r->name) && str_eq(r->verb, "delete"))
		r->verb = "deletecollection";
}

static bool is_proxy(const char *subresource)
{
	static const char *const connects[] = {"exec", "attach", "portforward", "proxy", NULL};
	return str_in(subresource, connects);
}

void route_request(struct request *r, const struct exchange *exchange, const struct served *served)
{
	char **p;
	size_t n = segments(r->arena, exchange->path, &p);
	r->method = exchange->method;
	r->path = exchange->path;
	r->client_address = exchange->client_address;
	r->group = r->version = r->resource = r->subresource = r->namespace = r->name = "";
	r->field_manager = r->field_validation = "";
	r->verb = str_lower(r->arena, exchange->method);
	if (n < 3 || !(str_eq(p[0], "api") || str_eq(p[0], "apis")))
		return;
	size_t at = 1;
	if (str_eq(p[0], "apis")) {
		if (n < 4)
			return;
		r->group = p[at++];
	}
	r->version = p[at++];
	r->is_resource = true;
	r->verb = verb_of(exchange->method);
	r->by_prefix = str_in(p[at], (const char *const[]){"watch", "proxy", NULL});
	const char *prefix = p[at];
	if (r->by_prefix && at + 1 == n)
		return;
	bool whole = take_resource(r, p + at + r->by_prefix, n - at - r->by_prefix);
	if (r->by_prefix)
		r->verb = prefix;
	else
		settle_verb(r, exchange);
	/* Nobody serves it, but it may be forbidden. */
	if (str_eq(r->verb, "proxy")) {
		r->subresource = "";
		whole = false;
	}
	r->schema = whole ? served_find(served, r->group, r->version, r->resource) : NULL;
	if (r->schema && is_proxy(r->subresource) && str_eq(r->verb, "list"))
		r->verb = "get";
}
