#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/registry/private.h"
#include "apiserver/validation/meta.h"
#include "base/fail.h"
#include "base/str.h"

#define FINALIZER_ORPHAN "orphan"
#define FINALIZER_FOREGROUND "foregroundDeletion"

static struct status *precondition_failed(
	struct request *request, const char *what, const char *asked, const char *found, const char *perhaps)
{
	const char *kind = request->schema->type->kind, *named = request->strategy->named_group;
	const char *group = named ? named : request->group;
	if (request->strategy->tells_preconditions)
		return request_conflict(request, request->name,
			"Precondition failed: %s in precondition: %s, %s in object meta: %s", what, asked, what, found);
	struct status *s = status_new(STATUS_CONFLICT,
		"Operation cannot be fulfilled on %s%s%s \"%s\": the %s in the precondition (%s) does not match the %s "
		"in record (%s). "
		"The object might have been %s",
		kind, *group ? "." : "", group, request->name, what, asked, what, found, perhaps);
	return status_details(s, group, kind, request->name);
}

static struct status *check_preconditions(
	struct request *request, const MetaV1Preconditions *p, const MetaV1ObjectMeta *meta)
{
	if (p && p->uid && !str_eq(p->uid, meta->uid))
		return precondition_failed(request, "UID", p->uid, meta->uid, "deleted and then recreated");
	if (p && p->resource_version && !str_eq(p->resource_version, meta->resource_version))
		return precondition_failed(
			request, "ResourceVersion", p->resource_version, meta->resource_version, "modified");
	return NULL;
}

/* Whether it may be deleted at all. */
static struct status *judge(struct request *request, const MetaV1DeleteOptions *options, const ProtobufCMessage *stored)
{
	TRY(check_preconditions(request, options->preconditions, object_meta(stored)));
	TRY(admit(request, ADMISSION_DELETE, NULL, stored, &options->base, false));
	TRY(admit(request, ADMISSION_DELETE, NULL, stored, &options->base, true));
	return request->strategy->check_delete ? request->strategy->check_delete(request, stored) : NULL;
}

void registry_delete_warn(struct request *request, const MetaV1DeleteOptions *options)
{
	if (request->strategy->orphan_warning && !options->propagation_policy && !options->has_orphan_dependents)
		request_warn(request, "%s", request->strategy->orphan_warning);
}

/* What becomes of the dependents is written down as a finalizer for the garbage collector. */
static void settle_finalizers(struct request *request, const MetaV1DeleteOptions *options, MetaV1ObjectMeta *meta)
{
	const char *policy = options->propagation_policy;
	if (options->has_orphan_dependents)
		policy = options->orphan_dependents ? "Orphan" : "Background";
	if (!policy)
		policy = request->strategy->orphan_by_default ? "Orphan" : NULL;
	if (!policy || request->strategy->owns_nothing)
		return;
	meta_remove_finalizer(meta, FINALIZER_ORPHAN);
	meta_remove_finalizer(meta, FINALIZER_FOREGROUND);
	if (str_eq(policy, "Orphan"))
		meta_add_finalizer(request->arena, meta, FINALIZER_ORPHAN);
	else if (str_eq(policy, "Foreground"))
		meta_add_finalizer(request->arena, meta, FINALIZER_FOREGROUND);
}

/* Whether it is being deleted already, and this deletion does not make that any sooner. */
static bool is_pending(const MetaV1ObjectMeta *meta, const MetaV1DeleteOptions *asked)
{
	return meta->deletion_timestamp && meta->has_deletion_grace_period_seconds &&
	       (!asked->has_grace_period_seconds || asked->grace_period_seconds >= meta->deletion_grace_period_seconds);
}

/* Marks the object as being deleted. One that is marked already keeps its mark, but its grace period may be shortened.
 */
