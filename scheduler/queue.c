#include "scheduler/queue.h"
#include <assert.h>
#include "base/mem.h"
#include "base/str.h"

struct heap {
	struct queued_pod **items;
	size_t n, cap;
	bool (*before)(const struct queued_pod *a, const struct queued_pod *b);
};

struct kept_event {
	struct cluster_event event;
	struct event_keep *keep;
	const char *only_uid; /* NULL: concerns every pod (borrowed from new_pod) */
};

struct queue {
	struct queue_config config;
	struct heap heaps[QUEUE_UNSCHEDULABLE]; /* active, backoff, error backoff */
	struct strmap *by_uid;			/* struct queued_pod */
	size_t counts[QUEUE_N_PLACES];
	/* what happened since the oldest pod in flight was popped */
	struct kept_event *events;
	size_t n_events, cap_events;
	uint64_t first_event; /* number of events[0] */
	uint64_t next_number;
	int64_t last_leftover_ms;
};

/* --- heaps --- */

static bool active_before(const struct queued_pod *a, const struct queued_pod *b)
{
	const struct profile *profile = a->profile;
	const struct plugin *sort = profile->plugins[profile->points[POINT_QUEUE_SORT][0]].plugin;
	if (sort->before(a->pod, a->queued_ms, b->pod, b->queued_ms))
		return true;
	return !sort->before(b->pod, b->queued_ms, a->pod, a->queued_ms) && a->number < b->number;
}

static bool backoff_before(const struct queued_pod *a, const struct queued_pod *b)
{
	return a->backoff_until_ms != b->backoff_until_ms ? a->backoff_until_ms < b->backoff_until_ms
							  : active_before(a, b);
}

static void heap_set(struct heap *h, size_t i, struct queued_pod *item)
{
	h->items[i] = item;
	item->index = i;
}

static void heap_sift(struct heap *h, size_t i)
{
	struct queued_pod *item = h->items[i];
	while (i && h->before(item, h->items[(i - 1) / 2])) {
		heap_set(h, i, h->items[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
		if (child + 1 < h->n && h->before(h->items[child + 1], h->items[child]))
			child++;
		if (!h->before(h->items[child], item))
			break;
		heap_set(h, i, h->items[child]);
	}
	heap_set(h, i, item);
}

static void heap_push(struct heap *h, struct queued_pod *item)
{
	mem_grow(&h->items, &h->cap, h->n + 1, sizeof *h->items);
	heap_set(h, h->n++, item);
	heap_sift(h, item->index);
}

static void heap_remove(struct heap *h, struct queued_pod *item)
{
	size_t i = item->index;
	assert(i < h->n && h->items[i] == item);
	struct queued_pod *last = h->items[--h->n];
	if (last == item)
		return;
	heap_set(h, i, last);
	heap_sift(h, i);
}

/* --- life --- */

static void item_free(void *p)
{
	struct queued_pod *item = p;
	pod_info_unref(item->pod);
	free(item);
}

struct queue *queue_new(const struct queue_config *config)
{
	struct queue *q = mem_zalloc(sizeof *q);
	q->config = *config;
	q->by_uid = strmap_new(item_free);
	q->heaps[QUEUE_ACTIVE].before = active_before;
	q->heaps[QUEUE_BACKOFF].before = q->heaps[QUEUE_ERROR_BACKOFF].before = backoff_before;
	q->last_leftover_ms = clock_mono_ms(config->clock);
	return q;
}

static void event_release(struct kept_event *kept)
{
	pod_info_unref((struct pod_info *)(uintptr_t)kept->event.old_pod);
	pod_info_unref((struct pod_info *)(uintptr_t)kept->event.new_pod);
	if (kept->keep && !--kept->keep->refs) {
		kept->keep->release(kept->keep->data);
		free(kept->keep);
	}
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->n_events; i++)
		event_release(&q->events[i]);
	free(q->events);
	strmap_free(q->by_uid);
	for (size_t i = 0; i < ARRAY_SIZE(q->heaps); i++)
		free(q->heaps[i].items);
	free(q);
}

static void leave(struct queue *q, struct queued_pod *item)
{
	if (item->place < QUEUE_UNSCHEDULABLE)
		heap_remove(&q->heaps[item->place], item);
	q->counts[item->place]--;
}

static void enter(struct queue *q, struct queued_pod *item, enum queue_place place)
{
	item->place = place;
	if (place < QUEUE_UNSCHEDULABLE)
		heap_push(&q->heaps[place], item);
	q->counts[place]++;
}

static void move(struct queue *q, struct queued_pod *item, enum queue_place place)
{
	leave(q, item);
	enter(q, item, place);
}

/* --- back-off --- */

int64_t queue_backoff_ms(const struct queue_config *config, int count)
{
	int64_t wait_ms = config->initial_backoff_ms;
	for (int i = 1; i < count && wait_ms < config->max_backoff_ms; i++)
		wait_ms *= 2;
	return count <= 0 ? 0 : wait_ms < config->max_backoff_ms ? wait_ms : config->max_backoff_ms;
}

static int64_t backoff_until(struct queue *q, struct queued_pod *item)
{
	int count = item->consecutive_errors ? item->consecutive_errors : item->unschedulable_count;
	if (!count)
		return 0;
	if (!item->backoff_until_ms)
		item->backoff_until_ms = item->queued_ms + queue_backoff_ms(&q->config, count);
	return item->backoff_until_ms;
}

static bool is_backing_off(struct queue *q, struct queued_pod *item)
{
	return backoff_until(q, item) > clock_mono_ms(q->config.clock);
}

/* --- moving --- */

/* Asks the pre-enqueue plugins; a pod that one of them holds stays with the unschedulable. */
static bool gated(struct queue *q, struct queued_pod *item)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	struct verdict verdict = framework_pre_enqueue(item->profile, arena, item->pod, item->gate);
	if (verdict.code == VERDICT_SUCCESS) {
		item->gate = -1;
		return false;
	}
	item->gate = verdict.plugin;
	item->unschedulable |= 1u << verdict.plugin;
	return true;
}

