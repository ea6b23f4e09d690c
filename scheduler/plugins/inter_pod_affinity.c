/*
 * InterPodAffinity: pods that want to be, or must not be, in the same topology domain as other pods. Required terms
 * filter, in both directions for anti-affinity; preferred terms score, in both directions.
 */
#include "base/str.h"
#include "scheduler/pair_counts.h"
#include "scheduler/set_memo.h"
#include "scheduler/plugins/table.h"

struct instance {
	int64_t hard_weight; /* what a required affinity of a pod that is there counts in scoring */
	bool ignore_existing;
};

struct state {
	struct pair_counts existing_anti; /* domains that pods there keep this pod out of */
	struct pair_counts affinity;	  /* domains with pods that match all required terms */
	struct pair_counts anti;	  /* domains with pods that this pod avoids */
	struct pair_counts scores;
	bool matches_itself;
	struct set_memo *memos; /* of the pod's own terms, in the order of own_terms() */
};

static struct status *init(struct arena *arena, const struct profile *profile, const cJSON *args, void **ret_self)
{
	struct instance *self = ARENA_NEW(arena, struct instance);
	self->hard_weight = 1;
	if (args) {
		KubeschedulerV1InterPodAffinityArgs *typed = NULL;
		TRY(tree_to_typed(arena, args, &KubeschedulerV1InterPodAffinityArgs_schema, NULL, &typed));
		if (typed->has_hard_pod_affinity_weight)
			self->hard_weight = typed->hard_pod_affinity_weight;
		if (self->hard_weight < 0 || self->hard_weight > 100)
			return status_bad_request("hardPodAffinityWeight: must be in the range 0-100");
		self->ignore_existing = typed->ignore_preferred_terms_of_existing_pods;
	}
	*ret_self = self;
	return NULL;
}

/* The memo of one of the pod's own terms; NULL for a term of another pod, or while there are no memos. */
static struct set_memo *memo_of(const struct cycle *cycle, const struct affinity_term *term)
{
	const struct pod_info *pod = cycle->pod;
	const struct affinity_terms *const lists[] = {
		&pod->required_affinity, &pod->required_anti, &pod->preferred_affinity, &pod->preferred_anti};
	struct state *state = cycle_state(cycle);
	size_t base = 0;
	for (size_t i = 0; state && state->memos && i < ARRAY_SIZE(lists); i++) {
		if (lists[i]->n_items && term >= lists[i]->items && term < lists[i]->items + lists[i]->n_items)
			return &state->memos[base + (size_t)(term - lists[i]->items)];
		base += lists[i]->n_items;
	}
	return NULL;
}

static bool ask(const struct cycle *cycle, const struct affinity_term *term, const struct pod_info *other)
{
	MapStringEntry *const *labels = NULL;
	size_t n_labels = 0;
	if (term->namespace_selector && cycle->handle->namespace_labels)
		cycle->handle->namespace_labels(cycle->handle->data, other->namespace_, &labels, &n_labels);
	return affinity_term_matches(term, other, labels, n_labels);
}

static bool term_matches(const struct cycle *cycle, const struct affinity_term *term, const struct pod_info *other)
{
	struct set_memo *memo = memo_of(cycle, term);
	int known = memo ? set_memo_get(memo, other) : 0;
	if (known)
		return known > 0;
	bool answer = ask(cycle, term, other);
	return memo ? set_memo_put(memo, other, answer) : answer;
}

static bool all_match(const struct cycle *cycle, const struct affinity_terms *terms, const struct pod_info *other)
{
	for (size_t i = 0; i < terms->n_items; i++) {
		if (!term_matches(cycle, &terms->items[i], other))
			return false;
	}
	return terms->n_items > 0;
}

/* Adds to the domain of a topology key in which the row lies. */
static void count(
	struct cycle *cycle, struct pair_counts *counts, const char *topology_key, uint32_t row, int64_t delta)
{
	uint32_t key = intern_find(cycle->nodes->strings, topology_key);
	uint32_t value = key == INTERN_NONE ? INTERN_NONE : label_set_get(&cycle->nodes->labels[row], key);
	if (value != INTERN_NONE)
		pair_counts_add(cycle->arena, counts, key, value, delta);
}

static void count_anti(struct cycle *cycle, struct pair_counts *counts, const struct affinity_terms *terms,
	const struct pod_info *other, uint32_t row, int64_t delta)
{
	for (size_t i = 0; i < terms->n_items; i++) {
		if (term_matches(cycle, &terms->items[i], other))
			count(cycle, counts, terms->items[i].topology_key, row, delta);
	}
}

