#include <arpa/inet.h>
#include "api/intstr.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

/* An address and its prefix length; false for what is no CIDR. */
static bool parse_cidr(struct arena *arena, const char *text, uint8_t ip[static 16], int64_t *ret_bits, int *ret_family)
{
	const char *slash = strchr(text, '/');
	if (!slash)
		return false;
	char *address = arena_strndup(arena, text, (size_t)(slash - text));
	*ret_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	return inet_pton(*ret_family, address, ip) == 1 &&
	       str_to_int64(slash + 1, 0, *ret_family == AF_INET ? 32 : 128, ret_bits);
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, int64_t bits)
{
	for (int64_t i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & (0x80 >> (i % 8)))
			return false;
	return true;
}

static void check_ip_block(struct field_errors *errors, const struct field_path *path, const NetworkingV1IPBlock *block)
{
	uint8_t outer[16], inner[16];
	int64_t outer_bits, inner_bits;
	int family, inner_family;
	const char *cidr = str_or_empty(block->cidr);
	static const char problem[] = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
	if (!*cidr) {
		field_required(errors, FIELD(path, "cidr"), "");
		return;
	}
	if (!parse_cidr(errors->arena, cidr, outer, &outer_bits, &family)) {
		field_invalid(errors, FIELD(path, "cidr"), cidr, problem);
		return;
	}
	for (size_t i = 0; i < block->n_except; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "except"), i);
		if (!parse_cidr(errors->arena, block->except[i], inner, &inner_bits, &inner_family))
			field_invalid(errors, at, block->except[i], problem);
		else if (family != inner_family || inner_bits <= outer_bits || !same_prefix(outer, inner, outer_bits))
			field_invalid(errors, at, block->except[i], "must be a strict subset of `cidr`");
	}
}

static void check_peer(
	struct field_errors *errors, const struct field_path *path, const NetworkingV1NetworkPolicyPeer *peer)
{
	int n = !!peer->pod_selector + !!peer->namespace_selector + !!peer->ip_block;
	validate_label_selector(errors, FIELD(path, "podSelector"), peer->pod_selector);
	validate_label_selector(errors, FIELD(path, "namespaceSelector"), peer->namespace_selector);
	if (peer->ip_block)
		check_ip_block(errors, FIELD(path, "ipBlock"), peer->ip_block);
	if (!n)
		field_required(errors, path, "must specify a peer");
	else if (n > 1 && peer->ip_block)
		field_forbidden(errors, path, "may not specify both ipBlock and another peer");
}

static void check_policy_port(
	struct field_errors *errors, const struct field_path *path, const NetworkingV1NetworkPolicyPort *p)
{
	static const char *const protocols[] = {"TCP", "UDP", "SCTP", NULL};
	if (p->protocol && !str_in(p->protocol, protocols))
		field_unsupported(errors, FIELD(path, "protocol"), p->protocol, protocols);
	if (!p->port) {
		if (p->has_end_port)
			field_required(
				errors, FIELD(path, "port"), "must be specified when `endPort` is also specified");
		return;
	}
	if (intstr_is_string(p->port)) {
		validate_text(errors, FIELD(path, "port"), p->port->str_val,
			check_port_name(errors->arena, str_or_empty(p->port->str_val)));
		if (p->has_end_port)
			field_required(errors, FIELD(path, "port"), "must be an integer when `endPort` is specified");
		return;
	}
	const char *problem = check_port_number(p->port->int_val);
	if (problem)
		field_invalid_int(errors, FIELD(path, "port"), p->port->int_val, problem);
	if (p->has_end_port && p->end_port < p->port->int_val)
		field_invalid_int(
			errors, FIELD(path, "endPort"), p->port->int_val, "must be greater than or equal to `port`");
}

void validate_network_policy(struct field_errors *errors, const NetworkingV1NetworkPolicy *policy)
{
	static const char *const types[] = {"Ingress", "Egress", NULL};
	const NetworkingV1NetworkPolicySpec *spec = policy->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec)
		return;
	validate_label_selector(errors, FIELD(path, "podSelector"), spec->pod_selector);
	for (size_t i = 0; i < spec->n_ingress; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "ingress"), i);
		for (size_t k = 0; k < spec->ingress[i]->n_ports; k++)
			check_policy_port(errors, FIELD_INDEX(FIELD(at, "ports"), k), spec->ingress[i]->ports[k]);
		for (size_t k = 0; k < spec->ingress[i]->n_from; k++)
			check_peer(errors, FIELD_INDEX(FIELD(at, "from"), k), spec->ingress[i]->from[k]);
	}
	for (size_t i = 0; i < spec->n_egress; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "egress"), i);
		for (size_t k = 0; k < spec->egress[i]->n_ports; k++)
			check_policy_port(errors, FIELD_INDEX(FIELD(at, "ports"), k), spec->egress[i]->ports[k]);
		for (size_t k = 0; k < spec->egress[i]->n_to; k++)
			check_peer(errors, FIELD_INDEX(FIELD(at, "to"), k), spec->egress[i]->to[k]);
	}
	for (size_t i = 0; i < spec->n_policy_types; i++)
		if (!str_in(spec->policy_types[i], types))
			field_unsupported(
				errors, FIELD_INDEX(FIELD(path, "policyTypes"), i), spec->policy_types[i], types);
}

