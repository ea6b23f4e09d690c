#include "scheduler/framework.h"
#include <assert.h>
#include "base/mem.h"
#include "base/str.h"

const char *verdict_message(struct arena *arena, const struct verdict *verdict)
{
	return str_join(arena, (char *const *)(uintptr_t)verdict->reasons, verdict->n_reasons, ", ");
}

const struct plugin *plugin_find(const char *name)
{
	for (size_t i = 0; plugin_table[i]; i++) {
		if (str_eq(plugin_table[i]->name, name))
			return plugin_table[i];
	}
	return NULL;
}

int plugin_default_weight(const char *name)
{
	static const struct {
		const char *name;
		int weight;
	} weights[] = {{"TaintToleration", 3}, {"NodeAffinity", 2}, {"PodTopologySpread", 2}, {"InterPodAffinity", 2}};
	for (size_t i = 0; i < ARRAY_SIZE(weights); i++) {
		if (str_eq(weights[i].name, name))
			return weights[i].weight;
	}
	return 1;
}

const struct verdict *diagnosis_verdict(const struct diagnosis *diagnosis, uint32_t row)
{
	return diagnosis->explicit_[row] ? &diagnosis->by_node[row] : &diagnosis->absent;
}

static bool interested(const struct profile_plugin *p, const struct pod_info *pod, const struct cluster_event *event)
{
	const struct event_interest *interest = p->plugin->events;
	if (!interest)
		return true;
	for (; interest->actions; interest++) {
		if (!event_matches(interest, event))
			continue;
		if (!interest->hint || interest->hint(p->self, pod, event) == HINT_QUEUE)
			return true;
	}
	return false;
}

bool profile_event_helps(const struct profile *profile, plugin_set plugins, const struct pod_info *pod,
	const struct cluster_event *event)
{
	for (size_t i = 0; i < profile->n_plugins; i++) {
		if ((plugins & (1u << i)) && interested(&profile->plugins[i], pod, event))
			return true;
	}
	return false;
}

/* The plugins of one extension point of the cycle's profile, in order. */
#define FOREACH_PLUGIN(profile_, point_, index_, p_)                                               \
	for (size_t k_ = 0; k_ < (profile_)->n_points[point_]; k_++)                               \
		for (uint8_t index_ = (profile_)->points[point_][k_], once_ = 1; once_; once_ = 0) \
			for (const struct profile_plugin *p_ = &(profile_)->plugins[index_]; once_; once_ = 0)

static struct verdict marked(struct verdict verdict, uint8_t plugin)
{
	verdict.plugin = plugin;
	return verdict;
}

struct verdict framework_pre_enqueue(
	const struct profile *profile, struct arena *arena, const struct pod_info *pod, int first_plugin)
{
	if (first_plugin >= 0) {
		const struct profile_plugin *p = &profile->plugins[first_plugin];
		struct verdict verdict = p->plugin->pre_enqueue(p->self, arena, pod);
		if (verdict.code != VERDICT_SUCCESS)
			return marked(verdict, (uint8_t)first_plugin);
	}
	FOREACH_PLUGIN(profile, POINT_PRE_ENQUEUE, i, p)
	{
		if (i == first_plugin)
			continue;
		struct verdict verdict = p->plugin->pre_enqueue(p->self, arena, pod);
		if (verdict.code != VERDICT_SUCCESS)
			return marked(verdict, i);
	}
	return success();
}

static bool contains(const struct node_names *names, const char *name)
{
	for (size_t i = 0; i < names->n_items; i++) {
		if (!strcmp(names->items[i], name))
			return true;
	}
	return false;
}

static void narrow(struct arena *arena, struct node_names *to, const struct node_names *by)
{
	if (by->all)
		return;
	struct node_names out = {.items = ARENA_ARRAY(arena, const char *, by->n_items + 1)};
	for (size_t i = 0; i < by->n_items; i++) {
		if ((to->all || contains(to, by->items[i])) && !contains(&out, by->items[i]))
			out.items[out.n_items++] = by->items[i];
	}
	*to = out;
}

static const char *plugin_names(struct cycle *cycle, plugin_set set)
{
	const char *names[MAX_PLUGINS];
	size_t n = 0;
	for (size_t i = 0; i < cycle->profile->n_plugins; i++) {
		if (set & (1u << i))
			names[n++] = cycle->profile->plugins[i].plugin->name;
	}
	qsort(names, n, sizeof *names, str_cmp_qsort);
	return arena_printf(cycle->arena, "[%s]", str_join(cycle->arena, (char *const *)(uintptr_t)names, n, " "));
}

static struct verdict no_node_left(struct cycle *cycle, struct diagnosis *diagnosis, plugin_set narrowed)
{
	bool one = !(narrowed & (narrowed - 1));
	const char *names = plugin_names(cycle, narrowed);
	diagnosis->pre_filter_message =
		one ? arena_printf(
			      cycle->arena, "node(s) didn't satisfy plugin %.*s", (int)strlen(names) - 2, names + 1)
		    : arena_printf(cycle->arena, "node(s) didn't satisfy plugin(s) %s simultaneously", names);
	diagnosis->unschedulable |= narrowed;
	diagnosis->absent = unresolvable(diagnosis->pre_filter_message);
	return diagnosis->absent;
}

