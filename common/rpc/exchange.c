/* Requests and answers of gRPC on the streams of HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"
#include "rpc/private.h"

#define STREAM_WINDOW_BYTES (4 << 20)
#define CONNECTION_WINDOW_BYTES (16 << 20)
#define MAX_TEXT_BYTES 8192
/* The library counts each read that brings a part of a CONTINUATION frame's head, not the frames. */
#define MAX_CONTINUATION_READS 2048

/* --- how it ends --- */

static void link_asleep(struct rpc_exchange *x)
{
	struct rpc_conn *c = x->conn;
	x->asleep = true;
	x->prev_asleep = NULL;
	x->next_asleep = c->asleep;
	if (c->asleep)
		c->asleep->prev_asleep = x;
	c->asleep = x;
}

static void unlink_asleep(struct rpc_exchange *x)
{
	x->asleep = false;
	if (x->next_asleep)
		x->next_asleep->prev_asleep = x->prev_asleep;
	*(x->prev_asleep ? &x->prev_asleep->next_asleep : &x->conn->asleep) = x->next_asleep;
}

/* Whoever leaves the list of those asleep is posted once. */
void rpc_exchange_rouse(struct rpc_exchange *x)
{
	if (!x->asleep)
		return;
	unlink_asleep(x);
	x->next_wake = x->conn->to_wake;
	x->conn->to_wake = x;
}

void rpc_exchange_end(struct rpc_exchange *x, int code, const char *text)
{
	struct rpc_conn *c = x->conn;
	if (x->next)
		x->next->prev = x->prev;
	*(x->prev ? &x->prev->next : &c->exchanges) = x->next;
	nghttp2_session_set_stream_user_data(c->session, x->id, NULL);
	x->code = code;
	x->text = mem_strdup(str_or_empty(text));
	atomic_store(&x->over, true);
	rpc_exchange_rouse(x);
}

/* The peer is told that the stream is of no interest any more. */
static void abandon(struct rpc_exchange *x, int code, const char *text)
{
	nghttp2_submit_rst_stream(x->conn->session, NGHTTP2_FLAG_NONE, x->id, NGHTTP2_CANCEL);
	rpc_exchange_end(x, code, text);
}

static int code_of_http(int status)
{
	switch (status) {
	case 400:
		return RPC_INTERNAL;
	case 401:
		return RPC_UNAUTHENTICATED;
	case 403:
		return RPC_PERMISSION_DENIED;
	case 404:
		return RPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return RPC_UNAVAILABLE;
	default:
		return RPC_UNKNOWN;
	}
}

static int code_of_reset(uint32_t error)
{
	switch (error) {
	case NGHTTP2_REFUSED_STREAM:
		return RPC_UNAVAILABLE;
	case NGHTTP2_CANCEL:
		return RPC_CANCELLED;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return RPC_RESOURCE_EXHAUSTED;
	case NGHTTP2_INADEQUATE_SECURITY:
		return RPC_PERMISSION_DENIED;
	default:
		return RPC_INTERNAL;
	}
}

/* The peer has said all it will say. */
static void conclude(struct rpc_exchange *x)
{
	char text[64] = "";
	int code = x->told_code;
	if (x->out_sent < x->out_size || !x->out_ends)
		nghttp2_submit_rst_stream(x->conn->session, NGHTTP2_FLAG_NONE, x->id, NGHTTP2_CANCEL);
	if (code <= 0 && x->http_status != 200) {
		code = code_of_http(x->http_status);
		snprintf(text, sizeof(text), "unexpected HTTP status code received from server: %d", x->http_status);
	} else if (code <= 0 && !x->is_grpc) {
		code = RPC_UNKNOWN;
		snprintf(text, sizeof(text), "the answer is not gRPC's");
	} else if (code < 0) {
		code = RPC_UNKNOWN;
		snprintf(text, sizeof(text), "the answer has no status");
	} else if (!code && x->n_prefix) {
		code = RPC_INTERNAL;
		snprintf(text, sizeof(text), "the answer ends within a message");
	}
	rpc_exchange_end(x, code, *text ? text : x->told_text);
}

