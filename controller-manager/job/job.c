/* The Job controller: pods until enough of them have succeeded, each counted exactly once by way of a finalizer. */
#include <pthread.h>
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/job/policy.h"
#include "controller-manager/support/batch.h"
#include "controller-manager/support/claim.h"
#include "controller-manager/support/expectations.h"
#include "controller-manager/support/pods.h"

enum {
	MAX_UNCOUNTED = 500,
	MAX_PER_SYNC = 500,
	BACKOFF_FIRST_MS = 10 * 1000,
	BACKOFF_MAX_MS = 10 * 60 * 1000,
	/* Pod events that come together make one sync. */
	BATCH_MS = 100,
};

/* How often pods failed since one last succeeded. */
struct failures {
	int32_t n;
	int64_t last_ns;
};

struct jobs {
	struct controller_context *ctx;
	struct informer *jobs, *pods;
	struct workqueue *queue, *orphans;
	struct expectations *expectations;
	pthread_mutex_t lock;	 /* guards the maps */
	struct strmap *failures; /* by job key */
	struct strmap *released; /* uids of pods whose finalizer is gone and not yet seen to be gone */
	struct strmap *finished; /* uids of jobs that were marked finished */
};

static bool has_finalizer_job(const CoreV1Pod *pod)
{
	return meta_has_finalizer(pod->metadata, JOB_FINALIZER);
}

/* One sync. */
struct job_sync {
	struct jobs *c;
	struct arena *arena;
	const char *key;
	BatchV1Job *job; /* a copy of our own */
	const CoreV1Pod **pods;
	size_t n_pods;
	const CoreV1Pod **active;
	size_t n_active;
	int32_t succeeded, failed, ready, terminating;
	struct index_set succeeded_indexes, failed_indexes;
	bool per_index; /* backoffLimitPerIndex */
	struct failures failures;
	BatchV1JobCondition *finished; /* the condition that ends it */
	bool flush;		       /* the status is to be written */
	/* of creation */
	int32_t *indexes;
	CoreV1PodTemplateSpec *template;
	const CoreV1Pod **doomed;
};

/* --- what is remembered between syncs --- */

static bool is_released(struct jobs *c, const char *uid)
{
	pthread_mutex_lock(&c->lock);
	bool released = strmap_has(c->released, uid);
	pthread_mutex_unlock(&c->lock);
	return released;
}

static void set_released(struct jobs *c, const char *uid, bool released)
{
	pthread_mutex_lock(&c->lock);
	if (released)
		strmap_put(c->released, uid, c);
	else
		strmap_remove(c->released, uid);
	pthread_mutex_unlock(&c->lock);
}

static struct failures load_failures(struct jobs *c, const char *key)
{
	pthread_mutex_lock(&c->lock);
	const struct failures *f = strmap_get(c->failures, key);
	struct failures copy = f ? *f : (struct failures){0};
	pthread_mutex_unlock(&c->lock);
	return copy;
}

static void store_failures(struct jobs *c, const char *key, const struct failures *f)
{
	pthread_mutex_lock(&c->lock);
	if (f && f->n)
		strmap_put(c->failures, key, mem_dup(f, sizeof(*f)));
	else
		strmap_remove(c->failures, key);
	pthread_mutex_unlock(&c->lock);
}

/* --- conditions --- */

static BatchV1JobCondition *new_condition(
	struct job_sync *s, const char *type, const char *status, const char *reason, const char *message)
{
	BatchV1JobCondition *c = API_NEW(s->arena, BatchV1JobCondition);
	c->type = arena_strdup(s->arena, type);
	c->status = arena_strdup(s->arena, status);
	c->reason = arena_strdup(s->arena, reason);
	c->message = arena_strdup(s->arena, message);
	c->last_probe_time = now_time(s->arena, s->c->ctx->clock);
	c->last_transition_time = now_time(s->arena, s->c->ctx->clock);
	return c;
}