static void count_own(
	struct cycle *cycle, struct state *state, const struct pod_info *other, uint32_t row, int64_t delta)
{
	const struct affinity_terms *with = &cycle->pod->required_affinity;
	if (all_match(cycle, with, other)) {
		for (size_t i = 0; i < with->n_items; i++)
			count(cycle, &state->affinity, with->items[i].topology_key, row, delta);
	}
	count_anti(cycle, &state->anti, &cycle->pod->required_anti, other, row, delta);
}

static struct state *state_of(struct cycle *cycle)
{
	struct state *state = cycle_state(cycle);
	if (state)
		return state;
	const struct pod_info *pod = cycle->pod;
	size_t n = pod->required_affinity.n_items + pod->required_anti.n_items + pod->preferred_affinity.n_items +
		   pod->preferred_anti.n_items;
	state = cycle_state(cycle) = ARENA_NEW(cycle->arena, struct state);
	state->memos = ARENA_ARRAY(cycle->arena, struct set_memo, n + 1);
	for (size_t i = 0; i < n; i++)
		state->memos[i] = set_memo_make(cycle->arena, cycle->nodes);
	return state;
}

static struct verdict pre_filter(void *self, struct cycle *cycle, struct node_names *ret_names)
{
	struct nodes *nodes = cycle->nodes;
	const struct pod_info *pod = cycle->pod;
	bool own = pod->required_affinity.n_items || pod->required_anti.n_items;
	if (!own && !nodes->n_anti_pods)
		return skipped();
	struct state *state = state_of(cycle);
	for (size_t k = 0; k < nodes_count(nodes); k++) {
		uint32_t row = nodes->order[k];
		const struct pod_list *anti = &nodes->anti_pods[row], *pods = &nodes->pods[row];
		for (size_t i = 0; i < anti->n_items; i++)
			count_anti(cycle, &state->existing_anti, &anti->items[i]->required_anti, pod, row, 1);
		for (size_t i = 0; own && i < pods->n_items; i++)
			count_own(cycle, state, pods->items[i], row, 1);
	}
	if (!own && !state->existing_anti.n_used)
		return skipped();
	state->matches_itself = all_match(cycle, &pod->required_affinity, pod);
	return success();
}

static void shift(struct cycle *cycle, const struct pod_info *other, uint32_t row, int64_t delta)
{
	struct state *state = state_of(cycle);
	count_anti(cycle, &state->existing_anti, &other->required_anti, cycle->pod, row, delta);
	count_own(cycle, state, other, row, delta);
}

static void add_pod(void *self, struct cycle *cycle, const struct pod_info *other, uint32_t row)
{
	shift(cycle, other, row, 1);
}

static void remove_pod(void *self, struct cycle *cycle, const struct pod_info *other, uint32_t row)
{
	shift(cycle, other, row, -1);
}

static bool near_what_it_wants(const struct cycle *cycle, const struct state *state, uint32_t row)
{
	const struct affinity_terms *terms = &cycle->pod->required_affinity;
	bool found = true;
	for (size_t i = 0; i < terms->n_items; i++) {
		uint32_t key = intern_find(cycle->nodes->strings, terms->items[i].topology_key);
		uint32_t value = key == INTERN_NONE ? INTERN_NONE : label_set_get(&cycle->nodes->labels[row], key);
		if (value == INTERN_NONE)
			return false;
		found &= pair_counts_get(&state->affinity, key, value) > 0;
	}
	/* The first of a group that wants to be together may go anywhere. */
	return found || (!pair_counts_any_positive(&state->affinity) && state->matches_itself);
}

static bool near_what_it_avoids(const struct cycle *cycle, const struct state *state, uint32_t row)
{
	const struct affinity_terms *terms = &cycle->pod->required_anti;
	for (size_t i = 0; i < terms->n_items; i++) {
		uint32_t key = intern_find(cycle->nodes->strings, terms->items[i].topology_key);
		uint32_t value = key == INTERN_NONE ? INTERN_NONE : label_set_get(&cycle->nodes->labels[row], key);
		if (value != INTERN_NONE && pair_counts_get(&state->anti, key, value) > 0)
			return true;
	}
	return false;
}

