/* Rows of Services, Endpoints and EndpointSlices. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "api/intstr.h"
#include "api/print/internal.h"
#include "api/selector.h"

#define MAX_LISTED 3

static char *service_ports(struct printer *p, const CoreV1ServiceSpec *spec)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; spec && i < spec->n_ports; i++) {
		const CoreV1ServicePort *port = spec->ports[i];
		if (i)
			strbuf_addc(&out, ',');
		strbuf_printf(&out, "%" PRId32, port->port);
		if (port->node_port > 0)
			strbuf_printf(&out, ":%" PRId32, port->node_port);
		strbuf_printf(&out, "/%s", str_or_empty(port->protocol));
	}
	return arena_strndup(p->arena, out.buf, out.len);
}

static size_t balancer_addresses(struct printer *p, const CoreV1Service *svc, char ***ret_items)
{
	const CoreV1LoadBalancerStatus *lb = svc->status ? svc->status->load_balancer : NULL;
	size_t n = 0;

	*ret_items = NULL;
	for (size_t i = 0; lb && i < lb->n_ingress; i++) {
		char *address = (char *)(uintptr_t)str_or(lb->ingress[i]->ip, str_or_empty(lb->ingress[i]->hostname));
		if (*address && !str_in_n(address, *ret_items, n))
			ARENA_PUSH(p->arena, *ret_items, n) = address;
	}
	if (n > 1)
		qsort(*ret_items, n, sizeof(**ret_items), str_cmp_qsort);
	return n;
}

static const char *external_ip(struct printer *p, const CoreV1Service *svc)
{
	const CoreV1ServiceSpec *spec = svc->spec;
	const char *type = spec ? str_or_empty(spec->type) : "";
	char **items;

	if (str_eq(type, "ExternalName"))
		return spec->external_name;
	if (str_eq(type, "ClusterIP") || str_eq(type, "NodePort"))
		return str_or(join(p, spec->external_ips, spec->n_external_ips, ","), "<none>");
	if (!str_eq(type, "LoadBalancer"))
		return "<unknown>";
	size_t n = balancer_addresses(p, svc, &items);
	for (size_t i = 0; i < spec->n_external_ips; i++)
		ARENA_PUSH(p->arena, items, n) = spec->external_ips[i];
	return str_or(join(p, items, n, ","), "<pending>");
}

static void print_service(struct printer *p, const void *msg)
{
	const CoreV1Service *svc = msg;
	const CoreV1ServiceSpec *spec = svc->spec;

	cell_name(p, svc);
	cell_text(p, spec ? spec->type : "");
	cell_text(p, spec && spec->n_cluster_ips ? spec->cluster_ips[0] : "<none>");
	cell_text(p, external_ip(p, svc));
	cell_or_none(p, service_ports(p, spec));
	cell_age(p, svc);
	cell_labels(p, spec ? spec->selector : NULL, spec ? spec->n_selector : 0);
}

/* The first three of a list, and how many more there are. */
struct short_list {
	struct strbuf out;
	size_t n_all;
};

static void short_add(struct short_list *list, const char *text)
{
	if (list->n_all < MAX_LISTED)
		strbuf_printf(&list->out, "%s%s", list->n_all ? "," : "", text);
	list->n_all++;
}

static void cell_short_list(struct printer *p, struct short_list *list, const char *empty)
{
	if (list->n_all > MAX_LISTED)
		cell_printf(p, "%s + %zu more...", list->out.buf, list->n_all - MAX_LISTED);
	else
		cell_text(p, list->n_all ? list->out.buf : empty);
	strbuf_done(&list->out);
}

static void print_endpoints(struct printer *p, const void *msg)
{
	const CoreV1Endpoints *endpoints = msg;
	struct short_list list = {STRBUF_INIT, 0};

	for (size_t i = 0; i < endpoints->n_subsets; i++) {
		const CoreV1EndpointSubset *subset = endpoints->subsets[i];
		for (size_t a = 0; !subset->n_ports && a < subset->n_addresses; a++)
			short_add(&list, subset->addresses[a]->ip);
		for (size_t j = 0; j < subset->n_ports; j++) {
			for (size_t a = 0; a < subset->n_addresses; a++) {
				const char *ip = subset->addresses[a]->ip;
				bool v6 = strchr(ip, ':');
				short_add(&list, arena_printf(p->arena, v6 ? "[%s]:%" PRId32 : "%s:%" PRId32, ip,
							 subset->ports[j]->port));
			}
		}
	}
	cell_name(p, msg);
	cell_short_list(p, &list, endpoints->n_subsets ? "" : "<none>");
	cell_age(p, msg);
}

static void print_endpoint_slice(struct printer *p, const void *msg)
{
	const DiscoveryV1EndpointSlice *slice = msg;
	struct short_list ports = {STRBUF_INIT, 0}, addresses = {STRBUF_INIT, 0};

	for (size_t i = 0; i < slice->n_ports; i++) {
		const DiscoveryV1EndpointPort *port = slice->ports[i];
		if (port->has_port)
			short_add(&ports, arena_printf(p->arena, "%" PRId32, port->port));
		else
			short_add(&ports, port->name ? port->name : "*");
	}
	for (size_t i = 0; i < slice->n_endpoints; i++)
		for (size_t a = 0; a < slice->endpoints[i]->n_addresses; a++)
			short_add(&addresses, slice->endpoints[i]->addresses[a]);
	cell_name(p, msg);
	cell_text(p, slice->address_type);
	cell_short_list(p, &ports, "<unset>");
	cell_short_list(p, &addresses, "<unset>");
	cell_age(p, msg);
}

