#include "apiserver/http/decode.h"
#include <stdlib.h>
#include "api/defaults/defaults.h"
#include "api/go_names.h"
#include "api/go_text.h"
#include "api/json.h"
#include "api/protobuf.h"
#include "api/yaml.h"
#include "apiserver/http/former_kinds.h"
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/strategy.h"
#include "apiserver/validation/field.h"
#include "base/encode.h"

/* What the original calls the table of its kinds. */
#define NO_VERSION "Object 'apiVersion' is missing in '%s'"
#define META "meta.k8s.io"
#define SCHEME "\"pkg/runtime/scheme.go:110\""

/* `Pod in version "v1" cannot be handled as a Pod: …` */
static struct status *cannot_handle(
	const struct schema_type *type, const char *kind, const char *version, struct status *why)
{
	struct status *s = status_bad_request("%s in version \"%s\" cannot be handled as a %s: %s",
		str_or(kind, type->kind), str_or(version, type->version), type->kind, why->message);
	status_free(why);
	return s;
}

/* Whether a group is named, but no version of it. */
static bool has_no_version(const char *api_version)
{
	const char *slash = strchr(api_version, '/');
	return slash && slash > api_version && !slash[1];
}

/* What is left out is the type's own; a version of no group may go by a slash. */
static void complete_kind(struct arena *arena, const struct schema_type *type, char **api_version, char **kind)
{
	const size_t group = strlen(type->group);
	const char *version = str_or_empty(*api_version);
	const char *own = str_eq(type->group, META) ? META "/v1" : type->api_version;
	if (str_empty(*kind))
		*kind = arena_strdup(arena, type->kind);
	if (!*version || str_eq(version, "/") ||
		(has_no_version(version) && strlen(version) == group + 1 && !strncmp(version, type->group, group)))
		*api_version = arena_strdup(arena, own);
	else if (*version == '/' && !strchr(version + 1, '/'))
		*api_version = arena_strdup(arena, version + 1);
}

static const char *version_part(const char *api_version)
{
	const char *slash = strrchr(str_or_empty(api_version), '/');
	return slash ? slash + 1 : str_or_empty(api_version);
}

/* What strict decoding found becomes an error or warnings. */
static struct status *judge_strictness(struct request *request, const struct schema_type *type,
	const struct json_strict *strict, struct decode_error *error)
{
	if (!strict->n_errors)
		return NULL;
	if (!str_eq(request->field_validation, "Strict")) {
		for (size_t i = 0; i < strict->n_errors; i++)
			request_warn(request, "%s", strict->errors[i]);
		return NULL;
	}
	error->names_kind = true;
	error->bad_fields = str_join(request->arena, strict->errors, strict->n_errors, ", ");
	return status_bad_request("%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
		type->kind, type->version, type->kind, error->bad_fields);
}

/* Its kind is one that cannot be, or another. */
static struct status *is_other_kind(
	const struct schema_type *type, const char *kind, const char *version, struct decode_error *error)
{
	error->names_kind = true;
	return status_bad_request(
		"%s in version %s cannot be handled as a %s: %s", kind, version, type->kind, error->other_kind);
}

/* Evictions of a version that is not served any more are taken, nothing else is: the two have the same fields. */
static bool is_former_version(const struct schema_type *type, const char *api_version, const char *kind)
{
	return type == &PolicyV1Eviction_schema && str_eq(api_version, "policy/v1beta1") &&
	       (str_empty(kind) || str_eq(kind, type->kind));
}

/* Definitions and API services belong to servers of their own, that know nothing of others' kinds. */
static const char *server_of(const char *group)
{
	static const char *const own[] = {"apiextensions.k8s.io", "apiregistration.k8s.io", NULL};
	return str_in(group, own) ? group : "";
}

#define NO_GROUP_VERSION "unexpected GroupVersion string: %s"

/* It has more than a group, a slash and a version. */
static bool is_no_version(const char *api_version)
{
	const char *slash = strchr(api_version, '/');
	return slash && strchr(slash + 1, '/');
}

/* Whether who serves the type knows such a kind at all. */
static bool is_known(struct arena *arena, const struct schema_type *type, const char *api_version, const char *kind)
{
	const char *slash = strchr(api_version, '/');
	const char *group = slash ? arena_strndup(arena, api_version, (size_t)(slash - api_version)) : "";
	const struct schema_type *named = schema_find_api_version(api_version, kind);
	if (str_eq(group, META))
		return false;
	if (named && str_eq(named->group, META))
		return true;
	return str_eq(server_of(group), server_of(type->group)) && (named || kind_is_former(api_version, kind));
}

