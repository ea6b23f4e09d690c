/* Claims of storage and Ingresses that name no class are given the one that is marked as the default. */
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

static bool is_marked(const MetaV1ObjectMeta *meta, const char *const *marks)
{
	for (; *marks; marks++)
		if (str_eq(meta_annotation(meta, *marks), "true"))
			return true;
	return false;
}

/* Of several defaults the newest, and of those the first by name; NULL: there is none. */
static struct status *find_default(const struct admission_context *context, const struct admission_attributes *a,
	const struct schema_type *type, const char *const *marks, char **ret_name)
{
	struct object_list list;
	const ProtobufCMessage *best = NULL;
	TRY(objects_list(context->objects, a->arena, type, NULL, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const MetaV1ObjectMeta *meta = object_meta(list.items[i]);
		if (!is_marked(meta, marks))
			continue;
		if (!best || time_compare(meta->creation_timestamp, object_meta(best)->creation_timestamp) > 0)
			best = list.items[i];
	}
	*ret_name = best ? arena_strdup(a->arena, object_name(best)) : NULL;
	return NULL;
}

static struct status *give_storage_class(const struct admission_context *context, const struct admission_attributes *a)
{
	static const char *const marks[] = {"storageclass.kubernetes.io/is-default-class",
		"storageclass.beta.kubernetes.io/is-default-class", NULL};
	if (a->operation != ADMISSION_CREATE || !admission_is(a, "", "persistentvolumeclaims", "") ||
		!API_IS(a->object, CoreV1PersistentVolumeClaim))
		return NULL;
	CoreV1PersistentVolumeClaim *claim = (CoreV1PersistentVolumeClaim *)a->object;
	if (!claim->spec || claim->spec->storage_class_name ||
		meta_annotation(claim->metadata, "volume.beta.kubernetes.io/storage-class"))
		return NULL;
	return find_default(context, a, &StorageV1StorageClass_schema, marks, &claim->spec->storage_class_name);
}

const struct admission_plugin default_storage_class_plugin = {
	.name = "DefaultStorageClass",
	.on_by_default = true,
	.operations = ON_CREATE,
	.mutate = give_storage_class,
};

static struct status *give_ingress_class(const struct admission_context *context, const struct admission_attributes *a)
{
	static const char *const marks[] = {"ingressclass.kubernetes.io/is-default-class", NULL};
	if (a->operation != ADMISSION_CREATE || !admission_is(a, "networking.k8s.io", "ingresses", "") ||
		!API_IS(a->object, NetworkingV1Ingress))
		return NULL;
	NetworkingV1Ingress *ingress = (NetworkingV1Ingress *)a->object;
	if (!ingress->spec || ingress->spec->ingress_class_name ||
		meta_annotation(ingress->metadata, "kubernetes.io/ingress.class"))
		return NULL;
	return find_default(context, a, &NetworkingV1IngressClass_schema, marks, &ingress->spec->ingress_class_name);
}

const struct admission_plugin default_ingress_class_plugin = {
	.name = "DefaultIngressClass",
	.on_by_default = true,
	.operations = ON_CREATE,
	.mutate = give_ingress_class,
};
