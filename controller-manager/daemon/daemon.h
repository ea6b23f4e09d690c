/*
 * DaemonSets: one pod on every node that is fit for it.
 *
 * fit.c: which nodes; plan.c: which pods to make and delete, for the number as for a rolling update; daemon.c: events,
 * sync, status.
 *
 * Threads: pure functions keep no state; the rest belongs to one sync.
 */
#ifndef CONTROLLER_MANAGER_DAEMON_H
#define CONTROLLER_MANAGER_DAEMON_H

#include "controller-manager/controller.h"

/* --- fit.c --- */
/* The template as this set's pods have it: labels of the version, tolerations that every daemon has. */
CoreV1PodTemplateSpec *daemon_template(struct arena *arena, const AppsV1DaemonSet *set, const char *hash);
/* Whether a pod should be made on the node, and whether one that is there may stay. */
struct daemon_fit {
	bool run, stay;
};
/* template: of daemon_template(). */
struct daemon_fit daemon_fits(const CoreV1PodTemplateSpec *template, const CoreV1Node *node);
/* Binds an affinity to the node by its name, as the scheduler reads it. */
void daemon_bind(struct arena *arena, CoreV1PodSpec *spec, const char *node);

/* --- plan.c --- */
struct daemon_node {
	const CoreV1Node *node;
	struct daemon_fit fit;
	const CoreV1Pod **pods;
	size_t n_pods;
};

struct daemon_plan {
	struct arena *arena;
	const AppsV1DaemonSet *set;
	const char *hash; /* of the present version */
	int64_t now_ns;
	struct daemon_node *nodes;
	size_t n_nodes;
	const CoreV1Pod **lost; /* pods of ours that wait for a node that is gone */
	size_t n_lost;
	/* Asked before a failed pod is replaced: false postpones it. May be NULL. */
	bool (*may_replace)(void *data, const CoreV1Pod *pod);
	/* Told of pods that are over and will be replaced. May be NULL. */
	void (*ended)(void *data, const CoreV1Pod *pod);
	void *data;
	/* results */
	const char **create; /* node names */
	size_t n_create;
	const CoreV1Pod **remove;
	size_t n_remove;
};

bool daemon_pod_is_current(const struct daemon_plan *plan, const CoreV1Pod *pod);
/* The right number: one on each fit node, none elsewhere. */
void daemon_plan_manage(struct daemon_plan *plan);
/* Replacing old pods within maxUnavailable or maxSurge. */
void daemon_plan_update(struct daemon_plan *plan);
void daemon_bounds(const struct daemon_plan *plan, int32_t *ret_max_surge, int32_t *ret_max_unavailable);
AppsV1DaemonSetStatus *daemon_status(const struct daemon_plan *plan);

#endif
