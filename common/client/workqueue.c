#include "client/workqueue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include "base/cond.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "client/backoff.h"

/* What is known of one key. It exists as long as it is queued, in process, delayed or remembered for its failures. */
struct item {
	bool queued;	 /* waits in the FIFO */
	bool processing; /* handed out */
	bool dirty;	 /* added while being processed */
	int failures;
	size_t heap_pos; /* 1-based; 0: not delayed */
	int64_t due_ms;
	int64_t added_ns, started_ns;
	uint64_t seq;
	struct item *next; /* in the FIFO */
	char key[];
};

struct workqueue {
	char *name;
	const struct clock *clock;
	struct workqueue_options options;
	struct rate_limiter *limiter; /* NULL: no overall limit */
	pthread_mutex_t lock;	      /* guards all below */
	pthread_cond_t wake;	      /* for who waits for a key */
	size_t n_waiting;	      /* of the workers */
	struct workqueue_run *run;    /* the workers; NULL: there are none */
	struct strmap *items;
	struct item *first, *last;
	size_t n_ready;
	struct item **heap; /* delayed, the soonest first */
	size_t n_delayed, cap_delayed;
	uint64_t next_seq;
	bool shut_down;
	struct workqueue_figures figures; /* what only grows */
};

/* Threads that come when there is something to do, and go when there has been nothing for a while. */
struct workqueue_run {
	struct workqueue *q;
	workqueue_sync *sync;
	void *data;
	struct workers *workers;
	size_t n_active, n_most; /* guarded by the queue's lock, as the next is */
	pthread_cond_t ended;	 /* none is active */
};

struct workqueue *workqueue_new_with(
	const char *name, const struct clock *clock, const struct workqueue_options *options)
{
	struct workqueue *q = mem_zalloc(sizeof(*q));
	q->name = mem_strdup(name);
	q->clock = clock;
	if (options)
		q->options = *options;
	struct workqueue_options *o = &q->options;
	o->base_delay_ms = o->base_delay_ms ? o->base_delay_ms : 5;
	o->max_delay_ms = o->max_delay_ms ? o->max_delay_ms : 1000 * 1000;
	if (o->qps >= 0)
		q->limiter = rate_limiter_new(clock, o->qps > 0 ? o->qps : 10, o->burst ? o->burst : 100);
	q->items = strmap_new(free);
	pthread_mutex_init(&q->lock, NULL);
	cond_init(&q->wake);
	return q;
}

struct workqueue *workqueue_new(const char *name, const struct clock *clock)
{
	return workqueue_new_with(name, clock, NULL);
}

void workqueue_free(struct workqueue *q)
{
	if (!q)
		return;
	rate_limiter_free(q->limiter);
	strmap_free(q->items);
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
	free(q->heap);
	free(q->name);
	free(q);
}

const char *workqueue_name(const struct workqueue *q)
{
	return q->name;
}

/* --- the delayed ones: a heap by due time --- */

