/*
 * Clients speak WebSocket (v5.channel.k8s.io and v4), nodes speak SPDY/3.1: each channel becomes a stream and back. A
 * port-forward carries SPDY inside WebSocket messages; then only the wrapping is taken off.
 */
#include <stdlib.h>
#include "apiserver/http/backend.h"
#include "base/loop.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/spdy.h"
#include "net/websocket.h"

#define HEAD_MS 30000
#define CHANNEL_V1 "channel.k8s.io" /* the oldest: success is told by silence */
#define HIGH_WATER (1u << 20)
#define N_CHANNELS 5
#define LINGER_MS 2000

struct translation {
	struct loop *loop;
	struct stream *backend_stream; /* until the loop runs */
	struct conn *client, *backend;
	struct websocket *ws;
	struct spdy *spdy; /* NULL for a tunnel */
	bool wanted[N_CHANNELS];
	struct spdy_stream *streams[N_CHANNELS];
	struct strbuf error; /* of the error stream: one message at its end */
	bool oldest;	     /* the first form of the channel protocol */
	bool closing;
	struct loop_timer *linger;
};

static const char *const stream_types[N_CHANNELS] = {[CHANNEL_STDIN] = "stdin",
	[CHANNEL_STDOUT] = "stdout",
	[CHANNEL_STDERR] = "stderr",
	[CHANNEL_ERROR] = "error",
	[CHANNEL_RESIZE] = "resize"};

/* --- ending --- */

static void end_now(void *data)
{
	struct translation *t = data;
	t->linger = NULL;
	loop_stop(t->loop);
}

/* Says goodbye to the client and gives him a moment to answer. */
static void finish(struct translation *t)
{
	if (t->closing)
		return;
	t->closing = true;
	websocket_close(t->ws, 1000, "");
	t->linger = loop_timer(t->loop, LINGER_MS, end_now, t);
}

/* --- the client's side --- */

static void ws_output(void *data, const void *bytes, size_t size)
{
	struct translation *t = data;
	conn_write(t->client, bytes, size);
	if (t->backend && conn_queued(t->client) > HIGH_WATER)
		conn_pause(t->backend, true);
}

static void to_stream(struct translation *t, uint8_t channel, const uint8_t *bytes, size_t size)
{
	if (channel == CHANNEL_CLOSE) {
		if (size && bytes[0] < N_CHANNELS && t->streams[bytes[0]])
			spdy_end(t->streams[bytes[0]]);
		return;
	}
	bool inward = channel == CHANNEL_STDIN || channel == CHANNEL_RESIZE;
	if (!inward || !t->streams[channel])
		return;
	spdy_write(t->streams[channel], bytes, size);
}

static void ws_message(void *data, enum websocket_opcode opcode, const void *bytes, size_t size)
{
	struct translation *t = data;
	if (t->closing || !size || opcode != WEBSOCKET_BINARY)
		return;
	const uint8_t *p = bytes;
	if (t->spdy)
		to_stream(t, p[0], p + 1, size - 1);
	else
		conn_write(t->backend, bytes, size);
}

static void ws_closed(void *data, unsigned code, const char *reason)
{
	struct translation *t = data;
	loop_stop(t->loop);
}

static void client_data(void *data, const void *bytes, size_t size)
{
	struct translation *t = data;
	struct status *status = websocket_feed(t->ws, bytes, size);
	if (!status)
		return;
	status_drop(status, "a client that breaks the protocol is told by the close frame");
	loop_stop(t->loop);
}

static void client_drained(void *data)
{
	struct translation *t = data;
	if (t->backend)
		conn_pause(t->backend, false);
}

static void client_closed(void *data, const struct status *error)
{
	struct translation *t = data;
	loop_stop(t->loop);
}

/* --- the backend's side --- */

static void spdy_output(void *data, const void *bytes, size_t size)
{
	struct translation *t = data;
	conn_write(t->backend, bytes, size);
	if (conn_queued(t->backend) > HIGH_WATER)
		conn_pause(t->client, true);
}

static int channel_of(const struct translation *t, const struct spdy_stream *stream)
{
	for (int i = 0; i < N_CHANNELS; i++)
		if (t->streams[i] == stream)
			return i;
	return -1;
}

static void send_error(struct translation *t)
{
	bool silent = t->oldest && strstr(t->error.buf, "\"status\":\"Success\"");
	if (t->error.len && !silent)
		websocket_send_channel(t->ws, CHANNEL_ERROR, t->error.buf, t->error.len);
	strbuf_reset(&t->error);
}

static void stream_data(void *data, struct spdy_stream *stream, const void *bytes, size_t size, bool end)
{
	struct translation *t = data;
	int channel = channel_of(t, stream);
	if (channel == CHANNEL_ERROR) {
		strbuf_add(&t->error, bytes, size);
		if (end)
			send_error(t);
	} else if (channel >= 0 && size) {
		websocket_send_channel(t->ws, (uint8_t)channel, bytes, size);
	}
	/* Our half of what only speaks to us ends with it. */
	if (channel >= 0 && end && channel != CHANNEL_STDIN && channel != CHANNEL_RESIZE)
		spdy_end(stream);
}

static void stream_closed(void *data, struct spdy_stream *stream, bool reset)
{
	struct translation *t = data;
	int channel = channel_of(t, stream);
	if (channel < 0)
		return;
	if (channel == CHANNEL_ERROR)
		send_error(t);
	t->streams[channel] = NULL;
	if (!t->streams[CHANNEL_STDOUT] && !t->streams[CHANNEL_STDERR] && !t->streams[CHANNEL_ERROR])
		finish(t);
}

static void backend_drained(void *data)
{
	struct translation *t = data;
	conn_pause(t->client, false);
}

