#include "apiserver/http/backend.h"
#include <stdlib.h>
#include "api/meta.h"
#include "apiserver/http/answer.h"
#include "apiserver/http/links.h"
#include "apiserver/http/messages.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/workers.h"

#define DIAL_MS 10000
#define HEAD_MS 30000
#define QUIET_MS 2000
#define MAX_BUFFERED 262144
#define MAX_REFUSAL 50000
#define DEFAULT_KUBELET_PORT 10250

/* Consumes why there is no answer of the backend. */
static struct status *unanswered(const struct backend *b, struct status *why)
{
	if (!why)
		return NULL;
	CLEANUP(arena_freep) struct arena *scratch = arena_new_sized(1024);
	struct status *s;
	if (b->prefix)
		s = status_new(STATUS_UNAVAILABLE, "error trying to reach service: %s", why->message);
	else if (b->about) /* an answer is read, and not a session begun */
		s = status_with_code(status_new(STATUS_UNKNOWN, "Get \"https://%s%s\": %s",
					     url_host_port(scratch, b->host, b->port), b->target, why->message),
			500);
	else
		s = status_internal("error dialing backend: %s", why->message);
	status_free(why);
	return s;
}

struct status *backend_dial(const struct backend *b, struct stream **ret_stream)
{
	return unanswered(b, stream_dial(b->host, b->port, b->tls, DIAL_MS, ret_stream));
}

static struct status *no_address(const CoreV1NodeStatus *node)
{
	CLEANUP(strbuf_done) struct strbuf known = STRBUF_INIT;
	for (size_t i = 0; node && i < node->n_addresses; i++)
		strbuf_printf(&known, "%s{%s %s}", i ? " " : "", node->addresses[i]->type, node->addresses[i]->address);
	return status_with_code(status_new(STATUS_UNKNOWN, "no preferred addresses found; known addresses: [%s]",
					str_or_empty(known.buf)),
		500);
}

struct status *backend_kubelet(
	struct app *app, struct request *request, const char *node_name, struct backend *ret_backend)
{
	const ProtobufCMessage *object;
	TRY(request_needs(request, &CoreV1Node_schema, "", node_name, &object));
	const CoreV1NodeStatus *node = ((const CoreV1Node *)object)->status;
	*ret_backend = (struct backend){.tls = app->kubelet_tls, .port = DEFAULT_KUBELET_PORT};
	if (node && node->daemon_endpoints && node->daemon_endpoints->kubelet_endpoint &&
		node->daemon_endpoints->kubelet_endpoint->port > 0)
		ret_backend->port = (uint16_t)node->daemon_endpoints->kubelet_endpoint->port;
	for (size_t t = 0; node && t < app->n_kubelet_address_types; t++)
		for (size_t i = 0; i < node->n_addresses; i++)
			if (str_eq(node->addresses[i]->type, app->kubelet_address_types[t])) {
				ret_backend->host = node->addresses[i]->address;
				return NULL;
			}
	return no_address(node);
}

struct header_list {
	struct arena *arena;
	struct http_header *items;
	size_t n;
};

static void add_header(struct header_list *list, const char *name, const char *value)
{
	struct http_header header = {arena_strdup(list->arena, name), arena_strdup(list->arena, value)};
	ARENA_PUSH(list->arena, list->items, list->n) = header;
}

static void collect(void *data, const char *name, const char *value)
{
	add_header(data, name, value);
}

void backend_client_headers(struct exchange *exchange, struct http_header **ret_headers, size_t *ret_n)
{
	struct header_list list = {.arena = exchange->arena};
	exchange_each_header(exchange, collect, &list);
	*ret_headers = list.items;
	*ret_n = list.n;
}

/* Headers that concern one connection only, and credentials that were for us. */
static bool is_ours(const char *name)
{
	static const char *const names[] = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
		"te", "trailer", "transfer-encoding", "upgrade", "host", "content-length", "authorization", NULL};
	for (size_t i = 0; names[i]; i++)
		if (str_eq_nocase(name, names[i]))
			return true;
	return str_starts_with(name, "Impersonate-");
}

/* --- ordinary requests --- */

/* An answer on its way back: a thread reads it from the backend, the listener takes it from the buffer. */
struct passage {
	struct exchange *exchange;
	struct stream *stream;
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct strbuf buffer;
	struct strbuf sending; /* the reply's own */
	bool ended;	       /* by the backend */
	bool gone;	       /* by the client */
	unsigned users;	       /* the thread and the reply */
	/* how the body is delimited */
	bool chunked;
	int64_t left;		   /* bytes of the body or the chunk; -1: until the end of the connection */
	struct links *links;	   /* of a page; NULL: the body passes as it is */
	struct messages *messages; /* instead of a body, to who asked for a WebSocket */
};

