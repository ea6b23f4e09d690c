/*
 * One attempt to find a node for one pod, over the columns: no I/O, no time, all randomness from the handle. The same
 * columns, pod and seed give the same node.
 */
#ifndef SCHEDULER_SCHEDULE_H
#define SCHEDULER_SCHEDULE_H

#include "scheduler/framework.h"

struct schedule_result {
	/* SUCCESS: node is set. Rejected: message and diagnosis say why. ERROR: message. */
	enum verdict_code code;
	const char *node; /* in the cycle's arena, like all here */
	const char *message;
	struct diagnosis diagnosis;
	const char *nominate; /* preemption: the node to nominate, "" to clear, NULL to leave as it is */
	size_t n_evaluated, n_feasible;
};

/* Where the next search begins: each starts where the last one ended, so that all nodes get their turn. */
struct schedule_cursor {
	size_t next_start;
};

struct cycle *cycle_new(
	const struct profile *profile, struct scheduler_handle *handle, struct nodes *nodes, struct pod_info *pod);
/* Frees the cycle with its arena and its reference to the pod. */
void cycle_free(struct cycle *cycle);
DEFINE_CLEANUP(struct cycle *, cycle_free)

void schedule_pod(struct cycle *cycle, struct schedule_cursor *cursor, struct schedule_result *ret);
/* "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s)." and so on. */
const char *diagnosis_message(struct arena *arena, const struct nodes *nodes, const struct diagnosis *diagnosis);
/* How many feasible nodes are enough. */
size_t feasible_nodes_wanted(int profile_percentage, int percentage, size_t n_nodes);

#endif
