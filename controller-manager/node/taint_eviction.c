/* Taint eviction: pods that do not bear a NoExecute taint of their node are deleted, at once or when their time is
 * over. */
#include <pthread.h>
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/node/taints.h"
#include "controller-manager/support/disruption.h"
#include "controller-manager/support/pods.h"

struct evictions {
	struct controller_context *ctx;
	struct informer *nodes, *pods;
	struct workqueue *queue;
	pthread_mutex_t lock;
	struct strmap *waiting; /* keys of pods whose time runs; guarded by lock, as is what follows */
	struct strmap *deleted; /* the uid of each pod that was deleted and is there yet, or seems so */
	struct metric *deletions, *late_s;
};

static bool set_waiting(struct evictions *c, const char *key, bool waiting)
{
	pthread_mutex_lock(&c->lock);
	bool changed = waiting ? strmap_put(c->waiting, key, c) : strmap_remove(c->waiting, key);
	pthread_mutex_unlock(&c->lock);
	return changed;
}

/* What the API server was told is not told again until it shows. */
static bool is_deleted(struct evictions *c, const char *key, const CoreV1Pod *pod)
{
	pthread_mutex_lock(&c->lock);
	bool deleted = str_eq(strmap_get(c->deleted, key), pod->metadata->uid);
	pthread_mutex_unlock(&c->lock);
	return deleted;
}

/* pod NULL: it is not there any more. */
static void set_deleted(struct evictions *c, const char *key, const CoreV1Pod *pod)
{
	pthread_mutex_lock(&c->lock);
	if (pod)
		strmap_put(c->deleted, key, mem_strdup(pod->metadata->uid));
	else
		strmap_remove(c->deleted, key);
	pthread_mutex_unlock(&c->lock);
}

static struct status *evict(struct evictions *c, struct arena *arena, const CoreV1Pod *pod)
{
	const MetaV1ObjectMeta *meta = pod->metadata;
	event_record(c->ctx->recorder, pod, EVENT_NORMAL, "TaintManagerEviction", "Marking for deletion Pod %s/%s",
		meta->namespace, meta->name);
	TRY(disruption_mark(c->ctx->client, arena, c->ctx->clock, pod, NULL, "DeletionByTaintManager",
		"Taint manager: deleting due to NoExecute taint"));
	return client_delete(c->ctx->client, arena, &CoreV1Pod_schema, meta->namespace, meta->name, NULL);
}

/* When the pod came to the node: restarts of ours do not begin its time anew. */
static int64_t bound_since(const CoreV1Pod *pod)
{
	const CoreV1PodCondition *scheduled = pod_condition(pod, "PodScheduled");
	int64_t since = scheduled ? time_ns(scheduled->last_transition_time) : 0;
	return since ? since : time_ns(pod->metadata->creation_timestamp);
}

static struct status *sync_pod(void *data, struct arena *arena, const char *key)
{
	struct evictions *c = data;
	const CoreV1Pod *pod = informer_get_key(c->pods, arena, key);
	if (!pod || pod->metadata->deletion_timestamp || pod_is_terminal(pod)) {
		set_waiting(c, key, false);
		return NULL;
	}
	const CoreV1Node *node = informer_get(c->nodes, arena, NULL, pod->spec->node_name);
	int64_t at, now = clock_wall_ns(c->ctx->clock);
	if (!node || pod_eviction(pod, node, bound_since(pod), &at) == EVICT_NEVER) {
		if (set_waiting(c, key, false))
			event_record(c->ctx->recorder, pod, EVENT_NORMAL, "TaintManagerEviction",
				"Cancelling deletion of Pod %s/%s", pod->metadata->namespace, pod->metadata->name);
		return NULL;
	}
	if (at > now) {
		set_waiting(c, key, true);
		workqueue_add_after(c->queue, key, (at - now) / 1000000 + 1);
		return NULL;
	}
	if (is_deleted(c, key, pod))
		return NULL;
	set_waiting(c, key, false);
	set_deleted(c, key, pod);
	struct status *s = evict(c, arena, pod);
	if (s)
		set_deleted(c, key, NULL);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone already");
		return NULL;
	}
	TRY(s);
	metric_add(c->deletions, 1);
	metric_observe(c->late_s, at ? (double)(now - at) / 1e9 : 0);
	return NULL;
}

/* --- events --- */

static bool has_execute_taints(const CoreV1Node *node)
{
	for (size_t i = 0; i < node->spec->n_taints; i++)
		if (str_eq(node->spec->taints[i]->effect, "NoExecute"))
			return true;
	return false;
}

static void enqueue_pods(struct evictions *c, const char *node)
{
	size_t n;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const void *const *pods = informer_list_index(c->pods, arena, PODS_BY_NODE, node, &n);
	for (size_t i = 0; i < n; i++)
		workqueue_add(c->queue, object_key(arena, pods[i]));
}

static void node_added(void *data, const struct object *object, bool initial)
{
	if (has_execute_taints(object->msg))
		enqueue_pods(data, object->key);
}

static void node_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	if (has_execute_taints(old_object->msg) || has_execute_taints(new_object->msg))
		enqueue_pods(data, new_object->key);
}

static void consider_pod(struct evictions *c, const struct object *object)
{
	const CoreV1Pod *pod = object->msg;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const CoreV1Node *node =
		str_empty(pod->spec->node_name) ? NULL : informer_get(c->nodes, arena, NULL, pod->spec->node_name);
	if (node && has_execute_taints(node))
		workqueue_add(c->queue, object->key);
}

static void pod_added(void *data, const struct object *object, bool initial)
{
	consider_pod(data, object);
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const CoreV1Pod *before = old_object->msg, *now = new_object->msg;
	if (!str_eq(before->spec->node_name, now->spec->node_name) ||
		before->spec->n_tolerations != now->spec->n_tolerations)
		consider_pod(data, new_object);
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	set_waiting(data, object->key, false);
	set_deleted(data, object->key, NULL);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler node_handler = {.added = node_added, .updated = node_updated};
	static const struct informer_handler pod_handler = {
		.added = pod_added, .updated = pod_updated, .deleted = pod_deleted};
	static const double seconds[] = {0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240};
	struct evictions *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->deletions = metrics_counter(
		ctx->metrics, "taint_eviction_controller_pod_deletions_total", "Pods deleted for taints.", NULL);
	c->late_s = metrics_histogram(ctx->metrics, "taint_eviction_controller_pod_deletion_duration_seconds",
		"From the moment when a pod was to go to its deletion.", NULL, seconds, ARRAY_SIZE(seconds));
	pthread_mutex_init(&c->lock, NULL);
	c->waiting = strmap_new(NULL);
	CONTROLLER_OWNS(ctx, strmap_free, c->waiting);
	c->deleted = strmap_new(free);
	CONTROLLER_OWNS(ctx, strmap_free, c->deleted);
	c->nodes = controller_informer(ctx, &CoreV1Node_schema);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->queue = controller_queue(ctx, "noexec_taint_pod", 4, sync_pod, c);
	informer_add_handler(c->nodes, &node_handler, c);
	informer_add_handler(c->pods, &pod_handler, c);
	return NULL;
}

const struct controller taint_eviction_controller = {.name = "taint-eviction-controller",
	.alias = "taint-eviction",
	.service_account = "node-controller",
	.start = start};
