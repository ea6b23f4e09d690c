/*
 * A gRPC server that misbehaves on request: what it does with a call is the call's method, "/t.T/echo" and so on (see
 * answers[]). A thread for each connection.
 */
#ifndef TEST_UNIT_RPC_PEER_H
#define TEST_UNIT_RPC_PEER_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"

struct peer {
	int fd;
	pthread_t thread;
	char target[32];
	atomic_bool stop;
	atomic_int n_connections, n_asked, n_pings;
	atomic_bool mute; /* accepts, and says nothing */
};

/* One call that has come. */
struct asked {
	struct asked *next;
	int32_t id;
	char path[64];
	char timeout[16];
	struct strbuf body;   /* as it came, prefixes and all */
	struct strbuf answer; /* what is still to be sent */
	size_t sent;
	bool ended, answered, stays; /* stays: no end follows the answer */
	const char *code, *text;     /* of the trailers; NULL: none */
};

struct line {
	struct peer *peer;
	int fd;
	nghttp2_session *session;
	struct asked *calls, *held;
	bool cut; /* the connection is to be closed */
};

static struct asked *asked_of(struct line *line, int32_t id)
{
	return nghttp2_session_get_stream_user_data(line->session, id);
}

static void add_message(struct strbuf *out, const void *data, size_t size)
{
	const char prefix[5] = {0, (char)(size >> 24), (char)(size >> 16), (char)(size >> 8), (char)size};
	strbuf_add(out, prefix, sizeof prefix);
	strbuf_add(out, data, size);
}

#define NV(name, value)                                                                                   \
	{                                                                                                 \
		(uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), strlen(name), strlen(value), \
			NGHTTP2_NV_FLAG_NONE                                                              \
	}

static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size, uint32_t *flags,
	nghttp2_data_source *source, void *data)
{
	struct asked *a = source->ptr;
	size_t n = a->answer.len - a->sent;
	if (!n && a->stays)
		return NGHTTP2_ERR_DEFERRED;
	n = n < size ? n : size;
	if (n)
		memcpy(buf, a->answer.buf + a->sent, n);
	a->sent += n;
	if (a->sent == a->answer.len && !a->stays) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (a->code) {
			const nghttp2_nv trailers[] = {
				NV("grpc-status", a->code), NV("grpc-message", str_or_empty(a->text))};
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			nghttp2_submit_trailer(session, id, trailers, 2);
		}
	}
	return (ssize_t)n;
}

static void reply_as(struct line *line, struct asked *a, const char *status, const char *type)
{
	const nghttp2_nv headers[] = {NV(":status", status), NV("content-type", type)};
	const nghttp2_data_provider provider = {.source.ptr = a, .read_callback = give};
	a->answered = true;
	nghttp2_submit_response(line->session, a->id, headers, 2, &provider);
}

static void reply(struct line *line, struct asked *a)
{
	reply_as(line, a, "200", "application/grpc");
}

static void trailers_only(struct line *line, struct asked *a, const char *code, const char *text)
{
	const nghttp2_nv headers[] = {NV(":status", "200"), NV("content-type", "application/grpc"),
		NV("grpc-status", code), NV("grpc-message", text)};
	a->answered = true;
	nghttp2_submit_response(line->session, a->id, headers, 4, NULL);
}

