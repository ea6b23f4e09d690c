#include <pthread.h>
#include "api/copy.h"
#include "api/meta.h"
#include "base/cond.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "kubelet/allocation/conditions.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/pod/workers.h"
#include "kubelet/status/conditions.h"
#include "kubelet/status/sent.h"
#include "kubelet/status/status.h"

#define FULL_SYNC_MS 10000
#define MAX_MESSAGES_BYTES 12288

/* The first two come with their times. */
static const char *const compared[] = {CONDITION_RESIZE_PENDING, CONDITION_RESIZE_IN_PROGRESS, "ContainersReady",
	"Ready", "Initialized", "PodReadyToStartContainers", "PodScheduled", "DisruptionTarget", NULL};
static const char *const *const conditions_with_times = compared + 2;

struct kept {
	struct arena *arena;
	CoreV1PodStatus *status;
	struct pod *pod;
	uint64_t version;
	int64_t since_ms; /* since when the apiserver lacks something of it; 0: it does not */
	bool finished;	  /* nothing of the pod runs or will run */
};

struct status_manager {
	struct kubelet *k;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct strmap *statuses;    /* uid → struct kept */
	struct sent_versions *sent; /* what the apiserver has of them */
	bool dirty;
	bool stopping;
	bool started;
	pthread_t thread;
};

static void kept_free(void *p)
{
	struct kept *kept = p;
	pod_unref(kept->pod);
	arena_free(kept->arena);
	free(kept);
}

struct status_manager *status_manager_new(struct kubelet *k)
{
	struct status_manager *m = mem_zalloc(sizeof(*m));
	m->k = k;
	pthread_mutex_init(&m->lock, NULL);
	cond_init(&m->wake);
	m->statuses = strmap_new(kept_free);
	m->sent = sent_versions_new();
	return m;
}

CoreV1PodStatus *status_manager_get(struct status_manager *m, struct arena *arena, const char *uid)
{
	pthread_mutex_lock(&m->lock);
	const struct kept *kept = strmap_get(m->statuses, uid);
	CoreV1PodStatus *copy = kept ? api_copy(arena, kept->status) : NULL;
	pthread_mutex_unlock(&m->lock);
	return copy;
}

/* The time of a condition is that of its last change of value. */
static void set_times(struct kubelet *k, struct arena *arena, CoreV1PodStatus *status, const CoreV1PodStatus *old)
{
	int64_t now = clock_wall_s(k->clock);
	for (size_t i = 0; conditions_with_times[i]; i++) {
		CoreV1PodCondition *c = status_condition(status, conditions_with_times[i]);
		if (!c)
			continue;
		const CoreV1PodCondition *before = status_condition(old, conditions_with_times[i]);
		bool same = before && str_eq(before->status, c->status) && before->last_transition_time;
		c->last_transition_time = time_new(arena, same ? before->last_transition_time->seconds : now);
	}
	bool begun = old->start_time && old->start_time->seconds;
	status->start_time = time_new(arena, begun ? old->start_time->seconds : now);
}

/* All messages of a pod together are bounded. */
static void cut_messages(const struct pod *pod, CoreV1ContainerStatus **list, size_t n)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	size_t n_containers = spec->n_containers + spec->n_init_containers + pod->n_ephemeral;
	size_t each = MAX_MESSAGES_BYTES / (n_containers ? n_containers : 1);
	for (size_t i = 0; i < n; i++) {
		CoreV1ContainerState *states[] = {list[i]->state, list[i]->last_state};
		for (size_t j = 0; j < ARRAY_SIZE(states); j++)
			if (states[j] && states[j]->terminated && strlen(states[j]->terminated->message) > each)
				states[j]->terminated->message[each] = '\0';
	}
}

