#include "controller-manager/replicaset/replicaset.h"

#include "api/copy.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/support/batch.h"
#include "controller-manager/support/claim.h"
#include "controller-manager/support/expectations.h"
#include "controller-manager/support/pods.h"

/* How many pods one sync creates or deletes at most. */
enum { BURST_REPLICAS = 500 };

struct replicasets {
	struct controller_context *ctx;
	const struct replica_kind *kind;
	struct informer *sets, *pods;
	struct workqueue *queue;
	struct expectations *expectations;
};

/* --- which, and what status: pure --- */

void replicaset_pick_deletions(struct arena *arena, const CoreV1Pod **pods, size_t n_pods, size_t n_delete,
	const CoreV1Pod *const *related, size_t n_related, int64_t now_ns)
{
	if (n_delete >= n_pods)
		return;
	int *ranks = ARENA_ARRAY(arena, int, n_pods);
	for (size_t i = 0; i < n_pods; i++)
		for (size_t j = 0; j < n_related; j++)
			if (pod_is_active(related[j]) && str_eq(related[j]->spec->node_name, pods[i]->spec->node_name))
				ranks[i]++;
	pods_sort_for_deletion(pods, ranks, n_pods, now_ns);
}

static const AppsV1ReplicaSetCondition *failure_condition(const AppsV1ReplicaSetStatus *status)
{
	for (size_t i = 0; i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, "ReplicaFailure"))
			return status->conditions[i];
	return NULL;
}

static void set_failure_condition(struct arena *arena, AppsV1ReplicaSetStatus *status, int64_t surplus,
	const struct status *failure, const struct clock *clock)
{
	const AppsV1ReplicaSetCondition *present = failure_condition(status);
	if (failure && !present) {
		AppsV1ReplicaSetCondition *c = API_NEW(arena, AppsV1ReplicaSetCondition);
		c->type = arena_strdup(arena, "ReplicaFailure");
		c->status = arena_strdup(arena, "True");
		c->reason = arena_strdup(arena, surplus < 0 ? "FailedCreate" : surplus > 0 ? "FailedDelete" : "");
		c->message = arena_strdup(arena, failure->message);
		c->last_transition_time = now_time(arena, clock);
		ARENA_PUSH(arena, status->conditions, status->n_conditions) = c;
	} else if (!failure && present) {
		size_t kept = 0;
		for (size_t i = 0; i < status->n_conditions; i++)
			if (status->conditions[i] != present)
				status->conditions[kept++] = status->conditions[i];
		status->n_conditions = kept;
	}
}

AppsV1ReplicaSetStatus *replicaset_status(struct arena *arena, const AppsV1ReplicaSet *set,
	const CoreV1Pod *const *pods, size_t n_pods, const struct status *failure, const struct clock *clock)
{
	AppsV1ReplicaSetStatus *status = api_copy_msg(arena, set->status);
	int64_t now_ns = clock_wall_ns(clock);
	const MetaV1ObjectMeta *template = set->spec->template->metadata;
	status->replicas = (int32_t)n_pods;
	status->fully_labeled_replicas = status->ready_replicas = status->available_replicas = 0;
	for (size_t i = 0; i < n_pods; i++) {
		const MetaV1ObjectMeta *meta = pods[i]->metadata;
		if (map_contains(meta->labels, meta->n_labels, template->labels, template->n_labels))
			status->fully_labeled_replicas++;
		if (!pod_is_ready(pods[i]))
			continue;
		status->ready_replicas++;
		if (pod_is_available(pods[i], set->spec->min_ready_seconds, now_ns))
			status->available_replicas++;
	}
	set_failure_condition(arena, status, (int64_t)n_pods - set->spec->replicas, failure, clock);
	status->has_terminating_replicas = false;
	status->terminating_replicas = 0;
	return status;
}

bool replicaset_status_equal(const AppsV1ReplicaSetStatus *a, const AppsV1ReplicaSetStatus *b)
{
	if (a->replicas != b->replicas || a->fully_labeled_replicas != b->fully_labeled_replicas ||
		a->ready_replicas != b->ready_replicas || a->available_replicas != b->available_replicas ||
		a->n_conditions != b->n_conditions || a->has_terminating_replicas != b->has_terminating_replicas)
		return false;
	for (size_t i = 0; i < a->n_conditions; i++)
		if (!api_equal(a->conditions[i], b->conditions[i]))
			return false;
	return true;
}

/* --- making and deleting pods --- */

struct pod_work {
	struct replicasets *r;
	const AppsV1ReplicaSet *set;
	const void *object; /* what the set is a view of */
	const char *key;
	const CoreV1Pod *const *doomed;
};

