/*
 * NodeResourcesFit: the sum of requests on a node stays within what the node can allocate. Scores by how much would be
 * left (LeastAllocated, the default), used (MostAllocated), or by a curve over utilization (RequestedToCapacityRatio).
 */
#include "base/str.h"
#include "scheduler/plugins/node_resources.h"
#include "scheduler/plugins/table.h"

enum strategy { LEAST_ALLOCATED, MOST_ALLOCATED, CAPACITY_RATIO };

/* A utilization in percent and a score from 0 to 10. */
struct shape_point {
	int64_t utilization, score;
};

struct instance {
	enum strategy strategy;
	struct weighted_resources resources;
	struct shape_point *shape;
	size_t n_shape;
	char **ignored, **ignored_groups;
	size_t n_ignored, n_ignored_groups;
	const struct intern *resource_names;
};

static struct status *read_strategy(
	struct arena *arena, struct instance *self, const KubeschedulerV1ScoringStrategy *strategy)
{
	if (!strategy || str_empty(strategy->type) || str_eq(strategy->type, "LeastAllocated"))
		return NULL;
	if (str_eq(strategy->type, "MostAllocated")) {
		self->strategy = MOST_ALLOCATED;
		return NULL;
	}
	if (!str_eq(strategy->type, "RequestedToCapacityRatio"))
		return status_bad_request("scoring strategy %s is not supported", strategy->type);
	const KubeschedulerV1RequestedToCapacityRatioParam *ratio = strategy->requested_to_capacity_ratio;
	if (!ratio || !ratio->n_shape)
		return status_bad_request("requestedToCapacityRatio.shape: at least one point must be specified");
	self->strategy = CAPACITY_RATIO;
	for (size_t i = 0; i < ratio->n_shape; i++) {
		if (i && ratio->shape[i]->utilization <= ratio->shape[i - 1]->utilization)
			return status_bad_request(
				"requestedToCapacityRatio.shape: utilization values must be sorted in increasing "
				"order");
		ARENA_PUSH(arena, self->shape, self->n_shape) = (struct shape_point){
			ratio->shape[i]->utilization, ratio->shape[i]->score * (MAX_NODE_SCORE / 10)};
	}
	return NULL;
}

static struct status *init(struct arena *arena, const struct profile *profile, const cJSON *args, void **ret_self)
{
	struct instance *self = ARENA_NEW(arena, struct instance);
	KubeschedulerV1NodeResourcesFitArgs *typed = NULL;
	if (args) {
		TRY(tree_to_typed(arena, args, &KubeschedulerV1NodeResourcesFitArgs_schema, NULL, &typed));
		self->ignored = typed->ignored_resources;
		self->n_ignored = typed->n_ignored_resources;
		self->ignored_groups = typed->ignored_resource_groups;
		self->n_ignored_groups = typed->n_ignored_resource_groups;
		TRY(read_strategy(arena, self, typed->scoring_strategy));
	}
	const KubeschedulerV1ScoringStrategy *strategy = typed ? typed->scoring_strategy : NULL;
	self->resources = weighted_resources_make(arena, profile->handle->nodes->resource_names,
		strategy ? strategy->resources : NULL, strategy ? strategy->n_resources : 0);
	self->resource_names = profile->handle->nodes->resource_names;
	*ret_self = self;
	return NULL;
}

static bool is_ignored(const struct instance *instance, const char *name)
{
	if (!resource_is_extended(name))
		return false;
	if (str_in_n(name, instance->ignored, instance->n_ignored))
		return true;
	size_t len = strcspn(name, "/");
	for (size_t i = 0; i < instance->n_ignored_groups; i++) {
		if (strlen(instance->ignored_groups[i]) == len && !memcmp(instance->ignored_groups[i], name, len))
			return true;
	}
	return false;
}

static const char *insufficient(struct cycle *cycle, uint32_t id)
{
	static const char *const fixed[] = {
		"Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"};
	if (id < ARRAY_SIZE(fixed))
		return fixed[id];
	return arena_printf(cycle->arena, "Insufficient %s", intern_string(cycle->nodes->resource_names, id));
}

static void object(struct verdict *verdict, const char *reason)
{
	if (verdict->code == VERDICT_SUCCESS)
		verdict->code = VERDICT_UNSCHEDULABLE;
	if (verdict->n_reasons < VERDICT_MAX_REASONS)
		verdict->reasons[verdict->n_reasons++] = reason;
}

static void check(const struct instance *instance, struct cycle *cycle, uint32_t row,
	const struct resource_amount *want, struct verdict *verdict)
{
	const struct nodes *nodes = cycle->nodes;
	if (want->value <= 0 || want->id == RES_PODS)
		return;
	int64_t allocatable = nodes_allocatable(nodes, want->id, row);
	if (want->value <= allocatable - nodes_requested(nodes, want->id, row))
		return;
	if (want->id >= RES_N_FIXED && is_ignored(instance, intern_string(nodes->resource_names, want->id)))
		return;
	object(verdict, insufficient(cycle, want->id));
	if (want->value > allocatable)
		verdict->code = VERDICT_UNRESOLVABLE;
}