static void wake_reply(struct passage *p)
{
	if (p->messages)
		messages_wake(p->messages);
	else
		reply_wake(p->exchange);
}

static void passage_release(struct passage *p)
{
	pthread_mutex_lock(&p->lock);
	bool last = --p->users == 0;
	pthread_mutex_unlock(&p->lock);
	if (!last)
		return;
	stream_free(p->stream);
	links_free(p->links);
	strbuf_done(&p->buffer);
	strbuf_done(&p->sending);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->room);
	free(p);
}

/* False: the client has gone. */
static bool passage_put(struct passage *p, const char *data, size_t size)
{
	pthread_mutex_lock(&p->lock);
	while (!p->gone && p->buffer.len > MAX_BUFFERED)
		pthread_cond_wait(&p->room, &p->lock);
	bool here = !p->gone;
	if (here && p->links)
		here = links_feed(p->links, data, size, &p->buffer);
	else if (here)
		strbuf_add(&p->buffer, data, size);
	if (here)
		wake_reply(p);
	pthread_mutex_unlock(&p->lock);
	return here;
}

/* Some bytes of the connection; 0 at its end, or when the client has gone. */
static size_t passage_read(struct passage *p, char *buf, size_t size)
{
	for (;;) {
		size_t n = 0;
		struct status *status = stream_read_some(p->stream, buf, size, QUIET_MS, &n);
		if (!status)
			return n;
		bool quiet = status_is(status, STATUS_TIMEOUT);
		status_drop(status, "the end of the answer is its end");
		pthread_mutex_lock(&p->lock);
		bool gone = p->gone;
		pthread_mutex_unlock(&p->lock);
		if (gone || !quiet)
			return 0;
	}
}

static bool read_line(struct passage *p, char *line, size_t size)
{
	for (size_t n = 0; n + 1 < size; n++) {
		if (passage_read(p, line + n, 1) != 1)
			return false;
		if (line[n] == '\n') {
			line[n] = 0;
			return true;
		}
	}
	return false;
}

static void copy_body(struct passage *p)
{
	char buf[16384];
	while (p->left != 0) {
		size_t want = p->left > 0 && (size_t)p->left < sizeof(buf) ? (size_t)p->left : sizeof(buf);
		size_t n = passage_read(p, buf, want);
		if (!n || !passage_put(p, buf, n))
			return;
		if (p->left > 0)
			p->left -= (int64_t)n;
	}
}

static void copy_chunks(struct passage *p)
{
	char line[64];
	while (read_line(p, line, sizeof(line))) {
		char *end;
		long long size = strtoll(line, &end, 16);
		if (end == line || size <= 0)
			return;
		p->left = size;
		copy_body(p);
		if (p->left || !read_line(p, line, sizeof(line)))
			return;
	}
}

static void *run_passage(void *data)
{
	struct passage *p = data;
	if (p->chunked)
		copy_chunks(p);
	else
		copy_body(p);
	pthread_mutex_lock(&p->lock);
	if (p->links)
		links_end(p->links, &p->buffer);
	p->ended = true;
	if (!p->gone)
		wake_reply(p);
	pthread_mutex_unlock(&p->lock);
	passage_release(p);
	return NULL;
}

static int next_of_passage(void *data, struct outlet_pieces *pieces)
{
	struct passage *p = data;
	pthread_mutex_lock(&p->lock);
	struct strbuf sent = p->sending;
	p->sending = p->buffer;
	p->buffer = sent;
	strbuf_reset(&p->buffer);
	bool over = !p->sending.len && p->ended;
	pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
	outlet_piece(pieces, p->sending.buf, p->sending.len);
	return p->sending.len ? 1 : over ? -1 : 0;
}

static void end_passage(void *data)
{
	struct passage *p = data;
	pthread_mutex_lock(&p->lock);
	p->gone = true;
	pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
	messages_free(p->messages);
	passage_release(p);
}

