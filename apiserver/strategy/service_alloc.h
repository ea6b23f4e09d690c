/* What a Service is given by the cluster: its IP families, cluster addresses and node ports. */
#ifndef APISERVER_STRATEGY_SERVICE_ALLOC_H
#define APISERVER_STRATEGY_SERVICE_ALLOC_H

#include <stdbool.h>
#include "api/types.h"
#include "apiserver/registry/request.h"
#include "base/status.h"

/*
 * Settles families and policy, and takes the addresses and ports that the Service has or needs beyond those of old
 * (NULL: none). On failure nothing stays taken. A dry run takes nothing, and shows values that nobody holds.
 * (k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go)
 */
struct status *service_allocate(struct request *request, CoreV1Service *service, const CoreV1Service *old) MUST_USE;
/* What that would answer now, and some values of what it would give. */
struct status *service_allocate_nothing(
	struct request *request, CoreV1Service *service, const CoreV1Service *old) MUST_USE;
/* Gives back what the Service holds and kept (NULL: nothing) does not. */
void service_release(struct request *request, const CoreV1Service *service, const CoreV1Service *kept);

bool service_type_is(const CoreV1ServiceSpec *spec, const char *type);
/* A Service that prefers two families keeps what it has when the cluster has changed since; old may be NULL. */
bool service_keeps_preference(const CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old);
/* All but ExternalName. */
bool service_needs_ip(const CoreV1ServiceSpec *spec);
bool service_may_have_node_ports(const CoreV1ServiceSpec *spec);
/* Gets node ports where it has none: a LoadBalancer may do without. */
bool service_wants_node_ports(const CoreV1ServiceSpec *spec);
bool service_needs_health_port(const CoreV1ServiceSpec *spec);
bool service_uses_node_port(const CoreV1ServiceSpec *spec, int32_t port);

#endif
