/* Which pods of a DaemonSet to make and which to delete: pure. */
#include "base/str.h"
#include "controller-manager/daemon/daemon.h"
#include "controller-manager/support/history.h"
#include "controller-manager/support/pods.h"

static void remove_pod(struct daemon_plan *p, const CoreV1Pod *pod)
{
	ARENA_PUSH(p->arena, p->remove, p->n_remove) = pod;
}

static void create_on(struct daemon_plan *p, const struct daemon_node *n)
{
	ARENA_PUSH(p->arena, p->create, p->n_create) = n->node->metadata->name;
}

static bool allows_surge(const AppsV1DaemonSet *set)
{
	const AppsV1DaemonSetUpdateStrategy *s = set->spec->update_strategy;
	if (!str_eq(s->type, "RollingUpdate") || !s->rolling_update || !s->rolling_update->max_surge)
		return false;
	const IntstrIntOrString *surge = s->rolling_update->max_surge;
	int32_t value;
	return int_or_percent(surge, 0, 100, true, &value) && value > 0;
}

bool daemon_pod_is_current(const struct daemon_plan *p, const CoreV1Pod *pod)
{
	const char *hash = LABEL_GET(pod->metadata, REVISION_HASH_LABEL);
	return !str_empty(p->hash) && str_eq(hash, p->hash);
}

static bool is_available(const struct daemon_plan *p, const CoreV1Pod *pod)
{
	return pod_is_available(pod, p->set->spec->min_ready_seconds, p->now_ns);
}

static int by_age(const void *x, const void *y)
{
	const CoreV1Pod *a = *(const CoreV1Pod *const *)x, *b = *(const CoreV1Pod *const *)y;
	bool waiting_a = str_empty(a->spec->node_name), waiting_b = str_empty(b->spec->node_name);
	if (waiting_a != waiting_b)
		return waiting_a ? 1 : -1;
	int order = time_compare(a->metadata->creation_timestamp, b->metadata->creation_timestamp);
	return order ? order : str_cmp(a->metadata->name, b->metadata->name);
}

/* A pod that is over is replaced, failed ones not too often. True if it was. */
static bool replace_ended(struct daemon_plan *p, const CoreV1Pod *pod)
{
	if (!pod_is_terminal(pod))
		return false;
	if (str_eq(pod->status->phase, "Failed") && p->may_replace && !p->may_replace(p->data, pod))
		return true;
	if (p->ended)
		p->ended(p->data, pod);
	remove_pod(p, pod);
	return true;
}

/* With surge two may run: the oldest of each version, while the old one is ready and the new one not yet available. */
static void prune_surge(struct daemon_plan *p, const CoreV1Pod **running, size_t n)
{
	const CoreV1Pod *old = NULL, *current = NULL;
	for (size_t i = 0; i < n; i++) {
		const CoreV1Pod **slot = daemon_pod_is_current(p, running[i]) ? &current : &old;
		if (*slot)
			remove_pod(p, running[i]);
		else
			*slot = running[i];
	}
	if (old && current && (!pod_is_ready(old) || is_available(p, current)))
		remove_pod(p, old);
}

static void keep_one(struct daemon_plan *p, const struct daemon_node *n)
{
	const CoreV1Pod **running = ARENA_ARRAY(p->arena, const CoreV1Pod *, n->n_pods + 1);
	size_t n_running = 0;
	for (size_t i = 0; i < n->n_pods; i++)
		if (!n->pods[i]->metadata->deletion_timestamp && !replace_ended(p, n->pods[i]))
			running[n_running++] = n->pods[i];
	if (n_running < 2)
		return;
	qsort(running, n_running, sizeof(*running), by_age);
	if (allows_surge(p->set)) {
		prune_surge(p, running, n_running);
		return;
	}
	for (size_t i = 1; i < n_running; i++)
		remove_pod(p, running[i]);
}

void daemon_plan_manage(struct daemon_plan *p)
{
	for (size_t i = 0; i < p->n_nodes; i++) {
		const struct daemon_node *n = &p->nodes[i];
		if (n->fit.run && !n->n_pods)
			create_on(p, n);
		else if (n->fit.stay)
			keep_one(p, n);
		else
			for (size_t j = 0; j < n->n_pods; j++)
				if (!n->pods[j]->metadata->deletion_timestamp)
					remove_pod(p, n->pods[j]);
	}
	for (size_t i = 0; i < p->n_lost; i++)
		remove_pod(p, p->lost[i]);
}

/* --- rolling update --- */

