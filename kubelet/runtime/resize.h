/*
 * Giving running containers other amounts of CPU and memory.
 */
#ifndef KUBELET_RUNTIME_RESIZE_H
#define KUBELET_RUNTIME_RESIZE_H

#include "kubelet/runtime/actions.h"
#include "kubelet/runtime/runtime.h"

/*
 * Does what pod_actions_compute() found (the original's doPodResizeAction): the pod's own group grows before its
 * containers and shrinks after them, memory before CPU. A memory limit is not set below what is in use. After an error
 * the rest is left for the next sync. Error: what the pod's condition says.
 */
struct status *runtime_resize_pod(struct kubelet *k, const struct pod *pod, const struct pod_actions *actions) MUST_USE;

#endif
