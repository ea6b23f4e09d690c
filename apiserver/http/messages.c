#include "apiserver/http/messages.h"
#include <stdatomic.h>
#include "apiserver/http/backend.h"
#include "base/encode.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/websocket.h"

#define BASE64_PROTOCOL "base64.binary.k8s.io"
#define HIGH_WATER (256u << 10)
#define LINGER_MS 2000
#define PATIENCE_MS 180000 /* a client that takes nothing for so long is given up */

struct messages {
	struct reply_stream stream;
	enum messages_form form;
	bool base64; /* of a log */
	struct loop *loop;
	atomic_bool posted;
	/* The session's. */
	struct conn *client;
	struct websocket *ws;
	struct strbuf message;
	struct loop_timer *linger, *patience;
};

/* --- the client's side --- */

static void stop(void *data)
{
	struct messages *m = data;
	loop_stop(m->loop);
}

static void on_output(void *data, const void *bytes, size_t size)
{
	struct messages *m = data;
	conn_write(m->client, bytes, size);
}

static void on_message(void *data, enum websocket_opcode opcode, const void *bytes, size_t size)
{
}

static void on_closed(void *data, unsigned code, const char *reason)
{
	stop(data);
}

static void client_data(void *data, const void *bytes, size_t size)
{
	struct messages *m = data;
	struct status *broken = websocket_feed(m->ws, bytes, size);
	if (!broken)
		return;
	status_drop(broken, "the close frame tells of it");
	loop_stop(m->loop);
}

static void turn(void *data);

static void client_drained(void *data)
{
	struct messages *m = data;
	loop_timer_cancel(m->patience);
	m->patience = NULL;
	turn(m);
}

static void client_closed(void *data, const struct status *error)
{
	stop(data);
}

/* --- sending --- */

static void send_message(struct messages *m)
{
	if (m->base64) {
		CLEANUP(arena_freep) struct arena *scratch = arena_new();
		const char *encoded = base64_encode(scratch, m->message.buf, m->message.len);
		websocket_send(m->ws, WEBSOCKET_TEXT, encoded, strlen(encoded));
		return;
	}
	websocket_send(
		m->ws, m->form == MESSAGES_TEXT ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, m->message.buf, m->message.len);
}

static void send_pieces(struct messages *m, const struct outlet_pieces *p)
{
	strbuf_reset(&m->message);
	for (size_t i = p->at; i < p->n; i++)
		strbuf_add(&m->message, p->v[i].iov_base, p->v[i].iov_len);
	send_message(m);
}

/* Says goodbye, and gives the client a moment to answer. */
static void finish(struct messages *m)
{
	websocket_close(m->ws, 1000, "");
	m->linger = loop_timer(m->loop, LINGER_MS, stop, m);
}

static void turn(void *data)
{
	struct messages *m = data;
	atomic_store(&m->posted, false);
	while (!m->linger && conn_queued(m->client) < HIGH_WATER) {
		struct outlet_pieces pieces = {0};
		int more = m->stream.next(m->stream.data, &pieces);
		if (more > 0)
			send_pieces(m, &pieces);
		else if (more < 0)
			finish(m);
		else
			break;
	}
	if (!m->patience && conn_queued(m->client))
		m->patience = loop_timer(m->loop, PATIENCE_MS, stop, m);
}

void messages_wake(struct messages *m)
{
	if (!atomic_exchange(&m->posted, true))
		loop_post(m->loop, turn, m);
}

static void run(void *data, struct stream *stream)
{
	static const struct websocket_events ws_events = {
		.output = on_output, .message = on_message, .closed = on_closed};
	static const struct conn_events client_events = {
		.data = client_data, .drained = client_drained, .closed = client_closed};
	struct messages *m = data;
	m->ws = websocket_new(WEBSOCKET_SERVER, &ws_events, m);
	m->client = conn_new(m->loop, stream, &client_events, m);
	if (m->form == MESSAGES_LOG)
		send_message(m);
	messages_wake(m);
	loop_run(m->loop);
	loop_timer_cancel(m->linger);
	loop_timer_cancel(m->patience);
	conn_free(m->client);
	websocket_free(m->ws);
}

struct messages *messages_new(void)
{
	struct messages *m = mem_zalloc(sizeof(*m));
	m->loop = loop_new(clock_system());
	strbuf_init(&m->message);
	return m;
}

void messages_free(struct messages *m)
{
	if (!m)
		return;
	loop_free(m->loop);
	strbuf_done(&m->message);
	free(m);
}

/* --- setting up --- */

bool messages_wanted(struct exchange *exchange)
{
	struct http_header *headers;
	size_t n;
	if (!exchange_header(exchange, "Upgrade"))
		return false;
	backend_client_headers(exchange, &headers, &n);
	return websocket_is_request(headers, n);
}

/* What the client of a watch calls a protocol is his own matter: the first that is no token is the one. */
static const char *const *protocols_of(struct exchange *exchange, enum messages_form form)
{
	static const char *const of_logs[] = {"binary.k8s.io", BASE64_PROTOCOL, NULL};
	const char **names = ARENA_ARRAY(exchange->arena, const char *, 2);
	const char *offered = exchange_header(exchange, "Sec-WebSocket-Protocol");
	char **all;
	if (form == MESSAGES_LOG)
		return of_logs;
	size_t n = offered ? str_split(exchange->arena, offered, ',', &all) : 0;
	for (size_t i = 0; i < n && !names[0]; i++) {
		const char *name = str_trim(exchange->arena, all[i]);
		names[0] = str_starts_with(name, "base64url.bearer.") ? NULL : name;
	}
	return names;
}

struct status *messages_reply(
	struct exchange *exchange, struct messages *m, enum messages_form form, const struct reply_stream *stream)
{
	struct http_header *headers, *answer = NULL;
	size_t n, n_answer = 0;
	char *protocol;
	backend_client_headers(exchange, &headers, &n);
	const char *const *protocols = protocols_of(exchange, form);
	TRY(websocket_server_accept(
		exchange->arena, headers, n, *protocols ? protocols : NULL, &answer, &n_answer, &protocol));
	m->stream = *stream;
	m->form = form;
	m->base64 = form == MESSAGES_LOG && str_eq(protocol, BASE64_PROTOCOL);
	exchange_at_end(exchange, stream->done, stream->data);
	if (form != MESSAGES_LOG && str_empty(exchange_header(exchange, "Origin"))) {
		reply_bytes(exchange, 403, "text/plain; charset=utf-8", "", 0);
		return NULL;
	}
	for (size_t i = 0; i < n_answer; i++)
		reply_header(exchange, answer[i].name, answer[i].value);
	reply_upgrade(exchange, "websocket", run, m);
	return NULL;
}
