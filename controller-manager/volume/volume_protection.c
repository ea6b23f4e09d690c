/* A volume that is bound to a claim is not deleted before the claim is. */
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/volume/protection.h"

#define FINALIZER "kubernetes.io/pv-protection"

struct protection {
	struct controller_context *ctx;
	struct informer *volumes;
	struct workqueue *queue;
};

static struct status *sync_volume(void *data, struct arena *arena, const char *key)
{
	struct protection *c = data;
	const CoreV1PersistentVolume *volume = informer_get_key(c->volumes, arena, key);
	if (!volume)
		return NULL;
	return protection_settle(c->ctx->client, arena, volume, FINALIZER, str_eq(volume->status->phase, "Bound"));
}

static void added(void *data, const struct object *object, bool initial)
{
	if (protection_concerns(object->msg, FINALIZER))
		workqueue_add(((struct protection *)data)->queue, object->key);
}

static void updated(void *data, const struct object *old_object, const struct object *new_object)
{
	added(data, new_object, false);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {.added = added, .updated = updated};
	struct protection *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->volumes = controller_informer(ctx, &CoreV1PersistentVolume_schema);
	c->queue = controller_queue(ctx, "pvprotection", 1, sync_volume, c);
	informer_add_handler(c->volumes, &handler, c);
	return NULL;
}

const struct controller volume_protection_controller = {.name = "persistentvolume-protection-controller",
	.alias = "pv-protection",
	.service_account = "pv-protection-controller",
	.start = start};
