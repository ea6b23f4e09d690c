/*
 * ServiceCIDRs are ready as soon as a finalizer holds them, and go only when no address of theirs would be left
 * without a range. (k8s.io/kubernetes/pkg/controller/servicecidrs)
 */
#include "api/json.h"
#include "base/ip.h"
#include "base/str.h"
#include "controller-manager/controller.h"

#define FINALIZER "networking.k8s.io/service-cidr-finalizer"
#define MANAGED_BY "ipaddress.kubernetes.io/managed-by"
#define ALLOCATOR "ipallocator.k8s.io"
#define IN_USE "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"

/* So long the allocators may still give out addresses of a range that is being deleted. */
enum { GRACE_S = 10 };

struct service_cidrs {
	struct controller_context *ctx;
	struct informer *cidrs;
	struct informer *addresses;
	struct workqueue *queue;
};

/* --- what covers what --- */

static bool range_of(const NetworkingV1ServiceCIDR *cidr, size_t i, struct cidr *ret_range)
{
	return cidr->spec && i < cidr->spec->n_cidrs && cidr_read(cidr->spec->cidrs[i], ret_range);
}

static size_t n_ranges(const NetworkingV1ServiceCIDR *cidr)
{
	return cidr->spec ? cidr->spec->n_cidrs : 0;
}

static bool covers_range(const struct cidr *outer, const struct cidr *inner)
{
	return outer->bits <= inner->bits && cidr_holds(outer, &inner->ip);
}

static bool covers_address(const NetworkingV1ServiceCIDR *cidr, const struct ip *ip)
{
	struct cidr range;
	for (size_t i = 0; i < n_ranges(cidr); i++)
		if (range_of(cidr, i, &range) && cidr_holds(&range, ip))
			return true;
	return false;
}

static bool another_covers_range(
	struct service_cidrs *c, struct arena *arena, const NetworkingV1ServiceCIDR *self, const struct cidr *inner)
{
	size_t n;
	const void *const *all = informer_list(c->cidrs, arena, NULL, &n);
	for (size_t k = 0; k < n; k++) {
		const NetworkingV1ServiceCIDR *other = all[k];
		struct cidr range;
		for (size_t i = 0; !str_eq(other->metadata->name, self->metadata->name) && i < n_ranges(other); i++)
			if (range_of(other, i, &range) && covers_range(&range, inner))
				return true;
	}
	return false;
}

static bool another_covers_address(
	struct service_cidrs *c, struct arena *arena, const NetworkingV1ServiceCIDR *self, const struct ip *ip)
{
	size_t n;
	const void *const *all = informer_list(c->cidrs, arena, NULL, &n);
	for (size_t k = 0; k < n; k++) {
		const NetworkingV1ServiceCIDR *other = all[k];
		if (!str_eq(other->metadata->name, self->metadata->name) && covers_address(other, ip))
			return true;
	}
	return false;
}

static bool is_allocated(const NetworkingV1IPAddress *address)
{
	return str_eq(map_get(address->metadata->labels, address->metadata->n_labels, MANAGED_BY), ALLOCATOR);
}

/* Whether it can go: others cover all of it, or no address lies in it alone. */
static bool may_go(struct service_cidrs *c, struct arena *arena, const NetworkingV1ServiceCIDR *cidr)
{
	bool covered = true;
	struct cidr range;
	for (size_t i = 0; i < n_ranges(cidr); i++)
		covered &= !range_of(cidr, i, &range) || another_covers_range(c, arena, cidr, &range);
	if (covered)
		return true;
	size_t n;
	const void *const *all = informer_list(c->addresses, arena, NULL, &n);
	for (size_t k = 0; k < n; k++) {
		const NetworkingV1IPAddress *address = all[k];
		struct ip ip;
		if (is_allocated(address) && ip_read(address->metadata->name, &ip) && covers_address(cidr, &ip) &&
			!another_covers_address(c, arena, cidr, &ip))
			return false;
	}
	return true;
}

/* --- writing --- */

