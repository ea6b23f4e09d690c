#include "api/defaults/defaults.h"
#include "api/meta.h"
#include "apiserver/store/value.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/apps/batch.h"
#include "apiserver/validation/other.h"
#include "base/str.h"

#define OLD_CLASS "volume.beta.kubernetes.io/storage-class"

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
	MetaV1ObjectMeta *own = object_meta_ensure(request->arena, object);
	const bool shares_labels = job_shares_labels(job); /* before some are added */
	static const char *const names[] = {"job-name", "batch.kubernetes.io/job-name"};
	static const char *const uids[] = {"controller-uid", "batch.kubernetes.io/controller-uid"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!meta_label(meta, names[i]))
			meta_set_label(request->arena, meta, names[i], object_name(job));
		if (!meta_label(meta, uids[i]))
			meta_set_label(request->arena, meta, uids[i], object_uid(job));
	}
	if (!spec->selector)
		spec->selector = API_NEW(request->arena, MetaV1LabelSelector);
	if (shares_labels)
		map_copy(request->arena, meta->labels, meta->n_labels, &own->labels, &own->n_labels);
	if (!map_has(spec->selector->match_labels, spec->selector->n_match_labels, uids[1]))
		map_set(request->arena, &spec->selector->match_labels, &spec->selector->n_match_labels, uids[1],
			object_uid(job));
}

CHECKED_STATUS(job, BatchV1Job, validate_job, validate_job_update, validate_job_status)
CHECKED(cron_job, BatchV1CronJob, validate_cron_job, validate_cron_job_update)

enum { MANY_COMPLETIONS = 100000, MUCH_PARALLELISM = 10000 };

static void warn_of_spec(struct request *request, const struct field_path *path, const BatchV1JobSpec *spec)
{
	if (!spec)
		return;
	if (str_eq(spec->completion_mode, "Indexed") && spec->completions > MANY_COMPLETIONS &&
		spec->parallelism > MUCH_PARALLELISM)
		request_warn(request,
			"%s: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher "
			"than 10^4, Kubernetes might not be able to track completedIndexes when a big number of "
			"indexes fail",
			field_path_string(request->arena, path));
	pod_template_warn(request, FIELD(path, "template"), spec->template);
}

static bool is_changed(const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	return !old || object_meta(object)->generation != object_meta(old)->generation;
}

static void warn_job(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	generic_warn_of_name(request, object, old);
	if (!generic_is_status(request) && is_changed(object, old))
		warn_of_spec(request, FIELD(NULL, "spec"), ((const BatchV1Job *)object)->spec);
}

static void warn_cron_job(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const BatchV1CronJobSpec *spec = ((const BatchV1CronJob *)object)->spec;
	generic_warn_of_name(request, object, old);
	if (generic_is_status(request))
		return;
	if (is_changed(object, old) && spec->job_template)
		warn_of_spec(
			request, FIELD(FIELD(FIELD(NULL, "spec"), "jobTemplate"), "spec"), spec->job_template->spec);
	if (old && strstr(str_or_empty(spec->schedule), "TZ"))
		request_warn(request, "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
				      "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more "
				      "details");
}

/* A Job without labels has those of its template: not asked of it, but stored. */
static void label_as_template(struct request *request, ProtobufCMessage *object)
{
	const BatchV1JobSpec *spec = ((BatchV1Job *)object)->spec;
	const MetaV1ObjectMeta *meta = spec && spec->template ? spec->template->metadata : NULL;
	MetaV1ObjectMeta *own = object_meta_ensure(request->arena, object);
	if (!own->n_labels && meta && meta->n_labels)
		map_copy(request->arena, meta->labels, meta->n_labels, &own->labels, &own->n_labels);
}

static struct status *begin_create_job(struct request *request, ProtobufCMessage *object)
{
	label_as_template(request, object);
	return NULL;
}

static struct status *begin_update_job(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	label_as_template(request, object);
	return NULL;
}

