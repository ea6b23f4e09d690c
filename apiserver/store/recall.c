/*
 * Watchers that come back late: what the window has lost, and what came before the server's start, is read out of
 * etcd's history by one thread, for all who wait at that moment, and laid before the window (past.h), from where all of
 * them go on as any other watcher. It goes again as any old event does.
 *
 * How far to read is told by events alone, as etcd's progress notifications cannot be trusted in 3.4: of a table whose
 * window has an event, its own keys are read until that event comes; otherwise all keys, until one is as new as the
 * window.
 */
#include <stdlib.h>
#include "apiserver/store/past.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"

/* What all windows may keep of it; of more the older part cannot be told. */
#define MOST_BYTES (128u << 20)
#define LEAST_BYTES (8u << 20)
#define DEADLINE_MS 30000
/* So long at most it rests, as long as the reading took: others want etcd too. */
#define REST_MOST_MS 1000

struct recall {
	struct recall *next, *prev; /* of those who wait */
	struct table *table;
	int64_t revision;
	int64_t deadline_ms;
	void (*fn)(void *data);
	void *data;
	bool done, late; /* the deadline has been told of */
	struct status *status;
};

struct reading {
	struct cache *cache;
	bool alone; /* the keys of one table; else all keys */
	struct past **pasts;
	size_t n_pasts, n_left;
	size_t most_bytes;
	int64_t deadline_ms;
};

static struct status *too_old(const struct recall *r)
{
	pthread_rwlock_rdlock(&r->table->cache->lock);
	const int64_t oldest = r->table->window_start;
	pthread_rwlock_unlock(&r->table->cache->lock);
	return status_new(
		STATUS_EXPIRED, "too old resource version: %lld (%lld)", (long long)r->revision, (long long)oldest);
}

/* --- those who wait; the lock is held --- */

static void leave(struct recall *r)
{
	*(r->prev ? &r->prev->next : &r->table->cache->recalls) = r->next;
	if (r->next)
		r->next->prev = r->prev;
	r->next = r->prev = NULL;
}

static void finish(struct recall *r, struct status *status)
{
	leave(r);
	r->done = true;
	r->status = status;
	r->fn(r->data);
}

/* Who need not wait any more is told. */
static void answer_those_in_the_window(struct cache *cache)
{
	for (struct recall *r = cache->recalls, *next; r; r = next) {
		next = r->next;
		pthread_rwlock_rdlock(&cache->lock);
		const bool is_there = r->revision >= r->table->window_start;
		pthread_rwlock_unlock(&cache->lock);
		if (is_there)
			finish(r, NULL);
	}
}

/* What was asked of a past and could not be told. */
static void answer_those_before(struct cache *cache, const struct past *past)
{
	for (struct recall *r = cache->recalls, *next; r; r = next) {
		next = r->next;
		if (r->table == past->table && r->revision >= past->asked && r->revision < past->from)
			finish(r, too_old(r));
	}
}

/* The reading has failed for all who are left, or for those whose past is forgotten. */
static void answer_failure(const struct reading *reading, const struct status *status, int64_t compacted)
{
	const bool expired = status_is(status, STATUS_EXPIRED), late = status_is(status, STATUS_TIMEOUT);
	for (struct recall *r = reading->cache->recalls, *next; r; r = next) {
		const struct past *past = r->table->past;
		next = r->next;
		if (!past || r->revision < past->asked || (expired && compacted && r->revision + 1 >= compacted))
			continue;
		finish(r, expired || late ? too_old(r) : status_copy(status));
	}
}

/* --- reading --- */

static struct past *largest(const struct reading *reading)
{
	struct past *found = reading->pasts[0];
	for (size_t i = 1; i < reading->n_pasts; i++)
		if (reading->pasts[i]->bytes > found->bytes)
			found = reading->pasts[i];
	return found;
}

static size_t bytes_of(const struct reading *reading)
{
	size_t bytes = 0;
	for (size_t i = 0; i < reading->n_pasts; i++)
		bytes += reading->pasts[i]->bytes;
	return bytes;
}

