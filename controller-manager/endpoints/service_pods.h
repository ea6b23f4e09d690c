/*
 * Which pods stand behind which Services, and when a pod's change matters to them: shared by Endpoints and
 * EndpointSlices.
 *
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_SERVICE_PODS_H
#define CONTROLLER_MANAGER_SERVICE_PODS_H

#include "controller-manager/controller.h"

/* Follows Services and pods; adds the key of each Service whose endpoints may have changed, batch_ms after a pod's
 * change. */
struct service_watch {
	struct informer *services, *pods;
	struct workqueue *queue;
	int64_t batch_ms;
};

/* Registers the handlers; fills in the informers. w must live as long as the controller. */
void service_watch_start(struct controller_context *ctx, struct service_watch *w);
/* The pods that the Service's selector takes. */
const CoreV1Pod **service_pods(struct informer *pods, struct arena *arena, const CoreV1Service *service, size_t *ret_n);
/* Whether the Service's endpoints come from pods at all. */
bool service_selects_pods(const CoreV1Service *service);
/* It has an address and is not over; one that is being deleted only where terminating is true. */
bool pod_is_endpoint(const CoreV1Pod *pod, bool terminating);
bool pod_shows_hostname(const CoreV1Pod *pod, const CoreV1Service *service);
/* The container port that a Service port leads to on this pod; false if the pod has none of that name. */
bool service_port_on_pod(const CoreV1Pod *pod, const CoreV1ServicePort *port, int32_t *ret_port);
bool service_has_ip(const CoreV1Service *service);

#endif
