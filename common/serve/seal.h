/*
 * Seals the TLS 1.3 records of a session that GnuTLS has begun, with AES-GCM as fast as the processor can do it
 * (decisions/0011).
 *
 *	struct seal *seal = seal_new(session);           // GnuTLS sends nothing from here on
 *	size = seal_record(seal, pieces, n, out);        // … send(fd, out, size)
 *	seal_free(seal, session);                        // and GnuTLS goes on with the next record
 *
 * Threads: the one that has the session.
 */
#ifndef SERVE_SEAL_H
#define SERVE_SEAL_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#define SEAL_MOST_BYTES 16384
/* What a record is longer than what is in it. */
#define SEAL_OVERHEAD 22

struct seal;

/* NULL: another version or cipher, or no such processor. Then GnuTLS has to do it. */
struct seal *seal_new(gnutls_session_t session);
void seal_free(struct seal *seal, gnutls_session_t session);
/* One record of the pieces, SEAL_MOST_BYTES together at most; returns its size. */
size_t seal_record(struct seal *seal, const struct iovec *pieces, size_t n, char *out);
/* Asks for its key, which the processor has long forgotten when there are thousands of sessions. */
void seal_prefetch(const struct seal *seal);
/* So many records have been sealed with the key that the session should soon have another: which GnuTLS sees to. */
bool seal_worn(const struct seal *seal);

#endif