bool status_equal(const CoreV1PodStatus *a, const CoreV1PodStatus *b)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1PodStatus *x = api_copy_msg(arena, a), *y = api_copy_msg(arena, b);
	for (size_t i = 0; compared[i]; i++) {
		const CoreV1PodCondition *p = status_condition(x, compared[i]);
		const CoreV1PodCondition *q = status_condition(y, compared[i]);
		if (!p != !q)
			return false;
		if (p && (!str_eq(p->status, q->status) || !str_eq(p->reason, q->reason) ||
				 !str_eq(p->message, q->message)))
			return false;
	}
	x->n_conditions = y->n_conditions = 0;
	return api_equal(x, y);
}

/* With the lock held. The status is copied. */
static void keep(
	struct status_manager *m, const struct pod *pod, const CoreV1PodStatus *status, bool force, bool finished)
{
	struct kept *kept = strmap_get(m->statuses, pod->uid);
	const CoreV1PodStatus *old = kept ? kept->status : pod->api->status;
	CLEANUP(pod_unrefp) struct pod *mirror = NULL;
	if (!kept && pod->is_static && (mirror = pod_manager_mirror(m->k->pods, pod->full_name)))
		old = mirror->api->status;
	struct arena *arena = arena_new_sized(4096);
	CoreV1PodStatus *copy = api_copy_msg(arena, status);
	set_times(m->k, arena, copy, old);
	cut_messages(pod, copy->container_statuses, copy->n_container_statuses);
	cut_messages(pod, copy->init_container_statuses, copy->n_init_container_statuses);
	if (kept && !force && status_equal(kept->status, copy)) {
		pod_unref(kept->pod);
		kept->pod = pod_ref(pod);
		arena_free(arena);
		return;
	}
	struct kept *next = mem_zalloc(sizeof(*next));
	next->arena = arena;
	next->status = copy;
	next->pod = pod_ref(pod);
	next->version = (kept ? kept->version : 0) + 1;
	next->since_ms = kept && kept->since_ms ? kept->since_ms : clock_mono_ms(m->k->clock);
	next->finished = finished || (kept && kept->finished);
	strmap_put(m->statuses, pod->uid, next);
	m->dirty = true;
	pthread_cond_signal(&m->wake);
}

void status_manager_set(struct status_manager *m, const struct pod *pod, const CoreV1PodStatus *status)
{
	pthread_mutex_lock(&m->lock);
	/* A pod that is being deleted is reported even if nothing changed: the apiserver waits for it. */
	keep(m, pod, status, pod_deleting(pod), false);
	pthread_mutex_unlock(&m->lock);
}

static CoreV1ContainerStatus *find_by_id(CoreV1PodStatus *status, const char *container_id)
{
	size_t n;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1ContainerStatus **all = conditions_all_statuses(arena, status, &n);
	for (size_t i = 0; i < n; i++)
		if (str_ends_with(all[i]->container_id, container_id))
			return all[i];
	return NULL;
}

void status_manager_set_readiness(struct status_manager *m, const char *uid, const char *container_id, bool ready)
{
	pthread_mutex_lock(&m->lock);
	const struct kept *kept = strmap_get(m->statuses, uid);
	if (kept) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1PodStatus *status = api_copy(arena, kept->status);
		CoreV1ContainerStatus *c = find_by_id(status, container_id);
		if (c && c->ready != ready) {
			CLEANUP(pod_unrefp) struct pod *pod = pod_ref(kept->pod);
			c->ready = ready;
			status_update_readiness(arena, pod, status);
			keep(m, pod, status, false, false);
		}
	}
	pthread_mutex_unlock(&m->lock);
}

void status_manager_set_startup(struct status_manager *m, const char *uid, const char *container_id, bool started)
{
	pthread_mutex_lock(&m->lock);
	const struct kept *kept = strmap_get(m->statuses, uid);
	if (kept) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1PodStatus *status = api_copy(arena, kept->status);
		CoreV1ContainerStatus *c = find_by_id(status, container_id);
		if (c && !(c->has_started && c->started == started)) {
			CLEANUP(pod_unrefp) struct pod *pod = pod_ref(kept->pod);
			c->has_started = true;
			c->started = started;
			keep(m, pod, status, false, false);
		}
	}
	pthread_mutex_unlock(&m->lock);
}

