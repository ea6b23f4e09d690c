/* PodDisruptionBudgets: how many of a budget's pods may be evicted now. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/support/pods.h"

enum { DELETION_TIMEOUT_S = 120 };

struct disruption {
	struct controller_context *ctx;
	struct informer *budgets, *pods, *sets, *deployments, *stateful, *controllers;
	struct workqueue *queue;
};

struct counts {
	int32_t expected, desired, healthy;
	bool unmanaged; /* some pods have no owner that says how many there should be */
};

/* --- how many pods there should be --- */

/* The size that a pod's owner wants; *ret_uid tells owners apart. False: it has none that is known. */
static bool owner_scale(
	struct disruption *c, struct arena *arena, const CoreV1Pod *pod, const char **ret_uid, int32_t *ret_scale)
{
	const char *namespace = pod->metadata->namespace;
	const MetaV1OwnerReference *ref = controller_of(pod->metadata);
	if (!ref)
		return false;
	*ret_uid = ref->uid;
	if (str_eq(ref->kind, "StatefulSet")) {
		const AppsV1StatefulSet *set = informer_get(c->stateful, arena, namespace, ref->name);
		*ret_scale = set && set->spec->has_replicas ? set->spec->replicas : 1;
		return set && str_eq(set->metadata->uid, ref->uid);
	}
	if (str_eq(ref->kind, "ReplicationController")) {
		const CoreV1ReplicationController *rc = informer_get(c->controllers, arena, namespace, ref->name);
		*ret_scale = rc && rc->spec->has_replicas ? rc->spec->replicas : 1;
		return rc && str_eq(rc->metadata->uid, ref->uid);
	}
	if (!str_eq(ref->kind, "ReplicaSet"))
		return false;
	const AppsV1ReplicaSet *set = informer_get(c->sets, arena, namespace, ref->name);
	if (!set || !str_eq(set->metadata->uid, ref->uid))
		return false;
	*ret_scale = set->spec->has_replicas ? set->spec->replicas : 1;
	const MetaV1OwnerReference *above = controller_of(set->metadata);
	const AppsV1Deployment *d = above && str_eq(above->kind, "Deployment")
					    ? informer_get(c->deployments, arena, namespace, above->name)
					    : NULL;
	if (d && str_eq(d->metadata->uid, above->uid)) {
		*ret_uid = above->uid;
		*ret_scale = d->spec->has_replicas ? d->spec->replicas : 1;
	}
	return true;
}

static int32_t expected_scale(
	struct disruption *c, struct arena *arena, const CoreV1Pod *const *pods, size_t n, bool *ret_unmanaged)
{
	const char **seen = ARENA_ARRAY(arena, const char *, n + 1);
	size_t n_seen = 0;
	int32_t total = 0;
	for (size_t i = 0; i < n; i++) {
		const char *uid = NULL;
		int32_t scale;
		if (!owner_scale(c, arena, pods[i], &uid, &scale)) {
			*ret_unmanaged = true;
			continue;
		}
		if (str_in_n(uid, (char *const *)(uintptr_t)seen, n_seen))
			continue;
		seen[n_seen++] = uid;
		total += scale;
	}
	return total;
}

static bool count_expected(struct disruption *c, struct arena *arena, const PolicyV1PodDisruptionBudget *budget,
	const CoreV1Pod *const *pods, size_t n, struct counts *counts)
{
	const IntstrIntOrString *max = budget->spec->max_unavailable, *min = budget->spec->min_available;
	int32_t value;
	if (max) {
		counts->expected = expected_scale(c, arena, pods, n, &counts->unmanaged);
		if (!int_or_percent(max, 0, counts->expected, true, &value))
			return false;
		counts->desired = counts->expected > value ? counts->expected - value : 0;
	} else if (min && min->type == 0) {
		counts->desired = min->int_val;
		counts->expected = (int32_t)n;
	} else if (min) {
		counts->expected = expected_scale(c, arena, pods, n, &counts->unmanaged);
		return int_or_percent(min, 0, counts->expected, true, &counts->desired);
	}
	return true;
}

/* --- evictions that were granted and have not happened yet --- */

