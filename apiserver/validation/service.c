#include "apiserver/validation/service.h"
#include "api/copy.h"
#include "api/intstr.h"
#include "api/meta.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
static const char *const types[] = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort", NULL};
static const char *const affinities[] = {"ClientIP", "None", NULL};
static const char *const families[] = {"IPv4", "IPv6", NULL};
static const char *const policies[] = {"PreferDualStack", "RequireDualStack", "SingleStack", NULL};
static const char *const traffic[] = {"Cluster", "Local", NULL};

static bool is_headless(const CoreV1ServiceSpec *spec)
{
	return spec->n_cluster_ips == 1 && str_eq(spec->cluster_ips[0], "None");
}

static char *text_list(struct arena *arena, char *const *list, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_addc(&out, '[');
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s%s", i ? "," : "", field_quote(arena, list[i]));
	strbuf_addc(&out, ']');
	return arena_strdup(arena, out.buf);
}

static void check_port(
	struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec, size_t i)
{
	const CoreV1ServicePort *port = spec->ports[i];
	if (spec->n_ports > 1 && str_empty(port->name)) {
		field_required(errors, FIELD(path, "name"), "");
	} else if (!str_empty(port->name)) {
		validate_text(errors, FIELD(path, "name"), port->name, check_dns_label(errors->arena, port->name));
		for (size_t k = 0; k < i; k++)
			if (str_eq(spec->ports[k]->name, port->name)) {
				field_duplicate(errors, FIELD(path, "name"), port->name);
				break;
			}
	}
	const char *problem = check_port_number(port->port);
	if (problem)
		field_invalid_int(errors, FIELD(path, "port"), port->port, problem);
	validate_one_of(errors, FIELD(path, "protocol"), port->protocol, protocols);
	const IntstrIntOrString *target = port->target_port;
	if (intstr_is_string(target)) {
		validate_text(errors, FIELD(path, "targetPort"), target->str_val,
			check_port_name(errors->arena, str_or_empty(target->str_val)));
	} else {
		problem = check_port_number(target ? target->int_val : 0);
		if (problem)
			field_invalid_int(errors, FIELD(path, "targetPort"), target ? target->int_val : 0, problem);
	}
	if (port->app_protocol)
		validate_text(errors, FIELD(path, "appProtocol"), port->app_protocol,
			check_qualified_name(errors->arena, port->app_protocol));
}

static void check_pairs(struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	for (size_t i = 0; i < spec->n_ports; i++)
		for (size_t k = 0; k < i; k++) {
			const CoreV1ServicePort *a = spec->ports[k], *b = spec->ports[i];
			if (!str_eq(a->protocol, b->protocol))
				continue;
			if (a->port == b->port) {
				field_duplicate_json(errors, FIELD_INDEX(path, i),
					arena_printf(errors->arena,
						"{\"protocol\":\"%s\",\"port\":%d,\"targetPort\":0}",
						str_or_empty(b->protocol), b->port),
					"");
				break;
			}
			if (b->node_port && a->node_port == b->node_port) {
				field_duplicate_int(errors, FIELD(FIELD_INDEX(path, i), "nodePort"), b->node_port);
				break;
			}
		}
}

static void check_ports(struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	bool cluster_ip = str_eq(spec->type, "ClusterIP");
	for (size_t i = 0; i < spec->n_ports; i++) {
		check_port(errors, FIELD_INDEX(path, i), spec, i);
		if (cluster_ip && spec->ports[i]->node_port)
			field_forbidden(errors, FIELD(FIELD_INDEX(path, i), "nodePort"),
				"may not be used when `type` is 'ClusterIP'");
	}
	check_pairs(errors, path, spec);
}

