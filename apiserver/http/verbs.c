#include "apiserver/http/verbs.h"
#include <stdlib.h>
#include "api/go_text.h"
#include "api/copy.h"
#include "api/defaults/defaults.h"
#include "api/meta.h"
#include "api/patch.h"
#include "api/tree.h"
#include "api/yaml.h"
#include "apiserver/http/answer.h"
#include "apiserver/http/decode.h"
#include "apiserver/http/patch_outcome.h"
#include "apiserver/http/route.h"
#include "apiserver/managed/managed.h"
#include "apiserver/registry/private.h"

/* A subresource that is a part of the object, written by the same kind: status, finalize, approval, resize, … */
static bool is_plain_part(const struct request *request)
{
	const struct schema_subresource *sub = schema_find_subresource(request->schema, request->subresource);
	return sub && str_eq(sub->kind, request->schema->type->kind);
}

static const struct subresource_handler *handler_of(const struct request *request)
{
	return *request->subresource ? strategy_subresource(request->strategy, request->subresource) : NULL;
}

static const struct schema_type *view_type(const struct request *request)
{
	const struct schema_subresource *sub = schema_find_subresource(request->schema, request->subresource);
	return sub ? subresource_type(request->schema, sub) : NULL;
}

/* --- get --- */

static bool get_kept(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	CLEANUP(entry_unrefp)
	struct entry *entry = table_get(request_table(request), request->namespace, request->name);
	return entry && answer_entry(exchange, request, accept, entry);
}

struct status *verb_get(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	const struct subresource_handler *handler = handler_of(request);
	ProtobufCMessage *object;
	bool export;
	query_flag(exchange, "export", &export);
	if (export)
		return status_bad_request("the export parameter, deprecated since v1.14, is no longer supported");
	if (!request_table(request)) {
		ProtobufCMessage **objects;
		size_t n;
		if (!request->strategy->list_virtual)
			return status_not_allowed();
		TRY(request->strategy->list_virtual(request, &objects, &n));
		for (size_t i = 0; i < n; i++)
			if (str_eq(object_name(objects[i]), request->name)) {
				answer_object(exchange, request, accept, 200, objects[i]);
				return NULL;
			}
		const char *what = request->schema->singular;
		return status_details(status_new(STATUS_NOT_FOUND, "%s \"%s\" not found", what, request->name), "",
			what, request->name);
	}
	int64_t version;
	const char *text = exchange_query(exchange, "resourceVersion");
	TRY(str_eq(request->resource, "events") ? version_parse_option(text, &version) : version_parse(text, &version));
	if (version < 0 && request->asked_fresh)
		TRY(STEAL(request->fresh));
	else
		TRY(request_catch_up(request, version));
	if (!*request->subresource && get_kept(exchange, request, accept))
		return NULL;
	TRY(registry_get(request, &object));
	if (handler && handler->get) {
		ProtobufCMessage *view;
		TRY(handler->get(request, object, &view));
		object = view;
	} else if (*request->subresource && !is_plain_part(request)) {
		return status_not_allowed();
	}
	answer_object(exchange, request, accept, 200, object);
	return NULL;
}

/* --- create --- */

static struct status *create_part(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	const struct subresource_handler *handler = handler_of(request);
	const struct schema_type *type = view_type(request);
	ProtobufCMessage *body = NULL, *object = NULL;
	if (!handler || !handler->create || !type)
		return status_not_allowed();
	TRY(decode_body(exchange, request, type, &body));
	if (object_meta(body))
		TRY(request_check_namespace(request, object_meta(body)->namespace));
	TRY(registry_admit_part(request, body));
	TRY(handler->create(request, body, &object));
	if (object) {
		answer_object(exchange, request, accept, 201, object);
		return NULL;
	}
	MetaV1Status *success = API_NEW(request->arena, MetaV1Status);
	success->status = arena_strdup(request->arena, "Success");
	success->code = 201;
	answer_object(exchange, request, accept, 201, &success->base);
	return NULL;
}