static struct status *create_one(void *data, struct arena *arena, size_t index)
{
	struct pod_work *w = data;
	struct controller_context *ctx = w->r->ctx;
	if (!w->set->spec->template->metadata->n_labels)
		return status_internal("unable to create pods, no labels");
	CoreV1Pod *pod = pod_from_template(arena, w->set->spec->template, w->object), *created;
	TRY(fail_try("replicaset.before-pod"));
	struct status *s = client_create(ctx->client, arena, pod, &created);
	fail_at("replicaset.after-pod");
	if (status_has_cause(s, CAUSE_NAMESPACE_TERMINATING)) {
		/* Every create would fail until the set itself is deleted; there is nothing to retry. */
		status_drop(s, "the namespace goes away");
		return NULL;
	}
	if (s)
		event_record(ctx->recorder, w->object, EVENT_WARNING, "FailedCreate", "Error creating: %s", s->message);
	else
		event_record(ctx->recorder, w->object, EVENT_NORMAL, "SuccessfulCreate", "Created pod: %s",
			created->metadata->name);
	return s;
}

static struct status *create_pods(struct pod_work *w, size_t n)
{
	log_v(2, "too few replicas: %s needs %d, creating %zu", w->key, w->set->spec->replicas, n);
	expectations_expect_creations(w->r->expectations, w->key, (int)n);
	struct status *s;
	size_t done = batch_slow_start(w->r->ctx->workers, n, create_one, w, &s);
	/* What was not created will not be seen. */
	for (; done < n; done++)
		expectations_creation_observed(w->r->expectations, w->key);
	return s;
}

static char *pod_key(struct arena *arena, const CoreV1Pod *pod)
{
	return arena_printf(arena, "%s/%s", pod->metadata->namespace, pod->metadata->name);
}

static struct status *delete_one(void *data, struct arena *arena, size_t index)
{
	struct pod_work *w = data;
	struct controller_context *ctx = w->r->ctx;
	const CoreV1Pod *pod = w->doomed[index];
	struct status *s = client_delete(
		ctx->client, arena, &CoreV1Pod_schema, pod->metadata->namespace, pod->metadata->name, NULL);
	if (!s) {
		event_record(ctx->recorder, w->object, EVENT_NORMAL, "SuccessfulDelete", "Deleted pod: %s",
			pod->metadata->name);
		return NULL;
	}
	expectations_deletion_observed(w->r->expectations, w->key, pod_key(arena, pod));
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "already deleted");
		return NULL;
	}
	event_record(ctx->recorder, w->object, EVENT_WARNING, "FailedDelete", "Error deleting: %s", s->message);
	return status_wrap(s, "unable to delete pods");
}

/* The pods of all sets that have the same owner as this one. */
static const CoreV1Pod **related_pods(
	struct replicasets *r, struct arena *arena, const AppsV1ReplicaSet *set, size_t *ret_n)
{
	const CoreV1Pod **pods = NULL;
	*ret_n = 0;
	const MetaV1OwnerReference *ref = controller_of(set->metadata);
	if (!ref)
		return NULL;
	size_t n_sets, n_pods;
	const void *const *sets = informer_list_index(r->sets, arena, BY_CONTROLLER, ref->uid, &n_sets);
	const void *const *all = informer_list(r->pods, arena, set->metadata->namespace, &n_pods);
	for (size_t i = 0; i < n_pods; i++) {
		const CoreV1Pod *pod = all[i];
		for (size_t j = 0; j < n_sets; j++) {
			const AppsV1ReplicaSet *other = r->kind->view(arena, sets[j]);
			if (!selector_takes(other->spec->selector, pod->metadata->labels, pod->metadata->n_labels))
				continue;
			ARENA_PUSH(arena, pods, *ret_n) = pod;
			break;
		}
	}
	return pods;
}

static struct status *delete_pods(
	struct pod_work *w, struct arena *arena, const CoreV1Pod **pods, size_t n_pods, size_t n)
{
	log_v(2, "too many replicas: %s needs %d, deleting %zu", w->key, w->set->spec->replicas, n);
	size_t n_related;
	const CoreV1Pod **related = related_pods(w->r, arena, w->set, &n_related);
	replicaset_pick_deletions(arena, pods, n_pods, n, related, n_related, clock_wall_ns(w->r->ctx->clock));
	const char **keys = ARENA_ARRAY(arena, const char *, n);
	for (size_t i = 0; i < n; i++)
		keys[i] = pod_key(arena, pods[i]);
	expectations_expect_deletions(w->r->expectations, w->key, keys, n);
	w->doomed = pods;
	struct status *s;
	batch_run(w->r->ctx->workers, n, delete_one, w, &s);
	return s;
}

static struct status *manage_replicas(struct pod_work *w, struct arena *arena, const CoreV1Pod **pods, size_t n_pods)
{
	int64_t surplus = (int64_t)n_pods - w->set->spec->replicas;
	if (surplus < 0)
		return create_pods(w, (size_t)(-surplus > BURST_REPLICAS ? BURST_REPLICAS : -surplus));
	if (surplus > 0)
		return delete_pods(
			w, arena, pods, n_pods, (size_t)(surplus > BURST_REPLICAS ? BURST_REPLICAS : surplus));
	return NULL;
}

