#include <pthread.h>
#include <stdlib.h>
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/map.h"
#include "base/mem.h"
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

/* --- the class for pods without one --- */

struct default_priorities {
	pthread_mutex_t lock;
	struct strmap *marked; /* name to struct default_priority: those that say they are it */
};

struct default_priority {
	int32_t value;
	char preemption[];
};

static void on_class(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct default_priorities *d = data;
	const SchedulingV1PriorityClass *class = (const SchedulingV1PriorityClass *)object;
	struct default_priority *marked = NULL;
	if (event != OBJECT_DELETED && class->global_default) {
		const char *preemption = of_class(class).preemption;
		const size_t size = strlen(preemption) + 1;
		marked = mem_alloc(sizeof(*marked) + size);
		marked->value = class->value;
		memcpy(marked->preemption, preemption, size);
	}
	pthread_mutex_lock(&d->lock);
	if (marked)
		strmap_put(d->marked, object_name(class), marked);
	else
		strmap_remove(d->marked, object_name(class));
	pthread_mutex_unlock(&d->lock);
}

static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	struct default_priorities *d = mem_zalloc(sizeof(*d));
	pthread_mutex_init(&d->lock, NULL);
	d->marked = strmap_new(free);
	objects_subscribe(context->objects, &SchedulingV1PriorityClass_schema, on_class, d);
	context->own = d;
	return NULL;
}

static void stop(void *own)
{
	struct default_priorities *d = own;
	strmap_free(d->marked);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* Of several the lowest. */
static struct priority find_default(const struct admission_context *context, struct arena *arena)
{
	struct default_priorities *d = context->own;
	struct priority lowest = {0, "", "PreemptLowerPriority"};
	pthread_mutex_lock(&d->lock);
	STRMAP_FOREACH (d->marked, it) {
		const struct default_priority *class = it.value;
		if (str_empty(lowest.class_name) || class->value < lowest.value ||
			(class->value == lowest.value && strcmp(it.key, lowest.class_name) < 0))
			lowest = (struct priority){class->value, it.key, class->preemption};
	}
	lowest.class_name = arena_strdup(arena, lowest.class_name);
	lowest.preemption = arena_strdup(arena, lowest.preemption);
	pthread_mutex_unlock(&d->lock);
	return lowest;
}

static struct status *resolve(const struct admission_context *context, const struct admission_attributes *a,
	const char *name, struct priority *ret)
{
	if (str_empty(name)) {
		*ret = find_default(context, a->arena);
		return NULL;
	}
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
	if (!class->global_default)
		return NULL;
	const struct priority p = find_default(context, a->arena);
	if (!str_empty(p.class_name) && !str_eq(p.class_name, object_name(class)))
		return admission_forbidden(
			a, "PriorityClass %s is already marked as default. Only one default can exist", p.class_name);
	return NULL;
}

const struct admission_plugin priority_plugin = {
	.name = "Priority",
	.on_by_default = true,
	.operations = ON_CREATE | ON_UPDATE | ON_DELETE,
	.mutate = mutate,
	.validate = validate,
	.start = start,
	.stop = stop,
};