static void join_all(struct reading *reading, int64_t revision)
{
	struct cache *cache = reading->cache;
	for (size_t i = 0; i < reading->n_pasts; i++) {
		struct past *past = reading->pasts[i];
		if (past->table->past != past || !past_join(past, revision, reading->alone))
			continue;
		past->table->past = NULL;
		reading->n_left--;
		pthread_mutex_lock(&cache->recall_lock);
		answer_those_in_the_window(cache);
		answer_those_before(cache, past);
		pthread_mutex_unlock(&cache->recall_lock);
	}
}

static void take(void *data, const struct etcd_event *events, size_t n, int64_t revision)
{
	struct reading *reading = data;
	for (size_t i = 0; i < n; i++) {
		const char *rest;
		const struct table *t = cache_table_of_key(reading->cache, events[i].kv.key, &rest);
		if (t && t->past)
			past_add(t->past, &events[i]);
	}
	while (bytes_of(reading) > reading->most_bytes)
		past_halve(largest(reading));
	if (revision)
		join_all(reading, revision);
}

static bool goes_on(void *data)
{
	const struct reading *reading = data;
	struct cache *cache = reading->cache;
	bool wanted = false;
	pthread_mutex_lock(&cache->recall_lock);
	for (const struct recall *r = cache->recalls; r && !wanted; r = r->next)
		wanted = r->table->past;
	pthread_mutex_unlock(&cache->recall_lock);
	return wanted && reading->n_left && !atomic_load(&cache->stop) &&
	       clock_mono_ms(cache->clock) < reading->deadline_ms;
}

static void add_past(struct reading *reading, const struct recall *r)
{
	struct past *past = r->table->past;
	if (!past) {
		past = r->table->past = past_new(r->table, r->revision);
		reading->pasts = mem_realloc(reading->pasts, (reading->n_pasts + 1) * sizeof(struct past *));
		reading->pasts[reading->n_pasts++] = past;
		reading->n_left++;
	}
	if (r->revision < past->asked)
		past->asked = past->from = r->revision;
}

/* What is read for those who wait: one table that bounds its reading, or all that are asked for. */
static void plan(struct reading *reading)
{
	const struct recall *first = reading->cache->recalls;
	reading->alone = past_is_bounded(first->table);
	for (const struct recall *r = first; r; r = r->next)
		if (!reading->alone || r->table == first->table)
			add_past(reading, r);
}

static int64_t begin_of(const struct reading *reading)
{
	int64_t from = reading->pasts[0]->asked;
	for (size_t i = 1; i < reading->n_pasts; i++)
		from = reading->pasts[i]->asked < from ? reading->pasts[i]->asked : from;
	return from;
}

static size_t bytes_left(struct cache *cache)
{
	pthread_rwlock_rdlock(&cache->lock);
	const size_t kept = cache->recalled_bytes;
	pthread_rwlock_unlock(&cache->lock);
	return kept + LEAST_BYTES < MOST_BYTES ? MOST_BYTES - kept : LEAST_BYTES;
}

/* An etcd that does not answer is asked again: who comes back for want of an answer would only wait anew. */
static bool asks_again(const struct status *status, int64_t now_ms, int64_t *failing_ms)
{
	if (!status_is(status, STATUS_UNAVAILABLE)) {
		*failing_ms = -1;
		return false;
	}
	if (*failing_ms < 0)
		*failing_ms = now_ms;
	return now_ms - *failing_ms < DEADLINE_MS;
}

/* failing_ms: since when it has failed; -1: it has not. */
static void read_past(struct reading *reading, int64_t *failing_ms)
{
	struct cache *cache = reading->cache;
	int64_t compacted = 0;
	reading->most_bytes = bytes_left(cache);
	reading->deadline_ms = clock_mono_ms(cache->clock) + DEADLINE_MS;
	const struct etcd_watch_options options = {.prefix = reading->alone ? reading->pasts[0]->table->prefix : "",
		.from = begin_of(reading) + 1,
		.before = true,
		.goes_on = goes_on,
		.batch = take,
		.data = reading};
	CLEANUP_STATUS struct status *status = etcd_watch(cache->etcd, &options, &compacted);
	if (!status)
		status = status_new(STATUS_TIMEOUT, "the history of etcd is too long to be read");
	if (compacted)
		cache_compacted(cache, compacted);
	pthread_mutex_lock(&cache->recall_lock);
	if (!asks_again(status, clock_mono_ms(cache->clock), failing_ms))
		answer_failure(reading, status, compacted);
	pthread_mutex_unlock(&cache->recall_lock);
	for (size_t i = 0; i < reading->n_pasts; i++) {
		reading->pasts[i]->table->past = NULL;
		past_free(reading->pasts[i]);
	}
	free(reading->pasts);
}

