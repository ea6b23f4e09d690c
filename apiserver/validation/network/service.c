#include "apiserver/validation/network/service.h"
#include "api/copy.h"
#include "api/intstr.h"
#include "api/meta.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
static const char *const types[] = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort", NULL};
static const char *const affinities[] = {"ClientIP", "None", NULL};
static const char *const families[] = {"IPv4", "IPv6", NULL};
static const char *const policies[] = {"PreferDualStack", "RequireDualStack", "SingleStack", NULL};
static const char *const distributions[] = {"PreferClose", "PreferSameZone", "PreferSameNode", NULL};
static const char *const traffic[] = {"Cluster", "Local", NULL};

#define SOURCE_RANGES "service.beta.kubernetes.io/load-balancer-source-ranges"
#define TOPOLOGY_HINTS "service.kubernetes.io/topology-aware-hints"

static bool is_headless(const CoreV1ServiceSpec *spec)
{
	return spec->n_cluster_ips == 1 && str_eq(spec->cluster_ips[0], "None");
}

static char *text_list(struct arena *arena, char *const *list, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_addc(&out, '[');
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s%s", i ? "," : "", field_json(arena, list[i]));
	strbuf_addc(&out, ']');
	return arena_strdup(arena, out.buf);
}

static void check_port(struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec,
	size_t i, struct nameset *names)
{
	const CoreV1ServicePort *port = spec->ports[i];
	if (spec->n_ports > 1 && str_empty(port->name)) {
		field_required(errors, FIELD(path, "name"), "");
	} else if (!str_empty(port->name)) {
		validate_text(errors, FIELD(path, "name"), port->name, check_dns_label(errors->arena, port->name));
		if (!nameset_add(names, port->name))
			field_duplicate(errors, FIELD(path, "name"), port->name);
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

static void check_repeated(struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	struct nameset node_ports = {.arena = errors->arena}, ports = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_ports; i++) {
		const CoreV1ServicePort *port = spec->ports[i];
		if (port->node_port && !nameset_add_pair(&node_ports, port->protocol, port->node_port))
			field_duplicate_int(errors, FIELD(FIELD_INDEX(path, i), "nodePort"), port->node_port);
	}
	for (size_t i = 0; i < spec->n_ports; i++) {
		const CoreV1ServicePort *port = spec->ports[i];
		if (!nameset_add_pair(&ports, port->protocol, port->port))
			field_duplicate_json(errors, FIELD_INDEX(path, i),
				arena_printf(errors->arena,
					"{\"Name\":\"\",\"Protocol\":\"%s\",\"AppProtocol\":null,\"Port\":%d,"
					"\"TargetPort\":0,\"NodePort\":0}",
					str_or_empty(port->protocol), port->port),
				"");
	}
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
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_ip_families; i++) {
		if (!str_in(spec->ip_families[i], families))
			field_unsupported(
				errors, FIELD_INDEX(FIELD(spec_path, "ipFamilies"), i), spec->ip_families[i], families);
		if (!nameset_add(&seen, spec->ip_families[i]))
			field_duplicate(errors, FIELD_INDEX(FIELD(spec_path, "ipFamilies"), i), spec->ip_families[i]);
	}
	if (spec->ip_family_policy && !str_in(spec->ip_family_policy, policies))
		field_unsupported(errors, FIELD(spec_path, "ipFamilyPolicy"), spec->ip_family_policy, policies);
	bool bad = false;
	size_t n_six = 0;
	for (size_t i = 0; i < spec->n_cluster_ips; i++) {
		const char *ip = spec->cluster_ips[i];
		if (!i && str_eq(ip, "None")) {
			if (spec->n_cluster_ips > 1)
				field_invalid_json(errors, path, list, "'None' must be the first and only value");
			bad |= spec->n_cluster_ips > 1;
			continue;
		}
		bad |= !is_legacy_ip(ip);
		n_six += strchr(ip, ':') != NULL;
		validate_legacy_ip(errors, FIELD_INDEX(path, i), ip);
	}
	if (spec->n_cluster_ips > 2)
		field_invalid_json(errors, path, list, "may only hold up to 2 values");
	if (bad)
		return;
	if (spec->n_cluster_ips > 1 && (!n_six || n_six == spec->n_cluster_ips))
		field_invalid_json(errors, path, list, "may specify no more than one IP for each IP family");
	for (size_t i = 0; !is_headless(spec) && i < spec->n_cluster_ips && i < spec->n_ip_families; i++) {
		const char *ip = spec->cluster_ips[i], *family = spec->ip_families[i];
		bool six = strchr(ip, ':');
		if ((six && str_eq(family, "IPv4")) || (!six && str_eq(family, "IPv6")))
			field_invalid(errors, FIELD_INDEX(path, i), ip,
				arena_printf(errors->arena, "expected an %s value as indicated by `ipFamilies[%zu]`",
					family, i));
	}
}

