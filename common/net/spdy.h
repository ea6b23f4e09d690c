/*
 * SPDY/3.1 sessions, both sides, without I/O of their own: what containerd's streaming server and older kubectl speak
 * for exec, attach and port-forward.
 *
 *	struct spdy *s = spdy_new(SPDY_CLIENT, &events, session);
 *	struct spdy_stream *out = spdy_open(s, headers, n, false);        // SYN_STREAM, e.g. streamtype: stdout
 *	spdy_write(out, data, size); spdy_end(out);
 *	on bytes: status = spdy_feed(s, bytes, size);
 *
 * Flow control: the implementations met in practice neither keep windows nor announce them, so neither does this one.
 * Whoever writes watches the queue of its connection (conn_queued()) and pauses its source; pausing the connection's
 * reading holds the peer back. Header blocks are compressed with zlib and the dictionary of the protocol.
 *
 * Ownership: streams belong to the session, valid until both directions have ended and `stream_closed` has returned, or
 *spdy_free(). Threads: one at a time.
 */
#ifndef NET_SPDY_H
#define NET_SPDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"
#include "base/status.h"
#include "net/http1.h"

struct spdy;
struct spdy_stream;

enum spdy_side { SPDY_CLIENT, SPDY_SERVER };

/* Bounds on what a peer may make us hold. */
#define SPDY_MAX_CONTROL_BYTES (1u << 20)
#define SPDY_MAX_HEADER_BYTES (64u << 10)
#define SPDY_MAX_STREAMS 1000u

struct spdy_events {
	/* Bytes for the peer. */
	void (*output)(void *data, const void *bytes, size_t size);
	/* The peer opened a stream; answer with spdy_reply() or spdy_reset(). NULL: all are refused. */
	void (*stream_opened)(void *data, struct spdy_stream *stream);
	/* The peer accepted a stream of ours. May be NULL. */
	void (*stream_replied)(void *data, struct spdy_stream *stream);
	/* Bytes of a stream; end: the peer will send no more on it (size may be 0). */
	void (*stream_data)(void *data, struct spdy_stream *stream, const void *bytes, size_t size, bool end);
	/* Both directions ended, or a reset came in (reset true). The stream is gone after this call. */
	void (*stream_closed)(void *data, struct spdy_stream *stream, bool reset);
	/* GOAWAY came in. May be NULL. */
	void (*goaway)(void *data);
};

struct spdy *spdy_new(enum spdy_side side, const struct spdy_events *events, void *data);
void spdy_free(struct spdy *s);
DEFINE_CLEANUP(struct spdy *, spdy_free)
/* Error: a violation of the protocol; a GOAWAY has been queued, the connection is to be closed. */
struct status *spdy_feed(struct spdy *s, const void *bytes, size_t size) MUST_USE;
void spdy_ping(struct spdy *s);
void spdy_goaway(struct spdy *s);
size_t spdy_n_streams(const struct spdy *s);

/* Opens a stream. end: we shall send nothing on it (FLAG_FIN). Never NULL. */
struct spdy_stream *spdy_open(struct spdy *s, const struct http_header *headers, size_t n_headers, bool end);
/* Accepts a stream that the peer opened; end: we shall send nothing on it. */
void spdy_reply(struct spdy_stream *st, const struct http_header *headers, size_t n_headers, bool end);
void spdy_write(struct spdy_stream *st, const void *data, size_t size);
/* Ends our direction. */
void spdy_end(struct spdy_stream *st);
/* Aborts both directions; no callback follows for the stream, which is gone. */
void spdy_reset(struct spdy_stream *st);

uint32_t spdy_stream_id(const struct spdy_stream *st);
/* Header of the SYN_STREAM that opened it (lower-case name); NULL if absent. */
const char *spdy_stream_header(const struct spdy_stream *st, const char *name);
/* A pointer of the user's on each stream. */
void spdy_stream_set_user(struct spdy_stream *st, void *user);
void *spdy_stream_user(const struct spdy_stream *st);

#endif
