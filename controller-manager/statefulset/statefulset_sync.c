/* The StatefulSet controller: events and sync. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/statefulset/statefulset.h"
#include "controller-manager/support/claim.h"
#include "controller-manager/support/history.h"
#include "controller-manager/support/pods.h"

/* Ordinals are dense: a wild number must not become a wild allocation. */
enum { MAX_REPLICAS = 1000000 };

struct statefulsets {
	struct controller_context *ctx;
	struct informer *sets, *pods, *claims, *revisions;
	struct workqueue *queue;
};

/* One place in the set. */
struct replica {
	const CoreV1Pod *pod; /* what is there, or what is to be made */
	bool exists;
	int32_t ordinal;
};

struct stateful_sync {
	struct statefulsets *c;
	struct arena *arena;
	const AppsV1StatefulSet *set;
	const char *current, *update; /* names of revisions */
	const CoreV1PodTemplateSpec *current_template, *update_template;
	struct replica *replicas;
	size_t n_replicas;
	struct replica *condemned; /* highest ordinal first */
	size_t n_condemned;
	const CoreV1Pod *first_unavailable;
	AppsV1StatefulSetStatus *status;
};

/* --- states of a pod --- */

static const char *revision_of(const CoreV1Pod *pod)
{
	return str_or_empty(LABEL_GET(pod->metadata, REVISION_HASH_LABEL));
}

static bool is_ready(const struct replica *r)
{
	return r->exists && str_eq(r->pod->status->phase, "Running") && pod_is_ready(r->pod);
}

static bool is_available(const struct stateful_sync *s, const struct replica *r)
{
	return is_ready(r) &&
	       pod_is_available(r->pod, s->set->spec->min_ready_seconds, clock_wall_ns(s->c->ctx->clock));
}

static bool is_terminating(const struct replica *r)
{
	return r->exists && r->pod->metadata->deletion_timestamp;
}

static bool is_unavailable(const struct stateful_sync *s, const struct replica *r)
{
	return !is_available(s, r) || is_terminating(r);
}

static bool is_parallel(const AppsV1StatefulSet *set)
{
	return str_eq(set->spec->pod_management_policy, "Parallel");
}

/* --- single pods --- */

static void tell(
	struct stateful_sync *s, const char *verb, const char *Verb, const CoreV1Pod *pod, const struct status *error)
{
	const char *name = s->set->metadata->name;
	if (error)
		event_record(s->c->ctx->recorder, s->set, EVENT_WARNING, arena_printf(s->arena, "Failed%s", Verb),
			"%s Pod %s in StatefulSet %s failed error: %s", verb, pod->metadata->name, name,
			error->message);
	else
		event_record(s->c->ctx->recorder, s->set, EVENT_NORMAL, arena_printf(s->arena, "Successful%s", Verb),
			"%s Pod %s in StatefulSet %s successful", verb, pod->metadata->name, name);
}

static struct status *ensure_claims(struct stateful_sync *s, const struct replica *r)
{
	size_t n;
	CoreV1PersistentVolumeClaim **claims = stateful_claims(s->arena, s->set, r->ordinal, &n);
	for (size_t i = 0; i < n; i++) {
		const MetaV1ObjectMeta *meta = claims[i]->metadata;
		const CoreV1PersistentVolumeClaim *present =
			informer_get(s->c->claims, s->arena, meta->namespace, meta->name);
		if (present && present->metadata->deletion_timestamp)
			return status_internal("pvc %s is being deleted", meta->name);
		if (present)
			continue;
		struct status *error = client_create(s->c->ctx->client, s->arena, claims[i], NULL);
		if (status_is(error, STATUS_ALREADY_EXISTS)) {
			status_drop(error, "the cache is behind");
			continue;
		}
		event_record(s->c->ctx->recorder, s->set, error ? EVENT_WARNING : EVENT_NORMAL,
			error ? "FailedCreate" : "SuccessfulCreate",
			error ? "create Claim %s for Pod %s in StatefulSet %s failed error: %s"
			      : "create Claim %s Pod %s in StatefulSet %s success%s",
			meta->name, r->pod->metadata->name, s->set->metadata->name, error ? error->message : "");
		if (error)
			return status_wrap(error, "failed to create PVC %s", meta->name);
	}
	return NULL;
}

