/*
 * OpenAPI out of the schema: one document a group version in version 3, one for everything in version 2. Documents are
 * written when they are asked for; nothing of them is kept.
 */
#include <stdlib.h>
#include "api/json.h"
#include "apiserver/http/answer.h"
#include "apiserver/http/paths.h"
#include "apiserver/http/route.h"
#include "base/encode.h"

struct document {
	struct strbuf *out;
	bool v3;
	const char *group, *version; /* NULL: all */
	struct strmap *wanted;	     /* names of types still to write, and of those written */
	struct arena *arena;
};

static void string(struct document *d, const char *s)
{
	json_add_string(d->out, str_or_empty(s), strlen(str_or_empty(s)), false);
}

/* --- names --- */

static const struct {
	const char *ours;
	const char *theirs;
} packages[] = {
	{"meta.v1.", "io.k8s.apimachinery.pkg.apis.meta.v1."},
	{"resource.Quantity", "io.k8s.apimachinery.pkg.api.resource.Quantity"},
	{"intstr.", "io.k8s.apimachinery.pkg.util.intstr."},
	{"runtime.", "io.k8s.apimachinery.pkg.runtime."},
	{"apiextensions.", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions."},
	{"apiregistration.", "io.k8s.kube-aggregator.pkg.apis.apiregistration."},
	{"", "io.k8s.api."},
};

static void type_name(struct document *d, struct strbuf *out, const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		if (!str_starts_with(type->name, packages[i].ours))
			continue;
		strbuf_adds(out, packages[i].theirs);
		strbuf_adds(out, type->name + strlen(packages[i].ours));
		return;
	}
}

static void want(struct document *d, const struct schema_type *type)
{
	if (!strmap_has(d->wanted, type->name))
		strmap_put(d->wanted, type->name, (void *)(uintptr_t)type);
}

static void reference(struct document *d, const struct schema_type *type)
{
	want(d, type);
	strbuf_printf(d->out, "\"$ref\":\"#/%s/", d->v3 ? "components/schemas" : "definitions");
	type_name(d, d->out, type);
	strbuf_addc(d->out, '"');
}

/* --- schemas --- */

static const char *const scalar_forms[] = {
	[SCHEMA_BOOL] = "\"type\":\"boolean\"",
	[SCHEMA_INT32] = "\"type\":\"integer\",\"format\":\"int32\"",
	[SCHEMA_INT64] = "\"type\":\"integer\",\"format\":\"int64\"",
	[SCHEMA_UINT32] = "\"type\":\"integer\",\"format\":\"int64\"",
	[SCHEMA_UINT64] = "\"type\":\"integer\",\"format\":\"int64\"",
	[SCHEMA_FLOAT] = "\"type\":\"number\",\"format\":\"float\"",
	[SCHEMA_DOUBLE] = "\"type\":\"number\",\"format\":\"double\"",
	[SCHEMA_STRING] = "\"type\":\"string\"",
	[SCHEMA_BYTES] = "\"type\":\"string\",\"format\":\"byte\"",
};

/* What a message is when it is no object of its fields. */
static const char *form_of(const struct schema_type *type, bool v3)
{
	switch (type->form) {
	case SCHEMA_FORM_TIME:
	case SCHEMA_FORM_MICRO_TIME:
		return "\"type\":\"string\",\"format\":\"date-time\"";
	case SCHEMA_FORM_DURATION:
		return "\"type\":\"string\"";
	case SCHEMA_FORM_QUANTITY:
		return v3 ? "\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]" : "\"type\":\"string\"";
	case SCHEMA_FORM_INT_OR_STRING:
		return v3 ? "\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]"
			  : "\"type\":\"string\",\"format\":\"int-or-string\"";
	case SCHEMA_FORM_RAW:
		return "\"type\":\"object\"";
	case SCHEMA_FORM_LIST:
		return "\"type\":\"array\",\"items\":{\"type\":\"string\"}";
	case SCHEMA_FORM_SCHEMA_OR_BOOL:
	case SCHEMA_FORM_SCHEMA_OR_ARRAY:
	case SCHEMA_FORM_SCHEMA_OR_STRING_ARRAY:
		return "\"description\":\"a schema, or another JSON value\"";
	default:
		return NULL;
	}
}

