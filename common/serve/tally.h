/*
 * Histograms on paths where no lock may be taken: counted by atomics, written at a scrape.
 *
 *	static const double bounds[] = {0.001, 0.01, 0.1};
 *	static const struct tally_bounds seconds = {bounds, ARRAY_SIZE(bounds)};
 *	struct tally_slot slot;                              // zeroed
 *	tally_observe(&slot, &seconds, 0.003);
 *	tally_write(&slot, &seconds, &out, "x_duration_seconds", "result=\"ok\"");
 *
 * Ownership: a slot owns its counts, made when they are first needed. Threads: any.
 */
#ifndef SERVE_TALLY_H
#define SERVE_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"

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
/* Nothing when nothing was observed. */
void tally_write(const struct tally_slot *slot, const struct tally_bounds *bounds, struct strbuf *out, const char *name,
	const char *labels);
void tally_done(struct tally_slot *slot);

#endif
