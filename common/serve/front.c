/*
 * TLS in front of the HTTP server: a thread for each connection decrypts and passes on. libmicrohttpd's own forwarding
 * of upgraded TLS connections stalls and loses bytes (0.9.75), while an upgrade on a plain connection hands out the
 * socket itself.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/internal.h"

enum { HANDSHAKE_MS = 10000, POLL_MS = 1000, LINGER_MS = 2000, BUF_BYTES = 16384 };

/* One connection; its thread's own, but for fd and certificate, which the HTTP thread asks about. */
struct fronted {
	struct http_front *front;
	struct fronted *next;
	int net;     /* of the client */
	int plain;   /* our end of the pair */
	int mhd_end; /* the other end: only its number, for MHD owns it */
	struct sockaddr_storage address;
	socklen_t address_size;
	gnutls_session_t session;
	void *cert;
	size_t cert_size;
};

struct http_front {
	struct http_server *server;
	gnutls_certificate_credentials_t credentials;
	int listener;
	int wake;
	atomic_bool stopping;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct fronted *list; /* newest first: a descriptor's number is used again */
	size_t n;
};

/* One direction: bytes taken and not yet passed on. */
struct flow {
	char buf[BUF_BYTES];
	size_t size, done;
	bool ended; /* the source has */
	bool told;  /* and the target knows */
};

static void wait_on(int fd, short events, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	poll(&p, 1, timeout_ms);
}

static bool handshake(struct fronted *f)
{
	int64_t deadline = clock_mono_ms(clock_system()) + HANDSHAKE_MS;
	for (;;) {
		int r = gnutls_handshake(f->session);
		if (r == GNUTLS_E_SUCCESS)
			return true;
		if (gnutls_error_is_fatal(r) || f->front->stopping || clock_mono_ms(clock_system()) > deadline)
			return false;
		wait_on(f->net, gnutls_record_get_direction(f->session) ? POLLOUT : POLLIN, POLL_MS);
	}
}

static void keep_certificate(struct fronted *f)
{
	unsigned n = 0;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(f->session, &n);
	if (!certs || !n)
		return;
	f->cert = mem_dup(certs[0].data, certs[0].size);
	f->cert_size = certs[0].size;
}

static bool would_block(ssize_t r)
{
	return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
}

/* Client to server. False: broken. */
static bool pass_in(struct fronted *f, struct flow *in)
{
	while (!in->told) {
		if (in->done == in->size && !in->ended) {
			ssize_t n = gnutls_record_recv(f->session, in->buf, sizeof(in->buf));
			if (would_block(n))
				return true;
			in->ended = n <= 0;
			in->done = 0;
			in->size = n > 0 ? (size_t)n : 0;
		}
		if (in->done < in->size) {
			ssize_t n = send(f->plain, in->buf + in->done, in->size - in->done, MSG_NOSIGNAL);
			if (n < 0)
				return errno == EAGAIN || errno == EINTR;
			in->done += (size_t)n;
		} else if (in->ended) {
			shutdown(f->plain, SHUT_WR);
			in->told = true;
		}
	}
	return true;
}

/* Server to client. False: broken. */
static bool pass_out(struct fronted *f, struct flow *out)
{
	while (!out->told) {
		if (out->done == out->size && !out->ended) {
			ssize_t n = recv(f->plain, out->buf, sizeof(out->buf), 0);
			if (n < 0 && (errno == EAGAIN || errno == EINTR))
				return true;
			out->ended = n <= 0;
			out->done = 0;
			out->size = n > 0 ? (size_t)n : 0;
		}
		if (out->done < out->size) {
			ssize_t n = gnutls_record_send(f->session, out->buf + out->done, out->size - out->done);
			if (n < 0)
				return would_block(n);
			out->done += (size_t)n;
		} else if (out->ended) {
			int r = gnutls_bye(f->session, GNUTLS_SHUT_WR);
			if (would_block(r))
				return true;
			shutdown(f->net, SHUT_WR);
			out->told = true;
		}
	}
	return true;
}

static void relay(struct fronted *f)
{
	struct flow *in = mem_zalloc(sizeof(*in)), *out = mem_zalloc(sizeof(*out));
	int64_t told_ms = 0;
	while (!f->front->stopping && pass_in(f, in) && pass_out(f, out) && !(in->told && out->told)) {
		bool in_full = in->done < in->size, out_full = out->done < out->size || (out->ended && !out->told);
		struct pollfd fds[] = {{.fd = f->net}, {.fd = f->plain}};
		fds[0].events = (short)((in->told || in_full ? 0 : POLLIN) | (out_full ? POLLOUT : 0));
		fds[1].events = (short)((out->told || out_full ? 0 : POLLIN) | (in_full ? POLLOUT : 0));
		for (int i = 0; i < 2; i++)
			if (!fds[i].events)
				fds[i].fd = -1;
		int r = poll(fds, 2, POLL_MS);
		int64_t now = clock_mono_ms(clock_system());
		if (r != 0 || !out->told || !told_ms)
			told_ms = now;
		/* The server has said all: the client is given a moment to hear it. */
		if (out->told && now - told_ms > LINGER_MS)
			break;
	}
	free(in);
	free(out);
}

