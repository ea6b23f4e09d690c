/* What the pods of a Job add up to. */
#include "base/str.h"
#include "controller-manager/job/sync.h"

bool job_pod_is_held(const CoreV1Pod *pod)
{
	return meta_has_finalizer(pod->metadata, JOB_FINALIZER);
}

bool job_pod_is_tracked(const struct job_sync *s, const CoreV1Pod *pod)
{
	return job_pod_is_held(pod) && !job_is_released(s->c, pod->metadata->uid);
}

bool job_pod_has_index(const struct job_sync *s, const CoreV1Pod *pod)
{
	int32_t index = pod_completion_index(pod);
	return index >= 0 && index < s->job->spec->completions;
}

enum job_failure job_pod_verdict(struct job_sync *s, const CoreV1Pod *pod)
{
	const char *message;
	return job_judge_failure(s->arena, s->job, pod, &message);
}

/* Failures since the last success, by when pods ended. */
static void count_failures(struct job_sync *s, const CoreV1Pod *const *failed, size_t n_failed, int64_t last_success_ns)
{
	s->failures = job_load_failures(s->c, s->key);
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
		if (!job_pod_is_tracked(s, pod) || (job_is_indexed(s->job) && !job_pod_has_index(s, pod)))
			continue;
		if (str_eq(pod->status->phase, "Succeeded") &&
			!str_in_n(pod->metadata->uid, u->succeeded, u->n_succeeded)) {
			n_succeeded++;
			last_success = pod_finished_ns(pod) > last_success ? pod_finished_ns(pod) : last_success;
		} else if (job_pod_has_failed(s->job, pod) && !str_in_n(pod->metadata->uid, u->failed, u->n_failed)) {
			failed[n_failed++] = pod;
			n_ignored += job_pod_verdict(s, pod) == FAILURE_IGNORED;
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
	enum job_failure f = job_pod_verdict(s, pod);
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
		if (!job_pod_is_held(pod) || !job_pod_has_index(s, pod))
			continue;
		if (str_eq(pod->status->phase, "Succeeded"))
			index_set_add(&s->succeeded_indexes, index);
		else if (s->per_index && index_has_failed(s, pod))
			index_set_add(&s->failed_indexes, index);
	}
	s->succeeded = index_set_count(&s->succeeded_indexes);
}

void job_count_pods(struct job_sync *s)
{
	count_pods(s);
	if (job_is_indexed(s->job))
		count_indexes(s);
}

const CoreV1Pod *job_predecessor(struct job_sync *s, int32_t index)
{
	const CoreV1Pod *last = NULL;
	for (size_t i = 0; i < s->n_pods; i++)
		if (pod_completion_index(s->pods[i]) == index && job_pod_is_tracked(s, s->pods[i]) &&
			job_pod_has_failed(s->job, s->pods[i]) &&
			(!last || pod_annotation_count(s->pods[i], JOB_INDEX_FAILURES) +
						  pod_annotation_count(s->pods[i], JOB_INDEX_IGNORED) >=
					  pod_annotation_count(last, JOB_INDEX_FAILURES) +
						  pod_annotation_count(last, JOB_INDEX_IGNORED)))
			last = s->pods[i];
	return last;
}
