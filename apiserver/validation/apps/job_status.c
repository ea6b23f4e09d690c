#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/validation/apps/batch.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

/* The conditions of a Job that say something final, as set. */
struct verdict {
	bool complete, failed, failure_target, success_met;
};

static struct verdict verdict_of(const BatchV1JobStatus *status)
{
	return (struct verdict){
		.complete = condition_is((void *const *)status->conditions, status->n_conditions, "Complete", "True"),
		.failed = condition_is((void *const *)status->conditions, status->n_conditions, "Failed", "True"),
		.failure_target =
			condition_is((void *const *)status->conditions, status->n_conditions, "FailureTarget", "True"),
		.success_met = condition_is(
			(void *const *)status->conditions, status->n_conditions, "SuccessCriteriaMet", "True"),
	};
}

/* Before and after a write of a status, and what of it changed: most rules are asked only of what changes. */
struct change {
	const BatchV1JobSpec *spec;
	const BatchV1JobStatus *now, *was;
	struct verdict v, old;
	bool finished, finished_changed, start_changed, completion_changed;
};

static bool same_number(bool has_a, int32_t a, bool has_b, int32_t b)
{
	return has_a == has_b && (!has_a || a == b);
}

static struct change change_of(const BatchV1Job *job, const BatchV1Job *before)
{
	struct change c = {.spec = job->spec,
		.now = job->status ? job->status : BatchV1JobStatus_schema.zero,
		.was = before->status ? before->status : BatchV1JobStatus_schema.zero};
	c.v = verdict_of(c.now);
	c.old = verdict_of(c.was);
	c.finished = c.v.complete || c.v.failed;
	c.finished_changed = c.finished != (c.old.complete || c.old.failed);
	c.start_changed = !api_equal(c.now->start_time, c.was->start_time);
	c.completion_changed = !api_equal(c.now->completion_time, c.was->completion_time);
	return c;
}

static void check_uncounted(struct field_errors *errors, const BatchV1UncountedTerminatedPods *pods)
{
	const struct field_path *path = FIELD(FIELD(NULL, "status"), "uncountedTerminatedPods");
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; pods && i < pods->n_succeeded + pods->n_failed; i++) {
		bool first = i < pods->n_succeeded;
		char *uid = first ? pods->succeeded[i] : pods->failed[i - pods->n_succeeded];
		const struct field_path *at =
			FIELD_INDEX(FIELD(path, first ? "succeeded" : "failed"), first ? i : i - pods->n_succeeded);
		if (str_empty(uid))
			field_invalid(errors, at, "", "must not be empty");
		else if (!nameset_add(&seen, uid))
			field_duplicate(errors, at, uid);
	}
}

static void check_counts(struct field_errors *errors, const struct field_path *path, const BatchV1JobStatus *s)
{
	validate_not_negative(errors, FIELD(path, "active"), s->active);
	validate_not_negative(errors, FIELD(path, "succeeded"), s->succeeded);
	validate_not_negative(errors, FIELD(path, "failed"), s->failed);
	if (s->has_ready)
		validate_not_negative(errors, FIELD(path, "ready"), s->ready);
	if (s->has_terminating)
		validate_not_negative(errors, FIELD(path, "terminating"), s->terminating);
	check_uncounted(errors, s->uncounted_terminated_pods);
}

static void check_completion(struct field_errors *errors, const struct field_path *path, const struct change *c)
{
	const struct field_path *conditions = FIELD(path, "conditions"), *time = FIELD(path, "completionTime");
	const BatchV1JobStatus *s = c->now;
	bool complete_changed = c->v.complete != c->old.complete;
	if ((complete_changed || c->v.failed != c->old.failed) && c->v.complete && c->v.failed)
		field_invalid_hidden(errors, conditions, "cannot set Complete=True and Failed=true conditions");
	if ((complete_changed || c->v.failure_target != c->old.failure_target) && c->v.complete && c->v.failure_target)
		field_invalid_hidden(errors, conditions, "cannot set Complete=True and FailureTarget=true conditions");
	if ((complete_changed || c->completion_changed) && s->completion_time && !c->v.complete)
		field_invalid_message(errors, time, s->completion_time,
			"cannot set completionTime when there is no Complete=True condition");
	if ((complete_changed || c->completion_changed) && !s->completion_time && c->v.complete)
		field_required(errors, time, "completionTime is required for Complete jobs");
	if ((c->start_changed || c->completion_changed) && s->start_time && s->completion_time &&
		time_compare(s->completion_time, s->start_time) < 0)
		field_invalid_message(errors, time, s->completion_time, "must be equal to or after `startTime`");
}

