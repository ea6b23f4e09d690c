/* A document as JSON, in version 2 or 3. */
#include <stdlib.h>
#include "apiserver/openapi/document.h"
#include "base/encode.h"

#define SECURITY                                                                                         \
	"\"BearerToken\":{\"description\":\"A token in the Authorization header.\",\"type\":\"apiKey\"," \
	"\"name\":\"authorization\",\"in\":\"header\"}"

static void add_strings(struct document *d, const char *name, const char *const *list)
{
	strbuf_printf(d->out, ",\"%s\":[", name);
	for (size_t i = 0; list[i]; i++) {
		strbuf_adds(d->out, i ? "," : "");
		document_string(d, list[i]);
	}
	strbuf_addc(d->out, ']');
}

static void add_content(struct document *d, const char *const *media, const struct schema_type *type)
{
	strbuf_adds(d->out, "\"content\":{");
	for (size_t i = 0; media[i]; i++) {
		strbuf_printf(d->out, "%s\"%s\":{\"schema\":{", i ? "," : "", media[i]);
		if (type)
			schema_reference(d, type);
		else
			strbuf_adds(d->out, "\"type\":\"string\"");
		strbuf_adds(d->out, "}}");
	}
	strbuf_addc(d->out, '}');
}

/* --- parameters --- */

static void add_parameter(struct document *d, const struct oa_parameter *p)
{
	strbuf_printf(
		d->out, "{\"name\":\"%s\",\"in\":\"%s\",\"description\":", p->name, p->in_path ? "path" : "query");
	document_string(d, p->doc);
	if (p->in_path)
		strbuf_adds(d->out, ",\"required\":true");
	if (d->version == OPENAPI_V3)
		strbuf_printf(d->out, ",\"schema\":{\"type\":\"%s\",\"uniqueItems\":true}}", p->type);
	else
		strbuf_printf(d->out, ",\"type\":\"%s\",\"uniqueItems\":true}", p->type);
}

/* What was written since a mark is moved to the parameters that are shared, and named there, under its digest. */
static void share(struct document *d, const char *name, size_t mark)
{
	const char *text = d->out->buf + mark;
	uint64_t hash = fnv1a_64(text, d->out->len - mark);
	const char *key = arena_printf(d->arena, "%s-%s", name, base64url_encode(d->arena, &hash, 6));
	if (!strmap_has(d->shared, key))
		strmap_put(d->shared, key, arena_strdup(d->arena, text));
	strbuf_truncate(d->out, mark);
	strbuf_printf(d->out, "{\"$ref\":\"#/parameters/%s\"}", key);
}

/* Names differ from kind to kind, and clients look for the last two where they always were. */
static bool is_shared(const struct oa_parameter *p)
{
	return strcmp(p->name, "name") != 0 &&
	       (p->in_path || (strcmp(p->name, "fieldValidation") != 0 && strcmp(p->name, "dryRun") != 0));
}

static void add_body_parameter(struct document *d, const struct oa_operation *o)
{
	size_t mark = d->out->len;
	strbuf_adds(d->out, "{\"name\":\"body\",\"in\":\"body\",");
	strbuf_adds(d->out, o->body_required ? "\"required\":true," : "");
	strbuf_adds(d->out, "\"schema\":{");
	schema_reference(d, o->body);
	strbuf_adds(d->out, "}}");
	if (str_starts_with(o->body->name, "meta."))
		share(d, "body", mark);
}

static void add_parameters(
	struct document *d, const struct oa_parameter *parameters, size_t n, const struct oa_operation *with_body)
{
	strbuf_adds(d->out, "\"parameters\":[");
	if (with_body)
		add_body_parameter(d, with_body);
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(d->out, i || with_body ? "," : "");
		size_t mark = d->out->len;
		add_parameter(d, &parameters[i]);
		if (d->version == OPENAPI_V2 && is_shared(&parameters[i]))
			share(d, parameters[i].name, mark);
	}
	strbuf_addc(d->out, ']');
}

/* --- operations --- */

static void add_answer(struct document *d, const struct oa_operation *o, const char *code, const char *phrase)
{
	strbuf_printf(d->out, "\"%s\":{\"description\":\"%s\",", code, phrase);
	if (d->version == OPENAPI_V3) {
		add_content(d, o->produces, o->answer);
	} else {
		strbuf_adds(d->out, "\"schema\":{");
		if (o->answer)
			schema_reference(d, o->answer);
		else
			strbuf_adds(d->out, "\"type\":\"string\"");
		strbuf_addc(d->out, '}');
	}
	strbuf_adds(d->out, "},");
}

