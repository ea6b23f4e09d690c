/*
 * A byte stream over a connected descriptor, plain or TLS.
 *
 * Blocking use, with a deadline for each call:
 *	struct stream *s;
 *	TRY(stream_dial("10.0.0.1", 443, tls, 10000, &s));
 *	TRY(stream_write_all(s, data, size, 5000));
 *	TRY(stream_read_some(s, buf, sizeof(buf), 5000, &n));      // n == 0: the peer ended
 * On a loop: net/conn.h.
 *
 * Ownership: the stream owns its descriptor. Threads: one at a time (a TLS session is not shared).
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "net/tls.h"

struct stream;

/* Resolves, connects (trying each address) and, with tls, shakes hands and verifies. timeout_ms covers all of it. */
struct status *stream_dial(
	const char *host, uint16_t port, struct tls_context *tls, int timeout_ms, struct stream **ret) MUST_USE;
struct status *stream_dial_unix(const char *path, int timeout_ms, struct stream **ret) MUST_USE;
/* Takes a connected descriptor and makes it non-blocking. */
struct stream *stream_from_fd(int fd);
/* A stream whose bytes move through somebody else's session; fd is only polled, and not closed. */
struct stream_ops {
	/* As stream_try_read() and stream_try_write(). */
	ssize_t (*read)(void *data, void *buf, size_t size, short *ret_wants);
	ssize_t (*write)(void *data, const void *bytes, size_t size, short *ret_wants);
	size_t (*pending)(const void *data);
	void (*shutdown_write)(void *data);
	void (*free)(void *data);
};
struct stream *stream_from_ops(int fd, const struct stream_ops *ops, void *data);
/* Starts TLS on a stream that is plain so far (a proxy tunnel, an accepted socket). host: what a client verifies. */
struct status *stream_start_tls(
	struct stream *s, struct tls_context *tls, enum tls_side side, const char *host, int timeout_ms) MUST_USE;
/* Puts bytes back in front of what will be read: what an HTTP reader took too much. */
void stream_unread(struct stream *s, const void *data, size_t size);
/* Sends close_notify if it can without waiting, closes the descriptor. */
void stream_free(struct stream *s);
DEFINE_CLEANUP(struct stream *, stream_free)

int stream_fd(const struct stream *s);
/* The SSL session (SSL *), NULL on a plain stream. */
void *stream_ssl(struct stream *s);
/* Bytes that can be read without the descriptor being readable. */
size_t stream_pending(const struct stream *s);

/* Non-blocking: bytes moved, 0 at the end (read), -1 with errno EAGAIN or another. *ret_wants: POLLIN or POLLOUT to
 * wait for. */
ssize_t stream_try_read(struct stream *s, void *buf, size_t size, short *ret_wants);
ssize_t stream_try_write(struct stream *s, const void *data, size_t size, short *ret_wants);

/* Waits for at least one byte or the end. timeout_ms < 0: for ever. Error: STATUS_TIMEOUT or STATUS_UNAVAILABLE. */
struct status *stream_read_some(struct stream *s, void *buf, size_t size, int timeout_ms, size_t *ret_n) MUST_USE;
struct status *stream_read_exact(struct stream *s, void *buf, size_t size, int timeout_ms) MUST_USE;
struct status *stream_write_all(struct stream *s, const void *data, size_t size, int timeout_ms) MUST_USE;
/* Ends the sending side (TCP half-close; close_notify on TLS). */
void stream_shutdown_write(struct stream *s);

/* errno as people know it from Go programs: "connection refused". */
const char *net_error_text(struct arena *arena, int error);

/*
 * Copies between two streams in both directions until both sides have ended, one fails, or nothing moved for idle_ms
 * (< 0: no limit). An end on one side is passed on as a half-close. Bytes copied are bounded in memory. Blocks.
 */
void stream_relay(struct stream *a, struct stream *b, int idle_ms);

#endif
