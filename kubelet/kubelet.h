/*
 * The kubelet as a whole: what its modules share. Every module gets a pointer to it; nothing here changes after start
 * but through the modules' own functions.
 */
#ifndef KUBELET_KUBELET_H
#define KUBELET_KUBELET_H

#include <stdatomic.h>
#include "api/types.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/events.h"
#include "client/informer.h"
#include "kubelet/config/settings.h"
#include "kubelet/figures.h"
#include "kubelet/pod/pod.h"
#include "kubelet/runtime/cri.h"
#include "serve/metrics.h"

struct kubelet {
	const struct settings *settings;
	const struct clock *clock;
	struct client *client; /* NULL: standalone, static pods alone */
	struct event_recorder *recorder;
	struct metrics *metrics;
	struct kubelet_figures figures;
	struct cri *cri;

	struct pod_manager *pods;
	struct allocation *allocation;
	struct pod_workers *workers;
	struct pleg *pleg;
	struct status_manager *statuses;
	struct prober *prober;
	struct reason_cache *reasons;
	struct restart_backoff *crash_backoff;
	struct image_puller *images;
	struct image_gc *image_gc;
	struct evictions *evictions;
	struct cgroups *cgroups;
	struct volumes *volumes;
	struct objects *objects; /* config maps, secrets, services, tokens */
	struct node *node;
	struct config *config;

	struct informers *informers;
	struct informer *services;
	struct informer *nodes; /* our own node alone */

	atomic_bool network_ready;
	atomic_bool runtime_ready;
	const atomic_bool *stopping;
};

/* An event about a pod, or (container not NULL) about one of its containers. */
void kubelet_pod_event(struct kubelet *k, const struct pod *pod, const char *container, const char *type,
	const char *reason, const char *format, ...) PRINTF(6, 7);

#endif