struct status *verb_create(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	ProtobufCMessage *object, *created;
	enum media media;
	TRY(content_media(request->arena, exchange_header(exchange, "Content-Type"), &media));
	TRY(decode_write_options(exchange, request));
	if (*request->subresource)
		return create_part(exchange, request, accept);
	if (!str_empty(request->name))
		return status_not_allowed();
	if (request->schema->namespaced && str_empty(request->namespace) && !request->strategy->create_virtual)
		return status_bad_request("an empty namespace may not be set during creation");
	TRY(decode_body(exchange, request, request->schema->type, &object));
	TRY(registry_create(request, object, &created));
	answer_object(exchange, request, accept, 201, created);
	return NULL;
}

/* --- update --- */

struct put {
	struct exchange *exchange;
	const struct subresource_handler *handler;
	bool again; /* it was decoded before, and has warned */
};

/* The body as it was sent, decoded afresh for every try. */
static struct status *put_body(
	void *data, struct request *request, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	struct put *put = data;
	size_t n_warnings = request->n_warnings;
	struct status *status = decode_body(put->exchange, request, request->schema->type, ret_object);
	if (put->again)
		request->n_warnings = n_warnings;
	put->again = true;
	return status;
}

static struct status *take_view(struct request *request, const struct subresource_handler *handler,
	const ProtobufCMessage *old, const ProtobufCMessage *view, ProtobufCMessage **ret_object)
{
	ProtobufCMessage *object = api_copy_msg(request->arena, old);
	const char *version = object_resource_version(view);
	if (!str_empty(version))
		object_meta(object)->resource_version = arena_strdup(request->arena, version);
	TRY(handler->put(request, object, view));
	*ret_object = object;
	return NULL;
}

static struct status *put_view(
	void *data, struct request *request, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	const struct put *put = data;
	ProtobufCMessage *view;
	TRY(decode_body(put->exchange, request, view_type(request), &view));
	return take_view(request, put->handler, old, view, ret_object);
}

static struct status *answer_updated(struct exchange *exchange, struct request *request, const struct accept *accept,
	ProtobufCMessage *object, bool created)
{
	const struct subresource_handler *handler = handler_of(request);
	if (handler && handler->get && handler->put)
		TRY(handler->get(request, object, &object));
	answer_object(exchange, request, accept, created ? 201 : 200, object);
	return NULL;
}

/* There is no such object; what is wrong with the one that was sent is told first. */
static struct status *update_missing(struct exchange *exchange, struct request *request, struct status *missing)
{
	const struct subresource_handler *handler = handler_of(request);
	const bool view = handler && handler->put;
	ProtobufCMessage *object;
	struct status *bad = decode_body(exchange, request, view ? view_type(request) : request->schema->type, &object);
	if (!bad && request->schema->namespaced)
		bad = request_check_namespace(request, object_namespace(object));
	if (!bad)
		bad = request_check_name(request, object_name(object));
	if (!bad)
		return missing;
	status_free(missing);
	return bad;
}

struct status *verb_update(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	const struct subresource_handler *handler = handler_of(request);
	struct put put = {.exchange = exchange, .handler = handler};
	ProtobufCMessage *object;
	bool created, view = handler && handler->put;
	TRY(decode_write_options(exchange, request));
	if (str_empty(request->name) || (*request->subresource && !view && !is_plain_part(request)))
		return status_not_allowed();
	const struct registry_update update = {.transform = view ? put_view : put_body,
		.data = &put,
		.create_if_missing = !*request->subresource && traits_of(request).create_on_put};
	struct status *status = registry_update(request, &update, &object, &created);
	if (status)
		return status_is(status, STATUS_NOT_FOUND) ? update_missing(exchange, request, status) : status;
	return answer_updated(exchange, request, accept, object, created);
}

/* --- patch --- */

