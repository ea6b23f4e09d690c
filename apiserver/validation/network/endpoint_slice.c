#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/network/networking.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

enum { MAX_ENDPOINTS = 1000, MAX_PORTS = 20000, MAX_ADDRESSES = 100, MAX_TOPOLOGY = 16, MAX_HINTS = 8 };

static void check_domain(struct field_errors *errors, const struct field_path *path, const char *name)
{
	size_t len = strlen(name);
	if (!len) {
		field_required(errors, path, "");
		return;
	}
	char *bare = arena_strndup(errors->arena, name, name[len - 1] == '.' ? len - 1 : len);
	const char *problem = check_dns_subdomain(errors->arena, bare);
	if (problem)
		field_invalid(errors, path, bare, problem);
	else if (!strchr(bare, '.'))
		field_invalid(errors, path, bare, "should be a domain with at least two segments separated by dots");
}

static void check_address(
	struct field_errors *errors, const struct field_path *addresses, size_t index, const char *text, bool v6)
{
	const struct field_path *at = FIELD_INDEX(addresses, index);
	const char *problem = v6 ? check_ip_strict(errors->arena, text) : check_ip(errors->arena, text);
	struct ip ip;
	if (problem) {
		validate_text(errors, at, text, problem);
		return;
	}
	if (ip_read(text, &ip) && ip_is_v4(&ip) == v6)
		field_invalid(errors, addresses, text, v6 ? "must be an IPv6 address" : "must be an IPv4 address");
	validate_text(errors, at, text, check_endpoint_ip(errors->arena, text));
}

static void check_addresses(
	struct field_errors *errors, const struct field_path *path, const DiscoveryV1Endpoint *e, const char *type)
{
	if (!e->n_addresses)
		field_required(errors, path, "must contain at least 1 address");
	else if (e->n_addresses > MAX_ADDRESSES)
		field_too_many(errors, path, e->n_addresses, MAX_ADDRESSES);
	for (size_t i = 0; i < e->n_addresses; i++) {
		if (str_eq(type, "FQDN"))
			check_domain(errors, FIELD_INDEX(path, i), str_or_empty(e->addresses[i]));
		else if (str_eq(type, "IPv4") || str_eq(type, "IPv6"))
			check_address(errors, path, i, str_or_empty(e->addresses[i]), str_eq(type, "IPv6"));
	}
}

static void check_hints(struct field_errors *errors, const struct field_path *path, const DiscoveryV1EndpointHints *h)
{
	const struct field_path *zones = FIELD(path, "forZones"), *nodes = FIELD(path, "forNodes");
	if (h->n_for_zones > MAX_HINTS) {
		field_too_many(errors, zones, h->n_for_zones, MAX_HINTS);
		return;
	}
	struct nameset seen_zones = {.arena = errors->arena};
	for (size_t i = 0; i < h->n_for_zones; i++) {
		const char *name = str_or_empty(h->for_zones[i]->name);
		if (!nameset_add(&seen_zones, name))
			field_duplicate(errors, FIELD(FIELD_INDEX(zones, i), "name"), name);
		validate_text(
			errors, FIELD(FIELD_INDEX(zones, i), "name"), name, check_label_value(errors->arena, name));
	}
	if (h->n_for_nodes > MAX_HINTS) {
		field_too_many(errors, nodes, h->n_for_nodes, MAX_HINTS);
		return;
	}
	struct nameset seen_nodes = {.arena = errors->arena};
	for (size_t i = 0; i < h->n_for_nodes; i++) {
		const char *name = str_or_empty(h->for_nodes[i]->name);
		if (!nameset_add(&seen_nodes, name))
			field_duplicate(errors, FIELD(FIELD_INDEX(nodes, i), "name"), name);
		validate_text(
			errors, FIELD(FIELD_INDEX(nodes, i), "name"), name, check_dns_subdomain(errors->arena, name));
	}
}

static void check_endpoint(
	struct field_errors *errors, const struct field_path *path, const DiscoveryV1Endpoint *e, const char *type)
{
	const struct field_path *topology = FIELD(path, "deprecatedTopology");
	check_addresses(errors, FIELD(path, "addresses"), e, type);
	if (e->node_name)
		validate_text(errors, FIELD(path, "nodeName"), e->node_name,
			check_dns_subdomain(errors->arena, e->node_name));
	if (e->n_deprecated_topology > MAX_TOPOLOGY)
		field_too_many(errors, topology, e->n_deprecated_topology, MAX_TOPOLOGY);
	validate_labels(errors, topology, e->deprecated_topology, e->n_deprecated_topology);
	if (e->hostname)
		validate_text(
			errors, FIELD(path, "hostname"), e->hostname, check_dns_label(errors->arena, e->hostname));
	if (e->hints)
		check_hints(errors, FIELD(path, "hints"), e->hints);
}

