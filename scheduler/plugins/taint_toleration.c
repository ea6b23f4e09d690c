/*
 * TaintToleration: NoSchedule and NoExecute taints keep pods away that do not tolerate them; PreferNoSchedule ones
 * count against a node. Which of the cluster's distinct taints a pod tolerates is worked out once a cycle.
 */
#include "base/str.h"
#include "scheduler/plugins/table.h"

static const char *const effect_names[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", ""};

struct tolerated {
	bool *ids; /* by taint id: nothing to object to */
};

static struct verdict pre_filter(void *self, struct cycle *cycle, struct node_names *ret_names)
{
	const struct nodes *nodes = cycle->nodes;
	const CoreV1PodSpec *spec = cycle->pod->pod->spec;
	struct tolerated *state = ARENA_NEW(cycle->arena, struct tolerated);
	state->ids = ARENA_ARRAY(cycle->arena, bool, nodes->n_taints + 1);
	for (size_t i = 0; i < nodes->n_taints; i++) {
		const struct taint *t = &nodes->taints[i];
		state->ids[i] = spec && tolerations_match(spec->tolerations, spec->n_tolerations,
						intern_string(nodes->strings, t->key),
						intern_string(nodes->strings, t->value), effect_names[t->effect]);
	}
	cycle_state(cycle) = state;
	return success();
}

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	const struct tolerated *state = cycle_state(cycle);
	const struct taint_list *list = &cycle->nodes->taint_ids[row];
	for (size_t i = 0; i < list->n_ids; i++) {
		const struct taint *t = &cycle->nodes->taints[list->ids[i]];
		if ((t->effect == TAINT_NO_SCHEDULE || t->effect == TAINT_NO_EXECUTE) && !state->ids[list->ids[i]])
			return unresolvable("node(s) had untolerated taint(s)");
	}
	return success();
}

static int64_t score(void *self, struct cycle *cycle, uint32_t row)
{
	const struct tolerated *state = cycle_state(cycle);
	const struct taint_list *list = &cycle->nodes->taint_ids[row];
	int64_t count = 0;
	for (size_t i = 0; i < list->n_ids; i++)
		count += cycle->nodes->taints[list->ids[i]].effect == TAINT_PREFER_NO_SCHEDULE &&
			 !state->ids[list->ids[i]];
	return count;
}

static void normalize(void *self, struct cycle *cycle, const uint32_t *rows, int64_t *scores, size_t n_rows)
{
	normalize_to_max(scores, n_rows, true);
}

static bool keeps_away(const CoreV1Node *node, const struct pod_info *pod)
{
	const CoreV1PodSpec *spec = pod->pod->spec;
	for (size_t i = 0; node->spec && i < node->spec->n_taints; i++) {
		const CoreV1Taint *t = node->spec->taints[i];
		if (!str_eq(t->effect, "NoSchedule") && !str_eq(t->effect, "NoExecute"))
			continue;
		if (!spec || !tolerations_match(spec->tolerations, spec->n_tolerations, t->key, t->value, t->effect))
			return true;
	}
	return false;
}

static enum queueing_hint node_changed(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	bool was = !event->old_node || keeps_away(event->old_node, pod);
	return event->new_node && was && !keeps_away(event->new_node, pod) ? HINT_QUEUE : HINT_SKIP;
}

static enum queueing_hint own_tolerations(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	return event->new_pod && str_eq(event->new_pod->uid, pod->uid) ? HINT_QUEUE : HINT_SKIP;
}

static const struct event_interest events[] = {
	{EVENT_NODE, EVENT_ADD | EVENT_UPDATE_NODE_TAINT, node_changed},
	{EVENT_POD, EVENT_UPDATE_POD_TOLERATION, own_tolerations},
	{0},
};

const struct plugin plugin_taint_toleration = {
	.name = "TaintToleration",
	.pre_filter = pre_filter,
	.filter = filter,
	.score = score,
	.normalize = normalize,
	.events = events,
};
