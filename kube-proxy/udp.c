/* Tracked UDP flows: which lead where the services no longer lead. */
#include "base/log.h"
#include "base/mem.h"
#include "kube-proxy/conntrack.h"
#include "kube-proxy/internal.h"

/* What UDP services offer: "ip:port", or ":nodePort", and the endpoints behind it as a set of "ip:port". */
struct offers {
	struct strmap *by_address; /* struct strmap of "ip:port" */
	struct arena *arena;
};

static void free_set(void *p)
{
	strmap_free(p);
}

static void offer_at(struct offers *offers, const char *address, const struct endpoint_choice *choice)
{
	struct strmap *set = strmap_new(NULL);
	for (size_t i = 0; i < choice->n_reachable; i++)
		strmap_put(set, ip_port(offers->arena, choice->reachable[i]->ip, choice->reachable[i]->port), NULL);
	strmap_put(offers->by_address, address, set);
}

static void offer_port(struct offers *offers, const struct port_model *port, const struct topology *topology)
{
	struct endpoint_choice choice = endpoints_choose(offers->arena, port, topology);
	offer_at(offers, ip_port(offers->arena, port->cluster_ip, port->port), &choice);
	for (size_t i = 0; i < port->n_external_ips; i++)
		offer_at(offers, ip_port(offers->arena, port->external_ips[i], port->port), &choice);
	for (size_t i = 0; i < port->n_load_balancer_ips; i++)
		offer_at(offers, ip_port(offers->arena, port->load_balancer_ips[i], port->port), &choice);
	if (port->node_port)
		offer_at(offers, arena_printf(offers->arena, ":%d", port->node_port), &choice);
}

/* A flow is kept unless it went to a service of ours and is answered by none of its endpoints. */
static bool keep(void *data, const struct udp_flow *flow)
{
	const struct offers *offers = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	const struct strmap *set = strmap_get(offers->by_address, ip_port(arena, flow->to_ip, flow->to_port));
	if (!set)
		set = strmap_get(offers->by_address, arena_printf(arena, ":%d", flow->to_port));
	if (!set || (!strcmp(flow->answers_from, flow->to_ip) && !strmap_count(set)))
		return true;
	return strmap_has(set, ip_port(arena, flow->answers_from, flow->answers_port));
}

void proxy_clean_udp(struct proxy *p, enum family family)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct offers offers = {strmap_new(free_set), arena};
	size_t removed = 0;
	STRMAP_FOREACH (p->sync->services, it) {
		const struct sync_service *service = it.value;
		if (!service->has_udp)
			continue;
		struct service_model *model =
			service_model_make(arena, family, service->service, service->slices, service->n_slices);
		for (size_t i = 0; model && i < model->n_ports; i++) {
			if (str_eq(model->ports[i].protocol, "udp"))
				offer_port(&offers, &model->ports[i], &p->sync->config[family].topology);
		}
	}
	if (strmap_count(offers.by_address))
		log_status(
			conntrack_clean_udp(family, keep, &offers, &removed), "Stale UDP flows could not be removed");
	if (removed)
		log_info("Stale UDP flows removed: count=%zu", removed);
	strmap_free(offers.by_address);
}
