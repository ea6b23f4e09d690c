/* The pods of a Job: made, removed, released. */
#include "base/str.h"
#include "controller-manager/job/sync.h"
#include "controller-manager/support/batch.h"

enum {
	MAX_PER_SYNC = 500,
	BACKOFF_FIRST_MS = 10 * 1000,
	BACKOFF_MAX_MS = 10 * 60 * 1000,
};

struct status *job_release_pod(struct jobs *c, struct arena *arena, const CoreV1Pod *pod)
{
	char *patch = arena_printf(arena,
		"{\"metadata\":{\"uid\":\"%s\",\"$deleteFromPrimitiveList/finalizers\":[\"" JOB_FINALIZER "\"]}}",
		pod->metadata->uid);
	job_set_released(c, pod->metadata->uid, true);
	struct status *s = client_patch(c->ctx->client, arena, &CoreV1Pod_schema, pod->metadata->namespace,
		pod->metadata->name, NULL, CLIENT_PATCH_STRATEGIC, patch, strlen(patch), NULL, NULL);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone");
		return NULL;
	}
	if (s)
		job_set_released(c, pod->metadata->uid, false);
	return s;
}

static struct status *delete_one(void *data, struct arena *arena, size_t index)
{
	struct job_sync *s = data;
	const CoreV1Pod *pod = s->doomed[index];
	const MetaV1ObjectMeta *meta = pod->metadata;
	struct status *error =
		client_delete(s->c->ctx->client, arena, &CoreV1Pod_schema, meta->namespace, meta->name, NULL);
	if (status_is(error, STATUS_NOT_FOUND)) {
		status_drop(error, "gone already");
		return NULL;
	}
	if (error)
		event_record(s->c->ctx->recorder, s->job, EVENT_WARNING, "FailedDelete", "Error deleting: %s",
			error->message);
	else
		event_record(
			s->c->ctx->recorder, s->job, EVENT_NORMAL, "SuccessfulDelete", "Deleted pod: %s", meta->name);
	return error;
}

/* Deletes n of the active pods; what is gone is active no more. */
struct status *job_delete_active(struct job_sync *s, const CoreV1Pod **pods, size_t n, size_t *ret_deleted)
{
	struct status *error;
	s->doomed = pods;
	*ret_deleted = batch_run(s->c->ctx->workers, n, delete_one, s, &error);
	for (size_t i = 0; i < *ret_deleted; i++)
		s->ready -= pod_is_ready(pods[i]);
	s->terminating += (int32_t)*ret_deleted;
	return error;
}

static void sort_for_removal(struct job_sync *s)
{
	int *ranks = ARENA_ARRAY(s->arena, int, s->n_active + 1);
	pods_sort_for_deletion(s->active, ranks, s->n_active, clock_wall_ns(s->c->ctx->clock));
	if (!job_is_indexed(s->job))
		return;
	/* Twins of an index and indexes that are too high go first. */
	size_t n = 0;
	struct index_set seen = index_set_parse(s->arena, NULL, s->job->spec->completions);
	const CoreV1Pod **sorted = ARENA_ARRAY(s->arena, const CoreV1Pod *, s->n_active + 1);
	const CoreV1Pod **kept = ARENA_ARRAY(s->arena, const CoreV1Pod *, s->n_active + 1);
	size_t n_kept = 0;
	for (size_t i = s->n_active; i-- > 0;) {
		int32_t index = pod_completion_index(s->active[i]);
		if (!job_pod_has_index(s, s->active[i]) || index_set_has(&seen, index))
			sorted[n++] = s->active[i];
		else
			kept[n_kept++] = s->active[i];
		index_set_add(&seen, index);
	}
	for (size_t i = n_kept; i-- > 0;)
		sorted[n++] = kept[i];
	memcpy(s->active, sorted, n * sizeof(*sorted));
}

