/* Node lifecycle: a node that falls silent becomes Unknown, is tainted, and its pods are ready no more. */
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/node/taints.h"
#include "controller-manager/node/zones.h"
#include "controller-manager/support/pods.h"

/* What is remembered of a node between two looks. */
struct health {
	char *uid;
	int64_t probe_ms;     /* when it last gave a sign, by our own clock */
	int64_t heartbeat_ns; /* the newest sign itself */
	int64_t transition_ns;
	bool was_ready;
};

struct lifecycle {
	struct controller_context *ctx;
	struct informer *nodes, *pods, *leases;
	struct workqueue *queue; /* nodes whose NoSchedule taints and labels are to be looked at */
	/* of the monitor's thread */
	struct strmap *health;
	struct zones zones;
	struct metric *zone_size, *zone_health, *zone_ill, *evictions; /* zone */
};

static void health_free(void *p)
{
	struct health *h = p;
	free(h->uid);
	free(h);
}

/* --- signs of life --- */

static int64_t newest_sign(struct lifecycle *c, struct arena *arena, const CoreV1Node *node)
{
	const CoreV1NodeCondition *ready = node_condition(node, "Ready");
	int64_t newest = ready ? time_ns(ready->last_heartbeat_time) : 0;
	const CoordinationV1Lease *lease = informer_get(c->leases, arena, "kube-node-lease", node->metadata->name);
	const MetaV1MicroTime *renewed = lease ? lease->spec->renew_time : NULL;
	if (renewed && renewed->seconds * 1000000000 + renewed->nanos > newest)
		newest = renewed->seconds * 1000000000 + renewed->nanos;
	return newest;
}

static struct health *observe(struct lifecycle *c, struct arena *arena, const CoreV1Node *node)
{
	const CoreV1NodeCondition *ready = node_condition(node, "Ready");
	int64_t sign = newest_sign(c, arena, node), transition = ready ? time_ns(ready->last_transition_time) : 0;
	int64_t now = clock_mono_ms(c->ctx->clock);
	struct health *h = strmap_get(c->health, node->metadata->name);
	if (h && !str_eq(h->uid, node->metadata->uid))
		h = NULL;
	if (!h) {
		h = mem_zalloc(sizeof(*h));
		*h = (struct health){mem_strdup(node->metadata->uid), now, sign, transition, node_is_ready(node)};
		strmap_put(c->health, node->metadata->name, h);
	} else if (sign > h->heartbeat_ns ||
		   (transition != h->transition_ns && ready && !str_eq(ready->status, "Unknown"))) {
		h->probe_ms = now;
		h->heartbeat_ns = sign > h->heartbeat_ns ? sign : h->heartbeat_ns;
		h->transition_ns = transition;
	}
	return h;
}

static void make_unknown(struct lifecycle *c, struct arena *arena, CoreV1Node *node, const char *type)
{
	CoreV1NodeCondition *condition = (CoreV1NodeCondition *)(uintptr_t)node_condition(node, type);
	if (condition && str_eq(condition->status, "Unknown"))
		return;
	const char *reason = condition ? "NodeStatusUnknown" : "NodeStatusNeverUpdated";
	const char *message = condition ? "Kubelet stopped posting node status." : "Kubelet never posted node status.";
	if (!condition) {
		condition = API_NEW(arena, CoreV1NodeCondition);
		condition->type = arena_strdup(arena, type);
		condition->last_heartbeat_time = node->metadata->creation_timestamp;
		ARENA_PUSH(arena, node->status->conditions, node->status->n_conditions) = condition;
	}
	condition->status = arena_strdup(arena, "Unknown");
	condition->reason = arena_strdup(arena, reason);
	condition->message = arena_strdup(arena, message);
	condition->last_transition_time = now_time(arena, c->ctx->clock);
}

