/*
 * The finalizer that holds an object while it is in use: the API server sets it when the object is made, and whoever
 * looks after the kind takes it away once the object is being deleted and nobody uses it.
 */
#ifndef CONTROLLER_MANAGER_PROTECTION_H
#define CONTROLLER_MANAGER_PROTECTION_H

#include "client/client.h"
#include "controller-manager/support/object.h"

/* Whether the object is only held by its finalizers, that one among them. */
bool protection_is_asked(const void *object, const char *finalizer);
/* Whether there is anything to do: that, or it has the finalizer not yet (it is older than the rule). */
bool protection_concerns(const void *object, const char *finalizer);
/* Lets an unused object that is being deleted go, and protects one that is not. */
struct status *protection_settle(
	struct client *client, struct arena *arena, const void *object, const char *finalizer, bool used) MUST_USE;

#endif
