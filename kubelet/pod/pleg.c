#include "kubelet/pod/pleg.h"

#include <pthread.h>
#include "base/cond.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "kubelet/pod/workers.h"

#define RELIST_MS 1000
#define UNHEALTHY_MS (3 * 60 * 1000)
#define WAIT_MS 1000

struct entry {
	struct pod_status *status; /* NULL: the read failed */
	char *error;
	int64_t modified_ms;
	uint64_t fingerprint; /* of what the status was read for; 0: of nothing */
};

struct pleg {
	struct kubelet *k;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* the cache, or the wish to stop or to hurry */
	struct strmap *entries;
	int64_t relisted_ms; /* all that is not in the cache did not exist at that time */
	bool ever;
	bool stopping;
	bool started;
	pthread_t thread;
	int64_t begun_ms;	  /* of the relisting thread: the last relist; 0: none yet */
	char *last_error;	  /* of the relisting thread; NULL: the last relist went well */
	struct arena *list_arena; /* the last list */
	struct runtime_pods list;
};

static void entry_free(void *p)
{
	struct entry *e = p;
	pod_status_unref(e->status);
	free(e->error);
	free(e);
}

struct pleg *pleg_new(struct kubelet *k)
{
	struct pleg *p = mem_zalloc(sizeof(*p));
	p->k = k;
	pthread_mutex_init(&p->lock, NULL);
	cond_init(&p->changed);
	p->entries = strmap_new(entry_free);
	p->list_arena = arena_new();
	p->relisted_ms = clock_mono_ms(k->clock);
	return p;
}

/* Ids and states as one number, in whatever order: equal numbers mean that nothing happened. */
static uint64_t print_one(const char *id, unsigned state)
{
	return (hash_keyed(id, strlen(id)) | 1) * (state + 1);
}

static uint64_t print_of_list(const struct runtime_pod *pod)
{
	uint64_t print = 0;
	for (size_t i = 0; i < pod->n_containers; i++)
		print += print_one(pod->containers[i].id, pod->containers[i].state);
	for (size_t i = 0; i < pod->n_sandboxes; i++)
		print += print_one(pod->sandboxes[i].id, pod->sandboxes[i].ready);
	return print;
}

static uint64_t print_of_status(const struct pod_status *status)
{
	uint64_t print = 0;
	for (size_t i = 0; i < status->n_containers; i++)
		print += print_one(status->containers[i].id, status->containers[i].state);
	for (size_t i = 0; i < status->n_sandboxes; i++)
		print += print_one(status->sandboxes[i].id, status->sandboxes[i].ready);
	return print;
}

static struct entry *entry_get(struct pleg *p, const char *uid)
{
	struct entry *e = strmap_get(p->entries, uid);
	if (!e) {
		e = mem_zalloc(sizeof(*e));
		strmap_put(p->entries, uid, e);
	}
	return e;
}

/* A pod whose sandbox has no address yet keeps the one it had: the runtime forgets it at the end. */
static void keep_ips(struct pod_status *status, const struct pod_status *old)
{
	if (!old || !old->n_ips || status->n_ips || !status->n_sandboxes || status->active_sandbox)
		return;
	for (size_t i = 0; i < old->n_ips; i++)
		ARENA_PUSH(status->arena, status->ips, status->n_ips) = arena_strdup(status->arena, old->ips[i]);
}

/* Takes the status, or the error, of a read that began then; one that began later and is there already stays.
 * Returns whether other things run than were known to. */
static bool put(struct pleg *p, const char *uid, struct pod_status *status, const char *error, int64_t started_ms)
{
	pthread_mutex_lock(&p->lock);
	struct entry *e = entry_get(p, uid);
	uint64_t was = e->fingerprint;
	if (e->modified_ms > started_ms) {
		pod_status_unref(status);
	} else {
		free(e->error);
		e->error = mem_strdup(error);
		e->modified_ms = started_ms;
		if (status) {
			keep_ips(status, e->status);
			pod_status_unref(e->status);
			e->status = status;
			e->fingerprint = print_of_status(status);
		}
	}
	bool changed = e->fingerprint != was;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return changed;
}

static bool refresh(struct pleg *p, const char *uid, const char *name, const char *namespace, int64_t started_ms)
{
	struct pod_status *status = NULL;
	struct status *error = runtime_pod_status(p->k->cri, uid, name, namespace, &status);
	bool changed = put(p, uid, status, error ? error->message : NULL, started_ms);
	log_status(error, "pod %s/%s: status", namespace, name);
	return changed;
}

void pleg_look(struct pleg *p, const char *uid, const char *name, const char *namespace)
{
	if (refresh(p, uid, name, namespace, clock_mono_ms(p->k->clock)))
		pod_workers_kick(p->k->workers, uid);
}

static void visit(struct pleg *p, const struct runtime_pod *pod, int64_t started_ms)
{
	pthread_mutex_lock(&p->lock);
	const struct entry *e = strmap_get(p->entries, pod->uid);
	bool same = e && !e->error && e->fingerprint == print_of_list(pod);
	pthread_mutex_unlock(&p->lock);
	if (same)
		return;
	refresh(p, pod->uid, pod->name, pod->namespace, started_ms);
	pod_workers_kick(p->k->workers, pod->uid);
}

/* Pods that the runtime knows no more leave the cache; their workers look once more. */
static void drop_gone(struct pleg *p, const struct runtime_pods *list)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char **gone = NULL;
	size_t n_gone = 0;
	CLEANUP(strmap_freep) struct strmap *present = strmap_new(NULL);
	for (size_t i = 0; i < list->n_items; i++)
		strmap_put(present, list->items[i].uid, present);
	pthread_mutex_lock(&p->lock);
	STRMAP_FOREACH (p->entries, it)
		if (!strmap_has(present, it.key)) {
			ARENA_PUSH(arena, gone, n_gone) = arena_strdup(arena, it.key);
			strmap_remove(p->entries, it.key);
		}
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < n_gone; i++)
		pod_workers_kick(p->k->workers, gone[i]);
}

