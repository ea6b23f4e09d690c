#include "api/copy.h"
#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

#define CONTROLLER_UID "batch.kubernetes.io/controller-uid"

static void check_numbers(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	if (spec->has_parallelism)
		validate_not_negative(errors, FIELD(path, "parallelism"), spec->parallelism);
	if (spec->has_completions)
		validate_not_negative(errors, FIELD(path, "completions"), spec->completions);
	if (spec->has_active_deadline_seconds)
		validate_not_negative(errors, FIELD(path, "activeDeadlineSeconds"), spec->active_deadline_seconds);
	if (spec->has_backoff_limit)
		validate_not_negative(errors, FIELD(path, "backoffLimit"), spec->backoff_limit);
	if (spec->has_ttl_seconds_after_finished)
		validate_not_negative(errors, FIELD(path, "ttlSecondsAfterFinished"), spec->ttl_seconds_after_finished);
	if (spec->has_backoff_limit_per_index)
		validate_not_negative(errors, FIELD(path, "backoffLimitPerIndex"), spec->backoff_limit_per_index);
}

static void check_mode(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	static const char *const modes[] = {"NonIndexed", "Indexed", NULL};
	if (!spec->completion_mode)
		return;
	if (!str_in(spec->completion_mode, modes))
		field_unsupported(errors, FIELD(path, "completionMode"), spec->completion_mode, modes);
	else if (str_eq(spec->completion_mode, "Indexed") && !spec->has_completions)
		field_required(errors, FIELD(path, "completions"),
			arena_printf(errors->arena, "when completion mode is %s", spec->completion_mode));
}

static void check_job_template(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	static const char *const policies[] = {"OnFailure", "Never", NULL};
	if (!spec->template)
		return;
	validate_pod_template(errors, path, spec->template);
	const char *policy = spec->template->spec ? str_or_empty(spec->template->spec->restart_policy) : "";
	const struct field_path *at = FIELD(FIELD(path, "spec"), "restartPolicy");
	if (!*policy || !strcmp(policy, "Always"))
		field_required(errors, at, "valid values: \"OnFailure\", \"Never\"");
	else if (!str_in(policy, policies))
		field_unsupported(errors, at, policy, policies);
}

static char *labels_json(struct arena *arena, const MetaV1ObjectMeta *meta)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (!meta || !meta->n_labels)
		return arena_strdup(arena, "null");
	MapStringEntry **sorted = arena_dup(arena, meta->labels, meta->n_labels * sizeof(*sorted));
	map_sort(sorted, meta->n_labels);
	for (size_t i = 0; i < meta->n_labels; i++)
		strbuf_printf(&out, "%s%s:%s", i ? "," : "{", field_quote(arena, sorted[i]->key),
			field_quote(arena, sorted[i]->value));
	strbuf_addc(&out, '}');
	return arena_strdup(arena, out.buf);
}

static void check_match(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	const MetaV1ObjectMeta *meta = spec->template ? spec->template->metadata : NULL;
	struct label_selector *selector = NULL;
	struct status *s = spec->selector ? label_selector_from_api(errors->arena, spec->selector, &selector) : NULL;
	status_drop(s, "told as a field error");
	if (s || (selector && label_selector_matches(selector, meta ? meta->labels : NULL, meta ? meta->n_labels : 0)))
		return;
	field_invalid_json(errors, FIELD(FIELD(FIELD(path, "template"), "metadata"), "labels"),
		labels_json(errors->arena, meta), "`selector` does not match template `labels`");
}

void validate_job(struct field_errors *errors, const BatchV1Job *job)
{
	const BatchV1JobSpec *spec = job->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	bool manual = spec->has_manual_selector && spec->manual_selector;
	if (!manual && spec->selector &&
		(spec->selector->n_match_labels != 1 || spec->selector->n_match_expressions ||
			!map_get(spec->selector->match_labels, 1, CONTROLLER_UID)))
		field_invalid_message(errors, FIELD(path, "selector"), spec->selector, "`selector` not auto-generated");
	check_mode(errors, path, spec);
	if (!spec->selector)
		field_required(errors, FIELD(path, "selector"), "");
	else
		validate_label_selector(errors, FIELD(path, "selector"), spec->selector);
	check_numbers(errors, path, spec);
	check_job_template(errors, FIELD(path, "template"), spec);
	check_match(errors, path, spec);
}

