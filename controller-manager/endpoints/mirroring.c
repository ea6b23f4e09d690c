/* Mirrors Endpoints that people write for Services without a selector into EndpointSlices. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/endpoints/slices.h"

#define MIRROR_MANAGER "endpointslicemirroring-controller.k8s.io"
#define SKIP_MIRROR "endpointslice.kubernetes.io/skip-mirror"
#define LEADER_ANNOTATION "control-plane.alpha.kubernetes.io/leader"
#define TRIGGER_ANNOTATION "endpoints.kubernetes.io/last-change-trigger-time"
#define APPLIED_ANNOTATION "kubectl.kubernetes.io/last-applied-configuration"

struct mirroring {
	struct controller_context *ctx;
	struct informer *endpoints, *services, *slices;
	struct workqueue *queue;
};

static bool is_mirrored(const CoreV1Endpoints *e, const CoreV1Service *service)
{
	return e && service && !service->spec->n_selector && !e->metadata->deletion_timestamp &&
	       !str_eq(LABEL_GET(e->metadata, SKIP_MIRROR), "true") && !ANNOTATION_GET(e->metadata, LEADER_ANNOTATION);
}

static bool is_mirror(const MetaV1ObjectMeta *slice, const char *name)
{
	return str_eq(LABEL_GET(slice, MANAGED_BY_LABEL), MIRROR_MANAGER) &&
	       (!name || str_eq(LABEL_GET(slice, SERVICE_NAME_LABEL), name));
}

/* --- what there should be --- */

static void add_address(
	struct arena *arena, DiscoveryV1EndpointSlice *slice, const CoreV1EndpointAddress *a, bool ready)
{
	DiscoveryV1Endpoint *e = API_NEW(arena, DiscoveryV1Endpoint);
	ARENA_PUSH(arena, e->addresses, e->n_addresses) = a->ip;
	e->conditions = API_NEW(arena, DiscoveryV1EndpointConditions);
	e->conditions->has_ready = true;
	e->conditions->ready = ready;
	e->target_ref = a->target_ref;
	if (!str_empty(a->hostname))
		e->hostname = a->hostname;
	if (!str_empty(a->node_name))
		e->node_name = a->node_name;
	ARENA_PUSH(arena, slice->endpoints, slice->n_endpoints) = e;
}

static DiscoveryV1EndpointSlice *new_mirror(
	struct arena *arena, const CoreV1Endpoints *e, const CoreV1EndpointSubset *subset, bool v6)
{
	DiscoveryV1EndpointSlice *slice = API_NEW(arena, DiscoveryV1EndpointSlice);
	object_complete(arena, slice);
	MetaV1ObjectMeta *meta = slice->metadata;
	meta->namespace = arena_strdup(arena, e->metadata->namespace);
	meta->generate_name = arena_printf(arena, "%s-", e->metadata->name);
	map_copy(arena, e->metadata->labels, e->metadata->n_labels, &meta->labels, &meta->n_labels);
	LABEL_SET(arena, meta, SERVICE_NAME_LABEL, e->metadata->name);
	LABEL_SET(arena, meta, MANAGED_BY_LABEL, MIRROR_MANAGER);
	map_copy(arena, e->metadata->annotations, e->metadata->n_annotations, &meta->annotations, &meta->n_annotations);
	map_remove(meta->annotations, &meta->n_annotations, TRIGGER_ANNOTATION);
	map_remove(meta->annotations, &meta->n_annotations, APPLIED_ANNOTATION);
	ARENA_PUSH(arena, meta->owner_references, meta->n_owner_references) = controller_ref_to(arena, e);
	slice->address_type = arena_strdup(arena, v6 ? "IPv6" : "IPv4");
	for (size_t i = 0; i < subset->n_ports; i++) {
		const CoreV1EndpointPort *from = subset->ports[i];
		DiscoveryV1EndpointPort *port = API_NEW(arena, DiscoveryV1EndpointPort);
		port->name = arena_strdup(arena, str_or_empty(from->name));
		port->has_port = true;
		port->port = from->port;
		port->protocol = arena_strdup(arena, str_or(from->protocol, "TCP"));
		port->app_protocol = from->app_protocol;
		ARENA_PUSH(arena, slice->ports, slice->n_ports) = port;
	}
	return slice;
}

static void add_subset(struct mirroring *c, struct arena *arena, const CoreV1Endpoints *e,
	const CoreV1EndpointSubset *s, struct slice_list *wanted)
{
	size_t max = (size_t)c->ctx->options->mirroring_max_endpoints_per_subset;
	for (int v6 = 0; v6 < 2; v6++) {
		DiscoveryV1EndpointSlice *slice = new_mirror(arena, e, s, v6);
		for (size_t i = 0; i < s->n_addresses && slice->n_endpoints < max; i++)
			if ((strchr(s->addresses[i]->ip, ':') != NULL) == v6)
				add_address(arena, slice, s->addresses[i], true);
		for (size_t i = 0; i < s->n_not_ready_addresses && slice->n_endpoints < max; i++)
			if ((strchr(s->not_ready_addresses[i]->ip, ':') != NULL) == v6)
				add_address(arena, slice, s->not_ready_addresses[i], false);
		if (slice->n_endpoints)
			ARENA_PUSH(arena, wanted->items, wanted->n_items) = slice;
	}
}