static void to_active(struct queue *q, struct queued_pod *item, bool check_gates)
{
	if (check_gates && gated(q, item)) {
		if (item->place == QUEUE_IN_FLIGHT)
			move(q, item, QUEUE_UNSCHEDULABLE);
		return;
	}
	move(q, item, QUEUE_ACTIVE);
}

static void to_backoff(struct queue *q, struct queued_pod *item)
{
	if (gated(q, item)) {
		move(q, item, QUEUE_UNSCHEDULABLE);
		return;
	}
	move(q, item, item->unschedulable | item->pending ? QUEUE_BACKOFF : QUEUE_ERROR_BACKOFF);
}

enum worth { WORTH_NOTHING, WORTH_BACKOFF, WORTH_NOW };

static enum worth worth_of(const struct queued_pod *item, const struct cluster_event *event)
{
	if (!(item->unschedulable | item->pending) || event->resource == EVENT_WILDCARD)
		return WORTH_BACKOFF;
	if (profile_event_helps(item->profile, item->pending, item->pod, event))
		return WORTH_NOW;
	return profile_event_helps(item->profile, item->unschedulable, item->pod, event) ? WORTH_BACKOFF
											 : WORTH_NOTHING;
}

static void requeue_as(struct queue *q, struct queued_pod *item, enum worth worth)
{
	if (worth == WORTH_NOTHING)
		move(q, item, QUEUE_UNSCHEDULABLE);
	else if (worth == WORTH_BACKOFF && is_backing_off(q, item))
		to_backoff(q, item);
	else
		to_active(q, item, true);
}

void queue_add(struct queue *q, const struct profile *profile, struct pod_info *pod)
{
	struct queued_pod *item = strmap_get(q->by_uid, pod->uid);
	if (item)
		return;
	item = mem_zalloc(sizeof *item);
	item->pod = pod_info_ref(pod);
	item->profile = profile;
	item->queued_ms = clock_mono_ms(q->config.clock);
	item->gate = -1;
	item->number = ++q->next_number;
	strmap_put(q->by_uid, pod->uid, item);
	enter(q, item, QUEUE_UNSCHEDULABLE);
	to_active(q, item, true);
}

static void remember(struct queue *q, const struct cluster_event *event, struct event_keep *keep, const char *only_uid)
{
	if (!q->counts[QUEUE_IN_FLIGHT])
		return;
	struct kept_event kept = {.event = *event, .keep = keep, .only_uid = only_uid};
	if (event->old_pod)
		pod_info_ref((struct pod_info *)(uintptr_t)event->old_pod);
	if (event->new_pod)
		pod_info_ref((struct pod_info *)(uintptr_t)event->new_pod);
	if (keep)
		keep->refs++;
	mem_grow(&q->events, &q->cap_events, q->n_events + 1, sizeof *q->events);
	q->events[q->n_events++] = kept;
}

