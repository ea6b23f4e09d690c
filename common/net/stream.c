#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

struct stream {
	int fd;
	SSL *ssl;
	const struct stream_ops *ops; /* instead of the descriptor's own reads and writes; NULL: none */
	void *ops_data;
	char *unread; /* bytes put back; read before anything else */
	size_t unread_size, unread_pos;
};

struct stream *stream_from_fd(int fd)
{
	struct stream *s = mem_zalloc(sizeof(*s));
	s->fd = fd;
	io_set_nonblocking(fd, true);
	return s;
}

struct stream *stream_from_ops(int fd, const struct stream_ops *ops, void *data)
{
	struct stream *s = mem_zalloc(sizeof(*s));
	*s = (struct stream){.fd = fd, .ops = ops, .ops_data = data};
	return s;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	if (s->ssl) {
		ERR_clear_error();
		if (SSL_is_init_finished(s->ssl))
			SSL_shutdown(s->ssl);
		SSL_free(s->ssl);
		ERR_clear_error();
	}
	if (s->ops)
		s->ops->free(s->ops_data);
	else
		close(s->fd);
	free(s->unread);
	free(s);
}

int stream_fd(const struct stream *s)
{
	return s->fd;
}

void *stream_ssl(struct stream *s)
{
	return s->ssl;
}

size_t stream_pending(const struct stream *s)
{
	size_t unread = s->unread_size - s->unread_pos;
	if (s->ops)
		return unread + s->ops->pending(s->ops_data);
	return unread + (s->ssl ? (size_t)SSL_pending(s->ssl) : 0);
}

void stream_unread(struct stream *s, const void *data, size_t size)
{
	size_t rest = s->unread_size - s->unread_pos;
	if (!size)
		return;
	char *joined = mem_alloc(size + rest);
	memcpy(joined, data, size);
	if (rest)
		memcpy(joined + size, s->unread + s->unread_pos, rest);
	free(s->unread);
	s->unread = joined;
	s->unread_size = size + rest;
	s->unread_pos = 0;
}

static size_t take_unread(struct stream *s, void *buf, size_t size)
{
	size_t n = s->unread_size - s->unread_pos;
	if (n > size)
		n = size;
	memcpy(buf, s->unread + s->unread_pos, n);
	s->unread_pos += n;
	if (s->unread_pos == s->unread_size) {
		free(s->unread);
		s->unread = NULL;
		s->unread_size = s->unread_pos = 0;
	}
	return n;
}

/* Sets errno and what to wait for after an SSL call failed; 0 stands for the end. */
static int ssl_result(struct stream *s, int r, short *ret_wants)
{
	switch (SSL_get_error(s->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		*ret_wants = POLLIN;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*ret_wants = POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		if (!errno)
			errno = ECONNRESET;
		return -1;
	default:
		errno = EPROTO;
		return -1;
	}
}

ssize_t stream_try_read(struct stream *s, void *buf, size_t size, short *ret_wants)
{
	if (s->unread)
		return (ssize_t)take_unread(s, buf, size);
	*ret_wants = POLLIN;
	if (s->ops)
		return s->ops->read(s->ops_data, buf, size, ret_wants);
	if (!s->ssl) {
		ssize_t n;
		do
			n = read(s->fd, buf, size);
		while (n < 0 && errno == EINTR);
		return n;
	}
	ERR_clear_error();
	errno = 0;
	int r = SSL_read(s->ssl, buf, size > INT32_MAX ? INT32_MAX : (int)size);
	return r > 0 ? r : ssl_result(s, r, ret_wants);
}

ssize_t stream_try_write(struct stream *s, const void *data, size_t size, short *ret_wants)
{
	*ret_wants = POLLOUT;
	if (!size)
		return 0;
	if (s->ops)
		return s->ops->write(s->ops_data, data, size, ret_wants);
	if (!s->ssl) {
		ssize_t n;
		do
			n = send(s->fd, data, size, MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n < 0 && errno == ENOTSOCK)
			n = write(s->fd, data, size);
		return n;
	}
	ERR_clear_error();
	errno = 0;
	int r = SSL_write(s->ssl, data, size > INT32_MAX ? INT32_MAX : (int)size);
	if (r > 0)
		return r;
	r = ssl_result(s, r, ret_wants);
	if (!r)
		errno = EPIPE;
	return -1;
}

/* Waits on the descriptor until a deadline on the monotonic clock (< 0: none). */
static struct status *wait_for(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		int timeout = -1;
		if (deadline_ms >= 0) {
			int64_t left = deadline_ms - clock_mono_ms(clock_system());
			if (left <= 0)
				return status_new(STATUS_TIMEOUT, "i/o timeout");
			timeout = (int)left;
		}
		struct pollfd p = {.fd = fd, .events = events};
		int r = poll(&p, 1, timeout);
		if (r > 0)
			return NULL;
		if (r < 0 && errno != EINTR)
			return status_errno(errno, "poll");
	}
}