static struct status *set_ready(struct service_cidrs *c, struct arena *arena, const NetworkingV1ServiceCIDR *cidr,
	const char *status, const char *reason, const char *message)
{
	const MetaV1Condition *now = cidr->status ? CONDITION(cidr->status, "Ready") : NULL;
	if (now && str_eq(now->status, status) && str_eq(now->reason, reason) && str_eq(now->message, message))
		return NULL;
	const MetaV1Time *time = time_new(arena, clock_wall_s(c->ctx->clock));
	CLEANUP(strbuf_done) struct strbuf when = STRBUF_INIT;
	json_encode(&when, time, 0);
	const char *patch = arena_printf(arena,
		"{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"ServiceCIDR\",\"metadata\":{\"name\":\"%s\"},"
		"\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"%s\",\"reason\":\"%s\",\"message\":\"%"
		"s\","
		"\"lastTransitionTime\":%s}]}}",
		cidr->metadata->name, status, reason, message, when.buf);
	const struct client_patch_options options = {.field_manager = "service-cidr-controller", .force = true};
	return client_patch(c->ctx->client, arena, &NetworkingV1ServiceCIDR_schema, "", cidr->metadata->name, "status",
		CLIENT_PATCH_APPLY, patch, strlen(patch), &options, NULL);
}

static struct status *patch_finalizer(
	struct service_cidrs *c, struct arena *arena, const NetworkingV1ServiceCIDR *cidr, bool wanted)
{
	if (meta_has_finalizer(cidr->metadata, FINALIZER) == wanted)
		return NULL;
	const char *patch = arena_printf(arena, "{\"metadata\":{\"%sfinalizers\":[\"" FINALIZER "\"]}}",
		wanted ? "" : "$deleteFromPrimitiveList/");
	struct status *s = client_patch(c->ctx->client, arena, &NetworkingV1ServiceCIDR_schema, "",
		cidr->metadata->name, NULL, CLIENT_PATCH_STRATEGIC, patch, strlen(patch), NULL, NULL);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_free(s);
	return NULL;
}

static struct status *sync_cidr(void *data, struct arena *arena, const char *key)
{
	struct service_cidrs *c = data;
	const NetworkingV1ServiceCIDR *cidr = informer_get_key(c->cidrs, arena, key);
	if (!cidr)
		return NULL;
	if (!meta_is_deleting(cidr->metadata)) {
		TRY(patch_finalizer(c, arena, cidr, true));
		return set_ready(c, arena, cidr, "True", "", "Kubernetes Service CIDR is ready");
	}
	if (!may_go(c, arena, cidr))
		return set_ready(c, arena, cidr, "False", "Terminating", IN_USE);
	int64_t left = cidr->metadata->deletion_timestamp->seconds + GRACE_S - clock_wall_s(c->ctx->clock);
	if (left > 0) {
		workqueue_add_after(c->queue, key, left * 1000);
		return NULL;
	}
	return patch_finalizer(c, arena, cidr, false);
}

/* --- events --- */

static bool enqueue(void *data, const struct object *object)
{
	workqueue_add(((struct service_cidrs *)data)->queue, object->key);
	return true;
}

/* There are few ranges: one that comes or goes, as any address of the allocator, may decide about each of them. */
static void changed(void *data)
{
	informer_foreach(((struct service_cidrs *)data)->cidrs, enqueue, data);
}

static void cidr_added(void *data, const struct object *object, bool initial)
{
	changed(data);
}

static void cidr_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	enqueue(data, new_object);
}

static void cidr_deleted(void *data, const struct object *object, bool final_unknown)
{
	changed(data);
}

static bool enqueue_if_deleting(void *data, const struct object *object)
{
	const NetworkingV1ServiceCIDR *cidr = object->msg;
	return meta_is_deleting(cidr->metadata) ? enqueue(data, object) : true;
}

static void address_added(void *data, const struct object *object, bool initial)
{
	informer_foreach(((struct service_cidrs *)data)->cidrs, enqueue_if_deleting, data);
}

static void address_deleted(void *data, const struct object *object, bool final_unknown)
{
	informer_foreach(((struct service_cidrs *)data)->cidrs, enqueue_if_deleting, data);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler cidr_handler = {
		.added = cidr_added, .updated = cidr_updated, .deleted = cidr_deleted};
	static const struct informer_handler address_handler = {.added = address_added, .deleted = address_deleted};
	struct service_cidrs *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->cidrs = controller_informer(ctx, &NetworkingV1ServiceCIDR_schema);
	c->addresses = controller_informer(ctx, &NetworkingV1IPAddress_schema);
	c->queue = controller_queue(ctx, "servicecidr", 1, sync_cidr, c);
	informer_add_handler(c->cidrs, &cidr_handler, c);
	informer_add_handler(c->addresses, &address_handler, c);
	return NULL;
}

const struct controller service_cidr_controller = {.name = "service-cidr-controller",
	.alias = "service-cidr",
	.service_account = "service-cidrs-controller",
	.start = start};
