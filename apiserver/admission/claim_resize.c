#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

static struct quantity size_of(const CoreV1PersistentVolumeClaim *claim)
{
	const CoreV1VolumeResourceRequirements *r = claim->spec ? claim->spec->resources : NULL;
	return quantity_of(r ? quantity_map_get(r->requests, r->n_requests, "storage") : NULL);
}

/* The class by its field, or by the annotation of old. */
static const char *class_of(const CoreV1PersistentVolumeClaim *claim)
{
	const char *old = meta_annotation(claim->metadata, "volume.beta.kubernetes.io/storage-class");
	return old ? old : str_or_empty(claim->spec ? claim->spec->storage_class_name : NULL);
}

static bool class_grows(const struct admission_context *context, const struct admission_attributes *a, const char *name)
{
	const ProtobufCMessage *object;
	if (!*name)
		return false;
	CLEANUP_STATUS struct status *s =
		objects_get(context->objects, a->arena, &StorageV1StorageClass_schema, "", name, &object);
	const StorageV1StorageClass *class = s ? NULL : (const StorageV1StorageClass *)object;
	return class && class->has_allow_volume_expansion && class->allow_volume_expansion;
}

/* A claim may grow only when it is bound and its class knows how. */
static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (a->operation != ADMISSION_UPDATE || !admission_is(a, "", "persistentvolumeclaims", "") ||
		!API_IS(a->object, CoreV1PersistentVolumeClaim) || !API_IS(a->old, CoreV1PersistentVolumeClaim))
		return NULL;
	const CoreV1PersistentVolumeClaim *claim = (const CoreV1PersistentVolumeClaim *)a->object;
	const CoreV1PersistentVolumeClaim *old = (const CoreV1PersistentVolumeClaim *)a->old;
	struct quantity now = size_of(claim), was = size_of(old);
	if (quantity_compare(&now, &was) <= 0)
		return NULL;
	if (!old->status || !str_eq(old->status->phase, "Bound"))
		return admission_forbidden(a, "Only bound persistent volume claims can be expanded");
	if (!str_eq(class_of(claim), class_of(old)) || !class_grows(context, a, class_of(claim)))
		return admission_forbidden(a,
			"only dynamically provisioned pvc can be resized and the storageclass that "
			"provisions the pvc must support resize");
	return NULL;
}

const struct admission_plugin claim_resize_plugin = {
	.name = "PersistentVolumeClaimResize",
	.on_by_default = true,
	.operations = ON_UPDATE,
	.validate = validate,
};