static bool hand_to_server(struct fronted *f)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return false;
	f->plain = pair[0];
	f->mhd_end = pair[1];
	struct http_front *front = f->front;
	pthread_mutex_lock(&front->lock);
	f->next = front->list;
	front->list = f;
	pthread_mutex_unlock(&front->lock);
	/* The descriptor is the server's from here on, whatever the answer. */
	return MHD_add_connection(front->server->mhd, pair[1], (struct sockaddr *)&f->address, f->address_size) ==
	       MHD_YES;
}

static void forget(struct fronted *f)
{
	for (struct fronted **p = &f->front->list; *p; p = &(*p)->next)
		if (*p == f) {
			*p = f->next;
			return;
		}
}

static void *connection_thread(void *data)
{
	struct fronted *f = data;
	struct http_front *front = f->front;
	if (handshake(f)) {
		keep_certificate(f);
		if (hand_to_server(f))
			relay(f);
	}
	pthread_mutex_lock(&front->lock);
	forget(f);
	pthread_mutex_unlock(&front->lock);
	gnutls_deinit(f->session);
	close(f->net);
	if (f->plain >= 0)
		close(f->plain);
	free(f->cert);
	free(f);
	pthread_mutex_lock(&front->lock);
	front->n--;
	pthread_cond_signal(&front->changed);
	pthread_mutex_unlock(&front->lock);
	return NULL;
}

static void accepted(struct http_front *front, int fd, const struct sockaddr_storage *address, socklen_t size)
{
	struct fronted *f = mem_zalloc(sizeof(*f));
	*f = (struct fronted){
		.front = front, .net = fd, .plain = -1, .mhd_end = -1, .address = *address, .address_size = size};
	gnutls_init(&f->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	gnutls_priority_set_direct(f->session, "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1", NULL);
	gnutls_credentials_set(f->session, GNUTLS_CRD_CERTIFICATE, front->credentials);
	gnutls_transport_set_int(f->session, fd);
	http_tls_attach(front->server->tls, f->session);
	pthread_mutex_lock(&front->lock);
	front->n++;
	pthread_mutex_unlock(&front->lock);
	pthread_detach(thread_start("https", connection_thread, f));
}

static bool has_room(struct http_front *front)
{
	pthread_mutex_lock(&front->lock);
	bool room = front->n < HTTP_MAX_CONNECTIONS;
	pthread_mutex_unlock(&front->lock);
	return room;
}

static void *accept_thread(void *data)
{
	struct http_front *front = data;
	while (!front->stopping) {
		struct pollfd fds[] = {{front->listener, POLLIN, 0}, {front->wake, POLLIN, 0}};
		if (poll(fds, 2, -1) < 0 || !fds[0].revents)
			continue;
		struct sockaddr_storage address;
		socklen_t size = sizeof(address);
		int fd = accept4(front->listener, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0 && has_room(front))
			accepted(front, fd, &address, size);
		else if (fd >= 0)
			close(fd);
		else if (errno == EMFILE || errno == ENFILE)
			wait_on(front->wake, POLLIN, POLL_MS / 10);
	}
	return NULL;
}

struct status *http_front_new(struct http_server *server, int listener, struct http_front **ret)
{
	struct http_front *front = mem_zalloc(sizeof(*front));
	front->server = server;
	front->listener = listener;
	front->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&front->lock, NULL);
	pthread_cond_init(&front->changed, NULL);
	gnutls_certificate_allocate_credentials(&front->credentials);
	gnutls_certificate_set_retrieve_function2(front->credentials, http_tls_retrieve);
	*ret = front;
	front->thread = thread_start("https-accept", accept_thread, front);
	return NULL;
}

void http_front_stop(struct http_front *front)
{
	uint64_t one = 1;
	if (!front)
		return;
	atomic_store(&front->stopping, true);
	if (write(front->wake, &one, sizeof(one)) < 0)
		log_warn("cannot wake the accepting thread");
	pthread_join(front->thread, NULL);
	close(front->listener);
	pthread_mutex_lock(&front->lock);
	while (front->n)
		pthread_cond_wait(&front->changed, &front->lock);
	pthread_mutex_unlock(&front->lock);
	gnutls_certificate_free_credentials(front->credentials);
	pthread_cond_destroy(&front->changed);
	pthread_mutex_destroy(&front->lock);
	close(front->wake);
	free(front);
}

void http_front_peer(
	struct http_front *front, int mhd_end, struct arena *arena, const void **ret_cert, size_t *ret_size)
{
	pthread_mutex_lock(&front->lock);
	const struct fronted *f = front->list;
	while (f && f->mhd_end != mhd_end)
		f = f->next;
	if (f && f->cert) {
		*ret_cert = arena_dup(arena, f->cert, f->cert_size);
		*ret_size = f->cert_size;
	}
	pthread_mutex_unlock(&front->lock);
}
