/*
 * The first reading of everything that etcd holds. A thread reads page after page, ahead of what is needed; the cache's
 * own thread hands out the objects of the pages that have come, others decode them, and it puts them into the tables,
 * in order.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>
#include "apiserver/store/cache_private.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"

#define BATCH 8
#define MOST_BATCHES 16 /* on their way at a time: what memory they may take */
#define MOST_THREADS 4

struct one {
	struct table *table;
	const char *key; /* within the table */
	const struct etcd_kv *kv;
	struct status *status; /* why it cannot be read */
	struct entry *entry;
	ProtobufCMessage *object; /* in the batch's arena */
};

struct batch {
	struct batch *next;
	struct arena *arena;
	struct etcd_page *page;
	struct one items[BATCH];
	size_t n;
	sem_t decoded;
};

struct filling {
	struct cache *cache;
	const char *prefix;
	struct workers *workers;
	/* One page is handed over at a time; NULL: the last one was. */
	sem_t free, there;
	struct etcd_page *handed;
	/* Of the cache's thread. */
	bool read;		/* there is no other page */
	struct etcd_page *page; /* that batches are made of */
	size_t at;		/* in it */
	struct batch *first, *last;
	size_t n_batches;
	/* Of the reading thread until it has ended. */
	int64_t revision;
	struct status *status;
};

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		;
}

static void decode_batch(void *data)
{
	struct batch *b = data;
	for (size_t i = 0; i < b->n; i++) {
		struct one *o = &b->items[i];
		o->status = table_decode(o->table, b->arena, o->kv, &o->entry, &o->object);
	}
	sem_post(&b->decoded);
}

static void batch_free(struct batch *b)
{
	sem_destroy(&b->decoded);
	etcd_page_unref(b->page);
	arena_free(b->arena);
	free(b);
}

/* --- the reading thread --- */

static void hand_over(struct filling *f, struct etcd_page *page)
{
	wait_for(&f->free);
	f->handed = page;
	sem_post(&f->there);
}

static void take_page(void *data, struct etcd_page *page)
{
	hand_over(data, etcd_page_ref(page));
}

static void *read_all(void *data)
{
	struct filling *f = data;
	f->status = etcd_each_page(f->cache->etcd, f->prefix, &f->revision, take_page, f);
	hand_over(f, NULL);
	return NULL;
}

/* --- the cache's thread --- */

/* False: it has not come yet, or there is none. */
static bool next_page(struct filling *f, bool wait)
{
	if (f->read)
		return false;
	if (wait)
		wait_for(&f->there);
	else if (sem_trywait(&f->there) != 0)
		return false;
	etcd_page_unref(f->page);
	f->page = STEAL(f->handed);
	f->at = 0;
	f->read = !f->page;
	sem_post(&f->free);
	return f->page;
}

static struct batch *batch_new(struct etcd_page *page)
{
	struct batch *b = mem_zalloc(sizeof(*b));
	b->arena = arena_new();
	b->page = etcd_page_ref(page);
	sem_init(&b->decoded, 0, 0);
	return b;
}

/* The next objects of the page; NULL at its end. */
static struct batch *cut(struct filling *f)
{
	struct batch *b = NULL;
	while (f->page && f->at < f->page->n_kvs && (!b || b->n < BATCH)) {
		const struct etcd_kv *kv = &f->page->kvs[f->at++];
		const char *rest;
		struct table *table = cache_table_of_key(f->cache, kv->key, &rest);
		if (!table)
			continue;
		if (!b)
			b = batch_new(f->page);
		b->items[b->n++] = (struct one){.table = table, .key = rest, .kv = kv};
	}
	return b;
}

/* Gives those who decode as much as may be on its way. */
static void hand_out(struct filling *f)
{
	while (f->n_batches < MOST_BATCHES) {
		struct batch *b = cut(f);
		if (!b && !next_page(f, !f->n_batches))
			return;
		if (!b)
			continue;
		*(f->first ? &f->last->next : &f->first) = b;
		f->last = b;
		f->n_batches++;
		if (!workers_submit(f->workers, decode_batch, b))
			decode_batch(b);
	}
}

static void apply_first(struct filling *f)
{
	struct batch *b = f->first;
	wait_for(&b->decoded);
	for (size_t i = 0; i < b->n; i++) {
		const struct one *o = &b->items[i];
		if (o->entry)
			table_apply(o->table, o->key, o->entry, o->object, o->kv->mod_revision);
		else
			table_set_unreadable(o->table, o->key, o->status);
		log_status(o->status, "the value of %s cannot be read", o->kv->key);
	}
	f->first = b->next;
	f->n_batches--;
	batch_free(b);
}

struct status *cache_fill(struct cache *cache, const char *prefix, int64_t *ret_revision)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);
	const size_t n_threads = n > MOST_THREADS ? MOST_THREADS : n > 0 ? (size_t)n : 1;
	struct filling f = {.cache = cache, .prefix = prefix};
	f.workers = workers_new("fill", n_threads, MOST_BATCHES);
	sem_init(&f.free, 0, 1);
	sem_init(&f.there, 0, 0);
	pthread_t reader = thread_start("fill-read", read_all, &f);
	for (hand_out(&f); f.first; hand_out(&f))
		apply_first(&f);
	pthread_join(reader, NULL);
	workers_free(f.workers);
	sem_destroy(&f.there);
	sem_destroy(&f.free);
	*ret_revision = f.revision;
	if (!f.status)
		cache_mark_synced(cache, f.revision);
	return f.status;
}
