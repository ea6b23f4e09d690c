/*
 * Pod conditions out of container statuses (pkg/kubelet/status/generate.go).
 */
#ifndef KUBELET_STATUS_CONDITIONS_H
#define KUBELET_STATUS_CONDITIONS_H

#include "kubelet/pod/pod.h"

/* Adds or replaces the condition of that type. */
void condition_add(struct arena *arena, CoreV1PodStatus *status, const char *type, bool value, const char *reason,
	const char *message);
/* Initialized. */
void conditions_add_initialized(struct arena *arena, const struct pod *pod, CoreV1PodStatus *status,
	CoreV1ContainerStatus *const *statuses, size_t n);
/* Ready and ContainersReady. */
void conditions_add_ready(struct arena *arena, const struct pod *pod, CoreV1PodStatus *status,
	CoreV1ContainerStatus *const *statuses, size_t n);
/* Statuses of init and ordinary containers in one list. */
CoreV1ContainerStatus **conditions_all_statuses(struct arena *arena, const CoreV1PodStatus *status, size_t *ret_n);

#endif
