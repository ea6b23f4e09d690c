/* The Namespace controller: empties a namespace that is being deleted, kind by kind, then lets it go. */
#include <pthread.h>
#include "base/log.h"
#include "base/fail.h"
#include "base/str.h"
#include "client/discovery.h"
#include "controller-manager/controller.h"
#include "controller-manager/namespace/conditions.h"
#include "controller-manager/support/pods.h"

#define FINALIZER "kubernetes"

enum {
	/* Between the deletion's event and the first look: other API servers are to know of it by then. */
	SETTLE_MS = 1000,
	FINALIZER_ESTIMATE_S = 15,
	/* A look costs one small list while only pods are left, so nobody waits for half an estimate. */
	LOOK_AGAIN_MS = 2000,
	DISCOVERY_AGE_MS = 3000,
};

struct namespaces {
	struct controller_context *ctx;
	struct informer *namespaces;
	struct workqueue *queue;
	pthread_mutex_t lock; /* guards discovery */
	struct discovery *discovery;
	int64_t discovered_ms;
};

struct kind {
	struct client_resource rest;
	bool can_delete_collection;
};

static bool has_verb(const struct api_resource *r, const char *verb)
{
	return api_resource_has_verb(r, verb);
}

/* All namespaced kinds that can be deleted and listed, pods first. */
static struct status *find_kinds(struct namespaces *c, struct arena *arena, struct kind **ret_kinds, size_t *ret_n)
{
	const struct api_resource *const *all;
	size_t n = 0;
	*ret_n = 0;
	pthread_mutex_lock(&c->lock);
	int64_t now = clock_mono_ms(c->ctx->clock);
	if (now - c->discovered_ms > DISCOVERY_AGE_MS) {
		discovery_invalidate(c->discovery);
		c->discovered_ms = now;
	}
	struct status *s = discovery_preferred_resources(c->discovery, &all, &n);
	*ret_kinds = ARENA_ARRAY(arena, struct kind, n + 1);
	for (int pods = 1; !s && pods >= 0; pods--)
		for (size_t i = 0; i < n; i++) {
			const struct api_resource *r = all[i];
			bool is_pods = str_empty(r->rest.group) && str_eq(r->rest.plural, "pods");
			if (!r->rest.namespaced || !has_verb(r, "delete") || !has_verb(r, "list") || is_pods != pods)
				continue;
			(*ret_kinds)[(*ret_n)++] = (struct kind){
				.rest = {arena_strdup(arena, r->rest.group), arena_strdup(arena, r->rest.version),
					arena_strdup(arena, r->rest.plural), true},
				.can_delete_collection = has_verb(r, "deletecollection")};
		}
	pthread_mutex_unlock(&c->lock);
	return s;
}

static struct status *list_kind(struct namespaces *c, struct arena *arena, const struct kind *kind,
	const char *namespace, struct client_list *ret)
{
	struct status *s = client_list_as(
		c->ctx->client, arena, &kind->rest, &MetaV1PartialObjectMetadata_schema, namespace, NULL, ret);
	if (status_is(s, STATUS_NOT_FOUND) || status_is(s, STATUS_METHOD_NOT_ALLOWED)) {
		status_drop(s, "the kind went away");
		*ret = (struct client_list){0};
		return NULL;
	}
	return s;
}

static struct status *delete_kind(struct namespaces *c, struct arena *arena, const struct kind *kind,
	const char *namespace, const struct client_list *items)
{
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	options->propagation_policy = arena_strdup(arena, "Background");
	if (kind->can_delete_collection)
		return client_delete_collection(c->ctx->client, arena, &kind->rest, namespace, options, NULL);
	for (size_t i = 0; i < items->n_items; i++) {
		struct status *s = client_delete_as(
			c->ctx->client, arena, &kind->rest, namespace, object_metadata(items->items[i])->name, options);
		if (s && !status_is(s, STATUS_NOT_FOUND) && !status_is(s, STATUS_METHOD_NOT_ALLOWED))
			return s;
		status_drop(s, "gone already");
	}
	return NULL;
}

