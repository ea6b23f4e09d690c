/* NodeResourcesBalancedAllocation: prefers nodes whose resources would be used to similar degrees. */
#include <math.h>
#include "scheduler/plugins/node_resources.h"
#include "scheduler/plugins/table.h"

enum { MAX_SCORED = 16 };

struct instance {
	struct weighted_resources resources;
};

static struct status *init(struct arena *arena, const struct profile *profile, const cJSON *args, void **ret_self)
{
	struct instance *self = ARENA_NEW(arena, struct instance);
	KubeschedulerV1NodeResourcesBalancedAllocationArgs *typed = NULL;
	if (args) {
		TRY(tree_to_typed(
			arena, args, &KubeschedulerV1NodeResourcesBalancedAllocationArgs_schema, NULL, &typed));
	}
	self->resources = weighted_resources_make(arena, profile->handle->nodes->resource_names,
		typed ? typed->resources : NULL, typed ? typed->n_resources : 0);
	*ret_self = self;
	return NULL;
}

static struct verdict pre_score(void *self, struct cycle *cycle, const uint32_t *rows, size_t n_rows)
{
	const struct instance *instance = self;
	for (size_t i = 0; i < instance->resources.n_items; i++) {
		if (resource_get(&cycle->pod->requests, instance->resources.items[i].id))
			return success();
	}
	return skipped();
}

static int64_t score(void *self, struct cycle *cycle, uint32_t row)
{
	const struct instance *instance = self;
	double fractions[MAX_SCORED], sum = 0, deviation = 0;
	size_t n = 0;
	for (size_t i = 0; i < instance->resources.n_items && n < MAX_SCORED; i++) {
		uint32_t id = instance->resources.items[i].id;
		int64_t allocatable, requested;
		resource_use(cycle, row, id, resource_get(&cycle->pod->requests, id), false, &allocatable, &requested);
		if (!allocatable)
			continue;
		double fraction = (double)requested / (double)allocatable;
		fractions[n] = fraction > 1 ? 1 : fraction;
		sum += fractions[n++];
	}
	if (n == 2) {
		deviation = fabs((fractions[0] - fractions[1]) / 2);
	} else if (n > 2) {
		double mean = sum / (double)n, squares = 0;
		for (size_t i = 0; i < n; i++)
			squares += (fractions[i] - mean) * (fractions[i] - mean);
		deviation = sqrt(squares / (double)n);
	}
	return (int64_t)((1 - deviation) * MAX_NODE_SCORE);
}

static const struct event_interest events[] = {{0}};

const struct plugin plugin_node_resources_balanced_allocation = {
	.name = "NodeResourcesBalancedAllocation",
	.init = init,
	.pre_score = pre_score,
	.score = score,
	.events = events,
};
