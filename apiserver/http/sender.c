#include "apiserver/http/sender.h"
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "apiserver/http/server_private.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/workers.h"
#include "serve/burst.h"
#include "serve/outlet.h"

/* After so much, others have their turn. */
#define TURN_BYTES (256u << 10)
#define TURNS 64
/* A client that takes nothing for so long is given up, as the listener gives up an idle one. */
#define PATIENCE_MS 180000
#define CACHE_LINE 64
#define STREAM_BYTES 256 /* what is mostly used of a stream's own data; a guess that can do no harm */

struct sender_thread {
	struct loop *loop;
	pthread_t thread;
	_Atomic(struct outgoing *) woken; /* have something to do, the latest first */
	atomic_bool posted;
	/* The thread's own. */
	struct outgoing *all;
	struct outgoing *turns; /* taken out of woken, the earliest first */
	struct burst *burst;	/* NULL: each is sent by itself */
	struct deferred {
		struct outgoing *outgoing;
		bool ended; /* nothing comes after it */
	} deferred[BURST_MOST];
	unsigned n_deferred;
	struct outlet_room rooms[BURST_MOST]; /* of the deferred; the next is free */
};

struct sender {
	atomic_size_t to_end; /* watches */
	atomic_uint next;
	unsigned n_threads;
	struct sender_thread threads[];
};

struct outgoing {
	struct exchange_private *x; /* NULL: given back, and freed when its turn comes */
	struct sender *sender;
	struct sender_thread *thread;
	atomic_bool queued;
	struct outgoing *next; /* in the queue */
	/* The thread's own. */
	struct outgoing *next_of_all, *prev_of_all;
	struct outlet *outlet;
	struct loop_fd *watch;
	struct loop_timer *patience; /* while the socket takes nothing */
	struct outlet_pieces pieces;
	bool deferred; /* what is in its room is not sent yet */
	bool ending;   /* as soon as it has nothing to tell */
	char chunk_head[20];
};

/* --- the queue: many put into it, without a lock; its thread takes all that is there --- */

static void run_queue(void *data);
static void send_deferred(struct sender_thread *t);

static void enqueue(struct outgoing *o)
{
	struct sender_thread *t = o->thread;
	if (atomic_exchange(&o->queued, true))
		return;
	o->next = atomic_load(&t->woken);
	while (!atomic_compare_exchange_weak(&t->woken, &o->next, o))
		;
	if (!atomic_load(&t->posted) && !atomic_exchange(&t->posted, true))
		loop_post(t->loop, run_queue, t);
}

/* Turns what has been woken round: first come, first served. */
static void take_woken(struct sender_thread *t)
{
	for (struct outgoing *o = atomic_exchange(&t->woken, NULL), *next; o; o = next) {
		next = o->next;
		o->next = t->turns;
		t->turns = o;
	}
}

/* The next that is still there. */
static struct outgoing *dequeue(struct sender_thread *t)
{
	for (;;) {
		if (!t->turns)
			take_woken(t);
		struct outgoing *o = t->turns;
		if (!o)
			return NULL;
		t->turns = o->next;
		if (o->deferred)
			send_deferred(t);
		/* Who wakes it from here on queues it again. */
		atomic_store(&o->queued, false);
		if (o->x)
			return o;
		free(o);
	}
}

void sender_wake(struct outgoing *o)
{
	enqueue(o);
}

/* --- the end --- */

/* The connection goes back to the library. */
static void give_back(struct outgoing *o, enum outcome outcome)
{
	struct exchange_private *x = o->x;
	struct sender_thread *t = o->thread;
	pthread_mutex_lock(&x->lock);
	x->outgoing = NULL;
	x->outcome = outcome;
	pthread_mutex_unlock(&x->lock);
	*(o->prev_of_all ? &o->prev_of_all->next_of_all : &t->all) = o->next_of_all;
	if (o->next_of_all)
		o->next_of_all->prev_of_all = o->prev_of_all;
	loop_watch_cancel(o->watch);
	loop_timer_cancel(o->patience);
	outlet_free(o->outlet);
	/* Nothing is to follow half a record, not even a farewell. */
	if (outcome == OUTCOME_BROKEN)
		shutdown(exchange_fd(x), SHUT_RDWR);
	/* Nobody can queue it any more; if somebody has, the queue frees it. */
	o->x = NULL;
	if (!atomic_load(&o->queued))
		free(o);
	MHD_resume_connection(x->connection);
}

static void lose_patience(void *data)
{
	struct outgoing *o = data;
	o->patience = NULL;
	give_back(o, OUTCOME_BROKEN);
}

