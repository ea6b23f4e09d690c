#include "apiserver/store/past.h"
#include <stdlib.h>
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

/* What an event and its place take beside the objects. */
#define EVENT_BYTES 256

static void entry_free(void *entry)
{
	entry_unref(entry);
}

struct past *past_new(struct table *table, int64_t from)
{
	struct past *p = mem_zalloc(sizeof(*p));
	p->table = table;
	p->asked = p->from = from;
	p->states = strmap_new(entry_free);
	return p;
}

static void drop_first(struct past *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		event_unref(p->events[i]);
	p->n_events -= n;
	if (p->n_events)
		memmove(p->events, p->events + n, p->n_events * sizeof(struct event *));
}

void past_free(struct past *p)
{
	if (!p)
		return;
	drop_first(p, p->n_events);
	event_source_done(&p->source);
	free(p->events);
	strmap_free(p->states);
	free(p);
}

void past_halve(struct past *p)
{
	const size_t n = (p->n_events + 1) / 2;
	p->bytes = n < p->n_events ? p->bytes / 2 : 0;
	if (!n)
		return;
	p->from = p->events[n - 1]->revision;
	drop_first(p, n);
}

/* What happened up to the revision cannot be told. */
static void forget_until(struct past *p, int64_t revision)
{
	drop_first(p, p->n_events);
	p->from = revision;
	p->bytes = 0;
}

/* A reference, if it is what the table holds still. */
static struct entry *present(struct table *t, const char *key, int64_t revision)
{
	size_t index;
	struct entry *entry = NULL;
	pthread_rwlock_rdlock(&t->cache->lock);
	if (table_find(t, key, &index) && t->items[index]->revision == revision)
		entry = entry_ref(t->items[index]);
	pthread_rwlock_unlock(&t->cache->lock);
	return entry;
}

/* NULL: it is not there, or cannot be read. */
static struct entry *entry_of(struct table *t, const char *key, const struct etcd_kv *kv)
{
	if (!kv->found)
		return NULL;
	struct entry *entry = present(t, key, kv->mod_revision);
	if (entry)
		return entry;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *object;
	struct status *status = table_decode(t, arena, kv, &entry, &object);
	log_status(status, "a former value of %s cannot be read", kv->key);
	return entry;
}

/* A reference to what a key held before the event; false: nobody knows. */
static bool state_before(struct past *p, const char *key, const struct etcd_event *event, struct entry **ret_before)
{
	struct entry *known = strmap_get(p->states, key);
	*ret_before = known ? entry_ref(known) : entry_of(p->table, key, &event->before);
	return *ret_before || (!event->deleted && event->kv.create_revision == event->kv.mod_revision);
}

static void push(struct past *p, int64_t revision, struct entry *before, struct entry *after)
{
	struct event *event = event_new(&p->source);
	event->revision = revision;
	event->at_ms = clock_mono_ms(p->table->cache->clock);
	event->type = !after ? EVENT_DELETED : before ? EVENT_MODIFIED : EVENT_ADDED;
	event->object = entry_ref(after ? after : before);
	event->before = before ? entry_ref(before) : NULL;
	event->bytes = sizeof(*event) + (before ? entry_footprint(before) : 0);
	mem_grow(&p->events, &p->cap_events, p->n_events + 1, sizeof(struct event *));
	p->events[p->n_events++] = event;
}

void past_add(struct past *p, const struct etcd_event *event)
{
	const int64_t revision = event->kv.mod_revision;
	const char *key = event->kv.key + p->table->prefix_len;
	CLEANUP(entry_unrefp) struct entry *before = NULL, *after = NULL;
	if (revision <= p->from)
		return;
	if (!event->deleted)
		after = entry_of(p->table, key, &event->kv);
	/* As where it is told at once: what cannot be read has not happened. */
	if (!event->deleted && !after)
		return;
	if (state_before(p, key, event, &before)) {
		push(p, revision, before, after);
		p->bytes += event->kv.size + event->before.size + EVENT_BYTES;
	} else {
		forget_until(p, revision);
	}
	if (after)
		strmap_put(p->states, key, entry_ref(after));
	else
		strmap_remove(p->states, key);
}

/* The first event of the ring that etcd has too; 0: none. The lock is held. */
static int64_t first_of_etcd(const struct table *t)
{
	for (uint64_t i = t->first; i < t->next; i++)
		if (!t->ring[i & (t->cap_ring - 1)]->made_up)
			return t->ring[i & (t->cap_ring - 1)]->revision;
	return 0;
}

bool past_is_bounded(struct table *t)
{
	pthread_rwlock_rdlock(&t->cache->lock);
	const bool is = first_of_etcd(t) > 0;
	pthread_rwlock_unlock(&t->cache->lock);
	return is;
}

static void join(struct past *p)
{
	struct table *t = p->table;
	size_t n = p->n_events;
	/* What came later is in the window. */
	while (n && p->events[n - 1]->revision > t->window_start)
		n--;
	const size_t room = ring_room(t), too_many = n > room ? n - room : 0;
	if (too_many)
		p->from = p->events[too_many - 1]->revision;
	if (p->from < t->window_start)
		ring_put_before(t, n ? p->events + too_many : NULL, n - too_many, p->from);
}

bool past_join(struct past *p, int64_t revision, bool alone)
{
	struct table *t = p->table;
	pthread_mutex_lock(&t->watchers_lock);
	pthread_rwlock_wrlock(&t->cache->lock);
	const bool reached = revision >= (alone ? first_of_etcd(t) : t->window_start);
	if (reached)
		join(p);
	pthread_rwlock_unlock(&t->cache->lock);
	pthread_mutex_unlock(&t->watchers_lock);
	return reached;
}
