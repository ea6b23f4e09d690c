/*
 * Continue tokens: the revision of a list, and the last key that was told, as
 * {"v":"meta.k8s.io/v1","rv":N,"start":"/NAME\u0000"} in base64url. They are the original's, so that a list may go on
 *at another server (apiserver/pkg/storage/continue.go).
 *
 *	const char *token = continue_make(arena, revision, prefix, entry->key);
 *	TRY(continue_read(arena, token, prefix, &position));
 *	if (continue_is_past(&position, entry->key)) … was told before
 */
#ifndef APISERVER_HTTP_CONTINUE_H
#define APISERVER_HTTP_CONTINUE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

struct continue_position {
	int64_t revision; /* -1: of now */
	const char *key;
	bool after; /* the key itself has been told */
};

/* prefix: what the keys of the list begin with; a token goes with it, and leads to no others. */
const char *continue_make(struct arena *arena, int64_t revision, const char *prefix, const char *last_key);
/* BadRequest for what is no token. */
struct status *continue_read(
	struct arena *arena, const char *token, const char *prefix, struct continue_position *ret) MUST_USE;
/* A token from there on of what is now. */
const char *continue_make_now(struct arena *arena, const char *prefix, const struct continue_position *position);
/* Whether a key comes before the position. A position of zeroes is before all. */
bool continue_is_past(const struct continue_position *position, const char *key);

#endif