static struct status *create_pod(struct stateful_sync *s, struct replica *r)
{
	CoreV1Pod *created;
	struct status *error = ensure_claims(s, r);
	if (!error)
		error = client_create(s->c->ctx->client, s->arena, r->pod, &created);
	if (status_is(error, STATUS_ALREADY_EXISTS) || status_has_cause(error, CAUSE_NAMESPACE_TERMINATING))
		return error;
	tell(s, "create", "Create", r->pod, error);
	if (error)
		return error;
	object_complete(s->arena, created);
	r->pod = created;
	r->exists = true;
	return NULL;
}

static struct status *delete_pod(struct stateful_sync *s, const struct replica *r)
{
	const MetaV1ObjectMeta *meta = r->pod->metadata;
	struct status *error =
		client_delete(s->c->ctx->client, s->arena, &CoreV1Pod_schema, meta->namespace, meta->name, NULL);
	if (status_is(error, STATUS_NOT_FOUND)) {
		status_drop(error, "gone already");
		return NULL;
	}
	tell(s, "delete", "Delete", r->pod, error);
	return error;
}

static struct status *fix_identity(struct stateful_sync *s, const struct replica *r)
{
	CoreV1Pod *copy = object_copy(s->arena, r->pod);
	LABEL_SET(s->arena, copy->metadata, POD_NAME_LABEL, copy->metadata->name);
	LABEL_SET(s->arena, copy->metadata, POD_INDEX_LABEL, arena_printf(s->arena, "%d", r->ordinal));
	struct status *error = client_update(s->c->ctx->client, s->arena, copy, NULL);
	tell(s, "update", "Update", r->pod, error);
	return error;
}

/* *ret_wait: an ordered set goes no further for now. */
static struct status *process_replica(struct stateful_sync *s, struct replica *r, bool *ret_wait)
{
	bool ordered = !is_parallel(s->set);
	*ret_wait = true;
	if (r->exists && pod_is_terminal(r->pod))
		return is_terminating(r) ? NULL : delete_pod(s, r);
	if (!r->exists) {
		TRY(create_pod(s, r));
		*ret_wait = ordered;
		return NULL;
	}
	if (str_eq(r->pod->status->phase, "Pending"))
		TRY(ensure_claims(s, r));
	if (ordered && (is_terminating(r) || !is_available(s, r)))
		return NULL;
	*ret_wait = false;
	return stateful_identity_matches(s->set, r->pod) ? NULL : fix_identity(s, r);
}

static struct status *process_condemned(struct stateful_sync *s, const struct replica *r, bool *ret_wait)
{
	bool ordered = !is_parallel(s->set);
	*ret_wait = ordered;
	if (is_terminating(r))
		return NULL;
	if (ordered && !is_available(s, r) && r->pod != s->first_unavailable)
		return NULL;
	return delete_pod(s, r);
}

/* --- the set --- */

static void count_into(struct stateful_sync *s, const struct replica *r)
{
	AppsV1StatefulSetStatus *status = s->status;
	if (!r->exists)
		return;
	status->replicas++;
	status->ready_replicas += is_ready(r);
	status->available_replicas += is_available(s, r);
	if (is_terminating(r))
		return;
	status->current_replicas += str_eq(revision_of(r->pod), s->current);
	status->updated_replicas += str_eq(revision_of(r->pod), s->update);
}

static void count(struct stateful_sync *s)
{
	AppsV1StatefulSetStatus *status = s->status;
	status->replicas = status->ready_replicas = status->available_replicas = 0;
	status->current_replicas = status->updated_replicas = 0;
	for (size_t i = 0; i < s->n_replicas; i++)
		count_into(s, &s->replicas[i]);
	for (size_t i = 0; i < s->n_condemned; i++)
		count_into(s, &s->condemned[i]);
}