/* --- bringing it about --- */

static bool same_ports(const DiscoveryV1EndpointSlice *a, const DiscoveryV1EndpointSlice *b)
{
	if (!str_eq(a->address_type, b->address_type) || a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (!api_equal(a->ports[i], b->ports[i]))
			return false;
	return true;
}

static bool same_content(const DiscoveryV1EndpointSlice *a, const DiscoveryV1EndpointSlice *b)
{
	if (a->n_endpoints != b->n_endpoints ||
		!map_equal(a->metadata->labels, a->metadata->n_labels, b->metadata->labels, b->metadata->n_labels) ||
		!map_equal(a->metadata->annotations, a->metadata->n_annotations, b->metadata->annotations,
			b->metadata->n_annotations))
		return false;
	for (size_t i = 0; i < a->n_endpoints; i++)
		if (!api_equal(a->endpoints[i], b->endpoints[i]))
			return false;
	return true;
}

static struct status *write_slice(struct mirroring *c, struct arena *arena, DiscoveryV1EndpointSlice *wanted,
	const DiscoveryV1EndpointSlice **existing, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const DiscoveryV1EndpointSlice *present = existing[i];
		if (!present || !same_ports(present, wanted))
			continue;
		existing[i] = NULL;
		if (same_content(present, wanted))
			return NULL;
		wanted->metadata->name = present->metadata->name;
		wanted->metadata->resource_version = present->metadata->resource_version;
		return client_update(c->ctx->client, arena, wanted, NULL);
	}
	struct status *s = client_create(c->ctx->client, arena, wanted, NULL);
	if (status_has_cause(s, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(s, "the namespace goes away");
		return NULL;
	}
	return s;
}

static const DiscoveryV1EndpointSlice **mirrors_of(
	struct mirroring *c, struct arena *arena, const char *namespace, const char *name, size_t *ret_n)
{
	size_t n;
	const void *const *all = informer_list(c->slices, arena, namespace, &n);
	const DiscoveryV1EndpointSlice **ours = ARENA_ARRAY(arena, const DiscoveryV1EndpointSlice *, n + 1);
	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if (is_mirror(object_metadata(all[i]), name) && !object_metadata(all[i])->deletion_timestamp)
			ours[(*ret_n)++] = all[i];
	return ours;
}

static struct status *sync_endpoints(void *data, struct arena *arena, const char *key)
{
	struct mirroring *c = data;
	char *namespace, *name;
	size_t n;
	struct slice_list wanted = {0};
	object_key_split(arena, key, &namespace, &name);
	const CoreV1Endpoints *e = informer_get_key(c->endpoints, arena, key);
	const DiscoveryV1EndpointSlice **existing = mirrors_of(c, arena, namespace, name, &n);
	if (is_mirrored(e, informer_get_key(c->services, arena, key)))
		for (size_t i = 0; i < e->n_subsets; i++)
			add_subset(c, arena, e, e->subsets[i], &wanted);
	struct status *first = NULL;
	for (size_t i = 0; i < wanted.n_items; i++)
		first = status_first(first, write_slice(c, arena, wanted.items[i], existing, n));
	for (size_t i = 0; i < n; i++) {
		if (!existing[i])
			continue;
		struct status *s = client_delete(c->ctx->client, arena, &DiscoveryV1EndpointSlice_schema, namespace,
			existing[i]->metadata->name, NULL);
		if (status_is(s, STATUS_NOT_FOUND)) {
			status_drop(s, "gone already");
			s = NULL;
		}
		first = status_first(first, s);
	}
	return first;
}

/* --- events: those of Endpoints that nobody mirrors are passed over in sync --- */

static void slice_changed(struct mirroring *c, const MetaV1ObjectMeta *slice)
{
	if (!is_mirror(slice, NULL))
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	workqueue_add(c->queue, arena_printf(arena, "%s/%s", slice->namespace, LABEL_GET(slice, SERVICE_NAME_LABEL)));
}

static void slice_added(void *data, const struct object *object, bool initial)
{
	slice_changed(data, object_metadata(object->msg));
}

static void slice_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	slice_changed(data, object_metadata(new_object->msg));
}

static void slice_deleted(void *data, const struct object *object, bool final_unknown)
{
	slice_changed(data, object_metadata(object->msg));
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler slice_handler = {
		.added = slice_added, .updated = slice_updated, .deleted = slice_deleted};
	struct mirroring *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->endpoints = controller_informer(ctx, &CoreV1Endpoints_schema);
	c->services = controller_informer(ctx, &CoreV1Service_schema);
	c->slices = controller_informer(ctx, &DiscoveryV1EndpointSlice_schema);
	c->queue = controller_queue(
		ctx, "endpoint_slice_mirroring", ctx->options->concurrent_mirroring_syncs, sync_endpoints, c);
	informer_add_handler(c->endpoints, &enqueue_self, c->queue);
	informer_add_handler(c->services, &enqueue_self, c->queue);
	informer_add_handler(c->slices, &slice_handler, c);
	return NULL;
}

const struct controller endpointslice_mirroring_controller = {.name = "endpointslice-mirroring-controller",
	.alias = "endpointslicemirroring",
	.service_account = "endpointslicemirroring-controller",
	.event_source = "endpoint-slice-mirroring-controller",
	.start = start};
