#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/managed/managed.h"
#include "apiserver/registry/private.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/strategy/context.h"
#include "base/encode.h"
#include "base/fail.h"
#include "base/str.h"

#define NAME_ATTEMPTS 8
#define SUFFIX_LENGTH 5
#define MAX_GENERATED_BASE 58 /* of the 63 that a name may have */

/* The object goes where the request says. */
static struct status *settle_namespace(struct request *request, MetaV1ObjectMeta *meta)
{
	if (!request->schema->namespaced) {
		meta->namespace = (char *)(uintptr_t)schema_empty_string;
		return NULL;
	}
	if (str_empty(meta->namespace))
		meta->namespace = arena_strdup(request->arena, request->namespace);
	return request_check_namespace(request, meta->namespace);
}

static void generate_name(struct request *request, MetaV1ObjectMeta *meta)
{
	char suffix[SUFFIX_LENGTH + 1];
	if (request->strategy->names_as_told) {
		meta->name = meta->generate_name;
		return;
	}
	random_name_suffix(suffix, SUFFIX_LENGTH);
	meta->name = arena_printf(request->arena, "%.*s%s", MAX_GENERATED_BASE, meta->generate_name, suffix);
}

static void wipe_system_fields(MetaV1ObjectMeta *meta)
{
	meta->deletion_timestamp = NULL;
	meta->has_deletion_grace_period_seconds = false;
	meta->self_link = (char *)(uintptr_t)schema_empty_string;
}

/* What only the server says of an object. */
static void fill_system_fields(struct request *request, MetaV1ObjectMeta *meta)
{
	char uid[37];
	uuid_generate(uid);
	meta->uid = arena_strdup(request->arena, uid);
	meta->creation_timestamp = time_new(request->arena, clock_wall_s(request->clock));
	meta->self_link = (char *)(uintptr_t)schema_empty_string;
	if (traits_of(request).generation)
		meta->generation = 1;
}

void validate_finalizers_of(struct request *request, struct field_errors *errors, const MetaV1ObjectMeta *meta)
{
	/* These groups do without the rule of the others. */
	static const char *const groups[] = {"admissionregistration.k8s.io", "apiextensions.k8s.io",
		"apiregistration.k8s.io", "coordination.k8s.io", "node.k8s.io", "policy", NULL};
	if (!str_in(request->group, groups))
		validate_finalizer_domains(
			errors, FIELD(FIELD(NULL, "metadata"), "finalizers"), meta->finalizers, meta->n_finalizers);
}

static const char *own_name_problem(
	struct request *request, const ProtobufCMessage *object, const char *name, bool prefix)
{
	return str_empty(name) ? NULL : request->strategy->check_own_name(request->arena, object, name, prefix);
}

void validate_object_meta_of(struct request *request, struct field_errors *errors, const ProtobufCMessage *object)
{
	const struct strategy *s = request->strategy;
	const struct field_path *path = FIELD(NULL, "metadata");
	const MetaV1ObjectMeta *meta = object_meta(object);
	if (s->check_own_name)
		tell_name_problems(errors, path, meta, own_name_problem(request, object, meta->generate_name, true),
			own_name_problem(request, object, meta->name, false));
	else
		validate_object_name(errors, path, meta, s->check_name ? s->check_name : name_is_dns_subdomain);
	validate_object_meta_beside_name(errors, path, meta, request->schema->namespaced);
	validate_finalizers_of(request, errors, meta);
}

/* The kind's own checks; when they are content, those of all kinds, which differ by the rule for names alone. */
static struct status *validate(struct request *request, const ProtobufCMessage *object)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	const struct strategy *s = request->strategy;
	errors.unprivileged = request->context && request->context->unprivileged;
	if (!s->create_virtual && !s->metadata_last)
		validate_object_meta_of(request, &errors, object);
	if (s->validate_create)
		s->validate_create(request, object, &errors);
	if (!errors.n_items && s->metadata_last)
		validate_object_meta(&errors, FIELD(NULL, "metadata"), object_meta(object), request->schema->namespaced,
			name_is_path_segment);
	else if (!errors.n_items && !s->create_virtual)
		validate_object_name(&errors, FIELD(NULL, "metadata"), object_meta(object), name_is_path_segment);
	TRY(field_errors_status(&errors, s->named_group ? s->named_group : request->group, schema_of(object)->kind,
		object_name(object)));
	if (s->warn)
		s->warn(request, object, NULL);
	return NULL;
}

static struct status *already_exists(struct request *request, const MetaV1ObjectMeta *new)
{
	struct stored stored = {0};
	status_drop(stored_read(request, new->name, true, &stored), "it is there, readable or not");
	const MetaV1ObjectMeta *meta = stored.object ? object_meta(stored.object) : NULL;
	bool generated = !str_empty(new->generate_name);
	bool deleting = !generated && meta_is_deleting(meta);
	struct status *s = status_new(STATUS_ALREADY_EXISTS, "%s%s \"%s\" already exists%s",
		deleting ? "object is being deleted: " : "", request_qualified(request), new->name,
		generated ? ", the server was not able to generate a unique name for the object" : "");
	s->retry_after_seconds = generated;
	return status_details(s, request->group, request->resource, new->name);
}

