/*
 * DefaultPreemption: when a pod fits nowhere, finds the node where evicting the fewest and least important pods of
 * lower priority would make room, and evicts them there. The pod is nominated to the node and tried again when they are
 * gone.
 */
#include "base/str.h"
#include "scheduler/plugins/table.h"
#include "scheduler/schedule.h"

struct instance {
	int32_t min_percentage, min_absolute;
	const struct scheduler_handle *handle;
};

struct candidate {
	uint32_t row;
	struct pod_info **victims; /* most important first */
	size_t n_victims;
	size_t n_violations; /* of disruption budgets */
};

struct search {
	struct cycle *cycle;
	PolicyV1PodDisruptionBudget **budgets;
	size_t n_budgets;
	struct candidate *found;
	size_t n_found;
	struct diagnosis failures; /* of the nodes that were tried */
};

static struct status *init(struct arena *arena, const struct profile *profile, const cJSON *args, void **ret_self)
{
	struct instance *self = ARENA_NEW(arena, struct instance);
	*self = (struct instance){.min_percentage = 10, .min_absolute = 100, .handle = profile->handle};
	*ret_self = self;
	if (!args)
		return NULL;
	KubeschedulerV1DefaultPreemptionArgs *typed = NULL;
	TRY(tree_to_typed(arena, args, &KubeschedulerV1DefaultPreemptionArgs_schema, NULL, &typed));
	if (typed->has_min_candidate_nodes_percentage)
		self->min_percentage = typed->min_candidate_nodes_percentage;
	if (typed->has_min_candidate_nodes_absolute)
		self->min_absolute = typed->min_candidate_nodes_absolute;
	if (self->min_percentage < 0 || self->min_percentage > 100)
		return status_bad_request("minCandidateNodesPercentage: not in valid range [0, 100]");
	if (self->min_absolute < 0 || (!self->min_absolute && !self->min_percentage))
		return status_bad_request("minCandidateNodesAbsolute: must not be zero together with the percentage");
	return NULL;
}

/* While its preemption is under way, the pod waits outside the queue. */
static struct verdict pre_enqueue(void *self, struct arena *arena, const struct pod_info *pod)
{
	const struct scheduler_handle *handle = ((const struct instance *)self)->handle;
	if (handle->is_preempting && handle->is_preempting(handle->data, pod))
		return unresolvable("waiting for the preemption for this pod to be finished");
	return success();
}

static int64_t start_of(const struct pod_info *pod)
{
	const MetaV1Time *t = pod->pod->status ? pod->pod->status->start_time : NULL;
	return t ? t->seconds : INT64_MAX;
}

static int by_importance(const void *a, const void *b)
{
	const struct pod_info *x = *(struct pod_info *const *)a, *y = *(struct pod_info *const *)b;
	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	int64_t start_x = start_of(x), start_y = start_of(y);
	return start_x != start_y ? (start_x < start_y ? -1 : 1) : strcmp(x->uid, y->uid);
}

static void take(struct search *s, uint32_t row, struct pod_info *pod)
{
	nodes_take_pod(s->cycle->nodes, row, pod);
	framework_remove_pod(s->cycle, pod, row);
}

static void put_back(struct search *s, uint32_t row, struct pod_info *pod)
{
	nodes_add_pod(s->cycle->nodes, row, pod);
	framework_add_pod(s->cycle, pod, row);
}

static bool budget_selects(const PolicyV1PodDisruptionBudget *budget, const struct pod_info *pod)
{
	const MetaV1ObjectMeta *meta = pod->pod->metadata;
	const MetaV1LabelSelector *selector = budget->spec ? budget->spec->selector : NULL;
	if (!budget->metadata || !str_eq(budget->metadata->namespace, pod->namespace_) || !meta || !meta->n_labels)
		return false;
	if (!selector || label_selector_is_empty(selector) ||
		!label_selector_matches(selector, meta->labels, meta->n_labels))
		return false;
	for (size_t i = 0; budget->status && i < budget->status->n_disrupted_pods; i++) {
		if (str_eq(budget->status->disrupted_pods[i]->key, pod->name))
			return false;
	}
	return true;
}