/* --- what the library reports --- */

static int on_closed(nghttp2_session *session, int32_t id, uint32_t error, void *data)
{
	struct rpc_exchange *x = nghttp2_session_get_stream_user_data(session, id);
	char text[64];
	if (!x)
		return 0;
	if (x->told_code >= 0) {
		conclude(x);
		return 0;
	}
	snprintf(text, sizeof(text), "the peer ended the stream: %s", nghttp2_http2_strerror(error));
	rpc_exchange_end(x, code_of_reset(error), text);
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
	struct rpc_conn *c = data;
	struct rpc_exchange *x;
	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS:
		c->settled |= !(frame->hd.flags & NGHTTP2_FLAG_ACK);
		break;
	case NGHTTP2_GOAWAY:
		c->closed = true;
		break;
	case NGHTTP2_HEADERS:
	case NGHTTP2_DATA:
		x = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
		if (x && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
			conclude(x);
		break;
	}
	return 0;
}

static int hex_of(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Percent signs stand before what is no printable ASCII. */
static char *unescaped(const uint8_t *value, size_t size)
{
	if (size > MAX_TEXT_BYTES)
		size = MAX_TEXT_BYTES;
	char *text = mem_alloc(size + 1);
	size_t n = 0;
	for (size_t i = 0; i < size; i++, n++) {
		bool escape = value[i] == '%' && i + 2 < size && hex_of(value[i + 1]) >= 0 && hex_of(value[i + 2]) >= 0;
		text[n] = (char)(escape ? hex_of(value[i + 1]) << 4 | hex_of(value[i + 2]) : value[i]);
		i += escape ? 2 : 0;
	}
	text[n] = 0;
	return text;
}

static int number_of(const uint8_t *value, size_t size)
{
	char digits[8] = "";
	int64_t number;
	memcpy(digits, value, size < sizeof(digits) - 1 ? size : sizeof(digits) - 1);
	return str_to_int64(digits, 0, 999, &number) ? (int)number : RPC_UNKNOWN;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
	const uint8_t *value, size_t size, uint8_t flags, void *data)
{
	static const char content_type[] = "application/grpc";
	struct rpc_exchange *x = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	const char *key = (const char *)name;
	if (!x)
		return 0;
	if (str_eq(key, ":status")) {
		x->http_status = number_of(value, size);
	} else if (str_eq(key, "content-type")) {
		x->is_grpc = size >= sizeof(content_type) - 1 && !memcmp(value, content_type, sizeof(content_type) - 1);
	} else if (str_eq(key, "grpc-status")) {
		x->told_code = number_of(value, size);
	} else if (str_eq(key, "grpc-message")) {
		free(x->told_text);
		x->told_text = unescaped(value, size);
	}
	return 0;
}

static void take_message(struct rpc_exchange *x)
{
	*x->last = x->partial;
	x->last = &x->partial->next;
	x->partial = NULL;
	x->n_prefix = x->n_partial = 0;
	if (x->any)
		rpc_exchange_rouse(x);
}

/* Whether the message that this prefix announces is one that we take. */
static bool begin_message(struct rpc_exchange *x)
{
	const uint8_t *p = x->prefix;
	const size_t size = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4],
		     max = x->conn->options.max_message_bytes;
	char text[80];
	if (p[0]) {
		abandon(x, RPC_INTERNAL, "the peer compressed a message");
	} else if (size > max) {
		snprintf(text, sizeof(text), "Received message larger than max (%zu vs. %zu)", size, max);
		abandon(x, RPC_RESOURCE_EXHAUSTED, text);
	} else if (x->single && x->first) {
		abandon(x, RPC_INTERNAL, "the peer sent more than one answer");
	} else {
		x->partial = mem_alloc(sizeof(*x->partial) + size);
		*x->partial = (struct rpc_message){.size = size};
		return true;
	}
	return false;
}

