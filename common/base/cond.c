#include "base/cond.h"

#include <time.h>
#include "base/clock.h"

void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

int64_t cond_deadline_ms(int64_t ms)
{
	return clock_mono_ms(clock_system()) + ms;
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms)
{
	const struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
	if (deadline_ms < 0)
		return !pthread_cond_wait(cond, lock);
	return !pthread_cond_timedwait(cond, lock, &until);
}

bool cond_wait_for(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
	return ms > 0 && cond_wait_until(cond, lock, cond_deadline_ms(ms));
}
