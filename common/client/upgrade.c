/* Upgraded connections: WebSocket and SPDY/3.1, with the client's credentials. */
#include "base/log.h"
#include "client/internal.h"
#include "net/websocket.h"

enum { HANDSHAKE_MS = 30000 };

static void push(struct arena *arena, struct http_header **headers, size_t *n, const char *name, const char *value)
{
	ARENA_PUSH(arena, *headers, *n) =
		(struct http_header){.name = arena_strdup(arena, name), .value = arena_strdup(arena, value)};
}

/* A tunnel through an HTTP proxy. */
static struct status *dial_proxy(struct client *client, struct arena *arena, struct stream **ret)
{
	struct url proxy;
	TRY(url_parse(arena, client->config.proxy_url, &proxy));
	if (!str_eq(proxy.scheme, "http"))
		return status_bad_request(
			"proxy %s: only http proxies carry upgraded connections", client->config.proxy_url);
	CLEANUP(stream_freep) struct stream *s = NULL;
	TRY(stream_dial(proxy.host, url_port(&proxy), NULL, HANDSHAKE_MS, &s));
	char *target = url_host_port(arena, client->url.host, url_port(&client->url));
	char *head = arena_printf(arena, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target);
	TRY(stream_write_all(s, head, strlen(head), HANDSHAKE_MS));
	CLEANUP(strbuf_done) struct strbuf in = STRBUF_INIT;
	struct http_head answer;
	size_t used = 0;
	while (!used) {
		char buf[2048];
		size_t n;
		TRY(stream_read_some(s, buf, sizeof(buf), HANDSHAKE_MS, &n));
		if (!n)
			return status_new(STATUS_UNAVAILABLE, "proxy %s: connection closed", proxy.host);
		strbuf_add(&in, buf, n);
		TRY(http_head_parse(arena, in.buf, in.len, &answer, &used));
	}
	if (answer.code != 200)
		return status_new(
			STATUS_UNAVAILABLE, "proxy %s: %d %s", proxy.host, answer.code, str_or_empty(answer.reason));
	stream_unread(s, in.buf + used, in.len - used);
	*ret = STEAL(s);
	return NULL;
}

static struct status *dial(struct client *client, struct arena *arena, struct stream **ret)
{
	CLEANUP(tls_context_unrefp) struct tls_context *tls = NULL;
	unsigned generation;
	TRY(client_tls(client, &tls, &generation));
	if (str_empty(client->config.proxy_url))
		return stream_dial(client->url.host, url_port(&client->url), tls, HANDSHAKE_MS, ret);
	CLEANUP(stream_freep) struct stream *s = NULL;
	TRY(dial_proxy(client, arena, &s));
	if (tls)
		TRY(stream_start_tls(s, tls, TLS_CLIENT, client->url.host, HANDSHAKE_MS));
	*ret = STEAL(s);
	return NULL;
}

/* Asks for the upgrade; an answer other than 101 is an error that carries its code. */
static struct status *upgrade(struct client *client, struct arena *arena, const char *method, const char *path,
	const char *query, struct http_header *headers, size_t n_headers, struct stream **ret_stream,
	struct http_head *ret_head)
{
	/* The token may come from an exec plugin that gives the certificate too: first the headers, then the
	 * connection. */
	TRY(client_auth_headers(client, arena, &headers, &n_headers));
	push(arena, &headers, &n_headers, "User-Agent", client->user_agent);
	CLEANUP(stream_freep) struct stream *s = NULL;
	TRY(status_wrap(dial(client, arena, &s), "%s \"%s%s\"", method, client->base, path));
	char *target = arena_printf(
		arena, "%s%s%s%s", client->url.path, path, str_empty(query) ? "" : "?", str_or_empty(query));
	char *host = url_host_port(arena, client->url.host, url_port(&client->url));
	char *body;
	size_t body_size;
	TRY(http_upgrade(
		s, arena, method, target, host, headers, n_headers, HANDSHAKE_MS, ret_head, &body, &body_size));
	log_v(6, "\"Response\" verb=\"%s\" url=\"%s%s\" status=\"%d\"", method, client->base, target, ret_head->code);
	if (ret_head->code != 101)
		return client_status_from_body(method, path, ret_head->code, body, body_size);
	*ret_stream = STEAL(s);
	return NULL;
}

