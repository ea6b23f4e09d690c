/*
 * The plugins' records; each is documented in its own file.
 */
#ifndef SCHEDULER_PLUGINS_TABLE_H
#define SCHEDULER_PLUGINS_TABLE_H

#include "scheduler/framework.h"

extern const struct plugin plugin_scheduling_gates, plugin_priority_sort, plugin_node_unschedulable, plugin_node_name,
	plugin_taint_toleration, plugin_node_affinity, plugin_node_ports, plugin_node_resources_fit,
	plugin_pod_topology_spread, plugin_inter_pod_affinity, plugin_default_preemption, plugin_volume_binding,
	plugin_dynamic_resources, plugin_node_resources_balanced_allocation, plugin_image_locality,
	plugin_default_binder;

#endif
