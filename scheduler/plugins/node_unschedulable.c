/* NodeUnschedulable: a cordoned node takes only pods that tolerate its cordon. */
#include "base/str.h"
#include "scheduler/plugins/table.h"

#define CORDON "node.kubernetes.io/unschedulable"

static bool tolerates(const struct pod_info *pod)
{
	const CoreV1PodSpec *spec = pod->pod->spec;
	return spec && tolerations_match(spec->tolerations, spec->n_tolerations, CORDON, "", "NoSchedule");
}

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	if (!(cycle->nodes->flags[row] & NODE_UNSCHEDULABLE) || tolerates(cycle->pod))
		return success();
	return unresolvable("node(s) were unschedulable");
}

static bool open_to(const CoreV1Node *node, const struct pod_info *pod)
{
	return !(node->spec && node->spec->unschedulable) || tolerates(pod);
}

static enum queueing_hint node_changed(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	if (!event->new_node || !open_to(event->new_node, pod))
		return HINT_SKIP;
	return event->old_node && open_to(event->old_node, pod) ? HINT_SKIP : HINT_QUEUE;
}

static enum queueing_hint own_tolerations(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	return event->new_pod && str_eq(event->new_pod->uid, pod->uid) ? HINT_QUEUE : HINT_SKIP;
}

static const struct event_interest events[] = {
	{EVENT_NODE, EVENT_ADD | EVENT_UPDATE_NODE_TAINT, node_changed},
	{EVENT_POD, EVENT_UPDATE_POD_TOLERATION, own_tolerations},
	{0},
};

const struct plugin plugin_node_unschedulable = {.name = "NodeUnschedulable", .filter = filter, .events = events};
