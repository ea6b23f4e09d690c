#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/managed/managed.h"
#include "apiserver/registry/private.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/strategy/context.h"
#include "base/fail.h"
#include "base/str.h"

#define MODIFIED "the object has been modified; please apply your changes to the latest version and try again"

static const struct schema_field *child_field(const ProtobufCMessage *object, const char *name)
{
	return schema_field_by_name(schema_of(object), name);
}

/* Puts one field of an object into another, whatever its shape. */
static void carry_field(ProtobufCMessage *to, const ProtobufCMessage *from, size_t index)
{
	const ProtobufCFieldDescriptor *f = &to->descriptor->fields[index];
	size_t size = f->label == PROTOBUF_C_LABEL_REPEATED ? sizeof(void *) : 0;
	if (!size)
		switch (f->type) {
		case PROTOBUF_C_TYPE_BOOL:
			size = sizeof(protobuf_c_boolean);
			break;
		case PROTOBUF_C_TYPE_BYTES:
			size = sizeof(ProtobufCBinaryData);
			break;
		case PROTOBUF_C_TYPE_INT32:
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_FLOAT:
		case PROTOBUF_C_TYPE_ENUM:
			size = sizeof(int32_t);
			break;
		default:
			size = sizeof(int64_t);
		}
	memcpy((char *)to + f->offset, (const char *)from + f->offset, size);
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		memcpy((char *)to + f->quantifier_offset, (const char *)from + f->quantifier_offset, sizeof(size_t));
	else if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->quantifier_offset)
		memcpy((char *)to + f->quantifier_offset, (const char *)from + f->quantifier_offset,
			sizeof(protobuf_c_boolean));
}

/* Whether a field is neither metadata nor what the write is of. */
static bool is_of_half(const ProtobufCMessage *object, size_t index, bool status_only)
{
	const char *name = object->descriptor->fields[index].name;
	return !str_eq(name, "metadata") && str_eq(name, "status") != status_only;
}

/* A write of the object leaves its status alone, and a write of the status all but that and the metadata. */
static void keep_the_other_half(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (!child_field(object, "status") || !schema_find_subresource(request->schema, "status"))
		return;
	bool status_only = str_eq(request->subresource, "status");
	if (!status_only && (*request->subresource || request->strategy->writes_status))
		return;
	/* Of the old object only that half is copied. */
	ProtobufCMessage *half = api_new(request->arena, schema_of(old));
	for (size_t i = 0; i < old->descriptor->n_fields; i++)
		if (is_of_half(old, i, status_only))
			carry_field(half, old, i);
	const ProtobufCMessage *copy = api_copy_msg(request->arena, half);
	for (size_t i = 0; i < object->descriptor->n_fields; i++)
		if (is_of_half(object, i, status_only))
			carry_field(object, copy, i);
}

/* Whether what is wanted differs: spec where there is one, else all but metadata and status. */
static bool wish_changed(const ProtobufCMessage *object, const ProtobufCMessage *old, bool strict)
{
	if (child_field(object, "spec")) {
		const ProtobufCMessage *spec = object_child(object, "spec");
		return !api_equal(spec, object_child(old, "spec")) || (strict && api_tells_empty(spec));
	}
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *a = api_copy_msg(arena, object), *b = api_copy_msg(arena, old);
	for (size_t i = 0; i < 2; i++) {
		ProtobufCMessage *m = i ? a : b;
		*object_child_p(m, "metadata") = NULL;
		if (child_field(m, "status"))
			*object_child_p(m, "status") = NULL;
	}
	return !api_equal(a, b) || (strict && api_tells_empty(a));
}

