/*
 * A client for each controller that speaks as a service account of kube-system, so that each has only the rights it
 * needs
 * (--use-service-account-credentials).
 */
#ifndef CONTROLLER_MANAGER_CREDENTIALS_H
#define CONTROLLER_MANAGER_CREDENTIALS_H

#include "client/client.h"

/*
 * A client like config but with tokens of kube-system/name, which is made if it is not there; tokens are asked for
 * through manager when needed and renewed before they expire. manager and the arena must live longer than the client.
 */
struct status *credentials_client(struct arena *arena, struct client *manager, const struct client_config *config,
	const struct clock *clock, const char *name, struct client **ret_client) MUST_USE;

#endif
