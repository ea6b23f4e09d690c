#include "kubelet/allocation/conditions.h"

#include <pthread.h>
#include "api/meta.h"
#include "base/mem.h"
#include "base/str.h"

struct condition {
	bool set;
	char *reason;
	char *message;
	int64_t generation;
	int64_t probed_s;
	int64_t changed_s; /* the last time the reason was another */
};

struct entry {
	struct condition pending, progress;
};

struct resize_conditions {
	pthread_mutex_t lock;
	const struct clock *clock;
	struct strmap *entries; /* uid → struct entry */
};

static void condition_clear(struct condition *c)
{
	free(c->reason);
	free(c->message);
	*c = (struct condition){0};
}

static void entry_free(void *p)
{
	struct entry *entry = p;
	condition_clear(&entry->pending);
	condition_clear(&entry->progress);
	free(entry);
}

struct resize_conditions *resize_conditions_new(const struct clock *clock)
{
	struct resize_conditions *r = mem_zalloc(sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	r->clock = clock;
	r->entries = strmap_new(entry_free);
	return r;
}

void resize_conditions_free(struct resize_conditions *r)
{
	strmap_free(r->entries);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct entry *entry_of(struct resize_conditions *r, const char *uid)
{
	struct entry *entry = strmap_get(r->entries, uid);
	if (!entry) {
		entry = mem_zalloc(sizeof(*entry));
		strmap_put(r->entries, uid, entry);
	}
	return entry;
}

static void condition_set(
	struct resize_conditions *r, struct condition *c, const char *reason, const char *message, int64_t generation)
{
	int64_t now = clock_wall_s(r->clock);
	struct condition next = {.set = true,
		.reason = mem_strdup(str_or_empty(reason)),
		.message = mem_strdup(str_or_empty(message)),
		.generation = generation,
		.probed_s = now,
		.changed_s = c->set && str_eq(c->reason, reason) ? c->changed_s : now};
	condition_clear(c);
	*c = next;
}

void resize_pending_set(
	struct resize_conditions *r, const char *uid, const char *reason, const char *message, int64_t generation)
{
	pthread_mutex_lock(&r->lock);
	condition_set(r, &entry_of(r, uid)->pending, reason, message, generation);
	pthread_mutex_unlock(&r->lock);
}

void resize_pending_clear(struct resize_conditions *r, const char *uid)
{
	pthread_mutex_lock(&r->lock);
	struct entry *entry = strmap_get(r->entries, uid);
	if (entry)
		condition_clear(&entry->pending);
	pthread_mutex_unlock(&r->lock);
}

void resize_progress_set(
	struct resize_conditions *r, const char *uid, const char *reason, const char *message, int64_t generation)
{
	pthread_mutex_lock(&r->lock);
	struct condition *c = &entry_of(r, uid)->progress;
	if (c->set)
		generation = c->generation;
	if (!c->set || !str_empty(reason) || !str_empty(message))
		condition_set(r, c, reason, message, generation);
	else
		c->probed_s = clock_wall_s(r->clock);
	pthread_mutex_unlock(&r->lock);
}

bool resize_progress_clear(struct resize_conditions *r, const char *uid)
{
	pthread_mutex_lock(&r->lock);
	struct entry *entry = strmap_get(r->entries, uid);
	bool was = entry && entry->progress.set;
	if (was)
		condition_clear(&entry->progress);
	pthread_mutex_unlock(&r->lock);
	return was;
}

void resize_conditions_restore(struct resize_conditions *r, const struct pod *pod)
{
	const CoreV1PodStatus *status = pod->api->status;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < status->n_conditions; i++) {
		const CoreV1PodCondition *c = status->conditions[i];
		bool pending = str_eq(c->type, CONDITION_RESIZE_PENDING);
		if (!pending && !str_eq(c->type, CONDITION_RESIZE_IN_PROGRESS))
			continue;
		struct entry *entry = entry_of(r, pod->uid);
		condition_set(
			r, pending ? &entry->pending : &entry->progress, c->reason, c->message, c->observed_generation);
	}
	pthread_mutex_unlock(&r->lock);
}

static CoreV1PodCondition *condition_message(struct arena *arena, const struct condition *c, const char *type)
{
	CoreV1PodCondition *m = API_NEW(arena, CoreV1PodCondition);
	m->type = arena_strdup(arena, type);
	m->status = arena_strdup(arena, "True");
	m->reason = arena_strdup(arena, c->reason);
	m->message = arena_strdup(arena, c->message);
	m->observed_generation = c->generation;
	m->last_probe_time = time_new(arena, c->probed_s);
	m->last_transition_time = time_new(arena, c->changed_s);
	return m;
}

CoreV1PodCondition **resize_conditions_get(
	struct resize_conditions *r, struct arena *arena, const char *uid, size_t *ret_n)
{
	CoreV1PodCondition **list = ARENA_ARRAY(arena, CoreV1PodCondition *, 2);
	*ret_n = 0;
	pthread_mutex_lock(&r->lock);
	const struct entry *entry = strmap_get(r->entries, uid);
	if (entry && entry->pending.set)
		list[(*ret_n)++] = condition_message(arena, &entry->pending, CONDITION_RESIZE_PENDING);
	if (entry && entry->progress.set)
		list[(*ret_n)++] = condition_message(arena, &entry->progress, CONDITION_RESIZE_IN_PROGRESS);
	pthread_mutex_unlock(&r->lock);
	return list;
}

const char *resize_pending_reason(struct resize_conditions *r, const char *uid)
{
	pthread_mutex_lock(&r->lock);
	const struct entry *entry = strmap_get(r->entries, uid);
	const char *reason = NULL;
	if (entry && entry->pending.set)
		reason = str_eq(entry->pending.reason, RESIZE_DEFERRED) ? RESIZE_DEFERRED : RESIZE_INFEASIBLE;
	pthread_mutex_unlock(&r->lock);
	return reason;
}

bool resize_in_progress(struct resize_conditions *r, const char *uid)
{
	pthread_mutex_lock(&r->lock);
	const struct entry *entry = strmap_get(r->entries, uid);
	bool yes = entry && entry->progress.set;
	pthread_mutex_unlock(&r->lock);
	return yes;
}

int64_t resize_pending_since(struct resize_conditions *r, const char *uid)
{
	pthread_mutex_lock(&r->lock);
	const struct entry *entry = strmap_get(r->entries, uid);
	int64_t since = entry && entry->pending.set ? entry->pending.changed_s : 0;
	pthread_mutex_unlock(&r->lock);
	return since;
}

void resize_conditions_remove(struct resize_conditions *r, const char *uid)
{
	pthread_mutex_lock(&r->lock);
	strmap_remove(r->entries, uid);
	pthread_mutex_unlock(&r->lock);
}

void resize_conditions_keep_only(struct resize_conditions *r, const struct strmap *uids)
{
	pthread_mutex_lock(&r->lock);
	STRMAP_FOREACH (r->entries, it)
		if (!strmap_has(uids, it.key))
			strmap_remove(r->entries, it.key);
	pthread_mutex_unlock(&r->lock);
}
