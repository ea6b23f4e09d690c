/*
 * StatefulSets: pods with names of their own, made, replaced and deleted in order.
 *
 * identity.c: names, labels and volumes of a pod by its ordinal; statefulset.c: events and sync.
 */
#ifndef CONTROLLER_MANAGER_STATEFULSET_H
#define CONTROLLER_MANAGER_STATEFULSET_H

#include "controller-manager/controller.h"

#define POD_NAME_LABEL "statefulset.kubernetes.io/pod-name"
#define POD_INDEX_LABEL "apps.kubernetes.io/pod-index"

int32_t stateful_start(const AppsV1StatefulSet *set);
int32_t stateful_replicas(const AppsV1StatefulSet *set);
/* The ordinal in a pod's name; -1 if it is no name of this set's pods. */
int32_t stateful_ordinal(const AppsV1StatefulSet *set, const char *pod_name);
bool stateful_is_member(const void *set, const void *pod);
/* A pod of the template at an ordinal; revision: the name of the template's revision. */
CoreV1Pod *stateful_pod(struct arena *arena, const AppsV1StatefulSet *set, const CoreV1PodTemplateSpec *template,
	int32_t ordinal, const char *revision);
/* The claims that the pod at an ordinal needs; *ret_n of them. */
CoreV1PersistentVolumeClaim **stateful_claims(
	struct arena *arena, const AppsV1StatefulSet *set, int32_t ordinal, size_t *ret_n);
/* Whether the labels say who the pod is. */
bool stateful_identity_matches(const AppsV1StatefulSet *set, const CoreV1Pod *pod);

#endif