static void add_answers(struct document *d, const struct oa_operation *o)
{
	strbuf_adds(d->out, ",\"responses\":{");
	add_answer(d, o, "200", "OK");
	if (o->answers & OA_CREATED)
		add_answer(d, o, "201", "Created");
	if (o->answers & OA_ACCEPTED)
		add_answer(d, o, "202", "Accepted");
	strbuf_adds(d->out, "\"401\":{\"description\":\"Unauthorized\"}}");
}

static void add_operation(struct document *d, const struct oa_operation *o)
{
	bool v3 = d->version == OPENAPI_V3, body_parameter = o->body && !v3;
	strbuf_printf(d->out, "\"%s\":{\"tags\":[\"%s\"],\"description\":", o->method, o->tag);
	document_string(d, o->doc);
	strbuf_printf(d->out, ",\"operationId\":\"%s\"", o->id);
	if (!v3) {
		if (o->consumes[0])
			add_strings(d, "consumes", o->consumes);
		add_strings(d, "produces", o->produces);
		strbuf_adds(d->out, ",\"schemes\":[\"https\"]");
	}
	if (o->n_parameters || body_parameter) {
		strbuf_addc(d->out, ',');
		add_parameters(d, o->parameters, o->n_parameters, body_parameter ? o : NULL);
	}
	if (o->body && v3) {
		strbuf_adds(d->out, ",\"requestBody\":{");
		add_content(d, o->consumes, o->body);
		strbuf_adds(d->out, o->body_required ? ",\"required\":true}" : "}");
	}
	add_answers(d, o);
	if (o->action) {
		strbuf_printf(
			d->out, ",\"x-kubernetes-action\":\"%s\",\"x-kubernetes-group-version-kind\":", o->action);
		document_kind(d, o->kind->group, o->kind->version, o->kind->kind);
	}
	strbuf_addc(d->out, '}');
}

static void add_path(struct document *d, const struct oa_path *path)
{
	strbuf_printf(d->out, "\"%s\":{", path->path);
	for (size_t i = 0; i < path->n_operations; i++) {
		strbuf_adds(d->out, i ? "," : "");
		add_operation(d, path->operations[i]);
	}
	if (path->n_parameters) {
		strbuf_addc(d->out, ',');
		add_parameters(d, path->parameters, path->n_parameters, NULL);
	}
	strbuf_addc(d->out, '}');
}

/* --- documents --- */

static void add_shared(struct document *d)
{
	size_t n;
	CLEANUP_FREE const char **names = strmap_sorted_keys(d->shared, &n);
	strbuf_adds(d->out, ",\"parameters\":{");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(
			d->out, "%s\"%s\":%s", i ? "," : "", names[i], (const char *)strmap_get(d->shared, names[i]));
	strbuf_addc(d->out, '}');
}

void document_write(struct arena *arena, const struct served *served, enum openapi_version version, const char *name,
	struct strbuf *out)
{
	CLEANUP(strmap_freep) struct strmap *wanted = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *shared = strmap_new(NULL);
	struct document d = {.arena = arena, .version = version, .out = out, .wanted = wanted, .shared = shared};
	struct oa_paths paths = document_paths(arena, served, name);
	bool v3 = version == OPENAPI_V3;
	strbuf_printf(out, "{\"%s\":\"%s\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"1.34\"},\"paths\":{",
		v3 ? "openapi" : "swagger", v3 ? "3.0.0" : "2.0");
	for (size_t i = 0; i < paths.n; i++) {
		strbuf_adds(out, i ? "," : "");
		add_path(&d, &paths.items[i]);
	}
	strbuf_adds(out, v3 ? "},\"components\":{" : "},\"definitions\":{");
	if (!v3) {
		schemas_write(&d);
		strbuf_addc(out, '}');
		add_shared(&d);
		strbuf_adds(out, ",\"securityDefinitions\":{" SECURITY "},\"security\":[{\"BearerToken\":[]}]}");
		return;
	}
	if (strmap_count(wanted)) {
		strbuf_adds(out, "\"schemas\":{");
		schemas_write(&d);
		strbuf_adds(out, "},");
	}
	strbuf_adds(out, "\"securitySchemes\":{" SECURITY "}}}");
}
