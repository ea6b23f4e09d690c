#include "kube-proxy/model.h"
#include "base/str.h"

bool port_externally_accessible(const struct port_model *port)
{
	return port->node_port || port->n_load_balancer_ips || port->n_external_ips;
}

/* External traffic from this node itself takes the cluster's endpoints even under the local policy. */
bool port_uses_cluster_endpoints(const struct port_model *port)
{
	return !port->internal_local || port_externally_accessible(port);
}

bool port_uses_local_endpoints(const struct port_model *port)
{
	return port->internal_local || (port->external_local && port_externally_accessible(port));
}

/* --- out of the objects --- */

static bool is_ours(const CoreV1Service *service)
{
	const CoreV1ServiceSpec *spec = service->spec;
	if (!spec || !service->metadata || str_empty(spec->cluster_ip) || str_eq(spec->cluster_ip, "None") ||
		str_eq(spec->type, "ExternalName"))
		return false;
	for (size_t i = 0; i < service->metadata->n_labels; i++) {
		if (str_eq(service->metadata->labels[i]->key, "service.kubernetes.io/service-proxy-name"))
			return false;
	}
	return true;
}

static const char *cluster_ip(struct arena *arena, enum family family, const CoreV1ServiceSpec *spec)
{
	for (size_t i = 0; i < spec->n_cluster_ips; i++) {
		const char *ip = ip_canonical(arena, family, spec->cluster_ips[i]);
		if (ip)
			return ip;
	}
	return ip_canonical(arena, family, spec->cluster_ip);
}

static void keep_ips(
	struct arena *arena, enum family family, char *const *ips, size_t n, const char ***out, size_t *n_out)
{
	for (size_t i = 0; i < n; i++) {
		const char *ip = ip_canonical(arena, family, ips[i]);
		if (ip)
			ARENA_PUSH(arena, *out, *n_out) = ip;
	}
}

static void keep_load_balancer_ips(
	struct arena *arena, enum family family, const CoreV1Service *service, struct port_model *p)
{
	const CoreV1LoadBalancerStatus *status = service->status ? service->status->load_balancer : NULL;
	for (size_t i = 0; status && i < status->n_ingress; i++) {
		const CoreV1LoadBalancerIngress *ingress = status->ingress[i];
		const char *ip = str_eq(ingress->ip_mode, "Proxy") ? NULL : ip_canonical(arena, family, ingress->ip);
		if (ip)
			ARENA_PUSH(arena, p->load_balancer_ips, p->n_load_balancer_ips) = ip;
	}
}

static void keep_source_ranges(
	struct arena *arena, enum family family, const CoreV1Service *service, struct port_model *p)
{
	static const char annotation[] = "service.beta.kubernetes.io/load-balancer-source-ranges";
	char **ranges = service->spec->load_balancer_source_ranges;
	size_t n = service->spec->n_load_balancer_source_ranges;
	for (size_t i = 0; !n && i < service->metadata->n_annotations; i++) {
		if (str_eq(service->metadata->annotations[i]->key, annotation))
			n = str_split(arena, service->metadata->annotations[i]->value, ',', &ranges);
	}
	for (size_t i = 0; i < n; i++) {
		const char *range = cidr_canonical(arena, family, str_trim(arena, ranges[i]));
		if (range)
			ARENA_PUSH(arena, p->source_ranges, p->n_source_ranges) = range;
	}
}

static int32_t affinity_seconds(const CoreV1ServiceSpec *spec)
{
	const CoreV1ClientIPConfig *c = spec->session_affinity_config ? spec->session_affinity_config->client_ip : NULL;
	if (!str_eq(spec->session_affinity, "ClientIP"))
		return 0;
	return c && c->has_timeout_seconds && c->timeout_seconds > 0 ? c->timeout_seconds : 10800;
}

static struct port_model port_of(
	struct arena *arena, enum family family, const CoreV1Service *service, const CoreV1ServicePort *port)
{
	const CoreV1ServiceSpec *spec = service->spec;
	struct port_model p = {
		.namespace_ = str_or_empty(service->metadata->namespace),
		.name = str_or_empty(service->metadata->name),
		.port_name = str_or_empty(port->name),
		.protocol = str_lower(arena, str_or(port->protocol, "TCP")),
		.cluster_ip = cluster_ip(arena, family, spec),
		.port = port->port,
		.node_port = port->node_port,
		.internal_local = str_eq(spec->internal_traffic_policy, "Local"),
		.affinity_seconds = affinity_seconds(spec),
	};
	keep_ips(arena, family, spec->external_ips, spec->n_external_ips, &p.external_ips, &p.n_external_ips);
	keep_load_balancer_ips(arena, family, service, &p);
	keep_source_ranges(arena, family, service, &p);
	bool outside = str_eq(spec->type, "LoadBalancer") || str_eq(spec->type, "NodePort") || spec->n_external_ips;
	p.external_local = outside && str_eq(spec->external_traffic_policy, "Local");
	return p;
}