static int32_t partition_of(const AppsV1StatefulSet *set)
{
	const AppsV1RollingUpdateStatefulSetStrategy *u = set->spec->update_strategy->rolling_update;
	return u && u->has_partition ? u->partition : 0;
}

/* Places below the partition are filled with the version that the set had before. */
static bool needs_current(const struct stateful_sync *s, int32_t ordinal)
{
	const AppsV1StatefulSetUpdateStrategy *u = s->set->spec->update_strategy;
	if (!str_eq(str_or(u->type, "RollingUpdate"), "RollingUpdate"))
		return false;
	int32_t below = u->rolling_update ? partition_of(s->set) : s->set->status->current_replicas;
	return ordinal < stateful_start(s->set) + below;
}

static int by_ordinal_descending(const void *x, const void *y)
{
	const struct replica *a = x, *b = y;
	return a->ordinal == b->ordinal ? 0 : a->ordinal > b->ordinal ? -1 : 1;
}

static void arrange(struct stateful_sync *s, const void *const *pods, size_t n)
{
	int32_t start = stateful_start(s->set);
	s->n_replicas = (size_t)(stateful_replicas(s->set) > MAX_REPLICAS ? MAX_REPLICAS : stateful_replicas(s->set));
	s->replicas = ARENA_ARRAY(s->arena, struct replica, s->n_replicas + 1);
	s->condemned = ARENA_ARRAY(s->arena, struct replica, n + 1);
	for (size_t i = 0; i < n; i++) {
		int32_t ordinal = stateful_ordinal(s->set, object_metadata(pods[i])->name);
		int64_t place = (int64_t)ordinal - start;
		if (place >= 0 && place < (int64_t)s->n_replicas)
			s->replicas[place] = (struct replica){pods[i], true, ordinal};
		else if (ordinal >= 0)
			s->condemned[s->n_condemned++] = (struct replica){pods[i], true, ordinal};
	}
	for (size_t i = 0; i < s->n_replicas; i++) {
		struct replica *r = &s->replicas[i];
		if (r->exists)
			continue;
		r->ordinal = start + (int32_t)i;
		bool old = needs_current(s, r->ordinal);
		r->pod = stateful_pod(s->arena, s->set, old ? s->current_template : s->update_template, r->ordinal,
			old ? s->current : s->update);
	}
	qsort(s->condemned, s->n_condemned, sizeof(*s->condemned), by_ordinal_descending);
	for (size_t i = 0; i < s->n_replicas && !s->first_unavailable; i++)
		if (is_unavailable(s, &s->replicas[i]))
			s->first_unavailable = s->replicas[i].pod;
	for (size_t i = s->n_condemned; i-- > 0 && !s->first_unavailable;)
		if (is_unavailable(s, &s->condemned[i]))
			s->first_unavailable = s->condemned[i].pod;
}

/* From the highest place down, one at a time, as long as what was replaced works. */
static struct status *roll(struct stateful_sync *s)
{
	int32_t partition = partition_of(s->set);
	for (int64_t i = (int64_t)s->n_replicas - 1; i >= partition; i--) {
		const struct replica *r = &s->replicas[i];
		if (!str_eq(revision_of(r->pod), s->update) && !is_terminating(r))
			return delete_pod(s, r);
		if (is_unavailable(s, r))
			return NULL;
	}
	return NULL;
}

static struct status *act(struct stateful_sync *s)
{
	bool wait = false, ordered = !is_parallel(s->set);
	struct status *first = NULL;
	for (size_t i = 0; i < s->n_replicas; i++) {
		first = status_first(first, process_replica(s, &s->replicas[i], &wait));
		if (ordered && (first || wait))
			return first;
	}
	if (first)
		return first;
	for (size_t i = 0; i < s->n_condemned; i++) {
		first = status_first(first, process_condemned(s, &s->condemned[i], &wait));
		if (ordered && (first || wait))
			return first;
	}
	if (first || str_eq(s->set->spec->update_strategy->type, "OnDelete"))
		return first;
	return roll(s);
}