struct patch {
	struct exchange *exchange;
	enum patch_kind kind;
	cJSON *tree;
	struct json_strict strict; /* what is wrong with the patch's own text */
	bool again;		   /* a conflict had it applied before: it has warned */
	const struct subresource_handler *handler;
};

static struct status *patch_kind_of(struct exchange *exchange, enum patch_kind *ret_kind)
{
	static const struct {
		const char *type;
		enum patch_kind kind;
	} kinds[] = {{"application/json-patch+json", PATCH_JSON}, {"application/merge-patch+json", PATCH_MERGE},
		{"application/strategic-merge-patch+json", PATCH_STRATEGIC}};
	const char *type = patch_type_of(exchange);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(type, kinds[i].type)) {
			*ret_kind = kinds[i].kind;
			return NULL;
		}
	return status_details(status_new(STATUS_UNSUPPORTED_MEDIA, "415: Unsupported Media Type"), "", "", "");
}

struct status *verb_patch_check(struct exchange *exchange)
{
	enum patch_kind kind;
	return is_apply(exchange) ? NULL : patch_kind_of(exchange, &kind);
}

/* Fields that are unknown or stand twice, in the patch or in what it made, are warned of or refused together. */
static struct status *judge_outcome(struct request *request, const struct schema_type *type, const struct patch *p,
	const cJSON *made, struct status *status, const struct decode_error *error)
{
	CLEANUP_STATUS struct status *from_object = status;
	/* Which kind was wanted the original says of bodies only. */
	if (status && !error->bad_fields)
		return patch_outcome_bad(request, error->other_kind ? NULL : type, p->kind, p->tree, made,
			str_or(error->other_kind, status->message));
	if (!str_eq(request->field_validation, "Strict") || (!status && !p->strict.n_errors))
		return NULL;
	return patch_outcome_bad(request, NULL, p->kind, p->tree, made,
		arena_printf(request->arena, "strict decoding error: %s%s%s",
			str_join(request->arena, p->strict.errors, p->strict.n_errors, ", "),
			status && p->strict.n_errors ? ", " : "", status ? error->bad_fields : ""));
}

/* The operations do not fit the object: the original says no more than that. */
static struct status *unfit(struct status *status)
{
	if (!status || status_is(status, STATUS_TOO_LARGE))
		return status;
	status_free(status);
	return status_details(
		status_new(STATUS_INVALID, "the server rejected our request due to an error in our request"), "", "",
		"");
}

/* Whether a patch can tell that the object has managedFields. */
static bool sees_managed_fields(const struct patch *p)
{
	static const char field[] = "/metadata/managedFields";
	static const char *const names[] = {"path", "from", NULL};
	if (p->kind != PATCH_JSON)
		return tree_get_path(p->tree, "metadata", "managedFields", NULL) ||
		       tree_get_path(p->tree, "metadata", "$patch", NULL) || tree_get(p->tree, "$patch");
	TREE_FOREACH (op, p->tree)
		for (const char *const *name = names; *name; name++) {
			const char *path = tree_string(tree_get(op, *name));
			const char *pointer = path && strchr(path, '/') ? strchr(path, '/') : path;
			size_t size = pointer ? strlen(pointer) : 0;
			if (pointer && !strncmp(pointer, field, size < strlen(field) ? size : strlen(field)))
				return true;
		}
	return false;
}

static struct status *patch_tree(
	struct request *request, const struct patch *p, const ProtobufCMessage *old, cJSON **ret_after)
{
	const cJSON *before = tree_from_typed(request->arena, old);
	if (p->kind == PATCH_JSON)
		return unfit(patch_json(request->arena, before, p->tree, ret_after));
	if (p->kind == PATCH_MERGE)
		return patch_merge(request->arena, before, p->tree, ret_after);
	return patch_strategic(request->arena, schema_of(old), before, p->tree, ret_after);
}

/* Patches only the part of the object that the patch names. False: it has to be done with the whole, which also knows
 * what to say of what is wrong. */