static void check_backend(
	struct field_errors *errors, const struct field_path *path, const NetworkingV1IngressBackend *b)
{
	if (!b || (!b->service && !b->resource)) {
		field_invalid(errors, path, "", "resource or service backend is required");
		return;
	}
	if (b->service && b->resource) {
		field_invalid(errors, path, "", "cannot set both resource and service backends");
		return;
	}
	if (!b->service)
		return;
	const struct field_path *at = FIELD(path, "service");
	const NetworkingV1ServiceBackendPort *port = b->service->port;
	if (str_empty(b->service->name))
		field_required(errors, FIELD(at, "name"), "");
	else
		validate_text(errors, FIELD(at, "name"), b->service->name,
			check_dns_1035_label(errors->arena, b->service->name));
	bool named = port && !str_empty(port->name), numbered = port && port->number;
	if (named && numbered)
		field_invalid(errors, at, "", "cannot set both port name & port number");
	else if (named)
		validate_text(errors, FIELD(FIELD(at, "port"), "name"), port->name,
			check_port_name(errors->arena, port->name));
	else if (numbered && check_port_number(port->number))
		field_invalid_int(
			errors, FIELD(FIELD(at, "port"), "number"), port->number, check_port_number(port->number));
	else if (!numbered)
		field_required(errors, at, "port name or number is required");
}

static void check_path(struct field_errors *errors, const struct field_path *path, const NetworkingV1HTTPIngressPath *p)
{
	static const char *const types[] = {"Exact", "ImplementationSpecific", "Prefix", NULL};
	const char *value = str_or_empty(p->path);
	bool exact = str_eq(p->path_type, "Exact") || str_eq(p->path_type, "Prefix");
	if (!p->path_type)
		field_required(errors, FIELD(path, "pathType"), "pathType must be specified");
	else if (!str_in(p->path_type, types))
		field_unsupported(errors, FIELD(path, "pathType"), p->path_type, types);
	if ((exact && *value != '/') || (*value && *value != '/'))
		field_invalid(errors, FIELD(path, "path"), value, "must be an absolute path");
	static const char *const bad[] = {"//", "/./", "/../", "%2f", "%2F", NULL};
	for (size_t i = 0; exact && bad[i]; i++)
		if (strstr(value, bad[i]))
			field_invalid(errors, FIELD(path, "path"), value,
				arena_printf(errors->arena, "must not contain '%s'", bad[i]));
	check_backend(errors, FIELD(path, "backend"), p->backend);
}

static const char *check_host(struct arena *arena, const char *host)
{
	if (str_starts_with(host, "*."))
		return check_dns_subdomain(arena, host + 2);
	return check_dns_subdomain(arena, host);
}

void validate_ingress(struct field_errors *errors, const NetworkingV1Ingress *ingress)
{
	const NetworkingV1IngressSpec *spec = ingress->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec || (!spec->n_rules && !spec->default_backend)) {
		field_invalid_json(errors, path, "null", "either `defaultBackend` or `rules` must be specified");
		return;
	}
	if (spec->default_backend)
		check_backend(errors, FIELD(path, "defaultBackend"), spec->default_backend);
	for (size_t i = 0; i < spec->n_rules; i++) {
		const NetworkingV1IngressRule *rule = spec->rules[i];
		const struct field_path *at = FIELD_INDEX(FIELD(path, "rules"), i);
		const NetworkingV1HTTPIngressRuleValue *http =
			rule->ingress_rule_value ? rule->ingress_rule_value->http : NULL;
		if (!str_empty(rule->host) && !check_ip(errors->arena, rule->host))
			field_invalid(errors, FIELD(at, "host"), rule->host, "must be a DNS name, not an IP address");
		else if (!str_empty(rule->host))
			validate_text(errors, FIELD(at, "host"), rule->host, check_host(errors->arena, rule->host));
		if (http && !http->n_paths)
			field_required(errors, FIELD(FIELD(at, "http"), "paths"), "");
		for (size_t k = 0; http && k < http->n_paths; k++)
			check_path(errors, FIELD_INDEX(FIELD(FIELD(at, "http"), "paths"), k), http->paths[k]);
	}
}

void validate_ip_address(struct field_errors *errors, const NetworkingV1IPAddress *address)
{
	const NetworkingV1ParentReference *parent = address->spec ? address->spec->parent_ref : NULL;
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "parentRef");
	if (!parent) {
		field_required(errors, path, "");
		return;
	}
	if (!str_empty(parent->group))
		validate_text(
			errors, FIELD(path, "group"), parent->group, check_dns_subdomain(errors->arena, parent->group));
	if (str_empty(parent->resource))
		field_required(errors, FIELD(path, "resource"), "");
	else
		validate_text(errors, FIELD(path, "resource"), parent->resource,
			name_is_path_segment(errors->arena, parent->resource, false));
	if (str_empty(parent->name))
		field_required(errors, FIELD(path, "name"), "");
	else
		validate_text(errors, FIELD(path, "name"), parent->name,
			name_is_path_segment(errors->arena, parent->name, false));
}

void validate_service_cidr(struct field_errors *errors, const NetworkingV1ServiceCIDR *range)
{
	const NetworkingV1ServiceCIDRSpec *spec = range->spec;
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "cidrs");
	if (!spec || !spec->n_cidrs) {
		field_required(errors, path, "at least one CIDR required");
		return;
	}
	for (size_t i = 0; i < spec->n_cidrs; i++) {
		uint8_t ip[16];
		int64_t bits;
		int family;
		if (!parse_cidr(errors->arena, spec->cidrs[i], ip, &bits, &family))
			field_invalid(errors, FIELD_INDEX(path, i), spec->cidrs[i],
				"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
	}
}
