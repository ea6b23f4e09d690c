/*
 * Time as a thing that is passed in, so that leases, back-off and probes are tested in milliseconds.
 *
 *	int64_t now = clock_mono_ms(clock);
 *
 * clock_system() is the real one. A fake clock stands still until clock_fake_advance().
 * Threads: all functions may be called from any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock;

const struct clock *clock_system(void);
/* Milliseconds of a clock that never jumps; only differences mean anything. */
int64_t clock_mono_ms(const struct clock *clock);
int64_t clock_mono_ns(const struct clock *clock);
/* Nanoseconds since 1970, UTC. */
int64_t clock_wall_ns(const struct clock *clock);
static inline int64_t clock_wall_s(const struct clock *clock)
{
	return clock_wall_ns(clock) / 1000000000;
}

struct clock *clock_fake_new(int64_t wall_ns);
void clock_fake_free(struct clock *clock);
void clock_fake_advance(struct clock *clock, int64_t ms);

#endif
