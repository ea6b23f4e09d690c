#include "scheduler/schedule.h"
#include "base/str.h"

enum { MIN_FEASIBLE = 100, MIN_PERCENTAGE = 5 };

struct cycle *cycle_new(
	const struct profile *profile, struct scheduler_handle *handle, struct nodes *nodes, struct pod_info *pod)
{
	struct arena *arena = arena_new();
	struct cycle *cycle = ARENA_NEW(arena, struct cycle);
	cycle->arena = arena;
	cycle->profile = profile;
	cycle->handle = handle;
	cycle->nodes = nodes;
	cycle->pod = pod_info_ref(pod);
	return cycle;
}

void cycle_free(struct cycle *cycle)
{
	if (!cycle)
		return;
	pod_info_unref(cycle->pod);
	arena_free(cycle->arena);
}

size_t feasible_nodes_wanted(int profile_percentage, int percentage, size_t n_nodes)
{
	if (n_nodes < MIN_FEASIBLE)
		return n_nodes;
	size_t share = (size_t)(profile_percentage >= 0 ? profile_percentage : percentage);
	if (!share) {
		share = n_nodes / 125 < 50 - MIN_PERCENTAGE ? 50 - n_nodes / 125 : MIN_PERCENTAGE;
	}
	size_t n = n_nodes * share / 100;
	return n < MIN_FEASIBLE ? MIN_FEASIBLE : n;
}

struct reason_count {
	const char *reason;
	size_t n;
};

static void tally(struct arena *arena, struct reason_count **counts, size_t *n_counts, const char *reason, size_t n)
{
	for (size_t i = 0; i < *n_counts; i++) {
		if ((*counts)[i].reason == reason || !strcmp((*counts)[i].reason, reason)) {
			(*counts)[i].n += n;
			return;
		}
	}
	ARENA_PUSH(arena, *counts, *n_counts) = (struct reason_count){reason, n};
}

static const char *histogram(struct arena *arena, const struct nodes *nodes, const struct diagnosis *diagnosis)
{
	struct reason_count *counts = NULL;
	size_t n_counts = 0;
	for (size_t k = 0; k < nodes->n_order; k++) {
		uint32_t row = nodes->order[k];
		for (size_t i = 0; diagnosis->explicit_[row] && i < diagnosis->by_node[row].n_reasons; i++)
			tally(arena, &counts, &n_counts, diagnosis->by_node[row].reasons[i], 1);
	}
	size_t n_absent = nodes->n_order - diagnosis->n_explicit;
	for (size_t i = 0; n_absent && i < diagnosis->absent.n_reasons; i++)
		tally(arena, &counts, &n_counts, diagnosis->absent.reasons[i], n_absent);
	char **lines = ARENA_ARRAY(arena, char *, n_counts + 1);
	for (size_t i = 0; i < n_counts; i++)
		lines[i] = arena_printf(arena, "%zu %s", counts[i].n, counts[i].reason);
	qsort(lines, n_counts, sizeof *lines, str_cmp_qsort);
	return str_join(arena, lines, n_counts, ", ");
}

const char *diagnosis_message(struct arena *arena, const struct nodes *nodes, const struct diagnosis *diagnosis)
{
	const char *reasons =
		diagnosis->pre_filter_message ? diagnosis->pre_filter_message : histogram(arena, nodes, diagnosis);
	const char *more = diagnosis->post_filter_message;
	return arena_printf(arena, "0/%zu nodes are available:%s%s%s%s%s", nodes->n_order, *reasons ? " " : "", reasons,
		*reasons ? "." : "", str_empty(more) ? "" : " ", str_or_empty(more));
}

static void note(struct diagnosis *diagnosis, uint32_t row, struct verdict verdict)
{
	if (!diagnosis->explicit_[row])
		diagnosis->n_explicit++;
	diagnosis->explicit_[row] = true;
	diagnosis->by_node[row] = verdict;
	if (verdict_rejects(verdict.code))
		diagnosis->unschedulable |= 1u << verdict.plugin;
	if (verdict.code == VERDICT_PENDING)
		diagnosis->pending |= 1u << verdict.plugin;
}

struct candidates {
	uint32_t *rows;
	size_t n_rows;
};

static struct verdict filter_nodes(struct cycle *cycle, const struct candidates *from, size_t start,
	struct diagnosis *diagnosis, struct candidates *ret)
{
	size_t wanted = feasible_nodes_wanted(cycle->profile->percentage_of_nodes_to_score,
		cycle->handle->percentage_of_nodes_to_score, from->n_rows);
	if (!cycle->profile->n_points[POINT_SCORE])
		wanted = 1;
	for (size_t i = 0; i < from->n_rows && ret->n_rows < wanted; i++) {
		uint32_t row = from->rows[(start + i) % from->n_rows];
		struct verdict verdict = framework_filter(cycle, row);
		if (verdict.code == VERDICT_ERROR)
			return verdict;
		if (verdict.code == VERDICT_SUCCESS)
			ret->rows[ret->n_rows++] = row;
		else
			note(diagnosis, row, verdict);
	}
	return success();
}

