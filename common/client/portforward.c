#include "client/portforward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "base/str.h"
#include "net/conn.h"
#include "net/spdy.h"
#include "net/url.h"
#include "net/websocket.h"

enum {
	MAX_LISTENERS = 64,
	TICK_MS = 100,
	PING_MS = 5000,
	MAX_QUEUED_BYTES = 1 << 20, /* on one side before the other is left waiting */
	MAX_ERROR_BYTES = 64 * 1024,
};

struct listener {
	struct port_forward *pf;
	int fd;
	uint16_t local_port, remote_port;
	struct loop_fd *watch;
};

/* One forwarded connection: a local socket, a data stream and an error stream. */
struct tunnel {
	struct port_forward *pf;
	struct conn *local;
	struct spdy_stream *data, *error; /* NULL once ended */
	struct strbuf message;
	uint16_t local_port, remote_port;
	bool local_ended;
	struct tunnel *next;
};

struct port_forward {
	struct client *client;
	char *path;
	struct loop *loop;
	struct stream *stream; /* until the run begins */
	struct conn *conn;
	struct websocket *ws; /* NULL: plain SPDY */
	struct spdy *spdy;
	struct listener listeners[MAX_LISTENERS];
	size_t n_listeners;
	struct tunnel *tunnels;
	uint32_t next_request;
	void (*on_connection)(void *data, uint16_t local_port);
	void *connection_data;
	void (*on_error)(void *data, const char *message);
	void *error_data;
	const atomic_bool *stop;
	int64_t next_ping_ms;
	struct status *error;
	bool over;
};

static void finish(struct port_forward *pf, struct status *error)
{
	if (pf->error)
		status_free(error);
	else
		pf->error = error;
	pf->over = true;
	loop_stop(pf->loop);
}

/* --- one tunnel --- */

static void report(struct tunnel *t)
{
	if (!t->message.len || !t->pf->on_error)
		return;
	CLEANUP_FREE char *text =
		mem_printf("an error occurred forwarding %u -> %u: %s", t->local_port, t->remote_port, t->message.buf);
	t->pf->on_error(t->pf->error_data, text);
	strbuf_reset(&t->message);
}

static void tunnel_free(struct tunnel *t)
{
	for (struct tunnel **p = &t->pf->tunnels; *p; p = &(*p)->next) {
		if (*p != t)
			continue;
		*p = t->next;
		break;
	}
	report(t);
	if (t->data) {
		spdy_stream_set_user(t->data, NULL);
		spdy_reset(t->data);
	}
	if (t->error) {
		spdy_stream_set_user(t->error, NULL);
		spdy_reset(t->error);
	}
	conn_free(t->local);
	strbuf_done(&t->message);
	free(t);
}

static void local_data(void *data, const void *bytes, size_t size)
{
	struct tunnel *t = data;
	if (t->data)
		spdy_write(t->data, bytes, size);
	if (conn_queued(t->pf->conn) > MAX_QUEUED_BYTES)
		conn_pause(t->local, true);
}

/* The local side has taken what it was sent: the pod's side may go on. */
static void local_drained(void *data)
{
	struct tunnel *t = data;
	conn_pause(t->pf->conn, false);
}

static void local_closed(void *data, const struct status *error)
{
	struct tunnel *t = data;
	t->local_ended = true;
	if (error || !t->data)
		tunnel_free(t);
	else
		spdy_end(t->data);
}

static const struct conn_events local_events = {local_data, local_drained, local_closed};

/* --- streams of the session --- */

static void stream_data(void *data, struct spdy_stream *st, const void *bytes, size_t size, bool end)
{
	struct port_forward *pf = data;
	struct tunnel *t = spdy_stream_user(st);
	if (!t)
		return;
	if (st == t->error) {
		if (t->message.len + size <= MAX_ERROR_BYTES)
			strbuf_add(&t->message, bytes, size);
		return;
	}
	conn_write(t->local, bytes, size);
	if (conn_queued(t->local) > MAX_QUEUED_BYTES)
		conn_pause(pf->conn, true);
	if (end)
		conn_shutdown(t->local);
}

static void stream_closed(void *data, struct spdy_stream *st, bool reset)
{
	struct tunnel *t = spdy_stream_user(st);
	(void)data;
	if (!t)
		return;
	if (st == t->data)
		t->data = NULL;
	else
		t->error = NULL;
	/* The pod's side refused the connection, or both directions of the data have ended. */
	if (!t->data && (reset || !t->error || t->local_ended || t->message.len))
		tunnel_free(t);
	else if (!t->error && t->message.len)
		tunnel_free(t);
}

