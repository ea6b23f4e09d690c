/* The table of controllers: what the cluster does by itself. */
#include "controller-manager/controller.h"

#define CONTROLLERS(X)            \
	X(replicaset_controller)  \
	X(replication_controller) \
	X(deployment_controller)

#define DECLARE(c) extern const struct controller c;
#define ENTRY(c) &c,
CONTROLLERS(DECLARE)

const struct controller *const controllers[] = {CONTROLLERS(ENTRY) NULL};
