/*
 * Where the resizing of each pod stands, as its conditions PodResizePending and PodResizeInProgress show it
 * (pkg/kubelet/status of the original). A pod whose resources are as wanted has neither.
 *
 * Threads: any; one lock.
 */
#ifndef KUBELET_ALLOCATION_CONDITIONS_H
#define KUBELET_ALLOCATION_CONDITIONS_H

#include "base/clock.h"
#include "base/map.h"
#include "kubelet/pod/pod.h"

#define CONDITION_RESIZE_PENDING "PodResizePending"
#define CONDITION_RESIZE_IN_PROGRESS "PodResizeInProgress"
#define RESIZE_DEFERRED "Deferred"
#define RESIZE_INFEASIBLE "Infeasible"
#define RESIZE_ERROR "Error"

struct resize_conditions;

struct resize_conditions *resize_conditions_new(const struct clock *clock);
void resize_conditions_free(struct resize_conditions *r);

/* Not possible now (RESIZE_DEFERRED) or at all (RESIZE_INFEASIBLE). */
void resize_pending_set(
	struct resize_conditions *r, const char *uid, const char *reason, const char *message, int64_t generation);
void resize_pending_clear(struct resize_conditions *r, const char *uid);
/* Allotted and not yet told to the runtime. An older generation, reason and message stay until it is cleared, unless
 * there is a new reason. */
void resize_progress_set(
	struct resize_conditions *r, const char *uid, const char *reason, const char *message, int64_t generation);
/* Whether there was one. */
bool resize_progress_clear(struct resize_conditions *r, const char *uid);
/* What the API server kept for us while the kubelet was down. */
void resize_conditions_restore(struct resize_conditions *r, const struct pod *pod);

/* Copies, pending first. */
CoreV1PodCondition **resize_conditions_get(
	struct resize_conditions *r, struct arena *arena, const char *uid, size_t *ret_n);
/* "Deferred", "Infeasible", or NULL: nothing is pending. */
const char *resize_pending_reason(struct resize_conditions *r, const char *uid);
bool resize_in_progress(struct resize_conditions *r, const char *uid);
/* Since when it is pending, in seconds; 0 if nothing is. */
int64_t resize_pending_since(struct resize_conditions *r, const char *uid);

void resize_conditions_remove(struct resize_conditions *r, const char *uid);
void resize_conditions_keep_only(struct resize_conditions *r, const struct strmap *uids);

#endif
