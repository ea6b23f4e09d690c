#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/other.h"
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

static void job_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_job(errors, (const BatchV1Job *)object);
}

static void job_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	if (!generic_is_status(request))
		validate_job_update(errors, (const BatchV1Job *)object, (const BatchV1Job *)old);
}

static void cron_job_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_cron_job(errors, (const BatchV1CronJob *)object);
}

static void cron_job_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	if (!generic_is_status(request))
		validate_cron_job(errors, (const BatchV1CronJob *)object);
}

const struct strategy job_strategy = {
	.group = "batch",
	.resource = "jobs",
	.prepare_create = prepare_create_job,
	.validate_create = job_create,
	.validate_update = job_update,
	.prepare_update = generic_prepare_update,
	.orphan_by_default = false,
};

const struct strategy cron_job_strategy = {
	.group = "batch",
	.resource = "cronjobs",
	.prepare_create = generic_prepare_create,
	.validate_create = cron_job_create,
	.validate_update = cron_job_update,
	.check_name = name_is_dns_subdomain,
	.prepare_update = generic_prepare_update,
};

static bool is_claim_or_snapshot(const CoreV1TypedLocalObjectReference *source)
{
	return (str_eq(source->kind, "PersistentVolumeClaim") && str_empty(source->api_group)) ||
	       (str_eq(source->kind, "VolumeSnapshot") && str_eq(source->api_group, "snapshot.storage.k8s.io"));
}

/* dataSource and dataSourceRef are one thing under two names. Old clients' sources of other kinds were always ignored;
 * other namespaces are a feature that is not enabled. */
static void settle_sources(
	struct arena *arena, CoreV1PersistentVolumeClaimSpec *spec, const CoreV1PersistentVolumeClaimSpec *old)
{
	if (spec->data_source_ref && !str_empty(spec->data_source_ref->namespace) && !(old && old->data_source_ref))
		spec->data_source_ref = NULL;
	if (spec->data_source && !spec->data_source_ref && !(old && old->data_source) &&
		!is_claim_or_snapshot(spec->data_source))
		spec->data_source = NULL;
	if (spec->data_source && !spec->data_source_ref) {
		spec->data_source_ref = API_NEW(arena, CoreV1TypedObjectReference);
		spec->data_source_ref->api_group = spec->data_source->api_group;
		spec->data_source_ref->kind = spec->data_source->kind;
		spec->data_source_ref->name = spec->data_source->name;
	} else if (spec->data_source_ref && !spec->data_source && str_empty(spec->data_source_ref->namespace)) {
		spec->data_source = API_NEW(arena, CoreV1TypedLocalObjectReference);
		spec->data_source->api_group = spec->data_source_ref->api_group;
		spec->data_source->kind = spec->data_source_ref->kind;
		spec->data_source->name = spec->data_source_ref->name;
	}
}

static void prepare_update_claim(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	CoreV1PersistentVolumeClaim *claim = (CoreV1PersistentVolumeClaim *)object;
	generic_keep_status(request, object, old);
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

const struct strategy claim_strategy = {
	.group = "",
	.resource = "persistentvolumeclaims",
	.prepare_create = prepare_create_claim,
	.validate_create = claim_create,
	.prepare_update = prepare_update_claim,
	.meta_again = META_ALL_AGAIN,
	.validate_update = claim_update,
};
