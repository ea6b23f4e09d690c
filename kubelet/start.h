/*
 * Putting the kubelet together and taking it apart.
 */
#ifndef KUBELET_START_H
#define KUBELET_START_H

#include "kubelet/kubelet.h"
#include "serve/health.h"

struct kubelet_parts {
	const struct settings *settings;
	struct client *client; /* NULL: standalone */
	struct event_recorder *recorder;
	struct metrics *metrics;
	struct health *health;
	const atomic_bool *stopping;
};

/* Starts all modules. Containers that run already are taken over as they are. */
struct status *kubelet_start(const struct kubelet_parts *parts, struct kubelet **ret) MUST_USE;
/* Stops all modules; containers go on running. */
void kubelet_stop(struct kubelet *k);

#endif