static void mark_lost(struct arena *arena, CoreV1ContainerStatus *c)
{
	if (c->state && c->state->terminated)
		return;
	c->state = API_NEW(arena, CoreV1ContainerState);
	c->state->terminated = API_NEW(arena, CoreV1ContainerStateTerminated);
	c->state->terminated->reason = arena_strdup(arena, "ContainerStatusUnknown");
	c->state->terminated->message =
		arena_strdup(arena, "The container could not be located when the pod was terminated");
	c->state->terminated->exit_code = 137;
}

/* Init containers up to the last that has begun. */
static size_t n_begun(CoreV1ContainerStatus *const *list, size_t n)
{
	for (size_t i = n; i-- > 0;)
		if (!(list[i]->state && list[i]->state->waiting) ||
			(list[i]->last_state && list[i]->last_state->terminated))
			return i + 1;
	return n ? 1 : 0;
}

void status_manager_terminate(struct status_manager *m, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	pthread_mutex_lock(&m->lock);
	const struct kept *kept = strmap_get(m->statuses, pod->uid);
	CoreV1PodStatus *status = api_copy_msg(arena, kept ? kept->status : pod->api->status);
	const CoreV1PodCondition *initialized = status_condition(status, "Initialized");
	if (!pod_spec(pod)->n_init_containers || (initialized && str_eq(initialized->status, "True")))
		for (size_t i = 0; i < status->n_container_statuses; i++)
			mark_lost(arena, status->container_statuses[i]);
	size_t begun = n_begun(status->init_container_statuses, status->n_init_container_statuses);
	for (size_t i = 0; i < begun; i++)
		mark_lost(arena, status->init_container_statuses[i]);
	if (!pod->is_static && !pod_phase_terminal(status->phase))
		status->phase = arena_strdup(arena, "Failed");
	keep(m, pod, status, true, true);
	pthread_mutex_unlock(&m->lock);
}

void status_manager_keep_only(struct status_manager *m, const struct strmap *uids)
{
	pthread_mutex_lock(&m->lock);
	STRMAP_FOREACH (m->statuses, it)
		if (!strmap_has(uids, it.key))
			strmap_remove(m->statuses, it.key);
	pthread_mutex_unlock(&m->lock);
}

void status_manager_kick(struct status_manager *m)
{
	pthread_mutex_lock(&m->lock);
	m->dirty = true;
	pthread_cond_signal(&m->wake);
	pthread_mutex_unlock(&m->lock);
}

/* Ours over theirs: foreign conditions stay, a phase does not end while containers may run. */
static CoreV1PodStatus *merge(struct status_manager *m, struct arena *arena, const CoreV1Pod *api,
	const CoreV1PodStatus *wanted, const char *uid)
{
	const CoreV1PodStatus *old = api->status;
	CoreV1PodStatus *s = api_copy_msg(arena, wanted);
	CoreV1PodCondition **list = NULL;
	size_t n = 0;
	for (size_t i = 0; old && i < old->n_conditions; i++)
		if (!status_condition_is_ours(old->conditions[i]->type))
			ARENA_PUSH(arena, list, n) = old->conditions[i];
	bool ending = pod_phase_terminal(s->phase) && !pod_phase_terminal(old ? old->phase : "");
	bool may_run = pod_workers_could_run(m->k->workers, uid);
	for (size_t i = 0; i < s->n_conditions; i++)
		if (status_condition_is_ours(s->conditions[i]->type))
			ARENA_PUSH(arena, list, n) = s->conditions[i];
	const CoreV1PodCondition *target = status_condition(s, "DisruptionTarget");
	CoreV1PodStatus there = {.conditions = list, .n_conditions = n};
	if (target && ending && !may_run && !status_condition(&there, "DisruptionTarget"))
		ARENA_PUSH(arena, list, n) = (CoreV1PodCondition *)target;
	s->conditions = list;
	s->n_conditions = n;
	if (old) {
		s->resource_claim_statuses = old->resource_claim_statuses;
		s->n_resource_claim_statuses = old->n_resource_claim_statuses;
		s->extended_resource_claim_status = old->extended_resource_claim_status;
		s->nominated_node_name = old->nominated_node_name;
		if (s->observed_generation < old->observed_generation)
			s->observed_generation = old->observed_generation;
	}
	if (ending && may_run) {
		s->phase = old ? old->phase : s->phase;
		s->reason = old ? old->reason : s->reason;
		s->message = old ? old->message : s->message;
	}
	if (pod_phase_terminal(s->phase)) {
		const CoreV1PodCondition *ready = status_condition(s, "Ready");
		const CoreV1PodCondition *all = status_condition(s, "ContainersReady");
		const char *reason = str_eq(s->phase, "Failed") ? "PodFailed" : "PodCompleted";
		if ((ready && str_eq(ready->status, "True")) || (all && str_eq(all->status, "True"))) {
			condition_add(arena, s, "ContainersReady", false, reason, NULL);
			condition_add(arena, s, "Ready", false, reason, NULL);
		}
	}
	return s;
}

