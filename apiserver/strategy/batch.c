#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/pod.h"
#include "apiserver/validation/workload.h"
#include "base/str.h"

/* A Job finds its pods by its own UID, which is written into selector and template when it is made. */
static void prepare_create_job(struct request *request, ProtobufCMessage *object)
{
	BatchV1Job *job = (BatchV1Job *)object;
	generic_prepare_create(request, object);
	BatchV1JobSpec *spec = ENSURE(request->arena, job->spec, BatchV1JobSpec);
	if ((spec->has_manual_selector && spec->manual_selector) || str_empty(object_uid(job)))
		return;
	CoreV1PodTemplateSpec *template = ENSURE(request->arena, spec->template, CoreV1PodTemplateSpec);
	MetaV1ObjectMeta *meta = ENSURE(request->arena, template->metadata, MetaV1ObjectMeta);
	static const char *const names[] = {"job-name", "batch.kubernetes.io/job-name"};
	static const char *const uids[] = {"controller-uid", "batch.kubernetes.io/controller-uid"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		meta_set_label(request->arena, meta, names[i], object_name(job));
		meta_set_label(request->arena, meta, uids[i], object_uid(job));
	}
	if (!spec->selector)
		spec->selector = API_NEW(request->arena, MetaV1LabelSelector);
	MetaV1ObjectMeta *own = object_meta_ensure(request->arena, object);
	if (!own->n_labels)
		map_copy(request->arena, meta->labels, meta->n_labels, &own->labels, &own->n_labels);
	map_set(request->arena, &spec->selector->match_labels, &spec->selector->n_match_labels, uids[1],
		object_uid(job));
}

static void check_job_spec(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	if (!spec)
		return;
	if (spec->has_parallelism && spec->parallelism < 0)
		field_invalid_int(
			errors, FIELD(path, "parallelism"), spec->parallelism, "must be greater than or equal to 0");
	if (spec->has_completions && spec->completions < 0)
		field_invalid_int(
			errors, FIELD(path, "completions"), spec->completions, "must be greater than or equal to 0");
	if (spec->has_backoff_limit && spec->backoff_limit < 0)
		field_invalid_int(
			errors, FIELD(path, "backoffLimit"), spec->backoff_limit, "must be greater than or equal to 0");
	if (!spec->template)
		return;
	const struct field_path *template = FIELD(path, "template");
	validate_pod_template(errors, template, spec->template);
	const char *policy = spec->template->spec ? str_or_empty(spec->template->spec->restart_policy) : "";
	static const char *const policies[] = {"OnFailure", "Never", NULL};
	if (str_eq(policy, "Always"))
		field_required(errors, FIELD(FIELD(template, "spec"), "restartPolicy"),
			"valid values: \"OnFailure\", \"Never\"");
	else if (!str_in(policy, policies))
		field_unsupported(errors, FIELD(FIELD(template, "spec"), "restartPolicy"), policy, policies);
}

static void validate_job(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	check_job_spec(errors, FIELD(NULL, "spec"), ((const BatchV1Job *)object)->spec);
}

static void validate_cron_job(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const BatchV1CronJobSpec *spec = ((const BatchV1CronJob *)object)->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec || str_empty(spec->schedule))
		field_required(errors, FIELD(path, "schedule"), "");
	if (spec && spec->job_template)
		check_job_spec(errors, FIELD(FIELD(path, "jobTemplate"), "spec"), spec->job_template->spec);
}

const struct strategy job_strategy = {
	.group = "batch",
	.resource = "jobs",
	.prepare_create = prepare_create_job,
	.validate_create = validate_job,
	.prepare_update = generic_prepare_update,
	.orphan_by_default = false,
};

const struct strategy cron_job_strategy = {
	.group = "batch",
	.resource = "cronjobs",
	.prepare_create = generic_prepare_create,
	.validate_create = validate_cron_job,
	.prepare_update = generic_prepare_update,
};

/* A claim is Pending until a controller binds it. */
static void prepare_create_claim(struct request *request, ProtobufCMessage *object)
{
	CoreV1PersistentVolumeClaim *claim = (CoreV1PersistentVolumeClaim *)object;
	claim->status = API_NEW(request->arena, CoreV1PersistentVolumeClaimStatus);
	claim->status->phase = (char *)"Pending";
}

const struct strategy claim_strategy = {
	.group = "",
	.resource = "persistentvolumeclaims",
	.prepare_create = prepare_create_claim,
	.prepare_update = generic_keep_status,
};