static void session_output(void *data, const void *bytes, size_t size)
{
	struct port_forward *pf = data;
	if (pf->ws)
		websocket_send(pf->ws, WEBSOCKET_BINARY, bytes, size);
	else
		conn_write(pf->conn, bytes, size);
}

static void session_goaway(void *data)
{
	finish(data, status_new(STATUS_UNAVAILABLE, "lost connection to pod"));
}

static const struct spdy_events session_events = {
	.output = session_output, .stream_data = stream_data, .stream_closed = stream_closed, .goaway = session_goaway};

/* --- the connection --- */

static void ws_output(void *data, const void *bytes, size_t size)
{
	struct port_forward *pf = data;
	if (pf->conn)
		conn_write(pf->conn, bytes, size);
}

static void ws_message(void *data, enum websocket_opcode opcode, const void *bytes, size_t size)
{
	struct port_forward *pf = data;
	(void)opcode;
	struct status *error = pf->over ? NULL : spdy_feed(pf->spdy, bytes, size);
	if (error)
		finish(pf, error);
}

static void ws_closed(void *data, unsigned code, const char *reason)
{
	(void)code, (void)reason;
	finish(data, status_new(STATUS_UNAVAILABLE, "lost connection to pod"));
}

static const struct websocket_events ws_events = {ws_output, ws_message, NULL, ws_closed};

static void on_bytes(void *data, const void *bytes, size_t size)
{
	struct port_forward *pf = data;
	struct status *error = pf->ws ? websocket_feed(pf->ws, bytes, size) : spdy_feed(pf->spdy, bytes, size);
	if (error)
		finish(pf, error);
}

static void on_drained(void *data)
{
	struct port_forward *pf = data;
	for (struct tunnel *t = pf->tunnels; t; t = t->next)
		conn_pause(t->local, false);
}

static void on_closed(void *data, const struct status *error)
{
	(void)error;
	finish(data, status_new(STATUS_UNAVAILABLE, "lost connection to pod"));
}

static const struct conn_events conn_events = {on_bytes, on_drained, on_closed};

/* --- accepting --- */

static struct spdy_stream *open_stream(struct tunnel *t, const char *type)
{
	char port[8], request[16];
	snprintf(port, sizeof(port), "%u", t->remote_port);
	snprintf(request, sizeof(request), "%u", t->pf->next_request);
	struct http_header headers[] = {{"streamType", (char *)type}, {"port", port}, {"requestID", request}};
	struct spdy_stream *st = spdy_open(t->pf->spdy, headers, ARRAY_SIZE(headers), false);
	spdy_stream_set_user(st, t);
	return st;
}

static void on_accept(void *data, unsigned events)
{
	struct listener *l = data;
	struct port_forward *pf = l->pf;
	(void)events;
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (pf->on_connection)
		pf->on_connection(pf->connection_data, l->local_port);
	struct tunnel *t = mem_zalloc(sizeof(*t));
	*t = (struct tunnel){.pf = pf, .local_port = l->local_port, .remote_port = l->remote_port, .next = pf->tunnels};
	strbuf_init(&t->message);
	pf->tunnels = t;
	/* Both streams carry one request number; the error stream is opened first and only listened to. */
	t->error = open_stream(t, "error");
	spdy_end(t->error);
	t->data = open_stream(t, "data");
	pf->next_request++;
	t->local = conn_new(pf->loop, stream_from_fd(fd), &local_events, t);
}

static struct status *listen_error(const char *address, uint16_t port)
{
	int error = errno;
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	return status_new(STATUS_INTERNAL, "unable to create listener: Error listen tcp %s: bind: %s",
		url_host_port(arena, address, port), net_error_text(arena, error));
}

