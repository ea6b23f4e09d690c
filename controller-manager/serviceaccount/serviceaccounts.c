/* Every namespace has a ServiceAccount named default. */
#include "base/str.h"
#include "controller-manager/controller.h"

struct service_accounts {
	struct controller_context *ctx;
	struct informer *accounts, *namespaces;
	struct workqueue *queue;
};

static struct status *sync_namespace(void *data, struct arena *arena, const char *key)
{
	struct service_accounts *c = data;
	const CoreV1Namespace *namespace = informer_get_key(c->namespaces, arena, key);
	if (!namespace || !str_eq(str_or(namespace->status->phase, "Active"), "Active") ||
		informer_get(c->accounts, arena, key, "default"))
		return NULL;
	CoreV1ServiceAccount *account = API_NEW(arena, CoreV1ServiceAccount);
	account->metadata = API_NEW(arena, MetaV1ObjectMeta);
	account->metadata->namespace = arena_strdup(arena, key);
	account->metadata->name = arena_strdup(arena, "default");
	struct status *s = client_create(c->ctx->client, arena, account, NULL);
	if (status_is(s, STATUS_ALREADY_EXISTS) || status_has_cause(s, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(s, "there, or not needed any more");
		return NULL;
	}
	return s;
}

static void account_deleted(void *data, const struct object *object, bool final_unknown)
{
	const MetaV1ObjectMeta *meta = object_metadata(object->msg);
	if (str_eq(meta->name, "default"))
		workqueue_add(((struct service_accounts *)data)->queue, meta->namespace);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {.deleted = account_deleted};
	struct service_accounts *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->accounts = controller_informer(ctx, &CoreV1ServiceAccount_schema);
	c->namespaces = controller_informer(ctx, &CoreV1Namespace_schema);
	c->queue = controller_queue(ctx, "serviceaccount", 1, sync_namespace, c);
	informer_add_handler(c->namespaces, &enqueue_self, c->queue);
	informer_add_handler(c->accounts, &handler, c);
	return NULL;
}

const struct controller serviceaccount_controller = {.name = "serviceaccount-controller",
	.alias = "serviceaccount",
	.service_account = "service-account-controller",
	.start = start};
