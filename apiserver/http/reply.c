#include <assert.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <gnutls/gnutls.h>
#include "apiserver/http/server_private.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"
#include "serve/takeover.h"

/* A larger reply is the sender's. */
#define LONG_BYTES 65536
/* With its head it fits into a record. */
#define CORK_MOST_BYTES 12288
#define CORK_TRIES 10
#define CORK_TRY_MS 20

const char *exchange_header(struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(private_of(exchange)->connection, MHD_HEADER_KIND, name);
}

struct nth_search {
	const char *name;
	size_t left;
	const char *found;
};

static enum MHD_Result find_nth(void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct nth_search *s = data;
	if (!str_eq_nocase(key, s->name) || s->left--)
		return MHD_YES;
	s->found = str_or_empty(value);
	return MHD_NO;
}

const char *exchange_header_nth(struct exchange *exchange, const char *name, size_t nth)
{
	struct nth_search s = {.name = name, .left = nth};
	MHD_get_connection_values(private_of(exchange)->connection, MHD_HEADER_KIND, find_nth, &s);
	return s.found;
}

struct each_call {
	void (*each)(void *data, const char *name, const char *value);
	void *data;
};

static enum MHD_Result call_each(void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
	const struct each_call *c = data;
	c->each(c->data, key, str_or_empty(value));
	return MHD_YES;
}

void exchange_each_header(
	struct exchange *exchange, void (*each)(void *data, const char *name, const char *value), void *data)
{
	struct each_call c = {each, data};
	MHD_get_connection_values(private_of(exchange)->connection, MHD_HEADER_KIND, call_each, &c);
}

const char *exchange_query(const struct exchange *exchange, const char *key)
{
	return query_get(exchange->query, exchange->n_query, key);
}

bool exchange_certificate(struct exchange *exchange, size_t nth, const uint8_t **ret_der, size_t *ret_size)
{
	const struct exchange_private *x = private_of(exchange);
	if (nth >= x->n_chain)
		return false;
	const gnutls_datum_t *chain = x->chain;
	*ret_der = chain[nth].data;
	*ret_size = chain[nth].size;
	return true;
}

/* --- filling in --- */

static void begin_reply(struct exchange_private *x, enum reply_kind kind, int code, const char *content_type)
{
	assert(x->kind == REPLY_NONE);
	x->kind = kind;
	x->code = code;
	x->content_type = arena_strdup(x->pub.arena, content_type);
}

void reply_header(struct exchange *exchange, const char *name, const char *value)
{
	struct exchange_private *x = private_of(exchange);
	struct reply_head head = {arena_strdup(x->pub.arena, name), arena_strdup(x->pub.arena, value)};
	ARENA_PUSH(x->pub.arena, x->headers, x->n_headers) = head;
}

void reply_bytes(struct exchange *exchange, int code, const char *content_type, const void *data, size_t size)
{
	struct gather *g = gather_new();
	gather_copy(g, data, size);
	reply_gather(exchange, code, content_type, g);
}

void reply_strbuf(struct exchange *exchange, int code, const char *content_type, struct strbuf *body)
{
	struct gather *g = gather_new();
	size_t size = body->len;
	char *data = strbuf_steal(body);
	arena_defer(g->arena, free, data);
	gather_borrow(g, data, size, NULL);
	reply_gather(exchange, code, content_type, g);
}

void reply_gather(struct exchange *exchange, int code, const char *content_type, struct gather *g)
{
	struct exchange_private *x = private_of(exchange);
	begin_reply(x, REPLY_GATHER, code, content_type);
	x->gather = g;
}

void reply_stream(struct exchange *exchange, int code, const char *content_type, const struct reply_stream *stream)
{
	struct exchange_private *x = private_of(exchange);
	begin_reply(x, REPLY_STREAM, code, content_type);
	x->stream = *stream;
}

void reply_upgrade(
	struct exchange *exchange, const char *protocol, void (*serve)(void *data, struct stream *stream), void *data)
{
	struct exchange_private *x = private_of(exchange);
	begin_reply(x, REPLY_UPGRADE, 101, NULL);
	x->protocol = arena_strdup(x->pub.arena, protocol);
	x->serve = serve;
	x->serve_data = data;
}

void exchange_at_end(struct exchange *exchange, void (*done)(void *data), void *data)
{
	struct exchange_private *x = private_of(exchange);
	x->stream.done = done;
	x->stream.data = data;
}

bool exchange_replied(const struct exchange *exchange)
{
	return ((const struct exchange_private *)exchange)->kind != REPLY_NONE;
}

int exchange_code(const struct exchange *exchange)
{
	return ((const struct exchange_private *)exchange)->code;
}

size_t exchange_reply_size(const struct exchange *exchange)
{
	return ((const struct exchange_private *)exchange)->sent;
}

/* --- sending --- */

