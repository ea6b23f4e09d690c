#include "apiserver/http/decode.h"
#include "api/defaults/defaults.h"
#include "api/json.h"
#include "api/protobuf.h"
#include "api/yaml.h"
#include "base/encode.h"

/* `Pod in version "v1" cannot be handled as a Pod: …` */
static struct status *cannot_handle(
	const struct schema_type *type, const char *kind, const char *version, struct status *why)
{
	struct status *s = status_bad_request("%s in version \"%s\" cannot be handled as a %s: %s",
		str_or(kind, type->kind), str_or(version, type->version), type->kind, why->message);
	status_free(why);
	return s;
}

static const char *version_part(const char *api_version)
{
	const char *slash = strrchr(str_or_empty(api_version), '/');
	return slash ? slash + 1 : str_or_empty(api_version);
}

/* What strict decoding found becomes an error or warnings. */
static struct status *judge_strictness(
	struct request *request, const struct schema_type *type, const struct json_strict *strict)
{
	if (!strict->n_errors)
		return NULL;
	if (!str_eq(request->field_validation, "Strict")) {
		for (size_t i = 0; i < strict->n_errors; i++)
			request_warn(request, "%s", strict->errors[i]);
		return NULL;
	}
	char *all = str_join(request->arena, strict->errors, strict->n_errors, ", ");
	return status_bad_request("%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
		type->kind, type->version, type->kind, all);
}

/* apiVersion and kind may be left out, but not be those of something else. */
static struct status *check_kind(
	struct request *request, const struct schema_type *type, const char *api_version, const char *kind)
{
	if (type == &MetaV1DeleteOptions_schema && !str_empty(kind) && !str_eq(kind, type->kind))
		return status_with_code(status_new(STATUS_UNKNOWN,
						"no kind \"%s\" is registered for version \"%s\" in scheme "
						"\"pkg/runtime/scheme.go:110\"",
						kind, api_version),
			500);
	/* What belongs to every group may come under any group's name. */
	if (str_eq(type->group, "meta.k8s.io") || (str_empty(api_version) && str_empty(kind)))
		return NULL;
	if (!str_empty(kind) && !str_empty(api_version) && !schema_find_api_version(api_version, kind))
		return status_bad_request("%s in version \"%s\" cannot be handled as a %s: no kind \"%s\" is "
					  "registered for version \"%s\" "
					  "in scheme \"pkg/runtime/scheme.go:110\"",
			kind, version_part(api_version), type->kind, kind, api_version);
	if (!str_empty(kind) && !str_eq(kind, type->kind))
		return status_bad_request(
			"%s in version \"%s\" cannot be handled as a %s: converting (%s.%s) to (%s.%s): unknown "
			"conversion",
			kind, version_part(api_version), type->kind, version_part(api_version), kind,
			str_or(type->group, "core"), type->kind);
	if (!str_empty(api_version) && !str_eq(api_version, type->api_version))
		return status_bad_request(
			"the API version in the data (%s) does not match the expected API version (%s)", api_version,
			type->api_version);
	return NULL;
}

/* A body that says it is something else, and is wrong as that already; otherwise what is said of its kind. */
static struct status *explain_kind(struct request *request, const struct schema_type *type, const char *api_version,
	const char *kind, const char *data, size_t size, struct status *said)
{
	const struct schema_type *named = str_empty(kind) ? NULL : schema_find_api_version(api_version, kind);
	ProtobufCMessage *unused;
	struct status *wrong = named ? json_decode(request->arena, named, data, size, NULL, &unused) : NULL;
	if (!wrong)
		return said;
	status_drop(said, "the first thing that is wrong is the reason");
	return cannot_handle(type, kind, version_part(api_version), wrong);
}

