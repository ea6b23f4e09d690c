#include "apiserver/store/cache.h"
#include <stdlib.h>
#include "apiserver/store/cache_private.h"
#include "base/cond.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"

#define RETRY_FIRST_MS 100
#define RETRY_MOST_MS 2000

struct cache *cache_new(struct etcd *etcd, const char *prefix, const struct clock *clock)
{
	struct cache *cache = mem_zalloc(sizeof(*cache));
	cache->etcd = etcd;
	cache->clock = clock;
	cache->prefix = mem_strdup(prefix);
	cache->drafts = drafts_new(clock);
	pthread_rwlock_init(&cache->lock, NULL);
	pthread_mutex_init(&cache->progress_lock, NULL);
	pthread_mutex_init(&cache->ask_lock, NULL);
	cond_init(&cache->progress);
	cond_init(&cache->asked);
	cache_later_init(cache);
	cache_recalls_init(cache);
	tables_init(cache);
	return cache;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	atomic_store(&cache->stop, true);
	if (cache->started)
		pthread_join(cache->thread, NULL);
	cache_later_done(cache);
	cache_recalls_done(cache);
	for (size_t i = 0; i < cache->n_tables; i++)
		table_done(&cache->tables[i]);
	drafts_free(cache->drafts);
	free(cache->by_prefix);
	free(cache->tables);
	free(cache->prefix);
	status_free(cache->ask_status);
	pthread_cond_destroy(&cache->asked);
	pthread_cond_destroy(&cache->progress);
	pthread_mutex_destroy(&cache->ask_lock);
	pthread_mutex_destroy(&cache->progress_lock);
	pthread_rwlock_destroy(&cache->lock);
	free(cache);
}

void cache_set_encryption(struct cache *cache, struct encryption *encryption)
{
	cache->encryption = encryption;
}

void cache_read_again(struct cache *cache)
{
	atomic_store(&cache->read_again, true);
}

void cache_start(struct cache *cache)
{
	cache->started = true;
	cache->thread = thread_start("cache", cache_thread, cache);
}

bool cache_synced(struct cache *cache)
{
	return atomic_load(&cache->synced);
}

int64_t cache_revision(struct cache *cache)
{
	return atomic_load(&cache->revision);
}

void cache_advance(struct cache *cache, int64_t revision)
{
	pthread_mutex_lock(&cache->progress_lock);
	if (revision > atomic_load(&cache->revision))
		atomic_store(&cache->revision, revision);
	pthread_cond_broadcast(&cache->progress);
	pthread_mutex_unlock(&cache->progress_lock);
}

void cache_mark_synced(struct cache *cache, int64_t revision)
{
	pthread_rwlock_wrlock(&cache->lock);
	for (size_t i = 0; i < cache->n_tables; i++) {
		struct table *t = &cache->tables[i];
		t->window_start = t->tidy_revision = revision;
		t->untidy = 0;
	}
	atomic_store(&cache->synced, true);
	pthread_rwlock_unlock(&cache->lock);
	cache_advance(cache, revision);
}

struct status *status_initializing(const char *why)
{
	struct status *s = status_new(
		STATUS_TOO_MANY_REQUESTS, "storage is (re)initializing%s%s", why ? ": " : "", str_or_empty(why));
	s->retry_after_seconds = 1;
	return s;
}

struct status *cache_wait(struct cache *cache, int64_t revision, int64_t timeout_ms)
{
	if (atomic_load(&cache->revision) >= revision && atomic_load(&cache->synced))
		return NULL;
	const int64_t deadline_ms = cond_deadline_ms(timeout_ms);
	bool in_time = true;
	pthread_mutex_lock(&cache->progress_lock);
	while (in_time && !(atomic_load(&cache->revision) >= revision && atomic_load(&cache->synced)))
		in_time = cond_wait_until(&cache->progress, &cache->progress_lock, deadline_ms);
	int64_t now = atomic_load(&cache->revision);
	pthread_mutex_unlock(&cache->progress_lock);
	if (in_time)
		return NULL;
	struct status *s = status_new(STATUS_TIMEOUT, "Timeout: Too large resource version: %lld, current: %lld",
		(long long)revision, (long long)now);
	status_add_cause(s, "ResourceVersionTooLarge", "", "Too large resource version");
	s->retry_after_seconds = 1;
	return s;
}

bool cache_wait_synced(struct cache *cache, int64_t timeout_ms)
{
	struct status *status = cache_wait(cache, 0, timeout_ms);
	status_drop(status, "the caller is told by the answer");
	return cache_synced(cache);
}

