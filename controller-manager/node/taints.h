/*
 * Taints: which a node should have for its conditions, which of them a pod bears, and for how long.
 *
 * Threads: any; the pure functions keep no state.
 */
#ifndef CONTROLLER_MANAGER_TAINTS_H
#define CONTROLLER_MANAGER_TAINTS_H

#include "controller-manager/controller.h"

#define TAINT_NOT_READY "node.kubernetes.io/not-ready"
#define TAINT_UNREACHABLE "node.kubernetes.io/unreachable"
#define TAINT_UNSCHEDULABLE "node.kubernetes.io/unschedulable"
#define TAINT_OUT_OF_SERVICE "node.kubernetes.io/out-of-service"

const CoreV1NodeCondition *node_condition(const CoreV1Node *node, const char *type);
/* The status of a condition; "" if there is none. */
const char *node_condition_status(const CoreV1Node *node, const char *type);
bool node_is_ready(const CoreV1Node *node);
const CoreV1Taint *node_taint(const CoreV1Node *node, const char *key, const char *effect);
/*
 * Brings the NoSchedule taints of the node (a copy of our own) in step with its conditions and spec.unschedulable.
 * True if anything changed. Taints of other keys stay.
 */
bool node_sync_schedule_taints(struct arena *arena, CoreV1Node *node, const struct clock *clock);
/* Puts or removes one taint with a time; true if anything changed. */
bool node_set_taint(struct arena *arena, CoreV1Node *node, const char *key, const char *effect, bool present,
	const struct clock *clock);

/* What NoExecute taints mean for a pod. */
enum eviction { EVICT_NEVER, EVICT_AT };
/* *ret_at_ns: when it has to go (in the past: now; 0: as soon as there is the taint). since_ns: when the pod came onto
 * the node. */
enum eviction pod_eviction(const CoreV1Pod *pod, const CoreV1Node *node, int64_t since_ns, int64_t *ret_at_ns);
/*
 * Writes a changed node: change(data, arena, copy) is applied to the cached object and, on a conflict, to the newest
 * one. It returns whether it changed anything; if not, nothing is written.
 */
struct status *node_write(struct controller_context *ctx, struct arena *arena, const CoreV1Node *node,
	bool (*change)(void *data, struct arena *arena, CoreV1Node *copy), void *data) MUST_USE;

#endif
