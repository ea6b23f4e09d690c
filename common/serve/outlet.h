/*
 * The writing side of a connection that was taken out of libmicrohttpd's hands while it is suspended (takeover.h):
 *bytes go from where they are into TLS records and to the socket, and nothing blocks.
 *
 *	struct outlet *outlet = outlet_new(fd, session);
 *	while (outlet_fits(room) && pieces.n)
 *		outlet_add(outlet, room, &pieces);
 *	switch (outlet_push(outlet, room)) { case OUTLET_FULL: … push again when fd is writable …
 *	outlet_free(outlet);
 *
 * A room is where records are put together, one for all outlets of a thread: it is empty after each push.
 * Threads: an outlet is with one thread at a time.
 */
#ifndef SERVE_OUTLET_H
#define SERVE_OUTLET_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "base/cleanup.h"
#include "serve/seal.h"

#define OUTLET_PIECES 12
#define OUTLET_RECORDS 4

struct outlet;

struct outlet_room {
	size_t size;
	char data[OUTLET_RECORDS * (SEAL_MOST_BYTES + SEAL_OVERHEAD)];
};

/* Bytes to be sent: what is taken of them is taken off. */
struct outlet_pieces {
	struct iovec v[OUTLET_PIECES];
	size_t at, n; /* v[at] … v[n - 1] are left */
};

enum outlet_state { OUTLET_CLEAR, OUTLET_FULL, OUTLET_BROKEN };

/* The session may be NULL: plain bytes. Both stay the caller's, who lets nobody else write meanwhile. */
struct outlet *outlet_new(int fd, gnutls_session_t session);
void outlet_free(struct outlet *outlet);
DEFINE_CLEANUP(struct outlet *, outlet_free)
/* Brings what is needed to seal near the processor: for who will add to the outlet soon, and has others to do first. */
void outlet_prefetch(const struct outlet *outlet);
/* Whether the room takes another record. */
bool outlet_fits(const struct outlet_room *room);
/* Takes a record's worth off the pieces. */
void outlet_add(struct outlet *outlet, struct outlet_room *room, struct outlet_pieces *pieces);
/* Sends what is held back and then what is in the room. FULL: the socket takes no more, and the outlet holds the rest.
 */
enum outlet_state outlet_push(struct outlet *outlet, struct outlet_room *room);
/* Whether what is in the room may be sent as it is by somebody else, who then says what came of it: so many bytes, or
 * -errno. */
bool outlet_is_direct(const struct outlet *outlet);
int outlet_fd(const struct outlet *outlet);
enum outlet_state outlet_pushed(struct outlet *outlet, struct outlet_room *room, ssize_t result);

static inline void outlet_piece(struct outlet_pieces *pieces, const void *data, size_t size)
{
	if (size)
		pieces->v[pieces->n++] = (struct iovec){(void *)(uintptr_t)data, size};
}

#endif
