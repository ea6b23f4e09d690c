#include "scheduler/plugins/table.h"

/* In the order in which the original's default profile runs them. */
const struct plugin *const plugin_table[] = {
	&plugin_scheduling_gates,
	&plugin_priority_sort,
	&plugin_node_unschedulable,
	&plugin_node_name,
	&plugin_taint_toleration,
	&plugin_node_affinity,
	&plugin_node_ports,
	&plugin_node_resources_fit,
	&plugin_volume_binding,
	&plugin_pod_topology_spread,
	&plugin_inter_pod_affinity,
	&plugin_dynamic_resources,
	&plugin_default_preemption,
	&plugin_node_resources_balanced_allocation,
	&plugin_image_locality,
	&plugin_default_binder,
	NULL,
};
