/*
 * Sets of completion indexes, as text "0,2-5,7": pure.
 *
 * Ownership: the arena's. Threads: one at a time.
 */
#ifndef CONTROLLER_MANAGER_INDEXES_H
#define CONTROLLER_MANAGER_INDEXES_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

struct index_set {
	uint8_t *has; /* of [0, n) */
	int32_t n;
};

/* Text that is none is passed over; indexes of n and above are left out. NULL is the empty set. */
struct index_set index_set_parse(struct arena *arena, const char *text, int32_t n);
char *index_set_text(struct arena *arena, const struct index_set *set);
int32_t index_set_count(const struct index_set *set);
/* Outside of [0, n): nothing, and false. */
void index_set_add(struct index_set *set, int32_t index);
bool index_set_has(const struct index_set *set, int32_t index);

#endif