static void remember_error(struct pleg *p, struct status *error)
{
	free(p->last_error);
	p->last_error = mem_strdup(error->message);
	log_status(error, "relist");
}

static void relist(struct pleg *p)
{
	int64_t started_ms = clock_mono_ms(p->k->clock);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct runtime_pods list;
	struct status *error = runtime_list_pods(p->k->cri, arena, true, &list);
	if (error) {
		/* Once for each kind of trouble, not once a second. */
		if (str_eq(p->last_error, error->message))
			status_drop(error, "said before");
		else
			remember_error(p, error);
		return;
	}
	if (p->last_error)
		log_info("the container runtime answers again");
	free(p->last_error);
	p->last_error = NULL;
	for (size_t i = 0; i < list.n_items; i++)
		visit(p, &list.items[i], started_ms);
	drop_gone(p, &list);
	pthread_mutex_lock(&p->lock);
	p->relisted_ms = started_ms;
	p->ever = true;
	struct arena *old = p->list_arena;
	p->list_arena = STEAL(arena);
	p->list = list;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	arena_free(old);
}

static void begin_count(struct pleg *p, int64_t start_ms)
{
	if (p->begun_ms)
		metric_observe(p->k->figures.relist_interval, (double)(start_ms - p->begun_ms) / 1000);
	p->begun_ms = start_ms;
	metric_set(p->k->figures.last_relist, (double)clock_wall_s(p->k->clock));
}

static void *relist_thread(void *data)
{
	struct pleg *p = data;
	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		pthread_mutex_unlock(&p->lock);
		int64_t start = clock_mono_ms(p->k->clock);
		begin_count(p, start);
		relist(p);
		metric_observe(p->k->figures.relist_seconds, (double)(clock_mono_ms(p->k->clock) - start) / 1000);
		pthread_mutex_lock(&p->lock);
		int64_t next = start + RELIST_MS;
		for (int64_t left = next - clock_mono_ms(p->k->clock); left > 0 && !p->stopping;
			left = next - clock_mono_ms(p->k->clock))
			cond_wait_for(&p->changed, &p->lock, left);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

void pleg_start(struct pleg *pleg)
{
	pleg->started = true;
	pleg->thread = thread_start("pleg", relist_thread, pleg);
}

void pleg_free(struct pleg *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	if (p->started)
		pthread_join(p->thread, NULL);
	strmap_free(p->entries);
	free(p->last_error);
	arena_free(p->list_arena);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* What the cache says now; false if it says nothing new enough. */
static bool cached(
	struct pleg *p, const char *uid, int64_t newer_than, struct pod_status **ret, struct status **ret_error)
{
	const struct entry *e = strmap_get(p->entries, uid);
	if (e && (e->modified_ms >= newer_than || p->relisted_ms >= newer_than)) {
		if (e->error)
			*ret_error = status_internal("%s", e->error);
		else
			*ret = pod_status_ref(e->status);
		return true;
	}
	if (!e && p->ever && p->relisted_ms >= newer_than) {
		*ret = pod_status_new(uid, "", "");
		return true;
	}
	return false;
}

struct status *pleg_pod_status(struct pleg *p, const char *uid, int64_t newer_than, struct pod_status **ret)
{
	struct status *error = NULL;
	pthread_mutex_lock(&p->lock);
	while (!cached(p, uid, newer_than, ret, &error)) {
		if (p->stopping) {
			error = status_new(STATUS_UNAVAILABLE, "kubelet is stopping");
			break;
		}
		cond_wait_for(&p->changed, &p->lock, WAIT_MS);
	}
	pthread_mutex_unlock(&p->lock);
	return error;
}

struct status *pleg_healthy(struct pleg *p)
{
	pthread_mutex_lock(&p->lock);
	bool ever = p->ever;
	int64_t ago = clock_mono_ms(p->k->clock) - p->relisted_ms;
	pthread_mutex_unlock(&p->lock);
	if (!ever)
		return status_internal("pleg has yet to be successful");
	if (ago > UNHEALTHY_MS)
		return status_internal("pleg was last seen active %lldms ago; threshold is 3m0s", (long long)ago);
	return NULL;
}

void pleg_runtime_pods(struct pleg *p, struct arena *arena, struct runtime_pods *ret)
{
	*ret = (struct runtime_pods){0};
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->list.n_items; i++) {
		const struct runtime_pod *from = &p->list.items[i];
		struct runtime_pod to = {arena_strdup(arena, from->uid), arena_strdup(arena, from->name),
			arena_strdup(arena, from->namespace)};
		for (size_t j = 0; j < from->n_containers; j++) {
			struct runtime_container c = from->containers[j];
			c.id = arena_strdup(arena, c.id);
			c.name = arena_strdup(arena, c.name);
			c.sandbox_id = arena_strdup(arena, c.sandbox_id);
			c.image = arena_strdup(arena, c.image);
			ARENA_PUSH(arena, to.containers, to.n_containers) = c;
		}
		for (size_t j = 0; j < from->n_sandboxes; j++) {
			struct runtime_sandbox s = from->sandboxes[j];
			s.id = arena_strdup(arena, s.id);
			ARENA_PUSH(arena, to.sandboxes, to.n_sandboxes) = s;
		}
		ARENA_PUSH(arena, ret->items, ret->n_items) = to;
	}
	pthread_mutex_unlock(&p->lock);
}
