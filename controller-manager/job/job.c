/* The Job controller: pods until enough of them have succeeded, each counted exactly once by way of a finalizer. */
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
#include "controller-manager/job/sync.h"
#include "controller-manager/support/claim.h"

enum {
	/* Pod events that come together make one sync. */
	BATCH_MS = 100,
};

static struct status *claim_pods(struct job_sync *s)
{
	size_t n;
	const MetaV1ObjectMeta *meta = s->job->metadata;
	const void **pods = controller_dependents(s->c->pods, s->arena, meta->namespace, meta->uid, true, &n);
	CLEANUP_CLAIM struct claim claim = {
		.client = s->c->ctx->client, .owner = s->job, .selector = s->job->spec->selector};
	TRY(claim_all(&claim, s->arena, pods, n, &s->n_pods));
	s->pods = (const CoreV1Pod **)pods;
	s->active = ARENA_ARRAY(s->arena, const CoreV1Pod *, s->n_pods + 1);
	return NULL;
}

static struct status *end_pods(struct job_sync *s, bool settled)
{
	size_t deleted, n = s->n_active;
	struct status *error = job_delete_active(s, s->active, n, &deleted);
	if (deleted != n || !settled)
		s->finished = NULL; /* the end waits until all are told to stop */
	s->n_active -= deleted;
	return error;
}

static struct status *sync_open_job(struct job_sync *s)
{
	BatchV1JobStatus *status = s->job->status;
	bool settled = expectations_satisfied(s->c->expectations, s->key);
	if (!status->uncounted_terminated_pods)
		status->uncounted_terminated_pods = API_NEW(s->arena, BatchV1UncountedTerminatedPods);
	TRY(claim_pods(s));
	s->per_index = job_is_indexed(s->job) && s->job->spec->has_backoff_limit_per_index;
	job_count_pods(s);
	if (!status->start_time && !job_is_suspended(s->job))
		status->start_time = now_time(s->arena, s->c->ctx->clock);
	job_judge_end(s);
	struct status *error = NULL;
	if (s->finished) {
		error = end_pods(s, settled);
	} else {
		bool managed = settled && !s->job->metadata->deletion_timestamp;
		if (managed)
			error = job_manage_pods(s);
		job_judge_completion(s, managed);
	}
	s->flush |= (int32_t)s->n_active != status->active || !status->has_ready || status->ready != s->ready ||
		    !status->has_terminating || status->terminating != s->terminating;
	status->active = (int32_t)s->n_active;
	status->has_ready = status->has_terminating = true;
	status->ready = s->ready;
	status->terminating = s->terminating;
	struct status *tracking = job_track_pods(s);
	return status_first(tracking ? status_wrap(tracking, "tracking status") : NULL, error);
}

static struct status *sync_job(void *data, struct arena *arena, const char *key)
{
	struct jobs *c = data;
	const BatchV1Job *job = informer_get_key(c->jobs, arena, key);
	if (!job) {
		expectations_forget(c->expectations, key);
		job_store_failures(c, key, NULL);
		return NULL;
	}
	const char *manager = job->spec->managed_by;
	if (!str_empty(manager) && !str_eq(manager, "kubernetes.io/job-controller"))
		return NULL;
	if (job_is_finished(job)) {
		job_store_failures(c, key, NULL);
		job_set_marked(c, job->metadata->uid, false);
		return NULL;
	}
	if (job_is_marked(c, job->metadata->uid))
		return NULL;
	struct job_sync s = {.c = c, .arena = arena, .key = key, .job = object_copy(arena, job)};
	return sync_open_job(&s);
}

/* A pod whose job is gone or over waits for nobody to count it. */
static struct status *sync_orphan(void *data, struct arena *arena, const char *key)
{
	struct jobs *c = data;
	const CoreV1Pod *pod = informer_get_key(c->pods, arena, key);
	if (!pod || !job_pod_is_held(pod))
		return NULL;
	const MetaV1OwnerReference *ref = controller_of(pod->metadata);
	const BatchV1Job *job = ref && str_eq(ref->kind, "Job")
					? informer_get(c->jobs, arena, pod->metadata->namespace, ref->name)
					: NULL;
	if (job && str_eq(job->metadata->uid, ref->uid) && !job_is_finished(job))
		return NULL;
	return job_release_pod(c, arena, pod);
}

/* --- events --- */