static const MetaV1Time *disrupted_at(const PolicyV1PodDisruptionBudgetStatus *status, const char *pod)
{
	for (size_t i = 0; i < status->n_disrupted_pods; i++)
		if (str_eq(status->disrupted_pods[i]->key, pod))
			return status->disrupted_pods[i]->value;
	return NULL;
}

/* Keeps what is still expected; *ret_recheck_s: seconds until the first expires, -1: none. */
static void keep_disrupted(struct disruption *c, struct arena *arena, const PolicyV1PodDisruptionBudget *budget,
	const CoreV1Pod *const *pods, size_t n, PolicyV1PodDisruptionBudgetStatus *status, int64_t *ret_recheck_s)
{
	int64_t now = clock_wall_s(c->ctx->clock);
	status->disrupted_pods = NULL;
	status->n_disrupted_pods = 0;
	*ret_recheck_s = -1;
	for (size_t i = 0; i < budget->status->n_disrupted_pods; i++) {
		__typeof__(*status->disrupted_pods) entry = budget->status->disrupted_pods[i];
		const CoreV1Pod *pod = NULL;
		for (size_t j = 0; j < n && !pod; j++)
			if (str_eq(pods[j]->metadata->name, entry->key))
				pod = pods[j];
		if (!pod || pod->metadata->deletion_timestamp || !entry->value)
			continue;
		int64_t left = entry->value->seconds + DELETION_TIMEOUT_S - now;
		if (left < 0) {
			event_record(c->ctx->recorder, pod, EVENT_WARNING, "NotDeleted",
				"Pod was expected by PDB %s/%s to be deleted but it wasn't",
				budget->metadata->namespace, budget->metadata->name);
			continue;
		}
		if (*ret_recheck_s < 0 || left < *ret_recheck_s)
			*ret_recheck_s = left;
		ARENA_PUSH(arena, status->disrupted_pods, status->n_disrupted_pods) = entry;
	}
}

static int32_t count_healthy(
	const CoreV1Pod *const *pods, size_t n, const PolicyV1PodDisruptionBudgetStatus *status, int64_t now_s)
{
	int32_t healthy = 0;
	for (size_t i = 0; i < n; i++) {
		const MetaV1Time *at = disrupted_at(status, pods[i]->metadata->name);
		if (pods[i]->metadata->deletion_timestamp || (at && at->seconds + DELETION_TIMEOUT_S > now_s))
			continue;
		healthy += pod_is_ready(pods[i]);
	}
	return healthy;
}

/* --- sync --- */

static void set_condition(struct disruption *c, struct arena *arena, PolicyV1PodDisruptionBudgetStatus *status,
	int64_t generation, const char *value, const char *reason, const char *message)
{
	MetaV1Condition *condition = NULL;
	for (size_t i = 0; i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, "DisruptionAllowed"))
			condition = status->conditions[i];
	if (!condition) {
		condition = API_NEW(arena, MetaV1Condition);
		condition->type = arena_strdup(arena, "DisruptionAllowed");
		ARENA_PUSH(arena, status->conditions, status->n_conditions) = condition;
	}
	if (!str_eq(condition->status, value))
		condition->last_transition_time = now_time(arena, c->ctx->clock);
	condition->status = arena_strdup(arena, value);
	condition->reason = arena_strdup(arena, reason);
	condition->message = arena_strdup(arena, message);
	condition->observed_generation = generation;
}

static struct status *write_status(struct disruption *c, struct arena *arena, const PolicyV1PodDisruptionBudget *budget,
	PolicyV1PodDisruptionBudgetStatus *status)
{
	if (api_equal(status, budget->status))
		return NULL;
	PolicyV1PodDisruptionBudget *copy = object_copy(arena, budget);
	copy->status = status;
	return client_update_status(c->ctx->client, arena, copy, NULL);
}

static const CoreV1Pod **budget_pods(
	struct disruption *c, struct arena *arena, const PolicyV1PodDisruptionBudget *budget, size_t *ret_n)
{
	size_t n;
	const void *const *all = informer_list(c->pods, arena, budget->metadata->namespace, &n);
	const CoreV1Pod **pods = ARENA_ARRAY(arena, const CoreV1Pod *, n + 1);
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		const MetaV1ObjectMeta *meta = object_metadata(all[i]);
		if (selector_takes(budget->spec->selector, meta->labels, meta->n_labels))
			pods[(*ret_n)++] = all[i];
	}
	return pods;
}