static bool apply_patch_to_part(
	struct request *request, const struct patch *p, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	const struct schema_type *type = schema_of(old);
	if (p->kind == PATCH_JSON || p->strict.n_errors || tree_get(p->tree, "kind") || tree_get(p->tree, "apiVersion"))
		return false;
	if (patch_merge_typed(request->arena, old, p->tree, p->kind == PATCH_STRATEGIC, ret_object))
		return true;
	const ProtobufCMessage *part = patch_part(request->arena, old, p->tree);
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	CLEANUP_STATUS struct status *status = NULL;
	cJSON *after;
	if (!part)
		return false;
	status = patch_tree(request, p, part, &after);
	if (status)
		return false;
	tree_print(&text, after, 0);
	size_t n_warnings = request->n_warnings;
	status = decode_json(request, type, text.buf, text.len, ret_object, NULL);
	if (status || request->n_warnings != n_warnings) {
		request->n_warnings = n_warnings;
		return false;
	}
	patch_join(request->arena, *ret_object, old, p->tree);
	return true;
}

static bool converts(struct request *request, ProtobufCMessage *object)
{
	CLEANUP_STATUS struct status *bad = decode_convert(request, object);
	return !bad;
}

static struct status *read_outcome(struct request *request, const struct patch *p, const struct schema_type *type,
	const cJSON *made, const struct strbuf *text, ProtobufCMessage **ret_object, struct decode_error *error)
{
	char *version, *kind;
	if (p->kind != PATCH_STRATEGIC && is_unversioned(type, made))
		return decode_unversioned(request, type, made, ret_object, error);
	struct status *status = decode_json(request, type, text->buf, text->len, ret_object, error);
	if (!status || p->kind == PATCH_STRATEGIC)
		return status;
	CLEANUP_STATUS struct status *unnamed = json_peek_type(request->arena, text->buf, text->len, &version, &kind);
	if (unnamed)
		error->other_kind = arena_printf(
			request->arena, "couldn't get version/kind; json parse error: %s", unnamed->message);
	return status;
}

static struct status *apply_patch_to(struct request *request, const struct patch *p, const ProtobufCMessage *old,
	const cJSON **ret_made, ProtobufCMessage **ret_object)
{
	cJSON *after;
	TRY(patch_tree(request, p, old, &after));
	if (p->kind == PATCH_STRATEGIC)
		TRY(patch_outcome_restore(request, schema_of(old), p->tree, after));
	else if (!str_eq(request->field_validation, "Ignore"))
		patch_outcome_sort(request->arena, p->kind, p->tree, after);
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	tree_print(&text, after, 0);
	size_t n_warnings = request->n_warnings;
	*ret_made = after;
	for (size_t i = 0; i < p->strict.n_errors && !str_eq(request->field_validation, "Strict"); i++)
		request_warn(request, "%s", p->strict.errors[i]);
	struct decode_error error;
	struct status *status = read_outcome(request, p, schema_of(old), after, &text, ret_object, &error);
	/* Of an outcome that is no object nobody knows what else is in it. */
	if (p->again || (status && !error.bad_fields))
		request->n_warnings = n_warnings;
	if (!status && p->kind != PATCH_STRATEGIC)
		status = decode_convert(request, *ret_object);
	TRY(judge_outcome(request, schema_of(old), p, after, status, &error));
	return p->kind == PATCH_STRATEGIC ? decode_convert(request, *ret_object) : NULL;
}

/* Mostly managedFields are not the patch's business, and are left out; they are in the message of an outcome that is no
 * object. */
static struct status *apply_patch(
	struct request *request, struct patch *p, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	const cJSON *made = NULL;
	bool sees = sees_managed_fields(p);
	const ProtobufCMessage *seen = sees ? old : managed_without(request->arena, old);
	if (apply_patch_to_part(request, p, seen, ret_object) && converts(request, *ret_object)) {
		p->again = true;
		return NULL;
	}
	struct status *status = apply_patch_to(request, p, seen, &made, ret_object);
	if (status && !sees && made && p->kind != PATCH_STRATEGIC) {
		status_free(status);
		p->again = true;
		status = apply_patch_to(request, p, old, &made, ret_object);
	}
	p->again = true;
	return status;
}