static void carry_system_fields(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	const MetaV1ObjectMeta *was = object_meta(old);
	if (str_empty(meta->uid))
		meta->uid = was->uid;
	meta->creation_timestamp = api_copy_msg(request->arena, was->creation_timestamp);
	if (was->deletion_timestamp)
		meta->deletion_timestamp = api_copy_msg(request->arena, was->deletion_timestamp);
	if (!meta->has_deletion_grace_period_seconds) {
		meta->has_deletion_grace_period_seconds = was->has_deletion_grace_period_seconds;
		meta->deletion_grace_period_seconds = was->deletion_grace_period_seconds;
	}
	meta->generation = was->generation;
	/* What is only tried out keeps the link that was sent. */
	if (!request->dry_run)
		meta->self_link = (char *)(uintptr_t)schema_empty_string;
	if (str_empty(meta->resource_version))
		meta->resource_version = was->resource_version;
}

static struct status *check_identity(struct request *request, ProtobufCMessage *object, const char *uid)
{
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	if (!request->schema->namespaced)
		meta->namespace = (char *)(uintptr_t)schema_empty_string;
	else if (str_empty(meta->namespace))
		meta->namespace = arena_strdup(request->arena, request->namespace);
	TRY(request_check_namespace(request, meta->namespace));
	return request_check_name(request, meta->name);
}

/* As the original parses it; what is no number is no precondition but an error of its own. Version 0 is that of what
 * has none. */
static struct status *settle_version(struct request *request, MetaV1ObjectMeta *meta, uint64_t *ret_version)
{
	const char *version = str_or_empty(meta->resource_version);
	size_t n_digits = strspn(version, "0123456789");
	*ret_version = 0;
	if (!*version || str_to_uint64(version, UINT64_MAX, ret_version)) {
		if (!*ret_version)
			meta->resource_version = (char *)(uintptr_t)schema_empty_string;
		return NULL;
	}
	return status_with_code(
		status_new(STATUS_UNKNOWN, "strconv.ParseUint: parsing %s: %s", field_quote(request->arena, version),
			version[n_digits] ? "invalid syntax" : "value out of range"),
		500);
}

/* Whether the new object is meant for the one there is; "" where there is none. Of a patch the validation says that the
 * uid cannot change. */
static struct status *check_uid(struct request *request, const ProtobufCMessage *object, const char *uid)
{
	const char *meant = object_uid(object);
	if (str_empty(meant) || str_eq(meant, uid) || str_eq(request->verb, "patch"))
		return NULL;
	return request_uid_conflict(request, meant, uid);
}

/* Whether the version that the new object was made for is the one there is. */
static struct status *check_version(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *stored)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	uint64_t version, there = 0;
	TRY(settle_version(request, meta, &version));
	if (!str_to_uint64(object_resource_version(stored), UINT64_MAX, &there) || (version && version != there))
		return request_conflict(request, request->name, MODIFIED);
	if (version)
		meta->resource_version = object_meta(stored)->resource_version;
	if (!version && traits_of(request).needs_version) {
		struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
		field_invalid_json(&errors, FIELD(FIELD(NULL, "metadata"), "resourceVersion"), "0",
			"must be specified for an update");
		return field_errors_status(&errors, request->group, request->resource, request->name);
	}
	return NULL;
}

static void run_check(struct request *request, enum update_check check, struct field_errors *errors,
	const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const struct strategy *s = request->strategy;
	switch (check) {
	case CHECK_META:
		validate_object_meta_of(request, errors, object);
		break;
	case CHECK_NEW:
		s->validate_create(request, object, errors);
		break;
	case CHECK_META_CHANGE:
		validate_object_meta_update(errors, FIELD(NULL, "metadata"), object_meta(object), object_meta(old));
		validate_finalizers_of(request, errors, object_meta(object));
		break;
	case CHECK_CHANGE:
		if (s->validate_update)
			s->validate_update(request, object, old, errors);
		break;
	case CHECK_NOTHING:
	case CHECKS_END:
		break;
	}
}

/* The kind's own checks, which go through the metadata once more. */
static void validate_kind(struct request *request, struct field_errors *errors, const ProtobufCMessage *object,
	const ProtobufCMessage *old)
{
	static const char *const parts[] = {"status", "finalize", NULL};
	static const enum update_check usual[] = {CHECK_META_CHANGE, CHECK_CHANGE, CHECKS_END};
	const struct strategy *s = request->strategy;
	const enum update_check *checks = str_in(request->subresource, parts) ? s->status_checks : s->update_checks;
	for (checks = *checks == CHECKS_END ? usual : checks; *checks != CHECKS_END; checks++)
		run_check(request, *checks, errors, object, old);
}