const struct strategy job_strategy = {
	.group = "batch",
	.resource = "jobs",
	.update_checks = {CHECK_META, CHECK_META_CHANGE, CHECK_CHANGE},
	.prepare_create = prepare_create_job,
	.begin_create = begin_create_job,
	.begin_update = begin_update_job,
	.prepare_update = generic_next_generation,
	CHECKS(job),
	.warn = warn_job,
	.orphan_by_default = true,
	.orphan_warning = "child pods are preserved by default when jobs are deleted; set "
			  "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress "
			  "this warning",
};

const struct strategy cron_job_strategy = {
	.group = "batch",
	.resource = "cronjobs",
	.update_checks = {CHECK_META_CHANGE, CHECK_CHANGE},
	.status_checks = {CHECK_NOTHING},
	.prepare_create = generic_prepare_create,
	.prepare_update = generic_next_generation,
	CHECKS(cron_job),
	.warn = warn_cron_job,
};

static bool is_claim_or_snapshot(const CoreV1TypedLocalObjectReference *source)
{
	return (str_eq(source->kind, "PersistentVolumeClaim") && str_empty(source->api_group)) ||
	       (str_eq(source->kind, "VolumeSnapshot") && str_eq(source->api_group, "snapshot.storage.k8s.io"));
}

/* Old clients' sources of other kinds were always ignored;
 * other namespaces are a feature that is not enabled. */
static void settle_sources(
	struct arena *arena, CoreV1PersistentVolumeClaimSpec *spec, const CoreV1PersistentVolumeClaimSpec *old)
{
	if (spec->data_source_ref && !str_empty(spec->data_source_ref->namespace) && !(old && old->data_source_ref))
		spec->data_source_ref = NULL;
	if (spec->data_source && !spec->data_source_ref && !(old && old->data_source) &&
		!is_claim_or_snapshot(spec->data_source))
		spec->data_source = NULL;
	value_settle_sources(arena, spec);
}

static void prepare_update_claim(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	CoreV1PersistentVolumeClaim *claim = (CoreV1PersistentVolumeClaim *)object;
	if (!generic_is_status(request) && claim->spec)
		settle_sources(request->arena, claim->spec, ((const CoreV1PersistentVolumeClaim *)old)->spec);
}

/* A claim is Pending until a controller binds it. */
static void prepare_create_claim(struct request *request, ProtobufCMessage *object)
{
	CoreV1PersistentVolumeClaim *claim = (CoreV1PersistentVolumeClaim *)object;
	settle_sources(request->arena, ENSURE(request->arena, claim->spec, CoreV1PersistentVolumeClaimSpec), NULL);
	claim->status = API_NEW(request->arena, CoreV1PersistentVolumeClaimStatus);
	claim->status->phase = (char *)"Pending";
}

static void claim_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_claim(errors, (const CoreV1PersistentVolumeClaim *)object);
}

static void claim_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	const CoreV1PersistentVolumeClaim *claim = (const CoreV1PersistentVolumeClaim *)object;
	if (generic_is_status(request))
		validate_claim_status_update(errors, claim, (const CoreV1PersistentVolumeClaim *)old);
	else
		validate_claim_update(errors, claim, (const CoreV1PersistentVolumeClaim *)old);
}

static void warn_claim(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const CoreV1PersistentVolumeClaim *claim = (const CoreV1PersistentVolumeClaim *)object;
	const struct field_path *annotations = FIELD(FIELD(NULL, "metadata"), "annotations");
	if (generic_is_status(request))
		return;
	if (meta_annotation(claim->metadata, OLD_CLASS))
		request_warn_at(request, FIELD_KEY(annotations, OLD_CLASS),
			"deprecated since v1.8; use \"storageClassName\" attribute instead");
	claim_warn(request, FIELD(NULL, "spec"), claim->spec);
}

const struct strategy claim_strategy = {
	.group = "",
	.resource = "persistentvolumeclaims",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_META, CHECK_NEW, CHECK_CHANGE},
	.prepare_create = prepare_create_claim,
	.validate_create = claim_create,
	.prepare_update = prepare_update_claim,
	.warn = warn_claim,
	.validate_update = claim_update,
};