static const BatchV1Job *resolve(struct jobs *c, struct arena *arena, const MetaV1ObjectMeta *pod)
{
	const MetaV1OwnerReference *ref = controller_of(pod);
	if (!ref || !str_eq(ref->kind, "Job"))
		return NULL;
	const BatchV1Job *job = informer_get(c->jobs, arena, pod->namespace, ref->name);
	return job && str_eq(job->metadata->uid, ref->uid) ? job : NULL;
}

static void enqueue_matching(struct jobs *c, struct arena *arena, const MetaV1ObjectMeta *pod)
{
	size_t n;
	const void *const *jobs = informer_list(c->jobs, arena, pod->namespace, &n);
	for (size_t i = 0; pod->n_labels && i < n; i++) {
		const BatchV1Job *job = jobs[i];
		if (!selector_is_empty(job->spec->selector) &&
			selector_takes(job->spec->selector, pod->labels, pod->n_labels))
			workqueue_add_after(c->queue, object_key(arena, job), BATCH_MS);
	}
}

static void pod_seen(struct jobs *c, const struct object *object, bool created)
{
	const CoreV1Pod *pod = object->msg;
	const MetaV1ObjectMeta *meta = pod->metadata;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (!job_pod_is_held(pod))
		job_set_released(c, meta->uid, false);
	const MetaV1OwnerReference *ref = controller_of(meta);
	if (!ref) {
		if (job_pod_is_held(pod))
			workqueue_add(c->orphans, object->key);
		enqueue_matching(c, arena, meta);
		return;
	}
	if (!str_eq(ref->kind, "Job"))
		return;
	const BatchV1Job *job = resolve(c, arena, meta);
	if (job_pod_is_held(pod) && (!job || job_is_finished(job)))
		workqueue_add_after(c->orphans, object->key, job ? BATCH_MS : 1000);
	if (!job)
		return;
	char *key = object_key(arena, job);
	if (meta->deletion_timestamp)
		expectations_deletion_observed(c->expectations, key, meta->uid);
	else if (created)
		expectations_creation_observed(c->expectations, key);
	workqueue_add_after(c->queue, key, BATCH_MS);
}

static void pod_added(void *data, const struct object *object, bool initial)
{
	pod_seen(data, object, true);
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	pod_seen(data, new_object, false);
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct jobs *c = data;
	const MetaV1ObjectMeta *meta = object_metadata(object->msg);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	job_set_released(c, meta->uid, false);
	const BatchV1Job *job = resolve(c, arena, meta);
	if (!job)
		return;
	expectations_deletion_observed(c->expectations, object_key(arena, job), meta->uid);
	workqueue_add_after(c->queue, object_key(arena, job), BATCH_MS);
}

static void job_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct jobs *c = data;
	const MetaV1ObjectMeta *meta = object_metadata(object->msg);
	size_t n;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	expectations_forget(c->expectations, object->key);
	workqueue_add(c->queue, object->key);
	const void **pods = controller_dependents(c->pods, arena, meta->namespace, meta->uid, false, &n);
	for (size_t i = 0; i < n; i++)
		workqueue_add(c->orphans, object_key(arena, pods[i]));
}

static void job_added(void *data, const struct object *object, bool initial)
{
	workqueue_add(((struct jobs *)data)->queue, object->key);
}

static void job_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	workqueue_add(((struct jobs *)data)->queue, new_object->key);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler job_handler = {
		.added = job_added, .updated = job_updated, .deleted = job_deleted};
	static const struct informer_handler pod_handler = {
		.added = pod_added, .updated = pod_updated, .deleted = pod_deleted};
	struct jobs *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	pthread_mutex_init(&c->lock, NULL);
	c->failures = strmap_new(free);
	c->released = strmap_new(NULL);
	c->finished = strmap_new(NULL);
	c->expectations = expectations_new(ctx->clock);
	CONTROLLER_OWNS(ctx, strmap_free, c->failures);
	CONTROLLER_OWNS(ctx, strmap_free, c->released);
	CONTROLLER_OWNS(ctx, strmap_free, c->finished);
	CONTROLLER_OWNS(ctx, expectations_free, c->expectations);
	c->jobs = controller_informer(ctx, &BatchV1Job_schema);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->queue = controller_queue(ctx, "job", ctx->options->concurrent_job_syncs, sync_job, c);
	c->orphans = controller_queue(ctx, "job_orphan_pod", 1, sync_orphan, c);
	informer_add_handler(c->jobs, &job_handler, c);
	informer_add_handler(c->pods, &pod_handler, c);
	return NULL;
}

const struct controller job_controller = {.name = "job-controller", .alias = "job", .start = start};