struct status *decode_json(struct request *request, const struct schema_type *type, const char *data, size_t size,
	ProtobufCMessage **ret_object)
{
	struct json_strict strict = {0};
	char *api_version = NULL, *kind = NULL;
	const struct json_options options = {.strict = str_eq(request->field_validation, "Ignore") ? NULL : &strict,
		.ret_api_version = &api_version,
		.ret_kind = &kind};
	struct status *status = json_decode(request->arena, type, data, size, &options, ret_object);
	struct status *other = check_kind(request, type, api_version, kind);
	if (other) {
		status_drop(status, "another kind is the reason");
		return explain_kind(request, type, api_version, kind, data, size, other);
	}
	return status ? status : judge_strictness(request, type, &strict);
}

/* The first bytes of a body that is no object, for the message. */
static const char *summary(struct arena *arena, const char *data, size_t size)
{
	const size_t most = 30;
	size_t n = size < most ? size : most;
	if (!size)
		return "<empty>";
	const char *text = *data == '{' ? arena_strndup(arena, data, n) : hex_encode(arena, data, n);
	return arena_printf(arena, "%s%s", text, size > most ? " ..." : "");
}

/* What the JSON reader says, without the place, which the original does not tell. */
static const char *without_place(struct arena *arena, const char *message)
{
	const char *place = strstr(message, " (at byte ");
	return place ? arena_strndup(arena, message, (size_t)(place - message)) : message;
}

static struct status *decode_json_body(struct request *request, const struct schema_type *type, const char *data,
	size_t size, ProtobufCMessage **ret_object)
{
	char *api_version, *kind;
	struct status *status = json_peek_type(request->arena, data, size, &api_version, &kind);
	if (status && type == &MetaV1DeleteOptions_schema) {
		struct status *s = status_new(STATUS_UNKNOWN, "couldn't get version/kind; json parse error: %s",
			without_place(request->arena, status->message));
		status_free(status);
		return status_with_code(s, 500);
	}
	if (status) {
		struct status *s =
			status_bad_request("the object provided is unrecognized (must be of type %s): couldn't get "
					   "version/kind; json parse error: %s (%s)",
				type->kind,
				size ? without_place(request->arena, status->message) : "unexpected end of JSON input",
				summary(request->arena, data, size));
		status_free(status);
		return s;
	}
	status = decode_json(request, type, data, size, ret_object);
	if (status && (status->code == 500 || strstr(status->message, "cannot be handled as a")))
		return status;
	return status ? cannot_handle(type, kind, version_part(api_version), status) : NULL;
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
		return cannot_handle(type, NULL, NULL, status);
	status = judge_strictness(request, type, &strict);
	if (status)
		return cannot_handle(type, NULL, NULL, status);
	return decode_json_body(request, type, json, json_size, ret_object);
}

static struct status *decode_protobuf(struct request *request, const struct schema_type *type, const char *data,
	size_t size, ProtobufCMessage **ret_object)
{
	char *api_version, *kind;
	if (!protobuf_has_magic(data, size))
		return status_bad_request(
			"provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
	TRY(protobuf_envelope(request->arena, data, size, &api_version, &kind, NULL, NULL));
	TRY(check_kind(request, type, api_version, kind));
	return protobuf_decode(request->arena, type, data, size, ret_object);
}

static struct status *decode_as(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object)
{
	enum media media;
	TRY(content_media(content_type_of(exchange), &media));
	if (media == MEDIA_PROTOBUF)
		return decode_protobuf(request, type, exchange->body, exchange->body_size, ret_object);
	if (media == MEDIA_YAML)
		return decode_yaml(request, type, exchange->body, exchange->body_size, ret_object);
	return decode_json_body(request, type, exchange->body, exchange->body_size, ret_object);
}

struct status *decode_body(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object)
{
	TRY(decode_as(exchange, request, type, ret_object));
	api_set_defaults(request->arena, *ret_object);
	return NULL;
}

/* CreateOptions, PatchOptions, … */
static const char *options_kind(const struct request *request)
{
	if (str_starts_with(request->verb, "delete"))
		return "DeleteOptions";
	if (str_eq(request->verb, "patch"))
		return "PatchOptions";
	return str_eq(request->verb, "update") ? "UpdateOptions" : "CreateOptions";
}

static void check_dry_run(struct field_errors *errors, const char *value)
{
	static const char *const supported[] = {"All", NULL};
	if (!str_empty(value) && !str_eq(value, "All"))
		field_unsupported_json(
			errors, FIELD(NULL, "dryRun"), arena_printf(errors->arena, "[\"%s\"]", value), supported);
}

static struct status *take_dry_run(struct request *request, const char *value)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	check_dry_run(&errors, value);
	request->dry_run |= !str_empty(value);
	return field_errors_status(&errors, "meta.k8s.io", options_kind(request), "");
}

