#include "apiserver/validation/apps/batch.h"
#include "api/copy.h"
#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/validation/apps/job_policy.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/network/networking.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

enum {
	MAX_PARALLELISM = 100000,
	MAX_FAILED = 100000,
	MANY_COMPLETIONS = 100000,
	MAX_OF_MANY = 10000,
	MAX_MANAGER = 63,
	MAX_CRON_NAME = 52
};
#define IMMUTABLE "field is immutable"

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
	if (spec->has_max_failed_indexes)
		validate_not_negative(errors, FIELD(path, "maxFailedIndexes"), spec->max_failed_indexes);
	if (spec->has_max_failed_indexes && !spec->has_backoff_limit_per_index)
		field_required(errors, FIELD(path, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
	if (!spec->managed_by)
		return;
	validate_domain_prefixed_path(errors, FIELD(path, "managedBy"), spec->managed_by);
	if (strlen(spec->managed_by) > MAX_MANAGER)
		field_too_long(errors, FIELD(path, "managedBy"), MAX_MANAGER);
}

/* What is kept of a very long list of indexes stays small. */
static void check_many(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	static const char rule[] =
		"must be less than or equal to %d when completions are above %d and used with backoff limit per index";
	if (!spec->has_completions || spec->completions <= MANY_COMPLETIONS || !spec->has_backoff_limit_per_index)
		return;
	if (!spec->has_max_failed_indexes)
		field_required(errors, FIELD(path, "maxFailedIndexes"),
			arena_printf(
				errors->arena, "must be specified when completions is above %d", MANY_COMPLETIONS));
	if (spec->has_parallelism && spec->parallelism > MAX_OF_MANY)
		field_invalid_int(errors, FIELD(path, "parallelism"), spec->parallelism,
			arena_printf(errors->arena, rule, MAX_OF_MANY, MANY_COMPLETIONS));
	if (spec->has_max_failed_indexes && spec->max_failed_indexes > MAX_OF_MANY)
		field_invalid_int(errors, FIELD(path, "maxFailedIndexes"), spec->max_failed_indexes,
			arena_printf(errors->arena, rule, MAX_OF_MANY, MANY_COMPLETIONS));
}

static void check_indexed(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	const struct field_path *failed = FIELD(path, "maxFailedIndexes");
	if (!spec->has_completions)
		field_required(errors, FIELD(path, "completions"), "when completion mode is Indexed");
	if (spec->has_parallelism && spec->parallelism > MAX_PARALLELISM)
		field_invalid_int(errors, FIELD(path, "parallelism"), spec->parallelism,
			arena_printf(errors->arena, "must be less than or equal to %d when completion mode is Indexed",
				MAX_PARALLELISM));
	if (spec->has_completions && spec->has_max_failed_indexes && spec->max_failed_indexes > spec->completions)
		field_invalid_int(
			errors, failed, spec->max_failed_indexes, "must be less than or equal to completions");
	if (spec->has_max_failed_indexes && spec->max_failed_indexes > MAX_FAILED)
		field_invalid_int(errors, failed, spec->max_failed_indexes,
			arena_printf(errors->arena, "must be less than or equal to %d", MAX_FAILED));
	check_many(errors, path, spec);
}

static void check_mode(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	static const char *const modes[] = {"NonIndexed", "Indexed", NULL};
	static const char indexed[] = "requires indexed completion mode";
	if (spec->completion_mode && !str_in(spec->completion_mode, modes))
		field_unsupported(errors, FIELD(path, "completionMode"), spec->completion_mode, modes);
	if (str_eq(spec->completion_mode, "Indexed"))
		check_indexed(errors, path, spec);
	if (spec->completion_mode && !str_eq(spec->completion_mode, "NonIndexed"))
		return;
	if (spec->has_backoff_limit_per_index)
		field_invalid_int(errors, FIELD(path, "backoffLimitPerIndex"), spec->backoff_limit_per_index, indexed);
	if (spec->has_max_failed_indexes)
		field_invalid_int(errors, FIELD(path, "maxFailedIndexes"), spec->max_failed_indexes, indexed);
}

static void check_replacement(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	static const char *const all[] = {"Failed", "TerminatingOrFailed", NULL};
	static const char *const with_rules[] = {"Failed", NULL};
	const char *const *known = spec->pod_failure_policy ? with_rules : all;
	if (spec->pod_replacement_policy && !str_in(spec->pod_replacement_policy, known))
		field_unsupported(errors, path, spec->pod_replacement_policy, known);
}

static void check_job_template(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	static const char *const policies[] = {"OnFailure", "Never", NULL};
	const CoreV1PodTemplateSpec *template = spec->template ? spec->template : CoreV1PodTemplateSpec_schema.zero;
	const char *policy = template->spec ? str_or_empty(template->spec->restart_policy) : "";
	const struct field_path *at = FIELD(FIELD(path, "spec"), "restartPolicy");
	validate_pod_template(errors, path, template);
	if (!*policy || !strcmp(policy, "Always"))
		field_required(errors, at, "valid values: \"OnFailure\", \"Never\"");
	else if (!str_in(policy, policies))
		field_unsupported(errors, at, policy, policies);
	else if (spec->pod_failure_policy && strcmp(policy, "Never"))
		field_invalid(errors, at, policy, "only \"Never\" is supported when podFailurePolicy is specified");
}

void validate_job_spec(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	check_numbers(errors, path, spec);
	check_mode(errors, path, spec);
	validate_failure_policy(errors, FIELD(path, "podFailurePolicy"), spec);
	validate_success_policy(errors, FIELD(path, "successPolicy"), spec);
	check_replacement(errors, FIELD(path, "podReplacementPolicy"), spec);
	check_job_template(errors, FIELD(path, "template"), spec);
}

static char *labels_json(struct arena *arena, const MetaV1ObjectMeta *meta)
{
	if (meta && !meta->n_labels && meta->labels)
		return arena_strdup(arena, "{}");
	return strings_map_json(arena, meta ? meta->labels : NULL, meta ? meta->n_labels : 0);
}

static void check_label(struct field_errors *errors, const MetaV1ObjectMeta *meta, const char *key, const char *value)
{
	const struct field_path *path = FIELD(FIELD(FIELD(FIELD(NULL, "spec"), "template"), "metadata"), "labels");
	const char *label = meta_label(meta, key);
	if (!label)
		field_required(errors, FIELD_KEY(path, key), arena_printf(errors->arena, "must be '%s'", value));
	else if (!str_eq(label, value))
		field_invalid_json(errors, FIELD_KEY(path, key), labels_json(errors->arena, meta),
			arena_printf(errors->arena, "must be '%s'", value));
}

static bool matches(struct arena *arena, const MetaV1LabelSelector *selector, MapStringEntry *const *labels, size_t n,
	bool *ret_parsed)
{
	struct label_selector *parsed = NULL;
	struct status *s = selector ? label_selector_from_api(arena, selector, &parsed) : NULL;
	*ret_parsed = !s;
	status_drop(s, "told as a field error");
	return parsed && label_selector_matches(parsed, labels, n);
}

/* The labels by which a Job finds its pods, and the selector, are those that the server made. */
static void check_generated(struct field_errors *errors, const BatchV1Job *job, bool prefixed)
{
	const BatchV1JobSpec *spec = job->spec;
	const MetaV1ObjectMeta *meta = spec->template ? spec->template->metadata : NULL;
	const struct {
		const char *key, *value;
		bool new_;
	} labels[] = {{"controller-uid", object_uid(job), false}, {"job-name", object_name(job), false},
		{"batch.kubernetes.io/controller-uid", object_uid(job), true},
		{"batch.kubernetes.io/job-name", object_name(job), true}};
	MapStringEntry **expected = NULL;
	size_t n = 0;
	bool parsed;
	if ((spec->has_manual_selector && spec->manual_selector) || !spec->selector)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		if (labels[i].new_ && !prefixed)
			continue;
		check_label(errors, meta, labels[i].key, labels[i].value);
		map_set(errors->arena, &expected, &n, labels[i].key, labels[i].value);
	}
	if (!matches(errors->arena, spec->selector, expected, n, &parsed) && parsed)
		field_invalid_message(errors, FIELD(FIELD(NULL, "spec"), "selector"), spec->selector,
			"`selector` not auto-generated");
}