/* A suspended Job that has not begun may still change where its pods go. */
static bool may_change_placement(const BatchV1Job *old)
{
	const BatchV1JobStatus *status = old->status;
	return old->spec && old->spec->has_suspend && old->spec->suspend && (!status || !status->start_time);
}

void validate_job_update(struct field_errors *errors, const BatchV1Job *job, const BatchV1Job *old)
{
	static const char immutable[] = "field is immutable";
	const struct field_path *path = FIELD(NULL, "spec");
	const BatchV1JobSpec *now = job->spec, *was = old->spec;
	if (!now || !was)
		return;
	check_numbers(errors, path, now);
	bool indexed = str_eq(was->completion_mode, "Indexed");
	bool same = now->has_completions == was->has_completions && now->completions == was->completions;
	bool elastic = indexed && now->has_completions && now->has_parallelism && now->completions == now->parallelism;
	if (!same && !elastic)
		field_invalid_int(errors, FIELD(path, "completions"), now->completions, immutable);
	if (!api_equal(now->selector, was->selector))
		field_invalid_message(errors, FIELD(path, "selector"), now->selector, immutable);
	if (!may_change_placement(old) && !api_equal(now->template, was->template))
		field_invalid_message(errors, FIELD(path, "template"), now->template, immutable);
	if (!str_eq(now->completion_mode, was->completion_mode))
		field_invalid(errors, FIELD(path, "completionMode"), now->completion_mode, immutable);
}

/* How many fields a schedule has, and whether their characters can be those of one. */
static const char *check_schedule(struct arena *arena, const char *schedule)
{
	char **words, **fields = NULL;
	size_t n = 0, n_words;
	if (*schedule == '@')
		return NULL;
	n_words = str_split(arena, schedule, ' ', &words);
	for (size_t i = 0; i < n_words; i++)
		if (*words[i])
			ARENA_PUSH(arena, fields, n) = words[i];
	if (n != 5)
		return arena_printf(
			arena, "expected exactly 5 fields, found %zu: [%s]", n, str_join(arena, fields, n, " "));
	for (size_t i = 0; i < n; i++)
		if (fields[i][strspn(fields[i], "0123456789*/,-?abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")])
			return arena_printf(arena, "failed to parse int from %s", fields[i]);
	return NULL;
}

void validate_cron_job(struct field_errors *errors, const BatchV1CronJob *job)
{
	static const char *const policies[] = {"Allow", "Forbid", "Replace", NULL};
	const BatchV1CronJobSpec *spec = job->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (str_empty(spec->schedule))
		field_required(errors, FIELD(path, "schedule"), "");
	else
		validate_text(
			errors, FIELD(path, "schedule"), spec->schedule, check_schedule(errors->arena, spec->schedule));
	if (spec->has_starting_deadline_seconds)
		validate_not_negative(errors, FIELD(path, "startingDeadlineSeconds"), spec->starting_deadline_seconds);
	validate_one_of(errors, FIELD(path, "concurrencyPolicy"), spec->concurrency_policy, policies);
	if (spec->job_template && spec->job_template->spec) {
		const struct field_path *at = FIELD(FIELD(path, "jobTemplate"), "spec");
		check_numbers(errors, at, spec->job_template->spec);
		check_job_template(errors, FIELD(at, "template"), spec->job_template->spec);
		if (spec->job_template->spec->has_manual_selector && spec->job_template->spec->manual_selector)
			field_unsupported_json(errors, FIELD(at, "manualSelector"), "true",
				(const char *const[]){"nil", "false", NULL});
	}
	if (spec->has_successful_jobs_history_limit)
		validate_not_negative(
			errors, FIELD(path, "successfulJobsHistoryLimit"), spec->successful_jobs_history_limit);
	if (spec->has_failed_jobs_history_limit)
		validate_not_negative(errors, FIELD(path, "failedJobsHistoryLimit"), spec->failed_jobs_history_limit);
}