/* Moves those whose eviction would break a budget to the front, each part in its order. Returns how many. */
static size_t violating_first(struct search *s, struct pod_info **pods, size_t n)
{
	struct arena *arena = s->cycle->arena;
	int64_t *allowed = ARENA_ARRAY(arena, int64_t, s->n_budgets + 1);
	struct pod_info **rest = ARENA_ARRAY(arena, struct pod_info *, n + 1);
	size_t n_violating = 0, n_rest = 0;
	for (size_t i = 0; i < s->n_budgets; i++)
		allowed[i] = s->budgets[i]->status ? s->budgets[i]->status->disruptions_allowed : 0;
	for (size_t i = 0; i < n; i++) {
		bool violates = false;
		for (size_t j = 0; j < s->n_budgets; j++)
			violates |= budget_selects(s->budgets[j], pods[i]) && --allowed[j] < 0;
		if (violates)
			pods[n_violating++] = pods[i];
		else
			rest[n_rest++] = pods[i];
	}
	memcpy(pods + n_violating, rest, n_rest * sizeof *rest);
	return n_violating;
}

/*
 * Takes every less important pod off the node; if the pod then fits, puts back as many as can stay, the most important
 * first. The columns are as before when it returns.
 */
static struct verdict try_node(struct search *s, uint32_t row, struct candidate *ret)
{
	struct cycle *cycle = s->cycle;
	const struct pod_list *pods = &cycle->nodes->pods[row];
	struct pod_info **lower = ARENA_ARRAY(cycle->arena, struct pod_info *, pods->n_items + 1);
	size_t n = 0;
	for (size_t i = 0; i < pods->n_items; i++) {
		if (pods->items[i]->priority < cycle->pod->priority)
			lower[n++] = pod_info_ref(pods->items[i]);
	}
	if (!n)
		return unresolvable("No preemption victims found for incoming pod");
	for (size_t i = 0; i < n; i++)
		take(s, row, lower[i]);
	struct verdict verdict = framework_filter(cycle, row);
	*ret = (struct candidate){.row = row, .victims = ARENA_ARRAY(cycle->arena, struct pod_info *, n)};
	qsort(lower, n, sizeof *lower, by_importance);
	size_t n_violating = verdict.code == VERDICT_SUCCESS ? violating_first(s, lower, n) : 0;
	for (size_t i = 0; i < n; i++) {
		put_back(s, row, lower[i]);
		if (verdict.code != VERDICT_SUCCESS || framework_filter(cycle, row).code == VERDICT_SUCCESS)
			continue;
		take(s, row, lower[i]);
		ret->victims[ret->n_victims++] = lower[i];
		ret->n_violations += i < n_violating;
	}
	for (size_t i = 0; i < ret->n_victims; i++)
		put_back(s, row, ret->victims[i]);
	qsort(ret->victims, ret->n_victims, sizeof *ret->victims, by_importance);
	for (size_t i = 0; i < n; i++)
		pod_info_unref(lower[i]);
	return verdict;
}

static int64_t sum_of_priorities(const struct candidate *c)
{
	int64_t sum = 0;
	for (size_t i = 0; i < c->n_victims; i++)
		sum += (int64_t)c->victims[i]->priority + INT32_MAX + 1LL;
	return sum;
}

/* When the longest-running of the most important victims started: the later, the less is lost. */
static int64_t earliest_start(const struct candidate *c)
{
	int64_t earliest = INT64_MAX;
	for (size_t i = 0; i < c->n_victims && c->victims[i]->priority == c->victims[0]->priority; i++) {
		if (start_of(c->victims[i]) < earliest)
			earliest = start_of(c->victims[i]);
	}
	return earliest;
}

static bool better(const struct candidate *a, const struct candidate *b)
{
	if (a->n_violations != b->n_violations)
		return a->n_violations < b->n_violations;
	if (!a->n_victims || !b->n_victims)
		return a->n_victims < b->n_victims;
	if (a->victims[0]->priority != b->victims[0]->priority)
		return a->victims[0]->priority < b->victims[0]->priority;
	int64_t sum_a = sum_of_priorities(a), sum_b = sum_of_priorities(b);
	if (sum_a != sum_b)
		return sum_a < sum_b;
	if (a->n_victims != b->n_victims)
		return a->n_victims < b->n_victims;
	return earliest_start(a) > earliest_start(b);
}

