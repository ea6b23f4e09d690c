#include <stdio.h>
#include <stdlib.h>
#include "apiserver/store/cache_private.h"
#include "apiserver/store/label_mark.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "serve/metrics.h"

#define RING_FIRST 64
#define RING_MOST 131072
/* Of the first event there ever is: who comes back late has others laid before it. */
#define FIRST_NUMBER (UINT64_C(1) << 40)
/* An event is kept at least so long, as far as the ring may grow. */
#define RING_KEEP_MS 75000
/* So long in any case: who follows slowly, or comes back at once, has missed nothing. Older events may keep so much
 * that is of no other use, a part of what the table holds: what a storm has changed is not remembered at any price. */
#define RING_YOUNG_MS 5000
#define RING_LEAST_BYTES (4u << 20)
#define RING_PART 10
/* When so long hardly anything has happened, who is connected has been told all: less is kept for who may come back. */
#define RING_QUIET_MS 10000
#define RING_QUIET_PART 64
/* So many are kept however old they are, for who comes back to a quiet resource: as many as the original keeps. */
#define RING_LEAST 100
/* Of old events so many are let go at a time: readers wait meanwhile. */
#define RING_STEP 4096

/* So often it is looked at what lies scattered. */
#define TIDY_MS 5000

/* Where the original keeps what is not under its plural, or under the group's name. */
static const struct {
	const char *group;
	const char *resource;
	const char *place;
} places[] = {
	{"", "replicationcontrollers", "controllers"},
	{"", "endpoints", "services/endpoints"},
	{"", "services", "services/specs"},
	{"", "nodes", "minions"},
	{"networking.k8s.io", "ingresses", "ingress"},
	{"apiextensions.k8s.io", "customresourcedefinitions", "apiextensions.k8s.io/customresourcedefinitions"},
	{"apiregistration.k8s.io", "apiservices", "apiregistration.k8s.io/apiservices"},
};

/* Resources that share the objects of another: served in several groups or versions, stored in one. */
static const struct {
	const char *group;
	const char *version;
	const char *resource;
	const char *stored_group;
	const char *stored_version;
} shared[] = {
	{"events.k8s.io", "v1", "events", "", "v1"},
	{"autoscaling", "v1", "horizontalpodautoscalers", "autoscaling", "v2"},
};

static const char *place_of(const struct schema_resource *resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (str_eq(places[i].group, resource->type->group) && str_eq(places[i].resource, resource->plural))
			return places[i].place;
	return resource->plural;
}

static bool is_stored(const struct schema_resource *resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (str_eq(shared[i].group, resource->type->group) &&
			str_eq(shared[i].version, resource->type->version) &&
			str_eq(shared[i].resource, resource->plural))
			return false;
	return str_in("list", resource->verbs) && str_in("create", resource->verbs);
}

static int compare_prefixes(const void *a, const void *b)
{
	return strcmp((*(struct table *const *)a)->prefix, (*(struct table *const *)b)->prefix);
}

void tables_init(struct cache *cache)
{
	cache->tables = mem_calloc(schema_n_resources, sizeof(*cache->tables));
	SCHEMA_FOREACH_RESOURCE(resource)
	{
		if (!is_stored(resource))
			continue;
		struct table *t = &cache->tables[cache->n_tables++];
		t->cache = cache;
		t->resource = resource;
		t->prefix = mem_printf("%s/%s/", cache->prefix, place_of(resource));
		t->prefix_len = strlen(t->prefix);
		t->cap_ring = RING_FIRST;
		t->first = t->next = FIRST_NUMBER;
		t->ring = mem_calloc(t->cap_ring, sizeof(*t->ring));
		pthread_mutex_init(&t->watchers_lock, NULL);
	}
	cache->by_prefix = mem_calloc(cache->n_tables, sizeof(*cache->by_prefix));
	for (size_t i = 0; i < cache->n_tables; i++)
		cache->by_prefix[i] = &cache->tables[i];
	qsort(cache->by_prefix, cache->n_tables, sizeof(*cache->by_prefix), compare_prefixes);
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n_items; i++)
		entry_unref(t->items[i]);
	for (uint64_t i = t->first; i < t->next; i++)
		event_unref(t->ring[i & (t->cap_ring - 1)]);
	event_source_done(&t->events);
	free(t->items);
	free(t->marks);
	free(t->ring);
	free(t->prefix);
	tally_done(&t->waited);
	free(t->subscribers);
	strmap_free(t->unreadable);
	pthread_mutex_destroy(&t->watchers_lock);
}