/* --- sending --- */

/* Who has asked for a list may close his side and wait for it; a watch ends with that. */
static unsigned peer_events(const struct outgoing *o)
{
	return o->x->kind == REPLY_STREAM ? LOOP_GONE : 0;
}

/* False: it waits for its socket, or is gone. */
static bool settle(struct outgoing *o, enum outlet_state state)
{
	struct sender_thread *t = o->thread;
	switch (state) {
	case OUTLET_CLEAR:
		return true;
	case OUTLET_FULL:
		loop_timer_cancel(o->patience);
		o->patience = loop_timer(t->loop, PATIENCE_MS, lose_patience, o);
		loop_watch_change(o->watch, LOOP_OUT | peer_events(o));
		return false;
	case OUTLET_BROKEN:
		give_back(o, OUTCOME_BROKEN);
		return false;
	}
	return false;
}

static bool push(struct outgoing *o, struct outlet_room *room)
{
	return settle(o, outlet_push(o->outlet, room));
}

static void end_if(struct outgoing *o, bool ended)
{
	if (ended || o->ending)
		give_back(o, OUTCOME_ENDED);
}

/* --- what waits to be sent together --- */

static struct outlet_room *free_room(struct sender_thread *t)
{
	return &t->rooms[t->n_deferred];
}

static void send_deferred(struct sender_thread *t)
{
	ssize_t results[BURST_MOST];
	const unsigned n = t->n_deferred;
	if (!n)
		return;
	burst_send(t->burst, results);
	t->n_deferred = 0;
	for (unsigned i = 0; i < n; i++) {
		struct outgoing *o = t->deferred[i].outgoing;
		o->deferred = false;
		if (settle(o, outlet_pushed(o->outlet, &t->rooms[i], results[i])))
			end_if(o, t->deferred[i].ended);
	}
}

/* False: it has to be pushed by itself. */
static bool defer(struct outgoing *o, bool ended)
{
	struct sender_thread *t = o->thread;
	const struct outlet_room *room = free_room(t);
	if (!t->burst || !room->size || !outlet_is_direct(o->outlet))
		return false;
	burst_add(t->burst, outlet_fd(o->outlet), room->data, room->size);
	t->deferred[t->n_deferred++] = (struct deferred){o, ended};
	o->deferred = true;
	if (t->n_deferred == BURST_MOST)
		send_deferred(t);
	return true;
}

static struct iovec chunk_head(struct outgoing *o, size_t size)
{
	char *end = o->chunk_head + sizeof(o->chunk_head), *at = end;
	*--at = '\n';
	*--at = '\r';
	for (; size; size >>= 4)
		*--at = "0123456789abcdef"[size & 15];
	return (struct iovec){at, (size_t)(end - at)};
}

/* The next pieces, as a chunk; returns what the reply returns. */
static int fetch(struct outgoing *o)
{
	struct exchange_private *x = o->x;
	struct outlet_pieces *p = &o->pieces;
	const size_t framed = x->chunked ? 1 : 0;
	p->at = 0;
	p->n = framed;
	int r = exchange_next(x, p);
	if (r <= 0) {
		p->n = 0;
		return r;
	}
	size_t size = 0;
	for (size_t i = framed; i < p->n; i++)
		size += p->v[i].iov_len;
	assert(size && p->n < OUTLET_PIECES);
	x->sent += size;
	if (!x->chunked)
		return r;
	p->v[0] = chunk_head(o, size);
	outlet_piece(p, "\r\n", 2);
	return r;
}

/* A reply's turn. */
static void serve(struct outgoing *o)
{
	struct outlet_room *room = free_room(o->thread);
	size_t turn = 0;
	int more = 1;
	if (o->patience)
		return;
	while (o->pieces.n || (more = fetch(o)) > 0) {
		if (!outlet_fits(room)) {
			turn += room->size;
			if (!push(o, room))
				return;
			if (turn >= TURN_BYTES) {
				enqueue(o);
				return;
			}
		}
		outlet_add(o->outlet, room, &o->pieces);
	}
	if (!defer(o, more < 0) && push(o, room))
		end_if(o, more < 0);
}

static void prefetch(const void *from, size_t size)
{
	for (size_t i = 0; i < size; i += CACHE_LINE)
		__builtin_prefetch((const char *)from + i);
}

/* With thousands of streams, nothing of what a stream is made of is in the processor's caches when its turn comes. The
 * next ones' is asked for while this one is being sent, in two steps, for the first has to be there to know the second.
 */