/* --- the thread --- */

static void rest(struct cache *cache, int64_t ms)
{
	for (ms = ms < REST_MOST_MS ? ms : REST_MOST_MS; ms > 0 && !atomic_load(&cache->stop); ms -= 50)
		nanosleep(&(const struct timespec){.tv_nsec = (ms < 50 ? ms : 50) * 1000000}, NULL);
}

static void *recall_all(void *data)
{
	struct cache *cache = data;
	int64_t failing_ms = -1;
	pthread_mutex_lock(&cache->recall_lock);
	while (!atomic_load(&cache->stop)) {
		answer_those_in_the_window(cache);
		if (!cache->recalls) {
			pthread_cond_wait(&cache->recall_wake, &cache->recall_lock);
			continue;
		}
		struct reading reading = {.cache = cache};
		const int64_t begin_ms = clock_mono_ms(cache->clock);
		plan(&reading);
		pthread_mutex_unlock(&cache->recall_lock);
		read_past(&reading, &failing_ms);
		rest(cache, clock_mono_ms(cache->clock) - begin_ms);
		pthread_mutex_lock(&cache->recall_lock);
	}
	pthread_mutex_unlock(&cache->recall_lock);
	return NULL;
}

struct status *recall_new(struct table *table, int64_t revision, int64_t deadline_ms, void (*fn)(void *data),
	void *data, struct recall **ret_recall)
{
	struct cache *cache = table->cache;
	struct recall *r = mem_zalloc(sizeof(*r));
	*r = (struct recall){.table = table, .revision = revision, .deadline_ms = deadline_ms, .fn = fn, .data = data};
	if (!cache->etcd || revision <= 0 || revision + 1 < atomic_load(&cache->compacted)) {
		struct status *status = too_old(r);
		free(r);
		return status;
	}
	pthread_mutex_lock(&cache->recall_lock);
	r->next = cache->recalls;
	if (r->next)
		r->next->prev = r;
	cache->recalls = r;
	if (!cache->recalls_started)
		cache->recall_thread = thread_start("recall", recall_all, cache);
	cache->recalls_started = true;
	pthread_cond_signal(&cache->recall_wake);
	pthread_mutex_unlock(&cache->recall_lock);
	*ret_recall = r;
	return NULL;
}

void recalls_tick(struct cache *cache, int64_t now_ms)
{
	pthread_mutex_lock(&cache->recall_lock);
	for (struct recall *r = cache->recalls; r; r = r->next) {
		if (r->late || now_ms < r->deadline_ms)
			continue;
		r->late = true;
		r->fn(r->data);
	}
	pthread_mutex_unlock(&cache->recall_lock);
}

bool recall_done(struct recall *r, struct status **ret_status)
{
	pthread_mutex_t *lock = &r->table->cache->recall_lock;
	pthread_mutex_lock(lock);
	const bool done = r->done;
	if (done)
		*ret_status = STEAL(r->status);
	pthread_mutex_unlock(lock);
	return done;
}

void recall_free(struct recall *r)
{
	if (!r)
		return;
	struct cache *cache = r->table->cache;
	pthread_mutex_lock(&cache->recall_lock);
	if (!r->done)
		leave(r);
	pthread_mutex_unlock(&cache->recall_lock);
	status_free(r->status);
	free(r);
}

void cache_recalls_init(struct cache *cache)
{
	pthread_mutex_init(&cache->recall_lock, NULL);
	pthread_cond_init(&cache->recall_wake, NULL);
}

/* After stop has been set. */
void cache_recalls_done(struct cache *cache)
{
	pthread_mutex_lock(&cache->recall_lock);
	pthread_cond_signal(&cache->recall_wake);
	pthread_mutex_unlock(&cache->recall_lock);
	if (cache->recalls_started)
		pthread_join(cache->recall_thread, NULL);
	pthread_cond_destroy(&cache->recall_wake);
	pthread_mutex_destroy(&cache->recall_lock);
}