/* Two services may claim one name for a port only once; a protocol we cannot match is left out. */
static bool is_usable(const CoreV1ServicePort *port)
{
	static const char *const protocols[] = {"TCP", "UDP", "SCTP", NULL};
	return port->port > 0 && port->port < 65536 && str_in(str_or(port->protocol, "TCP"), protocols);
}

static struct endpoint endpoint_of(struct arena *arena, const DiscoveryV1Endpoint *e, const char *ip, int32_t port)
{
	const DiscoveryV1EndpointConditions *c = e->conditions;
	struct endpoint out = {.ip = ip, .port = port, .node = str_or_empty(e->node_name)};
	out.ready = !c || !c->has_ready || c->ready;
	out.serving = c && c->has_serving ? c->serving : out.ready;
	out.terminating = c && c->has_terminating && c->terminating;
	for (size_t i = 0; e->hints && i < e->hints->n_for_zones; i++)
		ARENA_PUSH(arena, out.zone_hints, out.n_zone_hints) = e->hints->for_zones[i]->name;
	for (size_t i = 0; e->hints && i < e->hints->n_for_nodes; i++)
		ARENA_PUSH(arena, out.node_hints, out.n_node_hints) = e->hints->for_nodes[i]->name;
	return out;
}

/* An endpoint may stand in two slices while it moves between them; the usable record wins. */
static void add_endpoint(struct arena *arena, struct port_model *p, struct endpoint e)
{
	for (size_t i = 0; i < p->n_endpoints; i++) {
		if (p->endpoints[i].port != e.port || strcmp(p->endpoints[i].ip, e.ip) != 0)
			continue;
		if (e.ready && !p->endpoints[i].ready)
			p->endpoints[i] = e;
		return;
	}
	ARENA_PUSH(arena, p->endpoints, p->n_endpoints) = e;
}

static void add_slice(
	struct arena *arena, enum family family, const DiscoveryV1EndpointSlice *slice, struct port_model *p)
{
	for (size_t i = 0; i < slice->n_ports; i++) {
		const DiscoveryV1EndpointPort *port = slice->ports[i];
		if (!str_eq(port->name, p->port_name) || !port->has_port || port->port <= 0 || port->port > 65535 ||
			!str_eq_nocase(str_or(port->protocol, "TCP"), p->protocol))
			continue;
		for (size_t j = 0; j < slice->n_endpoints; j++) {
			const DiscoveryV1Endpoint *e = slice->endpoints[j];
			const char *ip = e->n_addresses ? ip_canonical(arena, family, e->addresses[0]) : NULL;
			if (ip)
				add_endpoint(arena, p, endpoint_of(arena, e, ip, port->port));
		}
	}
}

static int compare_endpoints(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;
	int by_ip = strcmp(x->ip, y->ip);
	return by_ip ? by_ip : x->port - y->port;
}

struct service_model *service_model_make(struct arena *arena, enum family family, const CoreV1Service *service,
	const DiscoveryV1EndpointSlice *const *slices, size_t n_slices)
{
	if (!service || !is_ours(service) || !cluster_ip(arena, family, service->spec))
		return NULL;
	struct service_model *model = ARENA_NEW(arena, struct service_model);
	if (str_eq(service->spec->type, "LoadBalancer") && str_eq(service->spec->external_traffic_policy, "Local"))
		model->health_check_node_port = service->spec->health_check_node_port;
	for (size_t i = 0; i < service->spec->n_ports; i++) {
		if (!is_usable(service->spec->ports[i]))
			continue;
		struct port_model p = port_of(arena, family, service, service->spec->ports[i]);
		for (size_t j = 0; j < n_slices; j++) {
			if (str_eq(slices[j]->address_type, family == FAMILY_IPV4 ? "IPv4" : "IPv6"))
				add_slice(arena, family, slices[j], &p);
		}
		if (p.n_endpoints)
			qsort(p.endpoints, p.n_endpoints, sizeof *p.endpoints, compare_endpoints);
		ARENA_PUSH(arena, model->ports, model->n_ports) = p;
	}
	return model;
}

