#include "api/copy.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

/* The pod's spec, and its class; NULL for none, and what is not the creation of a pod has no spec. */
static struct status *read_class(const struct admission_context *context, const struct admission_attributes *a,
	CoreV1PodSpec **ret_spec, NodeV1RuntimeClass **ret_class)
{
	*ret_spec = NULL;
	*ret_class = NULL;
	if (a->operation != ADMISSION_CREATE || !admission_is(a, "", "pods", "") || !API_IS(a->object, CoreV1Pod))
		return NULL;
	CoreV1PodSpec *spec = *ret_spec = ((CoreV1Pod *)a->object)->spec;
	if (!spec || !spec->runtime_class_name)
		return NULL;
	if (!*spec->runtime_class_name)
		return status_with_code(status_new(STATUS_UNKNOWN, "resource name may not be empty"), 500);
	const char *wrong = admission_bad_name(a, spec->runtime_class_name);
	if (wrong)
		return status_new(STATUS_UNKNOWN, "%s", wrong);
	const ProtobufCMessage *object;
	struct status *s = admission_get(context, a, &NodeV1RuntimeClass_schema, "", spec->runtime_class_name, &object);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "told with the pod's name");
		return admission_forbidden(a, "pod rejected: RuntimeClass \"%s\" not found", spec->runtime_class_name);
	}
	if (!s)
		*ret_class = api_copy_msg(a->arena, object);
	return s;
}

static bool same_overhead(const NodeV1Overhead *overhead, const CoreV1PodSpec *spec)
{
	bool same = overhead->n_pod_fixed == spec->n_overhead;
	for (size_t i = 0; same && i < spec->n_overhead; i++) {
		const ResourceQuantity *q =
			quantity_map_get(overhead->pod_fixed, overhead->n_pod_fixed, spec->overhead[i]->key);
		same = q && !quantity_msg_compare(q, spec->overhead[i]->value);
	}
	return same;
}

#define MISMATCH "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"

/* A pod of a runtime class bears the class's overhead and goes where the class can run. */
static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	CoreV1PodSpec *spec;
	NodeV1RuntimeClass *class;
	TRY(read_class(context, a, &spec, &class));
	if (!class)
		return NULL;
	if (class->overhead && spec->n_overhead && !same_overhead(class->overhead, spec))
		return admission_forbidden(a, MISMATCH);
	if (class->overhead) {
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

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	CoreV1PodSpec *spec;
	NodeV1RuntimeClass *class;
	TRY(read_class(context, a, &spec, &class));
	if (class && class->overhead)
		return same_overhead(class->overhead, spec) ? NULL : admission_forbidden(a, MISMATCH);
	if (spec && spec->n_overhead)
		return admission_forbidden(
			a, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
	return NULL;
}

const struct admission_plugin runtime_class_plugin = {
	.name = "RuntimeClass",
	.on_by_default = true,
	.operations = ON_CREATE,
	.mutate = mutate,
	.validate = validate,
};
