/*
 * Reading the runtime's state: all pods in short, one pod in full.
 */
#ifndef KUBELET_RUNTIME_QUERY_H
#define KUBELET_RUNTIME_QUERY_H

#include "kubelet/runtime/cri.h"
#include "kubelet/runtime/types.h"

/* All pods with a container or sandbox of ours, newest of each first; all: those at rest too. Lives in the arena. */
struct status *runtime_list_pods(struct cri *cri, struct arena *arena, bool all, struct runtime_pods *ret) MUST_USE;
/* The sandboxes and containers of one pod, newest first. The caller owns the reference. */
struct status *runtime_pod_status(
	struct cri *cri, const char *uid, const char *name, const char *namespace, struct pod_status **ret) MUST_USE;
const struct runtime_pod *runtime_pods_find(const struct runtime_pods *pods, const char *uid);

#endif