/* Asks, or waits for somebody's question that began after this call did. */
static struct status *ask_revision(struct cache *cache, int64_t *ret_revision)
{
	pthread_mutex_lock(&cache->ask_lock);
	const uint64_t mine = cache->ask_begun + 1;
	while (cache->ask_done < mine) {
		if (cache->asking) {
			pthread_cond_wait(&cache->asked, &cache->ask_lock);
			continue;
		}
		cache->asking = true;
		const uint64_t number = ++cache->ask_begun;
		pthread_mutex_unlock(&cache->ask_lock);
		int64_t revision = 0;
		struct status *status = etcd_revision(cache->etcd, &revision);
		pthread_mutex_lock(&cache->ask_lock);
		status_free(cache->ask_status);
		cache->ask_status = status;
		cache->ask_revision = revision;
		cache->ask_done = number;
		cache->asking = false;
		pthread_cond_broadcast(&cache->asked);
	}
	*ret_revision = cache->ask_revision;
	struct status *status = cache->ask_status ? status_copy(cache->ask_status) : NULL;
	pthread_mutex_unlock(&cache->ask_lock);
	return status;
}

struct status *cache_fresh(struct cache *cache, int64_t timeout_ms)
{
	int64_t revision;
	if (!cache->etcd)
		return NULL;
	TRY(ask_revision(cache, &revision));
	return cache_wait(cache, revision, timeout_ms);
}

/* --- filling and following --- */

void cache_expect(struct cache *cache, const struct table *table, const void *object, const void *value, size_t size)
{
	drafts_put(cache->drafts, table->resource, object, value, size);
}

/* ret_object: NULL where there is a draft. */
static struct status *read_value(const struct table *t, struct arena *arena, const struct etcd_kv *kv,
	struct entry **ret_entry, ProtobufCMessage **ret_object)
{
	const char *rest = kv->key + t->prefix_len;
	struct encryption_value value = {kv->value, kv->size};
	TRY(table_open(t, arena, kv->key, &value));
	*ret_object = NULL;
	*ret_entry = drafts_take(t->cache->drafts, t->resource, rest, value.bytes, value.size, kv->mod_revision);
	return *ret_entry ? NULL
			  : entry_from_value(arena, t->resource, rest, kv->mod_revision, value.bytes, value.size,
				    ret_entry, ret_object);
}

void cache_apply(struct cache *cache, const char *key, const void *value, size_t size, int64_t revision)
{
	const char *rest;
	struct table *t = cache_table_of_key(cache, key, &rest);
	struct entry *entry = NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *object = NULL;
	const struct etcd_kv kv = {.key = key, .value = value, .size = size, .mod_revision = revision};
	if (!t)
		return;
	struct status *status = value ? read_value(t, arena, &kv, &entry, &object) : NULL;
	if (status) {
		table_set_unreadable(t, rest, status);
		log_status(status, "the value of %s cannot be read", key);
		return;
	}
	table_apply(t, rest, entry, object, revision);
	table_set_unreadable(t, rest, NULL);
}

static void apply_batch(void *data, const struct etcd_event *events, size_t n, int64_t revision)
{
	struct cache *cache = data;
	for (size_t i = 0; i < n; i++)
		cache_apply(cache, events[i].kv.key, events[i].deleted ? NULL : events[i].kv.value, events[i].kv.size,
			events[i].kv.mod_revision);
	if (revision)
		cache_advance(cache, revision);
	const struct table *last = NULL;
	for (size_t i = 0; i < n; i++) {
		const char *rest;
		struct table *t = cache_table_of_key(cache, events[i].kv.key, &rest);
		if (t && t != last)
			table_notify(t, -1);
		last = t;
	}
}

static struct status *fill(struct cache *cache, int64_t *ret_revision)
{
	CLEANUP_FREE char *prefix = mem_printf("%s/", cache->prefix);
	return cache_fill(cache, prefix, ret_revision);
}

/* After a gap in the history: what changed becomes events in the order of revisions, and what is gone, deletions now.
 */
struct refill {
	struct cache *cache;
	struct arena *arena;
	struct strmap *keys;
	struct etcd_kv *changed;
	size_t n_changed;
};

static void compare_one(void *data, const struct etcd_kv *kv)
{
	struct refill *r = data;
	strmap_put(r->keys, kv->key, r);
	if (kv->mod_revision <= atomic_load(&r->cache->revision))
		return;
	struct etcd_kv copy = *kv;
	copy.key = arena_strdup(r->arena, kv->key);
	copy.value = arena_dup(r->arena, kv->value, kv->size);
	ARENA_PUSH(r->arena, r->changed, r->n_changed) = copy;
}

static int by_revision(const void *a, const void *b)
{
	const struct etcd_kv *x = a, *y = b;
	return x->mod_revision < y->mod_revision ? -1 : x->mod_revision > y->mod_revision;
}