/* A JSON patch's operations have four members. */
static void find_unknown_members(struct request *request, struct patch *p)
{
	static const char *const known[] = {"op", "path", "from", "value", NULL};
	size_t i = 0;
	for (size_t k = 0; k < p->strict.n_errors; k++)
		p->strict.errors[k] = arena_printf(request->arena, "json patch %s", p->strict.errors[k]);
	TREE_FOREACH (op, p->tree) {
		TREE_FOREACH (member, op)
			if (!str_in(member->string, known))
				ARENA_PUSH(request->arena, p->strict.errors, p->strict.n_errors) =
					arena_printf(request->arena, "json patch unknown field %s",
						go_quote(request->arena,
							arena_printf(request->arena, "[%zu].%s", i, member->string)));
		i++;
	}
}

static bool is_lenient(const struct request *request)
{
	return str_eq(request->field_validation, "Ignore");
}

/* Messages about strategic patches have no beginning; where nobody asks for what is unknown, others have another. */
static struct status *cannot_decode(const struct request *request, const struct patch *p, struct status *why)
{
	if (p->kind == PATCH_STRATEGIC || (p->kind == PATCH_JSON && is_lenient(request)))
		return why;
	if (!is_lenient(request))
		return status_wrap(why, "error decoding patch");
	status_drop(why, "the original's merge says no more");
	return status_bad_request("Invalid JSON Patch");
}

/* What Go's json package calls what a tree holds. */
static const char *go_name(const cJSON *found)
{
	return cJSON_IsObject(found)   ? "object"
	       : cJSON_IsArray(found)  ? "array"
	       : cJSON_IsString(found) ? "string"
	       : cJSON_IsNumber(found) ? "number"
				       : "bool";
}

static struct status *not_a_patch(
	const struct request *request, const struct patch *p, const cJSON *found, const char *wanted)
{
	return cannot_decode(request, p,
		status_bad_request("json: cannot unmarshal %s into Go value of type %s", go_name(found), wanted));
}

/* The first member of an operation that is to be a text and is none; NULL: all is well. */
static const cJSON *find_no_text(const cJSON *op)
{
	static const char *const texts[] = {"op", "path", "from", NULL};
	TREE_FOREACH (member, op)
		if (str_in(member->string, texts) && !cJSON_IsString(member) && !cJSON_IsNull(member))
			return member;
	return NULL;
}

static struct status *check_operation(const struct request *request, const struct patch *p, const cJSON *op)
{
	const char *type = is_lenient(request) ? "jsonpatch.Operation" : "handlers.jsonPatchOp";
	if (!cJSON_IsObject(op) && !cJSON_IsNull(op))
		return not_a_patch(request, p, op, type);
	const cJSON *member = is_lenient(request) ? NULL : find_no_text(op);
	return !member ? NULL
		       : cannot_decode(request, p,
				 status_bad_request(
					 "json: cannot unmarshal %s into Go struct field jsonPatchOp.%s of type string",
					 go_name(member), member->string));
}

/* A null is a patch that says nothing, but for the merge, to which it is none. */
static cJSON *read_null(struct arena *arena, enum patch_kind kind)
{
	return kind == PATCH_JSON ? tree_new_array(arena) : tree_new_object(arena);
}

