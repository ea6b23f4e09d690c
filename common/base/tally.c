#include "base/tally.h"
#include <stdlib.h>
#include "base/mem.h"

struct tally {
	_Atomic(double) sum;
	atomic_uint_least64_t counts[]; /* one more than bounds */
};

static struct tally *made(struct tally_slot *slot, const struct tally_bounds *bounds)
{
	struct tally *t = atomic_load_explicit(&slot->made, memory_order_acquire);
	if (t)
		return t;
	struct tally *fresh = mem_zalloc(sizeof(*fresh) + (bounds->n + 1) * sizeof(fresh->counts[0]));
	if (atomic_compare_exchange_strong(&slot->made, &t, fresh))
		return fresh;
	free(fresh);
	return t;
}

void tally_observe(struct tally_slot *slot, const struct tally_bounds *bounds, double value)
{
	struct tally *t = made(slot, bounds);
	double sum = atomic_load_explicit(&t->sum, memory_order_relaxed);
	size_t i = 0;
	while (i < bounds->n && value > bounds->bounds[i])
		i++;
	atomic_fetch_add_explicit(&t->counts[i], 1, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
		&t->sum, &sum, sum + value, memory_order_relaxed, memory_order_relaxed))
		;
}

uint64_t tally_count(const struct tally_slot *slot, const struct tally_bounds *bounds)
{
	const struct tally *t = atomic_load_explicit(&slot->made, memory_order_acquire);
	uint64_t total = 0;
	for (size_t i = 0; t && i <= bounds->n; i++)
		total += atomic_load_explicit(&t->counts[i], memory_order_relaxed);
	return total;
}

uint64_t tally_read(
	const struct tally_slot *slot, const struct tally_bounds *bounds, uint64_t *ret_counts, double *ret_sum)
{
	const struct tally *t = atomic_load_explicit(&slot->made, memory_order_acquire);
	uint64_t total = 0;
	if (!t)
		return 0;
	for (size_t i = 0; i <= bounds->n; i++)
		total += ret_counts[i] = atomic_load_explicit(&t->counts[i], memory_order_relaxed);
	*ret_sum = atomic_load(&t->sum);
	return total;
}

void tally_done(struct tally_slot *slot)
{
	free(atomic_exchange(&slot->made, NULL));
}