static void replace_pod(struct queued_pod *item, struct pod_info *pod)
{
	pod_info_ref(pod);
	pod_info_unref(item->pod);
	item->pod = pod;
}

/* Each change of the pod itself is an event for the plugins that rejected it. */
static enum worth worth_of_changes(
	struct queued_pod *item, const struct pod_info *old_pod, const struct pod_info *pod, unsigned changes)
{
	enum worth best = WORTH_NOTHING;
	for (unsigned bit = 1; bit <= EVENT_ALL; bit <<= 1) {
		if (!(changes & bit))
			continue;
		struct cluster_event event = {EVENT_UNSCHEDULED_POD, bit, old_pod, pod, NULL, NULL};
		enum worth worth = worth_of(item, &event);
		if (worth > best)
			best = worth;
	}
	return best;
}

void queue_update(struct queue *q, const struct profile *profile, const struct pod_info *old_pod, struct pod_info *pod)
{
	struct queued_pod *item = strmap_get(q->by_uid, pod->uid);
	if (!item) {
		queue_add(q, profile, pod);
		return;
	}
	unsigned changes = pod_changes(old_pod, pod);
	if (item->place == QUEUE_IN_FLIGHT) {
		for (unsigned bit = 1; bit <= EVENT_ALL; bit <<= 1) {
			struct cluster_event event = {EVENT_UNSCHEDULED_POD, bit, old_pod, pod, NULL, NULL};
			if (changes & bit)
				remember(q, &event, NULL, pod->uid);
		}
		return;
	}
	enum queue_place place = item->place;
	leave(q, item);
	replace_pod(item, pod);
	enter(q, item, place);
	if (place != QUEUE_UNSCHEDULABLE)
		return;
	enum worth worth = worth_of_changes(item, old_pod, pod, changes);
	if (worth != WORTH_NOTHING)
		requeue_as(q, item, worth);
}

void queue_delete(struct queue *q, const char *uid)
{
	struct queued_pod *item = strmap_get(q->by_uid, uid);
	if (!item)
		return;
	if (item->place == QUEUE_IN_FLIGHT) {
		item->deleted = true;
		return;
	}
	leave(q, item);
	strmap_remove(q->by_uid, uid);
}

struct queued_pod *queue_pop(struct queue *q)
{
	struct heap *heap = q->heaps[QUEUE_ACTIVE].n ? &q->heaps[QUEUE_ACTIVE] : &q->heaps[QUEUE_BACKOFF];
	if (!heap->n)
		return NULL;
	struct queued_pod *item = heap->items[0];
	move(q, item, QUEUE_IN_FLIGHT);
	item->attempts++;
	item->unschedulable = item->pending = 0;
	item->since_event = q->first_event + q->n_events;
	if (!item->first_attempt_ms)
		item->first_attempt_ms = clock_mono_ms(q->config.clock);
	return item;
}

/* Forgets events that no pod in flight will ask for. */
static void forget_events(struct queue *q)
{
	uint64_t keep_from = q->first_event + q->n_events;
	if (q->counts[QUEUE_IN_FLIGHT] && q->n_events) {
		STRMAP_FOREACH (q->by_uid, it) {
			const struct queued_pod *item = it.value;
			if (item->place == QUEUE_IN_FLIGHT && item->since_event < keep_from)
				keep_from = item->since_event;
		}
	}
	size_t n = (size_t)(keep_from - q->first_event);
	for (size_t i = 0; i < n; i++)
		event_release(&q->events[i]);
	if (n)
		memmove(q->events, q->events + n, (q->n_events - n) * sizeof *q->events);
	q->n_events -= n;
	q->first_event = keep_from;
}

void queue_done(struct queue *q, struct queued_pod *item)
{
	assert(item->place == QUEUE_IN_FLIGHT);
	leave(q, item);
	CLEANUP_FREE char *uid = mem_strdup(item->pod->uid);
	strmap_remove(q->by_uid, uid);
	forget_events(q);
}