static struct field_errors faults_of(struct request *request)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	errors.unprivileged = request->context && request->context->unprivileged;
	return errors;
}

static struct field_errors check_update(
	struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old, unsigned kept)
{
	struct field_errors errors = faults_of(request);
	const struct field_path *metadata = FIELD(NULL, "metadata");
	errors.kept = kept;
	validate_object_meta(&errors, metadata, object_meta(object), request->schema->namespaced, name_is_path_segment);
	validate_object_meta_update(&errors, metadata, object_meta(object), object_meta(old));
	validate_kind(request, &errors, object, old);
	return errors;
}

static struct status *validate_update(
	struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const struct strategy *s = request->strategy;
	struct field_errors errors = check_update(request, object, old, 0);
	/* Faults that may be kept are there: only now is it worth a look at what the old object has of them. */
	if (errors.n_items && errors.found && s->validate_create) {
		struct field_errors before = faults_of(request);
		s->validate_create(request, old, &before);
		if (before.found & errors.found)
			errors = check_update(request, object, old, before.found);
	}
	TRY(field_errors_status(&errors, s->named_group ? s->named_group : request->group, request->schema->type->kind,
		object_name(object)));
	if (s->warn)
		s->warn(request, object, old);
	return NULL;
}

/* Placing a pod and telling its state are no changes of what is wanted. */
static bool counts_changes(const char *subresource)
{
	static const char *const names[] = {"", "scale", "resize", "ephemeralcontainers", NULL};
	return str_in(subresource, names);
}

/* From the new object as asked for to the one to store. */
static struct status *make_ready(struct request *request, ProtobufCMessage *object, const struct stored *there)
{
	const ProtobufCMessage *stored = there->object, *old = there->own;
	if (!request->applies && request->strategy->complete)
		request->strategy->complete(request, object);
	if (request->unmanaged)
		object_meta_ensure(request->arena, object)->n_managed_fields = 0;
	else if (!request->applies)
		managed_update(request, object, old);
	TRY(admit(request, ADMISSION_UPDATE, object, old, NULL, false));
	request_drop_repeated_owners(request, object, true);
	if (request->strategy->check_grant)
		TRY(request->strategy->check_grant(request, object, old));
	TRY(check_version(request, object, stored));
	carry_system_fields(request, object, old);
	keep_the_other_half(request, object, old);
	if (!*request->subresource)
		object_drop_disabled(request->arena, object, old);
	if (request->strategy->prepare_update)
		request->strategy->prepare_update(request, object, old);
	struct traits traits = traits_of(request);
	if (traits.generation && counts_changes(request->subresource) && wish_changed(object, old, traits.strict))
		object_meta(object)->generation = object_meta(old)->generation + 1;
	TRY(validate_update(request, object, old));
	managed_keep_times(request, object, old);
	return admit(request, ADMISSION_UPDATE, object, old, NULL, true);
}

bool may_be_removed(const struct request *request, const ProtobufCMessage *object)
{
	const MetaV1ObjectMeta *meta = object_meta(object);
	if (!meta_is_deleting(meta) || meta->n_finalizers)
		return false;
	if (meta->has_deletion_grace_period_seconds && meta->deletion_grace_period_seconds > 0)
		return false;
	return !request->strategy->may_go || request->strategy->may_go(object);
}

/* What is answered of an object that goes was never written. */
static struct status *remove_updated(struct request *request, struct attempt *a, ProtobufCMessage *object)
{
	int64_t revision;
	TRY(commit_removal(request, a, &revision));
	if (a->lost || request->dry_run)
		return NULL;
	if (request->strategy->after_delete)
		request->strategy->after_delete(request, object);
	set_revision(request, object, a->stored.revision);
	return NULL;
}