static struct status *parse_patch(struct request *request, struct patch *p)
{
	const struct json_options options = {.strict = is_lenient(request) ? NULL : &p->strict, .no_place = true};
	const char *const patch = is_lenient(request) ? "jsonpatch.Patch" : "[]handlers.jsonPatchOp";
	struct status *status =
		tree_parse(request->arena, p->exchange->body, p->exchange->body_size, &options, &p->tree);
	if (status)
		return cannot_decode(request, p, status);
	bool list = p->kind == PATCH_JSON;
	if (cJSON_IsNull(p->tree) && p->kind == PATCH_MERGE)
		return status_bad_request("Invalid JSON Patch");
	if (cJSON_IsNull(p->tree))
		p->tree = read_null(request->arena, p->kind);
	if (list ? !cJSON_IsArray(p->tree) : !cJSON_IsObject(p->tree))
		return not_a_patch(request, p, p->tree, list ? patch : "map[string]interface {}");
	TREE_FOREACH (op, list ? p->tree : NULL)
		TRY(check_operation(request, p, op));
	if (list && options.strict)
		find_unknown_members(request, p);
	return NULL;
}

/* What is patched must be there before anybody reads the patch. */
static struct status *parse_patch_once(struct request *request, struct patch *p)
{
	struct status *status = p->tree ? NULL : parse_patch(request, p);
	if (status)
		p->tree = NULL;
	return status;
}

static struct status *patch_object(
	void *data, struct request *request, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	TRY(parse_patch_once(request, data));
	TRY(apply_patch(request, data, old, ret_object));
	api_set_defaults(request->arena, *ret_object);
	return NULL;
}

static struct status *patch_view(
	void *data, struct request *request, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	struct patch *p = data;
	ProtobufCMessage *view;
	TRY(parse_patch_once(request, p));
	TRY(p->handler->get(request, old, &view));
	managed_show_in_view(request, old, view);
	TRY(apply_patch(request, p, view, &view));
	return take_view(request, p->handler, old, view, ret_object);
}

/* --- server-side apply --- */

struct apply {
	struct exchange *exchange;
	cJSON *config; /* NULL: it has not been looked at */
	bool force;
	struct json_strict duplicates; /* emptied when they are told */
};

/* Members that come twice are told, or an error, of a configuration that could be applied. */
static struct status *judge_duplicates(struct request *request, struct apply *apply)
{
	struct json_strict found = apply->duplicates;
	if (found.n_errors && str_eq(request->field_validation, "Strict"))
		return status_bad_request(
			"error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  %s",
			str_join(request->arena, found.errors, found.n_errors, "\n  "));
	for (size_t i = 0; i < found.n_errors; i++)
		request_warn(request, "%s", found.errors[i]);
	apply->duplicates.n_errors = 0;
	return NULL;
}

/* The type that an apply is of: the resource's, or that of the view that is applied to. */
static const struct schema_type *applied_type(const struct request *request)
{
	const struct subresource_handler *handler = handler_of(request);
	return handler && handler->put ? view_type(request) : request->schema->type;
}

static struct status *check_config(struct request *request, const cJSON *config)
{
	const char *api_version = str_or_empty(tree_string(tree_get(config, "apiVersion"))),
		   *kind = str_or_empty(tree_string(tree_get(config, "kind")));
	const struct schema_type *type = applied_type(request);
	const char *slash = strchr(api_version, '/');
	if (slash && strchr(slash + 1, '/'))
		return status_bad_request("invalid object type: /, Kind=");
	if (!str_eq(api_version, type->api_version) || !str_eq(kind, type->kind))
		return status_bad_request("invalid object type: %s%s, Kind=%s", slash ? "" : "/", api_version, kind);
	if (tree_get_path(config, "metadata", "managedFields", NULL))
		return status_bad_request("metadata.managedFields must be nil");
	return NULL;
}

static struct status *parse_config(struct exchange *exchange, struct request *request, struct apply *apply)
{
	cJSON *config;
	struct json_strict strict = {0};
	const struct json_options options = {.strict = &strict};
	TRY(status_wrap(yaml_parse(request->arena, exchange->body, exchange->body_size, &options, &config),
		"error decoding YAML"));
	if (!cJSON_IsObject(config))
		return status_bad_request(
			"error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
			"unmarshal %s into Go value of type map[string]interface {}",
			go_name(config));
	apply->config = config;
	if (!strict.n_errors || str_eq(request->field_validation, "Ignore"))
		return NULL;
	return yaml_find_duplicates(request->arena, exchange->body, exchange->body_size, &apply->duplicates);
}