static bool ensure_condition(struct job_sync *s, BatchV1JobCondition *wanted)
{
	BatchV1JobStatus *status = s->job->status;
	BatchV1JobCondition *c = (BatchV1JobCondition *)(uintptr_t)job_condition(status, wanted->type);
	if (!c) {
		if (!str_eq(wanted->status, "True"))
			return false; /* what was never so need not be denied */
		ARENA_PUSH(s->arena, status->conditions, status->n_conditions) = wanted;
		return true;
	}
	if (str_eq(c->status, wanted->status) && str_eq(c->reason, wanted->reason) &&
		str_eq(c->message, wanted->message))
		return false;
	*c = *wanted;
	return true;
}

/* --- counting --- */

static bool is_tracked(const struct job_sync *s, const CoreV1Pod *pod)
{
	return has_finalizer_job(pod) && !is_released(s->c, pod->metadata->uid);
}

static bool valid_index(const struct job_sync *s, const CoreV1Pod *pod)
{
	int32_t index = pod_completion_index(pod);
	return index >= 0 && index < s->job->spec->completions;
}

static bool in_list(const char *uid, char *const *list, size_t n)
{
	return str_in_n(uid, list, n);
}

static enum job_failure judge(struct job_sync *s, const CoreV1Pod *pod)
{
	const char *message;
	return job_judge_failure(s->arena, s->job, pod, &message);
}

/* Failures since the last success, by when pods ended. */
static void count_failures(struct job_sync *s, const CoreV1Pod *const *failed, size_t n_failed, int64_t last_success_ns)
{
	s->failures = load_failures(s->c, s->key);
	if (last_success_ns)
		s->failures = (struct failures){0};
	for (size_t i = 0; i < n_failed; i++) {
		int64_t at = pod_finished_ns(failed[i]);
		if (last_success_ns && at <= last_success_ns)
			continue;
		s->failures.n++;
		if (at > s->failures.last_ns)
			s->failures.last_ns = at;
	}
}

static void count_pods(struct job_sync *s)
{
	const BatchV1UncountedTerminatedPods *u = s->job->status->uncounted_terminated_pods;
	const CoreV1Pod **failed = ARENA_ARRAY(s->arena, const CoreV1Pod *, s->n_pods + 1);
	size_t n_failed = 0, n_succeeded = 0, n_ignored = 0;
	int64_t last_success = 0;
	for (size_t i = 0; i < s->n_pods; i++) {
		const CoreV1Pod *pod = s->pods[i];
		if (pod_is_active(pod)) {
			s->active[s->n_active++] = pod;
			s->ready += pod_is_ready(pod);
		}
		s->terminating += pod_is_terminating(pod);
		if (!is_tracked(s, pod) || (job_is_indexed(s->job) && !valid_index(s, pod)))
			continue;
		if (str_eq(pod->status->phase, "Succeeded") &&
			!in_list(pod->metadata->uid, u->succeeded, u->n_succeeded)) {
			n_succeeded++;
			last_success = pod_finished_ns(pod) > last_success ? pod_finished_ns(pod) : last_success;
		} else if (job_pod_has_failed(s->job, pod) && !in_list(pod->metadata->uid, u->failed, u->n_failed)) {
			failed[n_failed++] = pod;
			n_ignored += judge(s, pod) == FAILURE_IGNORED;
		}
	}
	s->succeeded = s->job->status->succeeded + (int32_t)(n_succeeded + u->n_succeeded);
	s->failed = s->job->status->failed + (int32_t)(n_failed - n_ignored + u->n_failed);
	count_failures(s, failed, n_failed, last_success);
}

static bool index_has_failed(struct job_sync *s, const CoreV1Pod *pod)
{
	if (!job_pod_has_failed(s->job, pod))
		return false;
	enum job_failure f = judge(s, pod);
	if (f == FAILURE_FAILS_INDEX)
		return true;
	return f != FAILURE_IGNORED &&
	       pod_annotation_count(pod, JOB_INDEX_FAILURES) >= s->job->spec->backoff_limit_per_index;
}