static void print_network_policy(struct printer *p, const void *msg)
{
	const NetworkingV1NetworkPolicy *policy = msg;
	const MetaV1LabelSelector *selector = policy->spec ? policy->spec->pod_selector : NULL;

	cell_name(p, msg);
	cell_text(p, label_selector_format_api(p->arena, selector ? selector : MetaV1LabelSelector_schema.zero));
	cell_age(p, msg);
}

static void print_pod_disruption_budget(struct printer *p, const void *msg)
{
	const PolicyV1PodDisruptionBudget *pdb = msg;
	const IntstrIntOrString *min = pdb->spec ? pdb->spec->min_available : NULL;
	const IntstrIntOrString *max = pdb->spec ? pdb->spec->max_unavailable : NULL;

	cell_name(p, msg);
	cell_text(p, min ? intstr_text(p->arena, min) : "N/A");
	cell_text(p, max ? intstr_text(p->arena, max) : "N/A");
	cell_number(p, pdb->status ? pdb->status->disruptions_allowed : 0);
	cell_age(p, msg);
}

/* The first three hosts, and how many rules there are beyond three; * for none. */
static char *ingress_hosts(struct printer *p, const NetworkingV1IngressSpec *spec)
{
	char **hosts = NULL;
	size_t n = 0;
	bool more = false;

	for (size_t i = 0; spec && i < spec->n_rules; i++) {
		more = more || n == MAX_LISTED;
		if (!more && !str_empty(spec->rules[i]->host))
			ARENA_PUSH(p->arena, hosts, n) = spec->rules[i]->host;
	}
	if (!n)
		return arena_strdup(p->arena, "*");
	if (!more)
		return join(p, hosts, n, ",");
	return arena_printf(p->arena, "%s + %zu more...", join(p, hosts, n, ","), spec->n_rules - MAX_LISTED);
}

static char *ingress_addresses(struct printer *p, const NetworkingV1IngressLoadBalancerStatus *lb)
{
	char **items = NULL;
	size_t n = 0;

	for (size_t i = 0; lb && i < lb->n_ingress; i++) {
		char *address = (char *)(uintptr_t)str_or(lb->ingress[i]->ip, str_or_empty(lb->ingress[i]->hostname));
		if (*address && !str_in_n(address, items, n))
			ARENA_PUSH(p->arena, items, n) = address;
	}
	if (n > 1)
		qsort(items, n, sizeof(*items), str_cmp_qsort);
	return join(p, items, n, ",");
}

static void print_ingress(struct printer *p, const void *msg)
{
	const NetworkingV1Ingress *ingress = msg;
	const NetworkingV1IngressSpec *spec = ingress->spec;

	cell_name(p, msg);
	cell_text(p, spec && spec->ingress_class_name ? spec->ingress_class_name : "<none>");
	cell_text(p, ingress_hosts(p, spec));
	cell_text(p, ingress_addresses(p, ingress->status ? ingress->status->load_balancer : NULL));
	cell_text(p, spec && spec->n_tls ? "80, 443" : "80");
	cell_age(p, msg);
}

static void print_ingress_class(struct printer *p, const void *msg)
{
	const NetworkingV1IngressClassSpec *spec = ((const NetworkingV1IngressClass *)msg)->spec;
	const NetworkingV1IngressClassParametersReference *ref = spec ? spec->parameters : NULL;

	cell_name(p, msg);
	cell_text(p, spec ? spec->controller : "");
	if (ref)
		cell_printf(
			p, "%s%s%s/%s", ref->kind, ref->api_group ? "." : "", str_or_empty(ref->api_group), ref->name);
	else
		cell_text(p, "<none>");
	cell_age(p, msg);
}

static void print_ip_address(struct printer *p, const void *msg)
{
	const NetworkingV1IPAddressSpec *spec = ((const NetworkingV1IPAddress *)msg)->spec;
	const NetworkingV1ParentReference *ref = spec ? spec->parent_ref : NULL;

	cell_name(p, msg);
	if (ref)
		cell_printf(p, "%s%s%s%s%s/%s", str_lower(p->arena, str_or_empty(ref->resource)),
			str_empty(ref->group) ? "" : ".", str_lower(p->arena, str_or_empty(ref->group)),
			str_empty(ref->namespace) ? "" : "/", str_or_empty(ref->namespace), ref->name);
	else
		cell_text(p, "<none>");
}

static void print_service_cidr(struct printer *p, const void *msg)
{
	const NetworkingV1ServiceCIDRSpec *spec = ((const NetworkingV1ServiceCIDR *)msg)->spec;

	cell_name(p, msg);
	cell_text(p, spec ? join(p, spec->cidrs, spec->n_cidrs, ",") : "");
	cell_age(p, msg);
}

const struct kind_printer print_network_kinds[] = {
	{&CoreV1Service_schema, print_service},
	{&CoreV1Endpoints_schema, print_endpoints},
	{&DiscoveryV1EndpointSlice_schema, print_endpoint_slice},
	{&NetworkingV1NetworkPolicy_schema, print_network_policy},
	{&NetworkingV1Ingress_schema, print_ingress},
	{&NetworkingV1IngressClass_schema, print_ingress_class},
	{&NetworkingV1IPAddress_schema, print_ip_address},
	{&NetworkingV1ServiceCIDR_schema, print_service_cidr},
	{&PolicyV1PodDisruptionBudget_schema, print_pod_disruption_budget},
	{0},
};
