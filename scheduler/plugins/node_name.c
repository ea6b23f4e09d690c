/* NodeName: a pod that names its node goes nowhere else. */
#include "base/str.h"
#include "scheduler/plugins/table.h"

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	const char *wanted = pod_node_name(cycle->pod);
	if (str_empty(wanted) || !strcmp(wanted, cycle->nodes->name[row]))
		return success();
	return unresolvable("node(s) didn't match the requested node name");
}

static const struct event_interest events[] = {{EVENT_NODE, EVENT_ADD, NULL}, {0}};

const struct plugin plugin_node_name = {.name = "NodeName", .filter = filter, .events = events};