/* apiVersion and kind may be left out, but not be those of something else. */
static struct status *check_kind(struct request *request, const struct schema_type *type, const char *api_version,
	const char *kind, struct decode_error *error)
{
	struct arena *arena = request->arena;
	if (type == &MetaV1DeleteOptions_schema && !str_empty(kind) && !str_eq(kind, type->kind)) {
		error->names_kind = true;
		return status_with_code(
			status_new(STATUS_UNKNOWN, "no kind \"%s\" is registered for version \"%s\" in scheme " SCHEME,
				kind, api_version),
			500);
	}
	/* What belongs to every group may come under any group's name. */
	if (str_eq(type->group, META) || (str_empty(api_version) && str_empty(kind)) ||
		is_former_version(type, api_version, kind))
		return NULL;
	if (!str_empty(kind) && !str_empty(api_version) && !is_known(arena, type, api_version, kind)) {
		error->other_kind =
			is_no_version(api_version)
				? arena_printf(arena, NO_GROUP_VERSION, api_version)
				: arena_printf(arena, "no kind %s is registered for version %s in scheme " SCHEME,
					  field_quote(arena, kind), field_quote(arena, api_version));
		return is_other_kind(type, kind, field_quote(arena, version_part(api_version)), error);
	}
	if (!str_empty(kind) && !str_eq(kind, type->kind)) {
		error->other_kind = arena_printf(arena, "converting (%s.%s) to (%s.%s): unknown conversion",
			version_part(api_version), kind, go_package_of(arena, type), type->kind);
		return is_other_kind(type, kind, arena_printf(arena, "\"%s\"", version_part(api_version)), error);
	}
	if (str_empty(api_version) || str_eq(api_version, type->api_version))
		return NULL;
	error->names_kind = true;
	return status_bad_request("the API version in the data (%s) does not match the expected API version (%s)",
		api_version, type->api_version);
}

/* A body that says it is something else, and is wrong as that already; otherwise what is said of its kind. */
static struct status *explain_kind(struct request *request, const struct schema_type *type, const char *api_version,
	const char *kind, const char *data, size_t size, struct status *said, struct decode_error *error)
{
	const bool known = !str_empty(kind) && is_known(request->arena, type, api_version, kind);
	const struct schema_type *named = known ? schema_find_api_version(api_version, kind) : NULL;
	ProtobufCMessage *unused;
	struct status *wrong = named ? json_decode(request->arena, named, data, size, NULL, &unused) : NULL;
	if (!wrong)
		return said;
	status_drop(said, "the first thing that is wrong is the reason");
	*error = (struct decode_error){.names_kind = true, .other_kind = arena_strdup(request->arena, wrong->message)};
	return cannot_handle(type, kind, version_part(api_version), wrong);
}

/* found: what else strict decoding has found in the text, before its fields. */
static struct status *decode_text(struct request *request, const struct schema_type *type, const char *data,
	size_t size, const struct json_strict *found, ProtobufCMessage **ret_object, struct decode_error *error)
{
	struct json_strict strict = {0}, all = {0};
	struct decode_error unwanted;
	char *api_version = NULL, *kind = NULL;
	bool lenient = str_eq(request->field_validation, "Ignore") || type == &MetaV1DeleteOptions_schema;
	const struct json_options options = {
		.strict = lenient ? NULL : &strict, .ret_api_version = &api_version, .ret_kind = &kind};
	error = error ? error : &unwanted;
	*error = (struct decode_error){0};
	struct status *status = json_decode(request->arena, type, data, size, &options, ret_object);
	complete_kind(request->arena, type, &api_version, &kind);
	struct status *other = check_kind(request, type, api_version, kind, error);
	if (other) {
		status_drop(status, "another kind is the reason");
		return explain_kind(request, type, api_version, kind, data, size, other, error);
	}
	if (status)
		return status;
	for (size_t i = 0; i < found->n_errors && !lenient; i++)
		ARENA_PUSH(request->arena, all.errors, all.n_errors) = found->errors[i];
	for (size_t i = 0; i < strict.n_errors; i++)
		ARENA_PUSH(request->arena, all.errors, all.n_errors) = strict.errors[i];
	return judge_strictness(request, type, &all, error);
}

struct status *decode_json(struct request *request, const struct schema_type *type, const char *data, size_t size,
	ProtobufCMessage **ret_object, struct decode_error *error)
{
	return decode_text(request, type, data, size, &(const struct json_strict){0}, ret_object, error);
}

