/* The Endpoints controller: the older, single-object form of a Service's addresses. */
#include "api/intstr.h"
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/endpoints/service_pods.h"
#include "controller-manager/endpoints/slices.h"
#include "controller-manager/support/pods.h"

#define ENDPOINTS_MANAGED_BY "endpoints.kubernetes.io/managed-by"
#define ENDPOINTS_MANAGER "endpoint-controller"
#define OVER_CAPACITY "endpoints.kubernetes.io/over-capacity"

enum { MAX_ADDRESSES = 1000 };

struct endpoints {
	struct controller_context *ctx;
	struct service_watch watch;
	struct informer *endpoints;
};

/* One port with the pods that have it; ports with the same pods become one subset. */
struct port_pods {
	CoreV1EndpointPort *port; /* NULL: a headless Service without ports */
	CoreV1EndpointAddress **ready, **not_ready;
	size_t n_ready, n_not_ready;
};

static const char *pod_ip_for(const CoreV1Service *service, const CoreV1Pod *pod)
{
	const CoreV1ServiceSpec *spec = service->spec;
	bool v6 = spec->n_ip_families	    ? str_eq(spec->ip_families[0], "IPv6")
		  : service_has_ip(service) ? strchr(spec->cluster_ip, ':') != NULL
					    : strchr(pod->status->pod_ip, ':') != NULL;
	for (size_t i = 0; i < pod->status->n_pod_ips; i++)
		if ((strchr(pod->status->pod_ips[i]->ip, ':') != NULL) == v6)
			return pod->status->pod_ips[i]->ip;
	return NULL;
}

static CoreV1EndpointAddress *make_address(struct arena *arena, const CoreV1Service *service, const CoreV1Pod *pod)
{
	const char *ip = pod_ip_for(service, pod);
	if (!ip)
		return NULL;
	CoreV1EndpointAddress *a = API_NEW(arena, CoreV1EndpointAddress);
	a->ip = arena_strdup(arena, ip);
	a->node_name = arena_strdup(arena, pod->spec->node_name);
	a->target_ref = API_NEW(arena, CoreV1ObjectReference);
	a->target_ref->kind = arena_strdup(arena, "Pod");
	a->target_ref->namespace = arena_strdup(arena, pod->metadata->namespace);
	a->target_ref->name = arena_strdup(arena, pod->metadata->name);
	a->target_ref->uid = arena_strdup(arena, pod->metadata->uid);
	if (pod_shows_hostname(pod, service))
		a->hostname = arena_strdup(arena, pod->spec->hostname);
	return a;
}

static struct port_pods *group_for(
	struct arena *arena, struct port_pods ***groups, size_t *n, const CoreV1ServicePort *port, int32_t number)
{
	for (size_t i = 0; i < *n; i++) {
		const CoreV1EndpointPort *p = (*groups)[i]->port;
		if (!port || (p && p->port == number && str_eq(p->name, port->name) &&
				     str_eq(p->protocol, str_or(port->protocol, "TCP"))))
			return (*groups)[i];
	}
	struct port_pods *group = ARENA_NEW(arena, struct port_pods);
	if (port) {
		group->port = API_NEW(arena, CoreV1EndpointPort);
		group->port->name = arena_strdup(arena, str_or_empty(port->name));
		group->port->port = number;
		group->port->protocol = arena_strdup(arena, str_or(port->protocol, "TCP"));
		group->port->app_protocol = port->app_protocol;
	}
	ARENA_PUSH(arena, *groups, *n) = group;
	return group;
}

static void add_pod(struct arena *arena, const CoreV1Service *service, const CoreV1Pod *pod, struct port_pods ***groups,
	size_t *n_groups)
{
	const CoreV1ServiceSpec *spec = service->spec;
	CoreV1EndpointAddress *address = make_address(arena, service, pod);
	if (!address)
		return;
	bool ready = spec->publish_not_ready_addresses || pod_is_ready(pod);
	for (size_t i = 0; i < spec->n_ports || (i == 0 && str_eq(spec->cluster_ip, "None")); i++) {
		int32_t number = 0;
		const CoreV1ServicePort *port = spec->n_ports ? spec->ports[i] : NULL;
		if (port && !service_port_on_pod(pod, port, &number))
			continue;
		struct port_pods *group = group_for(arena, groups, n_groups, port, number);
		if (ready)
			ARENA_PUSH(arena, group->ready, group->n_ready) = address;
		else
			ARENA_PUSH(arena, group->not_ready, group->n_not_ready) = address;
	}
}