static void write_head(struct exchange *exchange, const struct backend *b, const char *method, struct strbuf *out)
{
	struct http_header *headers;
	size_t n;
	backend_client_headers(exchange, &headers, &n);
	/* A proxied program sees the name by which the client called us. */
	const char *host = b->prefix ? exchange_header(exchange, "Host") : NULL;
	strbuf_printf(out, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method ? method : exchange->method,
		b->target, host ? host : url_host_port(exchange->arena, b->host, b->port));
	for (size_t i = 0; !method && i < n; i++)
		if (!is_ours(headers[i].name))
			strbuf_printf(out, "%s: %s\r\n", headers[i].name, headers[i].value);
	if (b->prefix)
		strbuf_printf(out, "X-Forwarded-Uri: %s\r\n", exchange->raw_path);
	if (!method && exchange->client_address)
		strbuf_printf(out, "X-Forwarded-For: %s\r\n", exchange->client_address);
	if (!method && (exchange->body_size || str_eq(exchange->method, "POST") || str_eq(exchange->method, "PUT")))
		strbuf_printf(out, "Content-Length: %zu\r\n", exchange->body_size);
	strbuf_adds(out, "\r\n");
	if (!method)
		strbuf_add(out, exchange->body, exchange->body_size);
}

static struct status *read_head(struct stream *stream, struct arena *arena, struct http_head *ret_head)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	char buf[4096];
	for (;;) {
		size_t n, used;
		TRY(stream_read_some(stream, buf, sizeof(buf), HEAD_MS, &n));
		if (!n)
			return status_internal("EOF");
		strbuf_add(&text, buf, n);
		TRY(http_head_parse(arena, text.buf, text.len, ret_head, &used));
		if (used && ret_head->code == 100) {
			strbuf_consume(&text, used);
			continue;
		}
		if (used) {
			stream_unread(stream, text.buf + used, text.len - used);
			return NULL;
		}
		if (text.len > HTTP1_MAX_HEAD_BYTES)
			return status_internal("the backend's answer has too long a head");
	}
}

/* Whether a page's links are to be rewritten: not when it leads elsewhere anyway, nor when it is coded in a way that we
 * do not know. */
static struct links *page_links(struct exchange *exchange, const struct backend *b, const struct http_head *head)
{
	const char *type = http_header_get(head->headers, head->n_headers, "Content-Type");
	const char *coding = str_or_empty(http_header_get(head->headers, head->n_headers, "Content-Encoding"));
	bool gzip = strcmp(coding, "gzip") == 0;
	if (!b->prefix || !type || strncmp(type, "text/html", 9) != 0 || (type[9] && !strchr("; ", type[9])) ||
		(*coding && !gzip) || http_header_get(head->headers, head->n_headers, "Location"))
		return NULL;
	return links_new(b->prefix, url_host_port(exchange->arena, b->host, b->port),
		str_or_empty(exchange_header(exchange, "Host")), gzip);
}

static bool is_passed_back(const struct backend *b, const struct links *links, const char *name)
{
	static const char *const cors[] = {"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
		"Access-Control-Allow-Methods", "Access-Control-Allow-Origin", NULL};
	for (size_t i = 0; b->prefix && cors[i]; i++)
		if (str_eq_nocase(name, cors[i]))
			return false;
	return !is_ours(name) && !str_eq_nocase(name, "Content-Type") && !str_eq_nocase(name, "Date") &&
	       !(links && str_eq_nocase(name, "Content-Encoding"));
}

static void pass_headers(
	struct exchange *exchange, const struct backend *b, const struct links *links, const struct http_head *head)
{
	for (size_t i = 0; i < head->n_headers; i++) {
		const struct http_header *h = &head->headers[i];
		const char *value = h->value;
		if (!is_passed_back(b, links, h->name))
			continue;
		if (b->prefix && str_eq_nocase(h->name, "Location"))
			value = links_rewrite(exchange->arena, b->prefix,
				url_host_port(exchange->arena, b->host, b->port),
				str_or_empty(exchange_header(exchange, "Host")), value);
		reply_header(exchange, h->name, value);
	}
}

static struct status *begin_passage(
	struct exchange *exchange, const struct backend *b, struct stream *stream, const struct http_head *head)
{
	struct passage *p = mem_zalloc(sizeof(*p));
	const char *type = http_header_get(head->headers, head->n_headers, "Content-Type");
	const char *length = http_header_get(head->headers, head->n_headers, "Content-Length");
	p->exchange = exchange;
	p->stream = stream;
	p->users = 2;
	p->chunked = http_header_has_token(head->headers, head->n_headers, "Transfer-Encoding", "chunked");
	p->left = -1;
	if (length && !str_to_int64(length, 0, INT64_MAX, &p->left))
		p->left = -1;
	if (head->code == 204 || head->code == 304 || str_eq(exchange->method, "HEAD"))
		p->left = 0;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->room, NULL);
	strbuf_init(&p->buffer);
	strbuf_init(&p->sending);
	const struct reply_stream reply = {.next = next_of_passage, .done = end_passage, .data = p};
	p->messages = b->as_messages ? messages_new() : NULL;
	struct status *refused = p->messages ? messages_reply(exchange, p->messages, MESSAGES_LOG, &reply) : NULL;
	if (refused) {
		p->users = 1;
		end_passage(p);
		return refused;
	}
	if (!p->messages) {
		p->links = page_links(exchange, b, head);
		pass_headers(exchange, b, p->links, head);
		reply_stream(exchange, head->code, type ? type : "text/plain", &reply);
	}
	pthread_detach(thread_start("passage", run_passage, p));
	return NULL;
}

