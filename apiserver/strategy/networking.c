#include "apiserver/validation/network/networking.h"
#include "api/copy.h"
#include "api/meta.h"
#include "api/names.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/ip.h"
#include "base/str.h"

#define GROUP "networking.k8s.io"
#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

CHECKED_STATUS(ingress, NetworkingV1Ingress, validate_ingress, validate_ingress_update, validate_ingress_status)
CHECKED(ingress_class, NetworkingV1IngressClass, validate_ingress_class, validate_ingress_class_update)
CHECKED(network_policy, NetworkingV1NetworkPolicy, validate_network_policy, validate_network_policy_update)
CHECKED(ip_address, NetworkingV1IPAddress, validate_ip_address, validate_ip_address_update)
CHECKED(service_cidr, NetworkingV1ServiceCIDR, validate_service_cidr, validate_service_cidr_update)

static void say(void *data, const char *text)
{
	request_warn(data, "%s", text);
}

static void warn_ingress(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const NetworkingV1Ingress *ingress = (const NetworkingV1Ingress *)object;
	const NetworkingV1IngressLoadBalancerStatus *points = ingress->status ? ingress->status->load_balancer : NULL;
	if (!old && meta_annotation(ingress->metadata, CLASS_ANNOTATION) && !ingress->spec->ingress_class_name)
		request_warn(request, "annotation \"%s\" is deprecated, please use 'spec.ingressClassName' instead",
			CLASS_ANNOTATION);
	for (size_t i = 0; generic_is_status(request) && points && i < points->n_ingress; i++)
		ip_warn(request->arena, FIELD_INDEX(FIELD(FIELD(FIELD(NULL, "status"), "loadBalancer"), "ingress"), i),
			points->ingress[i]->ip, say, request);
}

static void warn_block(struct request *request, const struct field_path *peer, const NetworkingV1IPBlock *block)
{
	const struct field_path *path = FIELD(peer, "ipBlock");
	if (!block)
		return;
	cidr_warn(request->arena, FIELD(path, "cidr"), block->cidr, say, request);
	for (size_t i = 0; i < block->n_except; i++)
		cidr_warn(request->arena, FIELD_INDEX(FIELD(path, "except"), i), block->except[i], say, request);
}

static void warn_network_policy(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const NetworkingV1NetworkPolicySpec *spec = ((const NetworkingV1NetworkPolicy *)object)->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	for (size_t i = 0; i < spec->n_ingress; i++) {
		const struct field_path *at = FIELD(FIELD_INDEX(FIELD(path, "ingress"), i), "from");
		for (size_t k = 0; k < spec->ingress[i]->n_from; k++)
			warn_block(request, FIELD_INDEX(at, k), spec->ingress[i]->from[k]->ip_block);
	}
	for (size_t i = 0; i < spec->n_egress; i++) {
		const struct field_path *at = FIELD(FIELD_INDEX(FIELD(path, "egress"), i), "to");
		for (size_t k = 0; k < spec->egress[i]->n_to; k++)
			warn_block(request, FIELD_INDEX(at, k), spec->egress[i]->to[k]->ip_block);
	}
}

static void prepare_update_service_cidr(
	struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	if (generic_is_status(request))
		generic_keep_meta(object, before);
}

const struct strategy ingress_strategy = {.group = GROUP,
	.resource = "ingresses",
	.update_checks = {CHECK_META_CHANGE, CHECK_META, CHECK_CHANGE},
	SPEC_AND_STATUS,
	CHECKS(ingress),
	.warn = warn_ingress};
const struct strategy ingress_class_strategy = {.group = GROUP,
	.resource = "ingressclasses",
	.update_checks = {CHECK_META_CHANGE, CHECK_CHANGE, CHECK_META, CHECK_NEW},
	GENERATION_ONLY,
	CHECKS(ingress_class)};
const struct strategy network_policy_strategy = {.group = GROUP,
	.resource = "networkpolicies",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE},
	GENERATION_ONLY,
	CHECKS(network_policy),
	.warn = warn_network_policy};
const struct strategy ip_address_strategy = {.group = GROUP,
	.resource = "ipaddresses",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE},
	.check_name = name_is_ip,
	.names_as_told = true,
	CHECKS(ip_address)};
const struct strategy service_cidr_strategy = {.group = GROUP,
	.resource = "servicecidrs",
	.writes_status = true,
	.prepare_update = prepare_update_service_cidr,
	CHECKS(service_cidr)};

/* Slices */

