/*
 * Takes a connection out of libmicrohttpd's hands for the length of an upgraded session.
 *
 *	MHD_suspend_connection(connection);      // somebody did, and nobody resumes it meanwhile
 *	struct stream *s = takeover_stream(connection);
 *	TRY(takeover_answer(s, "websocket", headers, n));
 *	… the session …
 *	stream_free(s); MHD_resume_connection(connection);       // and the access handler answers MHD_NO
 *
 * The library's own upgrade of a TLS connection moves its bytes through what is left of the connection's memory, which
 *after the answer's head is nothing: four bytes a record. A suspended connection is not touched by the library, so its
 *TLS session can be used directly. Threads: the one that has the stream.
 */
#ifndef SERVE_TAKEOVER_H
#define SERVE_TAKEOVER_H

#include <microhttpd.h>
#include "net/http1.h"
#include "net/stream.h"

/* Never NULL. The descriptor and the TLS session stay the library's. */
struct stream *takeover_stream(struct MHD_Connection *connection);
/* Writes the 101 with Connection: Upgrade, Upgrade: protocol and the headers given. */
struct status *takeover_answer(
	struct stream *s, const char *protocol, const struct http_header *headers, size_t n_headers) MUST_USE;

#endif
