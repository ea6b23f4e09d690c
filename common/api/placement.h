/*
 * Whether a pod belongs on a node: by its node selector and required node affinity, and by the node's taints.
 * Rules: core/v1 NodeSelector, Toleration.
 *
 * Threads: any; pure.
 */
#ifndef API_PLACEMENT_H
#define API_PLACEMENT_H

#include <stdbool.h>
#include "api/types.h"

/* spec.nodeSelector and the required terms of spec.affinity.nodeAffinity. A term without requirements takes no node. */
bool pod_selects_node(const CoreV1PodSpec *spec, const CoreV1Node *node);
bool toleration_tolerates(const CoreV1Toleration *toleration, const CoreV1Taint *taint);
/* Whether one of the tolerations bears the taint. */
bool taint_is_tolerated(const CoreV1Taint *taint, CoreV1Toleration *const *tolerations, size_t n);

#endif