static void check_ips(struct field_errors *errors, const struct field_path *spec_path, const CoreV1ServiceSpec *spec)
{
	const struct field_path *path = FIELD(spec_path, "clusterIPs");
	char *list = text_list(errors->arena, spec->cluster_ips, spec->n_cluster_ips);
	if (!str_empty(spec->cluster_ip) && !spec->n_cluster_ips)
		field_required(errors, path, "");
	else if (!str_empty(spec->cluster_ip) && !str_eq(spec->cluster_ips[0], spec->cluster_ip))
		field_invalid_json(errors, path, list, "first value must match `clusterIP`");
	else if (str_empty(spec->cluster_ip) && spec->n_cluster_ips)
		field_invalid_json(errors, path, list, "must be empty when `clusterIP` is not specified");
	for (size_t i = 0; i < spec->n_ip_families; i++) {
		if (!str_in(spec->ip_families[i], families))
			field_unsupported(
				errors, FIELD_INDEX(FIELD(spec_path, "ipFamilies"), i), spec->ip_families[i], families);
		if (str_in_n(spec->ip_families[i], spec->ip_families, i))
			field_duplicate(errors, FIELD_INDEX(FIELD(spec_path, "ipFamilies"), i), spec->ip_families[i]);
	}
	if (spec->ip_family_policy && !str_in(spec->ip_family_policy, policies))
		field_unsupported(errors, FIELD(spec_path, "ipFamilyPolicy"), spec->ip_family_policy, policies);
	for (size_t i = 0; i < spec->n_cluster_ips; i++) {
		if (!i && str_eq(spec->cluster_ips[0], "None")) {
			if (spec->n_cluster_ips > 1)
				field_invalid_json(errors, path, list, "'None' must be the first and only value");
			continue;
		}
		const char *ip = spec->cluster_ips[i];
		const char *problem = check_ip(errors->arena, ip);
		validate_text(errors, FIELD_INDEX(path, i), ip, problem);
		if (problem || i >= spec->n_ip_families)
			continue;
		bool v6 = strchr(ip, ':');
		if (v6 != str_eq(spec->ip_families[i], "IPv6"))
			field_invalid(errors, FIELD_INDEX(path, i), ip,
				arena_printf(errors->arena, "expected an %s value as indicated by `ipFamilies[%zu]`",
					spec->ip_families[i], i));
	}
	if (spec->n_cluster_ips > 2)
		field_invalid_json(errors, path, list, "may only hold up to 2 values");
}

static void check_external_name(
	struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	if (spec->n_cluster_ips)
		field_forbidden(errors, FIELD(path, "clusterIPs"), "may not be set when `type` is 'ExternalName'");
	if (spec->n_ip_families)
		field_forbidden(errors, FIELD(path, "ipFamilies"), "may not be set when `type` is 'ExternalName'");
	if (spec->ip_family_policy)
		field_forbidden(errors, FIELD(path, "ipFamilyPolicy"), "may not be set when `type` is 'ExternalName'");
	const char *name = str_or_empty(spec->external_name);
	size_t len = strlen(name);
	if (!len) {
		field_required(errors, FIELD(path, "externalName"), "");
		return;
	}
	char *trimmed = arena_strndup(errors->arena, name, len - (name[len - 1] == '.'));
	validate_text(
		errors, FIELD(path, "externalName"), spec->external_name, check_dns_subdomain(errors->arena, trimmed));
}

static void check_affinity(struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	validate_one_of(errors, FIELD(path, "sessionAffinity"), spec->session_affinity, affinities);
	const CoreV1SessionAffinityConfig *config = spec->session_affinity_config;
	const CoreV1ClientIPConfig *client = config ? config->client_ip : NULL;
	if (str_eq(spec->session_affinity, "ClientIP")) {
		const struct field_path *at =
			FIELD(FIELD(FIELD(path, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds");
		if (client && client->has_timeout_seconds &&
			(client->timeout_seconds <= 0 || client->timeout_seconds > 86400))
			field_invalid_int(
				errors, at, client->timeout_seconds, "must be greater than 0 and less than 86400");
	} else if (str_eq(spec->session_affinity, "None") && config) {
		field_forbidden(
			errors, FIELD(path, "sessionAffinityConfig"), "must not be set when session affinity is None");
	}
}

static void check_external_traffic(
	struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	bool external = str_eq(spec->type, "NodePort") || str_eq(spec->type, "LoadBalancer") ||
			(str_eq(spec->type, "ClusterIP") && spec->n_external_ips);
	const struct field_path *at = FIELD(path, "externalTrafficPolicy");
	if (!external) {
		if (!str_empty(spec->external_traffic_policy))
			field_invalid(errors, at, spec->external_traffic_policy,
				"may only be set for externally-accessible services");
	} else {
		validate_one_of(errors, at, spec->external_traffic_policy, traffic);
	}
	if (spec->internal_traffic_policy && !str_in(spec->internal_traffic_policy, traffic))
		field_unsupported(errors, FIELD(path, "internalTrafficPolicy"), spec->internal_traffic_policy, traffic);
	bool health = str_eq(spec->type, "LoadBalancer") && str_eq(spec->external_traffic_policy, "Local");
	if (!health && spec->health_check_node_port)
		field_invalid_int(errors, FIELD(path, "healthCheckNodePort"), spec->health_check_node_port,
			"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
}

void validate_service(struct field_errors *errors, const CoreV1Service *service)
{
	const CoreV1ServiceSpec *spec = service->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	bool external_name = str_eq(spec->type, "ExternalName");
	if (!spec->n_ports && !is_headless(spec) && !external_name)
		field_required(errors, FIELD(path, "ports"), "");
	if (external_name)
		check_external_name(errors, path, spec);
	check_ports(errors, FIELD(path, "ports"), spec);
	validate_labels(errors, FIELD(path, "selector"), spec->selector, spec->n_selector);
	check_affinity(errors, path, spec);
	if (!external_name)
		check_ips(errors, path, spec);
	for (size_t i = 0; i < spec->n_external_ips; i++)
		validate_text(errors, FIELD_INDEX(FIELD(path, "externalIPs"), i), spec->external_ips[i],
			check_ip(errors->arena, spec->external_ips[i]));
	validate_one_of(errors, FIELD(path, "type"), spec->type, types);
	if (str_eq(spec->type, "LoadBalancer") && is_headless(spec))
		field_invalid_json(errors, FIELD(path, "clusterIPs"),
			text_list(errors->arena, spec->cluster_ips, spec->n_cluster_ips),
			"may not be set to 'None' for LoadBalancer services");
	if (str_eq(spec->type, "NodePort") && is_headless(spec))
		field_invalid_json(errors, FIELD(path, "clusterIPs"),
			text_list(errors->arena, spec->cluster_ips, spec->n_cluster_ips),
			"may not be set to 'None' for NodePort services");
	check_external_traffic(errors, path, spec);
	if (spec->load_balancer_class && !str_eq(spec->type, "LoadBalancer"))
		field_forbidden(
			errors, FIELD(path, "loadBalancerClass"), "may only be used when `type` is 'LoadBalancer'");
	if (spec->has_allocate_load_balancer_node_ports && !str_eq(spec->type, "LoadBalancer"))
		field_forbidden(errors, FIELD(path, "allocateLoadBalancerNodePorts"),
			"may only be used when `type` is 'LoadBalancer'");
}

void validate_service_update(struct field_errors *errors, const CoreV1Service *service, const CoreV1Service *old)
{
	const CoreV1ServiceSpec *spec = service->spec, *before = old->spec;
	if (!spec || !before)
		return;
	bool needed = !str_eq(before->type, "ExternalName"), needs = !str_eq(spec->type, "ExternalName");
	if (needed && needs && before->n_cluster_ips && spec->n_cluster_ips &&
		!str_eq(before->cluster_ips[0], spec->cluster_ips[0]))
		field_invalid_json(errors, FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "clusterIPs"), 0),
			text_list(errors->arena, spec->cluster_ips, spec->n_cluster_ips), "may not change once set");
	if (needed && needs && before->n_ip_families && spec->n_ip_families &&
		!str_eq(before->ip_families[0], spec->ip_families[0]))
		field_invalid_json(errors, FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "ipFamilies"), 0),
			text_list(errors->arena, spec->ip_families, spec->n_ip_families), "may not change once set");
	validate_service(errors, service);
}

