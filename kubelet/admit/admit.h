/*
 * Whether a pod that was bound to this node may run here. The scheduler looked at the same things, but somebody else
 * may have bound the pod, or two may have come at once. A pod that is refused fails for good; its owner makes another.
 *
 * Checked as the original does, in its order: sysctls, operating system, resources, node affinity, host ports,
 * NoExecute taints. A critical pod is never refused for want of resources.
 */
#ifndef KUBELET_ADMIT_H
#define KUBELET_ADMIT_H

#include "kubelet/kubelet.h"

struct admit_input {
	const CoreV1Node *node;	   /* NULL: not known yet, and so is what depends on it */
	struct pod *const *others; /* that have been admitted and are not over */
	size_t n_others;
	int64_t cpu_milli, memory, ephemeral_storage, pods; /* what pods may use of the node */
	char *const *unsafe_sysctls;			    /* allowed by the configuration beside the safe ones */
	size_t n_unsafe_sysctls;
};

/* True when it may; else why not, as an event's reason and message. */
bool admit_check(struct arena *arena, const struct admit_input *input, const struct pod *pod, const char **ret_reason,
	const char **ret_message);

/* The same with the pods that are here. The answers live in the arena. */
bool admit_fits(struct kubelet *k, struct arena *arena, const struct pod *pod, const char **ret_reason,
	const char **ret_message);
/* Tells of a refused pod, and fails it. */
void admit_reject(struct kubelet *k, const struct pod *pod, const char *reason, const char *message);

#endif
