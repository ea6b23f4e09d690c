/*
 * Whether a pod that was bound to this node may run here. The scheduler looked at the same things, but somebody else
 * may have bound the pod, or two may have come at once. A pod that is refused fails for good; its owner makes another.
 *
 * Checked as the original does, in its order: sysctls, operating system, resources, node affinity, host ports,
 * NoExecute taints. For a critical pod others that are less so are ended where resources are short.
 */
#ifndef KUBELET_ADMIT_H
#define KUBELET_ADMIT_H

#include "kubelet/kubelet.h"

struct admit_input {
	const CoreV1Node *node;	   /* NULL: not known yet, and so is what depends on it */
	struct pod *const *others; /* that have been admitted and are not over */
	size_t n_others;
	int64_t cpu_milli, memory, ephemeral_storage, pods; /* what pods may use of the node */
	bool memory_pressure, disk_pressure, pid_pressure;
	char *const *unsafe_sysctls; /* allowed by the configuration beside the safe ones */
	size_t n_unsafe_sysctls;
};

/* Strings and lists live in the arena. */
struct admit_answer {
	const char *reason, *message;	  /* of an event: why not */
	const struct pod *const *victims; /* of the others, those that must go for a pod that is admitted */
	size_t n_victims;
};
/* Whether it may run. */
bool admit_check(struct arena *arena, const struct admit_input *input, const struct pod *pod, struct admit_answer *ret);

/* The same with the pods that are here; victims are told to end, and their uids are in the answer. */
struct admit_decision {
	const char *reason, *message;
	char **victims;
	size_t n_victims;
};
bool admit_fits(struct kubelet *k, struct arena *arena, const struct pod *pod, struct admit_decision *ret);
/* Tells of a refused pod, and fails it. */
void admit_reject(struct kubelet *k, const struct pod *pod, const char *reason, const char *message);

#endif