/* --- refusals as a Status --- */

static char *read_refusal(struct stream *stream, struct arena *arena, const struct http_head *head)
{
	const char *length = http_header_get(head->headers, head->n_headers, "Content-Length");
	int64_t left = MAX_REFUSAL;
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	char buf[4096];
	if (length && (!str_to_int64(length, 0, INT64_MAX, &left) || left > MAX_REFUSAL))
		left = MAX_REFUSAL;
	while (left > 0) {
		size_t n = 0;
		struct status *status = stream_read_some(
			stream, buf, left < (int64_t)sizeof(buf) ? (size_t)left : sizeof(buf), HEAD_MS, &n);
		if (status || !n) {
			status_drop(status, "what was read tells enough");
			break;
		}
		strbuf_add(&text, buf, n);
		left -= (int64_t)n;
	}
	return arena_strndup(arena, text.buf ? text.buf : "", text.len);
}

/* What the backend's refusal is to a client, who knows Statuses only. */
static struct status *refusal(
	struct exchange *exchange, const struct backend *b, struct stream *stream, const struct http_head *head)
{
	const char *text = read_refusal(stream, exchange->arena, head);
	switch (head->code) {
	case 400:
		return status_bad_request("%s", text);
	case 404:
		return status_new(STATUS_NOT_FOUND, "the server could not find the requested resource ( %s)", b->about);
	case 500:
		return status_internal("Internal error occurred: %s", text);
	default:
		return status_with_code(status_new(STATUS_UNKNOWN,
						"the server responded with the status code %d but did "
						"not return more information ( %s)",
						head->code, b->about),
			head->code);
	}
}

struct status *backend_forward(struct exchange *exchange, const struct backend *b, const char *method)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct http_head head;
	TRY(backend_dial(b, &stream));
	write_head(exchange, b, method, &out);
	TRY(unanswered(b, stream_write_all(stream, out.buf, out.len, HEAD_MS)));
	TRY(unanswered(b, read_head(stream, exchange->arena, &head)));
	if (b->about && (head.code < 200 || head.code > 206))
		return refusal(exchange, b, stream, &head);
	return begin_passage(exchange, b, STEAL(stream), &head);
}

/* --- upgrades --- */

static void run_tunnel(void *data, struct stream *client)
{
	struct stream *backend = data;
	stream_relay(client, backend, -1);
	stream_free(backend);
	stream_free(client);
}

/* What the backend answered instead of upgrading. */
static void pass_refusal(struct exchange *exchange, const struct http_head *head, const char *body, size_t size)
{
	const char *type = http_header_get(head->headers, head->n_headers, "Content-Type");
	reply_bytes(exchange, head->code, type ? type : "text/plain", body, size);
}

struct status *backend_tunnel(struct exchange *exchange, const struct backend *b)
{
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct http_header *headers;
	size_t n, kept = 0, body_size = 0;
	struct http_head head;
	char *body = NULL;
	TRY(backend_dial(b, &stream));
	backend_client_headers(exchange, &headers, &n);
	for (size_t i = 0; i < n; i++)
		if (!is_ours(headers[i].name) || str_eq_nocase(headers[i].name, "Upgrade") ||
			str_eq_nocase(headers[i].name, "Connection"))
			headers[kept++] = headers[i];
	TRY(http_upgrade(stream, exchange->arena, exchange->method, b->target,
		url_host_port(exchange->arena, b->host, b->port), headers, kept, HEAD_MS, &head, &body, &body_size));
	if (head.code != 101) {
		pass_refusal(exchange, &head, body, body_size);
		return NULL;
	}
	for (size_t i = 0; i < head.n_headers; i++)
		if (!is_ours(head.headers[i].name) && !str_eq_nocase(head.headers[i].name, "Date"))
			reply_header(exchange, head.headers[i].name, head.headers[i].value);
	const char *protocol = http_header_get(head.headers, head.n_headers, "Upgrade");
	reply_upgrade(exchange, protocol ? protocol : "SPDY/3.1", run_tunnel, STEAL(stream));
	return NULL;
}