static void remove_missing(struct table *t, const struct strmap *keys, int64_t revision)
{
	for (size_t i = t->n_items; i-- > 0;) {
		pthread_rwlock_rdlock(&t->cache->lock);
		CLEANUP_FREE char *key = mem_printf("%s%s", t->prefix, t->items[i]->key);
		pthread_rwlock_unlock(&t->cache->lock);
		if (!strmap_has(keys, key))
			table_apply(t, key + t->prefix_len, NULL, NULL, revision);
	}
	size_t n = 0;
	CLEANUP_FREE const char **unreadable = t->unreadable ? strmap_sorted_keys(t->unreadable, &n) : NULL;
	for (size_t i = 0; i < n; i++) {
		CLEANUP_FREE char *key = mem_printf("%s%s", t->prefix, unreadable[i]);
		if (!strmap_has(keys, key))
			table_set_unreadable(t, key + t->prefix_len, NULL);
	}
}

static struct status *refill(struct cache *cache)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strmap_freep) struct strmap *keys = strmap_new(NULL);
	CLEANUP_FREE char *prefix = mem_printf("%s/", cache->prefix);
	struct refill r = {.cache = cache, .arena = arena, .keys = keys};
	int64_t revision = 0;
	TRY(etcd_each(cache->etcd, prefix, &revision, compare_one, &r));
	cache->refilling = true;
	if (r.n_changed)
		qsort(r.changed, r.n_changed, sizeof(*r.changed), by_revision);
	for (size_t i = 0; i < r.n_changed; i++)
		cache_apply(cache, r.changed[i].key, r.changed[i].value, r.changed[i].size, r.changed[i].mod_revision);
	for (size_t i = 0; i < cache->n_tables; i++)
		remove_missing(&cache->tables[i], keys, revision);
	cache->refilling = false;
	cache_advance(cache, revision);
	for (size_t i = 0; i < cache->n_tables; i++)
		table_notify(&cache->tables[i], -1);
	return NULL;
}

/* What is newer than the cache, or gone, the watch will tell. */
static struct status *read_one_again(struct table *t, const char *key, bool *ret_readable)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *whole = arena_printf(arena, "%s%s", t->prefix, key);
	const int64_t revision = cache_revision(t->cache);
	struct etcd_kv kv;
	struct entry *entry;
	ProtobufCMessage *object;
	*ret_readable = false;
	TRY(etcd_get(t->cache->etcd, arena, whole, &kv));
	if (!kv.found || kv.mod_revision > revision)
		return NULL;
	TRY(table_decode(t, arena, &kv, &entry, &object));
	table_apply(t, key, entry, object, revision);
	table_set_unreadable(t, key, NULL);
	*ret_readable = true;
	return NULL;
}

/* That it can be read now is no event of etcd's: who comes back has it told out of the history. */
static void read_table_again(struct table *t)
{
	size_t n = 0;
	bool any = false, readable;
	CLEANUP_FREE const char **keys = t->unreadable ? strmap_sorted_keys(t->unreadable, &n) : NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < n; i++)
		keys[i] = arena_strdup(arena, keys[i]);
	for (size_t i = 0; i < n; i++) {
		log_status(
			read_one_again(t, keys[i], &readable), "the value of %s%s cannot be read", t->prefix, keys[i]);
		any |= readable;
	}
	if (!any)
		return;
	table_forget_events(t);
	table_notify(t, -1);
}

static void nap(struct cache *cache, int64_t ms)
{
	for (; ms > 0 && !atomic_load(&cache->stop); ms -= 50)
		nanosleep(&(const struct timespec){.tv_nsec = 50000000}, NULL);
}

static bool goes_on(void *data)
{
	const struct cache *cache = data;
	return !atomic_load(&cache->stop) && !atomic_load(&cache->read_again);
}

static struct status *follow(struct cache *cache, int64_t revision)
{
	const struct etcd_watch_options options = {
		.prefix = "", .from = revision + 1, .goes_on = goes_on, .batch = apply_batch, .data = cache};
	return etcd_watch(cache->etcd, &options, NULL);
}

void *cache_thread(void *data)
{
	struct cache *cache = data;
	int64_t delay = RETRY_FIRST_MS;
	while (!atomic_load(&cache->stop)) {
		int64_t revision = atomic_load(&cache->revision);
		struct status *status = NULL;
		if (atomic_exchange(&cache->read_again, false))
			for (size_t i = 0; i < cache->n_tables; i++)
				read_table_again(&cache->tables[i]);
		if (!atomic_load(&cache->synced))
			status = fill(cache, &revision);
		if (!status) {
			delay = RETRY_FIRST_MS;
			status = fail_try("cache.before-watch");
		}
		if (!status)
			status = follow(cache, revision);
		if (status_is(status, STATUS_EXPIRED)) {
			struct status *again = refill(cache);
			log_status(again, "reading everything again");
		}
		if (status && !atomic_load(&cache->stop))
			log_warn("following etcd from revision %lld: %s", (long long)revision, status->message);
		if (status)
			nap(cache, delay);
		delay = delay * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : delay * 2;
		status_free(status);
	}
	return NULL;
}
