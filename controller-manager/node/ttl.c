/* Tells kubelets by an annotation how long they may trust cached Secrets and ConfigMaps: longer in larger clusters. */
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/node/taints.h"

#define TTL_ANNOTATION "node.alpha.kubernetes.io/ttl"

struct node_ttl {
	struct controller_context *ctx;
	struct informer *nodes;
	struct workqueue *queue;
};

static const char *wanted_ttl(size_t n_nodes)
{
	return n_nodes <= 100 ? "0" : n_nodes <= 500 ? "15" : n_nodes <= 1000 ? "30" : n_nodes <= 2000 ? "60" : "300";
}

static struct status *sync_node(void *data, struct arena *arena, const char *key)
{
	struct node_ttl *c = data;
	const CoreV1Node *node = informer_get_key(c->nodes, arena, key);
	const char *ttl = wanted_ttl(informer_count(c->nodes));
	const char *present = node ? ANNOTATION_GET(node->metadata, TTL_ANNOTATION) : NULL;
	if (!node || (present && str_eq(present, ttl)))
		return NULL;
	char *patch = arena_printf(arena, "{\"metadata\":{\"annotations\":{\"" TTL_ANNOTATION "\":\"%s\"}}}", ttl);
	struct status *s = client_patch(c->ctx->client, arena, &CoreV1Node_schema, NULL, key, NULL,
		CLIENT_PATCH_STRATEGIC, patch, strlen(patch), NULL, NULL);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone");
		return NULL;
	}
	return s;
}

static struct status *start(struct controller_context *ctx)
{
	struct node_ttl *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->nodes = controller_informer(ctx, &CoreV1Node_schema);
	c->queue = controller_queue(ctx, "ttlcontroller", 1, sync_node, c);
	informer_add_handler(c->nodes, &enqueue_self, c->queue);
	return NULL;
}

const struct controller node_ttl_controller = {.name = "ttl-controller", .alias = "ttl", .start = start};