static void check_external_name(
	struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	if (spec->n_cluster_ips)
		field_forbidden(errors, FIELD(path, "clusterIPs"), "may not be set for ExternalName services");
	if (spec->n_ip_families)
		field_forbidden(errors, FIELD(path, "ipFamilies"), "may not be set for ExternalName services");
	if (spec->ip_family_policy)
		field_forbidden(errors, FIELD(path, "ipFamilyPolicy"), "may not be set for ExternalName services");
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
	const struct field_path *health_port = FIELD(path, "healthCheckNodePort");
	bool health = str_eq(spec->type, "LoadBalancer") && str_eq(spec->external_traffic_policy, "Local");
	if (health && check_port_number(spec->health_check_node_port) && spec->health_check_node_port)
		field_invalid_int(errors, health_port, spec->health_check_node_port,
			check_port_number(spec->health_check_node_port));
	if (!health && spec->health_check_node_port)
		field_invalid_int(errors, health_port, spec->health_check_node_port,
			"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
	if (spec->internal_traffic_policy && !str_in(spec->internal_traffic_policy, traffic))
		field_unsupported(errors, FIELD(path, "internalTrafficPolicy"), spec->internal_traffic_policy, traffic);
}

static void check_no_headless(struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	if ((str_eq(spec->type, "LoadBalancer") || str_eq(spec->type, "NodePort")) && is_headless(spec))
		field_invalid(errors, FIELD_INDEX(FIELD(path, "clusterIPs"), 0), spec->cluster_ips[0],
			arena_printf(errors->arena, "may not be set to 'None' for %s services", spec->type));
}

static void check_range(struct field_errors *errors, const struct field_path *path, const char *text)
{
	const char *range = str_trim(errors->arena, text);
	struct cidr cidr;
	if (!cidr_read(range, &cidr))
		field_invalid(errors, path, range, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}

/* Who may use a load balancer: a list, or an annotation where there is none. */
static void check_ranges(struct field_errors *errors, const CoreV1Service *service, const CoreV1Service *old)
{
	const CoreV1ServiceSpec *spec = service->spec;
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "LoadBalancerSourceRanges");
	const char *text = meta_annotation(service->metadata, SOURCE_RANGES);
	const char *was = old ? meta_annotation(old->metadata, SOURCE_RANGES) : NULL;
	bool balanced = str_eq(spec->type, "LoadBalancer");
	static const char why[] = "may only be used when `type` is 'LoadBalancer'";
	char **parts;
	if (spec->n_load_balancer_source_ranges && !balanced)
		field_forbidden(errors, path, why);
	for (size_t i = 0; i < spec->n_load_balancer_source_ranges; i++)
		check_range(errors, FIELD_INDEX(path, i), spec->load_balancer_source_ranges[i]);
	if (spec->n_load_balancer_source_ranges || !text)
		return;
	const struct field_path *at = FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "annotations"), SOURCE_RANGES);
	if (!balanced)
		field_forbidden(errors, at, why);
	if (was && str_eq(was, text))
		return;
	size_t n = *str_trim(errors->arena, text) ? str_split(errors->arena, text, ',', &parts) : 0;
	for (size_t i = 0; i < n; i++)
		check_range(errors, at, parts[i]);
}

static void check_class(struct field_errors *errors, const CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "loadBalancerClass");
	const char *class = spec->load_balancer_class;
	bool balanced = str_eq(spec->type, "LoadBalancer");
	if (old && balanced && str_eq(old->type, "LoadBalancer") &&
		(!class != !old->load_balancer_class || !str_eq(class, old->load_balancer_class)))
		field_invalid_json(
			errors, path, class ? field_quote(errors->arena, class) : "null", "may not change once set");
	if (class && balanced)
		validate_text(errors, path, class, check_qualified_name(errors->arena, class));
	else if (class)
		field_forbidden(errors, path, "may only be used when `type` is 'LoadBalancer'");
}

