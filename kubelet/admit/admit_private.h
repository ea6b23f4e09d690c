#ifndef KUBELET_ADMIT_PRIVATE_H
#define KUBELET_ADMIT_PRIVATE_H

#include "kubelet/admit/admit.h"

/* Why the sysctls of a pod are refused; NULL: they are allowed, or there are none. */
const char *admit_forbidden_sysctl(struct arena *arena, const struct admit_input *input, const CoreV1PodSpec *spec);

/* What the node lacks for a pod. */
struct admit_shortage {
	const char *resource;
	int64_t amount;
};
struct admit_shortages {
	struct admit_shortage items[4]; /* pods, cpu, memory, ephemeral-storage */
	size_t n_items;
};

/* preempt.c: the fewest and least pods whose end makes room for a critical one; false if there are not enough. */
bool admit_choose_victims(struct arena *arena, const struct admit_input *input, const struct pod *pod,
	const struct admit_shortages *shortages, struct admit_answer *answer);

#endif
