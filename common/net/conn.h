/*
 * A stream on an event loop: data arrives by callback, writes are queued and flushed as the peer takes them.
 *
 *	struct conn *c = conn_new(loop, STEAL(stream), &events, session);
 *	conn_write(c, data, size);
 *
 * A session with one peer or two (exec, attach, port-forward) runs on a loop of its own thread or shares one.
 * Ownership: the conn owns the stream; conn_free() may be called at any time, inside callbacks too, after which no
 * callback comes. Threads: the loop's.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/loop.h"
#include "net/stream.h"

struct conn;

struct conn_events {
	/* Bytes that arrived. */
	void (*data)(void *data, const void *bytes, size_t size);
	/* The write queue has become empty again after it was not. May be NULL. */
	void (*drained)(void *data);
	/* The peer ended sending (error NULL) or the connection broke; called once, and nothing after it. error is
	 * borrowed. */
	void (*closed)(void *data, const struct status *error);
};

/* Takes the stream. Begins to read with the next turn of the loop. */
struct conn *conn_new(struct loop *loop, struct stream *stream, const struct conn_events *events, void *data);
void conn_free(struct conn *c);
DEFINE_CLEANUP(struct conn *, conn_free)
/* Queues bytes (copied). */
void conn_write(struct conn *c, const void *data, size_t size);
/* Bytes queued and not yet taken by the peer: the caller pauses its source above a bound of its own. */
size_t conn_queued(const struct conn *c);
/* Stops or resumes reading: back-pressure. */
void conn_pause(struct conn *c, bool paused);
/* Half-closes once the queue is flushed. */
void conn_shutdown(struct conn *c);

#endif