static void check_balancer(struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	static const char why[] = "may only be used when `type` is 'LoadBalancer'";
	bool balanced = str_eq(spec->type, "LoadBalancer");
	if (spec->has_allocate_load_balancer_node_ports && !balanced)
		field_forbidden(errors, FIELD(path, "allocateLoadBalancerNodePorts"), why);
	if (balanced && !spec->has_allocate_load_balancer_node_ports)
		field_required(errors, FIELD(NULL, "allocateLoadBalancerNodePorts"), "");
	check_class(errors, spec, NULL);
}

static void check_topology(struct field_errors *errors, const CoreV1Service *service)
{
	static const char mode[] = "service.kubernetes.io/topology-mode";
	const char *hints = meta_annotation(service->metadata, TOPOLOGY_HINTS);
	const char *value = meta_annotation(service->metadata, mode);
	if (hints && value && !str_eq(hints, value))
		field_invalid(errors, FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "annotations"), mode), value,
			"must match annotations[" TOPOLOGY_HINTS "] when both are specified");
}

static void check_external_ips(
	struct field_errors *errors, const struct field_path *path, const CoreV1ServiceSpec *spec)
{
	for (size_t i = 0; i < spec->n_external_ips; i++) {
		const char *ip = str_or_empty(spec->external_ips[i]);
		validate_legacy_ip(errors, FIELD_INDEX(path, i), ip);
		if (is_legacy_ip(ip))
			validate_text(errors, FIELD_INDEX(path, i), ip, check_endpoint_ip(errors->arena, ip));
	}
}

/* old: NULL for a create. */
static void check_service(struct field_errors *errors, const CoreV1Service *service, const CoreV1Service *old)
{
	const CoreV1ServiceSpec *spec = service->spec;
	const struct field_path *path = FIELD(NULL, "spec"), *ports = FIELD(path, "ports");
	bool external_name = str_eq(spec->type, "ExternalName");
	check_topology(errors, service);
	if (!spec->n_ports && !is_headless(spec) && !external_name)
		field_required(errors, ports, "");
	check_no_headless(errors, path, spec);
	if (external_name)
		check_external_name(errors, path, spec);
	struct nameset names = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_ports; i++)
		check_port(errors, FIELD_INDEX(ports, i), spec, i, &names);
	validate_labels(errors, FIELD(path, "selector"), spec->selector, spec->n_selector);
	check_affinity(errors, path, spec);
	if (!external_name)
		check_ips(errors, path, spec);
	check_external_ips(errors, FIELD(path, "externalIPs"), spec);
	validate_one_of(errors, FIELD(path, "type"), spec->type, types);
	for (size_t i = 0; str_eq(spec->type, "ClusterIP") && i < spec->n_ports; i++)
		if (spec->ports[i]->node_port)
			field_forbidden(errors, FIELD(FIELD_INDEX(ports, i), "nodePort"),
				"may not be used when `type` is 'ClusterIP'");
	check_repeated(errors, ports, spec);
	check_ranges(errors, service, old);
	check_balancer(errors, path, spec);
	check_external_traffic(errors, path, spec);
	if (spec->traffic_distribution && !str_in(spec->traffic_distribution, distributions))
		field_unsupported(
			errors, FIELD(path, "trafficDistribution"), spec->traffic_distribution, distributions);
}

void validate_service_addresses(struct field_errors *errors, const CoreV1Service *service)
{
	if (!str_eq(service->spec->type, "ExternalName"))
		check_ips(errors, FIELD(NULL, "spec"), service->spec);
}

void validate_service(struct field_errors *errors, const CoreV1Service *service)
{
	check_service(errors, service, NULL);
}

static const char once_set[] = "may not change once set";

static void must_be_single(struct field_errors *errors, const CoreV1ServiceSpec *spec, const char *what)
{
	const char *policy = spec->ip_family_policy;
	if (!str_eq(policy, "SingleStack"))
		field_invalid_json(errors, FIELD(FIELD(NULL, "spec"), "ipFamilyPolicy"),
			policy ? field_quote(errors->arena, policy) : "null",
			arena_printf(
				errors->arena, "must be set to 'SingleStack' when releasing the secondary %s", what));
}