static bool before(const struct item *a, const struct item *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void heap_put(struct workqueue *q, size_t pos, struct item *item)
{
	q->heap[pos - 1] = item;
	item->heap_pos = pos;
}

static void heap_up(struct workqueue *q, struct item *item)
{
	size_t pos = item->heap_pos;
	for (; pos > 1 && before(item, q->heap[pos / 2 - 1]); pos /= 2)
		heap_put(q, pos, q->heap[pos / 2 - 1]);
	heap_put(q, pos, item);
}

static void heap_down(struct workqueue *q, struct item *item)
{
	size_t pos = item->heap_pos;
	for (;;) {
		size_t child = pos * 2;
		if (child > q->n_delayed)
			break;
		if (child < q->n_delayed && before(q->heap[child], q->heap[child - 1]))
			child++;
		if (!before(q->heap[child - 1], item))
			break;
		heap_put(q, pos, q->heap[child - 1]);
		pos = child;
	}
	heap_put(q, pos, item);
}

static void heap_remove(struct workqueue *q, struct item *item)
{
	struct item *last = q->heap[--q->n_delayed];
	if (last != item) {
		heap_put(q, item->heap_pos, last);
		heap_down(q, last);
		heap_up(q, last);
	}
	item->heap_pos = 0;
}

/* --- figures --- */

static const double bounds[WORKQUEUE_BOUNDS] = {1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000};

const double *workqueue_bounds(void)
{
	return bounds;
}

static void observe(struct workqueue_times *times, int64_t ns)
{
	double seconds = (double)ns / 1e9;
	size_t i = 0;
	while (i < WORKQUEUE_BOUNDS && seconds > bounds[i])
		i++;
	times->counts[i]++;
	times->sum_s += seconds;
}

void workqueue_figures(struct workqueue *q, struct workqueue_figures *ret_figures)
{
	pthread_mutex_lock(&q->lock);
	int64_t now = clock_mono_ns(q->clock);
	*ret_figures = q->figures;
	ret_figures->depth = q->n_ready;
	STRMAP_FOREACH (q->items, it) {
		const struct item *item = it.value;
		double seconds = item->processing ? (double)(now - item->started_ns) / 1e9 : 0;
		ret_figures->unfinished_s += seconds;
		if (seconds > ret_figures->longest_s)
			ret_figures->longest_s = seconds;
	}
	pthread_mutex_unlock(&q->lock);
}

/* --- items; the lock is held --- */

static void work(void *data);

/* As long as keys wait or are to come, somebody waits for them, unless as many as there may be are busy. */
static void want_worker(struct workqueue *q)
{
	struct workqueue_run *run = q->run;
	if (!run || q->n_waiting || run->n_active == run->n_most || (!q->first && !q->n_delayed))
		return;
	run->n_active++;
	if (!workers_submit(run->workers, work, run))
		assert(!"a pool that takes as many as it has threads");
}

static struct item *item_get(struct workqueue *q, const char *key)
{
	struct item *item = strmap_get(q->items, key);
	if (!item) {
		size_t size = strlen(key) + 1;
		item = mem_zalloc(sizeof(*item) + size);
		memcpy(item->key, key, size);
		strmap_put(q->items, key, item);
	}
	return item;
}

static void item_maybe_drop(struct workqueue *q, struct item *item)
{
	if (!item->queued && !item->processing && !item->heap_pos && !item->failures)
		strmap_remove(q->items, item->key);
}

static void enqueue(struct workqueue *q, struct item *item)
{
	item->queued = true;
	item->next = NULL;
	if (q->last)
		q->last->next = item;
	else
		q->first = item;
	q->last = item;
	q->n_ready++;
	pthread_cond_signal(&q->wake);
}

static void make_ready(struct workqueue *q, struct item *item)
{
	if (q->shut_down || item->queued)
		return;
	if (item->processing && item->dirty)
		return;
	q->figures.adds++;
	item->added_ns = clock_mono_ns(q->clock);
	if (item->processing) {
		item->dirty = true;
		return;
	}
	enqueue(q, item);
}

static void enqueue_again(struct workqueue *q, struct item *item)
{
	if (!q->shut_down)
		enqueue(q, item);
}

static void add_after(struct workqueue *q, const char *key, int64_t delay_ms)
{
	if (q->shut_down)
		return;
	struct item *item = item_get(q, key);
	if (delay_ms <= 0) {
		make_ready(q, item);
		want_worker(q);
		return;
	}
	int64_t due = clock_mono_ms(q->clock) + delay_ms;
	if (item->heap_pos) {
		if (due < item->due_ms) {
			item->due_ms = due;
			heap_up(q, item);
		}
	} else {
		item->due_ms = due;
		item->seq = q->next_seq++;
		mem_grow(&q->heap, &q->cap_delayed, q->n_delayed + 1, sizeof(*q->heap));
		heap_put(q, ++q->n_delayed, item);
		heap_up(q, item);
	}
	/* Whoever waits may have to wait for less. */
	if (item->heap_pos == 1)
		pthread_cond_broadcast(&q->wake);
	want_worker(q);
}

/* Moves what has become due into the FIFO; returns milliseconds to the next one, -1 if there is none. */
static int64_t move_due(struct workqueue *q)
{
	int64_t now = clock_mono_ms(q->clock);
	while (q->n_delayed && q->heap[0]->due_ms <= now) {
		struct item *item = q->heap[0];
		heap_remove(q, item);
		make_ready(q, item);
	}
	return q->n_delayed ? q->heap[0]->due_ms - now : -1;
}

static char *take(struct workqueue *q)
{
	struct item *item = q->first;
	q->first = item->next;
	if (!q->first)
		q->last = NULL;
	q->n_ready--;
	item->queued = false;
	item->processing = true;
	item->started_ns = clock_mono_ns(q->clock);
	observe(&q->figures.waits, item->started_ns - item->added_ns);
	want_worker(q);
	return mem_strdup(item->key);
}

static void wait_ms(struct workqueue *q, int64_t ms)
{
	cond_wait_until(&q->wake, &q->lock, ms < 0 ? -1 : cond_deadline_ms(ms));
}

void workqueue_add(struct workqueue *q, const char *key)
{
	pthread_mutex_lock(&q->lock);
	add_after(q, key, 0);
	pthread_mutex_unlock(&q->lock);
}

void workqueue_add_after(struct workqueue *q, const char *key, int64_t delay_ms)
{
	pthread_mutex_lock(&q->lock);
	q->figures.retries += !q->shut_down;
	add_after(q, key, delay_ms);
	pthread_mutex_unlock(&q->lock);
}

void workqueue_add_rate_limited(struct workqueue *q, const char *key)
{
	int64_t overall = q->limiter ? rate_limiter_reserve(q->limiter) : 0;
	pthread_mutex_lock(&q->lock);
	if (!q->shut_down) {
		struct item *item = item_get(q, key);
		int64_t delay = q->options.base_delay_ms;
		for (int i = 0; i < item->failures && delay < q->options.max_delay_ms; i++)
			delay *= 2;
		if (delay > q->options.max_delay_ms)
			delay = q->options.max_delay_ms;
		item->failures++;
		q->figures.retries++;
		add_after(q, key, delay > overall ? delay : overall);
	}
	pthread_mutex_unlock(&q->lock);
}

void workqueue_forget(struct workqueue *q, const char *key)
{
	pthread_mutex_lock(&q->lock);
	struct item *item = strmap_get(q->items, key);
	if (item) {
		item->failures = 0;
		item_maybe_drop(q, item);
	}
	pthread_mutex_unlock(&q->lock);
}

int workqueue_requeues(struct workqueue *q, const char *key)
{
	pthread_mutex_lock(&q->lock);
	struct item *item = strmap_get(q->items, key);
	int n = item ? item->failures : 0;
	pthread_mutex_unlock(&q->lock);
	return n;
}

size_t workqueue_len(struct workqueue *q)
{
	pthread_mutex_lock(&q->lock);
	move_due(q);
	size_t n = q->n_ready;
	pthread_mutex_unlock(&q->lock);
	return n;
}

static char *get(struct workqueue *q, bool wait)
{
	char *key = NULL;
	pthread_mutex_lock(&q->lock);
	for (;;) {
		int64_t next = move_due(q);
		if (q->first)
			key = take(q);
		if (key || q->shut_down || !wait)
			break;
		wait_ms(q, next);
	}
	pthread_mutex_unlock(&q->lock);
	return key;
}

char *workqueue_get(struct workqueue *q)
{
	return get(q, true);
}

char *workqueue_try_get(struct workqueue *q)
{
	return get(q, false);
}

void workqueue_done(struct workqueue *q, const char *key)
{
	pthread_mutex_lock(&q->lock);
	struct item *item = strmap_get(q->items, key);
	if (item && item->processing) {
		item->processing = false;
		bool again = item->dirty;
		item->dirty = false;
		observe(&q->figures.syncs, clock_mono_ns(q->clock) - item->started_ns);
		if (again)
			enqueue_again(q, item);
		item_maybe_drop(q, item);
	}
	pthread_mutex_unlock(&q->lock);
}

void workqueue_shutdown(struct workqueue *q)
{
	pthread_mutex_lock(&q->lock);
	q->shut_down = true;
	while (q->n_delayed) {
		struct item *item = q->heap[0];
		heap_remove(q, item);
		item_maybe_drop(q, item);
	}
	pthread_cond_broadcast(&q->wake);
	if (q->run)
		pthread_cond_broadcast(&q->run->ended);
	pthread_mutex_unlock(&q->lock);
}

bool workqueue_is_shut_down(struct workqueue *q)
{
	pthread_mutex_lock(&q->lock);
	bool shut_down = q->shut_down;
	pthread_mutex_unlock(&q->lock);
	return shut_down;
}

/* --- workers over a queue --- */

static void report(struct workqueue *q, const char *key, const struct status *error)
{
	bool race = error->reason == STATUS_CONFLICT || error->reason == STATUS_ALREADY_EXISTS;
	if (!race)
		log_error("sync failed: queue=%s key=%s err=\"%s\"", q->name, key, error->message);
	else
		log_v(4, "sync lost a race: queue=%s key=%s err=\"%s\"", q->name, key, error->message);
}

/* The next key. NULL: there is nothing to do, or others wait for it, and this worker is no longer active. */
static char *next_key(struct workqueue_run *run)
{
	struct workqueue *q = run->q;
	char *key = NULL;
	pthread_mutex_lock(&q->lock);
	for (;;) {
		int64_t next = move_due(q);
		if (q->first)
			key = take(q);
		if (key || q->shut_down || q->n_waiting || next < 0)
			break;
		q->n_waiting++;
		wait_ms(q, next);
		q->n_waiting--;
	}
	if (!key && --run->n_active == 0)
		pthread_cond_broadcast(&run->ended);
	pthread_mutex_unlock(&q->lock);
	return key;
}

static void work(void *data)
{
	struct workqueue_run *run = data;
	struct workqueue *q = run->q;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (char *key; (key = next_key(run)); free(key)) {
		struct status *error = run->sync(run->data, arena, key);
		if (error) {
			if (!workqueue_is_shut_down(q))
				report(q, key, error);
			status_free(error);
			workqueue_add_rate_limited(q, key);
		} else {
			workqueue_forget(q, key);
		}
		workqueue_done(q, key);
		arena_reset(arena);
	}
}

struct workqueue_run *workqueue_run(struct workqueue *q, size_t n_threads, workqueue_sync *sync, void *data)
{
	struct workqueue_run *run = mem_zalloc(sizeof(*run));
	*run = (struct workqueue_run){.q = q, .sync = sync, .data = data, .n_most = n_threads};
	run->workers = workers_new(q->name, n_threads, n_threads);
	cond_init(&run->ended);
	pthread_mutex_lock(&q->lock);
	q->run = run;
	want_worker(q);
	pthread_mutex_unlock(&q->lock);
	return run;
}

void workqueue_join(struct workqueue_run *run)
{
	struct workqueue *q = run->q;
	pthread_mutex_lock(&q->lock);
	while (!q->shut_down || run->n_active)
		pthread_cond_wait(&run->ended, &q->lock);
	q->run = NULL;
	pthread_mutex_unlock(&q->lock);
	workers_free(run->workers);
	pthread_cond_destroy(&run->ended);
	free(run);
}