static void count_indexes(struct job_sync *s)
{
	const BatchV1JobStatus *status = s->job->status;
	int32_t n = s->job->spec->completions;
	s->succeeded_indexes = index_set_parse(s->arena, status->completed_indexes, n);
	s->failed_indexes = index_set_parse(s->arena, status->failed_indexes, n);
	for (size_t i = 0; i < s->n_pods; i++) {
		const CoreV1Pod *pod = s->pods[i];
		int32_t index = pod_completion_index(pod);
		if (!has_finalizer_job(pod) || !valid_index(s, pod))
			continue;
		if (str_eq(pod->status->phase, "Succeeded"))
			index_set_add(&s->succeeded_indexes, index);
		else if (s->per_index && index_has_failed(s, pod))
			index_set_add(&s->failed_indexes, index);
	}
	s->succeeded = index_set_count(&s->succeeded_indexes);
}

/* --- does it end? --- */

static int32_t restarts(struct job_sync *s)
{
	int32_t n = 0;
	for (size_t i = 0; i < s->n_pods; i++) {
		const CoreV1PodStatus *status = s->pods[i]->status;
		if (!str_eq(status->phase, "Running") && !str_eq(status->phase, "Pending"))
			continue;
		for (size_t j = 0; j < status->n_init_container_statuses; j++)
			n += status->init_container_statuses[j]->restart_count;
		for (size_t j = 0; j < status->n_container_statuses; j++)
			n += status->container_statuses[j]->restart_count;
	}
	return n;
}

static bool over_backoff_limit(struct job_sync *s)
{
	int32_t limit = s->job->spec->has_backoff_limit ? s->job->spec->backoff_limit : 6;
	if (s->failed > limit)
		return true;
	if (!str_eq(s->job->spec->template->spec->restart_policy, "OnFailure"))
		return false;
	int32_t n = restarts(s);
	return limit == 0 ? n > 0 : n >= limit;
}

/* Milliseconds until the deadline; INT64_MAX without one. */
static int64_t deadline_ms(struct job_sync *s)
{
	const BatchV1Job *job = s->job;
	if (!job->spec->has_active_deadline_seconds || !job->status->start_time || job_is_suspended(job))
		return INT64_MAX;
	int64_t end = time_ns(job->status->start_time) + job->spec->active_deadline_seconds * 1000000000;
	return (end - clock_wall_ns(s->c->ctx->clock)) / 1000000;
}

static BatchV1JobCondition *failure_target(struct job_sync *s, const char *reason, const char *message)
{
	return new_condition(s, "FailureTarget", "True", reason, message);
}

static BatchV1JobCondition *judge_policy(struct job_sync *s)
{
	for (size_t i = 0; s->job->spec->pod_failure_policy && i < s->n_pods; i++) {
		const char *message;
		if (job_pod_has_failed(s->job, s->pods[i]) &&
			job_judge_failure(s->arena, s->job, s->pods[i], &message) == FAILURE_FAILS_JOB)
			return failure_target(s, "PodFailurePolicy", message);
	}
	return NULL;
}

