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

void registry_delete_warn(struct request *request, const MetaV1DeleteOptions *options)
{
	if (request->strategy->orphan_warning && !options->propagation_policy && !options->has_orphan_dependents)
		request_warn(request, "%s", request->strategy->orphan_warning);
}

/* What becomes of the dependents: as the request says, else a finalizer that is there, else the kind. */
static const char *policy_of(struct request *request, const MetaV1DeleteOptions *options, const MetaV1ObjectMeta *meta)
{
	if (request->strategy->owns_nothing)
		return "Background";
	const bool waits = request->strategy->waits_for_dependents && !meta_is_deleting(meta);
	if (options->has_orphan_dependents)
		return options->orphan_dependents ? "Orphan" : waits ? "Foreground" : "Background";
	if (options->propagation_policy)
		return options->propagation_policy;
	for (size_t i = 0; i < meta->n_finalizers; i++) {
		if (str_eq(meta->finalizers[i], FINALIZER_ORPHAN))
			return "Orphan";
		if (str_eq(meta->finalizers[i], FINALIZER_FOREGROUND))
			return "Foreground";
	}
	return request->strategy->orphan_by_default ? "Orphan" : "Background";
}

/* That is written down as a finalizer for the garbage collector. Where it stands already nothing changes its place. */
static void settle_finalizers(struct request *request, const MetaV1DeleteOptions *options, MetaV1ObjectMeta *meta)
{
	const char *policy = policy_of(request, options, meta);
	const bool orphan = str_eq(policy, "Orphan"), foreground = str_eq(policy, "Foreground");
	if (meta_has_finalizer(meta, FINALIZER_ORPHAN) == orphan &&
		meta_has_finalizer(meta, FINALIZER_FOREGROUND) == foreground)
		return;
	meta_remove_finalizer(meta, FINALIZER_ORPHAN);
	meta_remove_finalizer(meta, FINALIZER_FOREGROUND);
	if (orphan || foreground)
		meta_add_finalizer(request->arena, meta, orphan ? FINALIZER_ORPHAN : FINALIZER_FOREGROUND);
}

/* How an object takes its leave. */
enum leave {
	LEAVES_AT_ONCE, /* but for its finalizers */
	LEAVES_GRACEFULLY,
	LEAVES_ALREADY, /* and this deletion does not make that any sooner */
};

void registry_shorten_grace(struct arena *arena, MetaV1ObjectMeta *meta, int64_t grace, int64_t now_s)
{
	int64_t end = meta->deletion_timestamp->seconds - meta->deletion_grace_period_seconds + grace;
	if (end <= now_s) {
		end = now_s;
		grace = grace ? 1 : 0; /* somebody else still ends it */
	}
	meta->deletion_timestamp = time_new(arena, end);
	meta->deletion_grace_period_seconds = grace;
}

/* The grace period of an object that is being deleted can only be shortened. */
static enum leave shorten_grace(struct request *request, const MetaV1DeleteOptions *options, MetaV1ObjectMeta *meta)
{
	if (!meta->has_deletion_grace_period_seconds || !meta->deletion_grace_period_seconds)
		return LEAVES_AT_ONCE;
	if (!options->has_grace_period_seconds || options->grace_period_seconds >= meta->deletion_grace_period_seconds)
		return LEAVES_ALREADY;
	registry_shorten_grace(request->arena, meta, options->grace_period_seconds, clock_wall_s(request->clock));
	return LEAVES_GRACEFULLY;
}

