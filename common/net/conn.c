#include "net/conn.h"

#include <errno.h>
#include <poll.h>
#include "base/mem.h"
#include "base/str.h"

enum {
	READ_BYTES = 32 * 1024,
	READS_A_TURN = 8, /* so that one busy peer does not starve the loop */
};

struct conn {
	struct loop *loop;
	struct stream *stream;
	struct loop_fd *watch;
	unsigned watched;
	struct loop_timer *again; /* bytes wait in the stream although its descriptor is quiet */
	struct conn_events events;
	void *data;
	struct strbuf queue;
	short read_wants, write_wants;
	bool paused, read_ended, shutdown_wanted, shutdown_done, broken;
	/* Callbacks may free the conn: it is then freed when the outermost of our functions returns. */
	unsigned depth;
	bool freed;
};

static void enter(struct conn *c)
{
	c->depth++;
}

static void destroy(struct conn *c)
{
	stream_free(c->stream);
	strbuf_done(&c->queue);
	free(c);
}

static void leave(struct conn *c)
{
	if (!--c->depth && c->freed)
		destroy(c);
}

static void on_ready(void *data, unsigned events);
static void on_again(void *data);

static void update(struct conn *c)
{
	if (c->freed)
		return;
	unsigned want = 0;
	bool reading = !c->paused && !c->read_ended && !c->broken;
	bool writing = c->queue.len && !c->broken;
	if (reading)
		want |= c->read_wants == POLLOUT ? LOOP_OUT : LOOP_IN;
	if (writing)
		want |= c->write_wants == POLLIN ? LOOP_IN : LOOP_OUT;
	if (!want && c->watch) {
		loop_watch_cancel(c->watch);
		c->watch = NULL;
	} else if (want && !c->watch) {
		c->watch = loop_watch(c->loop, stream_fd(c->stream), want, on_ready, c);
	} else if (want && want != c->watched) {
		loop_watch_change(c->watch, want);
	}
	c->watched = want;
	if (reading && stream_pending(c->stream) && !c->again)
		c->again = loop_timer(c->loop, 0, on_again, c);
}

static void fail(struct conn *c, struct status *error)
{
	if (c->broken) {
		status_free(error);
		return;
	}
	c->broken = true;
	strbuf_reset(&c->queue);
	bool told = c->read_ended;
	c->read_ended = true;
	if (!told)
		c->events.closed(c->data, error);
	status_free(error);
}

static void flush(struct conn *c)
{
	bool had = c->queue.len > 0;
	while (c->queue.len && !c->broken) {
		ssize_t n = stream_try_write(c->stream, c->queue.buf, c->queue.len, &c->write_wants);
		if (n < 0) {
			if (errno != EAGAIN)
				fail(c, status_new(STATUS_UNAVAILABLE, "write: %m"));
			return;
		}
		strbuf_consume(&c->queue, (size_t)n);
	}
	if (c->broken)
		return;
	if (c->shutdown_wanted && !c->shutdown_done) {
		c->shutdown_done = true;
		stream_shutdown_write(c->stream);
	}
	if (had && c->events.drained)
		c->events.drained(c->data);
}

static void read_turn(struct conn *c)
{
	char buf[READ_BYTES];
	for (int i = 0; i < READS_A_TURN && !c->paused && !c->read_ended && !c->freed; i++) {
		ssize_t n = stream_try_read(c->stream, buf, sizeof(buf), &c->read_wants);
		if (n < 0) {
			if (errno != EAGAIN)
				fail(c, status_new(STATUS_UNAVAILABLE, "read: %m"));
			return;
		}
		if (n == 0) {
			c->read_ended = true;
			c->events.closed(c->data, NULL);
			return;
		}
		c->events.data(c->data, buf, (size_t)n);
	}
}

static void on_ready(void *data, unsigned events)
{
	struct conn *c = data;
	enter(c);
	flush(c);
	if (!c->freed)
		read_turn(c);
	update(c);
	leave(c);
}

static void on_again(void *data)
{
	struct conn *c = data;
	c->again = NULL;
	on_ready(c, LOOP_IN);
}

struct conn *conn_new(struct loop *loop, struct stream *stream, const struct conn_events *events, void *data)
{
	struct conn *c = mem_zalloc(sizeof(*c));
	*c = (struct conn){.loop = loop,
		.stream = stream,
		.events = *events,
		.data = data,
		.read_wants = POLLIN,
		.write_wants = POLLOUT};
	strbuf_init(&c->queue);
	update(c);
	return c;
}

void conn_free(struct conn *c)
{
	if (!c || c->freed)
		return;
	enter(c);
	loop_watch_cancel(c->watch);
	c->watch = NULL;
	loop_timer_cancel(c->again);
	c->again = NULL;
	/* What was queued last (a close frame) is given one chance. */
	if (c->queue.len && !c->broken) {
		short wants;
		ssize_t n = stream_try_write(c->stream, c->queue.buf, c->queue.len, &wants);
		(void)n;
	}
	c->freed = true;
	leave(c);
}

void conn_write(struct conn *c, const void *data, size_t size)
{
	if (c->broken || c->shutdown_wanted || c->freed || !size)
		return;
	size_t done = 0;
	if (!c->queue.len) {
		ssize_t n = stream_try_write(c->stream, data, size, &c->write_wants);
		if (n > 0)
			done = (size_t)n;
	}
	/* An error shows again when the rest is flushed from the loop, where a callback is expected. */
	strbuf_add(&c->queue, (const char *)data + done, size - done);
	update(c);
}

size_t conn_queued(const struct conn *c)
{
	return c->queue.len;
}

void conn_pause(struct conn *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	update(c);
}

void conn_shutdown(struct conn *c)
{
	c->shutdown_wanted = true;
	if (!c->queue.len && !c->shutdown_done && !c->broken) {
		c->shutdown_done = true;
		stream_shutdown_write(c->stream);
	}
}