struct send {
	char *uid; /* of the pod as we know it */
	char *namespace;
	char *name;
	CoreV1PodStatus *status;
	bool is_static;
	bool finished;
	uint64_t version;
	const char *full_name;
};

static void forget(struct status_manager *m, const char *uid)
{
	pthread_mutex_lock(&m->lock);
	strmap_remove(m->statuses, uid);
	pthread_mutex_unlock(&m->lock);
}

/* The apiserver keeps a pod in deletion until the kubelet says that nothing of it is left. */
static struct status *delete_finished(struct status_manager *m, struct arena *arena, const CoreV1Pod *api)
{
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	options->has_grace_period_seconds = true;
	options->grace_period_seconds = 0;
	options->preconditions = API_NEW(arena, MetaV1Preconditions);
	options->preconditions->uid = arena_strdup(arena, api->metadata->uid);
	TRY(fail_try("pod.before-removal"));
	struct status *s = client_delete(
		m->k->client, arena, &CoreV1Pod_schema, api->metadata->namespace, api->metadata->name, options);
	if (status_is(s, STATUS_NOT_FOUND) || status_is(s, STATUS_CONFLICT)) {
		status_drop(s, "gone already");
		return NULL;
	}
	return s;
}

static struct status *send_one(struct status_manager *m, struct arena *arena, const struct send *send)
{
	CoreV1Pod *api;
	struct status *error = client_get(m->k->client, arena, &CoreV1Pod_schema, send->namespace, send->name, &api);
	if (status_is(error, STATUS_NOT_FOUND)) {
		status_drop(error, "the pod is gone");
		return NULL;
	}
	if (error)
		return error;
	bool is_mirror = meta_annotation(api->metadata, POD_ANNOTATION_MIRROR) != NULL;
	if (send->is_static ? !is_mirror : !str_eq(api->metadata->uid, send->uid)) {
		/* Deleted and made anew under the same name. */
		if (!send->is_static)
			forget(m, send->uid);
		return NULL;
	}
	CoreV1Pod *wanted = api_copy(arena, api);
	wanted->status = merge(m, arena, api, send->status, send->uid);
	CoreV1Pod *patched = api;
	TRY(fail_try("status.before-write"));
	TRY(client_patch_diff(m->k->client, arena, api, wanted, "status", false, &patched));
	TRY(fail_try("status.after-write"));
	if (!patched)
		patched = api;
	pthread_mutex_lock(&m->lock);
	sent_versions_note(m->sent, api->metadata->uid, send->version);
	struct kept *kept = strmap_get(m->statuses, send->uid);
	if (kept && kept->since_ms)
		metric_observe(
			m->k->figures.status_seconds, (double)(clock_mono_ms(m->k->clock) - kept->since_ms) / 1000);
	if (kept)
		kept->since_ms = 0;
	pthread_mutex_unlock(&m->lock);
	bool over = patched->status && pod_phase_terminal(patched->status->phase);
	if (!patched->metadata->deletion_timestamp || is_mirror || !over || !send->finished)
		return NULL;
	TRY(delete_finished(m, arena, patched));
	forget(m, send->uid);
	return NULL;
}