static struct candidates rows_named(struct cycle *cycle, const struct node_names *names)
{
	struct candidates out = {cycle->nodes->order, cycle->nodes->n_order};
	if (names->all)
		return out;
	out = (struct candidates){ARENA_ARRAY(cycle->arena, uint32_t, names->n_items + 1), 0};
	for (size_t i = 0; i < names->n_items; i++) {
		uint32_t row = nodes_row(cycle->nodes, names->items[i]);
		if (row != NODES_NO_ROW && (cycle->nodes->flags[row] & NODE_PRESENT))
			out.rows[out.n_rows++] = row;
	}
	return out;
}

static struct verdict find_feasible(
	struct cycle *cycle, struct schedule_cursor *cursor, struct diagnosis *diagnosis, struct candidates *ret)
{
	struct nodes *nodes = cycle->nodes;
	struct node_names names = {.all = true};
	ret->rows = ARENA_ARRAY(cycle->arena, uint32_t, nodes->n_order + 1);
	struct verdict verdict = framework_pre_filter(cycle, diagnosis, &names);
	if (verdict.code != VERDICT_SUCCESS)
		return verdict;
	const char *nominated = pod_nominated_node(cycle->pod);
	uint32_t row = str_empty(nominated) ? NODES_NO_ROW : nodes_row(nodes, nominated);
	if (row != NODES_NO_ROW && (nodes->flags[row] & NODE_PRESENT)) {
		struct candidates one = {&row, 1};
		verdict = filter_nodes(cycle, &one, 0, diagnosis, ret);
		if (verdict.code == VERDICT_SUCCESS && ret->n_rows)
			return verdict;
	}
	struct candidates from = rows_named(cycle, &names);
	if (!from.n_rows)
		return success();
	verdict = filter_nodes(cycle, &from, cursor->next_start % from.n_rows, diagnosis, ret);
	cursor->next_start = (cursor->next_start + ret->n_rows + diagnosis->n_explicit) % nodes->n_order;
	return verdict;
}

/* One of the best, each with the same chance. */
static uint32_t select_host(struct cycle *cycle, const struct candidates *from, const int64_t *totals)
{
	size_t best = 0;
	uint32_t ties = 1;
	for (size_t i = 1; i < from->n_rows; i++) {
		if (totals[i] > totals[best]) {
			best = i;
			ties = 1;
		} else if (totals[i] == totals[best] && !cycle->handle->random_below(cycle->handle->data, ++ties)) {
			best = i;
		}
	}
	return from->rows[best];
}

static void fail(struct cycle *cycle, struct schedule_result *ret, const struct verdict *verdict)
{
	ret->code = VERDICT_ERROR;
	ret->message = arena_printf(cycle->arena, "running %s: %s",
		cycle->profile->plugins[verdict->plugin].plugin->name, verdict_message(cycle->arena, verdict));
}

static void reject(struct cycle *cycle, struct schedule_result *ret)
{
	ret->code = VERDICT_UNSCHEDULABLE;
	if (cycle->profile->n_points[POINT_POST_FILTER]) {
		struct verdict verdict = framework_post_filter(cycle, &ret->diagnosis, &ret->nominate);
		ret->diagnosis.post_filter_message = verdict_message(cycle->arena, &verdict);
	}
	ret->message = diagnosis_message(cycle->arena, cycle->nodes, &ret->diagnosis);
}

void schedule_pod(struct cycle *cycle, struct schedule_cursor *cursor, struct schedule_result *ret)
{
	struct nodes *nodes = cycle->nodes;
	nodes_refresh_order(nodes);
	*ret = (struct schedule_result){0};
	if (!nodes->n_order) {
		ret->code = VERDICT_UNRESOLVABLE;
		ret->message = "no nodes available to schedule pods";
		return;
	}
	ret->diagnosis.by_node = ARENA_ARRAY(cycle->arena, struct verdict, nodes->n_rows);
	ret->diagnosis.explicit_ = ARENA_ARRAY(cycle->arena, bool, nodes->n_rows);
	ret->diagnosis.absent = (struct verdict){.code = VERDICT_UNRESOLVABLE};
	struct candidates feasible = {NULL, 0};
	struct verdict verdict = find_feasible(cycle, cursor, &ret->diagnosis, &feasible);
	ret->n_feasible = feasible.n_rows;
	ret->n_evaluated = feasible.n_rows + ret->diagnosis.n_explicit;
	if (verdict.code == VERDICT_ERROR) {
		fail(cycle, ret, &verdict);
		return;
	}
	if (!feasible.n_rows) {
		reject(cycle, ret);
		return;
	}
	uint32_t row = feasible.rows[0];
	if (feasible.n_rows > 1) {
		int64_t *totals = ARENA_ARRAY(cycle->arena, int64_t, feasible.n_rows);
		verdict = framework_score(cycle, feasible.rows, feasible.n_rows, totals);
		if (verdict.code != VERDICT_SUCCESS) {
			fail(cycle, ret, &verdict);
			return;
		}
		row = select_host(cycle, &feasible, totals);
	}
	ret->code = VERDICT_SUCCESS;
	ret->node = arena_strdup(cycle->arena, nodes->name[row]);
}