/* --- sync --- */

static struct status *write_status(
	struct replicasets *r, struct arena *arena, const void *object, AppsV1ReplicaSetStatus *status)
{
	const AppsV1ReplicaSet *set = r->kind->view(arena, object);
	if (replicaset_status_equal(set->status, status) &&
		set->metadata->generation == set->status->observed_generation)
		return NULL;
	status->observed_generation = set->metadata->generation;
	TRY(fail_try("replicaset.before-status"));
	struct status *s =
		client_update_status(r->ctx->client, arena, r->kind->with_status(arena, object, status), NULL);
	if (!status_is(s, STATUS_CONFLICT))
		return s;
	/* Once more on top of the newest version; the generation observed stays the one that was acted upon. */
	status_drop(s, "retried with the newest version");
	void *fresh;
	TRY(client_get(r->ctx->client, arena, r->kind->type, set->metadata->namespace, set->metadata->name, &fresh));
	return client_update_status(r->ctx->client, arena, r->kind->with_status(arena, fresh, status), NULL);
}

static struct status *claim_pods(struct replicasets *r, struct arena *arena, const AppsV1ReplicaSet *set,
	const void *object, const CoreV1Pod ***ret_pods, size_t *ret_n)
{
	size_t n, n_active = 0;
	const void **pods =
		controller_dependents(r->pods, arena, set->metadata->namespace, set->metadata->uid, true, &n);
	for (size_t i = 0; i < n; i++)
		if (pod_is_active(pods[i]))
			pods[n_active++] = pods[i];
	CLEANUP_CLAIM struct claim claim = {.client = r->ctx->client, .owner = object, .selector = set->spec->selector};
	*ret_pods = (const CoreV1Pod **)pods;
	return claim_all(&claim, arena, pods, n_active, ret_n);
}

static struct status *sync_set(void *data, struct arena *arena, const char *key)
{
	struct replicasets *r = data;
	const void *object = informer_get_key(r->sets, arena, key);
	if (!object) {
		expectations_forget(r->expectations, key);
		return NULL;
	}
	const AppsV1ReplicaSet *set = r->kind->view(arena, object);
	bool needs_sync = expectations_satisfied(r->expectations, key);
	struct status *invalid = selector_check(set->spec->selector);
	if (invalid) {
		log_status(invalid, "%s: selector", key);
		return NULL;
	}
	const CoreV1Pod **pods;
	size_t n_pods;
	TRY(claim_pods(r, arena, set, object, &pods, &n_pods));
	CLEANUP_STATUS struct status *failure = NULL;
	struct pod_work work = {.r = r, .set = set, .object = object, .key = key};
	if (needs_sync && !set->metadata->deletion_timestamp)
		failure = manage_replicas(&work, arena, pods, n_pods);
	AppsV1ReplicaSetStatus *status = replicaset_status(arena, set, pods, n_pods, failure, r->ctx->clock);
	TRY(write_status(r, arena, object, status));
	if (failure)
		return STEAL(failure);
	if (set->spec->min_ready_seconds > 0 && status->ready_replicas != status->available_replicas) {
		int64_t next = pods_next_available_ms(
			pods, n_pods, set->spec->min_ready_seconds, clock_wall_ns(r->ctx->clock));
		workqueue_add_after(r->queue, key, next >= 0 ? next : set->spec->min_ready_seconds * 1000ll);
	}
	return NULL;
}

/* --- events --- */

static void enqueue(struct replicasets *r, struct arena *arena, const void *set)
{
	workqueue_add(r->queue, object_key(arena, set));
}

static const void *resolve(
	struct replicasets *r, struct arena *arena, const char *namespace, const MetaV1OwnerReference *ref)
{
	if (!ref || !str_eq(ref->kind, r->kind->type->kind))
		return NULL;
	const void *set = informer_get(r->sets, arena, namespace, ref->name);
	return set && str_eq(object_metadata(set)->uid, ref->uid) ? set : NULL;
}

/* Sets that may want to adopt an orphan. */
static void enqueue_matching(struct replicasets *r, struct arena *arena, const CoreV1Pod *pod)
{
	size_t n;
	if (!pod->metadata->n_labels)
		return;
	const void *const *sets = informer_list(r->sets, arena, pod->metadata->namespace, &n);
	for (size_t i = 0; i < n; i++) {
		const MetaV1LabelSelector *selector = r->kind->view(arena, sets[i])->spec->selector;
		if (!selector_is_empty(selector) &&
			selector_takes(selector, pod->metadata->labels, pod->metadata->n_labels))
			enqueue(r, arena, sets[i]);
	}
}

