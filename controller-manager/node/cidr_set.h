/*
 * A network cut into equal ranges, and which of them are taken: pure.
 *
 *	struct cidr_set *set;
 *	TRY(cidr_set_new("10.244.0.0/16", 24, &set));
 *	char *range = cidr_set_take(set, arena);          // "10.244.0.0/24"; NULL: none is left
 *
 * Threads: one at a time.
 */
#ifndef CONTROLLER_MANAGER_CIDR_SET_H
#define CONTROLLER_MANAGER_CIDR_SET_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/status.h"

struct cidr_set;

/* prefix: the ranges' length. An error naming what does not fit: malformed, longer than the ranges, over 2^16 of them.
 */
struct status *cidr_set_new(const char *cidr, int prefix, struct cidr_set **ret_set) MUST_USE;
void cidr_set_free(struct cidr_set *set);
DEFINE_CLEANUP(struct cidr_set *, cidr_set_free)
/* The next free range after the last one given out, around the end; NULL: none. */
char *cidr_set_take(struct cidr_set *set, struct arena *arena);
/* Every range that overlaps the network; false if it is malformed or wholly outside. */
bool cidr_set_occupy(struct cidr_set *set, const char *cidr);
bool cidr_set_release(struct cidr_set *set, const char *cidr);

#endif