struct table *cache_table(struct cache *cache, const char *group, const char *resource)
{
	group = str_eq(group, "events.k8s.io") ? "" : str_or_empty(group);
	resource = str_or_empty(resource);
	/* They stand in the order of the resources: by plural, then by group. */
	size_t low = 0, high = cache->n_tables;
	while (low < high) {
		const size_t middle = (low + high) / 2;
		const struct schema_resource *r = cache->tables[middle].resource;
		int order = strcmp(resource, r->plural);
		if (!order)
			order = strcmp(group, r->type->group);
		if (!order)
			return &cache->tables[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct table *cache_table_of_key(struct cache *cache, const char *key, const char **ret_rest)
{
	/* No prefix begins another, so that of a key is the last that does not come after it. */
	size_t low = 0, high = cache->n_tables;
	while (low < high) {
		const size_t middle = (low + high) / 2;
		if (strcmp(key, cache->by_prefix[middle]->prefix) < 0)
			high = middle;
		else
			low = middle + 1;
	}
	struct table *t = low ? cache->by_prefix[low - 1] : NULL;
	if (!t || strncmp(key, t->prefix, t->prefix_len) != 0)
		return NULL;
	*ret_rest = key + t->prefix_len;
	return t;
}

const struct schema_resource *table_resource(const struct table *table)
{
	return table->resource;
}

char *table_key(const struct table *t, struct arena *arena, const char *namespace, const char *name)
{
	if (t->resource->namespaced)
		return arena_printf(arena, "%s%s/%s", t->prefix, namespace, name);
	return arena_printf(arena, "%s%s", t->prefix, name);
}

struct status *table_open(const struct table *t, struct arena *arena, const char *key, struct encryption_value *value)
{
	return encryption_open(t->cache->encryption, t->resource, arena, key, value);
}

struct status *table_seal(const struct table *t, struct arena *arena, const char *key, struct encryption_value *value)
{
	return encryption_seal(t->cache->encryption, t->resource, arena, key, value);
}

struct status *table_decode(const struct table *t, struct arena *arena, const struct etcd_kv *kv,
	struct entry **ret_entry, ProtobufCMessage **ret_object)
{
	struct encryption_value value = {kv->value, kv->size};
	TRY(table_open(t, arena, kv->key, &value));
	return entry_from_value(arena, t->resource, kv->key + t->prefix_len, kv->mod_revision, value.bytes, value.size,
		ret_entry, ret_object);
}

void table_subscribe(struct table *t, object_wanted_fn *wanted, object_event_fn *fn, void *data)
{
	t->subscribers = mem_realloc(t->subscribers, (t->n_subscribers + 1) * sizeof(*t->subscribers));
	t->subscribers[t->n_subscribers++] = (struct subscriber){wanted, fn, data};
}

bool table_find(const struct table *t, const char *key, size_t *ret_index)
{
	size_t low = 0, high = t->n_items;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(t->items[middle]->key, key);
		if (!order) {
			*ret_index = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_index = low;
	return false;
}

struct entry *table_get(struct table *t, const char *namespace, const char *name)
{
	/* A namespace's own path names it twice. */
	const char *above = t->resource->namespaced ? str_or_empty(namespace) : "";
	const size_t size = strlen(above) + strlen(name) + sizeof("/");
	char short_key[512];
	CLEANUP_FREE char *long_key = size > sizeof(short_key) ? mem_alloc(size) : NULL;
	char *key = long_key ? long_key : short_key;
	stpcpy(stpcpy(stpcpy(key, above), *above ? "/" : ""), name);
	struct entry *entry = NULL;
	size_t index;
	pthread_rwlock_rdlock(&t->cache->lock);
	const bool readable = !t->unreadable || !strmap_has(t->unreadable, key);
	if (readable && table_find(t, key, &index))
		entry = entry_ref(t->items[index]);
	pthread_rwlock_unlock(&t->cache->lock);
	return entry;
}

/* What is here may be ahead of the cache's revision, in the middle of a batch. */
static int64_t revision_locked(const struct table *t)
{
	int64_t revision = atomic_load(&t->cache->revision);
	return t->last_revision > revision ? t->last_revision : revision;
}

/* Where the keys that begin with a prefix stand: from the first to before the last. */
static void find_range(const struct table *t, const char *prefix, size_t *ret_from, size_t *ret_to)
{
	size_t len = strlen(prefix), low = 0, high = t->n_items;
	if (len)
		table_find(t, prefix, &low);
	*ret_from = low;
	while (len && low < high) {
		size_t middle = low + (high - low) / 2;
		if (strncmp(t->items[middle]->key, prefix, len) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_to = len ? low : t->n_items;
}

static void list_locked(
	struct table *t, const char *prefix, const struct label_selector *labels, struct snapshot *snapshot)
{
	size_t from, to, cap = 0;
	const uint64_t wanted = selector_mark(labels);
	find_range(t, prefix, &from, &to);
	*snapshot = (struct snapshot){.revision = revision_locked(t)};
	mem_grow(&snapshot->items, &cap, wanted ? 1 : to - from + 1, sizeof(*snapshot->items));
	for (size_t i = from; i < to; i++) {
		if ((t->marks[i] & wanted) != wanted && i + 1 < to)
			continue;
		mem_grow(&snapshot->items, &cap, snapshot->n_items + 1, sizeof(*snapshot->items));
		snapshot->items[snapshot->n_items++] = entry_ref(t->items[i]);
	}
}

void table_list(struct table *t, const char *prefix, const struct label_selector *labels, struct snapshot *ret_snapshot)
{
	pthread_rwlock_rdlock(&t->cache->lock);
	list_locked(t, prefix, labels, ret_snapshot);
	pthread_rwlock_unlock(&t->cache->lock);
}

/* What each key touched since a revision held then: NULL for what was not there. */
static bool states_then(struct table *t, int64_t revision, struct strmap *then)
{
	if (revision < t->window_start || revision < t->states_start || revision > revision_locked(t))
		return false;
	for (uint64_t i = t->next; i-- > t->first;) {
		const struct event *event = t->ring[i & (t->cap_ring - 1)];
		if (event->revision <= revision)
			break;
		strmap_put(then, event->object->key, event->before);
	}
	return true;
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(struct entry *const *)a)->key, (*(struct entry *const *)b)->key);
}

/* Puts back what has changed since: nothing, as a rule, when the pages of a list follow each other. */
static void turn_back(struct snapshot *s, const char *prefix, const struct strmap *then)
{
	size_t kept = 0;
	if (!strmap_count(then))
		return;
	for (size_t i = 0; i < s->n_items; i++) {
		if (strmap_has(then, s->items[i]->key))
			entry_unref(s->items[i]);
		else
			s->items[kept++] = s->items[i];
	}
	s->items = mem_realloc(s->items, (kept + strmap_count(then) + 1) * sizeof(*s->items));
	s->n_items = kept;
	STRMAP_FOREACH (then, it)
		if (it.value && str_starts_with(it.key, prefix))
			s->items[s->n_items++] = entry_ref(it.value);
	if (s->n_items)
		qsort(s->items, s->n_items, sizeof(*s->items), by_key);
}

/* Whether the last that there is now was another then: what was the last then may have been left out. */
static bool last_has_changed(const struct snapshot *s, const struct strmap *then)
{
	return s->n_items && strmap_has(then, s->items[s->n_items - 1]->key);
}

bool table_list_at(struct table *t, const char *prefix, const struct label_selector *labels, int64_t revision,
	struct snapshot *ret_snapshot)
{
	CLEANUP(strmap_freep) struct strmap *then = strmap_new(NULL);
	pthread_rwlock_rdlock(&t->cache->lock);
	bool known = revision >= atomic_load(&t->cache->compacted) && states_then(t, revision, then);
	if (known) {
		list_locked(t, prefix, labels, ret_snapshot);
		if (labels && last_has_changed(ret_snapshot, then)) {
			snapshot_done(ret_snapshot);
			list_locked(t, prefix, NULL, ret_snapshot);
		}
		turn_back(ret_snapshot, prefix, then);
		ret_snapshot->revision = revision;
	}
	pthread_rwlock_unlock(&t->cache->lock);
	return known;
}

void snapshot_done(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n_items; i++)
		entry_unref(snapshot->items[i]);
	free(snapshot->items);
	*snapshot = (struct snapshot){0};
}

size_t table_bytes(struct table *t)
{
	pthread_rwlock_rdlock(&t->cache->lock);
	size_t n = t->bytes;
	pthread_rwlock_unlock(&t->cache->lock);
	return n;
}

static const double waits[] = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3};
static const struct tally_bounds wait_bounds = {waits, ARRAY_SIZE(waits)};

void table_waited(struct table *t, double seconds)
{
	tally_observe(&t->waited, &wait_bounds, seconds);
}

void table_write_waits(const struct table *t, struct strbuf *out, const char *name, const char *labels)
{
	metrics_write_tally(out, name, labels, &t->waited, &wait_bounds);
}

size_t table_count(struct table *t)
{
	pthread_rwlock_rdlock(&t->cache->lock);
	size_t n = t->n_items;
	pthread_rwlock_unlock(&t->cache->lock);
	return n;
}

uint64_t table_received(struct table *t)
{
	return atomic_load_explicit(&t->received, memory_order_relaxed);
}

void table_told_initial(struct table *t, size_t n)
{
	atomic_fetch_add_explicit(&t->initial, n, memory_order_relaxed);
}

uint64_t table_initial(const struct table *t)
{
	return atomic_load_explicit(&t->initial, memory_order_relaxed);
}

size_t table_ring_size(struct table *t)
{
	pthread_rwlock_rdlock(&t->cache->lock);
	size_t n = t->cap_ring;
	pthread_rwlock_unlock(&t->cache->lock);
	return n;
}

static void ring_drop_first(struct table *t)
{
	struct event *event = t->ring[t->first & (t->cap_ring - 1)];
	t->window_start = event->revision;
	t->first++;
	t->ring_bytes -= event->bytes;
	if (event->recalled)
		t->cache->recalled_bytes -= event->bytes;
	event_unref(event);
}

static void ring_resize(struct table *t, size_t cap)
{
	struct event **ring = mem_calloc(cap, sizeof(*ring));
	for (uint64_t i = t->first; i < t->next; i++)
		ring[i & (cap - 1)] = t->ring[i & (t->cap_ring - 1)];
	free(t->ring);
	t->ring = ring;
	t->cap_ring = cap;
}

static void ring_add(struct table *t, struct event *event)
{
	if (t->next - t->first == t->cap_ring) {
		const struct event *oldest = t->ring[t->first & (t->cap_ring - 1)];
		if (event->at_ms - oldest->at_ms < RING_KEEP_MS && t->cap_ring < RING_MOST)
			ring_resize(t, t->cap_ring * 2);
		else
			ring_drop_first(t);
	}
	t->ring[t->next & (t->cap_ring - 1)] = event;
	t->next++;
	/* What an event has superseded lives on in the ring alone; how it was sent may be with it. */
	event->bytes = sizeof(*event) + (event->before ? entry_footprint(event->before) : 0);
	t->ring_bytes += event->bytes;
}

size_t ring_room(const struct table *t)
{
	return RING_MOST - (size_t)(t->next - t->first);
}

/* Who has fallen behind does not stand where he might seem to stand afterwards. */
static void leave_behind(struct table *t)
{
	for (struct watcher *w = t->watchers; w; w = w->next) {
		pthread_mutex_lock(&w->lock);
		if (w->cursor < t->first)
			w->cursor = 0;
		pthread_mutex_unlock(&w->lock);
	}
}

void ring_put_before(struct table *t, struct event *const *events, size_t n, int64_t from)
{
	size_t cap = t->cap_ring;
	while (cap - (size_t)(t->next - t->first) < n)
		cap *= 2;
	if (cap > t->cap_ring)
		ring_resize(t, cap);
	leave_behind(t);
	for (size_t i = n; i-- > 0;) {
		struct event *event = event_ref(events[i]);
		event->recalled = true;
		t->ring[--t->first & (t->cap_ring - 1)] = event;
		t->ring_bytes += event->bytes;
		t->cache->recalled_bytes += event->bytes;
	}
	t->window_start = from;
}

void table_forget_events(struct table *t)
{
	pthread_mutex_lock(&t->watchers_lock);
	pthread_rwlock_wrlock(&t->cache->lock);
	while (t->first < t->next)
		ring_drop_first(t);
	t->window_start = t->states_start = revision_locked(t);
	leave_behind(t);
	pthread_rwlock_unlock(&t->cache->lock);
	pthread_mutex_unlock(&t->watchers_lock);
}

static int64_t event_age_ms(const struct table *t, uint64_t number, int64_t now_ms)
{
	return now_ms - t->ring[number & (t->cap_ring - 1)]->at_ms;
}

/* How much the ring may keep of what is of no other use. */
static size_t ring_most_bytes(const struct table *t, int64_t now_ms)
{
	const size_t part = t->bytes / RING_PART, most = part > RING_LEAST_BYTES ? part : RING_LEAST_BYTES;
	const bool quiet = event_age_ms(t, t->next - RING_LEAST, now_ms) >= RING_QUIET_MS;
	return quiet ? most / RING_QUIET_PART : most;
}

static bool is_past_keeping(const struct table *t, int64_t now_ms)
{
	const int64_t age_ms = event_age_ms(t, t->first, now_ms);
	return age_ms >= RING_KEEP_MS || (age_ms >= RING_YOUNG_MS && t->ring_bytes > ring_most_bytes(t, now_ms));
}

/* What a modification has superseded is shown to nobody, unless it has left a selection; only lists of then want it,
 * and etcd has it for them. */
static void forget_before(struct table *t, struct event *event)
{
	if (event->type != EVENT_MODIFIED || !event->before || atomic_load(&event->before->refs) > 1 ||
		!entry_is_selected_alike(event->before, event->object))
		return;
	const size_t size = event->bytes - sizeof(*event);
	entry_unref(STEAL(event->before));
	event->alike = true;
	event->bytes -= size;
	t->ring_bytes -= size;
	if (event->recalled)
		t->cache->recalled_bytes -= size;
	t->states_start = event->revision;
}

/* The events that are kept in any case do not keep large objects. */
static void ring_forget(struct table *t, int64_t now_ms)
{
	const size_t most = ring_most_bytes(t, now_ms);
	for (uint64_t i = t->first; i < t->next && t->ring_bytes > most; i++) {
		if (event_age_ms(t, i, now_ms) < RING_YOUNG_MS)
			break;
		forget_before(t, t->ring[i & (t->cap_ring - 1)]);
	}
}

/* What a storm has left behind goes when it is old, not when the next one comes. Returns how much went; *ret_more: not
 * all. */
static size_t ring_age(struct table *t, int64_t now_ms, bool *ret_more)
{
	size_t n = 0;
	pthread_rwlock_wrlock(&t->cache->lock);
	const size_t before = t->ring_bytes;
	while (n < RING_STEP && t->next - t->first > RING_LEAST && is_past_keeping(t, now_ms)) {
		ring_drop_first(t);
		n++;
	}
	if (n < RING_STEP && t->next - t->first >= RING_LEAST)
		ring_forget(t, now_ms);
	size_t cap = t->cap_ring;
	while (cap > RING_FIRST && t->next - t->first <= cap / 4)
		cap /= 2;
	if (cap < t->cap_ring)
		ring_resize(t, cap);
	const size_t went = before - t->ring_bytes;
	pthread_rwlock_unlock(&t->cache->lock);
	*ret_more = n == RING_STEP;
	return went;
}

static void items_put(struct table *t, size_t index, bool present, struct entry *entry)
{
	if (present) {
		t->bytes -= t->items[index]->size;
		entry_unref(t->items[index]);
	} else {
		mem_grow(&t->items, &t->cap_items, t->n_items + 1, sizeof(*t->items));
		mem_grow(&t->marks, &t->cap_marks, t->n_items + 1, sizeof(*t->marks));
		memmove(t->items + index + 1, t->items + index, (t->n_items - index) * sizeof(*t->items));
		memmove(t->marks + index + 1, t->marks + index, (t->n_items - index) * sizeof(*t->marks));
		t->n_items++;
	}
	t->items[index] = entry;
	t->bytes += entry->size;
	t->untidy += entry->size;
	t->marks[index] = labels_mark(entry->labels, entry->n_labels);
}

static void items_remove(struct table *t, size_t index)
{
	t->bytes -= t->items[index]->size;
	t->untidy += t->items[index]->size;
	entry_unref(t->items[index]);
	t->n_items--;
	memmove(t->items + index, t->items + index + 1, (t->n_items - index) * sizeof(*t->items));
	memmove(t->marks + index, t->marks + index + 1, (t->n_items - index) * sizeof(*t->marks));
}

/* The last state with the revision at which it went: out of the table, or out of somebody's selection. Made when
 * somebody is to be told. */
static struct entry *last_state(struct event *event)
{
	struct entry *last = atomic_load(&event->last);
	if (last)
		return last;
	last = entry_at_revision(event->before, event->revision);
	struct entry *other = NULL;
	if (atomic_compare_exchange_strong(&event->last, &other, last))
		return last;
	entry_unref(last);
	return other;
}

static void tell_subscribers(struct table *t, struct event *event, const ProtobufCMessage *object)
{
	if (!t->n_subscribers)
		return;
	static const enum object_event names[] = {
		[EVENT_ADDED] = OBJECT_ADDED, [EVENT_MODIFIED] = OBJECT_MODIFIED, [EVENT_DELETED] = OBJECT_DELETED};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct object_brief brief = {event->object->key, event->object, entry_field};
	for (size_t i = 0; i < t->n_subscribers; i++) {
		const struct subscriber *s = &t->subscribers[i];
		if (s->wanted && !s->wanted(s->data, &brief))
			continue;
		if (!object)
			object = entry_decode(event->type == EVENT_DELETED ? last_state(event) : event->object, arena);
		s->fn(s->data, names[event->type], object);
	}
}

/* Only the cache's thread adds and removes, so what it has found stays where it is. */
static bool find_for_change(struct table *t, const char *key, size_t *ret_index, struct entry **ret_before)
{
	pthread_rwlock_rdlock(&t->cache->lock);
	const bool present = table_find(t, key, ret_index);
	*ret_before = present ? entry_ref(t->items[*ret_index]) : NULL;
	pthread_rwlock_unlock(&t->cache->lock);
	return present;
}

void table_apply(
	struct table *t, const char *key, struct entry *entry, const ProtobufCMessage *object, int64_t revision)
{
	size_t index;
	CLEANUP(entry_unrefp) struct entry *before = NULL;
	bool present = find_for_change(t, key, &index, &before);
	if (!entry && !present)
		return;
	if (entry && present && before->revision >= entry->revision) {
		entry_unref(entry);
		return;
	}
	struct event *event = event_new(&t->events);
	event->revision = revision;
	event->at_ms = clock_mono_ms(t->cache->clock);
	event->made_up = t->cache->refilling;
	event->before = STEAL(before);
	event->type = !entry ? EVENT_DELETED : present ? EVENT_MODIFIED : EVENT_ADDED;
	event->object = entry_ref(entry ? entry : event->before);
	pthread_rwlock_wrlock(&t->cache->lock);
	if (entry)
		items_put(t, index, present, entry);
	else
		items_remove(t, index);
	t->last_revision = revision;
	/* What is there at the start is no event that anybody may ask for. */
	if (atomic_load(&t->cache->synced)) {
		ring_add(t, event_ref(event));
		atomic_fetch_add_explicit(&t->received, 1, memory_order_relaxed);
	}
	pthread_rwlock_unlock(&t->cache->lock);
	tell_subscribers(t, event, object);
	event_unref(event);
}

/* --- watchers --- */

/* Where events after a revision begin. */
static struct status *place_cursor(struct watcher *w, int64_t revision)
{
	struct table *t = w->table;
	if (revision >= 0 && revision < t->window_start)
		return status_new(STATUS_EXPIRED, "too old resource version: %lld (%lld)", (long long)revision,
			(long long)t->window_start);
	uint64_t low = revision >= 0 ? t->first : t->next;
	for (uint64_t high = t->next; low < high;) {
		const uint64_t middle = low + (high - low) / 2;
		if (t->ring[middle & (t->cap_ring - 1)]->revision > revision)
			high = middle;
		else
			low = middle + 1;
	}
	w->cursor = low;
	w->told = revision >= 0 ? revision : revision_locked(t);
	return NULL;
}

struct status *watcher_new(struct table *t, int64_t revision, const struct watcher_options *options,
	struct snapshot *ret_snapshot, struct watcher **ret_watcher)
{
	const size_t prefix_len = strlen(options->prefix);
	struct watcher *w = mem_zalloc(sizeof(*w) + prefix_len + 1);
	w->table = t;
	w->options = *options;
	memcpy(w->prefix, options->prefix, prefix_len);
	w->prefix_len = prefix_len;
	pthread_mutex_init(&w->lock, NULL);
	pthread_rwlock_rdlock(&t->cache->lock);
	struct status *status = place_cursor(w, revision);
	if (!status && ret_snapshot)
		list_locked(t, w->prefix, w->options.labels, ret_snapshot);
	pthread_rwlock_unlock(&t->cache->lock);
	if (status) {
		pthread_mutex_destroy(&w->lock);
		free(w);
		return status;
	}
	pthread_mutex_lock(&t->watchers_lock);
	w->next = t->watchers;
	if (w->next)
		w->next->prev = w;
	t->watchers = w;
	pthread_mutex_unlock(&t->watchers_lock);
	*ret_watcher = w;
	return NULL;
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	struct table *t = w->table;
	pthread_mutex_lock(&t->watchers_lock);
	if (w->prev)
		w->prev->next = w->next;
	else
		t->watchers = w->next;
	if (w->next)
		w->next->prev = w->prev;
	pthread_mutex_unlock(&t->watchers_lock);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* How an event looks through the selectors; false: not at all. */
static bool see(const struct watcher *w, const struct event *event, enum event_type *ret_type)
{
	if (strncmp(event->object->key, w->prefix, w->prefix_len) != 0)
		return false;
	const struct watcher_options *o = &w->options;
	bool now = event->type != EVENT_DELETED && entry_matches(event->object, o->labels, o->fields);
	bool before = event->alike ? now : event->before && entry_matches(event->before, o->labels, o->fields);
	if (!now && !before)
		return false;
	*ret_type = !now ? EVENT_DELETED : before ? EVENT_MODIFIED : EVENT_ADDED;
	return true;
}

/* The next event that concerns the watcher; both locks are held. Having seen the last one, the watcher waits. */
static struct event *next_locked(struct watcher *w, enum event_type *ret_type)
{
	struct table *t = w->table;
	struct event *found = NULL;
	while (!found && w->cursor < t->next) {
		struct event *event = t->ring[w->cursor++ & (t->cap_ring - 1)];
		w->told = event->revision;
		if (see(w, event, ret_type))
			found = event;
	}
	if (!found) {
		int64_t revision = atomic_load(&t->cache->revision);
		w->told = revision > w->told ? revision : w->told;
	}
	if (w->cursor == t->next)
		atomic_store(&w->waiting, true);
	return found;
}

bool watcher_next(
	struct watcher *w, enum event_type *ret_type, struct entry **ret_object, int64_t *ret_revision, bool *ret_lost)
{
	struct table *t = w->table;
	struct event *found = NULL;
	CLEANUP(event_unrefp) struct event *left = NULL;
	pthread_rwlock_rdlock(&t->cache->lock);
	pthread_mutex_lock(&w->lock);
	*ret_lost = w->cursor < t->first;
	if (!*ret_lost)
		found = next_locked(w, ret_type);
	*ret_revision = w->told;
	if (found && *ret_type == EVENT_DELETED)
		left = event_ref(found);
	else if (found)
		*ret_object = entry_ref(found->object);
	pthread_mutex_unlock(&w->lock);
	pthread_rwlock_unlock(&t->cache->lock);
	/* What left the table or the selection is shown as it was, with the revision of its leaving. */
	if (left)
		*ret_object = entry_ref(last_state(left));
	return found != NULL;
}

bool watcher_waits(const struct watcher *w)
{
	return atomic_load(&w->waiting);
}

/* Whether anything has happened that the watcher is to be told; passes over what is not for it. The cache's lock is
 * held. */
static bool has_news(struct watcher *w)
{
	struct table *t = w->table;
	enum event_type type;
	bool news = false;
	pthread_mutex_lock(&w->lock);
	while (!news && w->cursor >= t->first && w->cursor < t->next) {
		news = see(w, t->ring[w->cursor & (t->cap_ring - 1)], &type);
		if (!news)
			w->told = t->ring[w->cursor++ & (t->cap_ring - 1)]->revision;
	}
	news |= w->cursor < t->first;
	pthread_mutex_unlock(&w->lock);
	return news;
}

/* Waiting watchers are woken for news, or because their time has come; one that is passed over goes on waiting. */
static bool is_due(struct watcher *w, int64_t now_ms)
{
	if (now_ms >= 0)
		return now_ms >= atomic_load(&w->due_ms) && atomic_exchange(&w->waiting, false);
	return atomic_load(&w->waiting) && has_news(w) && atomic_exchange(&w->waiting, false);
}

void watcher_set_due(struct watcher *w, int64_t at_ms)
{
	atomic_store(&w->due_ms, at_ms);
}

/* Thousands of watchers are not in the processor's caches: those of the next are asked for while this one is looked at,
 * in two steps, for the first has to be there to know the second. */
static void look_ahead(const struct watcher *w)
{
	const struct watcher *next = w->next;
	if (!next)
		return;
	__builtin_prefetch(next->options.data);
	for (size_t at = 0; next->next && at < sizeof(*next); at += 64)
		__builtin_prefetch((const char *)next->next + at);
}

void table_notify(struct table *t, int64_t now_ms)
{
	pthread_mutex_lock(&t->watchers_lock);
	pthread_rwlock_rdlock(&t->cache->lock);
	for (struct watcher *w = t->watchers; w; w = w->next) {
		look_ahead(w);
		if (is_due(w, now_ms))
			w->options.notify(w->options.data);
	}
	pthread_rwlock_unlock(&t->cache->lock);
	pthread_mutex_unlock(&t->watchers_lock);
}

void cache_compacted(struct cache *cache, int64_t revision)
{
	if (revision > atomic_load(&cache->compacted))
		atomic_store(&cache->compacted, revision);
}

size_t cache_tick(struct cache *cache)
{
	const int64_t now = clock_mono_ms(cache->clock);
	size_t went = 0;
	const bool tidy = now - cache->tidied_ms >= TIDY_MS;
	if (tidy)
		cache->tidied_ms = now;
	drafts_age(cache->drafts);
	for (size_t i = 0; i < cache->n_tables; i++) {
		for (bool more = true; more;)
			went += ring_age(&cache->tables[i], now, &more);
		if (tidy)
			went += table_tidy(&cache->tables[i]);
		table_notify(&cache->tables[i], now);
	}
	recalls_tick(cache, now);
	return went;
}