static void pod_gone(struct replicasets *r, struct arena *arena, const CoreV1Pod *pod)
{
	const void *set = resolve(r, arena, pod->metadata->namespace, controller_of(pod->metadata));
	if (!set)
		return;
	expectations_deletion_observed(r->expectations, object_key(arena, set), pod_key(arena, pod));
	enqueue(r, arena, set);
}

static void pod_added(void *data, const struct object *object, bool initial)
{
	struct replicasets *r = data;
	const CoreV1Pod *pod = object->msg;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (pod->metadata->deletion_timestamp) {
		pod_gone(r, arena, pod);
		return;
	}
	const MetaV1OwnerReference *ref = controller_of(pod->metadata);
	if (!ref) {
		enqueue_matching(r, arena, pod);
		return;
	}
	const void *set = resolve(r, arena, pod->metadata->namespace, ref);
	if (!set)
		return;
	expectations_creation_observed(r->expectations, object_key(arena, set));
	enqueue(r, arena, set);
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	struct replicasets *r = data;
	const CoreV1Pod *old = old_object->msg, *pod = new_object->msg;
	const MetaV1ObjectMeta *before = old->metadata, *now = pod->metadata;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	bool relabelled = !map_equal(before->labels, before->n_labels, now->labels, now->n_labels);
	if (now->deletion_timestamp) {
		pod_gone(r, arena, pod);
		if (relabelled)
			pod_gone(r, arena, old);
		return;
	}
	const MetaV1OwnerReference *ref = controller_of(now), *old_ref = controller_of(before);
	bool moved = !owner_ref_equal(ref, old_ref);
	const void *old_set = moved ? resolve(r, arena, before->namespace, old_ref) : NULL;
	if (old_set)
		enqueue(r, arena, old_set);
	if (!ref) {
		if (relabelled || moved)
			enqueue_matching(r, arena, pod);
		return;
	}
	const void *set = resolve(r, arena, now->namespace, ref);
	if (!set)
		return;
	enqueue(r, arena, set);
	int32_t min_ready = r->kind->view(arena, set)->spec->min_ready_seconds;
	if (min_ready > 0 && !pod_is_ready(old) && pod_is_ready(pod))
		workqueue_add_after(r->queue, object_key(arena, set), min_ready * 1000ll);
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	pod_gone(data, arena, object->msg);
}

static void set_added(void *data, const struct object *object, bool initial)
{
	workqueue_add(((struct replicasets *)data)->queue, object->key);
}

static void set_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	struct replicasets *r = data;
	/* Another object under the same name expects nothing. */
	if (!str_eq(object_metadata(old_object->msg)->uid, object_metadata(new_object->msg)->uid))
		expectations_forget(r->expectations, old_object->key);
	workqueue_add(r->queue, new_object->key);
}

static void set_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct replicasets *r = data;
	expectations_forget(r->expectations, object->key);
	workqueue_add(r->queue, object->key);
}

static const struct informer_handler set_handler = {.added = set_added, .updated = set_updated, .deleted = set_deleted};
static const struct informer_handler pod_handler = {.added = pod_added, .updated = pod_updated, .deleted = pod_deleted};

struct status *replica_kind_start(struct controller_context *ctx, const struct replica_kind *kind)
{
	struct replicasets *r = controller_state(ctx, sizeof(*r));
	r->ctx = ctx;
	r->kind = kind;
	r->expectations = expectations_new(ctx->clock);
	CONTROLLER_OWNS(ctx, expectations_free, r->expectations);
	r->sets = controller_informer(ctx, kind->type);
	r->pods = controller_informer(ctx, &CoreV1Pod_schema);
	r->queue = controller_queue(ctx, kind->type->resource->singular, kind->n_workers(ctx->options), sync_set, r);
	informer_add_handler(r->sets, &set_handler, r);
	informer_add_handler(r->pods, &pod_handler, r);
	return NULL;
}

/* --- ReplicaSet itself --- */

static const AppsV1ReplicaSet *view_set(struct arena *arena, const void *object)
{
	return object;
}

static void *set_with_status(struct arena *arena, const void *object, const AppsV1ReplicaSetStatus *status)
{
	AppsV1ReplicaSet *copy = object_copy(arena, object);
	copy->status = api_copy_msg(arena, status);
	return copy;
}

static int64_t set_workers(const struct options *options)
{
	return options->concurrent_replicaset_syncs;
}

static struct status *start(struct controller_context *ctx)
{
	static const struct replica_kind kind = {.type = &AppsV1ReplicaSet_schema,
		.n_workers = set_workers,
		.view = view_set,
		.with_status = set_with_status};
	return replica_kind_start(ctx, &kind);
}

const struct controller replicaset_controller = {
	.name = "replicaset-controller", .alias = "replicaset", .start = start};
