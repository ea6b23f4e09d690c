/*
 * Batches: the same call many times, in parallel, on the bounded pool that all controllers share.
 *
 *	size_t done = batch_slow_start(workers, 30, create_pod, &work, &status);
 *
 * Threads: the callers of these functions wait; fn runs on several threads at once, each call with an arena of its own.
 */
#ifndef CONTROLLER_MANAGER_BATCH_H
#define CONTROLLER_MANAGER_BATCH_H

#include <stddef.h>
#include "base/arena.h"
#include "base/status.h"
#include "base/workers.h"

typedef struct status *batch_fn(void *data, struct arena *arena, size_t index);

/* Calls fn for 0 … n-1; returns how many succeeded and the first error (owned by the caller; NULL: all did). */
size_t batch_run(struct workers *workers, size_t n, batch_fn *fn, void *data, struct status **ret_first);
/*
 * The same in batches of 1, 2, 4, …, ending after the first batch with an error, so that a call that fails for all
 * fails once only.
 */
size_t batch_slow_start(struct workers *workers, size_t n, batch_fn *fn, void *data, struct status **ret_first);

#endif