static void backend_data(void *data, const void *bytes, size_t size)
{
	struct translation *t = data;
	if (!t->spdy) {
		websocket_send(t->ws, WEBSOCKET_BINARY, bytes, size);
		return;
	}
	struct status *status = spdy_feed(t->spdy, bytes, size);
	if (!status)
		return;
	status_drop(status, "the stream ends with the protocol");
	finish(t);
}

static void backend_closed(void *data, const struct status *error)
{
	struct translation *t = data;
	send_error(t);
	finish(t);
}

static const struct websocket_events ws_events = {.output = ws_output, .message = ws_message, .closed = ws_closed};
static const struct spdy_events spdy_callbacks = {
	.output = spdy_output, .stream_data = stream_data, .stream_closed = stream_closed};
static const struct conn_events client_events = {
	.data = client_data, .drained = client_drained, .closed = client_closed};
static const struct conn_events backend_events = {
	.data = backend_data, .drained = backend_drained, .closed = backend_closed};

/* The streams of a session, in the order in which the original's client opens them. */
static void open_streams(struct translation *t)
{
	static const int order[] = {CHANNEL_ERROR, CHANNEL_STDIN, CHANNEL_STDOUT, CHANNEL_STDERR, CHANNEL_RESIZE};
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int channel = order[i];
		struct http_header header = {
			(char *)(uintptr_t) "streamtype", (char *)(uintptr_t)stream_types[channel]};
		if (t->wanted[channel])
			t->streams[channel] = spdy_open(t->spdy, &header, 1, false);
	}
}

static void run(void *data, struct stream *client)
{
	struct translation *t = data;
	t->loop = loop_new(clock_system());
	t->ws = websocket_new(WEBSOCKET_SERVER, &ws_events, t);
	t->client = conn_new(t->loop, client, &client_events, t);
	t->backend = conn_new(t->loop, STEAL(t->backend_stream), &backend_events, t);
	if (t->wanted[CHANNEL_ERROR]) {
		t->spdy = spdy_new(SPDY_CLIENT, &spdy_callbacks, t);
		open_streams(t);
	}
	loop_run(t->loop);
	loop_timer_cancel(t->linger);
	conn_free(t->client);
	conn_free(t->backend);
	spdy_free(t->spdy);
	websocket_free(t->ws);
	loop_free(t->loop);
	strbuf_done(&t->error);
	free(t);
}

/* --- setting up --- */

static bool asked(struct exchange *exchange, const char *name)
{
	bool on = false;
	return str_to_bool(str_or_empty(exchange_query(exchange, name)), &on) && on;
}

static struct status *upgrade_backend(struct exchange *exchange, const struct backend *b, const char *protocol,
	struct stream *stream, bool *ret_refused)
{
	const struct http_header headers[] = {{(char *)(uintptr_t) "Connection", (char *)(uintptr_t) "Upgrade"},
		{(char *)(uintptr_t) "Upgrade", (char *)(uintptr_t) "SPDY/3.1"},
		{(char *)(uintptr_t) "X-Stream-Protocol-Version", (char *)(uintptr_t)protocol},
		{(char *)(uintptr_t) "Content-Length", (char *)(uintptr_t) "0"}};
	struct http_head head;
	char *body = NULL;
	size_t size = 0;
	TRY(http_upgrade(stream, exchange->arena, "POST", b->target, url_host_port(exchange->arena, b->host, b->port),
		headers, ARRAY_SIZE(headers), HEAD_MS, &head, &body, &size));
	*ret_refused = head.code != 101;
	if (*ret_refused) {
		const char *type = http_header_get(head.headers, head.n_headers, "Content-Type");
		reply_bytes(exchange, head.code, type ? type : "text/plain", body, size);
	}
	return NULL;
}

struct status *backend_translate(struct exchange *exchange, const struct backend *b, bool port_forward)
{
	static const char *const channels[] = {CHANNEL_V5, CHANNEL_V4, CHANNEL_V1, NULL};
	static const char *const tunnels[] = {CHANNEL_PORTFORWARD_TUNNEL, NULL};
	struct http_header *headers, *answer = NULL;
	size_t n, n_answer = 0;
	char *protocol;
	bool refused;
	backend_client_headers(exchange, &headers, &n);
	TRY(websocket_server_accept(
		exchange->arena, headers, n, port_forward ? tunnels : channels, &answer, &n_answer, &protocol));
	CLEANUP(stream_freep) struct stream *stream = NULL;
	TRY(backend_dial(b, &stream));
	TRY(upgrade_backend(exchange, b, port_forward ? "portforward.k8s.io" : CHANNEL_V4, stream, &refused));
	if (refused)
		return NULL;
	struct translation *t = mem_zalloc(sizeof(*t));
	strbuf_init(&t->error);
	t->backend_stream = STEAL(stream);
	t->oldest = str_eq(protocol, CHANNEL_V1);
	t->wanted[CHANNEL_ERROR] = !port_forward;
	t->wanted[CHANNEL_STDIN] = !port_forward && asked(exchange, "stdin");
	t->wanted[CHANNEL_STDOUT] = !port_forward && asked(exchange, "stdout");
	t->wanted[CHANNEL_RESIZE] = !port_forward && asked(exchange, "tty");
	t->wanted[CHANNEL_STDERR] = !port_forward && asked(exchange, "stderr") && !asked(exchange, "tty");
	for (size_t i = 0; i < n_answer; i++)
		if (!str_eq_nocase(answer[i].name, "Connection") && !str_eq_nocase(answer[i].name, "Upgrade"))
			reply_header(exchange, answer[i].name, answer[i].value);
	reply_upgrade(exchange, "websocket", run, t);
	return NULL;
}
