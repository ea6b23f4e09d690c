/*
 * A pod as the kubelet holds it: an immutable copy of the API object, shared by reference count, with the few facts
 *about it that are asked for all the time.
 *
 *	struct pod *pod = pod_new(api);
 *	if (!pod->is_mirror)
 *		workers_update(workers, pod, ...);
 *	pod_unref(pod);
 *
 * Ownership: the API object and all it points to live in the pod's arena.
 * Threads: immutable after pod_new(); the count is atomic.
 */
#ifndef KUBELET_POD_POD_H
#define KUBELET_POD_POD_H

#include <stdatomic.h>
#include <stdbool.h>
#include "api/types.h"
#include "base/arena.h"
#include "base/status.h"

#define POD_ANNOTATION_SOURCE "kubernetes.io/config.source"
#define POD_ANNOTATION_MIRROR "kubernetes.io/config.mirror"
#define POD_ANNOTATION_SEEN "kubernetes.io/config.seen"
#define POD_ANNOTATION_HASH "kubernetes.io/config.hash"

struct pod {
	atomic_int refs;
	struct arena *arena;
	const CoreV1Pod *api;
	const char *uid;
	const char *name;
	const char *namespace;
	char *full_name; /* name_namespace: what static and mirror pods have in common */
	char *ref;	 /* namespace/name, for logs */
	bool is_static;
	bool is_mirror;
	bool host_network;
	/* Ephemeral containers in the form of ordinary ones, index by index. */
	CoreV1Container **ephemeral;
	size_t n_ephemeral;
};

/* A copy of an API object. */
struct pod *pod_new(const CoreV1Pod *api);
struct pod *pod_ref(const struct pod *pod);
void pod_unref(struct pod *pod);
DEFINE_CLEANUP(struct pod *, pod_unref)

static inline const CoreV1PodSpec *pod_spec(const struct pod *pod)
{
	return pod->api->spec;
}
bool pod_deleting(const struct pod *pod);
/* Whether the phase the API knows is Succeeded or Failed. */
bool pod_terminal(const struct pod *pod);
bool pod_phase_terminal(const char *phase);
/* Static, mirror, or of system priority: never evicted before others. */
bool pod_critical(const struct pod *pod);
const char *pod_annotation(const struct pod *pod, const char *key);
/* "name_namespace(uid)", as the original's format.Pod writes it. */
char *pod_format(struct arena *arena, const struct pod *pod);

/* The container of that name among all three kinds; NULL if the pod has none. */
const CoreV1Container *pod_container(const struct pod *pod, const char *name);
bool pod_has_init_container(const struct pod *pod, const char *name);
/* An init container that keeps running beside the others (restartPolicy Always). */
bool container_restartable_init(const CoreV1Container *c);
/* spec.containers[0], spec.initContainers{name}: how an event points at a container. */
char *pod_container_field_path(struct arena *arena, const struct pod *pod, const char *name);
/* Restart policy other than Never. */
bool pod_restarts_on_failure(const struct pod *pod);
bool container_privileged(const CoreV1Container *c);
bool pod_has_privileged(const struct pod *pod);

#endif
