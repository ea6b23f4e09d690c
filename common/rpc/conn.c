#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include "base/clock.h"
#include "base/mem.h"
#include "rpc/private.h"

#define READ_BYTES 65536u
#define READS_AT_ONCE 16    /* then who waits looks at what has come */
#define GATHER_BYTES 49152u /* that go out in one write, and a frame more: 64 KiB */

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* --- bytes --- */

static ssize_t receive(struct rpc_conn *c)
{
	short wants;
	if (c->options.tls)
		pthread_mutex_lock(&c->io);
	ssize_t n = stream_try_read(c->stream, c->in, READ_BYTES, &wants);
	if (c->options.tls)
		pthread_mutex_unlock(&c->io);
	return n;
}

static ssize_t transmit(struct rpc_conn *c, const char *data, size_t size)
{
	short wants;
	if (c->options.tls)
		pthread_mutex_lock(&c->io);
	ssize_t n = stream_try_write(c->stream, data, size, &wants);
	if (c->options.tls)
		pthread_mutex_unlock(&c->io);
	return n;
}

static void fail(struct rpc_conn *c, const char *text)
{
	c->closed = c->broken = true;
	while (c->exchanges)
		rpc_exchange_end(c->exchanges, RPC_UNAVAILABLE, text);
	shutdown(stream_fd(c->stream), SHUT_RDWR);
}

static void fail_errno(struct rpc_conn *c, const char *what, int error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	fail(c, arena_printf(arena, "%s: %s", what, net_error_text(arena, error)));
}

void rpc_conn_lock(struct rpc_conn *c)
{
	pthread_mutex_lock(&c->lock);
}

void rpc_conn_unlock(struct rpc_conn *c)
{
	struct rpc_exchange *x = STEAL(c->to_wake);
	pthread_mutex_unlock(&c->lock);
	while (x) {
		struct rpc_exchange *next = x->next_wake; /* who is woken may free it */
		atomic_store(&x->posted, true);
		sem_post(&x->wake);
		x = next;
	}
}

void rpc_conn_rouse(struct rpc_conn *c)
{
	if (c->driven)
		eventfd_write(c->wake_fd, 1);
}

/* The next frames to go out; false: none. */
static bool gather(struct rpc_conn *c)
{
	const uint8_t *data;
	ssize_t n = 1;
	strbuf_reset(&c->out);
	c->out_sent = 0;
	while (n > 0 && c->out.len < GATHER_BYTES) {
		n = nghttp2_session_mem_send(c->session, &data);
		if (n > 0)
			strbuf_add(&c->out, data, (size_t)n);
	}
	if (n < 0)
		fail(c, nghttp2_strerror((int)n));
	return c->out.len && !c->broken;
}

/* False when the socket takes no more; then it is to be called again. */
static bool write_out(struct rpc_conn *c)
{
	while (!c->broken && (c->out_sent < c->out.len || gather(c))) {
		rpc_conn_unlock(c);
		ssize_t n = transmit(c, c->out.buf + c->out_sent, c->out.len - c->out_sent);
		int error = errno;
		rpc_conn_lock(c);
		if (n >= 0)
			c->out_sent += (size_t)n;
		else if (error != EAGAIN)
			fail_errno(c, "write", error);
		else
			return false;
	}
	c->writing = false;
	return true;
}

void rpc_conn_flush(struct rpc_conn *c)
{
	if (c->writing)
		return;
	c->writing = true;
	c->blocked = !write_out(c);
	if (c->blocked)
		rpc_conn_rouse(c);
}

/* Whether more may be there to read. */
static bool take_in(struct rpc_conn *c, ssize_t n, int error)
{
	if (n < 0 && error == EAGAIN)
		return false;
	if (n < 0) {
		fail_errno(c, "read", error);
		return false;
	}
	if (!n) {
		fail(c, "the peer closed the connection");
		return false;
	}
	c->heard_ms = now_ms();
	c->pinged_ms = 0;
	ssize_t used = nghttp2_session_mem_recv(c->session, c->in, (size_t)n);
	if (used < 0)
		fail(c, nghttp2_strerror((int)used));
	return !c->broken && (c->options.tls || (size_t)n == READ_BYTES);
}

void rpc_conn_look(struct rpc_conn *c)
{
	bool more = !c->broken;
	while (more) {
		ssize_t n = receive(c);
		more = take_in(c, n, errno);
	}
}

/* --- driving --- */

