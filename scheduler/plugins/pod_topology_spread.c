/*
 * PodTopologySpread: keeps the numbers of matching pods in the domains of a topology (zones, hosts) within maxSkew of
 * each other. DoNotSchedule constraints filter, ScheduleAnyway ones score; pods without constraints of their own are
 * spread over hosts and zones by the selectors of what owns them.
 */
#include <math.h>
#include "base/str.h"
#include "scheduler/pair_counts.h"
#include "scheduler/set_memo.h"
#include "scheduler/plugins/table.h"

#define HOSTNAME "kubernetes.io/hostname"
#define ZONE "topology.kubernetes.io/zone"

struct instance {
	bool system_defaults;
	const KubeschedulerV1PodTopologySpreadArgs *args; /* NULL: none */
};

struct constraint {
	uint32_t key; /* INTERN_NONE: no node has it */
	bool is_hostname;
	int32_t max_skew, min_domains;
	bool honor_affinity, honor_taints;
	const MetaV1LabelSelector *const *selectors; /* all must match */
	size_t n_selectors;
	char **match_keys; /* labels that must equal the pod's own */
	size_t n_match_keys;
	bool matches_self;
	struct set_memo memo; /* which label sets the selectors match */
	/* filtering */
	struct pair_counts counts; /* (0, value) */
	int64_t min;
	bool min_stale;
	/* scoring */
	double weight;
};

struct spread {
	struct constraint *items;
	size_t n_items;
	struct node_term by_map;
	struct node_selector required;
	bool has_map, has_required;
	bool require_all; /* only nodes that have all the topology keys count */
	bool *ignored;	  /* scoring: by position among the scored rows */
	const uint32_t *rows;
};

struct states {
	struct spread *hard, *soft;
};

static struct status *init(struct arena *arena, const struct profile *profile, const cJSON *args, void **ret_self)
{
	struct instance *self = ARENA_NEW(arena, struct instance);
	self->system_defaults = true;
	if (args) {
		KubeschedulerV1PodTopologySpreadArgs *typed = NULL;
		TRY(tree_to_typed(arena, args, &KubeschedulerV1PodTopologySpreadArgs_schema, NULL, &typed));
		self->args = typed;
		self->system_defaults = !str_eq(typed->defaulting_type, "List");
		if (self->system_defaults && typed->n_default_constraints)
			return status_bad_request("defaultConstraints: when .defaultingType is System, must be empty");
	}
	*ret_self = self;
	return NULL;
}

static bool selects(const struct constraint *c, const struct pod_info *own, const struct pod_info *other)
{
	const MetaV1ObjectMeta *meta = other->pod->metadata, *mine = own->pod->metadata;
	MapStringEntry *const *labels = meta ? meta->labels : NULL;
	size_t n_labels = meta ? meta->n_labels : 0;
	for (size_t i = 0; i < c->n_selectors; i++) {
		if (!label_selector_matches(c->selectors[i], labels, n_labels))
			return false;
	}
	for (size_t i = 0; i < c->n_match_keys; i++) {
		const char *wanted = mine ? label_value(mine->labels, mine->n_labels, c->match_keys[i]) : NULL;
		if (!wanted)
			continue;
		const char *have = label_value(labels, n_labels, c->match_keys[i]);
		if (!have || strcmp(have, wanted) != 0)
			return false;
	}
	return c->n_selectors > 0;
}

/* A selector that would match everything counts nothing. */
static bool selects_everything(const struct constraint *c)
{
	for (size_t i = 0; i < c->n_selectors; i++) {
		if (!label_selector_is_empty(c->selectors[i]))
			return false;
	}
	return !c->n_match_keys;
}

static int64_t count_on(const struct cycle *cycle, struct constraint *c, uint32_t row)
{
	const struct pod_list *pods = &cycle->nodes->pods[row];
	int64_t n = 0;
	if (selects_everything(c))
		return 0;
	for (size_t i = 0; i < pods->n_items; i++) {
		const struct pod_info *other = pods->items[i];
		int known = set_memo_get(&c->memo, other);
		bool counts = known ? known > 0
				    : set_memo_put(&c->memo, other,
					      !strcmp(other->namespace_, cycle->pod->namespace_) &&
						      selects(c, cycle->pod, other));
		n += counts && !pod_is_terminating(other);
	}
	return n;
}

