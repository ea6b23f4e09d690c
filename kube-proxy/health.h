/*
 * Health over HTTP: the proxy's own (/healthz, /livez), and that of services with a health check node port, which load
 * balancers ask to find the nodes with local endpoints.
 *
 * Threads: set and sync from the proxy's loop; requests are answered on the servers' threads, under one lock.
 */
#ifndef KUBE_PROXY_HEALTH_H
#define KUBE_PROXY_HEALTH_H

#include "base/clock.h"
#include "base/status.h"
#include "kube-proxy/sync.h"

struct proxy_health;

/* address: "ip:port", "" for none. Healthy until a sync has been due for longer than max_delay_ms. */
struct status *proxy_health_new(
	const char *address, int64_t max_delay_ms, const struct clock *clock, struct proxy_health **ret) MUST_USE;
void proxy_health_free(struct proxy_health *h);
void proxy_health_queued(struct proxy_health *h);		   /* a sync is due */
void proxy_health_synced(struct proxy_health *h);		   /* it has been done */
void proxy_health_eligible(struct proxy_health *h, bool eligible); /* whether load balancers should use this node */
/* Listens on the health check node ports of the services, and on no other. */
void proxy_health_services(struct proxy_health *h, const struct strmap *services);

#endif