static void add_index(struct job_sync *s, struct arena *arena, CoreV1Pod *pod, int32_t index)
{
	char *text = arena_printf(arena, "%d", index);
	char *suffix = arena_printf(arena, "-%d-", index);
	ANNOTATION_SET(arena, pod->metadata, JOB_INDEX, text);
	LABEL_SET(arena, pod->metadata, JOB_INDEX, text);
	pod->spec->hostname = arena_printf(arena, "%s-%d", s->job->metadata->name, index);
	pod->metadata->generate_name =
		arena_printf(arena, "%.*s%s", 58 - (int)strlen(suffix), s->job->metadata->name, suffix);
	if (!s->per_index)
		return;
	const CoreV1Pod *last = job_predecessor(s, index);
	int32_t failures = last ? pod_annotation_count(last, JOB_INDEX_FAILURES) : 0;
	int32_t ignored = last ? pod_annotation_count(last, JOB_INDEX_IGNORED) : 0;
	if (last && job_pod_verdict(s, last) == FAILURE_IGNORED)
		ignored++;
	else if (last)
		failures++;
	ANNOTATION_SET(arena, pod->metadata, JOB_INDEX_FAILURES, arena_printf(arena, "%d", failures));
	if (ignored)
		ANNOTATION_SET(arena, pod->metadata, JOB_INDEX_IGNORED, arena_printf(arena, "%d", ignored));
}

