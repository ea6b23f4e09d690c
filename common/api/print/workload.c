/* Rows of what makes pods. */
#include <inttypes.h>
#include "api/print/internal.h"
#include "api/selector.h"

static int32_t or_zero(bool has, int32_t value)
{
	return has ? value : 0;
}

static void cell_selector(struct printer *p, const MetaV1LabelSelector *selector)
{
	cell_text(p, label_selector_format_api(p->arena, selector));
}

static void cell_deployment_selector(struct printer *p, const MetaV1LabelSelector *selector)
{
	char *text = label_selector_format_api(p->arena, selector);

	cell_text(p, str_eq(text, "<error>") ? "<invalid>" : str_eq(text, "<none>") ? "" : text);
}

static void print_deployment(struct printer *p, const void *msg)
{
	const AppsV1Deployment *d = msg;
	const AppsV1DeploymentSpec *spec = d->spec ? d->spec : AppsV1DeploymentSpec_schema.zero;
	const AppsV1DeploymentStatus *status = d->status ? d->status : AppsV1DeploymentStatus_schema.zero;

	cell_name(p, msg);
	cell_printf(p, "%" PRId32 "/%" PRId32, status->ready_replicas, or_zero(spec->has_replicas, spec->replicas));
	cell_number(p, status->updated_replicas);
	cell_number(p, status->available_replicas);
	cell_age(p, msg);
	cell_containers(p, spec->template);
	cell_deployment_selector(p, spec->selector);
}

static void print_replica_set(struct printer *p, const void *msg)
{
	const AppsV1ReplicaSet *rs = msg;
	const AppsV1ReplicaSetSpec *spec = rs->spec ? rs->spec : AppsV1ReplicaSetSpec_schema.zero;
	const AppsV1ReplicaSetStatus *status = rs->status ? rs->status : AppsV1ReplicaSetStatus_schema.zero;

	cell_name(p, msg);
	cell_number(p, or_zero(spec->has_replicas, spec->replicas));
	cell_number(p, status->replicas);
	cell_number(p, status->ready_replicas);
	cell_age(p, msg);
	cell_containers(p, spec->template);
	cell_selector(p, spec->selector);
}

static void print_replication_controller(struct printer *p, const void *msg)
{
	const CoreV1ReplicationController *rc = msg;
	const CoreV1ReplicationControllerSpec *spec = rc->spec ? rc->spec : CoreV1ReplicationControllerSpec_schema.zero;
	const CoreV1ReplicationControllerStatus *status =
		rc->status ? rc->status : CoreV1ReplicationControllerStatus_schema.zero;

	cell_name(p, msg);
	cell_number(p, or_zero(spec->has_replicas, spec->replicas));
	cell_number(p, status->replicas);
	cell_number(p, status->ready_replicas);
	cell_age(p, msg);
	cell_containers(p, spec->template);
	cell_labels(p, spec->selector, spec->n_selector);
}

static void print_daemon_set(struct printer *p, const void *msg)
{
	const AppsV1DaemonSet *ds = msg;
	const AppsV1DaemonSetSpec *spec = ds->spec ? ds->spec : AppsV1DaemonSetSpec_schema.zero;
	const AppsV1DaemonSetStatus *status = ds->status ? ds->status : AppsV1DaemonSetStatus_schema.zero;
	const CoreV1PodSpec *pod = spec->template ? spec->template->spec : NULL;

	cell_name(p, msg);
	cell_number(p, status->desired_number_scheduled);
	cell_number(p, status->current_number_scheduled);
	cell_number(p, status->number_ready);
	cell_number(p, status->updated_number_scheduled);
	cell_number(p, status->number_available);
	cell_labels(p, pod ? pod->node_selector : NULL, pod ? pod->n_node_selector : 0);
	cell_age(p, msg);
	cell_containers(p, spec->template);
	cell_selector(p, spec->selector);
}

static void print_stateful_set(struct printer *p, const void *msg)
{
	const AppsV1StatefulSet *s = msg;
	const AppsV1StatefulSetSpec *spec = s->spec ? s->spec : AppsV1StatefulSetSpec_schema.zero;

	cell_name(p, msg);
	cell_printf(p, "%" PRId32 "/%" PRId32, s->status ? s->status->ready_replicas : 0,
		or_zero(spec->has_replicas, spec->replicas));
	cell_age(p, msg);
	cell_containers(p, spec->template);
}