struct verdict framework_pre_filter(struct cycle *cycle, struct diagnosis *diagnosis, struct node_names *ret_names)
{
	struct node_names names = {.all = true};
	plugin_set narrowed = 0;
	FOREACH_PLUGIN(cycle->profile, POINT_PRE_FILTER, i, p)
	{
		struct node_names mine = {.all = true};
		cycle->plugin = i;
		struct verdict verdict = marked(p->plugin->pre_filter(p->self, cycle, &mine), i);
		if (verdict.code == VERDICT_SKIP) {
			cycle->skip_filter |= 1u << i;
			continue;
		}
		if (verdict_rejects(verdict.code)) {
			diagnosis->pre_filter_message = verdict_message(cycle->arena, &verdict);
			diagnosis->absent = verdict;
			diagnosis->unschedulable |= 1u << i;
		}
		if (verdict.code != VERDICT_SUCCESS)
			return verdict;
		if (!mine.all)
			narrowed |= 1u << i;
		narrow(cycle->arena, &names, &mine);
		if (!names.all && !names.n_items)
			return no_node_left(cycle, diagnosis, narrowed);
	}
	if (!names.all) {
		diagnosis->unschedulable |= narrowed;
		diagnosis->absent = unresolvable(arena_printf(
			cycle->arena, "node(s) didn't satisfy plugin(s) %s", plugin_names(cycle, narrowed)));
	}
	*ret_names = names;
	return success();
}

static struct verdict run_filters(struct cycle *cycle, uint32_t row)
{
	const struct profile *profile = cycle->profile;
	for (size_t k = 0; k < profile->n_points[POINT_FILTER]; k++) {
		uint8_t i = profile->points[POINT_FILTER][k];
		if (cycle->skip_filter & (1u << i))
			continue;
		cycle->plugin = i;
		struct verdict verdict = profile->plugins[i].plugin->filter(profile->plugins[i].self, cycle, row);
		if (verdict.code != VERDICT_SUCCESS)
			return marked(verdict, i);
	}
	return success();
}

void framework_add_pod(struct cycle *cycle, const struct pod_info *other, uint32_t row)
{
	FOREACH_PLUGIN(cycle->profile, POINT_PRE_FILTER, i, p)
	{
		if (!p->plugin->add_pod || (cycle->skip_filter & (1u << i)))
			continue;
		cycle->plugin = i;
		p->plugin->add_pod(p->self, cycle, other, row);
	}
}

void framework_remove_pod(struct cycle *cycle, const struct pod_info *other, uint32_t row)
{
	FOREACH_PLUGIN(cycle->profile, POINT_PRE_FILTER, i, p)
	{
		if (!p->plugin->remove_pod || (cycle->skip_filter & (1u << i)))
			continue;
		cycle->plugin = i;
		p->plugin->remove_pod(p->self, cycle, other, row);
	}
}

/*
 * Pods nominated to the node that matter at least as much are taken to be there already; and since they may yet go
 * elsewhere, the pod must fit without them too (their affinity must not be what lets it in).
 */
struct verdict framework_filter(struct cycle *cycle, uint32_t row)
{
	struct pod_info *const *nominated = NULL;
	size_t n = cycle->handle->nominated
			   ? cycle->handle->nominated(cycle->handle->data, cycle->nodes->name[row], &nominated)
			   : 0;
	struct pod_info *placed[64];
	size_t n_placed = 0;
	for (size_t i = 0; i < n && n_placed < ARRAY_SIZE(placed); i++) {
		if (nominated[i]->priority >= cycle->pod->priority && !str_eq(nominated[i]->uid, cycle->pod->uid))
			placed[n_placed++] = nominated[i];
	}
	for (size_t i = 0; i < n_placed; i++) {
		nodes_add_pod(cycle->nodes, row, placed[i]);
		framework_add_pod(cycle, placed[i], row);
	}
	struct verdict verdict = run_filters(cycle, row);
	for (size_t i = n_placed; i-- > 0;) {
		nodes_take_pod(cycle->nodes, row, placed[i]);
		framework_remove_pod(cycle, placed[i], row);
	}
	if (n_placed && verdict.code == VERDICT_SUCCESS)
		verdict = run_filters(cycle, row);
	return verdict;
}

struct verdict framework_post_filter(struct cycle *cycle, struct diagnosis *diagnosis, const char **ret_node)
{
	struct verdict last = {.code = VERDICT_UNSCHEDULABLE};
	FOREACH_PLUGIN(cycle->profile, POINT_POST_FILTER, i, p)
	{
		cycle->plugin = i;
		struct verdict verdict = marked(p->plugin->post_filter(p->self, cycle, diagnosis, ret_node), i);
		if (verdict.code == VERDICT_SUCCESS || verdict.code == VERDICT_ERROR)
			return verdict;
		for (size_t k = 0; k < verdict.n_reasons && last.n_reasons < VERDICT_MAX_REASONS; k++)
			last.reasons[last.n_reasons++] = verdict.reasons[k];
	}
	return last;
}

