#include "api/meta.h"
#include "apiserver/admission/plugins.h"

static const struct protected
{
	const char *group, *resource, *finalizer;
}
kinds[] = {
	{"", "persistentvolumeclaims", "kubernetes.io/pvc-protection"},
	{"", "persistentvolumes", "kubernetes.io/pv-protection"},
	{"storage.k8s.io", "volumeattributesclasses", "kubernetes.io/vac-protection"},
};

/* What may be in use is held until a controller has seen that nobody uses it. */
static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (a->operation != ADMISSION_CREATE)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (admission_is(a, kinds[i].group, kinds[i].resource, ""))
			meta_add_finalizer(a->arena, object_meta_ensure(a->arena, a->object), kinds[i].finalizer);
	return NULL;
}

const struct admission_plugin storage_protection_plugin = {
	.name = "StorageObjectInUseProtection",
	.on_by_default = true,
	.operations = ON_CREATE,
	.mutate = mutate,
};