/* Addresses stay: a second may come, and go again with the policy. */
static void check_kept_ips(struct field_errors *errors, const CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "clusterIPs");
	size_t n = spec->n_cluster_ips, n_old = old->n_cluster_ips;
	char *list = n ? text_list(errors->arena, spec->cluster_ips, n) : arena_strdup(errors->arena, "null");
	if (is_headless(spec) && is_headless(old))
		return;
	/* All of them where there are as many; else the first. */
	for (size_t i = 0; i < n && i < n_old && (!i || n == n_old); i++)
		if (!str_eq(spec->cluster_ips[i], old->cluster_ips[i]))
			field_invalid_json(errors, FIELD_INDEX(path, i), list, once_set);
	if (n_old > n && !n)
		field_invalid_json(errors, FIELD_INDEX(path, 0), list, "primary clusterIP can not be unset");
	if (n_old > n && n == 1)
		must_be_single(errors, spec, "clusterIP");
}

/* Families as well, but for headless Services, which have no address of one. The original shows addresses in places. */
static void check_kept_families(
	struct field_errors *errors, const CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	const struct field_path *path = FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "ipFamilies"), 0);
	size_t n = spec->n_ip_families, n_old = old->n_ip_families;
	if (is_headless(spec) || is_headless(old))
		return;
	char *ips = text_list(errors->arena, spec->cluster_ips, spec->n_cluster_ips);
	char *list = text_list(errors->arena, spec->ip_families, n);
	if (n_old > n && !spec->n_cluster_ips)
		field_invalid_json(errors, path, list, "primary ipFamily can not be unset");
	for (size_t i = 0; i < n && i < n_old && (!i || n == n_old); i++)
		if (!str_eq(spec->ip_families[i], old->ip_families[i]))
			field_invalid_json(errors, path, n == n_old ? list : ips, once_set);
	if (n_old > n && n == 1)
		must_be_single(errors, spec, "ipFamily");
}

void validate_service_update(struct field_errors *errors, const CoreV1Service *service, const CoreV1Service *old)
{
	const CoreV1ServiceSpec *spec = service->spec, *before = old->spec;
	if (!spec || !before)
		return;
	if (!str_eq(before->type, "ExternalName") && !str_eq(spec->type, "ExternalName")) {
		check_kept_ips(errors, spec, before);
		check_kept_families(errors, spec, before);
	}
	check_class(errors, spec, before);
	if (str_eq(spec->type, "LoadBalancer") && str_eq(before->type, "LoadBalancer") &&
		str_eq(spec->external_traffic_policy, "Local") && str_eq(before->external_traffic_policy, "Local") &&
		spec->health_check_node_port != before->health_check_node_port && before->health_check_node_port)
		field_forbidden(errors, FIELD(FIELD(NULL, "spec"), "healthCheckNodePort"), "field is immutable");
	check_service(errors, service, old);
}

static void check_ingress(
	struct field_errors *errors, const struct field_path *path, const CoreV1LoadBalancerIngress *in)
{
	static const char *const modes[] = {"Proxy", "VIP", NULL};
	if (!str_empty(in->ip))
		validate_text(errors, FIELD(path, "ip"), in->ip, check_ip(errors->arena, in->ip));
	if (!str_empty(in->ip) && in->ip_mode && !str_in(in->ip_mode, modes))
		field_unsupported(errors, FIELD(path, "ipMode"), in->ip_mode, modes);
	if (str_empty(in->ip) && in->ip_mode)
		field_forbidden(errors, FIELD(path, "ipMode"), "may not be specified when `ip` is not set");
	if (str_empty(in->hostname))
		return;
	validate_text(errors, FIELD(path, "hostname"), in->hostname, check_dns_subdomain(errors->arena, in->hostname));
	if (!check_ip(errors->arena, in->hostname))
		field_invalid(errors, FIELD(path, "hostname"), in->hostname, "must be a DNS name, not an IP address");
}

void validate_service_status(struct field_errors *errors, const CoreV1Service *service)
{
	const CoreV1LoadBalancerStatus *balancer = service->status ? service->status->load_balancer : NULL;
	const struct field_path *path = FIELD(FIELD(FIELD(NULL, "status"), "loadBalancer"), "ingress");
	if (balancer && balancer->n_ingress && !(service->spec && str_eq(service->spec->type, "LoadBalancer"))) {
		field_forbidden(errors, path, "may only be used when `spec.type` is 'LoadBalancer'");
		return;
	}
	for (size_t i = 0; balancer && i < balancer->n_ingress; i++)
		check_ingress(errors, FIELD_INDEX(path, i), balancer->ingress[i]);
}