static struct verdict run_pre_score(struct cycle *cycle, const uint32_t *rows, size_t n_rows)
{
	FOREACH_PLUGIN(cycle->profile, POINT_PRE_SCORE, i, p)
	{
		cycle->plugin = i;
		struct verdict verdict = p->plugin->pre_score(p->self, cycle, rows, n_rows);
		if (verdict.code == VERDICT_SKIP)
			cycle->skip_score |= 1u << i;
		else if (verdict.code != VERDICT_SUCCESS)
			return marked(verdict, i);
	}
	return success();
}

struct verdict framework_score(struct cycle *cycle, const uint32_t *rows, size_t n_rows, int64_t *ret_totals)
{
	struct verdict verdict = run_pre_score(cycle, rows, n_rows);
	if (verdict.code != VERDICT_SUCCESS)
		return verdict;
	memset(ret_totals, 0, n_rows * sizeof *ret_totals);
	int64_t *scores = ARENA_ARRAY(cycle->arena, int64_t, n_rows + 1);
	FOREACH_PLUGIN(cycle->profile, POINT_SCORE, i, p)
	{
		if (cycle->skip_score & (1u << i))
			continue;
		cycle->plugin = i;
		for (size_t k = 0; k < n_rows; k++)
			scores[k] = p->plugin->score(p->self, cycle, rows[k]);
		if (p->plugin->normalize)
			p->plugin->normalize(p->self, cycle, rows, scores, n_rows);
		for (size_t k = 0; k < n_rows; k++)
			ret_totals[k] += scores[k] * p->weight;
	}
	return success();
}

struct verdict framework_reserve(struct cycle *cycle, uint32_t row)
{
	FOREACH_PLUGIN(cycle->profile, POINT_RESERVE, i, p)
	{
		if (!p->plugin->reserve)
			continue;
		cycle->plugin = i;
		struct verdict verdict = p->plugin->reserve(p->self, cycle, row);
		if (verdict.code != VERDICT_SUCCESS)
			return marked(verdict, i);
	}
	return success();
}

void framework_unreserve(struct cycle *cycle, const char *node)
{
	const struct profile *profile = cycle->profile;
	for (size_t k = profile->n_points[POINT_RESERVE]; k-- > 0;) {
		uint8_t i = profile->points[POINT_RESERVE][k];
		cycle->plugin = i;
		if (profile->plugins[i].plugin->unreserve)
			profile->plugins[i].plugin->unreserve(profile->plugins[i].self, cycle, node);
	}
}

struct verdict framework_permit(struct cycle *cycle, const char *node, int64_t *ret_timeout_ms)
{
	struct verdict wait = success();
	*ret_timeout_ms = 0;
	FOREACH_PLUGIN(cycle->profile, POINT_PERMIT, i, p)
	{
		int64_t timeout_ms = 0;
		cycle->plugin = i;
		struct verdict verdict = marked(p->plugin->permit(p->self, cycle, node, &timeout_ms), i);
		if (verdict.code == VERDICT_WAIT) {
			wait = verdict;
			if (timeout_ms > *ret_timeout_ms)
				*ret_timeout_ms = timeout_ms;
		} else if (verdict.code != VERDICT_SUCCESS) {
			return verdict;
		}
	}
	return wait;
}

struct verdict framework_pre_bind(struct cycle *cycle, const char *node)
{
	FOREACH_PLUGIN(cycle->profile, POINT_PRE_BIND, i, p)
	{
		cycle->plugin = i;
		struct verdict verdict = p->plugin->pre_bind(p->self, cycle, node);
		if (verdict.code != VERDICT_SUCCESS)
			return marked(verdict, i);
	}
	return success();
}

struct verdict framework_bind(struct cycle *cycle, const char *node)
{
	struct verdict verdict = {.code = VERDICT_SKIP};
	FOREACH_PLUGIN(cycle->profile, POINT_BIND, i, p)
	{
		cycle->plugin = i;
		verdict = marked(p->plugin->bind(p->self, cycle, node), i);
		if (verdict.code != VERDICT_SKIP)
			return verdict;
	}
	return verdict_error("all bind plugins skipped the pod");
}

void framework_post_bind(struct cycle *cycle, const char *node)
{
	FOREACH_PLUGIN(cycle->profile, POINT_POST_BIND, i, p)
	{
		cycle->plugin = i;
		p->plugin->post_bind(p->self, cycle, node);
	}
}

void normalize_to_max(int64_t *scores, size_t n, bool reverse)
{
	int64_t max = 0;
	for (size_t i = 0; i < n; i++) {
		if (scores[i] > max)
			max = scores[i];
	}
	for (size_t i = 0; i < n; i++) {
		int64_t scaled = max ? MAX_NODE_SCORE * scores[i] / max : 0;
		scores[i] = reverse ? MAX_NODE_SCORE - scaled : scaled;
	}
}
