#include "scheduler/plugins/node_resources.h"

struct weighted_resources weighted_resources_make(
	struct arena *arena, struct intern *names, KubeschedulerV1ResourceSpec *const *specs, size_t n_specs)
{
	struct weighted_resources out = {NULL, 0};
	for (size_t i = 0; i < n_specs; i++)
		ARENA_PUSH(arena, out.items, out.n_items) = (struct weighted_resource){
			intern(names, specs[i]->name), specs[i]->weight ? specs[i]->weight : 1};
	if (!n_specs) {
		ARENA_PUSH(arena, out.items, out.n_items) = (struct weighted_resource){RES_CPU, 1};
		ARENA_PUSH(arena, out.items, out.n_items) = (struct weighted_resource){RES_MEMORY, 1};
	}
	return out;
}

void resource_use(const struct cycle *cycle, uint32_t row, uint32_t id, int64_t pod_request, bool non_zero,
	int64_t *ret_allocatable, int64_t *ret_requested)
{
	const struct nodes *nodes = cycle->nodes;
	*ret_allocatable = *ret_requested = 0;
	if (!pod_request && id >= RES_N_FIXED)
		return;
	int64_t allocatable = nodes_allocatable(nodes, id, row);
	if (!allocatable)
		return;
	int64_t requested = nodes_requested(nodes, id, row);
	if (non_zero && id == RES_CPU)
		requested = nodes->non_zero_cpu[row];
	if (non_zero && id == RES_MEMORY)
		requested = nodes->non_zero_memory[row];
	*ret_allocatable = allocatable;
	*ret_requested = requested + pod_request;
}
