/*
 * Where pods come from: the apiserver (those bound to this node) and a directory of static manifests. What arrives goes
 * to the pod manager and the workers. Static pods are shown to the apiserver as mirror pods.
 *
 * Threads: the informer's for the apiserver, one of its own for the directory; all functions may be called from any.
 */
#ifndef KUBELET_CONFIG_CONFIG_H
#define KUBELET_CONFIG_CONFIG_H

#include "kubelet/kubelet.h"

struct config;

struct config *config_new(struct kubelet *k);
/* Adds the informer; informers_start() follows. */
void config_start(struct config *c);
void config_free(struct config *c);
/* Whether the apiserver and the directory have both told all their pods once. */
bool config_all_sources_seen(struct config *c);

/* Makes the apiserver show the static pod as it is; a mirror of an older version is replaced. */
void config_reconcile_mirror(struct config *c, const struct pod *pod);
void config_delete_mirror(struct config *c, const struct pod *mirror);

/* --- config/apply.c: one pod that came, changed or went --- */

void config_pod_added(struct kubelet *k, struct pod *pod);
void config_pod_updated(struct kubelet *k, const struct pod *before, struct pod *pod);
void config_pod_removed(struct kubelet *k, struct pod *pod);

/* --- config/manifest.c --- */

/* A static pod out of a file's text, named and identified as the original does. Error: what is wrong with the text. */
struct status *manifest_parse(struct arena *arena, const char *path, const char *text, size_t size,
	const char *node_name, CoreV1Pod **ret) MUST_USE;

#endif
