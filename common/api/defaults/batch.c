#include "api/defaults/defaults.h"
#include "api/defaults/table.h"

static void set_job_spec(struct arena *arena, BatchV1JobSpec *spec)
{
	DEFAULT_MESSAGE(arena, spec, template, CoreV1PodTemplateSpec);
	if (!spec->has_completions && !spec->has_parallelism)
		DEFAULT_SCALAR(spec, completions, 1);
	DEFAULT_SCALAR(spec, parallelism, 1);
	DEFAULT_SCALAR(spec, backoff_limit, spec->has_backoff_limit_per_index ? INT32_MAX : 6);
	DEFAULT_OPTIONAL_STRING(spec, completion_mode, "NonIndexed");
	DEFAULT_SCALAR(spec, suspend, false);
	DEFAULT_OPTIONAL_STRING(
		spec, pod_replacement_policy, spec->pod_failure_policy ? "Failed" : "TerminatingOrFailed");
	DEFAULT_SCALAR(spec, manual_selector, false);
}

static void set_job(struct arena *arena, void *msg)
{
	BatchV1Job *job = msg;
	DEFAULT_MESSAGE(arena, job, spec, BatchV1JobSpec);
	DEFAULT_MESSAGE(arena, job, metadata, MetaV1ObjectMeta);
	set_job_spec(arena, job->spec);
	MetaV1ObjectMeta *template = job->spec->template->metadata;
	/* See job_shares_labels(). */
	if (template && template->n_labels && !job->metadata->n_labels) {
		job->metadata->n_labels = template->n_labels;
		job->metadata->labels =
			arena_dup(arena, template->labels, template->n_labels * sizeof(*template->labels));
	}
}

bool job_shares_labels(const BatchV1Job *job)
{
	const CoreV1PodTemplateSpec *template = job->spec ? job->spec->template : NULL;
	const MetaV1ObjectMeta *meta = job->metadata, *of = template ? template->metadata : NULL;
	bool shares = meta && of && of->n_labels && meta->n_labels == of->n_labels;
	for (size_t i = 0; shares && i < of->n_labels; i++)
		shares = meta->labels[i] == of->labels[i];
	return shares;
}

static void set_cron_job(struct arena *arena, void *msg)
{
	BatchV1CronJob *job = msg;
	DEFAULT_MESSAGE(arena, job, spec, BatchV1CronJobSpec);
	BatchV1CronJobSpec *spec = job->spec;
	DEFAULT_STRING(spec, concurrency_policy, "Allow");
	DEFAULT_SCALAR(spec, suspend, false);
	DEFAULT_SCALAR(spec, successful_jobs_history_limit, 3);
	DEFAULT_SCALAR(spec, failed_jobs_history_limit, 1);
	DEFAULT_MESSAGE(arena, spec, job_template, BatchV1JobTemplateSpec);
	DEFAULT_MESSAGE(arena, spec->job_template, spec, BatchV1JobSpec);
	DEFAULT_MESSAGE(arena, spec->job_template->spec, template, CoreV1PodTemplateSpec);
}

static void set_condition_pattern(struct arena *arena, void *msg)
{
	BatchV1PodFailurePolicyOnPodConditionsPattern *pattern = msg;
	DEFAULT_STRING(pattern, status, "True");
}

const struct defaulter defaults_batch[] = {
	{&BatchV1Job_schema, set_job},
	{&BatchV1CronJob_schema, set_cron_job},
	{&BatchV1PodFailurePolicyOnPodConditionsPattern_schema, set_condition_pattern},
	{NULL, NULL},
};