bool is_apply(struct exchange *exchange)
{
	return str_eq(content_type_of(exchange), "application/apply-patch+yaml");
}

/* The name given, or what the client calls itself. */
static const char *field_manager(struct exchange *exchange)
{
	const char *given = exchange_query(exchange, "fieldManager");
	if (!str_empty(given))
		return given;
	return manager_name_of_agent(exchange->arena, str_or_empty(exchange_header(exchange, "User-Agent")));
}

struct status *decode_write_options(struct exchange *exchange, struct request *request)
{
	static const char *const validations[] = {"", "Ignore", "Strict", "Warn", NULL};
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	const char *dry_run = exchange_query(exchange, "dryRun");
	request->field_manager = field_manager(exchange);
	request->field_validation = str_or_empty(exchange_query(exchange, "fieldValidation"));
	request->dry_run |= !str_empty(dry_run);
	check_manager_options(&errors, exchange, request);
	check_dry_run(&errors, dry_run);
	if (!str_in(request->field_validation, validations))
		field_unsupported(&errors, FIELD(NULL, "fieldValidation"), request->field_validation, validations);
	return field_errors_status(&errors, "meta.k8s.io", options_kind(request), "");
}

struct status *query_number(struct exchange *exchange, const char *name, int64_t *ret_value)
{
	const char *text = exchange_query(exchange, name);
	if (str_empty(text) || str_to_int64(text, INT64_MIN, INT64_MAX, ret_value))
		return NULL;
	return status_bad_request("strconv.ParseInt: parsing \"%s\": invalid syntax", text);
}

static struct status *query_delete_options(struct exchange *exchange, struct request *request, MetaV1DeleteOptions *o)
{
	const char *grace = exchange_query(exchange, "gracePeriodSeconds");
	const char *orphan = exchange_query(exchange, "orphanDependents");
	const char *policy = exchange_query(exchange, "propagationPolicy");
	bool flag;
	TRY(query_number(exchange, "gracePeriodSeconds", &o->grace_period_seconds));
	o->has_grace_period_seconds = grace != NULL;
	if (orphan && str_to_bool(orphan, &flag)) {
		o->has_orphan_dependents = true;
		o->orphan_dependents = flag;
	}
	if (!str_empty(policy))
		o->propagation_policy = arena_strdup(request->arena, policy);
	return NULL;
}

struct status *decode_delete_options(
	struct exchange *exchange, struct request *request, MetaV1DeleteOptions **ret_options)
{
	ProtobufCMessage *object;
	TRY(take_dry_run(request, exchange_query(exchange, "dryRun")));
	if (!exchange->body_size) {
		*ret_options = API_NEW(request->arena, MetaV1DeleteOptions);
		return query_delete_options(exchange, request, *ret_options);
	}
	TRY(decode_as(exchange, request, &MetaV1DeleteOptions_schema, &object));
	*ret_options = (MetaV1DeleteOptions *)object;
	for (size_t i = 0; i < (*ret_options)->n_dry_run; i++)
		TRY(take_dry_run(request, (*ret_options)->dry_run[i]));
	return NULL;
}