static bool failed_indexes_changed(const struct change *c)
{
	return !str_eq(c->now->failed_indexes, c->was->failed_indexes) ||
	       !c->now->failed_indexes != !c->was->failed_indexes;
}

static void check_finished(struct field_errors *errors, const struct field_path *path, const struct change *c)
{
	const struct field_path *conditions = FIELD(path, "conditions");
	const BatchV1JobStatus *s = c->now;
	const BatchV1UncountedTerminatedPods *pods = s->uncounted_terminated_pods;
	bool suspended = c->spec->has_suspend && c->spec->suspend && c->spec->has_completions && !c->spec->completions;
	if ((c->v.failed != c->old.failed || failed_indexes_changed(c)) && c->v.failed && !c->v.failure_target)
		field_invalid_hidden(errors, conditions,
			"cannot set Failed=True condition without the FailureTarget=true condition");
	if ((c->v.complete != c->old.complete || c->v.success_met != c->old.success_met) && c->v.complete &&
		!c->v.success_met)
		field_invalid_hidden(errors, conditions,
			"cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
	if ((c->finished_changed || s->active != c->was->active) && s->active > 0 && c->finished)
		field_invalid_int(errors, FIELD(path, "active"), s->active, "active>0 is invalid for finished job");
	if ((c->finished_changed || c->start_changed) && !suspended && !s->start_time && c->finished)
		field_required(errors, FIELD(path, "startTime"), "startTime is required for finished job");
	if ((c->finished_changed || !api_equal(pods, c->was->uncounted_terminated_pods)) && c->finished && pods &&
		(pods->n_failed || pods->n_succeeded))
		field_invalid_internal(
			errors, FIELD(path, "uncountedTerminatedPods"), pods, "must be empty for finished job");
}

static void check_index_list(struct field_errors *errors, const struct field_path *path, const char *name,
	const char *text, int32_t completions)
{
	int32_t total;
	const char *problem = check_indexes(errors->arena, text, completions, &total);
	if (problem)
		field_invalid(errors, FIELD(path, name), text,
			arena_printf(errors->arena, "error parsing %s: %s", name, problem));
}

static void check_index_lists(struct field_errors *errors, const struct field_path *path, const struct change *c)
{
	const BatchV1JobStatus *s = c->now;
	const char *done = str_or_empty(s->completed_indexes), *failed = s->failed_indexes;
	bool done_changed = !str_eq(done, c->was->completed_indexes), failed_changed = failed_indexes_changed(c);
	bool counted = c->spec->has_completions, per_index = c->spec->has_backoff_limit_per_index;
	int32_t completions = c->spec->completions, index;
	if (done_changed && counted)
		check_index_list(errors, path, "completedIndexes", done, completions);
	if (failed_changed && counted && per_index && failed)
		check_index_list(errors, path, "failedIndexes", failed, completions);
	if (done_changed && *done && !str_eq(c->spec->completion_mode, "Indexed"))
		field_invalid(errors, FIELD(path, "completedIndexes"), done,
			"cannot set non-empty completedIndexes when non-indexed completion mode");
	if (failed_changed && !per_index && failed)
		field_invalid(errors, FIELD(path, "failedIndexes"), failed,
			"cannot set non-null failedIndexes when backoffLimitPerIndex is null");
	if ((failed_changed || done_changed) && counted && failed &&
		indexes_overlap(errors->arena, done, failed, completions, &index))
		field_invalid(errors, FIELD(path, "failedIndexes"), failed,
			arena_printf(errors->arena, "failedIndexes and completedIndexes overlap at index: %d", index));
}

static void check_pods(struct field_errors *errors, const struct field_path *path, const struct change *c)
{
	const BatchV1JobStatus *s = c->now, *was = c->was;
	bool terminating = !same_number(s->has_terminating, s->terminating, was->has_terminating, was->terminating);
	bool ready = !same_number(s->has_ready, s->ready, was->has_ready, was->ready);
	if ((c->finished_changed || terminating) && s->has_terminating && s->terminating > 0 && c->finished)
		field_invalid_int(errors, FIELD(path, "terminating"), s->terminating,
			"terminating>0 is invalid for finished job");
	if ((ready || s->active != was->active) && s->has_ready && s->ready > s->active)
		field_invalid_int(errors, FIELD(path, "ready"), s->ready, "cannot set more ready pods than active");
}

static void check_criteria(struct field_errors *errors, const struct field_path *path, const struct change *c)
{
	const struct field_path *conditions = FIELD(path, "conditions");
	if (c->v.success_met && c->v.failed)
		field_invalid_hidden(
			errors, conditions, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
	if (c->v.success_met && c->v.failure_target)
		field_invalid_hidden(
			errors, conditions, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
	if (c->spec->success_policy && !c->v.success_met && c->v.complete)
		field_invalid_hidden(errors, conditions,
			"cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
}

/* What is not taken back. */
static void check_progress(struct field_errors *errors, const struct field_path *path, const struct change *c)
{
	const struct field_path *conditions = FIELD(path, "conditions");
	const BatchV1JobStatus *s = c->now, *was = c->was;
	const struct {
		const char *name;
		bool now, before;
	} terminal[] = {{"Failed", c->v.failed, c->old.failed}, {"Complete", c->v.complete, c->old.complete},
		{"FailureTarget", c->v.failure_target, c->old.failure_target}};
	bool elastic = str_eq(c->spec->completion_mode, "Indexed") &&
		       same_number(c->spec->has_completions, c->spec->completions, c->spec->has_parallelism,
			       c->spec->parallelism);
	bool resuming = condition_is((void *const *)was->conditions, was->n_conditions, "Suspended", "True") &&
			condition_is((void *const *)s->conditions, s->n_conditions, "Suspended", "False");
	for (size_t i = 0; i < ARRAY_SIZE(terminal); i++)
		if (terminal[i].before && !terminal[i].now)
			field_invalid_hidden(errors, conditions,
				arena_printf(errors->arena, "cannot disable the terminal %s=True condition",
					terminal[i].name));
	if (s->failed < was->failed)
		field_invalid_int(errors, FIELD(path, "failed"), s->failed, "cannot decrease the failed counter");
	if (!elastic && s->succeeded < was->succeeded)
		field_invalid_int(
			errors, FIELD(path, "succeeded"), s->succeeded, "cannot decrease the succeeded counter");
	if (s->completion_time && was->completion_time && c->completion_changed)
		field_invalid_message(errors, FIELD(path, "completionTime"), s->completion_time, "field is immutable");
	if (c->start_changed && !resuming && was->start_time && !(c->spec->has_suspend && c->spec->suspend))
		field_required(errors, FIELD(path, "startTime"), "startTime cannot be removed for unsuspended job");
	if (c->old.success_met && !c->v.success_met)
		field_invalid_hidden(errors, conditions, "cannot disable the SuccessCriteriaMet=True condition");
	if (c->old.complete && !c->old.success_met && c->v.success_met)
		field_invalid_hidden(errors, conditions,
			"cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
}

void validate_job_status(struct field_errors *errors, const BatchV1Job *job, const BatchV1Job *before)
{
	const struct field_path *path = FIELD(NULL, "status");
	struct change c = change_of(job, before);
	check_counts(errors, path, c.now);
	check_completion(errors, path, &c);
	check_finished(errors, path, &c);
	check_index_lists(errors, path, &c);
	check_pods(errors, path, &c);
	check_criteria(errors, path, &c);
	check_progress(errors, path, &c);
}
