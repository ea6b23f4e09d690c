/*
 * What a storm of writes leaves behind lies scattered among what it has taken away, and each entry keeps the rest of
 * its pages of memory in use. So entries that have changed are laid anew, one behind the other, from time to time.
 */
#include "apiserver/store/cache_private.h"

/* Less that has come or gone, or a smaller part of the table, is not worth it. */
#define LEAST_BYTES (512u << 10)
#define PART 8
/* After so long without a change less is, too: nobody is kept waiting, and it is for long. */
#define QUIET_MS 5000
#define QUIET_LEAST_BYTES (64u << 10)
/* Entries that go into one block. A larger one wastes little where it is. */
#define PACK_BYTES (64u << 10)
#define PACK_MOST 256
#define LARGE_BYTES (16u << 10)
/* So many are looked at while others wait. */
#define STEP 4096

struct batch {
	struct entry *from[PACK_MOST], *to[PACK_MOST];
	size_t n, bytes;
};

/* What has forms that were made at first use is left where it is: they would have to be made again. */
static bool is_loose(const struct table *t, const struct entry *entry)
{
	const bool scattered = entry->pack ? entry_is_in_sparse_pack(entry) : entry->revision > t->tidy_revision;
	return scattered && entry_size(entry) < LARGE_BYTES && !entry_has_forms(entry);
}

/* References to the next that are to be moved; false: there is nothing behind them. */
static bool collect(struct table *t, size_t *at, struct batch *b)
{
	b->n = b->bytes = 0;
	pthread_rwlock_rdlock(&t->cache->lock);
	const size_t end = *at + STEP < t->n_items ? *at + STEP : t->n_items;
	for (; *at < end && b->n < PACK_MOST && b->bytes < PACK_BYTES; ++*at) {
		struct entry *entry = t->items[*at];
		if (!is_loose(t, entry))
			continue;
		b->from[b->n++] = entry_ref(entry);
		b->bytes += entry_size(entry);
	}
	const bool more = *at < t->n_items;
	pthread_rwlock_unlock(&t->cache->lock);
	return more;
}

static void move(struct table *t, struct batch *b)
{
	size_t index;
	entries_pack(b->from, b->n, b->to);
	pthread_rwlock_wrlock(&t->cache->lock);
	for (size_t i = 0; i < b->n; i++) {
		if (!table_find(t, b->from[i]->key, &index) || t->items[index] != b->from[i])
			continue;
		entry_unref(t->items[index]);
		t->items[index] = entry_ref(b->to[i]);
	}
	pthread_rwlock_unlock(&t->cache->lock);
	for (size_t i = 0; i < b->n; i++) {
		entry_unref(b->from[i]);
		entry_unref(b->to[i]);
	}
}

/* The event that brought an entry shares it with the table. What nobody else holds any more has been moved. */
static void share_again(struct table *t, struct event *event)
{
	size_t index;
	struct entry *old = event->object;
	if (event->type == EVENT_DELETED || atomic_load(&old->refs) > 1 || !table_find(t, old->key, &index) ||
		t->items[index]->revision != old->revision)
		return;
	event->object = entry_ref(t->items[index]);
	entry_unref(old);
}

/* False: it is done. */
static bool share_step(struct table *t, uint64_t *at)
{
	pthread_rwlock_wrlock(&t->cache->lock);
	if (*at < t->first)
		*at = t->first;
	for (size_t i = 0; i < STEP && *at < t->next; i++)
		share_again(t, t->ring[(*at)++ & (t->cap_ring - 1)]);
	const bool more = *at < t->next;
	pthread_rwlock_unlock(&t->cache->lock);
	return more;
}

static bool is_quiet(const struct table *t)
{
	return t->next > t->first &&
	       clock_mono_ms(t->cache->clock) - t->ring[(t->next - 1) & (t->cap_ring - 1)]->at_ms >= QUIET_MS;
}

/* Whether it is worth it; then what changes from now on is for the next time. */
static bool begin(struct table *t)
{
	pthread_rwlock_wrlock(&t->cache->lock);
	const bool much = (t->untidy >= LEAST_BYTES && t->untidy >= t->bytes / PART) ||
			  (t->untidy >= QUIET_LEAST_BYTES && is_quiet(t));
	if (much)
		t->untidy = 0;
	pthread_rwlock_unlock(&t->cache->lock);
	return much;
}

size_t table_tidy(struct table *t)
{
	struct batch batch;
	size_t bytes = 0, at = 0;
	uint64_t event = 0;
	if (!begin(t))
		return 0;
	const int64_t revision = cache_revision(t->cache);
	for (bool more = true; more; bytes += batch.bytes) {
		more = collect(t, &at, &batch);
		if (batch.n)
			move(t, &batch);
	}
	while (bytes && share_step(t, &event))
		;
	t->tidy_revision = revision;
	return bytes;
}