static struct verdict pre_filter(void *self, struct cycle *cycle, struct node_names *ret_names)
{
	return success();
}

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	const struct nodes *nodes = cycle->nodes;
	struct verdict verdict = success();
	if ((int64_t)nodes->pods[row].n_items + 1 > nodes_allocatable(nodes, RES_PODS, row))
		object(&verdict, "Too many pods");
	for (size_t i = 0; i < cycle->pod->requests.n_items; i++)
		check(self, cycle, row, &cycle->pod->requests.items[i], &verdict);
	return verdict;
}

static int64_t by_shape(const struct instance *instance, int64_t utilization)
{
	const struct shape_point *p = instance->shape;
	for (size_t i = 0; i < instance->n_shape; i++) {
		if (utilization > p[i].utilization)
			continue;
		if (!i)
			return p[0].score;
		return p[i - 1].score + (p[i].score - p[i - 1].score) * (utilization - p[i - 1].utilization) /
						(p[i].utilization - p[i - 1].utilization);
	}
	return p[instance->n_shape - 1].score;
}

static int64_t score_one(const struct instance *instance, int64_t requested, int64_t allocatable)
{
	switch (instance->strategy) {
	case LEAST_ALLOCATED:
		return requested > allocatable ? 0 : (allocatable - requested) * MAX_NODE_SCORE / allocatable;
	case MOST_ALLOCATED:
		return (requested > allocatable ? allocatable : requested) * MAX_NODE_SCORE / allocatable;
	default:
		return by_shape(instance, requested > allocatable ? 100 : requested * 100 / allocatable);
	}
}

static int64_t score(void *self, struct cycle *cycle, uint32_t row)
{
	const struct instance *instance = self;
	const struct pod_info *pod = cycle->pod;
	int64_t sum = 0, weights = 0;
	for (size_t i = 0; i < instance->resources.n_items; i++) {
		const struct weighted_resource *r = &instance->resources.items[i];
		int64_t want = r->id == RES_CPU	     ? pod->non_zero_cpu
			       : r->id == RES_MEMORY ? pod->non_zero_memory
						     : resource_get(&pod->requests, r->id);
		int64_t allocatable, requested;
		resource_use(cycle, row, r->id, want, true, &allocatable, &requested);
		if (!allocatable)
			continue;
		int64_t one = score_one(instance, requested, allocatable);
		if (instance->strategy == CAPACITY_RATIO && !one)
			continue;
		sum += one * r->weight;
		weights += r->weight;
	}
	if (!weights)
		return 0;
	return instance->strategy == CAPACITY_RATIO ? (sum + weights / 2) / weights : sum / weights;
}

/* --- queueing hints --- */

static enum queueing_hint pod_changed(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	const struct pod_info *before = event->old_pod, *after = event->new_pod;
	if (!after)
		return before && (!str_empty(pod_node_name(before)) || !str_empty(pod_nominated_node(before)))
			       ? HINT_QUEUE
			       : HINT_SKIP;
	if (str_eq(after->uid, pod->uid))
		return HINT_QUEUE;
	if (str_empty(pod_node_name(after)) || !before)
		return HINT_SKIP;
	for (size_t i = 0; i < pod->requests.n_items; i++) {
		const struct resource_amount *want = &pod->requests.items[i];
		if (want->value && resource_get(&before->held, want->id) > resource_get(&after->held, want->id))
			return HINT_QUEUE;
	}
	return HINT_SKIP;
}

static int64_t offered(const CoreV1Node *node, const char *name, uint32_t id)
{
	for (size_t i = 0; node->status && i < node->status->n_allocatable; i++) {
		if (str_eq(node->status->allocatable[i]->key, name))
			return resource_amount_of(id, node->status->allocatable[i]->value);
	}
	return 0;
}

static enum queueing_hint node_changed(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	const struct instance *instance = self;
	const CoreV1Node *before = event->old_node, *after = event->new_node;
	if (!after || offered(after, "pods", RES_PODS) < 1)
		return HINT_SKIP;
	bool more = !before || offered(after, "pods", RES_PODS) > offered(before, "pods", RES_PODS);
	for (size_t i = 0; i < pod->requests.n_items; i++) {
		const struct resource_amount *want = &pod->requests.items[i];
		const char *name = intern_string(instance->resource_names, want->id);
		if (want->value > offered(after, name, want->id) && !is_ignored(instance, name))
			return HINT_SKIP;
		more |= before && want->value && offered(after, name, want->id) > offered(before, name, want->id);
	}
	return more ? HINT_QUEUE : HINT_SKIP;
}

static const struct event_interest events[] = {
	{EVENT_POD, EVENT_DELETE | EVENT_UPDATE_POD_SCALE_DOWN, pod_changed},
	{EVENT_NODE, EVENT_ADD | EVENT_UPDATE_NODE_ALLOCATABLE, node_changed},
	{0},
};

const struct plugin plugin_node_resources_fit = {
	.name = "NodeResourcesFit",
	.init = init,
	.pre_filter = pre_filter,
	.filter = filter,
	.score = score,
	.events = events,
};
