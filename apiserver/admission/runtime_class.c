#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

/* A pod of a runtime class bears the class's overhead and goes where the class can run. */
static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (a->operation != ADMISSION_CREATE || !admission_is(a, "", "pods", "") || !API_IS(a->object, CoreV1Pod))
		return NULL;
	CoreV1PodSpec *spec = ((CoreV1Pod *)a->object)->spec;
	if (!spec || !spec->runtime_class_name)
		return NULL;
	const ProtobufCMessage *object;
	struct status *s = objects_get(
		context->objects, a->arena, &NodeV1RuntimeClass_schema, "", spec->runtime_class_name, &object);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "told with the pod's name");
		return admission_forbidden(a, "pod rejected: RuntimeClass \"%s\" not found", spec->runtime_class_name);
	}
	if (s)
		return s;
	const NodeV1RuntimeClass *class = api_copy_msg(a->arena, object);
	if (class->overhead && class->overhead->n_pod_fixed && !spec->n_overhead) {
		spec->overhead = class->overhead->pod_fixed;
		spec->n_overhead = class->overhead->n_pod_fixed;
	}
	const NodeV1Scheduling *where = class->scheduling;
	for (size_t i = 0; where && i < where->n_node_selector; i++) {
		const char *key = where->node_selector[i]->key, *has = MAP_GET(spec, node_selector, key);
		if (has && !str_eq(has, where->node_selector[i]->value))
			return admission_forbidden(a,
				"conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; pod.spec.nodeSelector[%s] "
				"= %s",
				key, where->node_selector[i]->value, key, has);
		map_set(a->arena, &spec->node_selector, &spec->n_node_selector, key, where->node_selector[i]->value);
	}
	for (size_t i = 0; where && i < where->n_tolerations; i++)
		ARENA_PUSH(a->arena, spec->tolerations, spec->n_tolerations) = where->tolerations[i];
	return NULL;
}

const struct admission_plugin runtime_class_plugin = {
	.name = "RuntimeClass",
	.on_by_default = true,
	.mutate = mutate,
};