static void add_constraint(struct cycle *cycle, struct spread *s, const CoreV1TopologySpreadConstraint *t,
	const MetaV1LabelSelector *const *selectors, size_t n_selectors)
{
	struct constraint c = {
		.key = intern_find(cycle->nodes->strings, t->topology_key),
		.is_hostname = str_eq(t->topology_key, HOSTNAME),
		.max_skew = t->max_skew,
		.min_domains = t->has_min_domains ? t->min_domains : 1,
		.honor_affinity = !str_eq(t->node_affinity_policy, "Ignore"),
		.honor_taints = str_eq(t->node_taints_policy, "Honor"),
		.selectors = selectors,
		.n_selectors = n_selectors,
		.match_keys = t->match_label_keys,
		.n_match_keys = t->n_match_label_keys,
		.min_stale = true,
	};
	c.memo = set_memo_make(cycle->arena, cycle->nodes);
	c.matches_self = selects(&c, cycle->pod, cycle->pod);
	ARENA_PUSH(cycle->arena, s->items, s->n_items) = c;
}

static void add_own(struct cycle *cycle, struct spread *s, const CoreV1PodSpec *spec, const char *action)
{
	for (size_t i = 0; i < spec->n_topology_spread_constraints; i++) {
		const CoreV1TopologySpreadConstraint *t = spec->topology_spread_constraints[i];
		if (!str_eq(t->when_unsatisfiable, action))
			continue;
		const MetaV1LabelSelector **one = ARENA_NEW(cycle->arena, const MetaV1LabelSelector *);
		one[0] = t->label_selector;
		add_constraint(cycle, s, t, one, t->label_selector ? 1 : 0);
	}
}

static void add_defaults(const struct instance *self, struct cycle *cycle, struct spread *s, const char *action)
{
	const MetaV1LabelSelector **selectors = NULL;
	size_t n = cycle->handle->pod_selectors
			   ? cycle->handle->pod_selectors(cycle->handle->data, cycle->arena, cycle->pod, &selectors)
			   : 0;
	if (!n)
		return;
	if (self->system_defaults) {
		if (!str_eq(action, "ScheduleAnyway"))
			return;
		CoreV1TopologySpreadConstraint host = {.topology_key = (char *)(uintptr_t)HOSTNAME, .max_skew = 3};
		CoreV1TopologySpreadConstraint zone = {.topology_key = (char *)(uintptr_t)ZONE, .max_skew = 5};
		add_constraint(cycle, s, &host, selectors, n);
		add_constraint(cycle, s, &zone, selectors, n);
		return;
	}
	for (size_t i = 0; i < self->args->n_default_constraints; i++) {
		if (str_eq(self->args->default_constraints[i]->when_unsatisfiable, action))
			add_constraint(cycle, s, self->args->default_constraints[i], selectors, n);
	}
}

static struct spread *spread_new(const struct instance *self, struct cycle *cycle, const char *action)
{
	struct spread *s = ARENA_NEW(cycle->arena, struct spread);
	const CoreV1PodSpec *spec = cycle->pod->pod->spec;
	const struct intern *strings = cycle->nodes->strings;
	if (!spec)
		return s;
	if (spec->n_topology_spread_constraints)
		add_own(cycle, s, spec, action);
	else
		add_defaults(self, cycle, s, action);
	if (!s->n_items)
		return s;
	s->require_all = spec->n_topology_spread_constraints || !self->system_defaults;
	s->has_map = spec->n_node_selector;
	if (s->has_map)
		s->by_map = node_term_of_map(cycle->arena, strings, spec->node_selector, spec->n_node_selector);
	const CoreV1NodeAffinity *affinity = spec->affinity ? spec->affinity->node_affinity : NULL;
	if (affinity && affinity->required_during_scheduling_ignored_during_execution) {
		s->has_required = true;
		s->required = node_selector_compile(
			cycle->arena, strings, affinity->required_during_scheduling_ignored_during_execution);
	}
	return s;
}

static uint32_t domain(const struct cycle *cycle, const struct constraint *c, uint32_t row)
{
	return c->key == INTERN_NONE ? INTERN_NONE : label_set_get(&cycle->nodes->labels[row], c->key);
}

static bool has_all_keys(const struct cycle *cycle, const struct spread *s, uint32_t row)
{
	for (size_t i = 0; i < s->n_items; i++) {
		if (domain(cycle, &s->items[i], row) == INTERN_NONE)
			return false;
	}
	return true;
}

