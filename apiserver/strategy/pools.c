#include "apiserver/strategy/context.h"
#include "base/str.h"

/*
 * What is taken follows the stored Services, in the order of their revisions. Only here is anything given back: a
 * release out of order could free an address that the next Service already holds.
 */
static struct ip_allocator *pool_of(const struct strategy_context *context, const char *ip)
{
	if (context->service_ips && ip_allocator_has(context->service_ips, ip))
		return context->service_ips;
	if (context->secondary_service_ips && ip_allocator_has(context->secondary_service_ips, ip))
		return context->secondary_service_ips;
	return NULL;
}

static bool has_ip(const CoreV1ServiceSpec *spec, const char *ip)
{
	return spec && str_in_n(ip, spec->cluster_ips, spec->n_cluster_ips);
}

static bool has_port(const CoreV1ServiceSpec *spec, int32_t port)
{
	if (!spec || !port)
		return false;
	bool found = spec->health_check_node_port == port;
	for (size_t i = 0; i < spec->n_ports; i++)
		found |= spec->ports[i]->node_port == port;
	return found;
}

static void take_all(const struct strategy_context *context, const CoreV1ServiceSpec *spec)
{
	for (size_t i = 0; i < spec->n_cluster_ips; i++) {
		struct ip_allocator *pool = pool_of(context, spec->cluster_ips[i]);
		if (pool)
			status_drop(ip_allocator_take(pool, spec->cluster_ips[i]), "whoever wrote it took it before");
	}
	for (size_t i = 0; i < spec->n_ports; i++)
		if (spec->ports[i]->node_port)
			status_drop(port_allocator_take(context->node_ports, spec->ports[i]->node_port), "the same");
	if (spec->health_check_node_port)
		status_drop(port_allocator_take(context->node_ports, spec->health_check_node_port), "the same");
}

/* Gives back what old had and spec (NULL: nothing) has not. */
static void release_rest(
	const struct strategy_context *context, const CoreV1ServiceSpec *old, const CoreV1ServiceSpec *spec)
{
	for (size_t i = 0; i < old->n_cluster_ips; i++) {
		struct ip_allocator *pool = pool_of(context, old->cluster_ips[i]);
		if (pool && !has_ip(spec, old->cluster_ips[i]))
			ip_allocator_release(pool, old->cluster_ips[i]);
	}
	for (size_t i = 0; i < old->n_ports; i++)
		if (!has_port(spec, old->ports[i]->node_port))
			port_allocator_release(context->node_ports, old->ports[i]->node_port);
	if (!has_port(spec, old->health_check_node_port))
		port_allocator_release(context->node_ports, old->health_check_node_port);
}

static void on_service(void *data, enum object_event event, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const struct strategy_context *context = data;
	const CoreV1ServiceSpec *spec = ((const CoreV1Service *)object)->spec;
	const CoreV1ServiceSpec *before = old ? ((const CoreV1Service *)old)->spec : NULL;
	if (event == OBJECT_DELETED) {
		if (spec)
			release_rest(context, spec, NULL);
		return;
	}
	if (spec)
		take_all(context, spec);
	if (before)
		release_rest(context, before, spec);
}

void service_pools_follow(struct objects *objects, const struct strategy_context *context)
{
	objects_subscribe(objects, &CoreV1Service_schema, on_service, (void *)context);
}
