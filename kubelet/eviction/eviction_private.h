#ifndef KUBELET_EVICTION_PRIVATE_H
#define KUBELET_EVICTION_PRIVATE_H

#include "kubelet/eviction/eviction.h"
#include "kubelet/stats/usage.h"

#define IMMEDIATE_GRACE_S 1

/* Whether a pod may be ended at all: it runs and is not critical. */
bool eviction_candidate(struct kubelet *k, const struct pod *pod);
/* Tells of it and ends it. disruption: with the condition DisruptionTarget. */
void evict_pod(struct kubelet *k, const struct pod *pod, int64_t grace_seconds, const char *message, bool disruption);

/* Why it ends, for the node's sake. */
char *eviction_message(struct arena *arena, const struct pod *pod, const struct pod_usage *usage, const char *resource,
	int64_t threshold, int64_t available);

/* Why a pod uses more of the node's disk than it may; NULL: it does not. own_disk: whether a mount point is not the
 * node's own disk. The text lives in the arena. */
const char *local_storage_excess(struct arena *arena, const struct pod *pod, const struct pod_usage *usage,
	bool (*own_disk)(void *data, const char *mount), void *data);
/* Evicts the pods that do, however much room the node has. */
struct status *eviction_check_local_storage(struct kubelet *k, bool *ret_any) MUST_USE;

#endif
