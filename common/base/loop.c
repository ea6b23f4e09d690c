#include "base/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/mem.h"

enum { MAX_EVENTS = 64 };

struct loop_fd {
	struct loop *loop;
	int fd;
	void (*fn)(void *, unsigned);
	void *data;
	bool cancelled;
	struct loop_fd *next_dead;
};

struct loop_timer {
	struct loop *loop;
	int64_t due_ms;
	uint64_t seq; /* orders timers due at the same time */
	size_t pos;   /* in the heap */
	void (*fn)(void *);
	void *data;
};

struct posted {
	struct posted *next;
	void (*fn)(void *);
	void *data;
};

struct loop {
	const struct clock *clock;
	int epoll_fd, event_fd;
	atomic_bool stopping;
	struct loop_timer **heap;
	size_t n_timers, cap_timers;
	uint64_t next_seq;
	struct loop_fd *dead; /* cancelled during dispatch; freed at its end */
	size_t n_fds;
	pthread_mutex_t lock; /* guards the posted list */
	struct posted *first, *last;
};

struct loop *loop_new(const struct clock *clock)
{
	struct loop *loop = mem_zalloc(sizeof(*loop));
	loop->clock = clock;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(loop->epoll_fd >= 0 && loop->event_fd >= 0);
	pthread_mutex_init(&loop->lock, NULL);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->event_fd, &e);
	return loop;
}

static void free_dead(struct loop *loop)
{
	while (loop->dead) {
		struct loop_fd *w = loop->dead;
		loop->dead = w->next_dead;
		free(w);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->n_timers)
		loop_timer_cancel(loop->heap[0]);
	free(loop->heap);
	free_dead(loop);
	while (loop->first) {
		struct posted *p = loop->first;
		loop->first = p->next;
		free(p);
	}
	close(loop->epoll_fd);
	close(loop->event_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static void wake(struct loop *loop)
{
	uint64_t one = 1;
	ssize_t n = write(loop->event_fd, &one, sizeof(one));
	(void)n; /* full means that a wake-up is pending already */
}

void loop_post(struct loop *loop, void (*fn)(void *data), void *data)
{
	struct posted *p = mem_alloc(sizeof(*p));
	*p = (struct posted){NULL, fn, data};
	pthread_mutex_lock(&loop->lock);
	bool was_empty = !loop->first;
	if (was_empty)
		loop->first = p;
	else
		loop->last->next = p;
	loop->last = p;
	pthread_mutex_unlock(&loop->lock);
	if (was_empty)
		wake(loop);
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopping, true);
	wake(loop);
}

static void run_posted(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	struct posted *p = loop->first;
	loop->first = loop->last = NULL;
	pthread_mutex_unlock(&loop->lock);
	while (p) {
		struct posted *next = p->next;
		p->fn(p->data);
		free(p);
		p = next;
	}
}

struct loop_fd *loop_watch(
	struct loop *loop, int fd, unsigned events, void (*fn)(void *data, unsigned events), void *data)
{
	struct loop_fd *w = mem_zalloc(sizeof(*w));
	*w = (struct loop_fd){.loop = loop, .fd = fd, .fn = fn, .data = data};
	struct epoll_event e = {.events = events, .data.ptr = w};
	int r = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &e);
	assert(r == 0);
	loop->n_fds++;
	return w;
}

void loop_watch_change(struct loop_fd *w, unsigned events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};
	epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &e);
}

void loop_watch_cancel(struct loop_fd *w)
{
	if (!w || w->cancelled)
		return;
	epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->cancelled = true;
	w->next_dead = w->loop->dead;
	w->loop->dead = w;
	w->loop->n_fds--;
}

static bool timer_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void heap_set(struct loop *loop, size_t pos, struct loop_timer *t)
{
	loop->heap[pos] = t;
	t->pos = pos;
}

static void sift_up(struct loop *loop, struct loop_timer *t)
{
	size_t pos = t->pos;
	while (pos && timer_before(t, loop->heap[(pos - 1) / 2])) {
		heap_set(loop, pos, loop->heap[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	heap_set(loop, pos, t);
}

static void sift_down(struct loop *loop, struct loop_timer *t)
{
	size_t pos = t->pos;
	for (;;) {
		size_t child = pos * 2 + 1;
		if (child >= loop->n_timers)
			break;
		if (child + 1 < loop->n_timers && timer_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!timer_before(loop->heap[child], t))
			break;
		heap_set(loop, pos, loop->heap[child]);
		pos = child;
	}
	heap_set(loop, pos, t);
}

struct loop_timer *loop_timer(struct loop *loop, int64_t delay_ms, void (*fn)(void *data), void *data)
{
	struct loop_timer *t = mem_zalloc(sizeof(*t));
	*t = (struct loop_timer){.loop = loop, .fn = fn, .data = data, .seq = loop->next_seq++};
	t->due_ms = clock_mono_ms(loop->clock) + (delay_ms > 0 ? delay_ms : 0);
	mem_grow(&loop->heap, &loop->cap_timers, loop->n_timers + 1, sizeof(*loop->heap));
	heap_set(loop, loop->n_timers++, t);
	sift_up(loop, t);
	return t;
}

void loop_timer_cancel(struct loop_timer *t)
{
	if (!t)
		return;
	struct loop *loop = t->loop;
	struct loop_timer *last = loop->heap[--loop->n_timers];
	if (last != t) {
		heap_set(loop, t->pos, last);
		sift_down(loop, last);
		sift_up(loop, last);
	}
	free(t);
}

/* Runs what is due now; timers that these start wait for the next turn. */
static void run_timers(struct loop *loop)
{
	int64_t now = clock_mono_ms(loop->clock);
	uint64_t limit = loop->next_seq;
	while (loop->n_timers && loop->heap[0]->due_ms <= now && loop->heap[0]->seq < limit) {
		struct loop_timer *t = loop->heap[0];
		void (*fn)(void *) = t->fn;
		void *data = t->data;
		loop_timer_cancel(t);
		fn(data);
	}
}

static int wait_ms(const struct loop *loop, int timeout_ms)
{
	if (!loop->n_timers)
		return timeout_ms;
	int64_t until = loop->heap[0]->due_ms - clock_mono_ms(loop->clock);
	if (until < 0)
		until = 0;
	if (until > 60000)
		until = 60000;
	return timeout_ms >= 0 && timeout_ms < until ? timeout_ms : (int)until;
}

void loop_turn(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(loop->epoll_fd, events, MAX_EVENTS, wait_ms(loop, timeout_ms));
	for (int i = 0; i < n; i++) {
		struct loop_fd *w = events[i].data.ptr;
		if (!w) {
			uint64_t count;
			ssize_t r = read(loop->event_fd, &count, sizeof(count));
			(void)r;
		} else if (!w->cancelled) {
			w->fn(w->data, events[i].events);
		}
	}
	free_dead(loop);
	run_posted(loop);
	run_timers(loop);
	free_dead(loop);
}

void loop_run(struct loop *loop)
{
	while (!atomic_load(&loop->stopping))
		loop_turn(loop, -1);
	atomic_store(&loop->stopping, false);
}