static void take_data(struct rpc_exchange *x, const uint8_t *data, size_t size)
{
	while (size) {
		size_t n = RPC_PREFIX - x->n_prefix;
		n = n < size ? n : size;
		memcpy(x->prefix + x->n_prefix, data, n);
		x->n_prefix += n;
		data += n;
		size -= n;
		if (x->n_prefix < RPC_PREFIX || (!x->partial && !begin_message(x)))
			return;
		n = x->partial->size - x->n_partial;
		n = n < size ? n : size;
		memcpy(x->partial->data + x->n_partial, data, n);
		x->n_partial += n;
		data += n;
		size -= n;
		if (x->n_partial == x->partial->size)
			take_message(x);
	}
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size, void *conn)
{
	struct rpc_exchange *x = nghttp2_session_get_stream_user_data(session, id);
	if (x && x->http_status == 200 && x->is_grpc)
		take_data(x, data, size);
	return 0;
}

static ssize_t give_data(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size, uint32_t *flags,
	nghttp2_data_source *source, void *data)
{
	struct rpc_exchange *x = nghttp2_session_get_stream_user_data(session, id);
	if (!x)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	size_t n = x->out_size - x->out_sent;
	n = n < size ? n : size;
	if (n)
		memcpy(buf, x->out + x->out_sent, n);
	x->out_sent += n;
	if (x->out_sent == x->out_size && x->out_ends)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	else if (!n)
		return NGHTTP2_ERR_DEFERRED;
	return (ssize_t)n;
}

nghttp2_session *rpc_session_new(struct rpc_conn *c)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES}};
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	nghttp2_session *session;
	if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option))
		abort();
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_closed);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_option_set_max_continuations(option, MAX_CONTINUATION_READS);
	if (nghttp2_session_client_new2(&session, callbacks, c, option))
		abort();
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, ARRAY_SIZE(settings));
	nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW_BYTES);
	return session;
}

/* --- beginning, waiting, ending --- */

static nghttp2_nv header(const char *name, const char *value, uint8_t flags)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
		(uint8_t)(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME)};
}

/* The stream's number, or an error of the library. */
static int32_t submit(struct rpc_exchange *x, struct rpc_conn *c, const char *path, int64_t timeout_ms)
{
	const uint8_t borrowed = NGHTTP2_NV_FLAG_NO_COPY_VALUE;
	char timeout[24];
	const bool in_seconds = timeout_ms >= 100000000; /* it has eight digits at most */
	const nghttp2_data_provider provider = {.read_callback = give_data};
	snprintf(timeout, sizeof(timeout), "%" PRId64 "%c", in_seconds ? timeout_ms / 1000 : timeout_ms,
		in_seconds ? 'S' : 'm');
	const nghttp2_nv headers[] = {header(":method", "POST", borrowed),
		header(":scheme", c->options.tls ? "https" : "http", borrowed), header(":path", path, 0),
		header(":authority", c->authority, borrowed), header("te", "trailers", borrowed),
		header("content-type", "application/grpc", borrowed), header("user-agent", "kubec", borrowed),
		header("grpc-timeout", timeout, 0)};
	return nghttp2_submit_request(
		c->session, NULL, headers, ARRAY_SIZE(headers) - (timeout_ms > 0 ? 0 : 1), &provider, x);
}

void rpc_exchange_init(struct rpc_exchange *x)
{
	*x = (struct rpc_exchange){.told_code = -1};
	x->last = &x->first;
	strbuf_init(&x->queue);
	sem_init(&x->wake, 0, 0);
}

bool rpc_exchange_begin(struct rpc_exchange *x, struct rpc_conn *c, const struct rpc_request *request)
{
	x->out = request->out;
	x->out_size = request->size;
	x->out_ends = request->ends;
	x->single = request->single;
	rpc_conn_lock(c);
	/* That the peer has gone is better known before something is sent. */
	if (!c->driven)
		rpc_conn_look(c);
	if (!c->exchanges)
		c->heard_ms = clock_mono_ms(clock_system());
	x->id = c->closed ? -1 : submit(x, c, request->path, request->timeout_ms);
	c->closed |= x->id < 0;
	const bool begun = !c->closed;
	if (begun) {
		x->conn = rpc_conn_ref(c);
		x->next = c->exchanges;
		if (c->exchanges)
			c->exchanges->prev = x;
		c->exchanges = x;
	}
	rpc_conn_flush(c);
	rpc_conn_unlock(c);
	return begun;
}

