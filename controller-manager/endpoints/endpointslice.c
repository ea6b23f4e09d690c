/* The EndpointSlice controller: for each Service with a selector, the addresses and states of its pods. */
#include "base/log.h"
#include "base/fail.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/endpoints/service_pods.h"
#include "controller-manager/endpoints/slices.h"
#include "controller-manager/endpoints/tracker.h"

struct endpoint_slices {
	struct controller_context *ctx;
	struct service_watch watch;
	struct informer *slices, *nodes;
	struct slice_tracker *tracker;
	struct metric *syncs; /* result */
};

static bool is_managed(const MetaV1ObjectMeta *slice, const char *service_name)
{
	return str_eq(LABEL_GET(slice, MANAGED_BY_LABEL), SLICE_MANAGER) &&
	       (!service_name || str_eq(LABEL_GET(slice, SERVICE_NAME_LABEL), service_name));
}

static const void **managed_slices(
	struct endpoint_slices *c, struct arena *arena, const CoreV1Service *service, size_t *ret_n)
{
	size_t n;
	const void *const *all = informer_list(c->slices, arena, service->metadata->namespace, &n);
	const void **ours = ARENA_ARRAY(arena, const void *, n + 1);
	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if (is_managed(object_metadata(all[i]), service->metadata->name))
			ours[(*ret_n)++] = all[i];
	return ours;
}

static struct status *apply_plan(struct endpoint_slices *c, const char *key, const struct slice_plan *plan)
{
	struct client *client = c->ctx->client;
	DiscoveryV1EndpointSlice *answer;
	for (size_t i = 0; !plan->service->metadata->deletion_timestamp && i < plan->create.n_items; i++) {
		struct status *s = client_create(client, plan->arena, plan->create.items[i], &answer);
		if (status_has_cause(s, CAUSE_NAMESPACE_TERMINATING)) {
			status_drop(s, "the namespace goes away");
			return NULL;
		}
		if (s)
			return status_wrap(s, "failed to create EndpointSlice for Service %s", key);
		fail_at("endpointslice.after-create");
		slice_tracker_wrote(c->tracker, key, answer->metadata);
	}
	for (size_t i = 0; i < plan->update.n_items; i++) {
		struct status *s = client_update(client, plan->arena, plan->update.items[i], &answer);
		if (s)
			return status_wrap(s, "failed to update %s EndpointSlice for Service %s",
				plan->update.items[i]->metadata->name, key);
		slice_tracker_wrote(c->tracker, key, answer->metadata);
	}
	for (size_t i = 0; i < plan->remove.n_items; i++) {
		const MetaV1ObjectMeta *meta = plan->remove.items[i]->metadata;
		struct status *s = client_delete(
			client, plan->arena, &DiscoveryV1EndpointSlice_schema, meta->namespace, meta->name, NULL);
		if (s && !status_is(s, STATUS_NOT_FOUND))
			return status_wrap(s, "failed to delete %s EndpointSlice for Service %s", meta->name, key);
		status_drop(s, "deleted already");
		slice_tracker_deleted(c->tracker, key, meta);
	}
	return NULL;
}

static struct status *reconcile_type(struct endpoint_slices *c, struct arena *arena, const char *key,
	const CoreV1Service *service, const char *address_type, const void *const *slices, size_t n_slices)
{
	struct slice_plan plan = {.arena = arena,
		.service = service,
		.max_endpoints = (size_t)c->ctx->options->max_endpoints_per_slice,
		.address_type = address_type};
	struct status *skipped = NULL;
	size_t n_pods, n_existing = 0;
	const CoreV1Pod **pods = service_pods(c->watch.pods, arena, service, &n_pods);
	for (size_t i = 0; i < n_pods; i++) {
		if (!pod_is_endpoint(pods[i], true))
			continue;
		const CoreV1Node *node = informer_get(c->nodes, arena, NULL, pods[i]->spec->node_name);
		if (!node && !service->spec->publish_not_ready_addresses) {
			/* Tried again: the node may only not have been seen yet. */
			skipped = status_first(status_internal("skipping Pod %s for Service %s: Node %s Not Found",
						       pods[i]->metadata->name, key, pods[i]->spec->node_name),
				skipped);
			continue;
		}
		slice_plan_add(&plan, pods[i], node);
	}
	const DiscoveryV1EndpointSlice **existing = ARENA_ARRAY(arena, const DiscoveryV1EndpointSlice *, n_slices + 1);
	for (size_t i = 0; i < n_slices; i++) {
		const DiscoveryV1EndpointSlice *slice = slices[i];
		if (!slice->metadata->deletion_timestamp && str_eq(slice->address_type, address_type))
			existing[n_existing++] = slice;
	}
	slice_plan_pack(&plan, existing, n_existing);
	return status_first(apply_plan(c, key, &plan), skipped);
}

