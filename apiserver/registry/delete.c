#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/registry/private.h"
#include "apiserver/validation/meta.h"
#include "base/fail.h"
#include "base/str.h"

#define FINALIZER_ORPHAN "orphan"
#define FINALIZER_FOREGROUND "foregroundDeletion"
#define MAX_ATTEMPTS 100

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
	struct request *request, const MetaV1DeleteOptions *options, const struct stored *stored, bool *ret_stale)
{
	const MetaV1Preconditions *p = options->preconditions;
	const MetaV1ObjectMeta *meta = object_meta(stored->object);
	bool uid_differs = p && p->uid && !str_eq(p->uid, meta->uid);
	bool version_differs = p && p->resource_version && !str_eq(p->resource_version, meta->resource_version);
	*ret_stale = !stored->live && (uid_differs || version_differs);
	if (*ret_stale)
		return NULL;
	if (uid_differs)
		return precondition_failed(request, "UID", p->uid, meta->uid, "deleted and then recreated");
	if (version_differs)
		return precondition_failed(
			request, "ResourceVersion", p->resource_version, meta->resource_version, "modified");
	return NULL;
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

/*
 * Marks the object as being deleted. An object that is marked already keeps its mark, but its grace period may be
 * shortened. *ret_changed: whether anything differs from what is stored.
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

static struct status *write_mark(struct request *request, ProtobufCMessage *object, const struct stored *stored,
	bool *ret_done, struct etcd_kv *ret_now, int64_t *ret_revision)
{
	CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
	int64_t lease;
	*ret_done = true;
	*ret_revision = stored->revision;
	if (request->dry_run || api_equal(object, stored->object))
		return NULL;
	TRY(encode_value(request, object, &value));
	TRY(value_lease(request, object, &lease));
	const char *key = table_key(request_table(request), request->arena, request->namespace, request->name);
	TRY(fail_try("mark-deleted.before-commit"));
	int64_t begin_ns = clock_mono_ns(request->registry->clock);
	TRY(etcd_called(request, FIGURE_PUT, begin_ns,
		etcd_swap(request->registry->etcd, request->arena, key, stored->revision, value.buf, value.len, lease,
			ret_done, ret_revision, ret_now)));
	TRY(fail_try("mark-deleted.after-commit"));
	/* Whoever is told so may count on it: nothing is created in a namespace that is going. */
	if (*ret_done && request->strategy->mark_deleted)
		status_drop(request_catch_up(request, *ret_revision), "then it is seen a moment later");
	if (*ret_done)
		set_revision(request, object, *ret_revision);
	return NULL;
}

/* One try. *ret_done is false when somebody was faster; *ret_marked is what was marked, if the mark was written. */
static struct status *try_delete(struct request *request, const MetaV1DeleteOptions *asked, const struct stored *stored,
	ProtobufCMessage **ret_object, bool *ret_gone, bool *ret_done, struct etcd_kv *ret_now,
	ProtobufCMessage **ret_marked)
{
	const struct strategy *s = request->strategy;
	MetaV1DeleteOptions *options = api_copy_msg(request->arena, asked);
	ProtobufCMessage *object = api_copy_msg(request->arena, stored->object);
	MetaV1ObjectMeta *meta = object_meta(object);
	TRY(admit(request, ADMISSION_DELETE, NULL, stored->object, &asked->base, false));
	TRY(admit(request, ADMISSION_DELETE, NULL, stored->object, &asked->base, true));
	if (s->check_delete)
		TRY(s->check_delete(request, stored->object));
	bool graceful = s->graceful && s->graceful(request, stored->object, options);
	if (!s->graceful || !is_pending(meta, asked))
		settle_finalizers(request, options, meta);
	*ret_object = object;
	mark(request, options, graceful, object);
	*ret_gone = may_be_removed(request, object);
	struct stored last = *stored;
	/* Nothing is written when nothing changes; the copy in memory may be behind, so etcd is asked then. */
	if (!*ret_gone && !stored->live && api_equal(object, stored->object)) {
		*ret_done = false;
		return stored_ask(request, request->name, ret_now);
	}
	if (!*ret_gone)
		return write_mark(request, object, stored, ret_done, ret_now, &last.revision);
	/* What might have stayed for a while is marked all the same, which watchers see, and then removed. */
	if (s->graceful) {
		TRY(write_mark(request, object, stored, ret_done, ret_now, &last.revision));
		if (!*ret_done)
			return NULL;
		last.object = api_copy_msg(request->arena, object);
		if (last.revision != stored->revision)
			*ret_marked = object;
	}
	int64_t revision = last.revision;
	TRY(remove_now(request, &last, ret_done, ret_now, &revision));
	if (!*ret_done)
		return NULL;
	/* What is answered is the object as it last was, at the revision of its end. */
	if (!s->graceful)
		*ret_object = api_copy_msg(request->arena, stored->object);
	set_revision(request, *ret_object, revision);
	if (!request->dry_run && s->after_delete)
		s->after_delete(request, stored->object);
	return NULL;
}

struct status *registry_delete(
	struct request *request, const MetaV1DeleteOptions *options, ProtobufCMessage **ret_object, bool *ret_gone)
{
	if (!request_table(request))
		return status_not_allowed();
	struct stored stored;
	bool done = false, stale = false;
	ProtobufCMessage *marked = NULL;
	TRY(validate_delete_options(request->arena, options));
	TRY(stored_read(request, request->name, false, &stored));
	for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
		if ((!stored.object && !stored.live) || stale)
			TRY(stored_read(request, request->name, true, &stored));
		if (!stored.object && !marked)
			return request_not_found(request, request->name);
		/* Whoever took away what we had marked did what we were about to do. */
		if (!stored.object) {
			*ret_object = marked;
			*ret_gone = true;
			return NULL;
		}
		TRY(check_preconditions(request, options, &stored, &stale));
		if (stale)
			continue;
		struct etcd_kv now;
		TRY(try_delete(request, options, &stored, ret_object, ret_gone, &done, &now, &marked));
		if (done)
			return NULL;
		TRY(stored_from_kv(request, &now, &stored));
	}
	return request_conflict(request, request->name, "too many conflicting changes");
}