/* Whether the pod may preempt (again): not while victims of its last preemption are still ending. */
static const char *why_not(const struct cycle *cycle, const struct diagnosis *diagnosis)
{
	const struct pod_info *pod = cycle->pod;
	if (str_eq(pod->pod->spec->preemption_policy, "Never"))
		return "not eligible due to preemptionPolicy=Never.";
	const char *nominated = pod_nominated_node(pod);
	uint32_t row = str_empty(nominated) ? NODES_NO_ROW : nodes_row(cycle->nodes, nominated);
	if (row == NODES_NO_ROW || diagnosis_verdict(diagnosis, row)->code == VERDICT_UNRESOLVABLE)
		return NULL;
	const struct pod_list *pods = &cycle->nodes->pods[row];
	for (size_t i = 0; i < pods->n_items; i++) {
		const struct pod_info *other = pods->items[i];
		if (other->priority >= pod->priority || !pod_is_terminating(other) || !other->pod->status)
			continue;
		for (size_t j = 0; j < other->pod->status->n_conditions; j++) {
			const CoreV1PodCondition *c = other->pod->status->conditions[j];
			if (str_eq(c->type, "DisruptionTarget") && str_eq(c->status, "True") &&
				str_eq(c->reason, "PreemptionByScheduler"))
				return "not eligible due to a terminating pod on the nominated node.";
		}
	}
	return NULL;
}

static size_t wanted_candidates(const struct instance *self, size_t n_nodes)
{
	size_t n = n_nodes * (size_t)self->min_percentage / 100;
	if (n < (size_t)self->min_absolute)
		n = (size_t)self->min_absolute;
	return n < n_nodes ? n : n_nodes;
}

/* Tries the nodes that preemption could help, from a random one on. */
static void find_candidates(const struct instance *self, struct search *s, const struct diagnosis *diagnosis)
{
	struct cycle *cycle = s->cycle;
	struct nodes *nodes = cycle->nodes;
	uint32_t *rows = ARENA_ARRAY(cycle->arena, uint32_t, nodes_count(nodes) + 1);
	size_t n = 0;
	for (size_t i = 0; i < nodes_count(nodes); i++) {
		if (diagnosis_verdict(diagnosis, nodes->order[i])->code == VERDICT_UNSCHEDULABLE)
			rows[n++] = nodes->order[i];
	}
	if (!n)
		return;
	size_t wanted = wanted_candidates(self, n), clean = 0;
	uint32_t offset = cycle->handle->random_below(cycle->handle->data, (uint32_t)n);
	for (size_t i = 0; i < n && !(s->n_found >= wanted && clean); i++) {
		uint32_t row = rows[(offset + i) % n];
		struct candidate c = {0};
		struct verdict verdict = try_node(s, row, &c);
		if (verdict.code == VERDICT_SUCCESS && c.n_victims) {
			ARENA_PUSH(cycle->arena, s->found, s->n_found) = c;
			clean += !c.n_violations;
		} else {
			s->failures.by_node[row] = verdict;
			s->failures.explicit_[row] = true;
			s->failures.n_explicit++;
		}
	}
}

static struct verdict post_filter(void *self, struct cycle *cycle, struct diagnosis *diagnosis, const char **ret_node)
{
	struct nodes *nodes = cycle->nodes;
	diagnosis->preemption_tried = true;
	const char *reason = why_not(cycle, diagnosis);
	if (reason)
		return unschedulable(arena_printf(cycle->arena, "preemption: %s", reason));
	struct search s = {.cycle = cycle};
	s.failures.by_node = ARENA_ARRAY(cycle->arena, struct verdict, nodes->n_rows + 1);
	s.failures.explicit_ = ARENA_ARRAY(cycle->arena, bool, nodes->n_rows + 1);
	s.failures.absent = unresolvable("Preemption is not helpful for scheduling");
	if (cycle->handle->disruption_budgets)
		s.n_budgets = cycle->handle->disruption_budgets(cycle->handle->data, cycle->arena, &s.budgets);
	find_candidates(self, &s, diagnosis);
	if (!s.n_found) {
		*ret_node = "";
		return unschedulable(arena_printf(
			cycle->arena, "preemption: %s", diagnosis_message(cycle->arena, nodes, &s.failures)));
	}
	const struct candidate *best = &s.found[0];
	for (size_t i = 1; i < s.n_found; i++) {
		if (better(&s.found[i], best))
			best = &s.found[i];
	}
	*ret_node = arena_strdup(cycle->arena, nodes->name[best->row]);
	cycle->handle->preempt(cycle->handle->data, cycle, *ret_node, best->victims, best->n_victims);
	return success();
}

static enum queueing_hint never(void *self, const struct pod_info *pod, const struct cluster_event *event)
{
	return HINT_SKIP;
}

static const struct event_interest events[] = {{EVENT_POD, EVENT_DELETE, never}, {0}};

const struct plugin plugin_default_preemption = {
	.name = "DefaultPreemption",
	.init = init,
	.pre_enqueue = pre_enqueue,
	.post_filter = post_filter,
	.events = events,
};
