/* Deletes bootstrap tokens that have expired. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/bootstrap/tokens.h"
#include "controller-manager/controller.h"

struct token_cleaner {
	struct controller_context *ctx;
	struct informer *tokens;
	struct workqueue *queue;
};

static struct status *sync_token(void *data, struct arena *arena, const char *key)
{
	struct token_cleaner *c = data;
	const CoreV1Secret *secret = informer_get_key(c->tokens, arena, key);
	int64_t end, now = clock_wall_s(c->ctx->clock);
	if (!secret || !token_expiration(arena, secret, &end))
		return NULL;
	if (end > now) {
		workqueue_add_after(c->queue, key, (end - now) * 1000);
		return NULL;
	}
	log_v(3, "deleting the expired token %s", key);
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	options->preconditions = API_NEW(arena, MetaV1Preconditions);
	options->preconditions->uid = arena_strdup(arena, secret->metadata->uid);
	struct status *s = client_delete(c->ctx->client, arena, &CoreV1Secret_schema, secret->metadata->namespace,
		secret->metadata->name, options);
	if (status_is(s, STATUS_NOT_FOUND) || status_is(s, STATUS_CONFLICT)) {
		status_drop(s, "gone already, or another one");
		return NULL;
	}
	return s;
}

static struct status *start(struct controller_context *ctx)
{
	struct token_cleaner *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->tokens = token_informer(ctx);
	c->queue = controller_queue(ctx, "token_cleaner", 1, sync_token, c);
	informer_add_handler(c->tokens, &enqueue_self, c->queue);
	return NULL;
}

const struct controller token_cleaner_controller = {.name = "token-cleaner-controller",
	.alias = "tokencleaner",
	.service_account = "token-cleaner",
	.off_by_default = true,
	.start = start};
