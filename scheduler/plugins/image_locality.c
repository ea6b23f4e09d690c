/*
 * ImageLocality: prefers nodes that have the pod's images, weighted by size and by how many nodes have them, so that
 * one node with a rare image does not draw everything to itself.
 */
#include "base/str.h"
#include "scheduler/plugins/table.h"

#define MIB (1024LL * 1024)
#define MIN_BYTES (23 * MIB)
#define MAX_BYTES_PER_CONTAINER (1000 * MIB)

struct wanted {
	uint32_t *ids;
	size_t n_ids;
	size_t n_containers;
};

static void want(struct cycle *cycle, struct wanted *state, CoreV1Container *const *containers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t id =
			intern_find(cycle->nodes->image_names, image_normalize(cycle->arena, containers[i]->image));
		if (id != INTERN_NONE)
			ARENA_PUSH(cycle->arena, state->ids, state->n_ids) = id;
	}
	state->n_containers += n;
}

static struct verdict pre_score(void *self, struct cycle *cycle, const uint32_t *rows, size_t n_rows)
{
	struct wanted *state = ARENA_NEW(cycle->arena, struct wanted);
	const CoreV1PodSpec *spec = cycle->pod->pod->spec;
	if (spec) {
		want(cycle, state, spec->init_containers, spec->n_init_containers);
		want(cycle, state, spec->containers, spec->n_containers);
	}
	cycle_state(cycle) = state;
	return success();
}

static int64_t bytes_on(const struct cycle *cycle, const struct wanted *state, uint32_t row)
{
	const struct image_list *images = &cycle->nodes->images[row];
	double n_nodes = (double)nodes_count(cycle->nodes);
	int64_t sum = 0;
	for (size_t i = 0; i < state->n_ids; i++) {
		for (size_t j = 0; j < images->n_items; j++) {
			if (images->items[j].name != state->ids[i])
				continue;
			sum += (int64_t)((double)images->items[j].size *
					 (cycle->nodes->image_nodes[state->ids[i]] / n_nodes));
			break;
		}
	}
	return sum;
}

static int64_t score(void *self, struct cycle *cycle, uint32_t row)
{
	const struct wanted *state = cycle_state(cycle);
	int64_t max = MAX_BYTES_PER_CONTAINER * (int64_t)state->n_containers, sum = bytes_on(cycle, state, row);
	if (max <= MIN_BYTES)
		return 0;
	sum = sum < MIN_BYTES ? MIN_BYTES : sum > max ? max : sum;
	return MAX_NODE_SCORE * (sum - MIN_BYTES) / (max - MIN_BYTES);
}

static const struct event_interest events[] = {{0}};

const struct plugin plugin_image_locality = {
	.name = "ImageLocality", .pre_score = pre_score, .score = score, .events = events};
