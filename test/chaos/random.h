/* Numbers that are a function of a seed: the faults and the load of a run come from these alone. One thread at a time.
 */
#ifndef CHAOS_RANDOM_H
#define CHAOS_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

/* A source of its own for each user of one seed. */
struct random random_from(uint64_t seed, const char *user);
/* In [0, n). */
uint32_t random_up_to(struct random *random, uint32_t n);
/* In [low, high]. */
static inline uint32_t random_between(struct random *random, uint32_t low, uint32_t high)
{
	return low + random_up_to(random, high - low + 1);
}

#endif