static void check_selector(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	const MetaV1ObjectMeta *meta = spec->template ? spec->template->metadata : NULL;
	bool parsed;
	if (!spec->selector)
		field_required(errors, FIELD(path, "selector"), "");
	validate_label_selector(errors, FIELD(path, "selector"), spec->selector);
	if (!matches(errors->arena, spec->selector, meta ? meta->labels : NULL, meta ? meta->n_labels : 0, &parsed) &&
		parsed)
		field_invalid_json(errors, FIELD(FIELD(FIELD(path, "template"), "metadata"), "labels"),
			labels_json(errors->arena, meta), "`selector` does not match template `labels`");
}

static void check_job(struct field_errors *errors, const BatchV1Job *job, bool prefixed)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const BatchV1JobSpec *spec = job->spec;
	check_generated(errors, job, prefixed);
	validate_job_spec(errors, path, spec);
	check_selector(errors, path, spec);
	if (!str_eq(spec->completion_mode, "Indexed") || !spec->has_completions || spec->completions <= 0)
		return;
	char *host = arena_printf(errors->arena, "%s-%d", object_name(job), spec->completions - 1);
	if (check_dns_label(errors->arena, host))
		field_invalid(errors, FIELD(FIELD(NULL, "metadata"), "name"), object_name(job),
			arena_printf(errors->arena, "will not able to create pod with invalid DNS label: %s", host));
}