static bool has_family(const CoreV1Service *service, const char *family)
{
	const CoreV1ServiceSpec *spec = service->spec;
	if (spec->n_ip_families)
		return str_in_n(family, spec->ip_families, spec->n_ip_families);
	if (service_has_ip(service))
		return (strchr(spec->cluster_ip, ':') != NULL) == str_eq(family, "IPv6");
	return true;
}

/* Slices of a family that the Service has no more. */
static struct status *remove_family(struct endpoint_slices *c, struct arena *arena, const char *key,
	const CoreV1Service *service, const char *family, const void *const *slices, size_t n_slices)
{
	struct slice_plan plan = {.arena = arena, .service = service};
	for (size_t i = 0; i < n_slices; i++) {
		const DiscoveryV1EndpointSlice *slice = slices[i];
		if (!slice->metadata->deletion_timestamp && str_eq(slice->address_type, family))
			ARENA_PUSH(arena, plan.remove.items, plan.remove.n_items) = object_copy(arena, slice);
	}
	return apply_plan(c, key, &plan);
}

static struct status *update_slices(struct endpoint_slices *c, struct arena *arena, const char *key)
{
	static const char *const families[] = {"IPv4", "IPv6"};
	const CoreV1Service *service = informer_get_key(c->watch.services, arena, key);
	if (!service) {
		slice_tracker_forget(c->tracker, key);
		return NULL;
	}
	if (!service_selects_pods(service))
		return NULL;
	size_t n;
	const void **slices = managed_slices(c, arena, service, &n);
	if (slice_tracker_stale(c->tracker, key, slices, n)) {
		workqueue_add_after(c->watch.queue, key, 50);
		return NULL;
	}
	struct status *first = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		first = status_first(first, has_family(service, families[i])
						    ? reconcile_type(c, arena, key, service, families[i], slices, n)
						    : remove_family(c, arena, key, service, families[i], slices, n));
	return first;
}

static struct status *sync_service(void *data, struct arena *arena, const char *key)
{
	struct endpoint_slices *c = data;
	struct status *s = update_slices(c, arena, key);
	metric_add(c->syncs, 1, s ? "error" : "success");
	return s;
}

/* Somebody's change to a slice of ours is undone. */
static void slice_changed(struct endpoint_slices *c, const MetaV1ObjectMeta *slice)
{
	if (!is_managed(slice, NULL))
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	workqueue_add(
		c->watch.queue, arena_printf(arena, "%s/%s", slice->namespace, LABEL_GET(slice, SERVICE_NAME_LABEL)));
}

static void slice_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const MetaV1ObjectMeta *before = object_metadata(old_object->msg), *now = object_metadata(new_object->msg);
	if (!str_eq(LABEL_GET(before, SERVICE_NAME_LABEL), LABEL_GET(now, SERVICE_NAME_LABEL)))
		slice_changed(data, before);
	slice_changed(data, now);
}

static void slice_deleted(void *data, const struct object *object, bool final_unknown)
{
	slice_changed(data, object_metadata(object->msg));
}

static struct status *start(struct controller_context *ctx)
{
	static const char *const by_result[] = {"result", NULL};
	static const struct informer_handler slice_handler = {.updated = slice_updated, .deleted = slice_deleted};
	struct endpoint_slices *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->tracker = slice_tracker_new(ctx->clock);
	CONTROLLER_OWNS(ctx, slice_tracker_free, c->tracker);
	c->slices = controller_informer(ctx, &DiscoveryV1EndpointSlice_schema);
	c->nodes = controller_informer(ctx, &CoreV1Node_schema);
	c->watch.batch_ms = ctx->options->slice_batch_period_ms;
	c->syncs = metrics_counter(
		ctx->metrics, "endpoint_slice_controller_syncs", "Looks at Services, by outcome.", by_result);
	c->watch.queue = controller_queue(
		ctx, "endpoint_slice", ctx->options->concurrent_service_endpoint_syncs, sync_service, c);
	service_watch_start(ctx, &c->watch);
	informer_add_handler(c->slices, &slice_handler, c);
	return NULL;
}

const struct controller endpointslice_controller = {.name = "endpointslice-controller",
	.alias = "endpointslice",
	.event_source = "endpoint-slice-controller",
	.start = start};
