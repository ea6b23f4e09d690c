/*
 * The pods that are wanted here: from the apiserver and from static manifests, with the mirror pods that show the
 * latter.
 *
 * Threads: any; one lock. What is returned is a reference that the caller owns.
 */
#ifndef KUBELET_POD_MANAGER_H
#define KUBELET_POD_MANAGER_H

#include "base/map.h"
#include "kubelet/pod/pod.h"

struct pod_manager;

struct pod_manager *pod_manager_new(void);
void pod_manager_free(struct pod_manager *m);
/* Adds or replaces. Mirror pods are kept apart. */
void pod_manager_set(struct pod_manager *m, const struct pod *pod);
void pod_manager_remove(struct pod_manager *m, const struct pod *pod);
/* Not of mirror pods. */
struct pod *pod_manager_get(struct pod_manager *m, const char *uid);
struct pod *pod_manager_get_named(struct pod_manager *m, const char *namespace, const char *name);
struct pod *pod_manager_mirror(struct pod_manager *m, const char *full_name);
/* The static pod that a mirror stands for. */
struct pod *pod_manager_static(struct pod_manager *m, const char *full_name);

struct pod_list {
	struct pod **items;
	size_t n_items;
};
/* All but mirror pods; references owned by the list. */
struct pod_list pod_manager_list(struct pod_manager *m);
struct pod_list pod_manager_mirrors(struct pod_manager *m);
void pod_list_done(struct pod_list *list);

#endif
