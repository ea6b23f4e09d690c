/*
 * The node's lease in kube-node-lease: the cheap sign of life between two statuses.
 */
#ifndef KUBELET_NODE_LEASE_H
#define KUBELET_NODE_LEASE_H

#include "kubelet/kubelet.h"

/* What the last renewal came back with; zero at first. */
struct lease_state {
	struct arena *arena;
	CoordinationV1Lease *last;
};

/* Makes or renews it, trying a few times. */
struct status *lease_renew(struct kubelet *k, struct lease_state *state) MUST_USE;
void lease_state_done(struct lease_state *state);

#endif