static void warn_slice(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	static const char *const controllers[] = {
		"endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io", NULL};
	const DiscoveryV1EndpointSlice *slice = (const DiscoveryV1EndpointSlice *)object;
	const char *manager = meta_label(slice->metadata, "endpointslice.kubernetes.io/managed-by");
	if (!old && str_eq(slice->address_type, "FQDN"))
		request_warn(request, "spec.addressType: FQDN endpoints are deprecated");
	for (size_t i = 0; i < slice->n_endpoints && !str_in(manager, controllers); i++) {
		const struct field_path *at = FIELD(FIELD_INDEX(FIELD(NULL, "endpoints"), i), "addresses");
		for (size_t k = 0; k < slice->endpoints[i]->n_addresses; k++)
			ip_warn(request->arena, FIELD_INDEX(at, k), slice->endpoints[i]->addresses[k], say, request);
	}
}

#define HOSTNAME "kubernetes.io/hostname"

static bool knew_node(const DiscoveryV1EndpointSlice *slice, const char *name)
{
	for (size_t i = 0; i < slice->n_endpoints; i++) {
		const DiscoveryV1Endpoint *e = slice->endpoints[i];
		if (str_eq(MAP_GET(e, deprecated_topology, HOSTNAME), name))
			return true;
	}
	return false;
}

static bool same_endpoints(const DiscoveryV1EndpointSlice *a, const DiscoveryV1EndpointSlice *b)
{
	bool same = a->n_endpoints == b->n_endpoints;
	for (size_t i = 0; same && i < a->n_endpoints; i++)
		same = api_equal(a->endpoints[i], b->endpoints[i]);
	return same;
}

/* The topology is a field of the former API: it stays while the endpoints do, then nothing is left but the node's name.
 * old: NULL for a new slice. */
static void drop_topology(struct request *request, DiscoveryV1EndpointSlice *slice, const DiscoveryV1EndpointSlice *old)
{
	if (old && same_endpoints(slice, old))
		return;
	for (size_t i = 0; i < slice->n_endpoints; i++) {
		DiscoveryV1Endpoint *e = slice->endpoints[i];
		const char *node = MAP_GET(e, deprecated_topology, HOSTNAME);
		if (old && !e->node_name && !str_empty(node) && knew_node(old, node) &&
			!check_dns_subdomain(request->arena, node))
			e->node_name = arena_strdup(request->arena, node);
		e->n_deprecated_topology = 0;
	}
}

static void prepare_create_slice(struct request *request, ProtobufCMessage *object)
{
	generic_first_generation(request, object);
	drop_topology(request, (DiscoveryV1EndpointSlice *)object, NULL);
}

static void prepare_update_slice(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	const MetaV1ObjectMeta *was = object_meta(before);
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, object);
	generic_next_generation(request, object, before);
	if (!map_equal(meta->labels, meta->n_labels, was->labels, was->n_labels))
		meta->generation = was->generation + 1;
	drop_topology(request, (DiscoveryV1EndpointSlice *)object, (const DiscoveryV1EndpointSlice *)before);
}

CHECKED(slice, DiscoveryV1EndpointSlice, validate_endpoint_slice, validate_endpoint_slice_update)

const struct strategy endpoint_slice_strategy = {.group = "discovery.k8s.io",
	.resource = "endpointslices",
	.update_checks = {CHECK_META, CHECK_CHANGE},
	.prepare_create = prepare_create_slice,
	.prepare_update = prepare_update_slice,
	CHECKS(slice),
	.warn = warn_slice};

/* Leases */

/* Elections that the control plane itself decides are not served by default. */
static void prepare_create_lease(struct request *request, ProtobufCMessage *object)
{
	CoordinationV1LeaseSpec *spec = ((CoordinationV1Lease *)object)->spec;
	spec->strategy = NULL;
	spec->preferred_holder = NULL;
}

static void prepare_update_lease(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	CoordinationV1LeaseSpec *spec = ((CoordinationV1Lease *)object)->spec;
	const CoordinationV1LeaseSpec *was = ((const CoordinationV1Lease *)before)->spec;
	if (!was || !was->strategy)
		spec->strategy = NULL;
	if (!was || !was->preferred_holder)
		spec->preferred_holder = NULL;
}

static void check_lease(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_lease(errors, (const CoordinationV1Lease *)object);
}

static void check_lease_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	check_lease(request, object, errors);
}

const struct strategy lease_strategy = {
	.group = "coordination.k8s.io",
	.resource = "leases",
	.prepare_create = prepare_create_lease,
	.validate_create = check_lease,
	.prepare_update = prepare_update_lease,
	.validate_update = check_lease_update,
	.allow_create_on_update = true,
};