/* Returns the node as it is now known: silent ones are written as Unknown. */
static const CoreV1Node *judge(struct lifecycle *c, struct arena *arena, const CoreV1Node *node, const struct health *h)
{
	static const char *const types[] = {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"};
	const struct options *o = c->ctx->options;
	int64_t grace =
		node_condition(node, "Ready") ? o->node_monitor_grace_period_ms : o->node_startup_grace_period_ms;
	if (clock_mono_ms(c->ctx->clock) - h->probe_ms <= grace)
		return node;
	CoreV1Node *copy = object_copy(arena, node), *updated;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		make_unknown(c, arena, copy, types[i]);
	if (api_equal(copy->status, node->status))
		return node;
	log_info("node %s has given no sign for %lld s: its state is unknown", node->metadata->name,
		(long long)(clock_mono_ms(c->ctx->clock) - h->probe_ms) / 1000);
	struct status *s = client_update_status(c->ctx->client, arena, copy, &updated);
	if (s) {
		/* Most likely it has just spoken; the next look tells. */
		log_status(s, "node %s: status", node->metadata->name);
		return node;
	}
	object_complete(arena, updated);
	return updated;
}

/* --- pods of nodes that are not ready --- */

static struct status *make_pod_unready(struct lifecycle *c, struct arena *arena, const CoreV1Pod *pod)
{
	CoreV1Pod *copy = object_copy(arena, pod);
	for (size_t i = 0; i < copy->status->n_conditions; i++) {
		CoreV1PodCondition *condition = copy->status->conditions[i];
		if (!str_eq(condition->type, "Ready"))
			continue;
		condition->status = arena_strdup(arena, "False");
		condition->last_transition_time = now_time(arena, c->ctx->clock);
	}
	struct status *s = client_update_status(c->ctx->client, arena, copy, NULL);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "the pod is gone");
		return NULL;
	}
	if (!s)
		event_record(c->ctx->recorder, pod, EVENT_WARNING, "NodeNotReady", "Node is not ready");
	return s;
}

static void make_pods_unready(struct lifecycle *c, struct arena *arena, const char *node)
{
	size_t n;
	const void *const *pods = informer_list_index(c->pods, arena, PODS_BY_NODE, node, &n);
	for (size_t i = 0; i < n; i++) {
		const CoreV1Pod *pod = pods[i];
		if (pod_is_ready(pod) && str_eq(pod->spec->node_name, node))
			log_status(make_pod_unready(c, arena, pod), "pod %s/%s on node %s that is not ready",
				pod->metadata->namespace, pod->metadata->name, node);
	}
}

/* --- NoExecute taints --- */

struct taint_change {
	const struct clock *clock;
	bool not_ready, unreachable;
};

static bool change_execute_taints(void *data, struct arena *arena, CoreV1Node *node)
{
	const struct taint_change *t = data;
	bool a = node_set_taint(arena, node, TAINT_NOT_READY, "NoExecute", t->not_ready, t->clock);
	bool b = node_set_taint(arena, node, TAINT_UNREACHABLE, "NoExecute", t->unreachable, t->clock);
	return a || b;
}

/* The zone as metrics name it. */
static const char *zone_label(struct arena *arena, const CoreV1Node *node)
{
	const char *name = zone_name(arena, node);
	return str_eq(name, ":") ? "" : name;
}

static void sync_execute_taints(struct lifecycle *c, struct arena *arena, const CoreV1Node *node)
{
	const char *ready = node_condition_status(node, "Ready");
	bool tainted =
		node_taint(node, TAINT_NOT_READY, "NoExecute") || node_taint(node, TAINT_UNREACHABLE, "NoExecute");
	struct taint_change change = {
		.clock = c->ctx->clock, .not_ready = str_eq(ready, "False"), .unreachable = str_eq(ready, "Unknown")};
	if (c->zones.all_full)
		/* No node answers: the network between us and them is the likelier cause. */
		change.not_ready = change.unreachable = false;
	else if (!tainted && (change.not_ready || change.unreachable) &&
		 !zone_take(&c->zones, zone_name(arena, node), clock_mono_ms(c->ctx->clock)))
		return;
	struct status *s = node_write(c->ctx, arena, node, change_execute_taints, &change);
	if (!s && !tainted && (change.not_ready || change.unreachable))
		metric_add(c->evictions, 1, zone_label(arena, node));
	log_status(s, "node %s: taints", node->metadata->name);
}

/* --- the monitor --- */

static void tell_change(struct lifecycle *c, const CoreV1Node *node, struct health *h)
{
	bool ready = node_is_ready(node);
	if (h->was_ready && !ready)
		event_record(c->ctx->recorder, node, EVENT_NORMAL, "NodeNotReady",
			"Node %s status is now: NodeNotReady", node->metadata->name);
	h->was_ready = ready;
}

static void forget_gone(struct lifecycle *c, struct arena *arena)
{
	STRMAP_FOREACH (c->health, it) {
		if (!informer_get(c->nodes, arena, NULL, it.key))
			strmap_remove(c->health, it.key);
	}
}

static void tell_zones(struct lifecycle *c)
{
	STRMAP_FOREACH (c->zones.by_name, it) {
		const struct zone *zone = it.value;
		const char *label = str_eq(it.key, ":") ? "" : it.key;
		double n = (double)zone->n_nodes, ill = (double)zone->n_not_ready;
		metric_set(c->zone_size, n, label);
		metric_set(c->zone_ill, ill, label);
		metric_set(c->zone_health, n > 0 ? 100 * (n - ill) / n : 100, label);
	}
}

