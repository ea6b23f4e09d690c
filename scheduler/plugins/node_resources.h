/*
 * What the two resource plugins share: a list of resources with weights, read from their arguments.
 */
#ifndef SCHEDULER_PLUGINS_NODE_RESOURCES_H
#define SCHEDULER_PLUGINS_NODE_RESOURCES_H

#include "scheduler/framework.h"

struct weighted_resource {
	uint32_t id;
	int64_t weight;
};

struct weighted_resources {
	struct weighted_resource *items;
	size_t n_items;
};

/* CPU and memory, weight 1, if specs is empty. */
struct weighted_resources weighted_resources_make(
	struct arena *arena, struct intern *names, KubeschedulerV1ResourceSpec *const *specs, size_t n_specs);
/*
 * The node's allocatable of a resource and what would be requested there with the pod on it; both 0 if the node has
 * none, or if the pod asks for none of an extended resource. non_zero: with the defaults for what names no CPU or
 * memory.
 */
void resource_use(const struct cycle *cycle, uint32_t row, uint32_t id, int64_t pod_request, bool non_zero,
	int64_t *ret_allocatable, int64_t *ret_requested);

#endif
