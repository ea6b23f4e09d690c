/* The Deployment controller: events and sync. */
#include "controller-manager/deployment/deployment.h"

#include "base/log.h"
#include "base/str.h"
#include "controller-manager/support/claim.h"

struct deployments {
	struct controller_context *ctx;
	struct informer *deployments, *sets, *pods;
	struct workqueue *queue;
};

/* --- sync --- */

static struct status *claim_sets(struct deployments *c, struct rollout *r)
{
	size_t n;
	const void **sets =
		controller_dependents(c->sets, r->arena, r->d->metadata->namespace, r->d->metadata->uid, true, &n);
	CLEANUP_CLAIM struct claim claim = {.client = c->ctx->client, .owner = r->d, .selector = r->d->spec->selector};
	TRY(claim_all(&claim, r->arena, sets, n, &n));
	r->all = (struct sets){(const AppsV1ReplicaSet **)sets, n};
	return NULL;
}

static void find_pods(struct deployments *c, struct rollout *r)
{
	size_t n;
	const void *const *pods = informer_list(c->pods, r->arena, r->d->metadata->namespace, &n);
	const CoreV1Pod **matching = ARENA_ARRAY(r->arena, const CoreV1Pod *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const MetaV1ObjectMeta *meta = object_metadata(pods[i]);
		if (selector_takes(r->d->spec->selector, meta->labels, meta->n_labels))
			matching[r->n_pods++] = pods[i];
	}
	r->pods = matching;
}

/* Whether spec.replicas has changed since the sets were last sized. */
static struct status *is_scaling(struct rollout *r, bool *ret_scaling)
{
	*ret_scaling = false;
	TRY(sync_revisions(r, false));
	struct sets active = sets_active(r->arena, sets_with(r->arena, r->old, r->new_set));
	for (size_t i = 0; i < active.n; i++) {
		int32_t desired;
		if (set_annotation_int(active.items[i], DESIRED_REPLICAS_ANNOTATION, &desired) &&
			desired != deployment_replicas(r->d))
			*ret_scaling = true;
	}
	return NULL;
}

static struct status *scale(struct rollout *r)
{
	int64_t revision;
	TRY(sync_revisions(r, false));
	TRY(scale_proportionally(r));
	if (r->d->spec->paused && !rollback_wanted(r->d, &revision))
		TRY(delete_old_revisions(r));
	return sync_status(r);
}

static struct status *refuse_selecting_all(struct rollout *r)
{
	event_record(r->ctx->recorder, r->d, EVENT_WARNING, "SelectingAll",
		"This deployment is selecting all pods. A non-empty selector is required.");
	if (r->d->status->observed_generation >= r->d->metadata->generation)
		return NULL;
	r->d->status->observed_generation = r->d->metadata->generation;
	return write_deployment_status(r);
}

static struct status *sync_rollout(struct deployments *c, struct rollout *r)
{
	bool scaling;
	int64_t revision;
	TRY(claim_sets(c, r));
	if (r->d->metadata->deletion_timestamp) {
		TRY(sync_revisions(r, false));
		return sync_status(r);
	}
	TRY(check_paused(r));
	if (r->d->spec->paused)
		return scale(r);
	if (rollback_wanted(r->d, &revision))
		return roll_back(r, revision);
	TRY(is_scaling(r, &scaling));
	if (scaling)
		return scale(r);
	if (str_eq(r->d->spec->strategy->type, "Recreate")) {
		find_pods(c, r);
		return recreate(r);
	}
	if (deployment_is_rolling(r->d))
		return roll_out(r);
	return status_internal("unexpected deployment strategy type: %s", r->d->spec->strategy->type);
}