static void element(struct document *d, const struct schema_field *f, const struct schema_type *type)
{
	if (f->kind == SCHEMA_MESSAGE)
		reference(d, type);
	else
		strbuf_adds(d->out, scalar_forms[f->kind]);
}

static void list_extensions(struct document *d, const struct schema_field *f)
{
	static const char *const names[] = {
		[SCHEMA_LIST_ATOMIC] = "atomic", [SCHEMA_LIST_SET] = "set", [SCHEMA_LIST_MAP] = "map"};
	if (f->shape == SCHEMA_LIST && f->list_type < ARRAY_SIZE(names) && names[f->list_type])
		strbuf_printf(d->out, ",\"x-kubernetes-list-type\":\"%s\"", names[f->list_type]);
	if (f->list_keys && f->list_keys[0]) {
		strbuf_adds(d->out, ",\"x-kubernetes-list-map-keys\":[");
		for (size_t i = 0; f->list_keys[i]; i++) {
			if (i)
				strbuf_addc(d->out, ',');
			string(d, f->list_keys[i]);
		}
		strbuf_addc(d->out, ']');
	}
	if (f->map_type == SCHEMA_LIST_ATOMIC && f->shape != SCHEMA_LIST)
		strbuf_adds(d->out, ",\"x-kubernetes-map-type\":\"atomic\"");
	if (f->merge_key && *f->merge_key)
		strbuf_printf(d->out, ",\"x-kubernetes-patch-merge-key\":\"%s\"", f->merge_key);
	const char *separator = "";
	if (!(f->flags & (SCHEMA_PATCH_MERGE | SCHEMA_PATCH_REPLACE | SCHEMA_PATCH_RETAIN_KEYS)))
		return;
	strbuf_adds(d->out, ",\"x-kubernetes-patch-strategy\":\"");
	if (f->flags & SCHEMA_PATCH_MERGE) {
		strbuf_adds(d->out, "merge");
		separator = ",";
	}
	if (f->flags & SCHEMA_PATCH_REPLACE) {
		strbuf_printf(d->out, "%sreplace", separator);
		separator = ",";
	}
	if (f->flags & SCHEMA_PATCH_RETAIN_KEYS)
		strbuf_printf(d->out, "%sretainKeys", separator);
	strbuf_addc(d->out, '"');
}

static void property(struct document *d, const struct schema_field *f)
{
	string(d, f->json_name);
	strbuf_adds(d->out, ":{\"description\":");
	string(d, f->doc);
	strbuf_addc(d->out, ',');
	if (f->shape == SCHEMA_LIST) {
		strbuf_adds(d->out, "\"type\":\"array\",\"items\":{");
		element(d, f, f->type);
		strbuf_addc(d->out, '}');
	} else if (f->shape == SCHEMA_MAP) {
		const struct schema_field *value = schema_map_value(f);
		strbuf_adds(d->out, "\"type\":\"object\",\"additionalProperties\":{");
		element(d, value, value->type);
		strbuf_addc(d->out, '}');
	} else if (f->kind == SCHEMA_MESSAGE && d->v3) {
		strbuf_adds(d->out, "\"allOf\":[{");
		reference(d, f->type);
		strbuf_adds(d->out, "}]");
	} else {
		element(d, f, f->type);
	}
	if (f->default_json)
		strbuf_printf(d->out, ",\"default\":%s", f->default_json);
	list_extensions(d, f);
	strbuf_addc(d->out, '}');
}

/* Fields with those of inlined structs in their place. */
static void properties(struct document *d, const struct schema_type *type, bool *first)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		if (f->flags & SCHEMA_INLINE) {
			properties(d, f->type, first);
			continue;
		}
		if (!*first)
			strbuf_addc(d->out, ',');
		*first = false;
		property(d, f);
	}
}

static void required(struct document *d, const struct schema_type *type, bool *first)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		if (f->flags & SCHEMA_INLINE) {
			required(d, f->type, first);
		} else if (f->flags & SCHEMA_REQUIRED) {
			strbuf_adds(d->out, *first ? ",\"required\":[" : ",");
			*first = false;
			string(d, f->json_name);
		}
	}
}