static BatchV1JobCondition *judge_limits(struct job_sync *s)
{
	if (over_backoff_limit(s))
		return failure_target(s, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
	int64_t left = deadline_ms(s);
	if (left <= 0)
		return failure_target(s, "DeadlineExceeded", "Job was active longer than specified deadline");
	if (left != INT64_MAX)
		workqueue_add_after(s->c->queue, s->key, left + 1);
	return NULL;
}

static BatchV1JobCondition *judge_indexes(struct job_sync *s)
{
	const BatchV1JobSpec *spec = s->job->spec;
	int32_t n_failed = index_set_count(&s->failed_indexes);
	if (s->per_index) {
		if (spec->has_max_failed_indexes && n_failed > spec->max_failed_indexes)
			return failure_target(s, "MaxFailedIndexesExceeded",
				"Job has exceeded the specified maximal number of failed indexes");
		if (n_failed && n_failed + s->succeeded >= spec->completions)
			return failure_target(s, "FailedIndexes", "Job has failed indexes");
	}
	int rule = job_success_rule(s->arena, s->job, &s->succeeded_indexes);
	return rule < 0 ? NULL
			: new_condition(s, "SuccessCriteriaMet", "True", "SuccessPolicy",
				  arena_printf(s->arena, "Matched rules at index %d", rule));
}

static void judge_end(struct job_sync *s)
{
	const BatchV1JobCondition *met = job_condition(s->job->status, "SuccessCriteriaMet");
	const BatchV1JobCondition *target = job_condition(s->job->status, "FailureTarget");
	if (met && str_eq(met->status, "True"))
		s->finished = api_copy_msg(s->arena, met);
	else if (target && str_eq(target->status, "True"))
		s->finished = new_condition(s, "Failed", "True", target->reason, target->message);
	else
		s->finished = judge_policy(s);
	if (!s->finished)
		s->finished = judge_limits(s);
	if (!s->finished && job_is_indexed(s->job))
		s->finished = judge_indexes(s);
}

/* --- pods --- */

static struct status *remove_finalizer(struct jobs *c, struct arena *arena, const CoreV1Pod *pod)
{
	char *patch = arena_printf(arena,
		"{\"metadata\":{\"uid\":\"%s\",\"$deleteFromPrimitiveList/finalizers\":[\"" JOB_FINALIZER "\"]}}",
		pod->metadata->uid);
	set_released(c, pod->metadata->uid, true);
	struct status *s = client_patch(c->ctx->client, arena, &CoreV1Pod_schema, pod->metadata->namespace,
		pod->metadata->name, NULL, CLIENT_PATCH_STRATEGIC, patch, strlen(patch), NULL, NULL);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone");
		return NULL;
	}
	if (s)
		set_released(c, pod->metadata->uid, false);
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
static struct status *delete_active(struct job_sync *s, const CoreV1Pod **pods, size_t n, size_t *ret_deleted)
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
		if (!valid_index(s, s->active[i]) || index_set_has(&seen, index))
			sorted[n++] = s->active[i];
		else
			kept[n_kept++] = s->active[i];
		index_set_add(&seen, index);
	}
	for (size_t i = n_kept; i-- > 0;)
		sorted[n++] = kept[i];
	memcpy(s->active, sorted, n * sizeof(*sorted));
}

/* The failed pod that the next one of an index takes the place of: it carries the counts. */
static const CoreV1Pod *predecessor(struct job_sync *s, int32_t index)
{
	const CoreV1Pod *last = NULL;
	for (size_t i = 0; i < s->n_pods; i++)
		if (pod_completion_index(s->pods[i]) == index && is_tracked(s, s->pods[i]) &&
			job_pod_has_failed(s->job, s->pods[i]) &&
			(!last || pod_annotation_count(s->pods[i], JOB_INDEX_FAILURES) +
						  pod_annotation_count(s->pods[i], JOB_INDEX_IGNORED) >=
					  pod_annotation_count(last, JOB_INDEX_FAILURES) +
						  pod_annotation_count(last, JOB_INDEX_IGNORED)))
			last = s->pods[i];
	return last;
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
	const CoreV1Pod *last = predecessor(s, index);
	int32_t failures = last ? pod_annotation_count(last, JOB_INDEX_FAILURES) : 0;
	int32_t ignored = last ? pod_annotation_count(last, JOB_INDEX_IGNORED) : 0;
	if (last && judge(s, last) == FAILURE_IGNORED)
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
		const CoreV1Pod *last = s->per_index ? predecessor(s, i) : NULL;
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
		if (has_finalizer_job(s->active[i]))
			first = status_first(first, remove_finalizer(s->c, s->arena, s->active[i]));
	first = status_first(first, delete_active(s, s->active, n, &deleted));
	if (first)
		expectations_forget(s->c->expectations, s->key);
	s->active += deleted;
	s->n_active -= deleted;
	return first;
}

static struct status *manage(struct job_sync *s)
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

