/* NodePorts: two pods that ask for the same host port on the same address cannot share a node. */
#include "base/str.h"
#include "scheduler/plugins/table.h"

static struct verdict pre_filter(void *self, struct cycle *cycle, struct node_names *ret_names)
{
	return cycle->pod->n_ports ? success() : skipped();
}

static bool conflict(const struct pod_info *a, const struct pod_info *b)
{
	for (size_t i = 0; i < a->n_ports; i++) {
		for (size_t j = 0; j < b->n_ports; j++) {
			if (host_port_conflict(&a->ports[i], &b->ports[j]))
				return true;
		}
	}
	return false;
}

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	const struct pod_list *pods = &cycle->nodes->pods[row];
	for (size_t i = 0; i < pods->n_items; i++) {
		if (pods->items[i]->n_ports && conflict(cycle->pod, pods->items[i]))
			return unschedulable("node(s) didn't have free ports for the requested pod ports");
	}
	return success();
}

static enum queueing_hint pod_deleted(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	const struct pod_info *gone = event->old_pod;
	if (!gone || (str_empty(pod_node_name(gone)) && str_empty(pod_nominated_node(gone))))
		return HINT_SKIP;
	return conflict(pod, gone) ? HINT_QUEUE : HINT_SKIP;
}

static const struct event_interest events[] = {
	{EVENT_POD, EVENT_DELETE, pod_deleted}, {EVENT_NODE, EVENT_ADD, NULL}, {0}};

const struct plugin plugin_node_ports = {
	.name = "NodePorts", .pre_filter = pre_filter, .filter = filter, .events = events};