/* The longest grace period among running pods; 0 once that much time has passed since the namespace's deletion. */
static struct status *estimate_pods(
	struct namespaces *c, struct arena *arena, const CoreV1Namespace *namespace, int64_t *ret_seconds)
{
	struct client_list list;
	*ret_seconds = 0;
	TRY(client_list(c->ctx->client, arena, &CoreV1Pod_schema, namespace->metadata->name, NULL, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		CoreV1Pod *pod = list.items[i];
		object_complete(arena, pod);
		if (!pod_is_terminal(pod) && pod->spec->has_termination_grace_period_seconds &&
			pod->spec->termination_grace_period_seconds > *ret_seconds)
			*ret_seconds = pod->spec->termination_grace_period_seconds;
	}
	if (clock_wall_s(c->ctx->clock) - namespace->metadata->deletion_timestamp->seconds >= *ret_seconds)
		*ret_seconds = 0;
	return NULL;
}

static struct status *empty_kind(struct namespaces *c, struct namespace_remains *r, const struct kind *kind,
	const CoreV1Namespace *namespace, size_t *ret_left)
{
	const char *name = namespace->metadata->name;
	struct client_list list;
	int64_t estimate = 0;
	*ret_left = 0;
	TRY(list_kind(c, r->arena, kind, name, &list));
	if (!list.n_items)
		return NULL;
	if (str_empty(kind->rest.group) && str_eq(kind->rest.plural, "pods"))
		TRY(estimate_pods(c, r->arena, namespace, &estimate));
	TRY(delete_kind(c, r->arena, kind, name, &list));
	TRY(list_kind(c, r->arena, kind, name, &list));
	if (!list.n_items)
		return NULL;
	bool has_finalizers = false;
	for (size_t i = 0; i < list.n_items; i++) {
		const MetaV1ObjectMeta *meta = object_metadata(list.items[i]);
		for (size_t j = 0; j < meta->n_finalizers; j++)
			namespace_count_add(r->arena, &r->finalizers, &r->n_finalizers, meta->finalizers[j], 1);
		has_finalizers |= meta->n_finalizers > 0;
	}
	if (!estimate && has_finalizers)
		estimate = FINALIZER_ESTIMATE_S;
	if (estimate > r->estimate_s)
		r->estimate_s = estimate;
	*ret_left = list.n_items;
	namespace_count_add(r->arena, &r->resources, &r->n_resources,
		arena_printf(r->arena, "%s.%s", kind->rest.plural, str_or_empty(kind->rest.group)),
		(int64_t)list.n_items);
	if (!estimate)
		return status_internal("unexpected items still remain in namespace: %s for gvr: %s/%s, Resource=%s",
			name, str_or_empty(kind->rest.group), kind->rest.version, kind->rest.plural);
	return NULL;
}

static struct status *empty_namespace(
	struct namespaces *c, struct arena *arena, CoreV1Namespace *namespace, struct namespace_remains *r)
{
	struct kind *kinds;
	size_t n, left = 0;
	struct status *first = find_kinds(c, arena, &kinds, &n);
	if (first)
		r->discovery_error = arena_strdup(arena, first->message);
	bool found = !first;
	for (size_t i = 0; found && i < n; i++) {
		if (atomic_load(controller_stopping(c->ctx)))
			return status_first(first, status_internal("stopping"));
		struct status *s = empty_kind(c, r, &kinds[i], namespace, &left);
		if (s)
			ARENA_PUSH(arena, r->delete_errors, r->n_delete_errors) = arena_strdup(arena, s->message);
		first = status_first(first, s);
		/* Pods may need what else is in the namespace while they end. */
		if (i == 0 && str_eq(kinds[i].rest.plural, "pods") && (left || s))
			break;
	}
	if (namespace_conditions_update(r, namespace->status, c->ctx->clock)) {
		CoreV1Namespace *updated;
		struct status *s = client_update_status(c->ctx->client, arena, namespace, &updated);
		if (s)
			status_drop(s, "the conditions only tell");
		else
		namespace->metadata->resource_version = updated->metadata->resource_version;
	}
	return first;
}

static struct status *finalize(struct namespaces *c, struct arena *arena, const CoreV1Namespace *namespace)
{
	struct status *s = NULL;
	const CoreV1Namespace *present = namespace;
	for (int i = 0; i < 5; i++) {
		CoreV1Namespace *copy = object_copy(arena, present), *fresh;
		size_t kept = 0;
		for (size_t j = 0; j < copy->spec->n_finalizers; j++)
			if (!str_eq(copy->spec->finalizers[j], FINALIZER))
				copy->spec->finalizers[kept++] = copy->spec->finalizers[j];
		copy->spec->n_finalizers = kept;
		status_free(s);
		s = client_update_subresource(c->ctx->client, arena, "finalize", copy, NULL);
		if (!status_is(s, STATUS_CONFLICT))
			break;
		TRY(client_get(c->ctx->client, arena, &CoreV1Namespace_schema, NULL, copy->metadata->name, &fresh));
		if (!str_eq(fresh->metadata->uid, namespace->metadata->uid))
			break;
		object_complete(arena, fresh);
		present = fresh;
	}
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone");
		return NULL;
	}
	return s;
}