static void judge_completion(struct job_sync *s, bool managed)
{
	const BatchV1JobSpec *spec = s->job->spec;
	bool complete = spec->has_completions ? s->succeeded >= spec->completions && !s->n_active
					      : s->succeeded > 0 && !s->n_active;
	if (complete) {
		s->finished = new_condition(s, "SuccessCriteriaMet", "True", "CompletionsReached",
			"Reached expected number of succeeded pods");
		return;
	}
	if (!managed)
		return;
	bool suspended = job_is_suspended(s->job);
	if (!ensure_condition(
		    s, new_condition(s, "Suspended", suspended ? "True" : "False",
			       suspended ? "JobSuspended" : "JobResumed", suspended ? "Job suspended" : "Job resumed")))
		return;
	s->flush = true;
	event_record(s->c->ctx->recorder, s->job, EVENT_NORMAL, suspended ? "Suspended" : "Resumed",
		suspended ? "Job suspended" : "Job resumed");
	if (!suspended)
		s->job->status->start_time = now_time(s->arena, s->c->ctx->clock);
}

/* --- tracking: a pod is noted in the status, then loses the finalizer, then counts --- */

static void drop_counted(struct job_sync *s, char **uids, size_t *n, int32_t *counter)
{
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++) {
		bool held = false;
		for (size_t j = 0; j < s->n_pods && !held; j++)
			held = str_eq(s->pods[j]->metadata->uid, uids[i]) && is_tracked(s, s->pods[j]);
		if (held)
			uids[kept++] = uids[i];
	}
	if (kept != *n)
		s->flush = true;
	*counter += (int32_t)(*n - kept);
	*n = kept;
}

static void count_released(struct job_sync *s)
{
	BatchV1UncountedTerminatedPods *u = s->job->status->uncounted_terminated_pods;
	drop_counted(s, u->succeeded, &u->n_succeeded, &s->job->status->succeeded);
	drop_counted(s, u->failed, &u->n_failed, &s->job->status->failed);
}

static bool may_release(struct job_sync *s, const CoreV1Pod *pod)
{
	if (s->job->metadata->deletion_timestamp || s->finished || str_eq(pod->status->phase, "Succeeded"))
		return true;
	if (!job_pod_has_failed(s->job, pod))
		return false;
	/* The last failed pod of an index holds its counts until the next one has them. */
	if (!s->per_index || predecessor(s, pod_completion_index(pod)) != pod)
		return true;
	int32_t index = pod_completion_index(pod);
	bool replaced = index_set_has(&s->succeeded_indexes, index) || index_set_has(&s->failed_indexes, index);
	for (size_t i = 0; i < s->n_pods && !replaced; i++)
		replaced = pod_is_active(s->pods[i]) && pod_completion_index(s->pods[i]) == index;
	return replaced;
}

static void note_pod(struct job_sync *s, const CoreV1Pod *pod, struct index_set *counted)
{
	BatchV1UncountedTerminatedPods *u = s->job->status->uncounted_terminated_pods;
	const char *uid = pod->metadata->uid;
	bool indexed = job_is_indexed(s->job);
	if (str_eq(pod->status->phase, "Succeeded") && !in_list(uid, u->failed, u->n_failed)) {
		if (indexed) {
			if (valid_index(s, pod))
				index_set_add(counted, pod_completion_index(pod));
		} else if (!in_list(uid, u->succeeded, u->n_succeeded)) {
			ARENA_PUSH(s->arena, u->succeeded, u->n_succeeded) = arena_strdup(s->arena, uid);
			s->flush = true;
		}
		return;
	}
	bool failed =
		job_pod_has_failed(s->job, pod) || (s->finished && !str_eq(s->finished->type, "SuccessCriteriaMet"));
	if (!failed || in_list(uid, u->failed, u->n_failed) || (indexed && !valid_index(s, pod)) ||
		judge(s, pod) == FAILURE_IGNORED)
		return;
	ARENA_PUSH(s->arena, u->failed, u->n_failed) = arena_strdup(s->arena, uid);
	s->flush = true;
}

