/*
 * Endpoints, and the lists of addresses that follow them.
 */
#include "api/copy.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/network/service.h"
#include "base/str.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

static void check_address(struct field_errors *errors, const struct field_path *path, const CoreV1EndpointAddress *a)
{
	const char *ip = str_or_empty(a->ip), *problem = check_ip(errors->arena, ip);
	validate_text(errors, FIELD(path, "ip"), ip, problem);
	if (!str_empty(a->hostname))
		validate_text(
			errors, FIELD(path, "hostname"), a->hostname, check_dns_label(errors->arena, a->hostname));
	if (a->node_name)
		validate_text(errors, FIELD(path, "nodeName"), a->node_name,
			check_dns_subdomain(errors->arena, a->node_name));
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
		if (s->ports[i]->app_protocol)
			validate_text(errors, FIELD(at, "appProtocol"), s->ports[i]->app_protocol,
				check_qualified_name(errors->arena, s->ports[i]->app_protocol));
	}
}

static bool same_subsets(const CoreV1Endpoints *a, const CoreV1Endpoints *b)
{
	bool same = a->n_subsets == b->n_subsets;
	for (size_t i = 0; same && i < a->n_subsets; i++)
		same = api_equal(a->subsets[i], b->subsets[i]);
	return same;
}

void validate_endpoints(struct field_errors *errors, const CoreV1Endpoints *endpoints, const CoreV1Endpoints *old)
{
	size_t n = errors->n_items;
	for (size_t i = 0; i < endpoints->n_subsets; i++)
		check_subset(errors, FIELD_INDEX(FIELD(NULL, "subsets"), i), endpoints->subsets[i]);
	if (errors->n_items > n && old && same_subsets(endpoints, old))
		errors->n_items = n;
}