static void mark(struct request *request, const MetaV1DeleteOptions *options, bool graceful, ProtobufCMessage *object)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	int64_t grace = graceful && options->has_grace_period_seconds ? options->grace_period_seconds : 0;
	if (grace < 0)
		grace = 1;
	int64_t now = clock_wall_s(request->clock);
	if (meta->deletion_timestamp) {
		if (!meta->has_deletion_grace_period_seconds || grace >= meta->deletion_grace_period_seconds)
			return;
		int64_t begun = meta->deletion_timestamp->seconds - meta->deletion_grace_period_seconds;
		meta->deletion_timestamp = time_new(request->arena, begun + grace > now ? begun + grace : now);
	} else {
		meta->deletion_timestamp = time_new(request->arena, now + grace);
		if (meta->generation > 0)
			meta->generation++;
	}
	meta->has_deletion_grace_period_seconds = true;
	meta->deletion_grace_period_seconds = grace;
	if (request->strategy->mark_deleted)
		request->strategy->mark_deleted(request, object);
}

/* The object as it is to be stored before it goes, or until it goes. */
static ProtobufCMessage *marked(
	struct request *request, const MetaV1DeleteOptions *asked, const ProtobufCMessage *stored)
{
	const struct strategy *s = request->strategy;
	MetaV1DeleteOptions *options = api_copy_msg(request->arena, asked);
	ProtobufCMessage *object = api_copy_msg(request->arena, stored);
	bool graceful = s->graceful && s->graceful(request, stored, options);
	if (!s->graceful || !is_pending(object_meta(object), asked))
		settle_finalizers(request, options, object_meta(object));
	mark(request, options, graceful, object);
	return object;
}

static struct status *write_mark(struct request *request, struct attempt *a, ProtobufCMessage *object)
{
	const int64_t before = a->stored.revision;
	TRY(fail_try("mark-deleted.before-commit"));
	TRY(commit_change(request, a, object));
	TRY(fail_try("mark-deleted.after-commit"));
	/* Whoever is told so may count on it: nothing is created in a namespace that is going. */
	if (a->stored.revision != before && request->strategy->mark_deleted)
		status_drop(request_catch_up(request, a->stored.revision), "then it is seen a moment later");
	return NULL;
}

/* What is answered is the object as it last was, at the revision of its end. */
static struct status *end(struct request *request, struct attempt *a, ProtobufCMessage *object)
{
	int64_t revision;
	TRY(commit_removal(request, a, &revision));
	if (a->lost)
		return NULL;
	set_revision(request, object, revision);
	if (!request->dry_run && request->strategy->after_delete)
		request->strategy->after_delete(request, a->stored.own);
	return NULL;
}

static struct status *delete_stored(
	struct request *request, const MetaV1DeleteOptions *options, ProtobufCMessage **ret_object, bool *ret_gone)
{
	const struct strategy *s = request->strategy;
	struct attempt a = {0};
	ProtobufCMessage *written = NULL; /* with its mark */
	TRY(validate_delete_options(request->arena, options));
	while (attempt_again(&a)) {
		TRY(attempt_read(request, &a));
		if (!a.stored.own && !written)
			return request_not_found(request, request->name);
		/* Whoever took away what we had marked did what we were about to do. */
		*ret_object = written;
		*ret_gone = true;
		if (!a.stored.own)
			return NULL;
		struct status *verdict = judge(request, options, a.stored.own);
		if (attempt_is_stale(&a, verdict))
			continue;
		TRY(verdict);
		ProtobufCMessage *object = marked(request, options, a.stored.own);
		const int64_t before = a.stored.revision;
		*ret_gone = may_be_removed(request, object);
		/* What might have stayed for a while is marked even if it goes now, which watchers see. */
		if (!*ret_gone || s->graceful)
			TRY(write_mark(request, &a, object));
		if (a.stored.revision != before)
			written = object;
		*ret_object = !*ret_gone || s->graceful ? object : api_copy_msg(request->arena, a.stored.own);
		if (*ret_gone && !a.lost)
			TRY(end(request, &a, *ret_object));
		if (!a.lost)
			return NULL;
	}
	return request_conflict(request, request->name, "too many conflicting changes");
}

struct status *registry_delete(
	struct request *request, const MetaV1DeleteOptions *options, ProtobufCMessage **ret_object, bool *ret_gone)
{
	if (!request_table(request))
		return status_not_allowed();
	TRY(delete_stored(request, options, ret_object, ret_gone));
	return to_asked(request, ret_object);
}