void validate_job(struct field_errors *errors, const BatchV1Job *job)
{
	check_job(errors, job, true);
}

/* A suspended Job that has not begun may still change where its pods go. */
static bool may_change_placement(const BatchV1Job *old)
{
	const BatchV1JobStatus *status = old->status;
	return old->spec && old->spec->has_suspend && old->spec->suspend && (!status || !status->start_time);
}

/* The old template with what may change of it as it is in the new one. */
static CoreV1PodTemplateSpec *with_placement(
	struct arena *arena, const CoreV1PodTemplateSpec *old, const CoreV1PodTemplateSpec *now)
{
	CoreV1PodTemplateSpec *t = api_copy_msg(arena, old);
	CoreV1PodSpec *spec = ENSURE(arena, t->spec, CoreV1PodSpec);
	MetaV1ObjectMeta *meta = ENSURE(arena, t->metadata, MetaV1ObjectMeta);
	const CoreV1PodSpec *wanted = now->spec ? now->spec : CoreV1PodSpec_schema.zero;
	const MetaV1ObjectMeta *own = now->metadata ? now->metadata : MetaV1ObjectMeta_schema.zero;
	if (wanted->affinity || spec->affinity)
		ENSURE(arena, spec->affinity, CoreV1Affinity)->node_affinity =
			wanted->affinity ? wanted->affinity->node_affinity : NULL;
	if (!wanted->affinity && api_is_empty(spec->affinity))
		spec->affinity = NULL;
	spec->node_selector = wanted->node_selector;
	spec->n_node_selector = wanted->n_node_selector;
	spec->tolerations = wanted->tolerations;
	spec->n_tolerations = wanted->n_tolerations;
	spec->scheduling_gates = wanted->scheduling_gates;
	spec->n_scheduling_gates = wanted->n_scheduling_gates;
	meta->labels = own->labels;
	meta->n_labels = own->n_labels;
	meta->annotations = own->annotations;
	meta->n_annotations = own->n_annotations;
	return t;
}

static void same(struct field_errors *errors, const struct field_path *path, const void *now, const void *was)
{
	if (!api_equal(now, was))
		field_invalid_internal(errors, path, now, IMMUTABLE);
}

static void check_completions(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *now,
	const BatchV1JobSpec *was)
{
	bool indexed = str_eq(now->completion_mode, "Indexed");
	if (now->has_completions == was->has_completions && now->completions == was->completions)
		return;
	if (!now->has_completions) {
		if (!indexed)
			field_invalid_json(errors, path, "null", IMMUTABLE);
	} else if (!indexed) {
		field_invalid_int(errors, path, now->completions, IMMUTABLE);
	} else if (now->completions != now->parallelism) {
		field_invalid_int(
			errors, path, now->completions, "can only be modified in tandem with spec.parallelism");
	}
}

static void check_change(struct field_errors *errors, const BatchV1Job *job, const BatchV1Job *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const BatchV1JobSpec *now = job->spec, *was = old->spec ? old->spec : BatchV1JobSpec_schema.zero;
	const CoreV1PodTemplateSpec *template = now->template ? now->template : CoreV1PodTemplateSpec_schema.zero;
	const CoreV1PodTemplateSpec *before = was->template ? was->template : CoreV1PodTemplateSpec_schema.zero;
	check_completions(errors, FIELD(path, "completions"), now, was);
	if (!api_equal(now->selector, was->selector))
		field_invalid_message(errors, FIELD(path, "selector"), now->selector, IMMUTABLE);
	if (may_change_placement(old))
		before = with_placement(errors->arena, before, template);
	same(errors, FIELD(path, "template"), template, before);
	if (!str_eq(now->completion_mode, was->completion_mode))
		field_invalid_typed(errors, FIELD(path, "completionMode"), now->completion_mode, IMMUTABLE);
	same(errors, FIELD(path, "podFailurePolicy"), now->pod_failure_policy, was->pod_failure_policy);
	if (now->has_backoff_limit_per_index != was->has_backoff_limit_per_index ||
		now->backoff_limit_per_index != was->backoff_limit_per_index)
		field_invalid_json(errors, FIELD(path, "backoffLimitPerIndex"),
			now->has_backoff_limit_per_index
				? arena_printf(errors->arena, "%d", now->backoff_limit_per_index)
				: "null",
			IMMUTABLE);
	if (!str_eq(now->managed_by, was->managed_by))
		field_invalid_typed(errors, FIELD(path, "managedBy"), now->managed_by, IMMUTABLE);
	same(errors, FIELD(path, "successPolicy"), now->success_policy, was->success_policy);
}