static void complete_rollout(struct stateful_sync *s)
{
	AppsV1StatefulSetStatus *status = s->status;
	int32_t replicas = stateful_replicas(s->set);
	if (!str_eq(str_or(s->set->spec->update_strategy->type, "RollingUpdate"), "RollingUpdate") ||
		status->updated_replicas != replicas || status->ready_replicas != replicas ||
		status->replicas != replicas)
		return;
	status->current_replicas = status->updated_replicas;
	status->current_revision = status->update_revision;
}

static struct status *write_status(struct stateful_sync *s)
{
	complete_rollout(s);
	if (api_equal(s->set->status, s->status))
		return NULL;
	AppsV1StatefulSet *copy = object_copy(s->arena, s->set), *fresh;
	copy->status = s->status;
	struct status *error = client_update_status(s->c->ctx->client, s->arena, copy, NULL);
	if (!status_is(error, STATUS_CONFLICT))
		return error;
	status_drop(error, "once more with the newest version");
	TRY(client_get(s->c->ctx->client, s->arena, &AppsV1StatefulSet_schema, copy->metadata->namespace,
		copy->metadata->name, &fresh));
	fresh->status = s->status;
	return client_update_status(s->c->ctx->client, s->arena, fresh, NULL);
}

static void find_versions(struct stateful_sync *s, const struct history *h)
{
	s->update = h->current->metadata->name;
	s->update_template = s->set->spec->template;
	s->current = s->update;
	s->current_template = s->update_template;
	for (size_t i = 0; i < h->n_old; i++) {
		if (!str_eq(h->old[i]->metadata->name, s->set->status->current_revision))
			continue;
		const CoreV1PodTemplateSpec *template = history_template(s->arena, h->old[i]);
		if (template) {
			s->current = h->old[i]->metadata->name;
			s->current_template = template;
		}
	}
}

static struct status *truncate_history(struct stateful_sync *s, struct history *h, const void *const *pods, size_t n)
{
	/* Pods carry revisions' names; the history is told apart by hashes, the ends of those names. */
	const char **live = ARENA_ARRAY(s->arena, const char *, n + 2);
	size_t n_live = 0;
	for (size_t i = 0; i < n; i++)
		live[n_live++] = revision_of(pods[i]);
	live[n_live++] = s->current;
	const char **hashes = ARENA_ARRAY(s->arena, const char *, h->n_old + 1);
	size_t n_hashes = 0;
	for (size_t i = 0; i < h->n_old; i++)
		if (str_in_n(h->old[i]->metadata->name, (char *const *)(uintptr_t)live, n_live))
			hashes[n_hashes++] = revision_hash(h->old[i]);
	int32_t limit = s->set->spec->has_revision_history_limit ? s->set->spec->revision_history_limit : 10;
	return history_truncate(h, limit + (int32_t)n_hashes, hashes, n_hashes);
}

