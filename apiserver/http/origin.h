/*
 * What browsers are told beside the answer: that this host speaks HTTPS only (--strict-transport-security-directives),
 * and which other sites' pages may ask it (--cors-allowed-origins).
 *
 *	struct origins *origins;
 *	TRY(origins_new(&directives, &allowed, &origins));
 *	if (origins_tell(origins, exchange))
 *		return;                          // it was only asked whether it may ask: answered
 *
 * Ownership: lives as long as the process. Threads: any.
 */
#ifndef APISERVER_HTTP_ORIGIN_H
#define APISERVER_HTTP_ORIGIN_H

#include "apiserver/http/server.h"
#include "base/flags.h"

struct origins;

/* Error: what is wrong with the flags' values. NULL: there is nothing to tell. */
struct status *origins_new(
	const struct flag_list *transport, const struct flag_list *allowed, struct origins **ret_origins) MUST_USE;
/* Whether that is the whole answer. */
bool origins_tell(const struct origins *origins, struct exchange *exchange);

#endif