static ssize_t read_gather(void *data, uint64_t position, char *buf, size_t max)
{
	struct exchange_private *x = data;
	size_t n = gather_read(x->gather, buf, max);
	x->sent += n;
	return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

void reply_wake(struct exchange *exchange)
{
	struct exchange_private *x = private_of(exchange);
	pthread_mutex_lock(&x->lock);
	/* Before the sender has it, nothing can be missed: it begins by asking. */
	if (x->outgoing)
		sender_wake(x->outgoing);
	pthread_mutex_unlock(&x->lock);
}

int exchange_next(struct exchange_private *x, struct outlet_pieces *pieces)
{
	if (x->kind == REPLY_STREAM)
		return x->stream.next(x->stream.data, pieces);
	return gather_next(x->gather, pieces) ? 1 : -1;
}

int exchange_fd(const struct exchange_private *x)
{
	return MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

gnutls_session_t exchange_session(const struct exchange_private *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info ? info->tls_session : NULL;
}

/* Of the buffer that the library offers nothing will be used: with thousands of streams its pages would be most of what
 * a stream costs. */
static void give_back(char *buf, size_t size)
{
	const uintptr_t page = 4096, from = ((uintptr_t)buf + page - 1) & ~(page - 1),
			to = ((uintptr_t)buf + size) & ~(page - 1);
	if (from < to)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

/* The library asks for the body when the head is out: that is when the sender takes over. */
static ssize_t read_long(void *data, uint64_t position, char *buf, size_t max)
{
	struct exchange_private *x = data;
	switch (x->outcome) {
	case OUTCOME_NONE:
		if (x->kind == REPLY_STREAM)
			give_back(buf, max);
		sender_take(x->server->sender, x);
		return 0;
	case OUTCOME_ENDED:
		return MHD_CONTENT_READER_END_OF_STREAM;
	case OUTCOME_BROKEN:
		break;
	}
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/*
 * An upgraded session, on a thread of its own. The connection is suspended and used directly (serve/takeover.h); when
 * it goes back to the library, there is nothing left but to close it.
 */
static void *run_upgraded(void *data)
{
	struct exchange_private *x = data;
	struct stream *stream = takeover_stream(x->connection);
	struct http_header *headers = ARENA_ARRAY(x->pub.arena, struct http_header, x->n_headers + 1);
	for (size_t i = 0; i < x->n_headers; i++)
		headers[i] = (struct http_header){x->headers[i].name, x->headers[i].value};
	status_drop(takeover_answer(stream, x->protocol, headers, x->n_headers), "the session sees the broken stream");
	x->serve(x->serve_data, stream);
	MHD_resume_connection(x->connection);
	return NULL;
}

static enum MHD_Result begin_upgraded(struct exchange_private *x)
{
	if (x->taken)
		return MHD_NO;
	x->taken = true;
	MHD_suspend_connection(x->connection);
	pthread_detach(thread_start("upgraded", run_upgraded, x));
	return MHD_YES;
}

static struct MHD_Response *new_response(struct exchange_private *x)
{
	switch (x->kind) {
	case REPLY_GATHER:
		if (x->gather->size < LONG_BYTES)
			return MHD_create_response_from_callback(
				x->gather->size, x->gather->size + 1, read_gather, x, NULL);
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_long, x, NULL);
	case REPLY_STREAM:
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_long, x, NULL);
	case REPLY_UPGRADE:
	case REPLY_NONE:
		break;
	}
	return NULL;
}

/* A short answer leaves in one TLS record, head and body together: kept by the session until it is whole. Only where
 * the socket surely has room for it, for nobody would wait with what is left. */
static void cork(struct exchange_private *x)
{
	gnutls_session_t session = exchange_session(x);
	int unsent = 0;
	if (!session || x->kind != REPLY_GATHER || x->gather->size > CORK_MOST_BYTES ||
		ioctl(exchange_fd(x), SIOCOUTQ, &unsent) != 0 || unsent)
		return;
	gnutls_record_cork(session);
	x->corked = true;
}

void exchange_uncork(struct exchange_private *x)
{
	if (!x->corked)
		return;
	x->corked = false;
	struct pollfd p = {.fd = exchange_fd(x), .events = POLLOUT};
	int sent = gnutls_record_uncork(exchange_session(x), 0);
	for (int tries = 0; (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED) && tries < CORK_TRIES; tries++) {
		poll(&p, 1, CORK_TRY_MS);
		sent = gnutls_record_uncork(exchange_session(x), 0);
	}
	if (sent < 0)
		shutdown(p.fd, SHUT_RDWR);
}

enum MHD_Result exchange_send(struct exchange_private *x)
{
	if (x->kind == REPLY_NONE)
		reply_bytes(&x->pub, 500, "text/plain", "no answer was made\n", 19);
	if (x->kind == REPLY_UPGRADE)
		return begin_upgraded(x);
	struct MHD_Response *response = new_response(x);
	if (!response)
		return MHD_NO;
	if (x->content_type)
		MHD_add_response_header(response, "Content-Type", x->content_type);
	bool cacheable = false;
	for (size_t i = 0; i < x->n_headers; i++) {
		MHD_add_response_header(response, x->headers[i].name, x->headers[i].value);
		cacheable |= str_eq(x->headers[i].name, "Cache-Control");
	}
	if (atomic_load(&x->server->drain.closed))
		MHD_add_response_header(response, "Connection", "close");
	/* What nobody said anything about is of this moment and of this client. */
	if (!cacheable)
		MHD_add_response_header(response, "Cache-Control", "no-cache, private");
	cork(x);
	enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)x->code, response);
	MHD_destroy_response(response);
	return result;
}
