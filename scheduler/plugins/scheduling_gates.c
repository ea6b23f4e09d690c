/* SchedulingGates: a pod waits outside the queue until its gates are removed. */
#include "base/str.h"
#include "scheduler/plugins/table.h"

static struct verdict pre_enqueue(void *self, struct arena *arena, const struct pod_info *pod)
{
	const CoreV1PodSpec *spec = pod->pod->spec;
	if (!spec || !spec->n_scheduling_gates)
		return success();
	char **names = ARENA_ARRAY(arena, char *, spec->n_scheduling_gates);
	for (size_t i = 0; i < spec->n_scheduling_gates; i++)
		names[i] = spec->scheduling_gates[i]->name;
	return unresolvable(arena_printf(
		arena, "waiting for scheduling gates: [%s]", str_join(arena, names, spec->n_scheduling_gates, " ")));
}

static enum queueing_hint own_update(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	return event->new_pod && str_eq(event->new_pod->uid, pod->uid) ? HINT_QUEUE : HINT_SKIP;
}

static const struct event_interest events[] = {{EVENT_POD, EVENT_UPDATE_POD_GATES_GONE, own_update}, {0}};

const struct plugin plugin_scheduling_gates = {.name = "SchedulingGates", .pre_enqueue = pre_enqueue, .events = events};