static struct status *flush_status(struct job_sync *s)
{
	BatchV1Job *updated;
	if (!s->flush)
		return NULL;
	TRY(client_update_status(s->c->ctx->client, s->arena, s->job, &updated));
	s->job->metadata->resource_version = updated->metadata->resource_version;
	s->flush = false;
	return NULL;
}

struct release {
	struct job_sync *s;
	const CoreV1Pod **pods;
};

static struct status *release_one(void *data, struct arena *arena, size_t index)
{
	struct release *r = data;
	return remove_finalizer(r->s->c, arena, r->pods[index]);
}

static void set_index_status(struct job_sync *s, const struct index_set *counted)
{
	BatchV1JobStatus *status = s->job->status;
	char *text = index_set_text(s->arena, counted);
	if (!str_eq(text, status->completed_indexes) || status->succeeded != index_set_count(counted))
		s->flush = true;
	status->completed_indexes = text;
	status->succeeded = index_set_count(counted);
	if (!s->per_index)
		return;
	text = index_set_text(s->arena, &s->failed_indexes);
	if (!status->failed_indexes || !str_eq(text, status->failed_indexes))
		s->flush = true;
	status->failed_indexes = text;
}

/* FailureTarget and SuccessCriteriaMet come first; Failed and Complete when no pod is left. */
static void announce_end(struct job_sync *s)
{
	if (!s->finished)
		return;
	BatchV1JobCondition *c = s->finished;
	bool failing = str_eq(c->type, "FailureTarget"), met = str_eq(c->type, "SuccessCriteriaMet");
	if (!failing && !met)
		return;
	if (!job_condition(s->job->status, c->type)) {
		ARENA_PUSH(s->arena, s->job->status->conditions, s->job->status->n_conditions) = c;
		s->flush = true;
	}
	s->finished = new_condition(s, failing ? "Failed" : "Complete", "True", c->reason, c->message);
}

static void tell_end(struct job_sync *s)
{
	const BatchV1JobSpec *spec = s->job->spec;
	struct event_recorder *recorder = s->c->ctx->recorder;
	if (!str_eq(s->finished->type, "Complete")) {
		event_record(recorder, s->job, EVENT_WARNING, s->finished->reason, "%s", s->finished->message);
		return;
	}
	if (spec->has_completions && s->job->status->succeeded > spec->completions)
		event_record(recorder, s->job, EVENT_WARNING, "TooManySucceededPods",
			"Too many succeeded pods running after completion count reached");
	event_record(recorder, s->job, EVENT_NORMAL, "Completed", "Job completed");
}

static struct status *track(struct job_sync *s)
{
	BatchV1JobStatus *status = s->job->status;
	BatchV1UncountedTerminatedPods *u = status->uncounted_terminated_pods;
	struct release release = {s, ARENA_ARRAY(s->arena, const CoreV1Pod *, s->n_pods + 1)};
	size_t n = 0;
	bool all = true;
	count_released(s);
	struct index_set counted = index_set_parse(s->arena, status->completed_indexes, s->job->spec->completions);
	for (size_t i = 0; i < s->n_pods; i++) {
		const CoreV1Pod *pod = s->pods[i];
		if (!is_tracked(s, pod) || !may_release(s, pod))
			continue;
		if (n >= MAX_UNCOUNTED || u->n_succeeded + u->n_failed >= MAX_UNCOUNTED) {
			all = false;
			break;
		}
		release.pods[n++] = pod;
		note_pod(s, pod, &counted);
	}
	if (job_is_indexed(s->job))
		set_index_status(s, &counted);
	announce_end(s);
	bool noted = s->flush;
	TRY(flush_status(s));
	if (noted)
		store_failures(s->c, s->key, &s->failures);
	struct status *error;
	batch_run(s->c->ctx->workers, n, release_one, &release, &error);
	count_released(s);
	if (error)
		return status_first(error, flush_status(s));
	bool end = s->finished && all && !u->n_succeeded && !u->n_failed && s->terminating <= 0;
	if (end) {
		ensure_condition(s, s->finished);
		if (str_eq(s->finished->type, "Complete"))
			status->completion_time = s->finished->last_transition_time;
		s->flush = true;
	}
	TRY(flush_status(s));
	if (end) {
		pthread_mutex_lock(&s->c->lock);
		strmap_put(s->c->finished, s->job->metadata->uid, s->c);
		pthread_mutex_unlock(&s->c->lock);
		tell_end(s);
	}
	return NULL;
}

