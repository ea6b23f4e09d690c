/* The DaemonSet controller: events and sync. */
#include <pthread.h>
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "controller-manager/daemon/daemon.h"
#include "controller-manager/support/batch.h"
#include "controller-manager/support/claim.h"
#include "controller-manager/support/expectations.h"
#include "controller-manager/support/history.h"
#include "controller-manager/support/pods.h"

enum { BURST_REPLICAS = 250, BACKOFF_FIRST_MS = 1000, BACKOFF_MAX_MS = 15 * 60 * 1000 };

struct failed_backoff {
	int64_t delay_ms, at_ms;
};

struct daemonsets {
	struct controller_context *ctx;
	struct informer *sets, *pods, *nodes, *revisions;
	struct workqueue *queue;
	struct expectations *expectations;
	pthread_mutex_t lock;
	struct strmap *backoffs; /* by set uid and node: struct failed_backoff; guarded by lock */
};

/* One sync. */
struct daemon_sync {
	struct daemonsets *c;
	struct arena *arena;
	const char *key;
	const AppsV1DaemonSet *set;
	struct daemon_plan plan;
	CoreV1PodTemplateSpec *template;
};

/* --- making and deleting --- */

static struct status *create_one(void *data, struct arena *arena, size_t index)
{
	struct daemon_sync *s = data;
	struct controller_context *ctx = s->c->ctx;
	CoreV1Pod *pod = pod_from_template(arena, s->template, s->set), *created;
	daemon_bind(arena, pod->spec, s->plan.create[index]);
	struct status *error = client_create(ctx->client, arena, pod, &created);
	if (status_has_cause(error, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(error, "the namespace goes away");
		return NULL;
	}
	if (error)
		event_record(
			ctx->recorder, s->set, EVENT_WARNING, "FailedCreate", "Error creating: %s", error->message);
	else
		event_record(ctx->recorder, s->set, EVENT_NORMAL, "SuccessfulCreate", "Created pod: %s",
			created->metadata->name);
	return error;
}

static char *pod_key(struct arena *arena, const CoreV1Pod *pod)
{
	return arena_printf(arena, "%s/%s", pod->metadata->namespace, pod->metadata->name);
}

static struct status *delete_one(void *data, struct arena *arena, size_t index)
{
	struct daemon_sync *s = data;
	struct controller_context *ctx = s->c->ctx;
	const CoreV1Pod *pod = s->plan.remove[index];
	struct status *error = client_delete(
		ctx->client, arena, &CoreV1Pod_schema, pod->metadata->namespace, pod->metadata->name, NULL);
	if (!error) {
		event_record(ctx->recorder, s->set, EVENT_NORMAL, "SuccessfulDelete", "Deleted pod: %s",
			pod->metadata->name);
		return NULL;
	}
	expectations_deletion_observed(s->c->expectations, s->key, pod_key(arena, pod));
	if (status_is(error, STATUS_NOT_FOUND)) {
		status_drop(error, "gone already");
		return NULL;
	}
	event_record(ctx->recorder, s->set, EVENT_WARNING, "FailedDelete", "Error deleting: %s", error->message);
	return error;
}

static struct status *carry_out(struct daemon_sync *s)
{
	struct daemon_plan *p = &s->plan;
	struct status *create_error, *delete_error;
	if (p->n_create > BURST_REPLICAS)
		p->n_create = BURST_REPLICAS;
	if (p->n_remove > BURST_REPLICAS)
		p->n_remove = BURST_REPLICAS;
	const char **keys = ARENA_ARRAY(s->arena, const char *, p->n_remove + 1);
	for (size_t i = 0; i < p->n_remove; i++)
		keys[i] = pod_key(s->arena, p->remove[i]);
	expectations_expect(s->c->expectations, s->key, (int)p->n_create, keys, p->n_remove);
	size_t done = batch_slow_start(s->c->ctx->workers, p->n_create, create_one, s, &create_error);
	for (; done < p->n_create; done++)
		expectations_creation_observed(s->c->expectations, s->key);
	batch_run(s->c->ctx->workers, p->n_remove, delete_one, s, &delete_error);
	p->n_create = p->n_remove = 0;
	return status_first(create_error, delete_error);
}

/* --- what is there --- */

/* The node that a pod is on or is meant for. */
static const char *target_node(const CoreV1Pod *pod)
{
	if (!str_empty(pod->spec->node_name))
		return pod->spec->node_name;
	const CoreV1NodeAffinity *affinity = pod->spec->affinity ? pod->spec->affinity->node_affinity : NULL;
	const CoreV1NodeSelector *selector =
		affinity ? affinity->required_during_scheduling_ignored_during_execution : NULL;
	for (size_t i = 0; selector && i < selector->n_node_selector_terms; i++) {
		const CoreV1NodeSelectorTerm *term = selector->node_selector_terms[i];
		for (size_t j = 0; j < term->n_match_fields; j++)
			if (str_eq(term->match_fields[j]->key, "metadata.name") && term->match_fields[j]->n_values == 1)
				return term->match_fields[j]->values[0];
	}
	return NULL;
}

static struct status *look(struct daemon_sync *s, const char *hash)
{
	struct daemonsets *c = s->c;
	size_t n_nodes, n_pods;
	const void *const *nodes = informer_list(c->nodes, s->arena, NULL, &n_nodes);
	const void **pods = controller_dependents(
		c->pods, s->arena, s->set->metadata->namespace, s->set->metadata->uid, true, &n_pods);
	CLEANUP_CLAIM struct claim claim = {
		.client = c->ctx->client, .owner = s->set, .selector = s->set->spec->selector};
	TRY(claim_all(&claim, s->arena, pods, n_pods, &n_pods));
	s->template = daemon_template(s->arena, s->set, hash);
	struct daemon_plan *p = &s->plan;
	*p = (struct daemon_plan){.arena = s->arena,
		.set = s->set,
		.hash = hash,
		.now_ns = clock_wall_ns(c->ctx->clock),
		.may_replace = p->may_replace,
		.ended = p->ended,
		.data = p->data};
	p->nodes = ARENA_ARRAY(s->arena, struct daemon_node, n_nodes + 1);
	CLEANUP(strmap_freep) struct strmap *by_name = strmap_new(NULL);
	for (size_t i = 0; i < n_nodes; i++) {
		struct daemon_node *n = &p->nodes[p->n_nodes++];
		n->node = nodes[i];
		n->fit = daemon_fits(s->template, n->node);
		strmap_put(by_name, n->node->metadata->name, n);
	}
	for (size_t i = 0; i < n_pods; i++) {
		const CoreV1Pod *pod = pods[i];
		const char *name = target_node(pod);
		/* One that is over and being deleted does not keep its successor waiting. */
		if (!name || (pod->metadata->deletion_timestamp && pod_is_terminal(pod)))
			continue;
		struct daemon_node *n = strmap_get(by_name, name);
		if (n)
			ARENA_PUSH(s->arena, n->pods, n->n_pods) = pod;
		else if (str_empty(pod->spec->node_name))
			ARENA_PUSH(s->arena, p->lost, p->n_lost) = pod;
	}
	return NULL;
}

/* --- failed pods --- */

static bool may_replace(void *data, const CoreV1Pod *pod)
{
	struct daemon_sync *s = data;
	struct daemonsets *c = s->c;
	char *key = arena_printf(s->arena, "%s/%s", s->set->metadata->uid, pod->spec->node_name);
	int64_t now = clock_mono_ms(c->ctx->clock), wait = 0;
	pthread_mutex_lock(&c->lock);
	struct failed_backoff *b = strmap_get(c->backoffs, key);
	if (!b) {
		b = mem_zalloc(sizeof(*b));
		*b = (struct failed_backoff){BACKOFF_FIRST_MS, now};
		strmap_put(c->backoffs, key, b);
	} else if (now - b->at_ms < b->delay_ms) {
		wait = b->delay_ms - (now - b->at_ms);
	} else {
		b->delay_ms = now - b->at_ms > 2 * BACKOFF_MAX_MS ? BACKOFF_FIRST_MS : b->delay_ms * 2;
		if (b->delay_ms > BACKOFF_MAX_MS)
			b->delay_ms = BACKOFF_MAX_MS;
		b->at_ms = now;
	}
	pthread_mutex_unlock(&c->lock);
	if (wait)
		workqueue_add_after(c->queue, s->key, wait);
	return !wait;
}

static void pod_ended(void *data, const CoreV1Pod *pod)
{
	struct daemon_sync *s = data;
	bool failed = str_eq(pod->status->phase, "Failed");
	event_record(s->c->ctx->recorder, s->set, failed ? EVENT_WARNING : EVENT_NORMAL,
		failed ? "FailedDaemonPod" : "SucceededDaemonPod",
		failed ? "Found failed daemon pod %s/%s on node %s, will try to kill it"
		       : "Found succeeded daemon pod %s/%s on node %s, will try to delete it",
		pod->metadata->namespace, pod->metadata->name, pod->spec->node_name);
}

/* --- sync --- */

static struct status *write_status(struct daemon_sync *s, AppsV1DaemonSetStatus *status)
{
	if (api_equal(s->set->status, status))
		return NULL;
	AppsV1DaemonSet *copy = object_copy(s->arena, s->set), *fresh;
	copy->status = status;
	struct status *error = client_update_status(s->c->ctx->client, s->arena, copy, NULL);
	if (!status_is(error, STATUS_CONFLICT))
		return error;
	status_drop(error, "once more with the newest version");
	TRY(client_get(s->c->ctx->client, s->arena, &AppsV1DaemonSet_schema, copy->metadata->namespace,
		copy->metadata->name, &fresh));
	fresh->status = status;
	return client_update_status(s->c->ctx->client, s->arena, fresh, NULL);
}

static struct status *sync_history(struct daemon_sync *s, struct history *h)
{
	struct status *error = history_sync(h, s->c->revisions);
	if (!h->collided)
		return error;
	AppsV1DaemonSet *copy = object_copy(s->arena, s->set);
	copy->status->has_collision_count = true;
	copy->status->collision_count = h->collision_count;
	return status_first(error, client_update_status(s->c->ctx->client, s->arena, copy, NULL));
}

static struct status *truncate_history(struct daemon_sync *s, struct history *h)
{
	const char **live = NULL;
	size_t n = 0;
	for (size_t i = 0; i < s->plan.n_nodes; i++)
		for (size_t j = 0; j < s->plan.nodes[i].n_pods; j++)
			ARENA_PUSH(s->arena, live, n) =
				str_or_empty(LABEL_GET(s->plan.nodes[i].pods[j]->metadata, REVISION_HASH_LABEL));
	int32_t limit = s->set->spec->has_revision_history_limit ? s->set->spec->revision_history_limit : 10;
	return history_truncate(h, limit, live, n);
}

static struct status *act(struct daemon_sync *s, struct history *h)
{
	daemon_plan_manage(&s->plan);
	TRY(carry_out(s));
	if (expectations_satisfied(s->c->expectations, s->key) &&
		str_eq(s->set->spec->update_strategy->type, "RollingUpdate")) {
		daemon_plan_update(&s->plan);
		TRY(carry_out(s));
	}
	return truncate_history(s, h);
}

static struct status *sync_set(void *data, struct arena *arena, const char *key)
{
	struct daemonsets *c = data;
	const AppsV1DaemonSet *set = informer_get_key(c->sets, arena, key);
	if (!set) {
		expectations_forget(c->expectations, key);
		return NULL;
	}
	if (selector_is_empty(set->spec->selector)) {
		event_record(c->ctx->recorder, set, EVENT_WARNING, "SelectingAll",
			"This daemon set is selecting all pods. A non-empty selector is required.");
		return NULL;
	}
	if (set->metadata->deletion_timestamp)
		return NULL;
	struct daemon_sync s = {.c = c, .arena = arena, .key = key, .set = set};
	s.plan.may_replace = may_replace;
	s.plan.ended = pod_ended;
	s.plan.data = &s;
	struct history history = {.client = c->ctx->client,
		.arena = arena,
		.owner = set,
		.selector = set->spec->selector,
		.template = set->spec->template,
		.has_collision_count = set->status->has_collision_count,
		.collision_count = set->status->collision_count};
	TRY(sync_history(&s, &history));
	TRY(look(&s, revision_hash(history.current)));
	struct status *error = NULL;
	bool settled = expectations_satisfied(c->expectations, key);
	if (settled)
		error = act(&s, &history);
	AppsV1DaemonSetStatus *status = daemon_status(&s.plan);
	if (!settled)
		status->observed_generation = set->status->observed_generation;
	error = status_first(error, write_status(&s, status));
	if (!error && set->spec->min_ready_seconds > 0 && status->number_ready != status->number_available)
		workqueue_add_after(c->queue, key, set->spec->min_ready_seconds * 1000ll);
	return error;
}

/* --- events --- */

static void enqueue(struct daemonsets *c, struct arena *arena, const AppsV1DaemonSet *set)
{
	if (set)
		workqueue_add(c->queue, object_key(arena, set));
}

static const AppsV1DaemonSet *resolve(
	struct daemonsets *c, struct arena *arena, const char *namespace, const MetaV1OwnerReference *ref)
{
	if (!ref || !str_eq(ref->kind, "DaemonSet"))
		return NULL;
	const AppsV1DaemonSet *set = informer_get(c->sets, arena, namespace, ref->name);
	return set && str_eq(set->metadata->uid, ref->uid) ? set : NULL;
}

static void enqueue_matching(struct daemonsets *c, struct arena *arena, const MetaV1ObjectMeta *meta)
{
	size_t n;
	const void *const *sets = informer_list(c->sets, arena, meta->namespace, &n);
	for (size_t i = 0; meta->n_labels && i < n; i++) {
		const AppsV1DaemonSet *set = sets[i];
		if (!selector_is_empty(set->spec->selector) &&
			selector_takes(set->spec->selector, meta->labels, meta->n_labels))
			enqueue(c, arena, set);
	}
}

static void pod_gone(struct daemonsets *c, struct arena *arena, const CoreV1Pod *pod)
{
	const AppsV1DaemonSet *set = resolve(c, arena, pod->metadata->namespace, controller_of(pod->metadata));
	if (!set)
		return;
	expectations_deletion_observed(c->expectations, object_key(arena, set), pod_key(arena, pod));
	enqueue(c, arena, set);
}

static void pod_added(void *data, const struct object *object, bool initial)
{
	struct daemonsets *c = data;
	const CoreV1Pod *pod = object->msg;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const MetaV1OwnerReference *ref = controller_of(pod->metadata);
	if (pod->metadata->deletion_timestamp) {
		pod_gone(c, arena, pod);
	} else if (!ref) {
		enqueue_matching(c, arena, pod->metadata);
	} else {
		const AppsV1DaemonSet *set = resolve(c, arena, pod->metadata->namespace, ref);
		if (!set)
			return;
		expectations_creation_observed(c->expectations, object_key(arena, set));
		enqueue(c, arena, set);
	}
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	struct daemonsets *c = data;
	const CoreV1Pod *old = old_object->msg, *pod = new_object->msg;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (pod->metadata->deletion_timestamp) {
		pod_gone(c, arena, pod);
		return;
	}
	const MetaV1OwnerReference *ref = controller_of(pod->metadata), *old_ref = controller_of(old->metadata);
	bool moved = !owner_ref_equal(ref, old_ref);
	if (moved)
		enqueue(c, arena, resolve(c, arena, old->metadata->namespace, old_ref));
	if (!ref) {
		if (moved || !map_equal(old->metadata->labels, old->metadata->n_labels, pod->metadata->labels,
				     pod->metadata->n_labels))
			enqueue_matching(c, arena, pod->metadata);
		return;
	}
	const AppsV1DaemonSet *set = resolve(c, arena, pod->metadata->namespace, ref);
	enqueue(c, arena, set);
	if (set && set->spec->min_ready_seconds > 0 && !pod_is_ready(old) && pod_is_ready(pod))
		workqueue_add_after(c->queue, object_key(arena, set), set->spec->min_ready_seconds * 1000ll + 1000);
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	pod_gone(data, arena, object->msg);
}

static void enqueue_fitting(struct daemonsets *c, const CoreV1Node *before, const CoreV1Node *now)
{
	size_t n;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const void *const *sets = informer_list(c->sets, arena, NULL, &n);
	for (size_t i = 0; i < n; i++) {
		CoreV1PodTemplateSpec *template = daemon_template(arena, sets[i], NULL);
		struct daemon_fit old = before ? daemon_fits(template, before) : (struct daemon_fit){false, false};
		struct daemon_fit new = now ? daemon_fits(template, now) : (struct daemon_fit){false, false};
		if (old.run != new.run || old.stay != new.stay)
			enqueue(c, arena, sets[i]);
	}
}

static void node_added(void *data, const struct object *object, bool initial)
{
	enqueue_fitting(data, NULL, object->msg);
}

static void node_deleted(void *data, const struct object *object, bool final_unknown)
{
	enqueue_fitting(data, object->msg, NULL);
}

static bool same_taints(const CoreV1NodeSpec *a, const CoreV1NodeSpec *b)
{
	if (a->n_taints != b->n_taints)
		return false;
	for (size_t i = 0; i < a->n_taints; i++)
		if (!str_eq(a->taints[i]->key, b->taints[i]->key) ||
			!str_eq(a->taints[i]->value, b->taints[i]->value) ||
			!str_eq(a->taints[i]->effect, b->taints[i]->effect))
			return false;
	return true;
}

static void node_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const CoreV1Node *old = old_object->msg, *node = new_object->msg;
	if (map_equal(
		    old->metadata->labels, old->metadata->n_labels, node->metadata->labels, node->metadata->n_labels) &&
		same_taints(old->spec, node->spec))
		return; /* heartbeats */
	enqueue_fitting(data, old, node);
}