/* What happened while the pod was in flight. */
static enum worth worth_of_missed(const struct queue *q, const struct queued_pod *item)
{
	enum worth best = WORTH_NOTHING;
	for (size_t i = (size_t)(item->since_event - q->first_event); i < q->n_events && best < WORTH_NOW; i++) {
		const struct kept_event *kept = &q->events[i];
		if (kept->only_uid && !str_eq(kept->only_uid, item->pod->uid))
			continue;
		enum worth worth = worth_of(item, &kept->event);
		if (worth > best)
			best = worth;
	}
	return best;
}

void queue_requeue(
	struct queue *q, struct queued_pod *item, struct pod_info *pod, plugin_set unschedulable, plugin_set pending)
{
	assert(item->place == QUEUE_IN_FLIGHT);
	if (item->deleted) {
		queue_done(q, item);
		return;
	}
	if (pod)
		replace_pod(item, pod);
	item->unschedulable = unschedulable;
	item->pending = pending;
	item->queued_ms = clock_mono_ms(q->config.clock);
	item->backoff_until_ms = 0;
	if (unschedulable | pending) {
		item->unschedulable_count++;
		item->consecutive_errors = 0;
		requeue_as(q, item, worth_of_missed(q, item));
	} else {
		item->consecutive_errors++;
		requeue_as(q, item, WORTH_BACKOFF);
	}
	forget_events(q);
}

void queue_event(struct queue *q, const struct cluster_event *event, struct event_keep *keep,
	bool (*may_help)(void *data, const struct pod_info *pod), void *data)
{
	remember(q, event, keep, NULL);
	if (!q->counts[QUEUE_UNSCHEDULABLE])
		return;
	STRMAP_FOREACH (q->by_uid, it) {
		struct queued_pod *item = it.value;
		if (item->place != QUEUE_UNSCHEDULABLE || (may_help && !may_help(data, item->pod)))
			continue;
		enum worth worth = worth_of(item, event);
		if (worth != WORTH_NOTHING)
			requeue_as(q, item, worth);
	}
}

void queue_activate(struct queue *q, const char *uid)
{
	struct queued_pod *item = strmap_get(q->by_uid, uid);
	static const struct cluster_event force = {.resource = EVENT_WILDCARD, .action = EVENT_ALL};
	if (!item)
		return;
	if (item->place == QUEUE_IN_FLIGHT)
		remember(q, &force, NULL, item->pod->uid);
	else if (item->place != QUEUE_ACTIVE)
		to_active(q, item, true);
}

static void flush_heap(struct queue *q, enum queue_place place)
{
	struct heap *heap = &q->heaps[place];
	while (heap->n && !is_backing_off(q, heap->items[0]))
		to_active(q, heap->items[0], false);
}

static void flush_leftover(struct queue *q)
{
	static const struct cluster_event timeout = {.resource = EVENT_WILDCARD, .action = EVENT_ALL};
	int64_t now = clock_mono_ms(q->config.clock);
	if (now - q->last_leftover_ms < 30000)
		return;
	q->last_leftover_ms = now;
	STRMAP_FOREACH (q->by_uid, it) {
		struct queued_pod *item = it.value;
		if (item->place == QUEUE_UNSCHEDULABLE && now - item->queued_ms > q->config.max_unschedulable_ms)
			requeue_as(q, item, worth_of(item, &timeout));
	}
}

int64_t queue_flush(struct queue *q)
{
	flush_heap(q, QUEUE_BACKOFF);
	flush_heap(q, QUEUE_ERROR_BACKOFF);
	flush_leftover(q);
	int64_t now = clock_mono_ms(q->config.clock), next = -1;
	for (enum queue_place place = QUEUE_BACKOFF; place <= QUEUE_ERROR_BACKOFF; place++) {
		if (!q->heaps[place].n)
			continue;
		int64_t wait = q->heaps[place].items[0]->backoff_until_ms - now;
		if (next < 0 || wait < next)
			next = wait > 0 ? wait : 0;
	}
	if (q->counts[QUEUE_UNSCHEDULABLE] && (next < 0 || next > 30000))
		next = 30000;
	return next;
}

size_t queue_count(const struct queue *q, enum queue_place place)
{
	return q->counts[place];
}

struct queued_pod *queue_find(const struct queue *q, const char *uid)
{
	return strmap_get(q->by_uid, uid);
}