/* Whether the apiserver's copy, as last seen, lacks something of ours, or may be deleted now. */
static bool behind(struct status_manager *m, const struct kept *kept)
{
	CLEANUP(pod_unrefp)
	struct pod *seen = kept->pod->is_static ? pod_manager_mirror(m->k->pods, kept->pod->full_name)
						: pod_manager_get(m->k->pods, kept->pod->uid);
	if (!seen)
		return false;
	if (!seen->is_mirror && pod_deleting(seen) && kept->finished)
		return true;
	return !status_equal(seen->api->status, kept->status);
}

/* With the lock held. */
static void forget_sent(struct status_manager *m)
{
	CLEANUP(strmap_freep) struct strmap *uids = strmap_new(NULL);
	struct pod_list mirrors = pod_manager_mirrors(m->k->pods);
	for (size_t i = 0; i < mirrors.n_items; i++)
		strmap_put(uids, mirrors.items[i]->uid, NULL);
	pod_list_done(&mirrors);
	sent_versions_keep_only(m->sent, m->statuses, uids);
}

static void send_all(struct status_manager *m, bool full)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct send *sends = NULL;
	size_t n = 0;
	pthread_mutex_lock(&m->lock);
	m->dirty = false;
	if (full)
		forget_sent(m);
	STRMAP_FOREACH (m->statuses, it) {
		const struct kept *kept = it.value;
		CLEANUP(pod_unrefp) struct pod *mirror = NULL;
		if (kept->pod->is_static && !(mirror = pod_manager_mirror(m->k->pods, kept->pod->full_name)))
			continue;
		bool known = sent_versions_has(m->sent, mirror ? mirror->uid : it.key, kept->version);
		if (known && !(full && behind(m, kept)))
			continue;
		struct send send = {arena_strdup(arena, it.key), arena_strdup(arena, kept->pod->namespace),
			arena_strdup(arena, kept->pod->name), api_copy(arena, kept->status), kept->pod->is_static,
			kept->finished, kept->version, arena_strdup(arena, kept->pod->full_name)};
		ARENA_PUSH(arena, sends, n) = send;
	}
	pthread_mutex_unlock(&m->lock);
	for (size_t i = 0; i < n && !m->stopping; i++) {
		CLEANUP(arena_freep) struct arena *scratch = arena_new();
		log_status(send_one(m, scratch, &sends[i]), "status of pod %s/%s", sends[i].namespace, sends[i].name);
	}
}

static void *send_thread(void *data)
{
	struct status_manager *m = data;
	int64_t next_full = clock_mono_ms(m->k->clock) + FULL_SYNC_MS;
	pthread_mutex_lock(&m->lock);
	while (!m->stopping) {
		int64_t now = clock_mono_ms(m->k->clock);
		bool full = now >= next_full;
		if (!m->dirty && !full) {
			cond_wait_for(&m->wake, &m->lock, 1000);
			continue;
		}
		if (full)
			next_full = now + FULL_SYNC_MS;
		pthread_mutex_unlock(&m->lock);
		send_all(m, full);
		pthread_mutex_lock(&m->lock);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

void status_manager_start(struct status_manager *m)
{
	if (!m->k->client)
		return;
	m->started = true;
	m->thread = thread_start("status", send_thread, m);
}

void status_manager_free(struct status_manager *m)
{
	pthread_mutex_lock(&m->lock);
	m->stopping = true;
	pthread_cond_broadcast(&m->wake);
	pthread_mutex_unlock(&m->lock);
	if (m->started)
		pthread_join(m->thread, NULL);
	strmap_free(m->statuses);
	sent_versions_free(m->sent);
	pthread_cond_destroy(&m->wake);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