size_t service_local_ready(const struct service_model *service, const char *node)
{
	size_t n = 0;
	for (size_t i = 0; i < service->n_ports; i++) {
		for (size_t j = 0; j < service->ports[i].n_endpoints; j++) {
			const struct endpoint *e = &service->ports[i].endpoints[j];
			bool seen = !e->ready || !str_eq(e->node, node);
			for (size_t k = 0; k < i && !seen; k++) {
				for (size_t l = 0; l < service->ports[k].n_endpoints && !seen; l++)
					seen = service->ports[k].endpoints[l].ready &&
					       !strcmp(service->ports[k].endpoints[l].ip, e->ip);
			}
			n += !seen;
		}
	}
	return n;
}

/* --- which endpoints --- */

enum hints { HINTS_NONE, HINTS_NODE, HINTS_ZONE };

/* Hints count only if every ready endpoint has them and some are for us. */
static enum hints hints_of(const struct port_model *port, const struct topology *topology)
{
	bool node_all = true, node_ours = false, zone_all = true, zone_ours = false;
	for (size_t i = 0; i < port->n_endpoints; i++) {
		const struct endpoint *e = &port->endpoints[i];
		if (!e->ready)
			continue;
		node_all &= e->n_node_hints > 0;
		node_ours |= str_in_n(topology->node, e->node_hints, e->n_node_hints);
		zone_all &= e->n_zone_hints > 0;
		zone_ours |= str_in_n(topology->zone, e->zone_hints, e->n_zone_hints);
	}
	if (node_all && node_ours)
		return HINTS_NODE;
	return zone_all && zone_ours ? HINTS_ZONE : HINTS_NONE;
}

static bool suits(const struct endpoint *e, enum hints hints, const struct topology *topology)
{
	if (hints == HINTS_NODE)
		return str_in_n(topology->node, e->node_hints, e->n_node_hints);
	if (hints == HINTS_ZONE)
		return str_in_n(topology->zone, e->zone_hints, e->n_zone_hints);
	return true;
}

static void choose_cluster(struct arena *arena, const struct port_model *port, const struct topology *topology,
	enum hints hints, struct endpoint_choice *c)
{
	for (size_t i = 0; i < port->n_endpoints; i++) {
		const struct endpoint *e = &port->endpoints[i];
		if (e->ready && suits(e, hints, topology))
			ARENA_PUSH(arena, c->cluster, c->n_cluster) = e;
	}
	for (size_t i = 0, none = !c->n_cluster; none && i < port->n_endpoints; i++) {
		const struct endpoint *e = &port->endpoints[i];
		if (e->serving && e->terminating)
			ARENA_PUSH(arena, c->cluster, c->n_cluster) = e;
	}
	c->any |= c->n_cluster > 0;
}

static void choose_local(
	struct arena *arena, const struct port_model *port, const struct topology *topology, struct endpoint_choice *c)
{
	for (size_t i = 0; i < port->n_endpoints; i++) {
		const struct endpoint *e = &port->endpoints[i];
		c->any |= e->ready || (e->serving && e->terminating);
		if (e->ready && str_eq(e->node, topology->node))
			ARENA_PUSH(arena, c->local, c->n_local) = e;
	}
	for (size_t i = 0, none = !c->n_local; none && i < port->n_endpoints; i++) {
		const struct endpoint *e = &port->endpoints[i];
		if (!e->ready && e->serving && e->terminating && str_eq(e->node, topology->node))
			ARENA_PUSH(arena, c->local, c->n_local) = e;
	}
}

static bool contains(const struct endpoint **list, size_t n, const struct endpoint *e)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == e)
			return true;
	}
	return false;
}

struct endpoint_choice endpoints_choose(
	struct arena *arena, const struct port_model *port, const struct topology *topology)
{
	struct endpoint_choice c = {0};
	if (port_uses_cluster_endpoints(port))
		choose_cluster(arena, port, topology, hints_of(port, topology), &c);
	if (port_uses_local_endpoints(port))
		choose_local(arena, port, topology, &c);
	for (size_t i = 0; i < port->n_endpoints; i++) {
		const struct endpoint *e = &port->endpoints[i];
		if (contains(c.cluster, c.n_cluster, e) || contains(c.local, c.n_local, e))
			ARENA_PUSH(arena, c.reachable, c.n_reachable) = e;
	}
	return c;
}