static struct status *write_update(struct request *request, struct attempt *a, ProtobufCMessage *object)
{
	if (may_be_removed(request, object))
		return remove_updated(request, a, object);
	TRY(fail_try("update.before-commit"));
	TRY(commit_change(request, a, object));
	return fail_try("update.after-commit");
}

static struct status *finish(struct request *request, struct attempt *a, ProtobufCMessage *object)
{
	const struct strategy *s = request->strategy;
	const ProtobufCMessage *old = a->stored.own;
	if (s->begin_update)
		TRY(s->begin_update(request, object, old));
	struct status *status = write_update(request, a, object);
	bool written = !status && !a->lost && !request->dry_run;
	if (!written && s->rollback_update && !outcome_is_unknown(status))
		s->rollback_update(request, object, old);
	if (written && s->finish_update)
		s->finish_update(request, object, old);
	return status;
}

static struct status *create_instead(
	struct request *request, const struct registry_update *update, ProtobufCMessage **ret_object, bool *ret_created)
{
	/* What a configuration says is looked at first, where a put may create. */
	const bool looks = request->applies && traits_of(request).create_on_put;
	if (!update->create_if_missing && !looks)
		return request_not_found(request, request->name);
	ProtobufCMessage *object;
	TRY(update->transform(update->data, request, NULL, &object));
	if (request->applies && !str_empty(object_uid(object)))
		return request_conflict(request, request->name,
			"uid mismatch: the provided object specified uid %s, and no existing object was found",
			object_uid(object));
	uint64_t number;
	char *version = object_meta_ensure(request->arena, object)->resource_version;
	TRY(check_identity(request, object, update->uid));
	if (!update->create_if_missing)
		return request_not_found(request, request->name);
	TRY(check_uid(request, object, ""));
	TRY(settle_version(request, object_meta(object), &number));
	/* What is only tried out keeps the version that was sent. */
	object_meta(object)->resource_version = request->dry_run ? version : (char *)(uintptr_t)schema_empty_string;
	const char *verb = request->verb;
	request->verb = "create";
	request->updates_nothing = true;
	struct status *status = registry_create(request, object, ret_object);
	request->verb = verb;
	request->updates_nothing = false;
	*ret_created = !status;
	return status;
}

/* The new object, made out of the stored one, if it may take its place. */
static struct status *judge(struct request *request, const struct registry_update *update, const struct stored *there,
	ProtobufCMessage **ret_object)
{
	const ProtobufCMessage *stored = there->object;
	if (update->uid && !str_eq(update->uid, object_uid(stored)))
		return request_conflict(request, request->name,
			"Precondition failed: UID in precondition: %s, UID in object meta: %s", update->uid,
			object_uid(stored));
	TRY(update->transform(update->data, request, stored, ret_object));
	TRY(to_written(request, ret_object));
	ensure_spec(request->arena, *ret_object);
	TRY(check_identity(request, *ret_object, update->uid));
	TRY(check_uid(request, *ret_object, object_uid(stored)));
	return make_ready(request, *ret_object, there);
}

static struct status *update_once(
	struct request *request, const struct registry_update *update, ProtobufCMessage **ret_object, bool *ret_created)
{
	struct attempt a = {0};
	*ret_created = false;
	while (attempt_again(&a)) {
		ProtobufCMessage *object;
		TRY(attempt_read(request, &a));
		if (!a.stored.object)
			return create_instead(request, update, ret_object, ret_created);
		struct status *verdict = judge(request, update, &a.stored, &object);
		if (attempt_is_stale(&a, verdict))
			continue;
		TRY(verdict);
		TRY(finish(request, &a, object));
		if (a.lost)
			continue;
		forget_empty(object);
		*ret_object = object;
		return to_asked(request, ret_object);
	}
	return request_conflict(request, request->name, MODIFIED);
}

struct status *registry_update(
	struct request *request, const struct registry_update *update, ProtobufCMessage **ret_object, bool *ret_created)
{
	if (!request_table(request))
		return status_not_allowed();
	struct status *status = update_once(request, update, ret_object, ret_created);
	return request_is_shortened(request, status) ? update_once(request, update, ret_object, ret_created) : status;
}
