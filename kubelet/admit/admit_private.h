#ifndef KUBELET_ADMIT_PRIVATE_H
#define KUBELET_ADMIT_PRIVATE_H

#include "kubelet/admit/admit.h"

/* Why the sysctls of a pod are refused; NULL: they are allowed, or there are none. */
const char *admit_forbidden_sysctl(struct arena *arena, const struct admit_input *input, const CoreV1PodSpec *spec);

#endif
