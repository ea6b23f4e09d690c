/*
 * DynamicResources: pods that ask for devices by resource claims. Devices are not allocated here yet: such a pod waits.
 * Every other pod passes, and is told, as users know it, that there is no claim whose release would help.
 */
#include "scheduler/plugins/table.h"

static struct verdict pre_filter(void *self, struct cycle *cycle, struct node_names *ret_names)
{
	const CoreV1PodSpec *spec = cycle->pod->pod->spec;
	cycle_state(cycle) = cycle; /* seen: the pre-filters came this far */
	return spec && spec->n_resource_claims ? unresolvable("cannot allocate all claims") : skipped();
}

static struct verdict post_filter(void *self, struct cycle *cycle, struct diagnosis *diagnosis, const char **ret_node)
{
	return cycle_state(cycle) ? unschedulable("no new claims to deallocate") : verdict_error("not found");
}

static const struct event_interest events[] = {{EVENT_NODE, EVENT_ADD, NULL}, {0}};

const struct plugin plugin_dynamic_resources = {
	.name = "DynamicResources", .pre_filter = pre_filter, .post_filter = post_filter, .events = events};