static void check_address(struct field_errors *errors, const struct field_path *path, const CoreV1EndpointAddress *a)
{
	if (!str_empty(a->hostname))
		validate_text(
			errors, FIELD(path, "hostname"), a->hostname, check_dns_label(errors->arena, a->hostname));
	if (a->node_name)
		validate_text(errors, FIELD(path, "nodeName"), a->node_name,
			check_dns_subdomain(errors->arena, a->node_name));
	const char *ip = str_or_empty(a->ip), *problem = check_ip(errors->arena, ip);
	validate_text(errors, FIELD(path, "ip"), ip, problem);
	if (problem) {
		field_invalid(errors, FIELD(path, "ip"), ip, "must be a valid IP address");
		return;
	}
	validate_text(errors, FIELD(path, "ip"), ip, check_endpoint_ip(errors->arena, ip));
}

static void check_subset(struct field_errors *errors, const struct field_path *path, const CoreV1EndpointSubset *s)
{
	if (!s->n_addresses && !s->n_not_ready_addresses)
		field_required(errors, path, "must specify `addresses` or `notReadyAddresses`");
	for (size_t i = 0; i < s->n_addresses; i++)
		check_address(errors, FIELD_INDEX(FIELD(path, "addresses"), i), s->addresses[i]);
	for (size_t i = 0; i < s->n_not_ready_addresses; i++)
		check_address(errors, FIELD_INDEX(FIELD(path, "notReadyAddresses"), i), s->not_ready_addresses[i]);
	for (size_t i = 0; i < s->n_ports; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "ports"), i);
		if (s->n_ports > 1 && str_empty(s->ports[i]->name))
			field_required(errors, FIELD(at, "name"), "");
		else if (!str_empty(s->ports[i]->name))
			validate_text(errors, FIELD(at, "name"), s->ports[i]->name,
				check_dns_label(errors->arena, s->ports[i]->name));
		const char *problem = check_port_number(s->ports[i]->port);
		if (problem)
			field_invalid_int(errors, FIELD(at, "port"), s->ports[i]->port, problem);
		validate_one_of(errors, FIELD(at, "protocol"), s->ports[i]->protocol, protocols);
	}
}

void validate_endpoints(struct field_errors *errors, const CoreV1Endpoints *endpoints)
{
	for (size_t i = 0; i < endpoints->n_subsets; i++)
		check_subset(errors, FIELD_INDEX(FIELD(NULL, "subsets"), i), endpoints->subsets[i]);
}
