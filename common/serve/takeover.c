#include "serve/takeover.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include "base/mem.h"
#include "base/str.h"

enum { ANSWER_MS = 10000, MAX_RECORD_BYTES = 16384 };

struct session {
	gnutls_session_t tls;
	bool flushing; /* a record is half written: its bytes are the library's */
};

/* errno and what to wait for after a call that failed. */
static ssize_t failed(const struct session *s, ssize_t r, short *ret_wants)
{
	if (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED) {
		*ret_wants = gnutls_record_get_direction(s->tls) ? POLLOUT : POLLIN;
		errno = EAGAIN;
	} else {
		errno = ECONNRESET;
	}
	return -1;
}

static ssize_t session_read(void *data, void *buf, size_t size, short *ret_wants)
{
	struct session *s = data;
	ssize_t r = gnutls_record_recv(s->tls, buf, size);
	/* An end without a farewell is an end all the same: what is inside has its own. */
	if (r == GNUTLS_E_PREMATURE_TERMINATION)
		return 0;
	return r >= 0 ? r : failed(s, r, ret_wants);
}

static ssize_t session_write(void *data, const void *bytes, size_t size, short *ret_wants)
{
	struct session *s = data;
	if (size > MAX_RECORD_BYTES)
		size = MAX_RECORD_BYTES;
	ssize_t r = s->flushing ? gnutls_record_send(s->tls, NULL, 0) : gnutls_record_send(s->tls, bytes, size);
	s->flushing = r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
	return r >= 0 ? r : failed(s, r, ret_wants);
}

static size_t session_pending(const void *data)
{
	const struct session *s = data;
	return gnutls_record_check_pending(s->tls);
}

static void session_shutdown(void *data)
{
	struct session *s = data;
	if (!s->flushing)
		gnutls_bye(s->tls, GNUTLS_SHUT_WR);
}

static const struct stream_ops session_ops = {session_read, session_write, session_pending, session_shutdown, free};

struct stream *takeover_stream(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *tls = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!tls || !tls->tls_session)
		return stream_from_fd(dup(fd->connect_fd));
	struct session *s = mem_zalloc(sizeof(*s));
	s->tls = tls->tls_session;
	return stream_from_ops(fd->connect_fd, &session_ops, s);
}

struct status *takeover_answer(
	struct stream *s, const char *protocol, const struct http_header *headers, size_t n_headers)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_printf(&out, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n", protocol);
	for (size_t i = 0; i < n_headers; i++)
		if (!headers[i].value[strcspn(headers[i].value, "\r\n")])
			strbuf_printf(&out, "%s: %s\r\n", headers[i].name, headers[i].value);
	strbuf_adds(&out, "\r\n");
	return stream_write_all(s, out.buf, out.len, ANSWER_MS);
}
