/*
 * NodeAffinity: spec.nodeSelector and required node affinity decide, preferred node affinity counts. The profile may
 * add an affinity of its own (addedAffinity), which every pod has to satisfy besides.
 */
#include "base/str.h"
#include "scheduler/plugins/table.h"

struct instance {
	const CoreV1NodeAffinity *added; /* NULL: none */
};

struct required {
	struct node_term by_map;
	bool has_map, has_required, has_added;
	struct node_selector required, added;
};

struct preferred {
	struct {
		struct node_term term;
		int32_t weight;
	} * items;
	size_t n_items;
};

static struct status *init(struct arena *arena, const struct profile *profile, const cJSON *args, void **ret_self)
{
	struct instance *self = ARENA_NEW(arena, struct instance);
	if (args) {
		KubeschedulerV1NodeAffinityArgs *typed = NULL;
		TRY(tree_to_typed(arena, args, &KubeschedulerV1NodeAffinityArgs_schema, NULL, &typed));
		self->added = typed->added_affinity;
	}
	*ret_self = self;
	return NULL;
}

static const CoreV1NodeAffinity *affinity_of(const struct cycle *cycle)
{
	const CoreV1PodSpec *spec = cycle->pod->pod->spec;
	return spec && spec->affinity ? spec->affinity->node_affinity : NULL;
}

static void add_name(struct cycle *cycle, struct node_names *names, const char *name)
{
	for (size_t i = 0; i < names->n_items; i++) {
		if (!strcmp(names->items[i], name))
			return;
	}
	ARENA_PUSH(cycle->arena, names->items, names->n_items) = name;
}

/* The names a term allows by metadata.name; false if it does not speak of names. */
static bool term_names(struct cycle *cycle, const CoreV1NodeSelectorTerm *term, struct node_names *names)
{
	bool seen = false;
	for (size_t i = 0; i < term->n_match_fields; i++) {
		const CoreV1NodeSelectorRequirement *r = term->match_fields[i];
		if (!str_eq(r->key, "metadata.name") || !str_eq(r->operator, "In"))
			continue;
		struct node_names both = {0};
		for (size_t j = 0; j < r->n_values; j++) {
			if (!seen || str_in_n(r->values[j], (char *const *)(uintptr_t)names->items, names->n_items))
				add_name(cycle, &both, r->values[j]);
		}
		*names = both;
		seen = true;
	}
	return seen;
}

/* If every term names nodes, only those need to be looked at. */
static void narrow(struct cycle *cycle, const CoreV1NodeSelector *selector, struct node_names *ret_names)
{
	struct node_names all = {0};
	for (size_t i = 0; i < selector->n_node_selector_terms; i++) {
		struct node_names one = {0};
		if (!term_names(cycle, selector->node_selector_terms[i], &one))
			return;
		for (size_t j = 0; j < one.n_items; j++)
			add_name(cycle, &all, one.items[j]);
	}
	if (selector->n_node_selector_terms)
		*ret_names = all;
}

static struct verdict pre_filter(void *self, struct cycle *cycle, struct node_names *ret_names)
{
	const struct instance *instance = self;
	const CoreV1PodSpec *spec = cycle->pod->pod->spec;
	const CoreV1NodeAffinity *affinity = affinity_of(cycle);
	const CoreV1NodeSelector *selector =
		affinity ? affinity->required_during_scheduling_ignored_during_execution : NULL;
	const CoreV1NodeSelector *added =
		instance->added ? instance->added->required_during_scheduling_ignored_during_execution : NULL;
	bool has_map = spec && spec->n_node_selector;
	if (!selector && !added && !has_map)
		return skipped();
	struct required *state = ARENA_NEW(cycle->arena, struct required);
	const struct intern *strings = cycle->nodes->strings;
	state->has_map = has_map;
	if (has_map)
		state->by_map = node_term_of_map(cycle->arena, strings, spec->node_selector, spec->n_node_selector);
	state->has_added = added;
	if (added)
		state->added = node_selector_compile(cycle->arena, strings, added);
	state->has_required = selector;
	cycle_state(cycle) = state;
	if (!selector)
		return success();
	state->required = node_selector_compile(cycle->arena, strings, selector);
	narrow(cycle, selector, ret_names);
	if (!ret_names->all && !ret_names->n_items)
		return unresolvable("pod affinity terms conflict");
	return success();
}

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	const struct required *state = cycle_state(cycle);
	struct node_view node = nodes_view(cycle->nodes, row);
	if (state->has_added && !node_selector_matches(&state->added, &node))
		return unresolvable("node(s) didn't match scheduler-enforced node affinity");
	if ((state->has_map && !node_term_matches(&state->by_map, &node)) ||
		(state->has_required && !node_selector_matches(&state->required, &node)))
		return unresolvable("node(s) didn't match Pod's node affinity/selector");
	return success();
}

static void add_preferred(struct cycle *cycle, struct preferred *state, const CoreV1NodeAffinity *affinity)
{
	size_t n = affinity ? affinity->n_preferred_during_scheduling_ignored_during_execution : 0;
	for (size_t i = 0; i < n; i++) {
		const CoreV1PreferredSchedulingTerm *t =
			affinity->preferred_during_scheduling_ignored_during_execution[i];
		if (!t->weight || !t->preference)
			continue;
		__typeof__(*state->items) item = {
			node_term_compile(cycle->arena, cycle->nodes->strings, t->preference), t->weight};
		ARENA_PUSH(cycle->arena, state->items, state->n_items) = item;
	}
}

static struct verdict pre_score(void *self, struct cycle *cycle, const uint32_t *rows, size_t n_rows)
{
	const struct instance *instance = self;
	struct preferred *state = ARENA_NEW(cycle->arena, struct preferred);
	add_preferred(cycle, state, instance->added);
	add_preferred(cycle, state, affinity_of(cycle));
	cycle_state(cycle) = state;
	return state->n_items ? success() : skipped();
}

static int64_t score(void *self, struct cycle *cycle, uint32_t row)
{
	const struct preferred *state = cycle_state(cycle);
	struct node_view node = nodes_view(cycle->nodes, row);
	int64_t sum = 0;
	for (size_t i = 0; i < state->n_items; i++) {
		if (node_term_matches(&state->items[i].term, &node))
			sum += state->items[i].weight;
	}
	return sum;
}

static void normalize(void *self, struct cycle *cycle, const uint32_t *rows, int64_t *scores, size_t n_rows)
{
	normalize_to_max(scores, n_rows, false);
}

static enum queueing_hint node_changed(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	if (!event->new_node || !pod_matches_node_object(pod->pod, event->new_node))
		return HINT_SKIP;
	return event->old_node && pod_matches_node_object(pod->pod, event->old_node) ? HINT_SKIP : HINT_QUEUE;
}

static const struct event_interest events[] = {{EVENT_NODE, EVENT_ADD | EVENT_UPDATE_NODE_LABEL, node_changed}, {0}};

const struct plugin plugin_node_affinity = {
	.name = "NodeAffinity",
	.init = init,
	.pre_filter = pre_filter,
	.filter = filter,
	.pre_score = pre_score,
	.score = score,
	.normalize = normalize,
	.events = events,
};