static void make_metrics(struct lifecycle *c)
{
	static const char *const by_zone[] = {"zone", NULL};
	struct metrics *m = c->ctx->metrics;
	c->zone_size = metrics_gauge(m, "node_collector_zone_size", "Nodes by zone.", by_zone);
	c->zone_health = metrics_gauge(m, "node_collector_zone_health", "How many of a hundred are ready.", by_zone);
	c->zone_ill = metrics_gauge(m, "node_collector_unhealthy_nodes_in_zone", "Nodes that are not ready.", by_zone);
	c->evictions =
		metrics_counter(m, "node_collector_evictions_total", "Nodes whose pods were made to go.", by_zone);
}

static void monitor(void *data, struct arena *arena)
{
	struct lifecycle *c = data;
	size_t n;
	const void *const *nodes = informer_list(c->nodes, arena, NULL, &n);
	const CoreV1Node **judged = ARENA_ARRAY(arena, const CoreV1Node *, n + 1);
	forget_gone(c, arena);
	zones_begin(&c->zones);
	for (size_t i = 0; i < n && !atomic_load(controller_stopping(c->ctx)); i++) {
		struct health *h = observe(c, arena, nodes[i]);
		judged[i] = judge(c, arena, nodes[i], h);
		tell_change(c, judged[i], h);
		zones_count(&c->zones, zone_name(arena, judged[i]), node_is_ready(judged[i]));
		if (!node_is_ready(judged[i]) && node_condition(judged[i], "Ready"))
			make_pods_unready(c, arena, judged[i]->metadata->name);
	}
	zones_end(&c->zones);
	tell_zones(c);
	for (size_t i = 0; i < n && judged[i]; i++)
		sync_execute_taints(c, arena, judged[i]);
}

/* --- NoSchedule taints and labels, at once --- */

static bool change_schedule_taints(void *data, struct arena *arena, CoreV1Node *node)
{
	static const struct {
		const char *from, *to;
	} labels[] = {
		{"beta.kubernetes.io/os", "kubernetes.io/os"},
		{"beta.kubernetes.io/arch", "kubernetes.io/arch"},
	};
	bool changed = node_sync_schedule_taints(arena, node, data);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		const char *old = LABEL_GET(node->metadata, labels[i].from),
			   *now = LABEL_GET(node->metadata, labels[i].to);
		if (!now || (old && str_eq(old, now)))
			continue;
		LABEL_SET(arena, node->metadata, labels[i].from, now);
		changed = true;
	}
	return changed;
}

static struct status *sync_node(void *data, struct arena *arena, const char *key)
{
	struct lifecycle *c = data;
	const CoreV1Node *node = informer_get_key(c->nodes, arena, key);
	if (!node)
		return NULL;
	return node_write(c->ctx, arena, node, change_schedule_taints, (void *)(uintptr_t)c->ctx->clock);
}

static void node_added(void *data, const struct object *object, bool initial)
{
	struct lifecycle *c = data;
	workqueue_add(c->queue, object->key);
	event_record(c->ctx->recorder, object->msg, EVENT_NORMAL, "RegisteredNode",
		"Node %s event: Registered Node %s in Controller", object->key, object->key);
}

static void node_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	workqueue_add(((struct lifecycle *)data)->queue, new_object->key);
}

static void node_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct lifecycle *c = data;
	event_record(c->ctx->recorder, object->msg, EVENT_NORMAL, "RemovingNode",
		"Node %s event: Removing Node %s from Controller", object->key, object->key);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {
		.added = node_added, .updated = node_updated, .deleted = node_deleted};
	struct lifecycle *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->health = strmap_new(health_free);
	CONTROLLER_OWNS(ctx, strmap_free, c->health);
	make_metrics(c);
	zones_init(&c->zones, ctx->options);
	CONTROLLER_OWNS(ctx, zones_done, &c->zones);
	c->nodes = controller_informer(ctx, &CoreV1Node_schema);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->leases = informers_get(ctx->informers,
		&(struct informer_spec){
			.type = &CoordinationV1Lease_schema, .namespace = "kube-node-lease", .trim = object_trim});
	c->queue = controller_queue(ctx, "node_lifecycle_controller", 2, sync_node, c);
	informer_add_handler(c->nodes, &handler, c);
	controller_every(ctx, "node-monitor", ctx->options->node_monitor_period_ms, monitor, c);
	return NULL;
}

const struct controller node_lifecycle_controller = {.name = "node-lifecycle-controller",
	.alias = "nodelifecycle",
	.service_account = "node-controller",
	.event_source = "node-controller",
	.start = start};