struct status *client_websocket(struct client *client, struct arena *arena, const char *path, const char *query,
	const char *const *protocols, struct stream **ret_stream, char **ret_protocol)
{
	struct http_header *headers = NULL;
	size_t n = 0;
	char *key;
	struct http_head head;
	CLEANUP(stream_freep) struct stream *s = NULL;
	websocket_client_headers(arena, protocols, &headers, &n, &key);
	TRY(upgrade(client, arena, "GET", path, query, headers, n, &s, &head));
	TRY(websocket_client_check(&head, key, arena, ret_protocol));
	*ret_stream = STEAL(s);
	return NULL;
}

struct status *client_spdy(struct client *client, struct arena *arena, const char *path, const char *query,
	const char *const *protocols, struct stream **ret_stream, char **ret_protocol)
{
	struct http_header *headers = NULL;
	size_t n = 0;
	struct http_head head;
	CLEANUP(stream_freep) struct stream *s = NULL;
	push(arena, &headers, &n, "Connection", "Upgrade");
	push(arena, &headers, &n, "Upgrade", "SPDY/3.1");
	push(arena, &headers, &n, "Content-Length", "0");
	for (; protocols && *protocols; protocols++)
		push(arena, &headers, &n, "X-Stream-Protocol-Version", *protocols);
	TRY(upgrade(client, arena, "POST", path, query, headers, n, &s, &head));
	if (!http_header_has_token(head.headers, head.n_headers, "Upgrade", "SPDY/3.1"))
		return status_bad_request("unable to upgrade connection: the server did not switch to SPDY/3.1");
	*ret_protocol = arena_strdup(
		arena, str_or_empty(http_header_get(head.headers, head.n_headers, "X-Stream-Protocol-Version")));
	*ret_stream = STEAL(s);
	return NULL;
}

/* What belongs to the connection that a request came over, not to the request; an upgrade is both. */
static bool is_hop(const struct http_header *h, bool upgrade)
{
	static const char *const names[] = {
		"Host", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", NULL};
	if (!upgrade && (str_eq_nocase(h->name, "Connection") || str_eq_nocase(h->name, "Upgrade")))
		return true;
	for (size_t i = 0; names[i]; i++)
		if (str_eq_nocase(h->name, names[i]))
			return true;
	return false;
}

struct status *client_forward(
	struct client *client, struct arena *arena, const struct http_head *request, struct stream **ret_stream)
{
	CLEANUP(stream_freep) struct stream *s = NULL;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct http_header *auth = NULL;
	size_t n_auth = 0;
	bool upgrade = http_header_has_token(request->headers, request->n_headers, "Connection", "Upgrade");
	if (!http_header_get(request->headers, request->n_headers, "Authorization"))
		TRY(client_auth_headers(client, arena, &auth, &n_auth));
	TRY(dial(client, arena, &s));
	strbuf_printf(&out, "%s %s HTTP/1.1\r\nHost: %s\r\n", request->method, request->target,
		url_host_port(arena, client->url.host, url_port(&client->url)));
	for (size_t i = 0; i < request->n_headers; i++)
		if (!is_hop(&request->headers[i], upgrade))
			strbuf_printf(&out, "%s: %s\r\n", request->headers[i].name, request->headers[i].value);
	for (size_t i = 0; i < n_auth; i++)
		strbuf_printf(&out, "%s: %s\r\n", auth[i].name, auth[i].value);
	strbuf_adds(&out, upgrade ? "\r\n" : "Connection: close\r\n\r\n");
	TRY(stream_write_all(s, out.buf, out.len, HANDSHAKE_MS));
	*ret_stream = STEAL(s);
	return NULL;
}
