#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

/* What a class comes to. */
struct priority {
	int32_t value;
	const char *class_name;
	const char *preemption;
};

static bool system_class(const char *name, struct priority *ret)
{
	*ret = (struct priority){.class_name = name, .preemption = "PreemptLowerPriority"};
	if (str_eq(name, "system-node-critical"))
		ret->value = 2000001000;
	else if (str_eq(name, "system-cluster-critical"))
		ret->value = 2000000000;
	return ret->value;
}

static struct priority of_class(const SchedulingV1PriorityClass *class)
{
	return (struct priority){
		class->value, object_name(class), str_or(class->preemption_policy, "PreemptLowerPriority")};
}

/* The class for pods without one: of several the lowest. */
static struct status *default_class(
	const struct admission_context *context, const struct admission_attributes *a, struct priority *ret)
{
	struct object_list list;
	*ret = (struct priority){0, "", "PreemptLowerPriority"};
	TRY(objects_list(context->objects, a->arena, &SchedulingV1PriorityClass_schema, NULL, &list));
	bool found = false;
	for (size_t i = 0; i < list.n_items; i++) {
		const SchedulingV1PriorityClass *class = (const SchedulingV1PriorityClass *)list.items[i];
		if (class->global_default && (!found || class->value < ret->value)) {
			*ret = of_class(class);
			found = true;
		}
	}
	return NULL;
}

static struct status *resolve(const struct admission_context *context, const struct admission_attributes *a,
	const char *name, struct priority *ret)
{
	if (str_empty(name))
		return default_class(context, a, ret);
	const ProtobufCMessage *class;
	struct status *s = objects_get(context->objects, a->arena, &SchedulingV1PriorityClass_schema, "", name, &class);
	if (!s) {
		*ret = of_class((const SchedulingV1PriorityClass *)class);
		return NULL;
	}
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_drop(s, "the system's own classes hold before they are stored");
	if (system_class(name, ret))
		return NULL;
	return admission_forbidden(a, "no PriorityClass with name %s was found", name);
}

static struct status *on_create(
	const struct admission_context *context, const struct admission_attributes *a, CoreV1PodSpec *spec)
{
	struct priority p;
	TRY(resolve(context, a, spec->priority_class_name, &p));
	spec->priority_class_name = arena_strdup(a->arena, p.class_name);
	if (spec->has_priority && spec->priority != p.value)
		return admission_forbidden(a,
			"the integer value of priority (%d) must not be provided in pod spec; priority admission "
			"controller computed %d "
			"from the given PriorityClass name",
			spec->priority, p.value);
	spec->has_priority = true;
	spec->priority = p.value;
	if (spec->preemption_policy && !str_eq(spec->preemption_policy, p.preemption))
		return admission_forbidden(a,
			"the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority "
			"admission controller "
			"computed %s from the given PriorityClass name",
			spec->preemption_policy, p.preemption);
	spec->preemption_policy = arena_strdup(a->arena, p.preemption);
	return NULL;
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!admission_is(a, "", "pods", "") || !API_IS(a->object, CoreV1Pod))
		return NULL;
	CoreV1PodSpec *spec = ((CoreV1Pod *)a->object)->spec;
	if (!spec)
		return NULL;
	if (a->operation == ADMISSION_CREATE)
		return on_create(context, a, spec);
	/* A PUT that leaves out what was computed keeps it. */
	const CoreV1PodSpec *old = API_IS(a->old, CoreV1Pod) ? ((const CoreV1Pod *)a->old)->spec : NULL;
	if (old && old->has_priority && !spec->has_priority) {
		spec->has_priority = true;
		spec->priority = old->priority;
	}
	if (old && old->preemption_policy && !spec->preemption_policy)
		spec->preemption_policy = old->preemption_policy;
	return NULL;
}

/* Only one class may be the default; system- names belong to the system. */
static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!admission_is(a, "scheduling.k8s.io", "priorityclasses", "") ||
		!API_IS(a->object, SchedulingV1PriorityClass))
		return NULL;
	const SchedulingV1PriorityClass *class = (const SchedulingV1PriorityClass *)a->object;
	struct priority p;
	if (!class->global_default)
		return NULL;
	TRY(default_class(context, a, &p));
	if (!str_empty(p.class_name) && !str_eq(p.class_name, object_name(class)))
		return admission_forbidden(
			a, "PriorityClass %s is already marked as default. Only one default can exist", p.class_name);
	return NULL;
}

const struct admission_plugin priority_plugin = {
	.name = "Priority",
	.on_by_default = true,
	.mutate = mutate,
	.validate = validate,
};