static struct status *sync_budget(void *data, struct arena *arena, const char *key)
{
	struct disruption *c = data;
	const PolicyV1PodDisruptionBudget *budget = informer_get_key(c->budgets, arena, key);
	size_t n;
	if (!budget)
		return NULL;
	const CoreV1Pod **pods = budget_pods(c, arena, budget, &n);
	PolicyV1PodDisruptionBudgetStatus *status = api_copy_msg(arena, budget->status);
	struct counts counts = {0};
	int64_t recheck_s;
	if (!n)
		event_record(c->ctx->recorder, budget, EVENT_NORMAL, "NoPods", "No matching pods found");
	if (!count_expected(c, arena, budget, pods, n, &counts)) {
		event_record(c->ctx->recorder, budget, EVENT_WARNING, "CalculateExpectedPodCountFailed",
			"Failed to calculate the number of expected pods: invalid value for IntOrString");
		set_condition(c, arena, status, budget->metadata->generation, "False", "SyncFailed",
			"invalid value for IntOrString");
		status->disruptions_allowed = 0;
		status->observed_generation = budget->metadata->generation;
		return write_status(c, arena, budget, status);
	}
	keep_disrupted(c, arena, budget, pods, n, status, &recheck_s);
	counts.healthy = count_healthy(pods, n, status, clock_wall_s(c->ctx->clock));
	int32_t allowed = counts.healthy - counts.desired;
	status->current_healthy = counts.healthy;
	status->desired_healthy = counts.desired;
	status->expected_pods = counts.expected;
	status->disruptions_allowed = counts.expected <= 0 || allowed < 0 ? 0 : allowed;
	status->observed_generation = budget->metadata->generation;
	bool any = status->disruptions_allowed > 0;
	set_condition(c, arena, status, budget->metadata->generation, any ? "True" : "False",
		any ? "SufficientPods" : "InsufficientPods", "");
	TRY(write_status(c, arena, budget, status));
	if (recheck_s >= 0)
		workqueue_add_after(c->queue, key, (recheck_s + 1) * 1000);
	return NULL;
}

/* --- events --- */

static void pod_changed(struct disruption *c, const MetaV1ObjectMeta *pod)
{
	size_t n;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const void *const *budgets = informer_list(c->budgets, arena, pod->namespace, &n);
	for (size_t i = 0; i < n; i++) {
		const PolicyV1PodDisruptionBudget *budget = budgets[i];
		if (selector_takes(budget->spec->selector, pod->labels, pod->n_labels))
			workqueue_add(c->queue, object_key(arena, budget));
	}
}

static void pod_added(void *data, const struct object *object, bool initial)
{
	pod_changed(data, object_metadata(object->msg));
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	pod_changed(data, object_metadata(new_object->msg));
	if (!map_equal(object_metadata(old_object->msg)->labels, object_metadata(old_object->msg)->n_labels,
		    object_metadata(new_object->msg)->labels, object_metadata(new_object->msg)->n_labels))
		pod_changed(data, object_metadata(old_object->msg));
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	pod_changed(data, object_metadata(object->msg));
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler pod_handler = {
		.added = pod_added, .updated = pod_updated, .deleted = pod_deleted};
	struct disruption *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->budgets = controller_informer(ctx, &PolicyV1PodDisruptionBudget_schema);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->sets = controller_informer(ctx, &AppsV1ReplicaSet_schema);
	c->deployments = controller_informer(ctx, &AppsV1Deployment_schema);
	c->stateful = controller_informer(ctx, &AppsV1StatefulSet_schema);
	c->controllers = controller_informer(ctx, &CoreV1ReplicationController_schema);
	c->queue = controller_queue(ctx, "disruption", 1, sync_budget, c);
	informer_add_handler(c->budgets, &enqueue_self, c->queue);
	informer_add_handler(c->pods, &pod_handler, c);
	return NULL;
}

const struct controller disruption_controller = {
	.name = "disruption-controller", .alias = "disruption", .event_source = "controllermanager", .start = start};
