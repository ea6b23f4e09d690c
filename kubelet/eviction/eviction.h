/*
 * When the node runs short of memory or disk: what is unused goes first, then pods, one at a time, those first that use
 * more than they asked for.
 */
#ifndef KUBELET_EVICTION_EVICTION_H
#define KUBELET_EVICTION_EVICTION_H

#include "kubelet/kubelet.h"

/* One look; ends at most one pod. Called every few seconds. */
struct status *eviction_check(struct kubelet *k) MUST_USE;

/* --- the order, pure --- */

struct eviction_candidate {
	const struct pod *pod;
	int64_t usage;
	int64_t request;
};
/* The first to go: above its request, then of low priority, then furthest above it. For qsort. */
int eviction_order(const void *a, const void *b);

#endif
