#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/other.h"
#include "base/str.h"

CHECKED(volume, CoreV1PersistentVolume, validate_volume, validate_volume_update)

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	CoreV1PersistentVolume *volume = (CoreV1PersistentVolume *)object;
	volume->status = API_NEW(request->arena, CoreV1PersistentVolumeStatus);
	volume->status->phase = (char *)"Pending";
	volume->status->last_phase_transition_time = time_now(request->arena);
}

/* Who changes the phase need not say when. */
static void settle_transition(
	struct request *request, CoreV1PersistentVolume *volume, const CoreV1PersistentVolume *old)
{
	CoreV1PersistentVolumeStatus *now = ENSURE(request->arena, volume->status, CoreV1PersistentVolumeStatus);
	const CoreV1PersistentVolumeStatus *was =
		old->status ? old->status : API_NEW(request->arena, CoreV1PersistentVolumeStatus);
	bool moved = !str_eq(now->phase, was->phase);
	if (!moved && !now->last_phase_transition_time)
		now->last_phase_transition_time = was->last_phase_transition_time;
	if (moved && (!now->last_phase_transition_time ||
			     api_equal(now->last_phase_transition_time, was->last_phase_transition_time)))
		now->last_phase_transition_time = time_now(request->arena);
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (generic_is_status(request))
		settle_transition(request, (CoreV1PersistentVolume *)object, (const CoreV1PersistentVolume *)old);
}

static void warn_of_source(struct request *request, const CoreV1PersistentVolumeSource *s)
{
	const struct {
		const void *used;
		const char *text;
	} old[] = {
		{s->cephfs, "cephfs: deprecated in v1.28, non-functional in v1.31+"},
		{s->photon_persistent_disk, "photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+"},
		{s->scale_io, "scaleIO: deprecated in v1.16, non-functional in v1.22+"},
		{s->storageos, "storageOS: deprecated in v1.22, non-functional in v1.25+"},
		{s->glusterfs, "glusterfs: deprecated in v1.25, non-functional in v1.26+"},
		{s->rbd, "rbd: deprecated in v1.28, non-functional in v1.31+"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		if (old[i].used)
			request_warn(request, "spec.%s", old[i].text);
}

static void warn(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	static const char *const annotations[][2] = {
		{"volume.beta.kubernetes.io/storage-class", "v1.8; use \"storageClassName\""},
		{"volume.beta.kubernetes.io/mount-options", "v1.31; use \"mountOptions\""},
	};
	const CoreV1PersistentVolume *volume = (const CoreV1PersistentVolume *)object;
	const CoreV1PersistentVolumeSpec *spec = volume->spec;
	if (generic_is_status(request) || !spec)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(annotations); i++)
		if (meta_annotation(volume->metadata, annotations[i][0]))
			request_warn(request, "metadata.annotations[%s]: deprecated since %s attribute instead",
				annotations[i][0], annotations[i][1]);
	if (str_eq(spec->persistent_volume_reclaim_policy, "Recycle"))
		request_warn(request,
			"spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, "
			"the recommended approach is to use dynamic provisioning.");
	const CoreV1NodeSelector *nodes = spec->node_affinity ? spec->node_affinity->required : NULL;
	const struct field_path *path =
		FIELD(FIELD(FIELD(FIELD(NULL, "spec"), "nodeAffinity"), "required"), "nodeSelectorTerms");
	for (size_t i = 0; nodes && i < nodes->n_node_selector_terms; i++)
		node_term_warn(request, FIELD_INDEX(path, i), nodes->node_selector_terms[i], false);
	if (spec->persistent_volume_source)
		warn_of_source(request, spec->persistent_volume_source);
}

const struct strategy volume_strategy = {.group = "",
	.resource = "persistentvolumes",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META, CHECK_CHANGE},
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.warn = warn,
	CHECKS(volume)};
