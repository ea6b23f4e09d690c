/* Whether a Job ends, and how it is told. */
#include "base/str.h"
#include "controller-manager/job/sync.h"

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

void job_judge_end(struct job_sync *s)
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

void job_judge_completion(struct job_sync *s, bool managed)
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

/* FailureTarget and SuccessCriteriaMet come first; Failed and Complete when no pod is left. */
void job_announce_end(struct job_sync *s)
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

void job_set_finished(struct job_sync *s)
{
	ensure_condition(s, s->finished);
	if (str_eq(s->finished->type, "Complete"))
		s->job->status->completion_time = s->finished->last_transition_time;
	s->flush = true;
}

void job_tell_end(struct job_sync *s)
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