static void kind_extension(struct document *d, const struct schema_type *type)
{
	strbuf_printf(d->out, "{\"group\":\"%s\",\"kind\":\"%s\",\"version\":\"%s\"}", type->group, type->kind,
		type->version);
}

static void schema(struct document *d, const struct schema_type *type)
{
	const char *form = form_of(type, d->v3);
	bool first = true;
	strbuf_addc(d->out, '"');
	type_name(d, d->out, type);
	strbuf_adds(d->out, "\":{");
	if (form) {
		strbuf_printf(d->out, "%s}", form);
		return;
	}
	strbuf_adds(d->out, "\"description\":");
	string(d, type->doc);
	strbuf_adds(d->out, ",\"type\":\"object\",\"properties\":{");
	if (type->root) {
		strbuf_adds(d->out,
			"\"apiVersion\":{\"description\":\"The version of the schema that this object is written in.\","
			"\"type\":\"string\"},\"kind\":{\"description\":\"What the object is.\",\"type\":\"string\"}");
		first = false;
	}
	properties(d, type, &first);
	strbuf_addc(d->out, '}');
	first = true;
	required(d, type, &first);
	if (!first)
		strbuf_addc(d->out, ']');
	if (type->root) {
		strbuf_adds(d->out, ",\"x-kubernetes-group-version-kind\":[");
		kind_extension(d, type);
		strbuf_addc(d->out, ']');
	}
	strbuf_addc(d->out, '}');
}

/* Writing a schema may want others; they are appended behind while the map is walked in order. */
static void schemas(struct document *d)
{
	CLEANUP(strmap_freep) struct strmap *done = strmap_new(NULL);
	bool more = true, first = true;
	while (more) {
		size_t n;
		const char **names = strmap_sorted_keys(d->wanted, &n);
		more = false;
		for (size_t i = 0; i < n; i++) {
			if (strmap_has(done, names[i]))
				continue;
			char *name = arena_strdup(d->arena, names[i]);
			strmap_put(done, name, done);
			if (!first)
				strbuf_addc(d->out, ',');
			first = false;
			schema(d, strmap_get(d->wanted, name));
			more = true;
		}
		free(names);
	}
}

/* --- paths --- */

struct operation {
	const char *verb;
	const char *method;
	const char *action;
	const char *id;
	bool item; /* on the object, not the collection */
	const char *const *query;
};

static const char *const list_query[] = {"allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit",
	"resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch", NULL};
static const char *const write_query[] = {"dryRun", "fieldManager", "fieldValidation", NULL};
static const char *const patch_query[] = {"dryRun", "fieldManager", "fieldValidation", "force", NULL};
static const char *const delete_query[] = {
	"dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy", NULL};
static const char *const no_query[] = {NULL};

static const struct operation operations[] = {
	{"list", "get", "list", "list", false, list_query},
	{"create", "post", "post", "create", false, write_query},
	{"deletecollection", "delete", "deletecollection", "deleteCollection", false, delete_query},
	{"get", "get", "get", "read", true, no_query},
	{"update", "put", "put", "replace", true, write_query},
	{"patch", "patch", "patch", "patch", true, patch_query},
	{"delete", "delete", "delete", "delete", true, delete_query},
};

static void parameter(struct document *d, const char *name, const char *in, const char *type)
{
	strbuf_printf(d->out, "{\"name\":\"%s\",\"in\":\"%s\",", name, in);
	if (str_eq(in, "path"))
		strbuf_adds(d->out, "\"required\":true,");
	if (d->v3)
		strbuf_printf(d->out, "\"schema\":{\"type\":\"%s\",\"uniqueItems\":true}}", type);
	else
		strbuf_printf(d->out, "\"type\":\"%s\",\"uniqueItems\":true}", type);
}

static const char *query_type(const char *name)
{
	static const char *const integers[] = {"limit", "timeoutSeconds", "gracePeriodSeconds", NULL};
	static const char *const booleans[] = {
		"allowWatchBookmarks", "sendInitialEvents", "watch", "force", "orphanDependents", NULL};
	return str_in(name, integers) ? "integer" : str_in(name, booleans) ? "boolean" : "string";
}