static void echo(struct line *line, struct asked *a)
{
	strbuf_add(&a->answer, a->body.buf, a->body.len);
	a->code = "0";
	reply(line, a);
}
static void missing(struct line *line, struct asked *a)
{
	trailers_only(line, a, "5", "no such%20thing: %E2%82%AC, 100%");
}
static void late(struct line *line, struct asked *a)
{
}
static void cut(struct line *line, struct asked *a)
{
	line->cut = true;
}
static void twice(struct line *line, struct asked *a)
{
	add_message(&a->answer, "one", 3);
	add_message(&a->answer, "two", 3);
	a->code = "0";
	reply(line, a);
}
static void none(struct line *line, struct asked *a)
{
	a->code = "0";
	reply(line, a);
}
static void large(struct line *line, struct asked *a)
{
	strbuf_add(&a->answer, "\0\x7f\0\0\0xxxx", 9);
	a->stays = true;
	reply(line, a);
}
static void squeezed(struct line *line, struct asked *a)
{
	strbuf_add(&a->answer, "\1\0\0\0\1x", 6);
	a->stays = true;
	reply(line, a);
}
static void half(struct line *line, struct asked *a)
{
	strbuf_add(&a->answer, "\0\0\0\0\x09half", 9);
	a->code = "0";
	reply(line, a);
}
static void silent(struct line *line, struct asked *a)
{
	add_message(&a->answer, "m", 1);
	reply(line, a);
}
static void page(struct line *line, struct asked *a)
{
	strbuf_adds(&a->answer, "<html>");
	reply_as(line, a, "200", "text/html");
}
/* A page that says of itself that all went well. */
static void proud_page(struct line *line, struct asked *a)
{
	a->code = "0";
	page(line, a);
}
static void busy(struct line *line, struct asked *a)
{
	reply_as(line, a, "503", "text/html");
}
static void refuse(struct line *line, struct asked *a)
{
	nghttp2_submit_rst_stream(line->session, 0, a->id, NGHTTP2_REFUSED_STREAM);
}
/* What is answered already counts, what comes later goes elsewhere. */
static void leave(struct line *line, struct asked *a)
{
	nghttp2_submit_goaway(line->session, 0, a->id, NGHTTP2_NO_ERROR, NULL, 0);
	echo(line, a);
}
/* Waits for the fourth, and answers the last first. */
static void gather(struct line *line, struct asked *a)
{
	int n = 0;
	for (struct asked *c = line->calls; c; c = c->next)
		n += str_eq(c->path, "/t.T/gather") && c->ended && !c->answered;
	for (struct asked *c = line->calls; n == 4 && c; c = c->next)
		if (str_eq(c->path, "/t.T/gather") && !c->answered)
			echo(line, c);
}
static void tell_timeout(struct line *line, struct asked *a)
{
	add_message(&a->answer, a->timeout, strlen(a->timeout));
	a->code = "0";
	reply(line, a);
}
/* Five answers (field 2, the watch's number) to what is asked, then the end or nothing. */
static void stream(struct line *line, struct asked *a)
{
	for (char i = 1; i <= 5; i++) {
		const char message[] = {0x10, i};
		add_message(&a->answer, message, sizeof message);
	}
	a->code = "0";
	a->stays = a->body.len == 5; /* it was asked for nothing */
	reply(line, a);
}

static const struct {
	const char *path;
	void (*answer)(struct line *line, struct asked *a);
} answers[] = {
	{"/t.T/echo", echo},
	{"/t.T/missing", missing},
	{"/t.T/late", late},
	{"/t.T/cut", cut},
	{"/t.T/twice", twice},
	{"/t.T/none", none},
	{"/t.T/large", large},
	{"/t.T/squeezed", squeezed},
	{"/t.T/half", half},
	{"/t.T/silent", silent},
	{"/t.T/page", page},
	{"/t.T/proud-page", proud_page},
	{"/t.T/busy", busy},
	{"/t.T/refuse", refuse},
	{"/t.T/leave", leave},
	{"/t.T/gather", gather},
	{"/t.T/timeout", tell_timeout},
	{"/etcdserverpb.Watch/Watch", stream},
};