const char *net_error_text(struct arena *arena, int error)
{
	char *text = arena_strdup(arena, str_or_empty(strerrordesc_np(error)));
	if (*text >= 'A' && *text <= 'Z')
		*text |= 0x20;
	return text;
}

/* The status of a failed call; errno says why. */
static struct status *failed(const char *what)
{
	int error = errno;
	const char *alert = error == EPROTO ? tls_alert_reason() : NULL;
	if (alert)
		return status_new(STATUS_UNAVAILABLE, "remote error: tls: %s", alert);
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(128);
	return status_new(STATUS_UNAVAILABLE, "%s: %s", what, net_error_text(arena, error));
}

static int64_t deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? -1 : clock_mono_ms(clock_system()) + timeout_ms;
}

static struct status *read_some(struct stream *s, void *buf, size_t size, int64_t deadline_ms, size_t *ret_n)
{
	for (;;) {
		short wants;
		ssize_t n = stream_try_read(s, buf, size, &wants);
		if (n >= 0) {
			*ret_n = (size_t)n;
			return NULL;
		}
		if (errno != EAGAIN)
			return failed("read");
		TRY(wait_for(s->fd, wants, deadline_ms));
	}
}

struct status *stream_read_some(struct stream *s, void *buf, size_t size, int timeout_ms, size_t *ret_n)
{
	return read_some(s, buf, size, deadline_after(timeout_ms), ret_n);
}

struct status *stream_read_exact(struct stream *s, void *buf, size_t size, int timeout_ms)
{
	int64_t deadline = deadline_after(timeout_ms);
	for (size_t done = 0, n; done < size; done += n) {
		TRY(read_some(s, (char *)buf + done, size - done, deadline, &n));
		if (!n)
			return status_new(STATUS_UNAVAILABLE, "unexpected EOF");
	}
	return NULL;
}

