#include "api/intstr.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/network/networking.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

/* A range that the old object has may stay, however it is written. */
static bool has_range(const NetworkingV1IPBlock *block, const char *text)
{
	return block && (str_eq(block->cidr, text) || str_in_n(text, block->except, block->n_except));
}

static bool had_range(const NetworkingV1NetworkPolicySpec *old, const char *text)
{
	for (size_t i = 0; old && i < old->n_ingress; i++)
		for (size_t k = 0; k < old->ingress[i]->n_from; k++)
			if (has_range(old->ingress[i]->from[k]->ip_block, text))
				return true;
	for (size_t i = 0; old && i < old->n_egress; i++)
		for (size_t k = 0; k < old->egress[i]->n_to; k++)
			if (has_range(old->egress[i]->to[k]->ip_block, text))
				return true;
	return false;
}

static void check_ip_block(struct field_errors *errors, const struct field_path *path, const NetworkingV1IPBlock *block,
	const NetworkingV1NetworkPolicySpec *old)
{
	struct cidr outer, inner;
	if (str_empty(block->cidr)) {
		field_required(errors, FIELD(path, "cidr"), "");
		return;
	}
	if (!had_range(old, block->cidr))
		validate_text(errors, FIELD(path, "cidr"), block->cidr, check_cidr(errors->arena, block->cidr));
	if (!cidr_read(block->cidr, &outer))
		return;
	for (size_t i = 0; i < block->n_except; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "except"), i);
		if (!had_range(old, block->except[i]))
			validate_text(errors, at, block->except[i], check_cidr(errors->arena, block->except[i]));
		if (cidr_read(block->except[i], &inner) && (!cidr_holds(&outer, &inner.ip) || inner.bits <= outer.bits))
			field_invalid(errors, at, block->except[i], "must be a strict subset of `cidr`");
	}
}

static void check_peer(struct field_errors *errors, const struct field_path *path,
	const NetworkingV1NetworkPolicyPeer *peer, const NetworkingV1NetworkPolicySpec *old)
{
	int n = !!peer->pod_selector + !!peer->namespace_selector + !!peer->ip_block;
	validate_label_selector(errors, FIELD(path, "podSelector"), peer->pod_selector);
	validate_label_selector(errors, FIELD(path, "namespaceSelector"), peer->namespace_selector);
	if (peer->ip_block)
		check_ip_block(errors, FIELD(path, "ipBlock"), peer->ip_block, old);
	if (!n)
		field_required(errors, path, "must specify a peer");
	else if (n > 1 && peer->ip_block)
		field_forbidden(errors, path, "may not specify both ipBlock and another peer");
}

static void check_number(struct field_errors *errors, const struct field_path *path, int32_t number)
{
	const char *problem = check_port_number(number);
	if (problem)
		field_invalid_int(errors, path, number, problem);
}

static void check_port(
	struct field_errors *errors, const struct field_path *path, const NetworkingV1NetworkPolicyPort *p)
{
	static const char *const protocols[] = {"TCP", "UDP", "SCTP", NULL};
	const struct field_path *port = FIELD(path, "port"), *end = FIELD(path, "endPort");
	if (p->protocol && !str_in(p->protocol, protocols))
		field_unsupported(errors, FIELD(path, "protocol"), p->protocol, protocols);
	if (!p->port) {
		if (p->has_end_port)
			field_invalid_int(
				errors, end, p->end_port, "may not be specified when `port` is not specified");
	} else if (intstr_is_string(p->port)) {
		const char *name = str_or_empty(p->port->str_val);
		if (p->has_end_port)
			field_invalid_int(errors, end, p->end_port, "may not be specified when `port` is non-numeric");
		validate_text(errors, port, name, check_port_name(errors->arena, name));
	} else {
		check_number(errors, port, p->port->int_val);
		if (p->has_end_port && p->end_port < p->port->int_val)
			field_invalid_int(errors, end, p->port->int_val, "must be greater than or equal to `port`");
		if (p->has_end_port)
			check_number(errors, end, p->end_port);
	}
}

static void check_spec(struct field_errors *errors, const NetworkingV1NetworkPolicySpec *spec,
	const NetworkingV1NetworkPolicySpec *old)
{
	static const char *const types[] = {"Ingress", "Egress", NULL};
	const struct field_path *path = FIELD(NULL, "spec");
	validate_label_selector(errors, FIELD(path, "podSelector"), spec->pod_selector);
	for (size_t i = 0; i < spec->n_ingress; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "ingress"), i);
		for (size_t k = 0; k < spec->ingress[i]->n_ports; k++)
			check_port(errors, FIELD_INDEX(FIELD(at, "ports"), k), spec->ingress[i]->ports[k]);
		for (size_t k = 0; k < spec->ingress[i]->n_from; k++)
			check_peer(errors, FIELD_INDEX(FIELD(at, "from"), k), spec->ingress[i]->from[k], old);
	}
	for (size_t i = 0; i < spec->n_egress; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "egress"), i);
		for (size_t k = 0; k < spec->egress[i]->n_ports; k++)
			check_port(errors, FIELD_INDEX(FIELD(at, "ports"), k), spec->egress[i]->ports[k]);
		for (size_t k = 0; k < spec->egress[i]->n_to; k++)
			check_peer(errors, FIELD_INDEX(FIELD(at, "to"), k), spec->egress[i]->to[k], old);
	}
	if (spec->n_policy_types > 2) {
		field_invalid_json(errors, FIELD(path, "policyTypes"),
			strings_json(errors->arena, spec->policy_types, spec->n_policy_types),
			"may not specify more than two policyTypes");
		return;
	}
	for (size_t i = 0; i < spec->n_policy_types; i++)
		if (!str_in(spec->policy_types[i], types))
			field_unsupported(
				errors, FIELD_INDEX(FIELD(path, "policyTypes"), i), spec->policy_types[i], types);
}

void validate_network_policy(struct field_errors *errors, const NetworkingV1NetworkPolicy *policy)
{
	check_spec(errors, policy->spec, NULL);
}

void validate_network_policy_update(
	struct field_errors *errors, const NetworkingV1NetworkPolicy *policy, const NetworkingV1NetworkPolicy *old)
{
	check_spec(errors, policy->spec, old->spec);
}
