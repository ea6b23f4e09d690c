/*
 * What containers leave behind: dead instances beyond the last, sandboxes of pods that are gone, their logs; and logs
 * that grow.
 */
#ifndef KUBELET_GC_GC_H
#define KUBELET_GC_GC_H

#include "kubelet/kubelet.h"

/* Removes dead containers but the newest of each name, and all of pods that are gone; then sandboxes, then log
 * directories. */
struct status *gc_containers(struct kubelet *k) MUST_USE;
/* Starts a new log file for containers whose log is too large; keeps as many as configured, the older ones compressed.
 */
struct status *gc_rotate_logs(struct kubelet *k) MUST_USE;

#endif