static struct status *sync_set(void *data, struct arena *arena, const char *key)
{
	struct statefulsets *c = data;
	const AppsV1StatefulSet *set = informer_get_key(c->sets, arena, key);
	if (!set)
		return NULL;
	struct status *invalid = selector_check(set->spec->selector);
	if (invalid) {
		log_status(invalid, "stateful set %s: selector", key);
		return NULL;
	}
	struct stateful_sync s = {.c = c, .arena = arena, .set = set};
	size_t n;
	const void **pods =
		controller_dependents(c->pods, arena, set->metadata->namespace, set->metadata->uid, true, &n);
	CLEANUP_CLAIM struct claim claim = {
		.client = c->ctx->client, .owner = set, .selector = set->spec->selector, .filter = stateful_is_member};
	TRY(claim_all(&claim, arena, pods, n, &n));
	struct history history = {.client = c->ctx->client,
		.arena = arena,
		.owner = set,
		.selector = set->spec->selector,
		.template = set->spec->template,
		.has_collision_count = true,
		.collision_count = set->status->collision_count};
	s.status = API_NEW(arena, AppsV1StatefulSetStatus);
	TRY(history_sync(&history, c->revisions));
	find_versions(&s, &history);
	s.status->observed_generation = set->metadata->generation;
	s.status->current_revision = arena_strdup(arena, s.current);
	s.status->update_revision = arena_strdup(arena, s.update);
	s.status->has_collision_count = true;
	s.status->collision_count = history.collision_count;
	arrange(&s, pods, n);
	struct status *error = set->metadata->deletion_timestamp ? NULL : act(&s);
	count(&s);
	error = status_first(error, write_status(&s));
	error = status_first(error, truncate_history(&s, &history, pods, n));
	if (!error && set->spec->min_ready_seconds > 0 && s.status->available_replicas != s.status->ready_replicas)
		workqueue_add_after(c->queue, key, set->spec->min_ready_seconds * 1000ll);
	if (status_has_cause(error, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(error, "the namespace goes away");
		return NULL;
	}
	return error;
}

/* --- events --- */

static void enqueue(struct statefulsets *c, struct arena *arena, const AppsV1StatefulSet *set)
{
	if (set)
		workqueue_add(c->queue, object_key(arena, set));
}

static const AppsV1StatefulSet *resolve(
	struct statefulsets *c, struct arena *arena, const char *namespace, const MetaV1OwnerReference *ref)
{
	if (!ref || !str_eq(ref->kind, "StatefulSet"))
		return NULL;
	const AppsV1StatefulSet *set = informer_get(c->sets, arena, namespace, ref->name);
	return set && str_eq(set->metadata->uid, ref->uid) ? set : NULL;
}

static void pod_changed(struct statefulsets *c, const CoreV1Pod *pod, bool may_be_adopted)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const MetaV1ObjectMeta *meta = pod->metadata;
	const MetaV1OwnerReference *ref = controller_of(meta);
	if (ref) {
		enqueue(c, arena, resolve(c, arena, meta->namespace, ref));
		return;
	}
	size_t n;
	const void *const *sets = informer_list(c->sets, arena, meta->namespace, &n);
	for (size_t i = 0; may_be_adopted && meta->n_labels && i < n; i++) {
		const AppsV1StatefulSet *set = sets[i];
		if (!selector_is_empty(set->spec->selector) &&
			selector_takes(set->spec->selector, meta->labels, meta->n_labels))
			enqueue(c, arena, set);
	}
}

static void pod_added(void *data, const struct object *object, bool initial)
{
	pod_changed(data, object->msg, true);
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const CoreV1Pod *old = old_object->msg, *pod = new_object->msg;
	if (!owner_ref_equal(controller_of(old->metadata), controller_of(pod->metadata)))
		pod_changed(data, old, false);
	pod_changed(data, pod, true);
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	pod_changed(data, object->msg, false);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler pod_handler = {
		.added = pod_added, .updated = pod_updated, .deleted = pod_deleted};
	struct statefulsets *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->sets = controller_informer(ctx, &AppsV1StatefulSet_schema);
	c->pods = controller_informer(ctx, &CoreV1Pod_schema);
	c->claims = controller_informer(ctx, &CoreV1PersistentVolumeClaim_schema);
	c->revisions = controller_informer(ctx, &AppsV1ControllerRevision_schema);
	c->queue = controller_queue(ctx, "statefulset", ctx->options->concurrent_statefulset_syncs, sync_set, c);
	informer_add_handler(c->sets, &enqueue_self, c->queue);
	informer_add_handler(c->pods, &pod_handler, c);
	return NULL;
}

const struct controller statefulset_controller = {
	.name = "statefulset-controller", .alias = "statefulset", .start = start};