static struct status *sync_namespace(void *data, struct arena *arena, const char *key)
{
	struct namespaces *c = data;
	const CoreV1Namespace *cached = informer_get_key(c->namespaces, arena, key);
	if (!cached || !cached->metadata->deletion_timestamp)
		return NULL;
	CoreV1Namespace *namespace, *updated;
	struct status *s = client_get(c->ctx->client, arena, &CoreV1Namespace_schema, NULL, key, &namespace);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "gone");
		return NULL;
	}
	if (s)
		return s;
	object_complete(arena, namespace);
	if (!namespace->metadata->deletion_timestamp || !namespace->spec->n_finalizers)
		return NULL;
	TRY(fail_try("namespace.before-content"));
	if (!str_eq(namespace->status->phase, "Terminating")) {
		namespace->status->phase = arena_strdup(arena, "Terminating");
		TRY(client_update_status(c->ctx->client, arena, namespace, &updated));
		namespace = updated;
		object_complete(arena, namespace);
	}
	struct namespace_remains remains = {.arena = arena};
	TRY(empty_namespace(c, arena, namespace, &remains));
	if (remains.n_resources) {
		int64_t wait_ms = (remains.estimate_s / 2 + 1) * 1000;
		workqueue_add_after(c->queue, key, wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS);
		return NULL;
	}
	return finalize(c, arena, namespace);
}

static void consider(struct namespaces *c, const struct object *object)
{
	const CoreV1Namespace *namespace = object->msg;
	if (namespace->metadata->deletion_timestamp && namespace->spec->n_finalizers)
		workqueue_add_after(c->queue, object->key, SETTLE_MS);
}

static void namespace_added(void *data, const struct object *object, bool initial)
{
	consider(data, object);
}

static void namespace_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	/* Our own writes of conditions need no answer; what is left is looked at after its estimate. */
	if (!object_metadata(old_object->msg)->deletion_timestamp ||
		!str_eq(object_metadata(old_object->msg)->uid, object_metadata(new_object->msg)->uid))
		consider(data, new_object);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {.added = namespace_added, .updated = namespace_updated};
	struct namespaces *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	pthread_mutex_init(&c->lock, NULL);
	TRY(discovery_new(ctx->client, NULL, &c->discovery));
	CONTROLLER_OWNS(ctx, discovery_free, c->discovery);
	c->namespaces = controller_informer(ctx, &CoreV1Namespace_schema);
	c->queue = controller_queue(ctx, "namespace", ctx->options->concurrent_namespace_syncs, sync_namespace, c);
	informer_add_handler(c->namespaces, &handler, c);
	return NULL;
}

/* Every kind is listed, for each namespace. */
const struct controller namespace_controller = {
	.name = "namespace-controller", .alias = "namespace", .qps_times = 20, .burst_times = 100, .start = start};
