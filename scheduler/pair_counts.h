/*
 * Counts by pair of ids (a topology key and one of its values), in an arena. A missing pair counts 0.
 */
#ifndef SCHEDULER_PAIR_COUNTS_H
#define SCHEDULER_PAIR_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

struct pair_count {
	uint32_t a, b;
	int64_t count;
	bool used;
};

struct pair_counts {
	struct pair_count *slots; /* a power of two of them */
	size_t n_slots, n_used;
};

/* Adds delta; the pair exists from then on, even at 0. */
void pair_counts_add(struct arena *arena, struct pair_counts *counts, uint32_t a, uint32_t b, int64_t delta);
int64_t pair_counts_get(const struct pair_counts *counts, uint32_t a, uint32_t b);
/* The smallest count of all pairs; 0 if there are none. */
int64_t pair_counts_min(const struct pair_counts *counts);
bool pair_counts_any_positive(const struct pair_counts *counts);

#endif
