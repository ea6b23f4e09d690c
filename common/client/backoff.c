#include "client/backoff.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/encode.h"
#include "base/mem.h"

int64_t backoff_next(struct backoff *b, const struct clock *clock)
{
	int64_t now = clock_mono_ms(clock);
	if (b->reset_ms && b->delay_ms && now - b->last_ms > b->reset_ms)
		b->delay_ms = 0;
	b->last_ms = now;
	if (!b->delay_ms)
		b->delay_ms = b->base_ms;
	else
		b->delay_ms = (int64_t)((double)b->delay_ms * (b->factor > 1 ? b->factor : 2));
	if (b->max_ms && b->delay_ms > b->max_ms)
		b->delay_ms = b->max_ms;
	return b->delay_ms + (int64_t)((double)b->delay_ms * b->jitter * random_below(1 << 16) / (1 << 16));
}

struct rate_limiter {
	const struct clock *clock;
	double qps, burst;
	pthread_mutex_t lock; /* guards what follows */
	double tokens;
	int64_t at_ms; /* when tokens was computed */
};

struct rate_limiter *rate_limiter_new(const struct clock *clock, double qps, int burst)
{
	struct rate_limiter *r = mem_zalloc(sizeof(*r));
	r->clock = clock;
	r->qps = qps;
	r->burst = r->tokens = burst > 0 ? burst : 1;
	r->at_ms = clock_mono_ms(clock);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void rate_limiter_free(struct rate_limiter *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void refill(struct rate_limiter *r)
{
	int64_t now = clock_mono_ms(r->clock);
	r->tokens += (double)(now - r->at_ms) * r->qps / 1000;
	if (r->tokens > r->burst)
		r->tokens = r->burst;
	r->at_ms = now;
}

bool rate_limiter_try(struct rate_limiter *r)
{
	pthread_mutex_lock(&r->lock);
	refill(r);
	bool ok = r->tokens >= 1;
	if (ok)
		r->tokens -= 1;
	pthread_mutex_unlock(&r->lock);
	return ok;
}

int64_t rate_limiter_reserve(struct rate_limiter *r)
{
	pthread_mutex_lock(&r->lock);
	refill(r);
	r->tokens -= 1;
	int64_t wait = r->tokens >= 0 ? 0 : (int64_t)(-r->tokens * 1000 / r->qps + 0.999);
	pthread_mutex_unlock(&r->lock);
	return wait;
}

void rate_limiter_cancel(struct rate_limiter *r)
{
	pthread_mutex_lock(&r->lock);
	r->tokens += 1;
	pthread_mutex_unlock(&r->lock);
}
