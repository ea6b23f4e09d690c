/* The kubernetes Service, whose endpoints are the servers that live. */
#include <string.h>
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/str.h"

enum { SERVICE_PORT = 443 };

/* --- Endpoints and EndpointSlice --- */

struct addresses {
	char **items;
	size_t n;
	int32_t port;
};

static void fill_endpoints(struct arena *arena, CoreV1Endpoints *endpoints, const struct addresses *a)
{
	CoreV1EndpointSubset *subset = API_NEW(arena, CoreV1EndpointSubset);
	CoreV1EndpointPort *port = API_NEW(arena, CoreV1EndpointPort);
	meta_set_label(arena, object_meta_ensure(arena, endpoints), "endpointslice.kubernetes.io/skip-mirror", "true");
	port->name = "https";
	port->port = a->port;
	port->protocol = "TCP";
	ARENA_PUSH(arena, subset->ports, subset->n_ports) = port;
	for (size_t i = 0; i < a->n; i++) {
		CoreV1EndpointAddress *address = API_NEW(arena, CoreV1EndpointAddress);
		address->ip = arena_strdup(arena, a->items[i]);
		ARENA_PUSH(arena, subset->addresses, subset->n_addresses) = address;
	}
	endpoints->n_subsets = 0;
	endpoints->subsets = NULL;
	if (a->n)
		ARENA_PUSH(arena, endpoints->subsets, endpoints->n_subsets) = subset;
}

static void fill_slice(struct arena *arena, DiscoveryV1EndpointSlice *slice, const struct addresses *a)
{
	DiscoveryV1EndpointPort *port = API_NEW(arena, DiscoveryV1EndpointPort);
	meta_set_label(arena, object_meta_ensure(arena, slice), "kubernetes.io/service-name", "kubernetes");
	slice->address_type = a->n && strchr(a->items[0], ':') ? "IPv6" : "IPv4";
	port->name = "https";
	port->protocol = "TCP";
	port->has_port = true;
	port->port = a->port;
	slice->n_ports = slice->n_endpoints = 0;
	slice->ports = NULL;
	slice->endpoints = NULL;
	ARENA_PUSH(arena, slice->ports, slice->n_ports) = port;
	for (size_t i = 0; i < a->n; i++) {
		DiscoveryV1Endpoint *e = API_NEW(arena, DiscoveryV1Endpoint);
		ARENA_PUSH(arena, e->addresses, e->n_addresses) = arena_strdup(arena, a->items[i]);
		e->conditions = API_NEW(arena, DiscoveryV1EndpointConditions);
		e->conditions->has_ready = true;
		e->conditions->ready = true;
		ARENA_PUSH(arena, slice->endpoints, slice->n_endpoints) = e;
	}
}

static struct status *modify_endpoints(void *data, struct arena *arena, ProtobufCMessage *object)
{
	if (schema_of(object) == &CoreV1Endpoints_schema)
		fill_endpoints(arena, (CoreV1Endpoints *)object, data);
	else
		fill_slice(arena, (DiscoveryV1EndpointSlice *)object, data);
	return NULL;
}

static struct status *create_one(const struct boot_options *options, struct arena *arena,
	const struct schema_type *type, struct addresses *addresses)
{
	ProtobufCMessage *wanted = api_new(arena, type);
	object_meta_ensure(arena, wanted)->name = "kubernetes";
	object_meta(wanted)->namespace = "default";
	TRY(modify_endpoints(addresses, arena, wanted));
	struct status *s = objects_create(options->objects, arena, wanted, NULL);
	if (!status_is(s, STATUS_ALREADY_EXISTS))
		return s;
	status_drop(s, "it is looked at next time");
	return NULL;
}

/* A slice is of one family for ever. */
static bool is_of_another_family(const ProtobufCMessage *present, const ProtobufCMessage *wanted)
{
	return API_IS(present, DiscoveryV1EndpointSlice) &&
	       !str_eq(((const DiscoveryV1EndpointSlice *)present)->address_type,
		       ((const DiscoveryV1EndpointSlice *)wanted)->address_type);
}

static struct status *reconcile_one(const struct boot_options *options, struct arena *arena,
	const struct schema_type *type, struct addresses *addresses)
{
	const ProtobufCMessage *present;
	struct status *s = objects_get(options->objects, arena, type, "default", "kubernetes", &present);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_free(s);
		return create_one(options, arena, type, addresses);
	}
	if (s)
		return s;
	ProtobufCMessage *changed = api_copy_msg(arena, present);
	TRY(modify_endpoints(addresses, arena, changed));
	if (api_equal(changed, present))
		return NULL;
	if (is_of_another_family(present, changed)) {
		TRY(objects_delete_exact(options->objects, arena, type, "default", "kubernetes", object_uid(present)));
		return create_one(options, arena, type, addresses);
	}
	return objects_modify(
		options->objects, arena, type, "", "default", "kubernetes", modify_endpoints, addresses, NULL);
}

static struct status *reconcile_endpoints(const struct boot_options *options, struct arena *arena)
{
	struct address_list live;
	TRY(boot_lease_addresses(options, arena, &live));
	struct addresses addresses = {.items = live.items, .n = live.n_items, .port = options->port};
	TRY(reconcile_one(options, arena, &CoreV1Endpoints_schema, &addresses));
	return reconcile_one(options, arena, &DiscoveryV1EndpointSlice_schema, &addresses);
}

static CoreV1Service *service_object(const struct boot_options *options, struct arena *arena)
{
	CoreV1Service *service = API_NEW(arena, CoreV1Service);
	CoreV1ServicePort *port = API_NEW(arena, CoreV1ServicePort);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, service);
	meta->name = "kubernetes";
	meta->namespace = "default";
	meta_set_label(arena, meta, "component", "apiserver");
	meta_set_label(arena, meta, "provider", "kubernetes");
	service->spec = API_NEW(arena, CoreV1ServiceSpec);
	service->spec->type = options->kubernetes_node_port ? "NodePort" : "ClusterIP";
	service->spec->session_affinity = "None";
	service->spec->ip_family_policy = "SingleStack";
	const struct ip_range *range = service_ips_range(options->context->service_ips, 0);
	service->spec->cluster_ip = ip_number_print(arena, range->is_ipv6, range->first);
	port->name = "https";
	port->protocol = "TCP";
	port->port = SERVICE_PORT;
	port->node_port = options->kubernetes_node_port;
	port->target_port = API_NEW(arena, IntstrIntOrString);
	port->target_port->int_val = options->port;
	ARENA_PUSH(arena, service->spec->ports, service->spec->n_ports) = port;
	return service;
}

struct status *boot_service(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	TRY(boot_ensure(options, arena, service_object(options, arena)));
	if (options->no_endpoints)
		return NULL;
	TRY(status_wrap(boot_lease_renew(options), "lease among the API servers"));
	return reconcile_endpoints(options, arena);
}

struct status *boot_service_leave(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (options->no_endpoints)
		return NULL;
	TRY(boot_lease_remove(options));
	return reconcile_endpoints(options, arena);
}