static int by_address(const void *x, const void *y)
{
	const CoreV1EndpointAddress *a = *(CoreV1EndpointAddress *const *)x, *b = *(CoreV1EndpointAddress *const *)y;
	int order = str_cmp(a->ip, b->ip);
	return order ? order : str_cmp(a->target_ref->uid, b->target_ref->uid);
}

static int by_port(const void *x, const void *y)
{
	const CoreV1EndpointPort *a = *(CoreV1EndpointPort *const *)x, *b = *(CoreV1EndpointPort *const *)y;
	int order = str_cmp(a->name, b->name);
	return order ? order : a->port - b->port;
}

static bool same_addresses(CoreV1EndpointAddress *const *a, size_t n_a, CoreV1EndpointAddress *const *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static void sort_list(void *items, size_t n, int (*compare)(const void *, const void *))
{
	if (n > 1)
		qsort(items, n, sizeof(void *), compare);
}

static void subsets_from_groups(
	struct arena *arena, struct port_pods *const *groups, size_t n_groups, CoreV1Endpoints *e)
{
	for (size_t i = 0; i < n_groups; i++) {
		struct port_pods *g = groups[i];
		sort_list(g->ready, g->n_ready, by_address);
		sort_list(g->not_ready, g->n_not_ready, by_address);
		CoreV1EndpointSubset *subset = NULL;
		for (size_t j = 0; !subset && j < e->n_subsets; j++)
			if (same_addresses(
				    e->subsets[j]->addresses, e->subsets[j]->n_addresses, g->ready, g->n_ready) &&
				same_addresses(e->subsets[j]->not_ready_addresses, e->subsets[j]->n_not_ready_addresses,
					g->not_ready, g->n_not_ready))
				subset = e->subsets[j];
		if (!subset) {
			subset = API_NEW(arena, CoreV1EndpointSubset);
			subset->addresses = g->ready;
			subset->n_addresses = g->n_ready;
			subset->not_ready_addresses = g->not_ready;
			subset->n_not_ready_addresses = g->n_not_ready;
			ARENA_PUSH(arena, e->subsets, e->n_subsets) = subset;
		}
		if (g->port)
			ARENA_PUSH(arena, subset->ports, subset->n_ports) = g->port;
		sort_list(subset->ports, subset->n_ports, by_port);
	}
}

/* Ready addresses have precedence; what is over the limit is shared out over the subsets. True if something was left
 * out. */
static bool cut_to_capacity(CoreV1Endpoints *e)
{
	size_t ready = 0, not_ready = 0;
	for (size_t i = 0; i < e->n_subsets; i++) {
		ready += e->subsets[i]->n_addresses;
		not_ready += e->subsets[i]->n_not_ready_addresses;
	}
	if (ready + not_ready <= MAX_ADDRESSES)
		return false;
	bool cut_ready = ready > MAX_ADDRESSES;
	size_t total = cut_ready ? ready : not_ready, max = cut_ready ? MAX_ADDRESSES : MAX_ADDRESSES - ready;
	size_t left = max;
	for (size_t i = 0; i < e->n_subsets; i++) {
		CoreV1EndpointSubset *s = e->subsets[i];
		size_t *n = cut_ready ? &s->n_addresses : &s->n_not_ready_addresses;
		size_t share = (*n * max + total - 1) / total;
		if (share > left)
			share = left;
		if (*n > share)
			*n = share;
		left -= *n;
		if (cut_ready)
			s->n_not_ready_addresses = 0;
	}
	return true;
}

static void set_labels(struct arena *arena, const CoreV1Service *service, MetaV1ObjectMeta *meta)
{
	meta->labels = NULL;
	meta->n_labels = 0;
	const MetaV1ObjectMeta *from = service->metadata;
	for (size_t i = 0; i < from->n_labels; i++)
		LABEL_SET(arena, meta, from->labels[i]->key, from->labels[i]->value);
	if (!service_has_ip(service))
		LABEL_SET(arena, meta, HEADLESS_LABEL, "");
	else
		map_remove(meta->labels, &meta->n_labels, HEADLESS_LABEL);
	LABEL_SET(arena, meta, ENDPOINTS_MANAGED_BY, ENDPOINTS_MANAGER);
}

static bool subsets_equal(const CoreV1Endpoints *a, const CoreV1Endpoints *b)
{
	if (a->n_subsets != b->n_subsets)
		return false;
	for (size_t i = 0; i < a->n_subsets; i++)
		if (!api_equal(a->subsets[i], b->subsets[i]))
			return false;
	return true;
}

static CoreV1Endpoints *wanted_endpoints(
	struct endpoints *c, struct arena *arena, const CoreV1Service *service, const CoreV1Endpoints *present)
{
	struct port_pods **groups = NULL;
	size_t n_groups = 0, n_pods;
	const CoreV1Pod **pods = service_pods(c->watch.pods, arena, service, &n_pods);
	for (size_t i = 0; i < n_pods; i++)
		if (pod_is_endpoint(pods[i], service->spec->publish_not_ready_addresses))
			add_pod(arena, service, pods[i], &groups, &n_groups);
	CoreV1Endpoints *e = present ? object_copy(arena, present) : API_NEW(arena, CoreV1Endpoints);
	object_complete(arena, e);
	e->metadata->namespace = arena_strdup(arena, service->metadata->namespace);
	e->metadata->name = arena_strdup(arena, service->metadata->name);
	e->subsets = NULL;
	e->n_subsets = 0;
	subsets_from_groups(arena, groups, n_groups, e);
	set_labels(arena, service, e->metadata);
	if (cut_to_capacity(e))
		ANNOTATION_SET(arena, e->metadata, OVER_CAPACITY, "truncated");
	else
		map_remove(e->metadata->annotations, &e->metadata->n_annotations, OVER_CAPACITY);
	return e;
}

static struct status *write_endpoints(
	struct endpoints *c, struct arena *arena, const CoreV1Endpoints *present, const CoreV1Endpoints *wanted)
{
	const MetaV1ObjectMeta *meta = wanted->metadata;
	struct status *s = present ? client_update(c->ctx->client, arena, wanted, NULL)
				   : client_create(c->ctx->client, arena, wanted, NULL);
	if (status_has_cause(s, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(s, "the namespace goes away");
		return NULL;
	}
	/* A conflict is our cache being behind: the next sync sees more. */
	if (s && !status_is(s, STATUS_CONFLICT))
		event_record(c->ctx->recorder, wanted, EVENT_WARNING,
			present ? "FailedToUpdateEndpoint" : "FailedToCreateEndpoint", "Failed to %s %s/%s: %s",
			present ? "update endpoint" : "create endpoint for service", meta->namespace, meta->name,
			s->message);
	return s;
}

static struct status *sync_service(void *data, struct arena *arena, const char *key)
{
	struct endpoints *c = data;
	const CoreV1Service *service = informer_get_key(c->watch.services, arena, key);
	const CoreV1Endpoints *present = informer_get_key(c->endpoints, arena, key);
	if (!service) {
		char *namespace, *name;
		if (!present)
			return NULL;
		object_key_split(arena, key, &namespace, &name);
		struct status *s = client_delete(c->ctx->client, arena, &CoreV1Endpoints_schema, namespace, name, NULL);
		if (!status_is(s, STATUS_NOT_FOUND))
			return s;
		status_drop(s, "deleted already");
		return NULL;
	}
	if (!service_selects_pods(service))
		return NULL;
	CoreV1Endpoints *wanted = wanted_endpoints(c, arena, service, present);
	if (present && subsets_equal(present, wanted) &&
		map_equal(present->metadata->labels, present->metadata->n_labels, wanted->metadata->labels,
			wanted->metadata->n_labels) &&
		!ANNOTATION_GET(present->metadata, OVER_CAPACITY) == !ANNOTATION_GET(wanted->metadata, OVER_CAPACITY))
		return NULL;
	return write_endpoints(c, arena, present, wanted);
}

/* Endpoints whose Service went while nobody looked; those that are a lock of the older leader election stay. */
static void endpoints_added(void *data, const struct object *object, bool initial)
{
	struct endpoints *c = data;
	if (initial && !ANNOTATION_GET(object_metadata(object->msg), "control-plane.alpha.kubernetes.io/leader"))
		workqueue_add(c->watch.queue, object->key);
}

static void endpoints_deleted(void *data, const struct object *object, bool final_unknown)
{
	workqueue_add(((struct endpoints *)data)->watch.queue, object->key);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {.added = endpoints_added, .deleted = endpoints_deleted};
	struct endpoints *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->endpoints = controller_informer(ctx, &CoreV1Endpoints_schema);
	c->watch.batch_ms = ctx->options->endpoint_batch_period_ms;
	c->watch.queue = controller_queue(ctx, "endpoint", ctx->options->concurrent_endpoint_syncs, sync_service, c);
	service_watch_start(ctx, &c->watch);
	informer_add_handler(c->endpoints, &handler, c);
	return NULL;
}

const struct controller endpoints_controller = {.name = "endpoints-controller",
	.alias = "endpoint",
	.service_account = "endpoint-controller",
	.event_source = "endpoint-controller",
	.start = start};
