/*
 * What a request's head must not hold, though the library takes it: what two servers in a row could read in two ways
 * (lengths that differ, codings that nobody knows, names with spaces), and what is no HTTP. The rules and the codes are
 * those of the original's library (net/http, readRequest).
 *
 *	struct strict_refusal refusal;
 *	if (strict_refuses(connection, version, &refusal))
 *		answer(refusal.code, refusal.text) and close the connection
 *
 * Threads: the connection's.
 */
#ifndef SERVE_STRICT_H
#define SERVE_STRICT_H

#include <microhttpd.h>
#include <stdbool.h>

struct strict_refusal {
	unsigned code;
	const char *text; /* lives as long as the process */
};

bool strict_refuses(struct MHD_Connection *connection, const char *version, struct strict_refusal *ret_refusal);
/* Whether what stands in the request's first line is a path, an address, or the server itself. */
bool strict_is_target(const char *uri);

#endif
