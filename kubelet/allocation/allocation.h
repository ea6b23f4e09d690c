/*
 * What of the node each pod was given. A pod is admitted with the resources of its spec; when the spec changes later,
 *the new amounts count only once they are allotted (pkg/kubelet/allocation of the original): at once where the node has
 *room, later when it gets it, or never. Everything else in the kubelet works with the pod as allocation_apply() gives
 *it.
 *
 *	if (allocation_admit(k->allocation, pod)) …             // a new pod
 *	allocation_resize(k->allocation, pod);                  // its spec's resources have changed
 *	CLEANUP(pod_unrefp) struct pod *allotted = allocation_apply(k->allocation, pod);
 *
 * What was allotted and what the runtime was told are files under the kubelet's root: a kubelet that was killed in
 *between goes on.
 *
 * Threads: any; decisions are made one at a time.
 */
#ifndef KUBELET_ALLOCATION_ALLOCATION_H
#define KUBELET_ALLOCATION_ALLOCATION_H

#include "base/map.h"
#include "kubelet/allocation/conditions.h"
#include "kubelet/kubelet.h"
#include "kubelet/pod/resources.h"
#include "kubelet/runtime/types.h"

struct allocation;

/* Error: the files of an earlier run cannot be read. */
struct status *allocation_new(struct kubelet *k, struct allocation **ret) MUST_USE;
void allocation_free(struct allocation *a);

/* Checks a new pod against those that are here; a refused pod is told of and fails. Returns whether it may run, and the
 * uids of the pods that were told to end for it, in the arena. */
bool allocation_admit(
	struct allocation *a, struct arena *arena, const struct pod *pod, char ***ret_victims, size_t *ret_n);
/* Whether it was given anything, by this kubelet or the one before. */
bool allocation_known(struct allocation *a, const struct pod *pod);
/* The pod's wishes changed: they are allotted, put off or refused, and its conditions say which. */
void allocation_resize(struct allocation *a, const struct pod *pod);
/* Looks again at the resizes that were put off: room may have come. Called when pods go or shrink, and now and then. */
void allocation_retry(struct allocation *a);
void allocation_remove(struct allocation *a, const char *uid);
void allocation_keep_only(struct allocation *a, const struct strmap *uids);

/* The pod with the resources it was given; another reference to the same one where they are those it wants. */
struct pod *allocation_apply(struct allocation *a, const struct pod *pod);
/* The same with the larger of what it was given and what the runtime was told: what it takes of the node until it has
 * shrunk. */
struct pod *allocation_held(struct allocation *a, const struct pod *pod);
/* Whether its wishes are not what it was given. */
bool allocation_differs(struct allocation *a, const struct pod *pod);

/* What the runtime was told last. */
struct actuated_resources allocation_actuated(struct allocation *a);
struct status *allocation_set_actuated(struct allocation *a, const char *uid, const char *container,
	const CoreV1ResourceRequirements *resources) MUST_USE;
/* Compares what was given with what the runtime was told: sets the condition that a resize is under way, or clears it
 * and tells of its end. pod: as applied. */
void allocation_check_progress(struct allocation *a, const struct pod *pod, const struct pod_status *status);
/* The runtime could not be told. */
void allocation_failed(struct allocation *a, const struct pod *pod, const char *message);
/* The conditions about resizing. */
struct resize_conditions *allocation_conditions(struct allocation *a);

/* --- pure --- */

/* A resize that waits. */
struct pending_resize {
	const struct pod *pod;
	bool increases; /* it wants more CPU or memory than it has */
	int64_t since_s;
};
/* Which is looked at first: those that give back, then by priority, by quality of service, by age. For qsort. */
int pending_resize_order(const void *a, const void *b);
/* Whether any container's CPU or memory changed that can be resized. */
bool pod_resize_wanted(const struct pod *before, const struct pod *after);

#endif