static bool tolerates_node(const struct cycle *cycle, uint32_t row)
{
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", ""};
	const CoreV1PodSpec *spec = cycle->pod->pod->spec;
	const struct nodes *nodes = cycle->nodes;
	for (size_t i = 0; i < nodes->taint_ids[row].n_ids; i++) {
		const struct taint *t = &nodes->taints[nodes->taint_ids[row].ids[i]];
		if (t->effect != TAINT_NO_SCHEDULE && t->effect != TAINT_NO_EXECUTE)
			continue;
		if (!tolerations_match(spec->tolerations, spec->n_tolerations, intern_string(nodes->strings, t->key),
			    intern_string(nodes->strings, t->value), effects[t->effect]))
			return false;
	}
	return true;
}

/* Whether the node takes part in a constraint, by its node inclusion policies. */
static bool included(const struct cycle *cycle, const struct spread *s, const struct constraint *c, uint32_t row)
{
	struct node_view node = nodes_view(cycle->nodes, row);
	if (c->honor_affinity && ((s->has_map && !node_term_matches(&s->by_map, &node)) ||
					 (s->has_required && !node_selector_matches(&s->required, &node))))
		return false;
	return !c->honor_taints || tolerates_node(cycle, row);
}

static struct states *states_of(struct cycle *cycle)
{
	if (!cycle_state(cycle))
		cycle_state(cycle) = ARENA_NEW(cycle->arena, struct states);
	return cycle_state(cycle);
}

static struct verdict pre_filter(void *self, struct cycle *cycle, struct node_names *ret_names)
{
	struct spread *s = spread_new(self, cycle, "DoNotSchedule");
	states_of(cycle)->hard = s;
	if (!s->n_items)
		return skipped();
	for (size_t k = 0; k < nodes_count(cycle->nodes); k++) {
		uint32_t row = cycle->nodes->order[k];
		if (!has_all_keys(cycle, s, row))
			continue;
		for (size_t i = 0; i < s->n_items; i++) {
			struct constraint *c = &s->items[i];
			if (included(cycle, s, c, row))
				pair_counts_add(
					cycle->arena, &c->counts, 0, domain(cycle, c, row), count_on(cycle, c, row));
		}
	}
	return success();
}

static void shift(struct cycle *cycle, const struct pod_info *other, uint32_t row, int64_t delta)
{
	struct spread *s = states_of(cycle)->hard;
	if (strcmp(other->namespace_, cycle->pod->namespace_) != 0 || !has_all_keys(cycle, s, row))
		return;
	for (size_t i = 0; i < s->n_items; i++) {
		struct constraint *c = &s->items[i];
		if (!selects(c, cycle->pod, other) || !included(cycle, s, c, row))
			continue;
		pair_counts_add(cycle->arena, &c->counts, 0, domain(cycle, c, row), delta);
		c->min_stale = true;
	}
}

static void add_pod(void *self, struct cycle *cycle, const struct pod_info *other, uint32_t row)
{
	shift(cycle, other, row, 1);
}

static void remove_pod(void *self, struct cycle *cycle, const struct pod_info *other, uint32_t row)
{
	shift(cycle, other, row, -1);
}

static int64_t smallest(struct constraint *c)
{
	if (c->min_stale) {
		c->min = (int64_t)c->counts.n_used < c->min_domains ? 0 : pair_counts_min(&c->counts);
		c->min_stale = false;
	}
	return c->min;
}

static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
{
	struct spread *s = states_of(cycle)->hard;
	for (size_t i = 0; i < s->n_items; i++) {
		struct constraint *c = &s->items[i];
		uint32_t value = domain(cycle, c, row);
		if (value == INTERN_NONE)
			return unresolvable(
				"node(s) didn't match pod topology spread constraints (missing required label)");
		if (pair_counts_get(&c->counts, 0, value) + c->matches_self - smallest(c) > c->max_skew)
			return unschedulable("node(s) didn't match pod topology spread constraints");
	}
	return success();
}

