/*
 * Waiting for an object to become something, by list and watch of its name.
 */
#ifndef KUBECTL_AWAIT_H
#define KUBECTL_AWAIT_H

#include "kubectl/builder.h"

enum await_answer { AWAIT_MORE, AWAIT_DONE };

struct await {
	/* object NULL: it is not there (any more). An error ends the waiting. */
	struct status *(*check)(void *data, const cJSON *object, enum await_answer *ret_answer);
	void *data;
	int64_t timeout_ms; /* < 0: for ever */
};

/* STATUS_TIMEOUT "timed out waiting for the condition" when the time is up. */
struct status *await_object(struct kubectl *k, const struct info *info, const struct await *await) MUST_USE;
/* Until the object is gone or has another uid. */
struct status *await_deletion(struct kubectl *k, const struct info *info, const char *uid, int64_t timeout_ms) MUST_USE;

#endif