static void set_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct daemonsets *c = data;
	expectations_forget(c->expectations, object->key);
	workqueue_add(c->queue, object->key);
}

static void set_added(void *data, const struct object *object, bool initial)
{
	workqueue_add(((struct daemonsets *)data)->queue, object->key);
}

static void set_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	struct daemonsets *c = data;
	if (!str_eq(object_metadata(old_object->msg)->uid, object_metadata(new_object->msg)->uid))
		expectations_forget(c->expectations, old_object->key);
	workqueue_add(c->queue, new_object->key);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler set_handler = {
		.added = set_added, .updated = set_updated, .deleted = set_deleted};
	static const struct informer_handler pod_handler = {
		.added = pod_added, .updated = pod_updated, .deleted = pod_deleted};
	static const struct informer_handler node_handler = {
		.added = node_added, .updated = node_updated, .deleted = node_deleted};
	struct daemonsets *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	pthread_mutex_init(&c->lock, NULL);
	c->backoffs = strmap_new(free);
	CONTROLLER_OWNS(ctx, strmap_free, c->backoffs);
	c->expectations = expectations_new(ctx->clock);
	CONTROLLER_OWNS(ctx, expectations_free, c->expectations);
	c->sets = controller_informer(ctx, &AppsV1DaemonSet_schema);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->nodes = controller_informer(ctx, &CoreV1Node_schema);
	c->revisions = controller_informer(ctx, &AppsV1ControllerRevision_schema);
	c->queue = controller_queue(ctx, "daemonset", ctx->options->concurrent_daemonset_syncs, sync_set, c);
	informer_add_handler(c->sets, &set_handler, c);
	informer_add_handler(c->pods, &pod_handler, c);
	informer_add_handler(c->nodes, &node_handler, c);
	return NULL;
}

const struct controller daemonset_controller = {.name = "daemonset-controller",
	.alias = "daemonset",
	.service_account = "daemon-set-controller",
	.start = start};