/* The domains that the candidates offer; their number gives the weight of the constraint. */
static void size_domains(struct cycle *cycle, struct spread *s, const uint32_t *rows, size_t n_rows)
{
	size_t n_counted = 0;
	s->ignored = ARENA_ARRAY(cycle->arena, bool, n_rows + 1);
	s->rows = rows;
	for (size_t k = 0; k < n_rows; k++) {
		s->ignored[k] = s->require_all && !has_all_keys(cycle, s, rows[k]);
		if (s->ignored[k])
			continue;
		n_counted++;
		for (size_t i = 0; i < s->n_items; i++) {
			struct constraint *c = &s->items[i];
			if (!c->is_hostname)
				pair_counts_add(cycle->arena, &c->counts, 0, domain(cycle, c, rows[k]), 0);
		}
	}
	for (size_t i = 0; i < s->n_items; i++) {
		struct constraint *c = &s->items[i];
		c->weight = log((double)((c->is_hostname ? n_counted : c->counts.n_used) + 2));
	}
}

static bool counts_domain(const struct constraint *c, uint32_t value)
{
	for (size_t i = 0; i < c->counts.n_slots; i++) {
		if (c->counts.slots[i].used && c->counts.slots[i].b == value)
			return true;
	}
	return false;
}

static struct verdict pre_score(void *self, struct cycle *cycle, const uint32_t *rows, size_t n_rows)
{
	struct spread *s = spread_new(self, cycle, "ScheduleAnyway");
	states_of(cycle)->soft = s;
	if (!s->n_items)
		return skipped();
	size_domains(cycle, s, rows, n_rows);
	for (size_t k = 0; k < nodes_count(cycle->nodes); k++) {
		uint32_t row = cycle->nodes->order[k];
		if (s->require_all && !has_all_keys(cycle, s, row))
			continue;
		for (size_t i = 0; i < s->n_items; i++) {
			struct constraint *c = &s->items[i];
			uint32_t value = domain(cycle, c, row);
			if (!c->is_hostname && included(cycle, s, c, row) && counts_domain(c, value))
				pair_counts_add(cycle->arena, &c->counts, 0, value, count_on(cycle, c, row));
		}
	}
	return success();
}

static bool is_ignored(const struct spread *s, uint32_t row)
{
	for (size_t k = 0; s->require_all; k++) {
		if (s->rows[k] == row)
			return s->ignored[k];
	}
	return false;
}

static int64_t score(void *self, struct cycle *cycle, uint32_t row)
{
	struct spread *s = states_of(cycle)->soft;
	double sum = 0;
	if (is_ignored(s, row))
		return 0;
	for (size_t i = 0; i < s->n_items; i++) {
		struct constraint *c = &s->items[i];
		uint32_t value = domain(cycle, c, row);
		if (value == INTERN_NONE)
			continue;
		int64_t count = c->is_hostname ? count_on(cycle, c, row) : pair_counts_get(&c->counts, 0, value);
		sum += (double)count * c->weight + (c->max_skew - 1);
	}
	return (int64_t)round(sum);
}

static void normalize(void *self, struct cycle *cycle, const uint32_t *rows, int64_t *scores, size_t n_rows)
{
	const struct spread *s = states_of(cycle)->soft;
	int64_t min = INT64_MAX, max = 0;
	for (size_t k = 0; k < n_rows; k++) {
		if (s->ignored[k])
			continue;
		min = scores[k] < min ? scores[k] : min;
		max = scores[k] > max ? scores[k] : max;
	}
	for (size_t k = 0; k < n_rows; k++) {
		if (s->ignored[k])
			scores[k] = 0;
		else
			scores[k] = max ? MAX_NODE_SCORE * (max + min - scores[k]) / max : MAX_NODE_SCORE;
	}
}

/* Any change of pods that could count, or of nodes, may move the balance. */
static enum queueing_hint pod_changed(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	const struct pod_info *other = event->new_pod ? event->new_pod : event->old_pod;
	return other && !strcmp(other->namespace_, pod->namespace_) ? HINT_QUEUE : HINT_SKIP;
}

static const struct event_interest events[] = {
	{EVENT_POD, EVENT_ADD | EVENT_DELETE | EVENT_UPDATE_POD_LABEL | EVENT_UPDATE_POD_TOLERATION, pod_changed},
	{EVENT_NODE, EVENT_ADD | EVENT_DELETE | EVENT_UPDATE_NODE_LABEL | EVENT_UPDATE_NODE_TAINT, NULL},
	{0},
};

const struct plugin plugin_pod_topology_spread = {
	.name = "PodTopologySpread",
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
