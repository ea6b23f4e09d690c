/*
 * A claim that a pod on a node uses is not deleted before the pod is.
 *
 * A pod may be there that the informer does not know of yet: before a claim goes, the server is asked.
 */
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/support/pods.h"
#include "controller-manager/volume/protection.h"

#define FINALIZER "kubernetes.io/pvc-protection"

struct protection {
	struct controller_context *ctx;
	struct informer *claims, *pods;
	struct workqueue *queue;
};

static const CoreV1VolumeSource *source_of(const CoreV1Volume *volume)
{
	static const CoreV1VolumeSource none;
	return volume->volume_source ? volume->volume_source : &none;
}

/* The name of the claim that is made for an ephemeral volume. */
static const char *ephemeral_claim(struct arena *arena, const CoreV1Pod *pod, const CoreV1Volume *volume)
{
	return arena_printf(arena, "%s-%s", pod->metadata->name, volume->name);
}

/* Whether the kubelet is done with a pod, which goes as soon as its own finalizers do. Those may wait for the claim. */
static bool is_shut_down(const CoreV1Pod *pod)
{
	const MetaV1ObjectMeta *meta = pod->metadata;
	return meta->deletion_timestamp && meta->has_deletion_grace_period_seconds &&
	       !meta->deletion_grace_period_seconds;
}

/* What is on no node yet will not start with a claim that is being deleted. */
static bool uses(struct arena *arena, const CoreV1Pod *pod, const CoreV1PersistentVolumeClaim *claim)
{
	for (size_t i = 0; !str_empty(pod->spec->node_name) && i < pod->spec->n_volumes; i++) {
		const CoreV1Volume *volume = pod->spec->volumes[i];
		const CoreV1VolumeSource *source = source_of(volume);
		if (source->persistent_volume_claim &&
			str_eq(source->persistent_volume_claim->claim_name, claim->metadata->name))
			return true;
		if (source->ephemeral && !is_shut_down(pod) && controlled_by(claim, pod) &&
			str_eq(ephemeral_claim(arena, pod, volume), claim->metadata->name))
			return true;
	}
	return false;
}

static struct status *is_used(
	struct protection *c, struct arena *arena, const CoreV1PersistentVolumeClaim *claim, bool *ret_used)
{
	const char *namespace = claim->metadata->namespace;
	size_t n;
	const void *const *pods = informer_list(c->pods, arena, namespace, &n);
	*ret_used = true;
	for (size_t i = 0; i < n; i++)
		if (uses(arena, pods[i], claim))
			return NULL;
	struct client_list list;
	TRY(client_list(c->ctx->client, arena, &CoreV1Pod_schema, namespace, NULL, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		object_complete(arena, list.items[i]);
		if (uses(arena, (const CoreV1Pod *)list.items[i], claim))
			return NULL;
	}
	*ret_used = false;
	return NULL;
}

static struct status *sync_claim(void *data, struct arena *arena, const char *key)
{
	struct protection *c = data;
	const CoreV1PersistentVolumeClaim *claim = informer_get_key(c->claims, arena, key);
	bool used = false;
	if (!claim)
		return NULL;
	if (protection_is_asked(claim, FINALIZER))
		TRY(is_used(c, arena, claim, &used));
	return protection_settle(c->ctx->client, arena, claim, FINALIZER, used);
}

static void claim_added(void *data, const struct object *object, bool initial)
{
	if (protection_concerns(object->msg, FINALIZER))
		workqueue_add(((struct protection *)data)->queue, object->key);
}

static void claim_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	claim_added(data, new_object, false);
}

static void enqueue_claims(struct protection *c, const CoreV1Pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = NULL;
	for (size_t i = 0; i < pod->spec->n_volumes; i++) {
		const CoreV1Volume *volume = pod->spec->volumes[i];
		const CoreV1VolumeSource *source = source_of(volume);
		if (!source->persistent_volume_claim && !source->ephemeral)
			continue;
		if (!arena)
			arena = arena_new_sized(512);
		workqueue_add(
			c->queue, arena_printf(arena, "%s/%s", pod->metadata->namespace,
					  source->persistent_volume_claim ? source->persistent_volume_claim->claim_name
									  : ephemeral_claim(arena, pod, volume)));
	}
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	enqueue_claims(data, object->msg);
}

/* A pod that runs keeps what it uses. */
static void pod_added(void *data, const struct object *object, bool initial)
{
	const CoreV1Pod *pod = object->msg;
	if (pod_is_terminal(pod) || str_empty(pod->spec->node_name))
		enqueue_claims(data, pod);
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const CoreV1Pod *old = old_object->msg, *pod = new_object->msg;
	pod_added(data, new_object, false);
	if (!str_eq(old->metadata->uid, pod->metadata->uid))
		enqueue_claims(data, old);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler of_claims = {.added = claim_added, .updated = claim_updated},
					     of_pods = {.added = pod_added,
						     .updated = pod_updated,
						     .deleted = pod_deleted};
	struct protection *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->claims = controller_informer(ctx, &CoreV1PersistentVolumeClaim_schema);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->queue = controller_queue(ctx, "pvcprotection", 1, sync_claim, c);
	informer_add_handler(c->claims, &of_claims, c);
	informer_add_handler(c->pods, &of_pods, c);
	return NULL;
}

const struct controller claim_protection_controller = {.name = "persistentvolumeclaim-protection-controller",
	.alias = "pvc-protection",
	.service_account = "pvc-protection-controller",
	.start = start};