bool rpc_exchange_send(struct rpc_exchange *x, const uint8_t *data, size_t size, bool ends)
{
	struct rpc_conn *c = x->conn;
	rpc_conn_lock(c);
	const bool going = !atomic_load(&x->over) && !x->out_ends &&
			   x->out_size - x->out_sent + size <= c->options.max_message_bytes + RPC_PREFIX;
	if (going) {
		strbuf_consume(&x->queue, x->out_sent);
		strbuf_add(&x->queue, data, size);
		x->out = (const uint8_t *)x->queue.buf;
		x->out_size = x->queue.len;
		x->out_sent = 0;
		x->out_ends = ends;
		nghttp2_session_resume_data(c->session, x->id);
		rpc_conn_flush(c);
	}
	rpc_conn_unlock(c);
	return going;
}

static bool is_past(int64_t deadline_ms)
{
	return deadline_ms >= 0 && clock_mono_ms(clock_system()) >= deadline_ms;
}

/* Waits to be posted; whether it was, in time. */
static bool wait_for_post(struct rpc_exchange *x, int64_t deadline_ms)
{
	const struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
	for (;;) {
		if ((deadline_ms < 0 ? sem_wait(&x->wake) : sem_clockwait(&x->wake, CLOCK_MONOTONIC, &until)) == 0)
			return atomic_exchange(&x->posted, false);
		if (errno == ETIMEDOUT)
			return false;
		assert(errno == EINTR);
	}
}

/* Leaves the driving to another, until it is over, or has to drive itself. True: it is over, and the lock is free. */
static bool sleep_on(struct rpc_exchange *x, int64_t deadline_ms)
{
	atomic_store(&x->has_turn, false);
	link_asleep(x);
	rpc_conn_unlock(x->conn);
	bool posted = wait_for_post(x, deadline_ms);
	if (posted && !atomic_load(&x->has_turn) && atomic_load(&x->over))
		return true;
	rpc_conn_lock(x->conn);
	if (!posted && x->asleep)
		unlink_asleep(x);
	else if (!posted)
		wait_for_post(x, -1); /* it comes */
	return false;
}

/* Somebody else who waits drives. */
static void hand_on(struct rpc_conn *c)
{
	if (c->driven || !c->asleep)
		return;
	atomic_store(&c->asleep->has_turn, true);
	rpc_exchange_rouse(c->asleep);
}

bool rpc_exchange_wait(struct rpc_exchange *x, bool any, int64_t deadline_ms)
{
	struct rpc_conn *c = x->conn;
	bool there;
	rpc_conn_lock(c);
	x->any = any;
	while (!(there = atomic_load(&x->over) || (any && x->first)) && !is_past(deadline_ms)) {
		if (!c->driven)
			rpc_conn_drive(c, deadline_ms);
		else if (sleep_on(x, deadline_ms))
			return true;
	}
	hand_on(c);
	rpc_conn_unlock(c);
	return there;
}

void rpc_exchange_cancel(struct rpc_exchange *x, int code, const char *text)
{
	rpc_conn_lock(x->conn);
	if (!atomic_load(&x->over)) {
		abandon(x, code, text);
		rpc_conn_flush(x->conn);
		rpc_conn_rouse(x->conn);
	}
	rpc_conn_unlock(x->conn);
}

struct rpc_message *rpc_exchange_take(struct rpc_exchange *x)
{
	rpc_conn_lock(x->conn);
	struct rpc_message *message = x->first;
	if (message) {
		x->first = message->next;
		if (!x->first)
			x->last = &x->first;
	}
	rpc_conn_unlock(x->conn);
	return message;
}

void rpc_exchange_done(struct rpc_exchange *x)
{
	assert(!x->conn || atomic_load(&x->over));
	for (struct rpc_message *m = x->first, *next; m; m = next) {
		next = m->next;
		free(m);
	}
	free(x->partial);
	strbuf_done(&x->queue);
	free(x->told_text);
	free(x->text);
	sem_destroy(&x->wake);
	rpc_conn_unref(x->conn);
}
