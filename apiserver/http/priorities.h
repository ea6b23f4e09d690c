/*
 * --tls-min-version and --tls-cipher-suites, in the words of the TLS library. What the suites do not say is as without
 * them, but for TLS 1.3, which has no ciphers then but those that are named for the versions before.
 */
#ifndef APISERVER_HTTP_PRIORITIES_H
#define APISERVER_HTTP_PRIORITIES_H

#include "base/arena.h"
#include "base/flags.h"
#include "base/status.h"

/* min_version may be "". Error: a version or a suite that nobody knows. The text lives in the arena. */
struct status *tls_priorities(struct arena *arena, const char *min_version, const struct flag_list *suites,
	const char **ret_priorities) MUST_USE;

#endif
