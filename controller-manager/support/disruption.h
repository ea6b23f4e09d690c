/*
 * Marks a pod before it is deleted by the control plane: the condition DisruptionTarget says why.
 *
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_DISRUPTION_H
#define CONTROLLER_MANAGER_DISRUPTION_H

#include "client/client.h"
#include "controller-manager/support/object.h"

/* phase: set as well unless NULL. Nothing is written where it is marked already; a pod that is gone is success. */
struct status *disruption_mark(struct client *client, struct arena *arena, const struct clock *clock,
	const CoreV1Pod *pod, const char *phase, const char *reason, const char *message) MUST_USE;

#endif
