/*
 * Nominations: pods that preempted others on a node and wait there for room to become free.
 */
#ifndef SCHEDULER_NOMINATOR_H
#define SCHEDULER_NOMINATOR_H

#include "scheduler/pod.h"

struct nominator;

struct nominator *nominator_new(void);
void nominator_free(struct nominator *n);
/* The pod is nominated to node from now on; "" or NULL: to none. Holds a reference. */
void nominator_set(struct nominator *n, struct pod_info *pod, const char *node);
/* The node a pod is nominated to, "" if none. */
const char *nominator_node(const struct nominator *n, const char *uid);
size_t nominator_list(const struct nominator *n, const char *node, struct pod_info *const **ret_pods);

#endif
