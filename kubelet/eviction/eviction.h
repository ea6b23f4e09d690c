/*
 * When the node runs short of memory, disk or processes: it says so in its conditions, and takes no new pods. What is
 * unused goes first, then pods, one at a time, those first that use more than they asked for.
 *
 * Threads: one checks, every few seconds; the questions may be asked from any.
 */
#ifndef KUBELET_EVICTION_EVICTION_H
#define KUBELET_EVICTION_EVICTION_H

#include "kubelet/kubelet.h"

struct evictions;

struct evictions *evictions_new(struct kubelet *k);
void evictions_free(struct evictions *e);
/* One look; ends at most one pod for the node's sake, and those that use more disk than they may. */
struct status *eviction_check(struct kubelet *k) MUST_USE;
/* What the node is short of, or was until lately. */
void eviction_pressure(const struct evictions *e, bool *ret_memory, bool *ret_disk, bool *ret_pids);

/* --- the order, pure --- */

struct eviction_candidate {
	const struct pod *pod;
	int64_t usage;
	int64_t request;
};
/* The first to go: above its request, then of low priority, then furthest above it. For qsort. */
int eviction_order(const void *a, const void *b);

#endif
