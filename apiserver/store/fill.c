/*
 * The first reading of everything that etcd holds. A thread reads page after page, others decode the objects of those
 * that have come, and the cache's own thread puts them into the tables, in order.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>
#include "apiserver/store/cache_private.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"

#define BATCH 32
#define MOST_BATCHES 16 /* on their way at a time: what memory they may take */
#define MOST_THREADS 4

struct one {
	struct table *table;
	const char *key; /* within the table */
	const struct etcd_kv *kv;
	struct entry *entry;
	ProtobufCMessage *object; /* in the batch's arena */
};

struct batch {
	struct batch *next;
	struct arena *arena;
	struct etcd_page *page; /* until it is decoded */
	struct one items[BATCH];
	size_t n;
	sem_t decoded;
};

struct filling {
	struct cache *cache;
	const char *prefix;
	struct workers *workers;
	sem_t room; /* for so many batches more */
	sem_t made; /* so many stand in the queue, or it has ended */
	pthread_mutex_t lock;
	struct batch *first, *last; /* the queue, under lock */
	/* Of the reading thread until it has ended. */
	struct batch *open;
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
		struct status *status = entry_from_value(b->arena, o->table->resource, o->kv->mod_revision,
			o->kv->value, o->kv->size, &o->entry, &o->object);
		log_status(status, "the value of %s cannot be read", o->kv->key);
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

static struct batch *batch_new(struct filling *f, struct etcd_page *page)
{
	wait_for(&f->room);
	struct batch *b = mem_zalloc(sizeof(*b));
	b->arena = arena_new();
	b->page = etcd_page_ref(page);
	sem_init(&b->decoded, 0, 0);
	return b;
}

static void submit(struct filling *f)
{
	struct batch *b = STEAL(f->open);
	if (!b)
		return;
	pthread_mutex_lock(&f->lock);
	*(f->first ? &f->last->next : &f->first) = b;
	f->last = b;
	pthread_mutex_unlock(&f->lock);
	if (!workers_submit(f->workers, decode_batch, b))
		decode_batch(b);
	sem_post(&f->made);
}

static void collect(void *data, struct etcd_page *page)
{
	struct filling *f = data;
	for (size_t i = 0; i < page->n_kvs; i++) {
		const char *rest;
		struct table *table = cache_table_of_key(f->cache, page->kvs[i].key, &rest);
		if (!table)
			continue;
		if (!f->open)
			f->open = batch_new(f, page);
		f->open->items[f->open->n++] = (struct one){.table = table, .key = rest, .kv = &page->kvs[i]};
		if (f->open->n == BATCH)
			submit(f);
	}
	submit(f);
}

static void *read_all(void *data)
{
	struct filling *f = data;
	f->status = etcd_each_page(f->cache->etcd, f->prefix, &f->revision, collect, f);
	sem_post(&f->made);
	return NULL;
}

/* --- the cache's thread --- */

/* False at the end. */
static bool apply_next(struct filling *f)
{
	wait_for(&f->made);
	pthread_mutex_lock(&f->lock);
	struct batch *b = f->first;
	if (b)
		f->first = b->next;
	pthread_mutex_unlock(&f->lock);
	if (!b)
		return false;
	wait_for(&b->decoded);
	for (size_t i = 0; i < b->n; i++) {
		const struct one *o = &b->items[i];
		if (o->entry)
			table_apply(o->table, o->key, o->entry, o->object, o->kv->mod_revision);
	}
	batch_free(b);
	sem_post(&f->room);
	return true;
}

struct status *cache_fill(struct cache *cache, const char *prefix, int64_t *ret_revision)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);
	const size_t n_threads = n > MOST_THREADS ? MOST_THREADS : n > 0 ? (size_t)n : 1;
	struct filling f = {.cache = cache, .prefix = prefix};
	f.workers = workers_new("fill", n_threads, MOST_BATCHES);
	sem_init(&f.room, 0, MOST_BATCHES);
	sem_init(&f.made, 0, 0);
	pthread_mutex_init(&f.lock, NULL);
	pthread_t reader = thread_start("fill-read", read_all, &f);
	while (apply_next(&f))
		;
	pthread_join(reader, NULL);
	workers_free(f.workers);
	pthread_mutex_destroy(&f.lock);
	sem_destroy(&f.made);
	sem_destroy(&f.room);
	*ret_revision = f.revision;
	if (!f.status)
		cache_mark_synced(cache, f.revision);
	return f.status;
}