void validate_job_update(struct field_errors *errors, const BatchV1Job *job, const BatchV1Job *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const CoreV1PodTemplateSpec *before = old->spec ? old->spec->template : NULL;
	const MetaV1ObjectMeta *meta = before ? before->metadata : NULL;
	bool prefixed = meta_label(meta, "batch.kubernetes.io/job-name") &&
			meta_label(meta, "batch.kubernetes.io/controller-uid");
	check_job(errors, job, prefixed);
	validate_job_spec(errors, path, job->spec);
	check_selector(errors, path, job->spec);
	check_change(errors, job, old);
}

/* CronJob */

static void check_cron_schedule(struct field_errors *errors, const struct field_path *path,
	const BatchV1CronJobSpec *spec, const BatchV1CronJobSpec *old)
{
	bool zoned = old && strstr(str_or_empty(old->schedule), "TZ");
	const char *schedule = spec->schedule, *problem;
	if (str_empty(schedule)) {
		field_required(errors, path, "");
		return;
	}
	problem = check_schedule(errors->arena, schedule);
	if (problem)
		field_invalid(errors, path, schedule, problem);
	if (zoned && strstr(schedule, "TZ") && spec->time_zone)
		field_invalid(errors, path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
	else if (!zoned && strstr(schedule, "TZ"))
		field_invalid(
			errors, path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
}

static void check_zone(struct field_errors *errors, const struct field_path *path, const char *zone)
{
	const char *problem = *zone ? check_time_zone(errors->arena, zone) : "timeZone must be nil or non-empty string";
	if (str_eq_nocase(zone, "Local")) {
		field_invalid_typed(errors, path, zone,
			"timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
		/* That one the system knows. */
		problem = str_eq(zone, "Local") ? NULL : problem;
	}
	if (problem)
		field_invalid_typed(errors, path, zone, problem);
}

static void check_cron_job(struct field_errors *errors, const BatchV1CronJobSpec *spec, const BatchV1CronJobSpec *old)
{
	static const char *const policies[] = {"Allow", "Forbid", "Replace", NULL};
	const struct field_path *path = FIELD(NULL, "spec"), *at = FIELD(FIELD(path, "jobTemplate"), "spec");
	const BatchV1JobSpec *job =
		spec->job_template && spec->job_template->spec ? spec->job_template->spec : BatchV1JobSpec_schema.zero;
	bool same_zone = old && str_eq(spec->time_zone, old->time_zone) && !spec->time_zone == !old->time_zone;
	check_cron_schedule(errors, FIELD(path, "schedule"), spec, old);
	if (spec->has_starting_deadline_seconds)
		validate_not_negative(errors, FIELD(path, "startingDeadlineSeconds"), spec->starting_deadline_seconds);
	if (spec->time_zone && !same_zone)
		check_zone(errors, FIELD(path, "timeZone"), spec->time_zone);
	validate_one_of(errors, FIELD(path, "concurrencyPolicy"), spec->concurrency_policy, policies);
	validate_job_spec(errors, at, job);
	if (job->selector)
		field_invalid_message(
			errors, FIELD(at, "selector"), job->selector, "`selector` will be auto-generated");
	if (job->has_manual_selector && job->manual_selector)
		field_unsupported_json(
			errors, FIELD(at, "manualSelector"), "true", (const char *const[]){"nil", "false", NULL});
	if (spec->has_successful_jobs_history_limit)
		validate_not_negative(
			errors, FIELD(path, "successfulJobsHistoryLimit"), spec->successful_jobs_history_limit);
	if (spec->has_failed_jobs_history_limit)
		validate_not_negative(errors, FIELD(path, "failedJobsHistoryLimit"), spec->failed_jobs_history_limit);
}

void validate_cron_job(struct field_errors *errors, const BatchV1CronJob *job)
{
	check_cron_job(errors, job->spec, NULL);
	if (strlen(object_name(job)) > MAX_CRON_NAME)
		field_invalid(errors, FIELD(FIELD(NULL, "metadata"), "name"), object_name(job),
			"must be no more than 52 characters");
}

void validate_cron_job_update(struct field_errors *errors, const BatchV1CronJob *job, const BatchV1CronJob *old)
{
	check_cron_job(errors, job->spec, old->spec ? old->spec : BatchV1CronJobSpec_schema.zero);
}