static bool says_nothing(const cJSON *node)
{
	return !node || cJSON_IsNull(node) || (cJSON_IsString(node) && !*tree_string(node));
}

/* As many fields are told to be unknown as in a body. */
enum { MOST_UNKNOWN = 100 };

bool is_unversioned(const struct schema_type *type, const cJSON *tree)
{
	const cJSON *kind = tree_get(tree, "kind");
	return cJSON_IsObject(tree) && says_nothing(tree_get(tree, "apiVersion")) &&
	       (says_nothing(kind) || str_eq(tree_string(kind), type->kind));
}

struct status *decode_unversioned(struct request *request, const struct schema_type *type, const cJSON *tree,
	ProtobufCMessage **ret_object, struct decode_error *error)
{
	struct json_strict strict = {0};
	*error = (struct decode_error){0};
	*ret_object = api_new(request->arena, type);
	if (str_eq(request->field_validation, "Ignore"))
		return NULL;
	TREE_FOREACH (member, tree)
		if (!str_eq(member->string, "kind") && !str_eq(member->string, "apiVersion"))
			ARENA_PUSH(request->arena, strict.errors, strict.n_errors) = arena_printf(
				request->arena, "unknown field %s", go_quote(request->arena, member->string));
	if (strict.n_errors > 1)
		qsort(strict.errors, strict.n_errors, sizeof(*strict.errors), str_cmp_qsort);
	if (strict.n_errors > MOST_UNKNOWN)
		strict.n_errors = MOST_UNKNOWN;
	return judge_strictness(request, type, &strict, error);
}

struct body {
	const char *data;
	size_t size;
};

/* The first bytes of a body that is no object, for the message. */
static const char *summary(struct arena *arena, struct body body)
{
	const size_t most = 30;
	size_t n = body.size < most ? body.size : most;
	if (!body.size)
		return "<empty>";
	const char *text = *body.data == '{' ? arena_strndup(arena, body.data, n) : hex_encode(arena, body.data, n);
	return arena_printf(arena, "%s%s", text, body.size > most ? " ..." : "");
}

/* The body is no JSON, or no object with a version and a kind. */
static struct status *no_version(
	struct request *request, const struct schema_type *type, const char *why, struct body body)
{
	if (type == &MetaV1DeleteOptions_schema)
		return status_with_code(
			status_new(STATUS_UNKNOWN, "couldn't get version/kind; json parse error: %s", why), 500);
	return status_bad_request("the object provided is unrecognized (must be of type %s): couldn't get "
				  "version/kind; json parse error: %s (%s)",
		type->kind, why, summary(request->arena, body));
}

/* Options are not told as a body of their kind is. */
static struct status *bad_options(struct status *why)
{
	struct status *s = status_with_code(status_new(STATUS_UNKNOWN, "%s", why->message), 500);
	status_free(why);
	return s;
}

static struct status *unrecognized(
	struct request *request, const struct schema_type *type, struct body body, struct status *why)
{
	if (type == &MetaV1DeleteOptions_schema)
		return bad_options(why);
	struct status *s = status_bad_request("the object provided is unrecognized (must be of type %s): %s (%s)",
		type->kind, why->message, summary(request->arena, body));
	status_free(why);
	return s;
}

/* A group, a slash and a version. */
static struct status *check_group_version(struct request *request, const struct schema_type *type,
	const char *api_version, const char *kind, struct body body)
{
	if (is_no_version(api_version))
		return unrecognized(request, type, body, status_bad_request(NO_GROUP_VERSION, api_version));
	if (!has_no_version(api_version))
		return NULL;
	char *text = arena_strndup(request->arena, body.data, body.size);
	if (type == &MetaV1DeleteOptions_schema)
		return bad_options(status_bad_request(NO_VERSION, text));
	return status_bad_request("%s in version \"\" cannot be handled as a %s: " NO_VERSION, kind, type->kind, text);
}

