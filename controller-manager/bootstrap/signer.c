/* Signs kube-public/cluster-info with every bootstrap token, so that who holds a token can trust what it says. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/bootstrap/tokens.h"
#include "controller-manager/controller.h"
#include "pki/jwt.h"

#define SIGNATURE_PREFIX "jws-kubeconfig-"
#define THE_KEY "kube-public/cluster-info"

struct bootstrap_signer {
	struct controller_context *ctx;
	struct informer *maps, *tokens;
	struct workqueue *queue;
};

static void drop_signatures(CoreV1ConfigMap *map)
{
	for (size_t i = map->n_data; i-- > 0;)
		if (str_starts_with(map->data[i]->key, SIGNATURE_PREFIX))
			map_remove(map->data, &map->n_data, map->data[i]->key);
}

static struct status *sync_map(void *data, struct arena *arena, const char *key)
{
	struct bootstrap_signer *c = data;
	const CoreV1ConfigMap *present = informer_get_key(c->maps, arena, THE_KEY);
	const char *content = present ? map_get(present->data, present->n_data, "kubeconfig") : NULL;
	if (!content)
		return NULL;
	CoreV1ConfigMap *copy = object_copy(arena, present);
	drop_signatures(copy);
	size_t n;
	const void *const *tokens = informer_list(c->tokens, arena, NULL, &n);
	for (size_t i = 0; i < n; i++) {
		const char *id, *secret;
		if (!token_signs(arena, tokens[i], clock_wall_s(c->ctx->clock), &id, &secret))
			continue;
		map_set(arena, &copy->data, &copy->n_data, arena_printf(arena, SIGNATURE_PREFIX "%s", id),
			jws_detached_hs256(arena, id, secret, content, strlen(content)));
	}
	if (map_equal(copy->data, copy->n_data, present->data, present->n_data))
		return NULL;
	return client_update(c->ctx->client, arena, copy, NULL);
}

static void changed(struct bootstrap_signer *c)
{
	workqueue_add(c->queue, THE_KEY);
}

static void object_added(void *data, const struct object *object, bool initial)
{
	changed(data);
}

static void object_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	changed(data);
}

static void object_deleted(void *data, const struct object *object, bool final_unknown)
{
	changed(data);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {
		.added = object_added, .updated = object_updated, .deleted = object_deleted};
	struct bootstrap_signer *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->tokens = token_informer(ctx);
	c->maps = informers_get(ctx->informers, &(struct informer_spec){.type = &CoreV1ConfigMap_schema,
							.namespace = "kube-public",
							.field_selector = "metadata.name=cluster-info",
							.trim = object_trim});
	c->queue = controller_queue(ctx, "bootstrap_signer_queue", 1, sync_map, c);
	informer_add_handler(c->tokens, &handler, c);
	informer_add_handler(c->maps, &handler, c);
	return NULL;
}

const struct controller bootstrap_signer_controller = {.name = "bootstrap-signer-controller",
	.alias = "bootstrapsigner",
	.service_account = "bootstrap-signer",
	.off_by_default = true,
	.start = start};
