/*
 * What the kubelet counts of its work, under the original's names. A metric that is NULL counts nothing (standalone
 * tests).
 *
 * Threads: any.
 */
#ifndef KUBELET_FIGURES_H
#define KUBELET_FIGURES_H

#include "serve/metrics.h"

struct kubelet_figures {
	struct metric *calls, *failed_calls, *call_seconds; /* of the container runtime, by operation */
	struct metric *relist_seconds, *relist_interval, *last_relist;
	struct metric *sync_seconds; /* of one pod, by kind of step */
	struct metric *start_seconds;
	struct metric *pod_starts, *failed_pod_starts;
	struct metric *container_starts, *failed_container_starts; /* by type; failed ones by reason, too */
	struct metric *status_seconds;
	struct metric *client_renewals_failed, *server_renewals_failed;
};

/* metrics NULL: all are NULL. */
struct kubelet_figures kubelet_figures(struct metrics *metrics);

#endif