static void check_endpoints(struct field_errors *errors, const DiscoveryV1EndpointSlice *slice)
{
	const struct field_path *path = FIELD(NULL, "endpoints");
	if (slice->n_endpoints > MAX_ENDPOINTS) {
		field_too_many(errors, path, slice->n_endpoints, MAX_ENDPOINTS);
		return;
	}
	for (size_t i = 0; i < slice->n_endpoints; i++)
		check_endpoint(errors, FIELD_INDEX(path, i), slice->endpoints[i], slice->address_type);
}

static void check_ports(struct field_errors *errors, const DiscoveryV1EndpointSlice *slice)
{
	static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
	const struct field_path *path = FIELD(NULL, "ports");
	if (slice->n_ports > MAX_PORTS) {
		field_too_many(errors, path, slice->n_ports, MAX_PORTS);
		return;
	}
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < slice->n_ports; i++) {
		const DiscoveryV1EndpointPort *p = slice->ports[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		if (!str_empty(p->name))
			validate_text(errors, FIELD(at, "name"), p->name, check_dns_label(errors->arena, p->name));
		if (!nameset_add(&seen, p->name))
			field_duplicate(errors, FIELD(at, "name"), str_or_empty(p->name));
		if (!p->protocol)
			field_required(errors, FIELD(at, "protocol"), "");
		else if (!str_in(p->protocol, protocols))
			field_unsupported(errors, FIELD(at, "protocol"), p->protocol, protocols);
		if (p->app_protocol)
			validate_text(errors, FIELD(at, "appProtocol"), p->app_protocol,
				check_qualified_name(errors->arena, p->app_protocol));
	}
}

static void check_head(struct field_errors *errors, const DiscoveryV1EndpointSlice *slice)
{
	static const char *const types[] = {"FQDN", "IPv4", "IPv6", NULL};
	if (str_empty(slice->address_type))
		field_required(errors, FIELD(NULL, "addressType"), "");
	else if (!str_in(slice->address_type, types))
		field_unsupported(errors, FIELD(NULL, "addressType"), slice->address_type, types);
	check_ports(errors, slice);
}

void validate_endpoint_slice(struct field_errors *errors, const DiscoveryV1EndpointSlice *slice)
{
	check_head(errors, slice);
	check_endpoints(errors, slice);
}

static bool same_endpoints(const DiscoveryV1EndpointSlice *a, const DiscoveryV1EndpointSlice *b)
{
	bool same = a->n_endpoints == b->n_endpoints;
	for (size_t i = 0; same && i < a->n_endpoints; i++)
		same = api_equal(a->endpoints[i], b->endpoints[i]);
	return same;
}

/* Endpoints that stay as they are are not judged again. */
void validate_endpoint_slice_update(
	struct field_errors *errors, const DiscoveryV1EndpointSlice *slice, const DiscoveryV1EndpointSlice *old)
{
	check_head(errors, slice);
	if (!same_endpoints(slice, old))
		check_endpoints(errors, slice);
	if (!str_eq(slice->address_type, old->address_type))
		field_invalid_typed(errors, FIELD(NULL, "addressType"), slice->address_type, "field is immutable");
}

void validate_lease(struct field_errors *errors, const CoordinationV1Lease *lease)
{
	static const char *const strategies[] = {"OldestEmulationVersion", NULL};
	const CoordinationV1LeaseSpec *spec = lease->spec;
	const struct field_path *path = FIELD(NULL, "spec"), *strategy = FIELD(FIELD(path, "strategy"), "strategy");
	if (spec->has_lease_duration_seconds && spec->lease_duration_seconds <= 0)
		field_invalid_int(errors, FIELD(path, "leaseDurationSeconds"), spec->lease_duration_seconds,
			"must be greater than 0");
	if (spec->has_lease_transitions && spec->lease_transitions < 0)
		field_invalid_int(errors, FIELD(path, "leaseTransitions"), spec->lease_transitions,
			"must be greater than or equal to 0");
	if (spec->strategy && strchr(spec->strategy, '/'))
		validate_text(errors, strategy, spec->strategy, check_qualified_name(errors->arena, spec->strategy));
	else if (spec->strategy && !str_in(spec->strategy, strategies))
		field_unsupported(errors, strategy, spec->strategy, strategies);
	if (!str_empty(spec->preferred_holder) && str_empty(spec->strategy))
		field_forbidden(
			errors, FIELD(path, "preferredHolder"), "may only be specified if `strategy` is defined");
}