static void answer(struct line *line, struct asked *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (str_eq(answers[i].path, a->path))
			answers[i].answer(line, a);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
	struct line *line = data;
	struct asked *a = mem_zalloc(sizeof *a);
	a->id = frame->hd.stream_id;
	strbuf_init(&a->body);
	strbuf_init(&a->answer);
	a->next = line->calls;
	line->calls = a;
	nghttp2_session_set_stream_user_data(session, a->id, a);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
	const uint8_t *value, size_t size, uint8_t flags, void *data)
{
	struct asked *a = asked_of(data, frame->hd.stream_id);
	if (str_eq((const char *)name, ":path"))
		snprintf(a->path, sizeof a->path, "%.*s", (int)size, (const char *)value);
	if (str_eq((const char *)name, "grpc-timeout"))
		snprintf(a->timeout, sizeof a->timeout, "%.*s", (int)size, (const char *)value);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t size, void *data)
{
	strbuf_add(&asked_of(data, id)->body, bytes, size);
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
	struct line *line = data;
	struct asked *a = frame->hd.stream_id ? asked_of(line, frame->hd.stream_id) : NULL;
	if (frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
		atomic_fetch_add(&line->peer->n_pings, 1);
	if (!a)
		return 0;
	a->ended |= frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	atomic_fetch_add(&line->peer->n_asked, a->ended);
	const bool streams = str_starts_with(a->path, "/etcdserverpb");
	if (!a->answered && (a->ended || (streams && a->body.len)))
		answer(line, a);
	return 0;
}

static void line_done(struct line *line)
{
	nghttp2_session_del(line->session);
	for (struct asked *a = line->calls, *next; a; a = next) {
		next = a->next;
		strbuf_done(&a->body);
		strbuf_done(&a->answer);
		free(a);
	}
	close(line->fd);
	free(line);
}

static bool send_all(struct line *line)
{
	const uint8_t *data;
	ssize_t n;
	while ((n = nghttp2_session_mem_send(line->session, &data)) > 0)
		for (ssize_t done = 0, k; done < n; done += k)
			if ((k = send(line->fd, data + done, (size_t)(n - done), MSG_NOSIGNAL)) < 0)
				return false;
	return true;
}

static void serve(struct line *line)
{
	uint8_t buf[4096];
	while (!line->cut && !atomic_load(&line->peer->stop)) {
		struct pollfd p = {.fd = line->fd, .events = POLLIN};
		if (poll(&p, 1, 20) <= 0)
			continue;
		ssize_t n = recv(line->fd, buf, sizeof buf, 0);
		if (n <= 0)
			return;
		if (!atomic_load(&line->peer->mute) &&
			(nghttp2_session_mem_recv(line->session, buf, (size_t)n) < 0 || !send_all(line)))
			return;
	}
}

static void *serve_line(void *data)
{
	struct line *line = data;
	nghttp2_session_callbacks *callbacks;
	assert(!nghttp2_session_callbacks_new(&callbacks));
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	assert(!nghttp2_session_server_new(&line->session, callbacks, line));
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(line->session, 0, NULL, 0);
	serve(line);
	line_done(line);
	return NULL;
}

static void *accept_all(void *data)
{
	struct peer *peer = data;
	pthread_t lines[64];
	int n = 0;
	for (int fd; n < 64 && (fd = accept(peer->fd, NULL, NULL)) >= 0;) {
		struct line *line = mem_zalloc(sizeof *line);
		line->peer = peer;
		line->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		atomic_fetch_add(&peer->n_connections, 1);
		lines[n++] = thread_start("line", serve_line, line);
	}
	while (n--)
		pthread_join(lines[n], NULL);
	return NULL;
}

/* Where nobody listens yet, or a port of its own (0). */
static void peer_start(struct peer *peer, bool mute)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	*peer = (struct peer){0};
	atomic_store(&peer->mute, mute);
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(peer->fd >= 0 && !bind(peer->fd, (struct sockaddr *)&address, size) && !listen(peer->fd, 64));
	getsockname(peer->fd, (struct sockaddr *)&address, &size);
	snprintf(peer->target, sizeof peer->target, "127.0.0.1:%u", ntohs(address.sin_port));
	peer->thread = thread_start("peer", accept_all, peer);
}

static void peer_stop(struct peer *peer)
{
	atomic_store(&peer->stop, true);
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
}

#endif