/* body: as it was sent, which may be YAML; found: what strict decoding has found in it. */
static struct status *decode_json_body(struct request *request, const struct schema_type *type, const char *data,
	size_t size, struct body body, const struct json_strict *found, ProtobufCMessage **ret_object)
{
	char *api_version, *kind;
	struct decode_error error = {0};
	struct status *peeked = json_peek_type(request->arena, data, size, &api_version, &kind), *misnamed = NULL;
	if (!peeked) {
		complete_kind(request->arena, type, &api_version, &kind);
		misnamed = check_group_version(request, type, api_version, kind, body);
	}
	struct status *status = peeked	   ? peeked
				: misnamed ? misnamed
					   : decode_text(request, type, data, size, found, ret_object, &error);
	if (!status)
		return NULL;
	const char *problem = json_problem(request->arena, data, size);
	if (problem || peeked) {
		const char *why = problem ? problem : arena_strdup(request->arena, status->message);
		status_free(status);
		return no_version(request, type, why, body);
	}
	if (misnamed)
		return misnamed;
	if (error.names_kind)
		return status;
	if (type == &MetaV1DeleteOptions_schema)
		return bad_options(status);
	return cannot_handle(type, kind, version_part(api_version), status);
}

static struct status *decode_yaml(struct request *request, const struct schema_type *type, const char *data,
	size_t size, ProtobufCMessage **ret_object)
{
	char *json;
	size_t json_size;
	struct json_strict strict = {0};
	const struct json_options options = {.strict = &strict};
	struct status *status = yaml_to_json(request->arena, data, size, &options, &json, &json_size);
	if (status)
		return unrecognized(request, type, (struct body){data, size}, status);
	if (strict.n_errors) {
		strict = (struct json_strict){0};
		TRY(yaml_find_duplicates(request->arena, data, size, &strict));
		if (str_eq(request->field_validation, "Strict")) {
			/* The YAML reader tells all of them as one. */
			strict.errors[0] = arena_printf(request->arena, "yaml: unmarshal errors:\n  %s",
				str_join(request->arena, strict.errors, strict.n_errors, "\n  "));
			strict.n_errors = 1;
		}
	}
	return decode_json_body(request, type, json, json_size, (struct body){data, size}, &strict, ret_object);
}

static struct status *check_envelope(const char *data, size_t size)
{
	if (!size)
		return status_bad_request("empty data");
	if (!protobuf_has_magic(data, size))
		return status_bad_request(
			"provided data does not appear to be a protobuf message, expected prefix [107 56 115 "
			"0]");
	return size == PROTOBUF_MAGIC_SIZE ? status_bad_request("empty body") : NULL;
}

static struct status *decode_protobuf(struct request *request, const struct schema_type *type, const char *data,
	size_t size, ProtobufCMessage **ret_object)
{
	char *api_version, *kind;
	const void *raw;
	size_t raw_size;
	ProtobufCMessage *object;
	struct decode_error error = {0};
	struct status *bad = check_envelope(data, size);
	if (!bad)
		bad = protobuf_envelope(request->arena, data, size, &api_version, &kind, &raw, &raw_size);
	if (bad)
		return unrecognized(request, type, (struct body){data, size}, bad);
	/* What it says it is it must be first. */
	const struct schema_type *named = str_empty(kind) ? NULL : schema_find_api_version(api_version, kind);
	if (!named && !str_empty(kind) && !str_empty(api_version))
		TRY(check_kind(request, type, api_version, kind, &error));
	bad = protobuf_unpack(request->arena, named ? named : type, raw, raw_size, &object);
	if (bad)
		return type == &MetaV1DeleteOptions_schema ? bad_options(bad)
							   : cannot_handle(type, kind, version_part(api_version), bad);
	TRY(check_kind(request, type, api_version, kind, &error));
	*ret_object = object;
	return NULL;
}

struct status *decode_body_plainly(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object)
{
	enum media media;
	TRY(content_media(exchange->arena, exchange_header(exchange, "Content-Type"), &media));
	if (media == MEDIA_PROTOBUF)
		return decode_protobuf(request, type, exchange->body, exchange->body_size, ret_object);
	if (media == MEDIA_YAML)
		return decode_yaml(request, type, exchange->body, exchange->body_size, ret_object);
	return decode_json_body(request, type, exchange->body, exchange->body_size,
		(struct body){exchange->body, exchange->body_size}, &(const struct json_strict){0}, ret_object);
}

struct status *decode_convert(struct request *request, ProtobufCMessage *object)
{
	const struct strategy *s = request->strategy;
	return s->convert && schema_of(object) == request->schema->type ? s->convert(request, object) : NULL;
}

struct status *decode_body(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object)
{
	TRY(decode_body_plainly(exchange, request, type, ret_object));
	api_set_defaults(request->arena, *ret_object);
	struct status *bad = decode_convert(request, *ret_object);
	if (bad)
		return cannot_handle(type, NULL, NULL, bad);
	request_drop_repeated_owners(request, *ret_object, false);
	return NULL;
}