static void body_and_answer(struct document *d, const struct operation *o, const struct schema_type *type)
{
	const struct schema_type *answer =
		str_eq(o->verb, "list") && schema_list_of(type) ? schema_list_of(type) : type;
	bool takes_body = str_eq(o->method, "post") || str_eq(o->method, "put");
	if (takes_body && d->v3) {
		strbuf_adds(d->out, ",\"requestBody\":{\"content\":{\"*/*\":{\"schema\":{");
		reference(d, type);
		strbuf_adds(d->out, "}}}}");
	}
	strbuf_adds(d->out, ",\"responses\":{\"200\":{\"description\":\"OK\",");
	strbuf_adds(d->out, d->v3 ? "\"content\":{\"application/json\":{\"schema\":{" : "\"schema\":{");
	reference(d, answer);
	strbuf_adds(d->out, d->v3 ? "}}}}}" : "}}}");
}

static void operation(struct document *d, const struct operation *o, const struct schema_resource *r, const char *part,
	bool namespaced)
{
	const struct schema_type *type = r->type;
	strbuf_printf(d->out, "\"%s\":{\"operationId\":\"%s%s%s%s%s%s\",", o->method, o->id,
		str_or(type->group, "Core"), type->version, namespaced ? "Namespaced" : "", type->kind,
		str_or_empty(part));
	if (!d->v3)
		strbuf_adds(d->out, "\"consumes\":[\"*/*\"],\"produces\":[\"application/json\",\"application/yaml\","
				    "\"application/vnd.kubernetes.protobuf\"],\"schemes\":[\"https\"],");
	strbuf_adds(d->out, "\"parameters\":[");
	bool first = true;
	if (!d->v3 && (str_eq(o->method, "post") || str_eq(o->method, "put"))) {
		strbuf_adds(d->out, "{\"name\":\"body\",\"in\":\"body\",\"required\":true,\"schema\":{");
		reference(d, type);
		strbuf_adds(d->out, "}}");
		first = false;
	}
	for (size_t i = 0; o->query[i]; i++) {
		if (!first)
			strbuf_addc(d->out, ',');
		first = false;
		parameter(d, o->query[i], "query", query_type(o->query[i]));
	}
	strbuf_printf(d->out, "],\"x-kubernetes-action\":\"%s\",\"x-kubernetes-group-version-kind\":", o->action);
	kind_extension(d, type);
	body_and_answer(d, o, type);
	strbuf_addc(d->out, '}');
}

static void path(struct document *d, const struct schema_resource *r, bool item, bool in_namespace,
	const struct schema_subresource *part, bool *first)
{
	const struct schema_type *type = r->type;
	const char *const *verbs = part ? part->verbs : r->verbs;
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		any |= operations[i].item == item && str_in(operations[i].verb, verbs);
	if (!any)
		return;
	if (!*first)
		strbuf_addc(d->out, ',');
	*first = false;
	if (*type->group)
		strbuf_printf(d->out, "\"/apis/%s/%s", type->group, type->version);
	else
		strbuf_printf(d->out, "\"/api/%s", type->version);
	strbuf_printf(d->out, "%s/%s%s%s%s\":{", in_namespace ? "/namespaces/{namespace}" : "", r->plural,
		item ? "/{name}" : "", part ? "/" : "", part ? part->name : "");
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		if (operations[i].item != item || !str_in(operations[i].verb, verbs))
			continue;
		/* Across namespaces there is only the list. */
		if (r->namespaced && !in_namespace && strcmp(operations[i].verb, "list") != 0)
			continue;
		operation(d, &operations[i], r, part ? part->name : NULL, in_namespace);
		strbuf_addc(d->out, ',');
	}
	strbuf_adds(d->out, "\"parameters\":[");
	if (item)
		parameter(d, "name", "path", "string");
	if (item && in_namespace)
		strbuf_addc(d->out, ',');
	if (in_namespace)
		parameter(d, "namespace", "path", "string");
	strbuf_adds(d->out, "]}");
}

static void resource_paths(struct document *d, const struct schema_resource *r, bool *first)
{
	if (r->namespaced && str_in("list", r->verbs))
		path(d, r, false, false, NULL, first);
	path(d, r, false, r->namespaced, NULL, first);
	path(d, r, true, r->namespaced, NULL, first);
	for (size_t i = 0; i < r->n_subresources; i++)
		path(d, r, true, r->namespaced, &r->subresources[i], first);
}

