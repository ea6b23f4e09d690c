/* Nodes, placed pods and services: what scheduler and proxy are given to do. */
#include "api/meta.h"
#include "base/str.h"
#include "test/bench/load.h"

static struct status *node_one(struct load *l, int64_t i)
{
	static const char *const resources[][2] = {{"cpu", "64"}, {"memory", "256Gi"}, {"pods", "250"}};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Node *node = API_NEW(arena, CoreV1Node);
	node->metadata = API_NEW(arena, MetaV1ObjectMeta);
	node->metadata->name = arena_printf(arena, "load-%05lld", (long long)i);
	meta_set_label(arena, node->metadata, "kubernetes.io/hostname", node->metadata->name);
	meta_set_label(arena, node->metadata, "topology.kubernetes.io/zone", i % 2 ? "a" : "b");
	TRY(client_create(l->client, arena, node, &node));
	if (!node->status)
		node->status = API_NEW(arena, CoreV1NodeStatus);
	for (size_t k = 0; k < ARRAY_SIZE(resources); k++) {
		quantity_map_set(arena, &node->status->allocatable, &node->status->n_allocatable, resources[k][0],
			resources[k][1]);
		quantity_map_set(
			arena, &node->status->capacity, &node->status->n_capacity, resources[k][0], resources[k][1]);
	}
	TRY(client_update_status(l->client, arena, node, &node));
	/* Admission taints new nodes until they are Ready; nobody else takes the taint off here. */
	node->spec->n_taints = 0;
	return client_update(l->client, arena, node, NULL);
}

struct status *load_nodes(struct load *l)
{
	load_each(l, l->n, node_one);
	return NULL;
}

struct waiting {
	int64_t placed, wanted;
};

static bool count_placed(void *data, const struct watch_event *event)
{
	struct waiting *w = data;
	const CoreV1Pod *pod = event->msg;
	if (event->type == WATCH_MODIFIED && pod && pod->spec && !str_empty(pod->spec->node_name) && pod->status &&
		!pod->status->n_container_statuses)
		w->placed++;
	return w->placed < w->wanted;
}

/* Counts from the first binding seen; the pods are there and the scheduler is yet to start. */
struct status *load_placed(struct load *l)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct client_list list;
	const struct client_list_options one = {.limit = 1, .one_page = true};
	struct waiting w = {.wanted = 1};
	TRY(client_list(l->client, arena, &CoreV1Pod_schema, l->namespace, &one, &list));
	const struct watch_options options = {.resource_version = list.resource_version, .timeout_seconds = 300};
	const struct client_resource *pods = client_resource_of(l->client, &CoreV1Pod_schema);
	puts("watching");
	fflush(stdout);
	TRY(client_watch(l->client, pods, &CoreV1Pod_schema, l->namespace, &options, count_placed, &w));
	double start = load_now(l);
	w = (struct waiting){.wanted = l->n};
	TRY(client_watch(l->client, pods, &CoreV1Pod_schema, l->namespace, &options, count_placed, &w));
	load_figure(l, "pods placed", (double)w.placed / (load_now(l) - start), "1/s");
	return NULL;
}

static DiscoveryV1Endpoint *endpoint_of(struct arena *arena, int64_t i, int k)
{
	DiscoveryV1Endpoint *e = API_NEW(arena, DiscoveryV1Endpoint);
	e->conditions = API_NEW(arena, DiscoveryV1EndpointConditions);
	e->conditions->has_ready = e->conditions->ready = true;
	ARENA_PUSH(arena, e->addresses, e->n_addresses) =
		arena_printf(arena, "10.244.%lld.%lld", (long long)(i / 80), (long long)(i % 80 * 3 + k));
	return e;
}

static struct status *service_one(struct load *l, int64_t i)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Service *service = API_NEW(arena, CoreV1Service);
	service->metadata = API_NEW(arena, MetaV1ObjectMeta);
	service->metadata->name = arena_printf(arena, "load-%05lld", (long long)i);
	service->metadata->namespace = arena_strdup(arena, l->namespace);
	service->spec = API_NEW(arena, CoreV1ServiceSpec);
	CoreV1ServicePort *port = API_NEW(arena, CoreV1ServicePort);
	port->port = 80;
	port->protocol = arena_strdup(arena, "TCP");
	ARENA_PUSH(arena, service->spec->ports, service->spec->n_ports) = port;
	TRY(client_create(l->client, arena, service, NULL));
	DiscoveryV1EndpointSlice *slice = API_NEW(arena, DiscoveryV1EndpointSlice);
	slice->metadata = API_NEW(arena, MetaV1ObjectMeta);
	slice->metadata->name = arena_printf(arena, "load-%05lld", (long long)i);
	slice->metadata->namespace = arena_strdup(arena, l->namespace);
	meta_set_label(arena, slice->metadata, "kubernetes.io/service-name", slice->metadata->name);
	slice->address_type = arena_strdup(arena, "IPv4");
	DiscoveryV1EndpointPort *target = API_NEW(arena, DiscoveryV1EndpointPort);
	target->name = arena_strdup(arena, "");
	target->protocol = arena_strdup(arena, "TCP");
	target->has_port = true;
	target->port = 8080;
	ARENA_PUSH(arena, slice->ports, slice->n_ports) = target;
	for (int k = 0; k < 2; k++)
		ARENA_PUSH(arena, slice->endpoints, slice->n_endpoints) = endpoint_of(arena, i, k + 1);
	return client_create(l->client, arena, slice, NULL);
}

struct status *load_services(struct load *l)
{
	load_each(l, l->n, service_one);
	return NULL;
}

struct status *load_endpoint(struct load *l)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	DiscoveryV1EndpointSlice *slice = NULL;
	TRY(client_get(l->client, arena, &DiscoveryV1EndpointSlice_schema, l->namespace, "load-00000", &slice));
	ARENA_PUSH(arena, slice->endpoints, slice->n_endpoints) = endpoint_of(arena, 0, 3);
	return client_update(l->client, arena, slice, NULL);
}
