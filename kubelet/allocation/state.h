/*
 * CPU and memory by pod and container, kept in memory and in a file, so that a kubelet that starts again knows them.
 * There are two such files: what containers were allotted, and what the runtime was last told.
 *
 * The files are the original's, names, form and checksum included (pkg/kubelet/allocation/state): either kubelet goes
 * on where the other ended.
 *
 * Threads: any; one lock. Answers are copies in the caller's arena.
 */
#ifndef KUBELET_ALLOCATION_STATE_H
#define KUBELET_ALLOCATION_STATE_H

#include "base/map.h"
#include "kubelet/pod/pod.h"

struct resource_state;

/* Reads the file, if there is one. One that cannot be read is an error that names it: nothing is guessed. */
struct status *resource_state_new(const char *path, struct resource_state **ret) MUST_USE;
void resource_state_free(struct resource_state *s);
DEFINE_CLEANUP(struct resource_state *, resource_state_free)

/* NULL if nothing is known of the container. */
CoreV1ResourceRequirements *resource_state_get(
	struct resource_state *s, struct arena *arena, const char *uid, const char *container);
/* The resources of all of the pod's containers whose resources can change; others are forgotten. */
struct status *resource_state_set_pod(struct resource_state *s, const struct pod *pod) MUST_USE;
struct status *resource_state_set(struct resource_state *s, const char *uid, const char *container,
	const CoreV1ResourceRequirements *resources) MUST_USE;
/* In memory alone: the file follows with the next change. */
void resource_state_remove(struct resource_state *s, const char *uid);
void resource_state_keep_only(struct resource_state *s, const struct strmap *uids);

#endif
