/* Pod garbage: finished pods over the threshold, pods of nodes that are no more, and pods that can never end by
 * themselves. */
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/node/taints.h"
#include "controller-manager/support/disruption.h"
#include "controller-manager/support/pods.h"

enum { PERIOD_MS = 20000, QUARANTINE_MS = 40000 };

struct pod_gc {
	struct controller_context *ctx;
	struct informer *pods, *nodes;
	struct strmap
		*missing; /* names of nodes without an object, with the time that was first seen; of our one thread */
};

static void force_delete(struct pod_gc *c, struct arena *arena, const CoreV1Pod *pod, const char *reason,
	const char *message, const char *why)
{
	const MetaV1ObjectMeta *meta = pod->metadata;
	log_info("pod %s/%s is deleted by force: %s", meta->namespace, meta->name, why);
	struct status *s = NULL;
	const char *phase = pod_is_terminal(pod) ? NULL : "Failed";
	if (reason)
		s = disruption_mark(c->ctx->client, arena, c->ctx->clock, pod, phase, reason, message);
	else if (phase) {
		char *patch = arena_printf(
			arena, "{\"metadata\":{\"uid\":\"%s\"},\"status\":{\"phase\":\"Failed\"}}", meta->uid);
		s = client_patch(c->ctx->client, arena, &CoreV1Pod_schema, meta->namespace, meta->name, "status",
			CLIENT_PATCH_STRATEGIC, patch, strlen(patch), NULL, NULL);
	}
	if (!s) {
		MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
		options->has_grace_period_seconds = true;
		options->preconditions = API_NEW(arena, MetaV1Preconditions);
		options->preconditions->uid = arena_strdup(arena, meta->uid);
		s = client_delete(c->ctx->client, arena, &CoreV1Pod_schema, meta->namespace, meta->name, options);
	}
	if (status_is(s, STATUS_NOT_FOUND))
		status_drop(s, "gone");
	else
		log_status(s, "pod %s/%s", meta->namespace, meta->name);
}

/* Evicted ones first, then the oldest. */
static int by_worth(const void *x, const void *y)
{
	const CoreV1Pod *a = *(const CoreV1Pod *const *)x, *b = *(const CoreV1Pod *const *)y;
	bool evicted_a = str_eq(a->status->reason, "Evicted"), evicted_b = str_eq(b->status->reason, "Evicted");
	if (evicted_a != evicted_b)
		return evicted_a ? -1 : 1;
	int order = time_compare(a->metadata->creation_timestamp, b->metadata->creation_timestamp);
	return order ? order : str_cmp(a->metadata->name, b->metadata->name);
}

static void collect_finished(struct pod_gc *c, struct arena *arena, const void *const *pods, size_t n)
{
	int64_t threshold = c->ctx->options->terminated_pod_gc_threshold;
	const CoreV1Pod **finished = ARENA_ARRAY(arena, const CoreV1Pod *, n + 1);
	size_t n_finished = 0;
	for (size_t i = 0; i < n; i++)
		if (pod_is_terminal(pods[i]))
			finished[n_finished++] = pods[i];
	if (threshold <= 0 || (int64_t)n_finished <= threshold)
		return;
	qsort(finished, n_finished, sizeof(*finished), by_worth);
	for (size_t i = 0; (int64_t)i < (int64_t)n_finished - threshold; i++)
		force_delete(c, arena, finished[i], NULL, NULL, "too many finished pods");
}

/* A node counts as gone when its object has been missing for a while and the server says so, too. */
static bool node_is_gone(struct pod_gc *c, struct arena *arena, const char *name)
{
	int64_t now = clock_mono_ms(c->ctx->clock);
	int64_t *since = strmap_get(c->missing, name);
	if (!since) {
		since = mem_alloc(sizeof(*since));
		*since = now;
		strmap_put(c->missing, name, since);
		return false;
	}
	if (now - *since < QUARANTINE_MS)
		return false;
	CoreV1Node *node;
	struct status *s = client_get(c->ctx->client, arena, &CoreV1Node_schema, NULL, name, &node);
	bool gone = status_is(s, STATUS_NOT_FOUND);
	status_drop(s, "only NotFound counts");
	return gone;
}

static void forget_found(struct pod_gc *c, struct arena *arena)
{
	STRMAP_FOREACH (c->missing, it) {
		if (informer_get(c->nodes, arena, NULL, it.key))
			strmap_remove(c->missing, it.key);
	}
}

static void collect_pod(struct pod_gc *c, struct arena *arena, const CoreV1Pod *pod)
{
	const char *name = pod->spec->node_name;
	if (str_empty(name)) {
		if (pod->metadata->deletion_timestamp)
			force_delete(c, arena, pod, NULL, NULL, "it is being deleted and was never scheduled");
		return;
	}
	const CoreV1Node *node = informer_get(c->nodes, arena, NULL, name);
	if (!node) {
		if (node_is_gone(c, arena, name))
			force_delete(c, arena, pod, "DeletionByPodGC", "PodGC: node no longer exists",
				"its node no longer exists");
		return;
	}
	bool out_of_service = node_taint(node, TAINT_OUT_OF_SERVICE, "NoExecute") ||
			      node_taint(node, TAINT_OUT_OF_SERVICE, "NoSchedule");
	if (pod->metadata->deletion_timestamp && out_of_service && !node_is_ready(node))
		force_delete(c, arena, pod, NULL, NULL, "its node is out of service");
}

static void collect_pods(void *data, struct arena *arena)
{
	struct pod_gc *c = data;
	size_t n;
	const void *const *pods = informer_list(c->pods, arena, NULL, &n);
	forget_found(c, arena);
	collect_finished(c, arena, pods, n);
	for (size_t i = 0; i < n && !atomic_load(controller_stopping(c->ctx)); i++)
		collect_pod(c, arena, pods[i]);
}

static struct status *start(struct controller_context *ctx)
{
	struct pod_gc *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->missing = strmap_new(free);
	CONTROLLER_OWNS(ctx, strmap_free, c->missing);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->nodes = controller_informer(ctx, &CoreV1Node_schema);
	controller_every(ctx, "pod-gc", PERIOD_MS, collect_pods, c);
	return NULL;
}

const struct controller pod_gc_controller = {.name = "pod-garbage-collector-controller",
	.alias = "podgc",
	.service_account = "pod-garbage-collector",
	.start = start};