struct status *port_forward_listen(
	struct port_forward *pf, const char *address, uint16_t local_port, uint16_t remote_port, uint16_t *ret_port)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
	socklen_t size = sizeof(*v4);
	int on = 1;
	if (pf->n_listeners == MAX_LISTENERS)
		return status_bad_request("too many ports to forward");
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(local_port);
	} else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(local_port);
		size = sizeof(*v6);
	} else {
		return status_bad_request("invalid address %s", address);
	}
	CLEANUP_FD int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return status_errno(errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (storage.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&storage, size) < 0 || listen(fd, 64) < 0)
		return listen_error(address, local_port);
	getsockname(fd, (struct sockaddr *)&storage, &size);
	struct listener *l = &pf->listeners[pf->n_listeners++];
	*l = (struct listener){.pf = pf,
		.fd = fd,
		.remote_port = remote_port,
		.local_port = ntohs(storage.ss_family == AF_INET ? v4->sin_port : v6->sin6_port)};
	fd = -1;
	if (ret_port)
		*ret_port = l->local_port;
	return NULL;
}

/* --- life --- */

struct status *port_forward_new(struct client *client, const char *path, struct port_forward **ret)
{
	static const char *const tunnel_protocols[] = {CHANNEL_PORTFORWARD_TUNNEL, NULL};
	static const char *const spdy_protocols[] = {"portforward.k8s.io", NULL};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(port_forward_freep) struct port_forward *pf = mem_zalloc(sizeof(*pf));
	char *protocol;
	*pf = (struct port_forward){.client = client, .path = mem_strdup(path), .loop = loop_new(clock_system())};
	pf->spdy = spdy_new(SPDY_CLIENT, &session_events, pf);
	struct status *error = client_websocket(client, arena, path, NULL, tunnel_protocols, &pf->stream, &protocol);
	if (!error && str_eq(protocol, CHANNEL_PORTFORWARD_TUNNEL)) {
		pf->ws = websocket_new(WEBSOCKET_CLIENT, &ws_events, pf);
		*ret = STEAL(pf);
		return NULL;
	}
	if (error && error->reason != STATUS_BAD_REQUEST && error->reason != STATUS_FORBIDDEN &&
		error->reason != STATUS_METHOD_NOT_ALLOWED)
		return error;
	stream_free(pf->stream);
	pf->stream = NULL;
	struct status *second = client_spdy(client, arena, path, NULL, spdy_protocols, &pf->stream, &protocol);
	if (second && error) {
		status_drop(second, "the first refusal says more");
		return error;
	}
	status_drop(error, "plain SPDY serves as well");
	if (second)
		return second;
	*ret = STEAL(pf);
	return NULL;
}

void port_forward_free(struct port_forward *pf)
{
	if (!pf)
		return;
	for (size_t i = 0; i < pf->n_listeners; i++) {
		loop_watch_cancel(pf->listeners[i].watch);
		close(pf->listeners[i].fd);
	}
	while (pf->tunnels)
		tunnel_free(pf->tunnels);
	if (pf->ws && pf->conn)
		websocket_close(pf->ws, 1000, "");
	conn_free(pf->conn);
	pf->conn = NULL;
	stream_free(pf->stream);
	websocket_free(pf->ws);
	spdy_free(pf->spdy);
	loop_free(pf->loop);
	status_free(pf->error);
	free(pf->path);
	free(pf);
}

void port_forward_on_connection(struct port_forward *pf, void (*fn)(void *data, uint16_t local_port), void *data)
{
	pf->on_connection = fn;
	pf->connection_data = data;
}

void port_forward_on_error(struct port_forward *pf, void (*fn)(void *data, const char *message), void *data)
{
	pf->on_error = fn;
	pf->error_data = data;
}

static void on_tick(void *data)
{
	struct port_forward *pf = data;
	int64_t now = clock_mono_ms(clock_system());
	if (atomic_load(pf->stop)) {
		finish(pf, NULL);
		return;
	}
	loop_timer(pf->loop, TICK_MS, on_tick, pf);
	if (now < pf->next_ping_ms)
		return;
	pf->next_ping_ms = now + PING_MS;
	if (pf->ws)
		websocket_send(pf->ws, WEBSOCKET_PING, "", 0);
	else
		spdy_ping(pf->spdy);
}

struct status *port_forward_run(struct port_forward *pf, const atomic_bool *stop)
{
	pf->stop = stop;
	pf->conn = conn_new(pf->loop, STEAL(pf->stream), &conn_events, pf);
	for (size_t i = 0; i < pf->n_listeners; i++)
		pf->listeners[i].watch =
			loop_watch(pf->loop, pf->listeners[i].fd, LOOP_IN, on_accept, &pf->listeners[i]);
	loop_timer(pf->loop, 0, on_tick, pf);
	loop_run(pf->loop);
	return STEAL(pf->error);
}
