#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include "base/fail.h"
#include "base/mem.h"

struct clock {
	bool fake;
	atomic_int_least64_t mono_ms, wall_ns;
};

const struct clock *clock_system(void)
{
	static const struct clock system_clock = {.fake = false};
	return &system_clock;
}

int64_t clock_mono_ms(const struct clock *clock)
{
	if (clock->fake)
		return atomic_load(&clock->mono_ms);
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_ns(const struct clock *clock)
{
	if (clock->fake)
		return atomic_load(&clock->mono_ms) * 1000000;
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_ns(const struct clock *clock)
{
	if (clock->fake)
		return atomic_load(&clock->wall_ns);
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + (int64_t)fail_clock_ms() * 1000000;
}

struct clock *clock_fake_new(int64_t wall_ns)
{
	struct clock *clock = mem_zalloc(sizeof(*clock));
	clock->fake = true;
	atomic_init(&clock->wall_ns, wall_ns);
	atomic_init(&clock->mono_ms, 1000);
	return clock;
}

void clock_fake_free(struct clock *clock)
{
	free(clock);
}

void clock_fake_advance(struct clock *clock, int64_t ms)
{
	atomic_fetch_add(&clock->mono_ms, ms);
	atomic_fetch_add(&clock->wall_ns, ms * 1000000);
}