static void print_controller_revision(struct printer *p, const void *msg)
{
	const AppsV1ControllerRevision *revision = msg;
	const MetaV1OwnerReference *owner = meta_controller_of(revision->metadata);
	char *group, *version;

	cell_name(p, msg);
	if (owner) {
		schema_split_api_version(p->arena, owner->api_version, &group, &version);
		cell_printf(p, "%s%s%s/%s", str_lower(p->arena, owner->kind), *group ? "." : "", group, owner->name);
	} else {
		cell_text(p, "<none>");
	}
	cell_number(p, revision->revision);
	cell_age(p, msg);
}

static const char *job_state(const BatchV1Job *job)
{
	static const char *const after[] = {"Suspended", "FailureTarget", "SuccessCriteriaMet", NULL};
	void *const *conditions = job->status ? (void *const *)job->status->conditions : NULL;
	size_t n = job->status ? job->status->n_conditions : 0;

	if (condition_is(conditions, n, "Complete", "True"))
		return "Complete";
	if (condition_is(conditions, n, "Failed", "True"))
		return "Failed";
	if (meta_is_deleting(job->metadata))
		return "Terminating";
	for (size_t i = 0; after[i]; i++)
		if (condition_is(conditions, n, after[i], "True"))
			return after[i];
	return "Running";
}

static void print_job(struct printer *p, const void *msg)
{
	const BatchV1Job *job = msg;
	const BatchV1JobSpec *spec = job->spec ? job->spec : BatchV1JobSpec_schema.zero;
	const BatchV1JobStatus *status = job->status ? job->status : BatchV1JobStatus_schema.zero;

	cell_name(p, msg);
	cell_text(p, job_state(job));
	if (spec->has_completions)
		cell_printf(p, "%" PRId32 "/%" PRId32, status->succeeded, spec->completions);
	else if (spec->has_parallelism && spec->parallelism > 1)
		cell_printf(p, "%" PRId32 "/1 of %" PRId32, status->succeeded, spec->parallelism);
	else
		cell_printf(p, "%" PRId32 "/1", status->succeeded);
	const MetaV1Time *begin = status->start_time, *end = status->completion_time;
	if (begin && !end)
		cell_since(p, "", begin->seconds, "");
	else
		cell_text(p, begin ? duration_human(p->arena, end->seconds - begin->seconds) : "");
	cell_age(p, msg);
	cell_containers(p, spec->template);
	cell_selector(p, spec->selector);
}

static void print_cron_job(struct printer *p, const void *msg)
{
	const BatchV1CronJob *job = msg;
	const BatchV1CronJobSpec *spec = job->spec ? job->spec : BatchV1CronJobSpec_schema.zero;
	const BatchV1CronJobStatus *status = job->status ? job->status : BatchV1CronJobStatus_schema.zero;
	const BatchV1JobSpec *template = spec->job_template ? spec->job_template->spec : NULL;

	cell_name(p, msg);
	cell_text(p, spec->schedule);
	cell_text(p, spec->time_zone ? spec->time_zone : "<none>");
	cell_text(p, !spec->has_suspend ? "<unset>" : spec->suspend ? "True" : "False");
	cell_number(p, (int64_t)status->n_active);
	if (status->last_schedule_time)
		cell_time(p, status->last_schedule_time);
	else
		cell_text(p, "<none>");
	cell_age(p, msg);
	cell_containers(p, template ? template->template : NULL);
	cell_selector(p, template ? template->selector : NULL);
}

static void print_pod_template(struct printer *p, const void *msg)
{
	const CoreV1PodTemplateSpec *template = ((const CoreV1PodTemplate *)msg)->template;
	const MetaV1ObjectMeta *meta = template ? template->metadata : NULL;

	cell_name(p, msg);
	cell_containers(p, template);
	cell_labels(p, meta ? meta->labels : NULL, meta ? meta->n_labels : 0);
}

const struct kind_printer print_workload_kinds[] = {
	{&AppsV1Deployment_schema, print_deployment},
	{&AppsV1ReplicaSet_schema, print_replica_set},
	{&AppsV1DaemonSet_schema, print_daemon_set},
	{&AppsV1StatefulSet_schema, print_stateful_set},
	{&AppsV1ControllerRevision_schema, print_controller_revision},
	{&CoreV1ReplicationController_schema, print_replication_controller},
	{&CoreV1PodTemplate_schema, print_pod_template},
	{&BatchV1Job_schema, print_job},
	{&BatchV1CronJob_schema, print_cron_job},
	{0},
};