static void write_document(
	struct exchange *exchange, struct strbuf *out, bool v3, const char *group, const char *version)
{
	CLEANUP(strmap_freep) struct strmap *wanted = strmap_new(NULL);
	struct document d = {
		.out = out, .v3 = v3, .group = group, .version = version, .wanted = wanted, .arena = exchange->arena};
	bool first = true;
	strbuf_printf(out, "{\"%s\":\"%s\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"%s\"},\"paths\":{",
		v3 ? "openapi" : "swagger", v3 ? "3.0.0" : "2.0", KUBEC_VERSION);
	SCHEMA_FOREACH_RESOURCE(r)
	{
		if (group && !(str_eq(r->type->group, group) && str_eq(r->type->version, version)))
			continue;
		want(&d, r->type);
		resource_paths(&d, r, &first);
	}
	strbuf_adds(out, v3 ? "},\"components\":{\"schemas\":{" : "},\"definitions\":{");
	schemas(&d);
	strbuf_adds(out, v3 ? "}}}" : "}}");
}

/* What changes whenever the documents do. */
static uint64_t fingerprint(void)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	strbuf_adds(&text, KUBEC_VERSION);
	SCHEMA_FOREACH_TYPE(t)
	for (size_t i = 0; i < t->n_fields; i++)
		strbuf_printf(&text, "%s%s%u%s", t->name, t->fields[i].json_name, t->fields[i].flags,
			str_or_empty(t->fields[i].doc));
	return fnv1a_64(text.buf, text.len);
}

static void answer_index(struct exchange *exchange)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	const unsigned long long hash = fingerprint();
	strbuf_adds(&out, "{\"paths\":{");
	SCHEMA_FOREACH_RESOURCE(r)
	{
		const char *place = arena_printf(
			exchange->arena, *r->type->group ? "apis/%s/%s" : "api%s/%s", r->type->group, r->type->version);
		if (strmap_has(seen, place))
			continue;
		if (strmap_count(seen))
			strbuf_addc(&out, ',');
		strmap_put(seen, place, seen);
		strbuf_printf(
			&out, "\"%s\":{\"serverRelativeURL\":\"/openapi/v3/%s?hash=%016llX\"}", place, place, hash);
	}
	strbuf_adds(&out, "}}");
	reply_strbuf(exchange, 200, "application/json", &out);
}

static void answer_document(struct exchange *exchange, bool v3, const char *group, const char *version)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *tag = arena_printf(exchange->arena, "\"%016llX\"", (unsigned long long)fingerprint());
	const char *known = exchange_header(exchange, "If-None-Match");
	reply_header(exchange, "ETag", tag);
	reply_header(exchange, "Vary", "Accept");
	if (str_eq(known, tag)) {
		reply_bytes(exchange, 304, "application/json", "", 0);
		return;
	}
	write_document(exchange, &out, v3, group, version);
	if (exchange_query(exchange, "hash"))
		reply_header(exchange, "Cache-Control", "public, immutable");
	reply_strbuf(exchange, 200, "application/json", &out);
}

bool openapi_respond(struct app *app, struct exchange *exchange)
{
	const char *path_text = exchange->path;
	if (str_eq(path_text, "/openapi/v2")) {
		const char *accept = str_or(exchange_header(exchange, "Accept"), "*/*");
		if (!strstr(accept, "json") && !strstr(accept, "*/*") && !strstr(accept, "application/*"))
			answer_text(exchange, 406, "");
		else
			answer_document(exchange, false, NULL, NULL);
		return true;
	}
	if (str_eq(path_text, "/openapi/v3") || str_eq(path_text, "/openapi/v3/")) {
		answer_index(exchange);
		return true;
	}
	if (!str_starts_with(path_text, "/openapi/v3/"))
		return false;
	char **p;
	size_t n = str_split(exchange->arena, path_text + strlen("/openapi/v3/"), '/', &p);
	if (n == 2 && str_eq(p[0], "api") && route_version_known("", p[1]))
		answer_document(exchange, true, "", p[1]);
	else if (n == 3 && str_eq(p[0], "apis") && route_version_known(p[1], p[2]))
		answer_document(exchange, true, p[1], p[2]);
	else
		return false;
	return true;
}