static void look_ahead(const struct sender_thread *t)
{
	const struct outgoing *next = t->turns, *second = next ? next->next : NULL;
	if (next && next->x) {
		outlet_prefetch(next->outlet);
		if (next->x->kind == REPLY_STREAM)
			prefetch(next->x->stream.data, STREAM_BYTES);
	}
	if (second && second->x) {
		prefetch(second->x, sizeof(*second->x));
		prefetch(second->outlet, CACHE_LINE);
	}
}

static void run_queue(void *data)
{
	struct sender_thread *t = data;
	for (int i = 0; i < TURNS; i++) {
		struct outgoing *o = dequeue(t);
		if (!o)
			break;
		look_ahead(t);
		serve(o);
	}
	send_deferred(t);
	/* Who puts something in from here on posts this again. */
	atomic_store(&t->posted, false);
	if ((t->turns || atomic_load(&t->woken)) && !atomic_exchange(&t->posted, true))
		loop_post(t->loop, run_queue, t);
}

/* The socket takes bytes again, or the peer has hung up. */
static void on_socket(void *data, unsigned events)
{
	struct outgoing *o = data;
	if (events & ~LOOP_OUT) {
		give_back(o, OUTCOME_BROKEN);
		return;
	}
	loop_timer_cancel(STEAL(o->patience));
	loop_watch_change(o->watch, peer_events(o));
	if (push(o, free_room(o->thread)))
		enqueue(o);
}

/* --- taking --- */

static void begin(void *data)
{
	struct outgoing *o = data;
	struct sender_thread *t = o->thread;
	const int fd = exchange_fd(o->x);
	o->outlet = outlet_new(fd, exchange_session(o->x));
	o->watch = loop_watch(t->loop, fd, peer_events(o), on_socket, o);
	o->next_of_all = t->all;
	if (t->all)
		t->all->prev_of_all = o;
	t->all = o;
	pthread_mutex_lock(&o->x->lock);
	o->x->outgoing = o;
	pthread_mutex_unlock(&o->x->lock);
	serve(o);
	send_deferred(t);
}

void sender_take(struct sender *sender, struct exchange_private *x)
{
	struct outgoing *o = mem_zalloc(sizeof(*o));
	o->x = x;
	o->sender = sender;
	o->thread = &sender->threads[atomic_fetch_add(&sender->next, 1) % sender->n_threads];
	MHD_suspend_connection(x->connection);
	/* The library may have told the socket to wait for more. */
	const int fd = exchange_fd(x);
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &(int){0}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	loop_post(o->thread->loop, begin, o);
}

/* --- threads --- */

static void *run_thread(void *data)
{
	struct sender_thread *t = data;
	loop_run(t->loop);
	return NULL;
}

struct sender *sender_new(unsigned n_threads)
{
	struct sender *sender = mem_zalloc(sizeof(*sender) + n_threads * sizeof(sender->threads[0]));
	sender->n_threads = n_threads;
	for (unsigned i = 0; i < n_threads; i++) {
		struct sender_thread *t = &sender->threads[i];
		t->loop = loop_new(clock_system());
		t->burst = burst_new();
		t->thread = thread_start("sender", run_thread, t);
	}
	return sender;
}

static bool take_one_to_end(struct sender *sender)
{
	size_t left = atomic_load(&sender->to_end);
	while (left && !atomic_compare_exchange_weak(&sender->to_end, &left, left - 1))
		;
	return left;
}

static void end_watches(void *data)
{
	struct sender_thread *t = data;
	for (struct outgoing *o = t->all; o; o = o->next_of_all) {
		if (o->ending || o->x->length != EXCHANGE_WATCH)
			continue;
		if (!take_one_to_end(o->sender))
			return;
		o->ending = true;
		enqueue(o);
	}
}

void sender_end_watches(struct sender *sender, size_t n)
{
	atomic_store(&sender->to_end, n);
	for (unsigned i = 0; i < sender->n_threads; i++)
		loop_post(sender->threads[i].loop, end_watches, &sender->threads[i]);
}

static void end_all(void *data)
{
	struct sender_thread *t = data;
	while (t->all)
		give_back(t->all, t->all->pieces.n || t->all->patience ? OUTCOME_BROKEN : OUTCOME_ENDED);
	loop_stop(t->loop);
}

void sender_free(struct sender *sender)
{
	if (!sender)
		return;
	for (unsigned i = 0; i < sender->n_threads; i++) {
		struct sender_thread *t = &sender->threads[i];
		loop_post(t->loop, end_all, t);
		pthread_join(t->thread, NULL);
		loop_free(t->loop);
		struct outgoing *left = dequeue(t);
		assert(!left);
		burst_free(t->burst);
	}
	free(sender);
}