void daemon_bounds(const struct daemon_plan *p, int32_t *ret_max_surge, int32_t *ret_max_unavailable)
{
	int32_t desired = 0;
	for (size_t i = 0; i < p->n_nodes; i++)
		desired += p->nodes[i].fit.run;
	const AppsV1RollingUpdateDaemonSet *u = p->set->spec->update_strategy->rolling_update;
	*ret_max_surge = *ret_max_unavailable = 0;
	if (!u || !int_or_percent(u->max_surge, 0, desired, true, ret_max_surge) ||
		!int_or_percent(u->max_unavailable, u->max_surge ? 0 : 1, desired, true, ret_max_unavailable))
		*ret_max_unavailable = 1;
	/* Where both come to nothing one node may be without, or nothing would ever move. */
	if (desired > 0 && *ret_max_surge == 0 && *ret_max_unavailable == 0)
		*ret_max_unavailable = 1;
}

/* The one pod of each version on a node; false if there are more: the count is put right first. */
static bool versions_on(
	struct daemon_plan *p, const struct daemon_node *n, const CoreV1Pod **ret_new, const CoreV1Pod **ret_old)
{
	*ret_new = *ret_old = NULL;
	for (size_t i = 0; i < n->n_pods; i++) {
		const CoreV1Pod *pod = n->pods[i];
		if (pod->metadata->deletion_timestamp)
			continue;
		const CoreV1Pod **slot = daemon_pod_is_current(p, pod) ? ret_new : ret_old;
		if (*slot)
			return false;
		*slot = pod;
	}
	return true;
}

static void update_in_place(struct daemon_plan *p, int32_t max_unavailable)
{
	int32_t unavailable = 0;
	const CoreV1Pod **candidates = ARENA_ARRAY(p->arena, const CoreV1Pod *, p->n_nodes + 1);
	size_t n = 0;
	for (size_t i = 0; i < p->n_nodes; i++) {
		const CoreV1Pod *current, *old;
		if (!p->nodes[i].fit.run && !p->nodes[i].n_pods)
			continue;
		if (!versions_on(p, &p->nodes[i], &current, &old) || (!current == !old)) {
			unavailable++;
		} else if (current) {
			unavailable += !is_available(p, current);
		} else if (!is_available(p, old)) {
			/* Nothing is lost by replacing one that does not work. */
			remove_pod(p, old);
			unavailable++;
		} else {
			candidates[n++] = old;
		}
	}
	for (size_t i = 0; i < n && unavailable < max_unavailable; i++, unavailable++)
		remove_pod(p, candidates[i]);
}

static void update_with_surge(struct daemon_plan *p, int32_t max_surge)
{
	int32_t surge = 0;
	const struct daemon_node **candidates = ARENA_ARRAY(p->arena, const struct daemon_node *, p->n_nodes + 1);
	size_t n = 0;
	for (size_t i = 0; i < p->n_nodes; i++) {
		const CoreV1Pod *current, *old;
		if (!p->nodes[i].n_pods)
			continue;
		if (!versions_on(p, &p->nodes[i], &current, &old)) {
			surge++;
		} else if (!old) {
			continue;
		} else if (!current) {
			if (!is_available(p, old))
				create_on(p, &p->nodes[i]);
			else
				candidates[n++] = &p->nodes[i];
		} else if (is_available(p, current)) {
			remove_pod(p, old);
		} else {
			surge++;
		}
	}
	for (size_t i = 0; i < n && surge < max_surge; i++, surge++)
		create_on(p, candidates[i]);
}

void daemon_plan_update(struct daemon_plan *p)
{
	int32_t max_surge, max_unavailable;
	daemon_bounds(p, &max_surge, &max_unavailable);
	if (max_surge > 0)
		update_with_surge(p, max_surge);
	else
		update_in_place(p, max_unavailable);
}

/* --- status --- */

AppsV1DaemonSetStatus *daemon_status(const struct daemon_plan *p)
{
	AppsV1DaemonSetStatus *status = api_copy_msg(p->arena, p->set->status);
	status->current_number_scheduled = status->number_misscheduled = status->desired_number_scheduled = 0;
	status->number_ready = status->updated_number_scheduled = status->number_available = 0;
	for (size_t i = 0; i < p->n_nodes; i++) {
		const struct daemon_node *n = &p->nodes[i];
		status->desired_number_scheduled += n->fit.run;
		if (!n->n_pods)
			continue;
		if (!n->fit.run) {
			status->number_misscheduled++;
			continue;
		}
		status->current_number_scheduled++;
		qsort(n->pods, n->n_pods, sizeof(*n->pods), by_age);
		const CoreV1Pod *pod = n->pods[0];
		status->number_ready += pod_is_ready(pod);
		status->number_available += is_available(p, pod);
		status->updated_number_scheduled += daemon_pod_is_current(p, pod);
	}
	status->number_unavailable = status->desired_number_scheduled - status->number_available;
	status->observed_generation = p->set->metadata->generation;
	return status;
}