static int64_t next_ping_ms(const struct rpc_conn *c)
{
	return c->pinged_ms ? c->pinged_ms + c->options.keepalive_timeout_ms : c->heard_ms + c->options.keepalive_ms;
}

static int patience_ms(const struct rpc_conn *c, int64_t deadline_ms)
{
	int64_t until = deadline_ms;
	if (c->options.keepalive_ms > 0 && (until < 0 || next_ping_ms(c) < until))
		until = next_ping_ms(c);
	if (until < 0)
		return -1;
	int64_t left = until - now_ms();
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Nothing has come for a while. */
static void keep_alive(struct rpc_conn *c)
{
	int64_t now = now_ms();
	if (c->options.keepalive_ms <= 0 || now < next_ping_ms(c))
		return;
	if (c->pinged_ms) {
		fail(c, "keepalive watchdog timeout");
		return;
	}
	nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL);
	c->pinged_ms = now;
}

/* Waits for the socket or a rouse. Whether the socket can be read. */
static bool wait_for_socket(struct rpc_conn *c, short events, int timeout, bool *ret_ready)
{
	struct pollfd p[2] = {{.fd = stream_fd(c->stream), .events = events}, {.fd = c->wake_fd, .events = POLLIN}};
	eventfd_t count;
	*ret_ready = poll(p, 2, timeout) > 0 && p[0].revents;
	if (p[1].revents)
		eventfd_read(c->wake_fd, &count);
	return *ret_ready && p[0].revents & ~POLLOUT;
}

void rpc_conn_drive(struct rpc_conn *c, int64_t deadline_ms)
{
	assert(!c->driven);
	const short events = (short)(POLLIN | (c->blocked ? POLLOUT : 0));
	const bool pending = c->pending;
	const int timeout = pending ? 0 : patience_ms(c, deadline_ms);
	bool ready;
	c->driven = true;
	rpc_conn_unlock(c);
	bool more = wait_for_socket(c, events, timeout, &ready) || pending;
	for (int i = 0; more && i < READS_AT_ONCE; i++) {
		ssize_t n = receive(c);
		int error = errno;
		rpc_conn_lock(c);
		more = take_in(c, n, error);
		rpc_conn_unlock(c);
	}
	rpc_conn_lock(c);
	c->pending = more;
	keep_alive(c);
	if (!c->blocked)
		rpc_conn_flush(c);
	else if (ready)
		c->blocked = !write_out(c);
	if (!c->broken && !nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session))
		fail(c, "the connection has ended");
	c->driven = false;
}

/* --- life --- */

struct rpc_conn *rpc_conn_ref(struct rpc_conn *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void rpc_conn_unref(struct rpc_conn *c)
{
	if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	assert(!c->exchanges);
	nghttp2_session_del(c->session);
	stream_free(c->stream);
	close(c->wake_fd);
	strbuf_done(&c->out);
	pthread_mutex_destroy(&c->io);
	pthread_mutex_destroy(&c->lock);
	free(c->authority);
	free(c->in);
	free(c);
}

bool rpc_conn_is_open(struct rpc_conn *c)
{
	rpc_conn_lock(c);
	bool open = !c->closed;
	rpc_conn_unlock(c);
	return open;
}

struct status *rpc_conn_new(
	struct stream *stream, const struct rpc_conn_options *options, int64_t deadline_ms, struct rpc_conn **ret_conn)
{
	CLEANUP(rpc_conn_unrefp) struct rpc_conn *c = mem_zalloc(sizeof(*c));
	atomic_init(&c->refs, 1);
	c->options = *options;
	c->authority = mem_strdup(options->authority);
	c->stream = stream;
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->in = mem_alloc(READ_BYTES);
	c->heard_ms = now_ms();
	strbuf_init(&c->out);
	pthread_mutex_init(&c->io, NULL);
	pthread_mutex_init(&c->lock, NULL);
	c->session = rpc_session_new(c);
	int timeout = (int)options->keepalive_timeout_ms;
	if (options->keepalive_ms > 0) /* of a unix socket it is refused */
		(void)setsockopt(stream_fd(stream), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	rpc_conn_lock(c);
	rpc_conn_flush(c);
	while (!c->settled && !c->closed && (deadline_ms < 0 || now_ms() < deadline_ms))
		rpc_conn_drive(c, deadline_ms);
	bool ready = c->settled && !c->closed;
	rpc_conn_unlock(c);
	if (!ready)
		return status_new(STATUS_UNAVAILABLE, "the peer has sent no settings of HTTP/2");
	*ret_conn = STEAL(c);
	return NULL;
}
