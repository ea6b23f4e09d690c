/*
 * Packing endpoints into EndpointSlices with as few writes as possible: pure.
 *
 *	struct slice_plan plan = {.arena = arena, .service = service, .max_endpoints = 100, .address_type = "IPv4"};
 *	slice_plan_add(&plan, pod, node);               // for each pod
 *	slice_plan_pack(&plan, existing, n_existing);
 *	… plan.create, plan.update, plan.remove
 */
#ifndef CONTROLLER_MANAGER_SLICES_H
#define CONTROLLER_MANAGER_SLICES_H

#include "controller-manager/support/object.h"

#define SERVICE_NAME_LABEL "kubernetes.io/service-name"
#define MANAGED_BY_LABEL "endpointslice.kubernetes.io/managed-by"
#define HEADLESS_LABEL "service.kubernetes.io/headless"
#define SLICE_MANAGER "endpointslice-controller.k8s.io"

/* Endpoints that share their ports. */
struct port_group {
	char *key;
	DiscoveryV1EndpointPort **ports;
	size_t n_ports;
	DiscoveryV1Endpoint **endpoints; /* NULL where it has found its place */
	size_t n_endpoints;
	size_t n_left;
};

struct slice_list {
	DiscoveryV1EndpointSlice **items;
	size_t n_items;
};

struct slice_plan {
	struct arena *arena;
	const CoreV1Service *service;
	size_t max_endpoints;
	const char *address_type; /* IPv4 or IPv6 */
	struct port_group **groups;
	size_t n_groups;
	/* results */
	struct slice_list create, update, remove;
};

/* node may be NULL. */
void slice_plan_add(struct slice_plan *plan, const CoreV1Pod *pod, const CoreV1Node *node);
/* existing: those of the address type, complete and not being deleted. */
void slice_plan_pack(struct slice_plan *plan, const DiscoveryV1EndpointSlice *const *existing, size_t n_existing);
bool slice_owned_by(const DiscoveryV1EndpointSlice *slice, const CoreV1Service *service);

#endif
