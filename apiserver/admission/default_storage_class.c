#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

#define IS_DEFAULT "storageclass.kubernetes.io/is-default-class"

/* Of several default classes the newest holds. */
static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (a->operation != ADMISSION_CREATE || !admission_is(a, "", "persistentvolumeclaims", "") ||
		!API_IS(a->object, CoreV1PersistentVolumeClaim))
		return NULL;
	CoreV1PersistentVolumeClaim *claim = (CoreV1PersistentVolumeClaim *)a->object;
	if (!claim->spec || claim->spec->storage_class_name ||
		meta_annotation(claim->metadata, "volume.beta.kubernetes.io/storage-class"))
		return NULL;
	struct object_list list;
	TRY(objects_list(context->objects, a->arena, &StorageV1StorageClass_schema, NULL, &list));
	const ProtobufCMessage *best = NULL;
	for (size_t i = 0; i < list.n_items; i++) {
		const MetaV1ObjectMeta *meta = object_meta(list.items[i]);
		if (!str_eq(meta_annotation(meta, IS_DEFAULT), "true"))
			continue;
		if (!best || time_compare(meta->creation_timestamp, object_meta(best)->creation_timestamp) > 0)
			best = list.items[i];
	}
	if (best)
		claim->spec->storage_class_name = arena_strdup(a->arena, object_name(best));
	return NULL;
}

const struct admission_plugin default_storage_class_plugin = {
	.name = "DefaultStorageClass",
	.on_by_default = true,
	.mutate = mutate,
};
