/*
 * Histograms on paths where no lock may be taken: counted by atomics, written at a scrape.
 *
 *	static const double bounds[] = {0.001, 0.01, 0.1};
 *	static const struct tally_bounds seconds = {bounds, ARRAY_SIZE(bounds)};
 *	struct tally_slot slot;                              // zeroed
 *	tally_observe(&slot, &seconds, 0.003);
 *	metrics_write_tally(&out, "x_duration_seconds", "result=\"ok\"", &slot, &seconds);      // serve/metrics.h
 *
 * Ownership: a slot owns its counts, made when they are first needed. Threads: any.
 */
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct tally;
struct tally_slot {
	_Atomic(struct tally *) made;
};
struct tally_bounds {
	const double *bounds; /* ascending, without +Inf */
	size_t n;
};

void tally_observe(struct tally_slot *slot, const struct tally_bounds *bounds, double value);
uint64_t tally_count(const struct tally_slot *slot, const struct tally_bounds *bounds);
/* counts: one more than bounds. How many there are in all; 0: nothing was observed, and nothing is written. */
uint64_t tally_read(
	const struct tally_slot *slot, const struct tally_bounds *bounds, uint64_t *ret_counts, double *ret_sum);
void tally_done(struct tally_slot *slot);

#endif
