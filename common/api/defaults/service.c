#include "api/defaults/table.h"

enum { INT = 0, STRING = 1 }; /* intstr.IntOrString.type */

static void set_session_affinity(struct arena *arena, CoreV1ServiceSpec *spec)
{
	DEFAULT_STRING(spec, session_affinity, "None");
	if (str_eq(spec->session_affinity, "None"))
		spec->session_affinity_config = NULL;
	if (!str_eq(spec->session_affinity, "ClientIP"))
		return;
	CoreV1SessionAffinityConfig *config = spec->session_affinity_config;
	if (config && config->client_ip && config->client_ip->has_timeout_seconds)
		return;
	spec->session_affinity_config = API_NEW(arena, CoreV1SessionAffinityConfig);
	spec->session_affinity_config->client_ip = API_NEW(arena, CoreV1ClientIPConfig);
	DEFAULT_SCALAR(spec->session_affinity_config->client_ip, timeout_seconds, 10800);
}

static void set_port(struct arena *arena, CoreV1ServicePort *port)
{
	DEFAULT_STRING(port, protocol, "TCP");
	IntstrIntOrString *target = port->target_port;
	if (!target || (target->type == INT && !target->int_val) ||
		(target->type == STRING && str_empty(target->str_val))) {
		target = port->target_port = API_NEW(arena, IntstrIntOrString);
		target->int_val = port->port;
	}
}

static void set_ip_modes(CoreV1LoadBalancerStatus *status)
{
	for (size_t i = 0; i < status->n_ingress; i++)
		if (!str_empty(status->ingress[i]->ip))
			DEFAULT_OPTIONAL_STRING(status->ingress[i], ip_mode, "VIP");
}

static void set_service(struct arena *arena, void *msg)
{
	CoreV1Service *service = msg;
	DEFAULT_MESSAGE(arena, service, spec, CoreV1ServiceSpec);
	CoreV1ServiceSpec *spec = service->spec;
	set_session_affinity(arena, spec);
	DEFAULT_STRING(spec, type, "ClusterIP");
	for (size_t i = 0; i < spec->n_ports; i++)
		set_port(arena, spec->ports[i]);
	bool cluster_ip = str_eq(spec->type, "ClusterIP");
	bool load_balancer = str_eq(spec->type, "LoadBalancer");
	bool node_port = str_eq(spec->type, "NodePort");
	if (load_balancer || node_port || (cluster_ip && spec->n_external_ips))
		DEFAULT_STRING(spec, external_traffic_policy, "Cluster");
	if (cluster_ip || load_balancer || node_port)
		DEFAULT_OPTIONAL_STRING(spec, internal_traffic_policy, "Cluster");
	if (load_balancer) {
		DEFAULT_SCALAR(spec, allocate_load_balancer_node_ports, true);
		if (service->status && service->status->load_balancer)
			set_ip_modes(service->status->load_balancer);
	}
}

static void set_endpoint_port(struct arena *arena, void *msg)
{
	CoreV1EndpointPort *port = msg;
	DEFAULT_STRING(port, protocol, "TCP");
}

static void set_slice_port(struct arena *arena, void *msg)
{
	DiscoveryV1EndpointPort *port = msg;
	DEFAULT_OPTIONAL_STRING(port, name, "");
	DEFAULT_OPTIONAL_STRING(port, protocol, "TCP");
}

const struct defaulter defaults_service[] = {
	{&CoreV1Service_schema, set_service},
	{&CoreV1EndpointPort_schema, set_endpoint_port},
	{&DiscoveryV1EndpointPort_schema, set_slice_port},
	{NULL, NULL},
};