/* --- sync --- */

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
	struct status *error = delete_active(s, s->active, n, &deleted);
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
	count_pods(s);
	if (!status->start_time && !job_is_suspended(s->job))
		status->start_time = now_time(s->arena, s->c->ctx->clock);
	if (job_is_indexed(s->job))
		count_indexes(s);
	judge_end(s);
	struct status *error = NULL;
	if (s->finished) {
		error = end_pods(s, settled);
	} else {
		bool managed = settled && !s->job->metadata->deletion_timestamp;
		if (managed)
			error = manage(s);
		judge_completion(s, managed);
	}
	s->flush |= (int32_t)s->n_active != status->active || !status->has_ready || status->ready != s->ready ||
		    !status->has_terminating || status->terminating != s->terminating;
	status->active = (int32_t)s->n_active;
	status->has_ready = status->has_terminating = true;
	status->ready = s->ready;
	status->terminating = s->terminating;
	struct status *tracking = track(s);
	return status_first(tracking ? status_wrap(tracking, "tracking status") : NULL, error);
}

static struct status *sync_job(void *data, struct arena *arena, const char *key)
{
	struct jobs *c = data;
	const BatchV1Job *job = informer_get_key(c->jobs, arena, key);
	if (!job) {
		expectations_forget(c->expectations, key);
		store_failures(c, key, NULL);
		return NULL;
	}
	const char *manager = job->spec->managed_by;
	if (!str_empty(manager) && !str_eq(manager, "kubernetes.io/job-controller"))
		return NULL;
	if (job_is_finished(job)) {
		store_failures(c, key, NULL);
		pthread_mutex_lock(&c->lock);
		strmap_remove(c->finished, job->metadata->uid);
		pthread_mutex_unlock(&c->lock);
		return NULL;
	}
	pthread_mutex_lock(&c->lock);
	bool marked = strmap_has(c->finished, job->metadata->uid);
	pthread_mutex_unlock(&c->lock);
	if (marked)
		return NULL;
	struct job_sync s = {.c = c, .arena = arena, .key = key, .job = object_copy(arena, job)};
	return sync_open_job(&s);
}

/* A pod whose job is gone or over waits for nobody to count it. */
static struct status *sync_orphan(void *data, struct arena *arena, const char *key)
{
	struct jobs *c = data;
	const CoreV1Pod *pod = informer_get_key(c->pods, arena, key);
	if (!pod || !has_finalizer_job(pod))
		return NULL;
	const MetaV1OwnerReference *ref = controller_of(pod->metadata);
	const BatchV1Job *job = ref && str_eq(ref->kind, "Job")
					? informer_get(c->jobs, arena, pod->metadata->namespace, ref->name)
					: NULL;
	if (job && str_eq(job->metadata->uid, ref->uid) && !job_is_finished(job))
		return NULL;
	return remove_finalizer(c, arena, pod);
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
	if (!has_finalizer_job(pod))
		set_released(c, meta->uid, false);
	const MetaV1OwnerReference *ref = controller_of(meta);
	if (!ref) {
		if (has_finalizer_job(pod))
			workqueue_add(c->orphans, object->key);
		enqueue_matching(c, arena, meta);
		return;
	}
	if (!str_eq(ref->kind, "Job"))
		return;
	const BatchV1Job *job = resolve(c, arena, meta);
	if (has_finalizer_job(pod) && (!job || job_is_finished(job)))
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
	set_released(c, meta->uid, false);
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
