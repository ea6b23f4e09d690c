#include "scheduler/pair_counts.h"

static struct pair_count *find(const struct pair_counts *counts, uint32_t a, uint32_t b)
{
	uint64_t hash = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ULL;
	for (size_t i = (size_t)(hash >> 32);; i++) {
		struct pair_count *slot = &counts->slots[i & (counts->n_slots - 1)];
		if (!slot->used || (slot->a == a && slot->b == b))
			return slot;
	}
}

static void grow(struct arena *arena, struct pair_counts *counts)
{
	struct pair_counts bigger = {.n_slots = counts->n_slots ? counts->n_slots * 2 : 16, .n_used = counts->n_used};
	bigger.slots = ARENA_ARRAY(arena, struct pair_count, bigger.n_slots);
	for (size_t i = 0; i < counts->n_slots; i++) {
		if (counts->slots[i].used)
			*find(&bigger, counts->slots[i].a, counts->slots[i].b) = counts->slots[i];
	}
	*counts = bigger;
}

void pair_counts_add(struct arena *arena, struct pair_counts *counts, uint32_t a, uint32_t b, int64_t delta)
{
	if (counts->n_used * 2 >= counts->n_slots)
		grow(arena, counts);
	struct pair_count *slot = find(counts, a, b);
	if (!slot->used) {
		*slot = (struct pair_count){.a = a, .b = b, .used = true};
		counts->n_used++;
	}
	slot->count += delta;
}

int64_t pair_counts_get(const struct pair_counts *counts, uint32_t a, uint32_t b)
{
	return counts->n_slots ? find(counts, a, b)->count : 0;
}

int64_t pair_counts_min(const struct pair_counts *counts)
{
	int64_t min = INT64_MAX;
	for (size_t i = 0; i < counts->n_slots; i++) {
		if (counts->slots[i].used && counts->slots[i].count < min)
			min = counts->slots[i].count;
	}
	return min == INT64_MAX ? 0 : min;
}

bool pair_counts_any_positive(const struct pair_counts *counts)
{
	for (size_t i = 0; i < counts->n_slots; i++) {
		if (counts->slots[i].count > 0)
			return true;
	}
	return false;
}
