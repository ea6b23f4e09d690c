/*
 * A small HTTP/1.1 server for tests of the client: one thread a connection, a handler that sees the request's head and
 * body and writes what it likes. Plain HTTP on a free port of the loopback.
 */
#ifndef TEST_CLIENT_SERVER_H
#define TEST_CLIENT_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "client/client.h"
#include "net/http1.h"

struct test_server;

struct test_request {
	struct test_server *server;
	struct stream *stream;
	struct arena *arena;
	struct http_head head;
	char *body;
};

struct test_server {
	int fd;
	uint16_t port;
	/* Returns whether the connection goes on. */
	bool (*handle)(struct test_request *request, void *data);
	void *data;
	pthread_t thread;
	pthread_t connections[64];
	int fds[64];
	size_t n_connections;
	atomic_bool stopping;
};

struct test_connection {
	struct test_server *server;
	int fd;
};

static inline bool test_read(struct stream *s, struct strbuf *in)
{
	char buf[4096];
	size_t n = 0;
	struct status *error = stream_read_some(s, buf, sizeof(buf), 20000, &n);
	status_drop(error, "the connection is over");
	strbuf_add(in, buf, n);
	return n > 0;
}

static inline void *test_serve_connection(void *data)
{
	struct test_connection *c = data;
	struct stream *s = stream_from_fd(c->fd);
	struct strbuf in = STRBUF_INIT;
	bool go_on = true;
	while (go_on) {
		struct arena *arena = arena_new();
		struct test_request r = {.server = c->server, .stream = s, .arena = arena};
		size_t used = 0;
		while (!used) {
			status_drop(http_head_parse(arena, in.buf, in.len, &r.head, &used), "malformed");
			if (!used && !test_read(s, &in))
				break;
		}
		int64_t length = 0;
		const char *text = http_header_get(r.head.headers, r.head.n_headers, "Content-Length");
		if (text)
			str_to_int64(text, 0, 1 << 20, &length);
		while (used && in.len < used + (size_t)length && test_read(s, &in))
			;
		if (used) {
			r.body = arena_strndup(arena, in.buf + used, (size_t)length);
			strbuf_consume(&in, used + (size_t)length);
			stream_unread(s, in.buf, in.len);
			strbuf_reset(&in);
		}
		go_on = used && !atomic_load(&c->server->stopping) && c->server->handle(&r, c->server->data);
		arena_free(arena);
	}
	strbuf_done(&in);
	shutdown(stream_fd(s), SHUT_RDWR);
	stream_free(s);
	free(c);
	return NULL;
}

static inline void *test_serve(void *data)
{
	struct test_server *server = data;
	for (int fd; (fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
		if (atomic_load(&server->stopping) || server->n_connections == 64) {
			close(fd);
			break;
		}
		struct test_connection *c = mem_zalloc(sizeof(*c));
		*c = (struct test_connection){server, fd};
		server->fds[server->n_connections] = dup(fd);
		server->connections[server->n_connections++] = thread_start("conn", test_serve_connection, c);
	}
	return NULL;
}

static inline void test_server_start(
	struct test_server *s, bool (*handle)(struct test_request *request, void *data), void *data)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	*s = (struct test_server){.handle = handle, .data = data};
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->fd, (struct sockaddr *)&address, size) < 0 || listen(s->fd, 64) < 0)
		abort();
	getsockname(s->fd, (struct sockaddr *)&address, &size);
	s->port = ntohs(address.sin_port);
	s->thread = thread_start("server", test_serve, s);
}

static inline void test_server_stop(struct test_server *s)
{
	atomic_store(&s->stopping, true);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	for (size_t i = 0; i < s->n_connections; i++) {
		shutdown(s->fds[i], SHUT_RDWR);
		pthread_join(s->connections[i], NULL);
		close(s->fds[i]);
	}
}

static inline bool test_write(struct test_request *r, const char *text, size_t size)
{
	struct status *error = stream_write_all(r->stream, text, size, 5000);
	bool ok = !error;
	status_drop(error, "the client has gone");
	return ok;
}

static inline bool test_respond(struct test_request *r, int code, const char *extra, const char *body)
{
	char *text = arena_printf(r->arena,
		"HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", code,
		str_or_empty(extra), strlen(body), body);
	return test_write(r, text, strlen(text));
}

/* A chunk of a streamed answer; begin with test_stream(). */
static inline bool test_stream(struct test_request *r)
{
	static const char head[] =
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
	return test_write(r, head, sizeof(head) - 1);
}

static inline bool test_chunk(struct test_request *r, const char *data)
{
	char *text = arena_printf(r->arena, "%zx\r\n%s\r\n", strlen(data), data);
	return test_write(r, text, strlen(text));
}

static inline struct client *test_client(struct test_server *s)
{
	char host[64];
	snprintf(host, sizeof(host), "http://127.0.0.1:%u", s->port);
	struct client_config config = {.host = host, .qps = -1, .json = true, .token = "secret"};
	struct client *client;
	if (client_new(&config, clock_system(), &client))
		abort();
	return client;
}

#endif
