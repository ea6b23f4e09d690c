/*
 * The first reading of everything that etcd holds: while one page is on its way, the objects of those before are
 * decoded on several threads. They enter the tables on the cache's own thread, in order.
 */
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>
#include "apiserver/store/cache_private.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"

#define BATCH 64
#define MOST_BATCHES 8 /* on their way at a time: what memory they may take */
#define MOST_THREADS 4

struct one {
	struct table *table;
	const char *key; /* within the table */
	const uint8_t *value;
	size_t size;
	int64_t revision;
	struct entry *entry;
	ProtobufCMessage *object; /* in the batch's arena */
};

struct batch {
	struct batch *next;
	struct arena *arena;
	struct one items[BATCH];
	size_t n;
	sem_t decoded;
};

struct filling {
	struct cache *cache;
	struct workers *workers;
	struct batch *first, *last; /* being decoded */
	size_t n_batches;
	struct batch *open; /* being collected */
};

static void decode_batch(void *data)
{
	struct batch *b = data;
	for (size_t i = 0; i < b->n; i++) {
		struct one *o = &b->items[i];
		struct status *status = entry_from_value(
			b->arena, o->table->resource, o->revision, o->value, o->size, &o->entry, &o->object);
		log_status(status, "the value of %s%s cannot be read", o->table->prefix, o->key);
	}
	sem_post(&b->decoded);
}

static void apply_oldest(struct filling *f)
{
	struct batch *b = f->first;
	f->first = b->next;
	f->n_batches--;
	while (sem_wait(&b->decoded) != 0)
		;
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].entry)
			table_apply(b->items[i].table, b->items[i].key, b->items[i].entry, b->items[i].object,
				b->items[i].revision);
	sem_destroy(&b->decoded);
	arena_free(b->arena);
	free(b);
}

static void submit(struct filling *f)
{
	struct batch *b = STEAL(f->open);
	if (!b)
		return;
	*(f->first ? &f->last->next : &f->first) = b;
	f->last = b;
	f->n_batches++;
	if (!workers_submit(f->workers, decode_batch, b))
		decode_batch(b);
	if (f->n_batches == MOST_BATCHES)
		apply_oldest(f);
}

static void collect(void *data, const struct etcd_kv *kv)
{
	struct filling *f = data;
	const char *rest;
	struct table *table = cache_table_of_key(f->cache, kv->key, &rest);
	if (!table)
		return;
	if (!f->open) {
		f->open = mem_zalloc(sizeof(*f->open));
		f->open->arena = arena_new();
		sem_init(&f->open->decoded, 0, 0);
	}
	struct batch *b = f->open;
	b->items[b->n++] = (struct one){.table = table,
		.key = arena_strdup(b->arena, rest),
		.value = arena_dup(b->arena, kv->value, kv->size),
		.size = kv->size,
		.revision = kv->mod_revision};
	if (b->n == BATCH)
		submit(f);
}

struct status *cache_fill(struct cache *cache, const char *prefix, int64_t *ret_revision)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);
	struct filling f = {.cache = cache,
		.workers = workers_new("fill",
			n > MOST_THREADS ? MOST_THREADS
			: n > 0		 ? (size_t)n
					 : 1,
			MOST_BATCHES)};
	*ret_revision = 0;
	struct status *status = etcd_each(cache->etcd, prefix, ret_revision, collect, &f);
	submit(&f);
	while (f.first)
		apply_oldest(&f);
	workers_free(f.workers);
	if (!status)
		cache_mark_synced(cache, *ret_revision);
	return status;
}