/* What is wrong with a configuration is told of what is there, or may be created. */
static struct status *apply_config(
	void *data, struct request *request, const ProtobufCMessage *old, ProtobufCMessage **ret_object)
{
	struct apply *apply = data;
	if (!apply->config)
		TRY(parse_config(apply->exchange, request, apply));
	TRY(check_config(request, apply->config));
	TRY(managed_apply(request, old, apply->config, apply->force, ret_object));
	return judge_duplicates(request, apply);
}

static struct status *verb_apply(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	struct apply apply = {.exchange = exchange};
	ProtobufCMessage *object;
	bool created;
	query_flag(exchange, "force", &apply.force);
	request->applies = true;
	const struct registry_update update = {.transform = apply_config,
		.data = &apply,
		.retry_conflicts = true,
		.create_if_missing = str_empty(request->subresource)};
	TRY(registry_update(request, &update, &object, &created));
	return answer_updated(exchange, request, accept, object, created);
}

struct status *verb_patch(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	struct patch patch = {.exchange = exchange, .handler = handler_of(request)};
	ProtobufCMessage *object;
	bool created, view = patch.handler && patch.handler->put && patch.handler->get;
	TRY(decode_write_options(exchange, request));
	if (is_apply(exchange) && (!*request->subresource || view || is_plain_part(request)))
		return verb_apply(exchange, request, accept);
	TRY(patch_kind_of(exchange, &patch.kind));
	if (str_empty(request->name) || (*request->subresource && !view && !is_plain_part(request)))
		return status_not_allowed();
	const struct registry_update update = {
		.transform = view ? patch_view : patch_object, .data = &patch, .retry_conflicts = true};
	TRY(registry_update(request, &update, &object, &created));
	return answer_updated(exchange, request, accept, object, created);
}

/* --- delete --- */

struct status *verb_delete(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	MetaV1DeleteOptions *options;
	ProtobufCMessage *object;
	bool gone;
	if (*request->subresource)
		return status_not_allowed();
	TRY(decode_delete_options(exchange, request, &options));
	registry_delete_warn(request, options);
	TRY(registry_delete(request, options, &object, &gone));
	/* 202 where the caller asked to wait for dependents and they are still there. */
	int code = !gone && options->has_orphan_dependents && !options->orphan_dependents ? 202 : 200;
	if (gone && !traits_of(request).returns_deleted)
		answer_success(exchange, request, accept, object_name(object), object_uid(object));
	else
		answer_object(exchange, request, accept, code, object);
	return NULL;
}

/* What is told is what there was. */
struct status *verb_delete_collection(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	MetaV1DeleteOptions *options;
	struct list_options o;
	ProtobufCMessage *list;
	void **items;
	if (!request_table(request))
		return status_not_allowed();
	TRY(list_options_parse(exchange, request, &o));
	TRY(list_fields_settle(request, &o));
	TRY(decode_delete_options(exchange, request, &options));
	/* What is deleted is what there was at the version. */
	if (!str_empty(o.version_text) && !str_eq(o.version_text, "0") && str_empty(o.match))
		o.match = "Exact";
	registry_delete_warn(request, options);
	TRY(list_version_settle(request, &o));
	TRY(list_objects(request, &o, &list));
	const char *namespace = request->namespace;
	size_t n = list_items(list, &items);
	for (size_t i = 0; i < n; i++) {
		ProtobufCMessage *object;
		bool gone;
		request->name = object_name(items[i]);
		request->namespace = object_namespace(items[i]);
		struct status *status = registry_delete(request, options, &object, &gone);
		if (status_is(status, STATUS_NOT_FOUND)) {
			status_drop(status, "somebody else deleted it");
			continue;
		}
		TRY(status);
	}
	request->name = "";
	request->namespace = namespace;
	answer_object(exchange, request, accept, 200, list);
	return NULL;
}