static struct status *write_new(struct request *request, ProtobufCMessage *object)
{
	if (request->dry_run) {
		struct stored stored;
		TRY(stored_read(request, object_name(object), true, &stored));
		return stored.object ? status_new(STATUS_ALREADY_EXISTS, "there is one") : NULL;
	}
	if (!str_empty(object_resource_version(object)))
		return status_with_code(
			status_new(STATUS_UNKNOWN, "resourceVersion should not be set on objects to be created"), 500);
	TRY(fail_try("create.before-commit"));
	TRY(commit_new(request, object));
	return fail_try("create.after-commit");
}

static struct status *store_new(struct request *request, ProtobufCMessage *object)
{
	const struct strategy *s = request->strategy;
	if (s->begin_create)
		TRY(s->begin_create(request, object));
	struct status *status = write_new(request, object);
	if (status && s->rollback_create && !outcome_is_unknown(status))
		s->rollback_create(request, object);
	if (!status_is(status, STATUS_ALREADY_EXISTS))
		return status;
	status_drop(status, "said better here");
	return already_exists(request, object_meta(object));
}

static struct status *create_virtual(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	if (meta) {
		wipe_system_fields(meta);
		meta->creation_timestamp = NULL;
		meta->uid = (char *)(uintptr_t)schema_empty_string;
	}
	TRY(admit(request, ADMISSION_CREATE, object, NULL, NULL, false));
	TRY(validate(request, object));
	TRY(admit(request, ADMISSION_CREATE, object, NULL, NULL, true));
	return request->strategy->create_virtual(request, object, ret_object);
}

/* Who updates or applies what is not there needs the right to create it, too. */
static struct status *authorize_creation(struct request *request)
{
	const struct authz_attributes a = {.user = request->user,
		.verb = "create",
		.resource_request = true,
		.group = request->group,
		.version = request->version,
		.resource = request->resource,
		.subresource = request->subresource,
		.namespace = request->namespace,
		.name = request->name,
		.path = request->path,
		.field_selector = ""};
	const char *reason = "";
	if (!request->updates_nothing || !request->context || !request->context->authz)
		return NULL;
	return authz_authorize(request->context->authz, request->arena, &a, &reason) == AUTHZ_ALLOW
		       ? NULL
		       : authz_forbidden(&a, reason);
}

static struct status *create_named(struct request *request, ProtobufCMessage *object)
{
	const struct strategy *s = request->strategy;
	fill_system_fields(request, object_meta(object));
	if (s->prepare_create)
		s->prepare_create(request, object);
	object_drop_disabled(request->arena, object, NULL);
	TRY(validate(request, object));
	TRY(authorize_creation(request));
	TRY(admit(request, ADMISSION_CREATE, object, NULL, NULL, true));
	return store_new(request, object);
}

/* From what admission made of an object to the one that is stored. With a generated name it is made anew for each name
 * that is tried, as its other parts may have the name in them. */
static struct status *create_admitted(
	struct request *request, ProtobufCMessage *admitted, ProtobufCMessage **ret_object)
{
	const MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, admitted);
	const size_t n_warnings = request->n_warnings;
	*ret_object = admitted;
	if (!str_empty(meta->name) || str_empty(meta->generate_name))
		return create_named(request, admitted);
	for (int attempt = 1;; attempt++) {
		*ret_object = api_copy_msg(request->arena, admitted);
		generate_name(request, object_meta(*ret_object));
		struct status *status = create_named(request, *ret_object);
		if (!status_is(status, STATUS_ALREADY_EXISTS) || attempt == NAME_ATTEMPTS)
			return status;
		status_drop(status, "another name is tried");
		request->n_warnings = n_warnings;
	}
}

struct status *registry_create(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	const struct strategy *s = request->strategy;
	TRY(to_written(request, &object));
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	TRY(settle_namespace(request, meta));
	/* What a put or a configuration creates keeps what it says. */
	if (!request->updates_nothing)
		wipe_system_fields(meta);
	if (!request->applies) {
		if (s->complete)
			s->complete(request, object);
		managed_create(request, object);
	}
	ensure_spec(request->arena, object);
	if (s->create_virtual)
		return create_virtual(request, object, ret_object);
	if (!request_table(request))
		return status_not_allowed();
	TRY(admit(request, ADMISSION_CREATE, object, NULL, NULL, false));
	request_drop_repeated_owners(request, object, true);
	if (s->check_grant)
		TRY(s->check_grant(request, object, NULL));
	ProtobufCMessage *admitted = object;
	struct status *status = create_admitted(request, admitted, &object);
	if (request_is_shortened(request, status)) {
		object_meta(admitted)->n_managed_fields = 0;
		status = create_admitted(request, admitted, &object);
	}
	TRY(status);
	forget_empty(object);
	*ret_object = object;
	return to_asked(request, ret_object);
}