static bool avoided_by_others(const struct cycle *cycle, const struct state *state, uint32_t row)
{
	const struct label_set *labels = &cycle->nodes->labels[row];
	if (!state->existing_anti.n_used)
		return false;
	for (size_t i = 0; i < labels->n_items; i++) {
		if (pair_counts_get(&state->existing_anti, labels->items[i].key, labels->items[i].value) > 0)
			return true;
	}
	return false;
}

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	const struct state *state = state_of(cycle);
	if (!near_what_it_wants(cycle, state, row))
		return unresolvable("node(s) didn't match pod affinity rules");
	if (near_what_it_avoids(cycle, state, row))
		return unschedulable("node(s) didn't match pod anti-affinity rules");
	if (avoided_by_others(cycle, state, row))
		return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
	return success();
}

static void score_terms(struct cycle *cycle, struct state *state, const struct affinity_terms *terms,
	const struct pod_info *other, uint32_t row, int64_t factor)
{
	for (size_t i = 0; i < terms->n_items; i++) {
		if (term_matches(cycle, &terms->items[i], other))
			count(cycle, &state->scores, terms->items[i].topology_key, row,
				factor * terms->items[i].weight);
	}
}

static void score_pod(const struct instance *self, struct cycle *cycle, struct state *state,
	const struct pod_info *other, uint32_t row)
{
	score_terms(cycle, state, &cycle->pod->preferred_affinity, other, row, 1);
	score_terms(cycle, state, &cycle->pod->preferred_anti, other, row, -1);
	for (size_t i = 0; self->hard_weight && i < other->required_affinity.n_items; i++) {
		const struct affinity_term *term = &other->required_affinity.items[i];
		if (term_matches(cycle, term, cycle->pod))
			count(cycle, &state->scores, term->topology_key, row, self->hard_weight);
	}
	score_terms(cycle, state, &other->preferred_affinity, cycle->pod, row, 1);
	score_terms(cycle, state, &other->preferred_anti, cycle->pod, row, -1);
}

static struct verdict pre_score(void *self, struct cycle *cycle, const uint32_t *rows, size_t n_rows)
{
	const struct instance *instance = self;
	struct nodes *nodes = cycle->nodes;
	bool own = cycle->pod->preferred_affinity.n_items || cycle->pod->preferred_anti.n_items;
	if (!own && (instance->ignore_existing || !nodes->n_affinity_pods))
		return skipped();
	struct state *state = state_of(cycle);
	for (size_t k = 0; k < nodes_count(nodes); k++) {
		uint32_t row = nodes->order[k];
		const struct pod_list *pods = own ? &nodes->pods[row] : &nodes->affinity_pods[row];
		for (size_t i = 0; i < pods->n_items; i++)
			score_pod(instance, cycle, state, pods->items[i], row);
	}
	return state->scores.n_used ? success() : skipped();
}

static int64_t score(void *self, struct cycle *cycle, uint32_t row)
{
	const struct state *state = state_of(cycle);
	const struct label_set *labels = &cycle->nodes->labels[row];
	int64_t sum = 0;
	for (size_t i = 0; i < labels->n_items; i++)
		sum += pair_counts_get(&state->scores, labels->items[i].key, labels->items[i].value);
	return sum;
}

static void normalize(void *self, struct cycle *cycle, const uint32_t *rows, int64_t *scores, size_t n_rows)
{
	int64_t min = INT64_MAX, max = INT64_MIN;
	for (size_t k = 0; k < n_rows; k++) {
		min = scores[k] < min ? scores[k] : min;
		max = scores[k] > max ? scores[k] : max;
	}
	for (size_t k = 0; k < n_rows; k++)
		scores[k] =
			max > min ? (int64_t)(MAX_NODE_SCORE * ((double)(scores[k] - min) / (double)(max - min))) : 0;
}

static const struct event_interest events[] = {
	{EVENT_POD, EVENT_ADD | EVENT_DELETE | EVENT_UPDATE_POD_LABEL, NULL},
	{EVENT_NODE, EVENT_ADD | EVENT_UPDATE_NODE_LABEL, NULL},
	{0},
};

const struct plugin plugin_inter_pod_affinity = {
	.name = "InterPodAffinity",
	.init = init,
	.pre_filter = pre_filter,
	.add_pod = add_pod,
	.remove_pod = remove_pod,
	.filter = filter,
	.pre_score = pre_score,
	.score = score,
	.normalize = normalize,
	.events = events,
};
