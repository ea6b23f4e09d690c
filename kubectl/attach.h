/*
 * Attaching to a container, for kubectl attach and kubectl run.
 */
#ifndef KUBECTL_ATTACH_H
#define KUBECTL_ATTACH_H

#include "kubectl/pods.h"

struct attach_request {
	const char *container;
	bool stdin_, tty, quiet;
	const char *command_name; /* for the hint at the end */
};
struct status *attach_to(struct kubectl *k, const cJSON *pod, const struct attach_request *request) MUST_USE;

#endif
