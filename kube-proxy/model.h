/*
 * Services and endpoints as the proxy sees them: one record a service port and one an endpoint, worked out of Service
 * and EndpointSlice objects for one IP family.
 *
 *	struct service_model *service = service_model_make(arena, FAMILY_IPV4, object, slices, n_slices);
 *	struct endpoint_choice choice = endpoints_choose(arena, &service->ports[0], &topology);
 *
 * Pure: no I/O. Everything lives in the arena; strings may point into the objects.
 */
#ifndef KUBE_PROXY_MODEL_H
#define KUBE_PROXY_MODEL_H

#include <stdbool.h>
#include "api/types.h"
#include "base/arena.h"

enum family { FAMILY_IPV4, FAMILY_IPV6, N_FAMILIES };

struct endpoint {
	const char *ip;
	int32_t port;
	const char *node; /* "" if unknown */
	bool ready, serving, terminating;
	char **zone_hints;
	size_t n_zone_hints;
	char **node_hints;
	size_t n_node_hints;
};

struct port_model {
	const char *namespace_, *name, *port_name;
	const char *protocol; /* tcp, udp, sctp */
	const char *cluster_ip;
	int32_t port, node_port;
	const char **external_ips, **load_balancer_ips, **source_ranges;
	size_t n_external_ips, n_load_balancer_ips, n_source_ranges;
	bool internal_local, external_local; /* traffic policies */
	int32_t affinity_seconds;	     /* 0: no session affinity */
	struct endpoint *endpoints;
	size_t n_endpoints;
};

struct service_model {
	struct port_model *ports;
	size_t n_ports;
	int32_t health_check_node_port; /* 0: none */
};

/* Where we are. */
struct topology {
	const char *node, *zone;
};

struct endpoint_choice {
	const struct endpoint **cluster, **local, **reachable;
	size_t n_cluster, n_local, n_reachable;
	bool any; /* there are usable endpoints somewhere */
};

/* NULL if the service is none of ours: headless, ExternalName, another proxy's, or of the other family. */
struct service_model *service_model_make(struct arena *arena, enum family family, const CoreV1Service *service,
	const DiscoveryV1EndpointSlice *const *slices, size_t n_slices);
/* Which endpoints take traffic: ready ones (by topology hints, where all have them), or, if there are none, those that
 * still serve while they terminate. */
struct endpoint_choice endpoints_choose(
	struct arena *arena, const struct port_model *port, const struct topology *topology);
bool port_externally_accessible(const struct port_model *port);
bool port_uses_cluster_endpoints(const struct port_model *port);
bool port_uses_local_endpoints(const struct port_model *port);
/* Ready endpoints on this node, over all ports, each address once: what the health check node port reports. */
size_t service_local_ready(const struct service_model *service, const char *node);

enum family ip_family(const char *ip);
/* A valid address of the family in canonical form, or NULL. */
const char *ip_canonical(struct arena *arena, enum family family, const char *ip);
/* The same for a CIDR. */
const char *cidr_canonical(struct arena *arena, enum family family, const char *cidr);
bool cidr_contains(const char *cidr, const char *ip);
/* "1.2.3.4:80" or "[::1]:80". */
char *ip_port(struct arena *arena, const char *ip, int32_t port);

#endif