/* Gives the object its mark, and the options what they leave open, if its kind leaves gracefully. */
static enum leave take_leave(struct request *request, MetaV1DeleteOptions *options, ProtobufCMessage *object)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	const struct strategy *s = request->strategy;
	if (options->has_grace_period_seconds && options->grace_period_seconds < 0)
		options->grace_period_seconds = 1;
	/* A namespace waits for its contents. */
	if (meta->deletion_timestamp && s->may_go && !s->may_go(object))
		return LEAVES_ALREADY;
	if (!s->graceful)
		return LEAVES_AT_ONCE;
	if (meta->deletion_timestamp)
		return shorten_grace(request, options, meta);
	if (!s->graceful(request, object, options))
		return LEAVES_AT_ONCE;
	meta->deletion_timestamp =
		time_new(request->arena, clock_wall_s(request->clock) + options->grace_period_seconds);
	meta->has_deletion_grace_period_seconds = true;
	meta->deletion_grace_period_seconds = options->grace_period_seconds;
	meta->generation += meta->generation > 0;
	return LEAVES_GRACEFULLY;
}

/* Marks an object without grace: what it waits for is its finalizers. */
static void mark(struct request *request, ProtobufCMessage *object)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	const int64_t now = clock_wall_s(request->clock);
	meta->generation += !meta->deletion_timestamp && meta->generation > 0;
	if (!meta->deletion_timestamp || meta->deletion_timestamp->seconds > now)
		meta->deletion_timestamp = time_new(request->arena, now);
	meta->has_deletion_grace_period_seconds = true;
	meta->deletion_grace_period_seconds = 0;
	if (request->strategy->mark_deleted)
		request->strategy->mark_deleted(request, object);
}

/* What is to become of the stored object, if it may be deleted at all. */
struct departure {
	ProtobufCMessage *object; /* with its mark */
	enum leave leave;
	bool gone; /* nothing keeps it */
};

static bool marks_first(const struct request *request, const ProtobufCMessage *stored)
{
	return request->strategy->mark_first && !meta_is_deleting(object_meta(stored)) &&
	       str_eq(request->verb, "delete");
}

static struct status *judge(struct request *request, const MetaV1DeleteOptions *asked, const ProtobufCMessage *stored,
	struct departure *ret_departure)
{
	MetaV1DeleteOptions *options = api_copy_msg(request->arena, asked);
	ProtobufCMessage *object = api_copy_msg(request->arena, stored);
	TRY(check_preconditions(request, asked->preconditions, object_meta(stored)));
	if (marks_first(request, stored)) {
		*ret_departure = (struct departure){object, LEAVES_AT_ONCE, false};
		TRY(admit(request, ADMISSION_DELETE, NULL, stored, &asked->base, false));
		TRY(admit(request, ADMISSION_DELETE, NULL, stored, &asked->base, true));
		request->strategy->mark_first(request, object);
		return NULL;
	}
	const enum leave leave = take_leave(request, options, object);
	*ret_departure = (struct departure){object, leave, false};
	if (leave == LEAVES_ALREADY)
		return NULL;
	TRY(admit(request, ADMISSION_DELETE, NULL, stored, &asked->base, false));
	TRY(admit(request, ADMISSION_DELETE, NULL, stored, &asked->base, true));
	settle_finalizers(request, options, object_meta(object));
	if (leave == LEAVES_AT_ONCE)
		mark(request, object);
	ret_departure->gone = may_be_removed(request, object);
	return NULL;
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
	if (s->check_delete)
		TRY(s->check_delete(request));
	while (attempt_again(&a)) {
		TRY(attempt_read(request, &a));
		if (!a.stored.own && !written)
			return request_not_found(request, request->name);
		/* Whoever took away what we had marked did what we were about to do. */
		*ret_object = written;
		*ret_gone = true;
		if (!a.stored.own)
			return NULL;
		struct departure d;
		struct status *verdict = judge(request, options, a.stored.own, &d);
		if (attempt_is_stale(&a, verdict))
			continue;
		TRY(verdict);
		const int64_t before = a.stored.revision;
		/* What leaves gracefully is marked even if it goes now, which watchers see. */
		const bool marks = !d.gone || d.leave == LEAVES_GRACEFULLY;
		*ret_gone = d.gone;
		if (marks)
			TRY(write_mark(request, &a, d.object));
		if (a.stored.revision != before)
			written = d.object;
		*ret_object = marks ? d.object : api_copy_msg(request->arena, a.stored.own);
		if (d.gone && !a.lost)
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
