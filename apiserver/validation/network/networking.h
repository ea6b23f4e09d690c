/*
 * Checks of networking.k8s.io, discovery.k8s.io and coordination.k8s.io. An update's check asks all that the original
 * asks of an update, the metadata excepted.
 */
#ifndef APISERVER_VALIDATION_NETWORKING_H
#define APISERVER_VALIDATION_NETWORKING_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_ingress(struct field_errors *errors, const NetworkingV1Ingress *ingress);
void validate_ingress_update(
	struct field_errors *errors, const NetworkingV1Ingress *ingress, const NetworkingV1Ingress *old);
void validate_ingress_status(
	struct field_errors *errors, const NetworkingV1Ingress *ingress, const NetworkingV1Ingress *old);
void validate_ingress_class(struct field_errors *errors, const NetworkingV1IngressClass *class);
void validate_ingress_class_update(
	struct field_errors *errors, const NetworkingV1IngressClass *class, const NetworkingV1IngressClass *old);
void validate_network_policy(struct field_errors *errors, const NetworkingV1NetworkPolicy *policy);
void validate_network_policy_update(
	struct field_errors *errors, const NetworkingV1NetworkPolicy *policy, const NetworkingV1NetworkPolicy *old);
void validate_ip_address(struct field_errors *errors, const NetworkingV1IPAddress *address);
void validate_ip_address_update(
	struct field_errors *errors, const NetworkingV1IPAddress *address, const NetworkingV1IPAddress *old);
void validate_service_cidr(struct field_errors *errors, const NetworkingV1ServiceCIDR *range);
void validate_service_cidr_update(
	struct field_errors *errors, const NetworkingV1ServiceCIDR *range, const NetworkingV1ServiceCIDR *old);

void validate_endpoint_slice(struct field_errors *errors, const DiscoveryV1EndpointSlice *slice);
void validate_endpoint_slice_update(
	struct field_errors *errors, const DiscoveryV1EndpointSlice *slice, const DiscoveryV1EndpointSlice *old);

void validate_lease(struct field_errors *errors, const CoordinationV1Lease *lease);

/* example.com/path: a domain, a slash and something. All problems are told. */
void validate_domain_prefixed_path(struct field_errors *errors, const struct field_path *path, const char *name);

#endif