static struct status *create_one(void *data, struct arena *arena, size_t i)
{
	struct job_sync *s = data;
	CoreV1Pod *pod = pod_from_template(arena, s->template, s->job), *created;
	if (s->indexes)
		add_index(s, arena, pod, s->indexes[i]);
	struct status *error = client_create(s->c->ctx->client, arena, pod, &created);
	if (status_has_cause(error, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(error, "the namespace goes away");
		return NULL;
	}
	if (error)
		event_record(s->c->ctx->recorder, s->job, EVENT_WARNING, "FailedCreate", "Error creating: %s",
			error->message);
	else
		event_record(s->c->ctx->recorder, s->job, EVENT_NORMAL, "SuccessfulCreate", "Created pod: %s",
			created->metadata->name);
	return error;
}

static void add_index_variable(struct arena *arena, CoreV1Container *container)
{
	for (size_t i = 0; i < container->n_env; i++)
		if (str_eq(container->env[i]->name, "JOB_COMPLETION_INDEX"))
			return;
	CoreV1EnvVar *e = API_NEW(arena, CoreV1EnvVar);
	e->name = arena_strdup(arena, "JOB_COMPLETION_INDEX");
	e->value_from = API_NEW(arena, CoreV1EnvVarSource);
	e->value_from->field_ref = API_NEW(arena, CoreV1ObjectFieldSelector);
	e->value_from->field_ref->field_path = arena_strdup(arena, "metadata.labels['" JOB_INDEX "']");
	ARENA_PUSH(arena, container->env, container->n_env) = e;
}

static void make_template(struct job_sync *s)
{
	CoreV1PodTemplateSpec *t = s->template = object_copy(s->arena, s->job->spec->template);
	for (size_t i = 0; s->indexes && i < t->spec->n_init_containers; i++)
		add_index_variable(s->arena, t->spec->init_containers[i]);
	for (size_t i = 0; s->indexes && i < t->spec->n_containers; i++)
		add_index_variable(s->arena, t->spec->containers[i]);
	if (!meta_has_finalizer(t->metadata, JOB_FINALIZER))
		ARENA_PUSH(s->arena, t->metadata->finalizers, t->metadata->n_finalizers) =
			arena_strdup(s->arena, JOB_FINALIZER);
}

static int64_t backoff_left_ms(struct job_sync *s, int32_t n_failures, int64_t last_ns)
{
	int64_t delay = BACKOFF_FIRST_MS;
	if (!n_failures)
		return 0;
	for (int32_t i = 1; i < n_failures && delay < BACKOFF_MAX_MS; i++)
		delay *= 2;
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	return delay - (clock_wall_ns(s->c->ctx->clock) - last_ns) / 1000000;
}

/* The first n indexes that no pod is at work on; those that wait after a failure are left out. */
static int32_t pending_indexes(struct job_sync *s, int32_t n)
{
	struct index_set taken = s->succeeded_indexes;
	taken.has = arena_dup(s->arena, taken.has, (size_t)taken.n + 1);
	int32_t found = 0;
	int64_t wait = INT64_MAX;
	for (size_t i = 0; i < s->n_active; i++)
		index_set_add(&taken, pod_completion_index(s->active[i]));
	for (size_t i = 0; job_replaces_failed_only(s->job) && i < s->n_pods; i++)
		if (pod_is_terminating(s->pods[i]))
			index_set_add(&taken, pod_completion_index(s->pods[i]));
	s->indexes = ARENA_ARRAY(s->arena, int32_t, n + 1);
	for (int32_t i = 0; i < taken.n && found < n; i++) {
		if (taken.has[i] || s->failed_indexes.has[i])
			continue;
		const CoreV1Pod *last = s->per_index ? job_predecessor(s, i) : NULL;
		int64_t left = last ? backoff_left_ms(s,
					      pod_annotation_count(last, JOB_INDEX_FAILURES) +
						      pod_annotation_count(last, JOB_INDEX_IGNORED) + 1,
					      pod_finished_ns(last))
				    : 0;
		if (left > 0)
			wait = left < wait ? left : wait;
		else
			s->indexes[found++] = i;
	}
	if (wait != INT64_MAX)
		workqueue_add_after(s->c->queue, s->key, wait + 1);
	return found;
}

static struct status *create_pods(struct job_sync *s, int32_t n)
{
	struct status *error;
	if (!s->per_index) {
		int64_t left = backoff_left_ms(s, s->failures.n, s->failures.last_ns);
		if (left > 0) {
			workqueue_add_after(s->c->queue, s->key, left + 1);
			return NULL;
		}
	}
	if (n > MAX_PER_SYNC)
		n = MAX_PER_SYNC;
	if (job_is_indexed(s->job))
		n = pending_indexes(s, n);
	make_template(s);
	expectations_expect_creations(s->c->expectations, s->key, n);
	size_t done = batch_slow_start(s->c->ctx->workers, (size_t)n, create_one, s, &error);
	for (size_t i = done; i < (size_t)n; i++)
		expectations_creation_observed(s->c->expectations, s->key);
	s->n_active += done;
	return error;
}

static struct status *shrink(struct job_sync *s, size_t n)
{
	size_t deleted;
	sort_for_removal(s);
	if (n > MAX_PER_SYNC)
		n = MAX_PER_SYNC;
	const char **keys = ARENA_ARRAY(s->arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		keys[i] = s->active[i]->metadata->uid;
	expectations_expect_deletions(s->c->expectations, s->key, keys, n);
	struct status *first = NULL;
	/* These are not counted as failed: they were given up, and lose the finalizer at once. */
	for (size_t i = 0; i < n; i++)
		if (job_pod_is_held(s->active[i]))
			first = status_first(first, job_release_pod(s->c, s->arena, s->active[i]));
	first = status_first(first, job_delete_active(s, s->active, n, &deleted));
	if (first)
		expectations_forget(s->c->expectations, s->key);
	s->active += deleted;
	s->n_active -= deleted;
	return first;
}

struct status *job_manage_pods(struct job_sync *s)
{
	const BatchV1JobSpec *spec = s->job->spec;
	int32_t parallelism = spec->has_parallelism ? spec->parallelism : 1, want = parallelism;
	int32_t active = (int32_t)s->n_active;
	if (job_is_suspended(s->job))
		return active ? shrink(s, s->n_active) : NULL;
	if (spec->has_completions) {
		want = spec->completions - s->succeeded;
		want = want > parallelism ? parallelism : want < 0 ? 0 : want;
	} else if (s->succeeded > 0) {
		want = active;
	}
	if (active > want)
		return shrink(s, (size_t)(active - want));
	int32_t lacking = want - active - (job_replaces_failed_only(s->job) ? s->terminating : 0);
	return lacking > 0 ? create_pods(s, lacking) : NULL;
}
