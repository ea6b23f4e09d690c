/*
 * Back-off and rate limits as small values of their own: exponential with jitter, token bucket.
 *
 * Threads: a backoff belongs to one thread; a rate limiter takes its own lock.
 */
#ifndef CLIENT_BACKOFF_H
#define CLIENT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>
#include "base/cleanup.h"
#include "base/clock.h"

struct backoff {
	int64_t base_ms;
	int64_t max_ms;
	double factor;
	double jitter;	  /* adds up to this share of the delay */
	int64_t reset_ms; /* a quiet time after which it starts anew; 0: never */
	/* state */
	int64_t delay_ms;
	int64_t last_ms;
};

/* The delay before the next attempt; grows with each call. */
int64_t backoff_next(struct backoff *b, const struct clock *clock);

struct rate_limiter;
struct rate_limiter *rate_limiter_new(const struct clock *clock, double qps, int burst);
void rate_limiter_free(struct rate_limiter *r);
DEFINE_CLEANUP(struct rate_limiter *, rate_limiter_free)
/* Takes a token if there is one. */
bool rate_limiter_try(struct rate_limiter *r);
/* Takes a token, now or in the future: milliseconds to wait until it counts. */
int64_t rate_limiter_reserve(struct rate_limiter *r);
/* Gives a reserved token back that was not used. */
void rate_limiter_cancel(struct rate_limiter *r);

#endif
