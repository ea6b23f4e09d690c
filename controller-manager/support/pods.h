/*
 * Rules about pods that several controllers share: ready, available, active, which to delete first, and a pod out of a
 * template.
 *
 * Threads: any; nothing here keeps state.
 */
#ifndef CONTROLLER_MANAGER_PODS_H
#define CONTROLLER_MANAGER_PODS_H

#include "controller-manager/support/object.h"

const CoreV1PodCondition *pod_condition(const CoreV1Pod *pod, const char *type);
bool pod_is_ready(const CoreV1Pod *pod);
/* Ready for at least min_ready_seconds. */
bool pod_is_available(const CoreV1Pod *pod, int32_t min_ready_seconds, int64_t now_ns);
/* Failed or Succeeded. */
bool pod_is_terminal(const CoreV1Pod *pod);
/* Neither terminal nor being deleted. */
bool pod_is_active(const CoreV1Pod *pod);
/* Being deleted and not terminal. */
bool pod_is_terminating(const CoreV1Pod *pod);
/*
 * Milliseconds until the first of the pods that are ready but not yet available becomes so; -1 if there is none.
 */
int64_t pods_next_available_ms(const CoreV1Pod *const *pods, size_t n, int32_t min_ready_seconds, int64_t now_ns);

/*
 * Sorts pods so that those to be deleted first stand first. ranks[i] is how many related pods share pod i's node; the
 * arrays are reordered together. The rule is that of the original's ActivePodsWithRanks: unassigned before assigned,
 * pending before running, not ready before ready, lower deletion cost, more doubled up on a node, ready for a shorter
 * time (by powers of two), more restarts, younger (by powers of two), uid.
 */
void pods_sort_for_deletion(const CoreV1Pod **pods, int *ranks, size_t n, int64_t now_ns);

/* A pod as a controller creates it: template's labels, annotations, finalizers and spec, generateName from the owner's
 * name. */
CoreV1Pod *pod_from_template(struct arena *arena, const CoreV1PodTemplateSpec *template, const void *owner);

/*
 * The label value that tells templates apart: a hash over every field that is set, independent of the order of maps,
 * with the collision count mixed in when it is given; in the alphabet of names.
 */
char *template_hash(struct arena *arena, const CoreV1PodTemplateSpec *template, const int32_t *collision_count);
/* Equal but for the label pod-template-hash. */
bool template_equal_ignore_hash(struct arena *arena, const CoreV1PodTemplateSpec *a, const CoreV1PodTemplateSpec *b);

#endif