struct status *stream_write_all(struct stream *s, const void *data, size_t size, int timeout_ms)
{
	int64_t deadline = deadline_after(timeout_ms);
	for (size_t done = 0; done < size;) {
		short wants;
		ssize_t n = stream_try_write(s, (const char *)data + done, size - done, &wants);
		if (n >= 0) {
			done += (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return failed("write");
		TRY(wait_for(s->fd, wants, deadline));
	}
	return NULL;
}

void stream_shutdown_write(struct stream *s)
{
	if (s->ops) {
		s->ops->shutdown_write(s->ops_data);
	} else if (s->ssl) {
		ERR_clear_error();
		SSL_shutdown(s->ssl);
		ERR_clear_error();
	} else {
		shutdown(s->fd, SHUT_WR);
	}
}

static struct status *handshake_error(SSL *ssl)
{
	long verify = SSL_get_verify_result(ssl);
	if (verify != X509_V_OK)
		return status_new(
			STATUS_UNAVAILABLE, "tls: failed to verify certificate: x509: %s", tls_verify_reason(verify));
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	struct status *status =
		status_new(STATUS_UNAVAILABLE, "tls handshake: %s", reason ? reason : "connection closed");
	ERR_clear_error();
	return status;
}

static void verify_host(SSL *ssl, struct tls_context *tls, const char *host)
{
	const char *name = str_or(tls_context_server_name(tls), host);
	if (str_empty(name))
		return;
	unsigned char address[16];
	bool is_ip = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
	if (!is_ip)
		SSL_set_tlsext_host_name(ssl, name);
	if (tls_context_insecure(tls))
		return;
	if (is_ip)
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
	else
		SSL_set1_host(ssl, name);
}

struct status *stream_start_tls(
	struct stream *s, struct tls_context *tls, enum tls_side side, const char *host, int timeout_ms)
{
	int64_t deadline = deadline_after(timeout_ms);
	SSL *ssl = SSL_new(tls_context_ssl(tls));
	if (!ssl || SSL_set_fd(ssl, s->fd) != 1) {
		SSL_free(ssl);
		return status_internal("tls session");
	}
	if (side == TLS_CLIENT) {
		verify_host(ssl, tls, host);
		SSL_set_connect_state(ssl);
	} else {
		SSL_set_accept_state(ssl);
	}
	struct status *error = NULL;
	s->ssl = ssl;
	while (!error) {
		short wants;
		ERR_clear_error();
		errno = 0;
		int r = SSL_do_handshake(ssl);
		if (r == 1)
			return NULL;
		r = ssl_result(s, r, &wants);
		error = r < 0 && errno == EAGAIN ? wait_for(s->fd, wants, deadline) : handshake_error(ssl);
	}
	s->ssl = NULL;
	SSL_free(ssl);
	return error;
}

/* Small packets at once, and a dead peer found within a minute. */
static void tune(int fd)
{
	int on = 1, idle = 30, interval = 10, count = 3, user_timeout_ms = 60000;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof(user_timeout_ms));
}

static struct status *connect_address(const struct sockaddr *address, socklen_t size, int64_t deadline_ms, int *ret_fd)
{
	CLEANUP_FD int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return status_errno(errno, "socket");
	if (address->sa_family != AF_UNIX)
		tune(fd);
	if (connect(fd, address, size) < 0) {
		int error = errno;
		socklen_t error_size = sizeof(error);
		if (error == EINPROGRESS) {
			TRY(wait_for(fd, POLLOUT, deadline_ms));
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
		}
		errno = error;
		if (error)
			return failed("connect");
	}
	*ret_fd = fd;
	fd = -1;
	return NULL;
}

struct status *stream_dial(
	const char *host, uint16_t port, struct tls_context *tls, int timeout_ms, struct stream **ret)
{
	int64_t deadline = deadline_after(timeout_ms);
	char service[8];
	snprintf(service, sizeof(service), "%u", port);
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	int r = getaddrinfo(host, service, &hints, &list);
	if (r)
		return status_new(STATUS_UNAVAILABLE, "dial tcp: lookup %s: %s", host, gai_strerror(r));
	struct status *error = NULL;
	int fd = -1;
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		status_free(error);
		error = connect_address(a->ai_addr, a->ai_addrlen, deadline, &fd);
	}
	freeaddrinfo(list);
	if (error)
		return status_wrap(error, "dial tcp %s:%u", host, port);
	CLEANUP(stream_freep) struct stream *s = stream_from_fd(fd);
	if (tls) {
		int64_t left = deadline < 0 ? -1 : deadline - clock_mono_ms(clock_system());
		TRY(stream_start_tls(s, tls, TLS_CLIENT, host, deadline < 0 ? -1 : left > 0 ? (int)left : 0));
	}
	*ret = STEAL(s);
	return NULL;
}

struct status *stream_dial_unix(const char *path, int timeout_ms, struct stream **ret)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path))
		return status_bad_request("dial unix %s: path too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd;
	struct status *error =
		connect_address((struct sockaddr *)&address, sizeof(address), deadline_after(timeout_ms), &fd);
	if (error)
		return status_wrap(error, "dial unix %s", path);
	*ret = stream_from_fd(fd);
	return NULL;
}
