#include "test/chaos/random.h"

/* splitmix64 */
static uint64_t next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct random random_from(uint64_t seed, const char *user)
{
	struct random random = {seed};
	for (; *user; user++)
		random.state = next(&random) ^ (uint64_t)(unsigned char)*user;
	return random;
}

uint32_t random_up_to(struct random *random, uint32_t n)
{
	return n ? (uint32_t)(next(random) % n) : 0;
}
