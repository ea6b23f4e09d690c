/*
 * A map of bounded size that forgets what was used longest ago.
 *
 *	struct recent *limiters = recent_new(4096, limiter_free);
 *	void *limiter = recent_get(limiters, "dev");
 *	if (!limiter)
 *		recent_put(limiters, "dev", limiter = limiter_new());
 *
 * Ownership: keys are copied; values are the map's. Threads: one at a time.
 */
#ifndef BASE_RECENT_H
#define BASE_RECENT_H

#include <stddef.h>

struct recent;

struct recent *recent_new(size_t max, void (*free_value)(void *));
void recent_free(struct recent *r);
/* NULL: it has none. */
void *recent_get(struct recent *r, const char *key);
/* Replaces what is there; the oldest goes where there is no room. */
void recent_put(struct recent *r, const char *key, void *value);

#endif
