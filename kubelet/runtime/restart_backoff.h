/*
 * Exponential back-off by key, for restarting containers and pulling images: 10 s, 20 s, … up to a maximum; forgotten
 * after twice the maximum without an update (the original's flowcontrol.Backoff).
 *
 * Threads: any; it takes its own lock.
 */
#ifndef KUBELET_RUNTIME_RESTART_BACKOFF_H
#define KUBELET_RUNTIME_RESTART_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"

struct restart_backoff;

struct restart_backoff *restart_backoff_new(const struct clock *clock, int64_t initial_ms, int64_t max_ms);
void restart_backoff_free(struct restart_backoff *b);
/* The present delay of a key in milliseconds; 0 if it has none. */
int64_t restart_backoff_get(struct restart_backoff *b, const char *key);
/* Whether event (wall-clock ns) plus the key's delay is still ahead. */
bool restart_backoff_active_since(struct restart_backoff *b, const char *key, int64_t event_ns);
/* Whether the delay since the key's last update has not passed. */
bool restart_backoff_active(struct restart_backoff *b, const char *key);
/* Doubles the delay, or begins anew if event is long after the last update. */
void restart_backoff_next(struct restart_backoff *b, const char *key, int64_t event_ns);
void restart_backoff_gc(struct restart_backoff *b);

#endif