static struct status *sync_deployment(void *data, struct arena *arena, const char *key)
{
	struct deployments *c = data;
	const AppsV1Deployment *present = informer_get_key(c->deployments, arena, key);
	if (!present)
		return NULL;
	struct rollout r = {
		.ctx = c->ctx, .queue = c->queue, .arena = arena, .key = key, .d = object_copy(arena, present)};
	if (selector_is_empty(r.d->spec->selector))
		return refuse_selecting_all(&r);
	struct status *s = selector_check(r.d->spec->selector);
	if (s)
		return status_wrap(s, "deployment %s has invalid label selector", key);
	s = sync_rollout(c, &r);
	if (status_has_cause(s, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(s, "the namespace goes away, and the deployment with it");
		return NULL;
	}
	return s;
}

/* --- events --- */

static const AppsV1Deployment *resolve(
	struct deployments *c, struct arena *arena, const char *namespace, const MetaV1OwnerReference *ref)
{
	if (!ref || !str_eq(ref->kind, "Deployment"))
		return NULL;
	const AppsV1Deployment *d = informer_get(c->deployments, arena, namespace, ref->name);
	return d && str_eq(d->metadata->uid, ref->uid) ? d : NULL;
}

static void enqueue(struct deployments *c, struct arena *arena, const AppsV1Deployment *d)
{
	if (d)
		workqueue_add(c->queue, object_key(arena, d));
}

static void enqueue_matching(struct deployments *c, struct arena *arena, const AppsV1ReplicaSet *set)
{
	size_t n;
	const MetaV1ObjectMeta *meta = set->metadata;
	const void *const *all = informer_list(c->deployments, arena, meta->namespace, &n);
	for (size_t i = 0; meta->n_labels && i < n; i++) {
		const AppsV1Deployment *d = all[i];
		if (!selector_is_empty(d->spec->selector) &&
			selector_takes(d->spec->selector, meta->labels, meta->n_labels))
			enqueue(c, arena, d);
	}
}

static void set_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct deployments *c = data;
	const MetaV1ObjectMeta *meta = object_metadata(object->msg);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	enqueue(c, arena, resolve(c, arena, meta->namespace, controller_of(meta)));
}

static void set_added(void *data, const struct object *object, bool initial)
{
	struct deployments *c = data;
	const AppsV1ReplicaSet *set = object->msg;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const MetaV1OwnerReference *ref = controller_of(set->metadata);
	if (ref)
		enqueue(c, arena, resolve(c, arena, set->metadata->namespace, ref));
	else if (!set->metadata->deletion_timestamp)
		enqueue_matching(c, arena, set);
}

static void set_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	struct deployments *c = data;
	const MetaV1ObjectMeta *before = object_metadata(old_object->msg), *now = object_metadata(new_object->msg);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const MetaV1OwnerReference *old_ref = controller_of(before), *ref = controller_of(now);
	bool moved = !owner_ref_equal(old_ref, ref);
	if (moved)
		enqueue(c, arena, resolve(c, arena, before->namespace, old_ref));
	if (ref)
		enqueue(c, arena, resolve(c, arena, now->namespace, ref));
	else if (moved || !map_equal(before->labels, before->n_labels, now->labels, now->n_labels))
		enqueue_matching(c, arena, new_object->msg);
}

/* The last pod of an old version is gone: a deployment that recreates may go on. */
static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct deployments *c = data;
	const CoreV1Pod *pod = object->msg;
	const MetaV1OwnerReference *ref = controller_of(pod->metadata);
	if (!ref || !str_eq(ref->kind, "ReplicaSet"))
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const AppsV1ReplicaSet *set = informer_get(c->sets, arena, pod->metadata->namespace, ref->name);
	if (!set || !str_eq(set->metadata->uid, ref->uid))
		return;
	const AppsV1Deployment *d = resolve(c, arena, pod->metadata->namespace, controller_of(set->metadata));
	if (d && str_eq(d->spec->strategy->type, "Recreate"))
		enqueue(c, arena, d);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler set_handler = {
		.added = set_added, .updated = set_updated, .deleted = set_deleted};
	static const struct informer_handler pod_handler = {.deleted = pod_deleted};
	struct deployments *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->deployments = controller_informer(ctx, &AppsV1Deployment_schema);
	c->sets = controller_informer(ctx, &AppsV1ReplicaSet_schema);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->queue = controller_queue(ctx, "deployment", ctx->options->concurrent_deployment_syncs, sync_deployment, c);
	informer_add_handler(c->deployments, &enqueue_self, c->queue);
	informer_add_handler(c->sets, &set_handler, c);
	informer_add_handler(c->pods, &pod_handler, c);
	return NULL;
}

const struct controller deployment_controller = {
	.name = "deployment-controller", .alias = "deployment", .start = start};
