/* Node IPAM: each node gets a range of the cluster's network for its pods. */
#include <pthread.h>
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/node/cidr_set.h"

enum { MAX_FAMILIES = 2, DEFAULT_PREFIX_V4 = 24, DEFAULT_PREFIX_V6 = 64 };

struct ipam {
	struct controller_context *ctx;
	struct informer *nodes;
	struct workqueue *queue;
	pthread_mutex_t lock; /* guards the sets and ready */
	struct cidr_set *sets[MAX_FAMILIES];
	size_t n_sets;
	bool ready; /* what nodes have is known */
};

static void occupy(struct ipam *c, const CoreV1Node *node)
{
	for (size_t i = 0; i < node->spec->n_pod_cidrs; i++)
		for (size_t j = 0; j < c->n_sets; j++)
			if (cidr_set_occupy(c->sets[j], node->spec->pod_cidrs[i]))
				break;
}

static void occupy_all(struct ipam *c, struct arena *arena)
{
	size_t n;
	const void *const *nodes = informer_list(c->nodes, arena, NULL, &n);
	for (size_t i = 0; i < n; i++)
		occupy(c, nodes[i]);
	c->ready = true;
}

static void release(struct ipam *c, char *const *ranges, size_t n)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < c->n_sets; j++)
			cidr_set_release(c->sets[j], ranges[i]);
	pthread_mutex_unlock(&c->lock);
}

/* One range of each family; false if one has none left. */
static bool take(struct ipam *c, struct arena *arena, char **ranges)
{
	bool ok = true;
	pthread_mutex_lock(&c->lock);
	if (!c->ready)
		occupy_all(c, arena);
	for (size_t i = 0; i < c->n_sets; i++) {
		ranges[i] = cidr_set_take(c->sets[i], arena);
		ok &= ranges[i] != NULL;
	}
	pthread_mutex_unlock(&c->lock);
	return ok;
}

/* Only onto the version that was seen without ranges: the list would be merged with another's otherwise. */
static struct status *write_ranges(
	struct ipam *c, struct arena *arena, const MetaV1ObjectMeta *meta, char *const *ranges)
{
	char **quoted = ARENA_ARRAY(arena, char *, c->n_sets);
	for (size_t i = 0; i < c->n_sets; i++)
		quoted[i] = arena_printf(arena, "\"%s\"", ranges[i]);
	char *patch = arena_printf(arena,
		"{\"metadata\":{\"resourceVersion\":\"%s\"},\"spec\":{\"podCIDR\":\"%s\",\"podCIDRs\":[%s]}}",
		meta->resource_version, ranges[0], str_join(arena, quoted, c->n_sets, ","));
	return client_patch(c->ctx->client, arena, &CoreV1Node_schema, NULL, meta->name, NULL, CLIENT_PATCH_STRATEGIC,
		patch, strlen(patch), NULL, NULL);
}

static struct status *sync_node(void *data, struct arena *arena, const char *key)
{
	struct ipam *c = data;
	const CoreV1Node *node = informer_get_key(c->nodes, arena, key);
	char *ranges[MAX_FAMILIES] = {0};
	if (!node)
		return NULL;
	if (!node->spec->n_pod_cidrs) {
		/* The cache may be behind what we have written ourselves. */
		CoreV1Node *live;
		struct status *s = client_get(c->ctx->client, arena, &CoreV1Node_schema, NULL, key, &live);
		if (status_is(s, STATUS_NOT_FOUND)) {
			status_drop(s, "gone");
			return NULL;
		}
		if (s)
			return s;
		object_complete(arena, live);
		node = live;
	}
	if (node->spec->n_pod_cidrs) {
		pthread_mutex_lock(&c->lock);
		occupy(c, node);
		pthread_mutex_unlock(&c->lock);
		return NULL;
	}
	if (!take(c, arena, ranges)) {
		for (size_t i = 0; i < c->n_sets; i++)
			if (ranges[i])
				release(c, &ranges[i], 1);
		event_record(c->ctx->recorder, node, EVENT_NORMAL, "CIDRNotAvailable",
			"Node %s status is now: CIDRNotAvailable", key);
		return status_internal(
			"node %s: there are no remaining CIDRs left to allocate in the accepted range", key);
	}
	struct status *s = write_ranges(c, arena, node->metadata, ranges);
	if (!s) {
		log_info("node %s: pod CIDR %s%s%s", key, ranges[0], c->n_sets > 1 ? "," : "", str_or_empty(ranges[1]));
		return NULL;
	}
	/* A lost answer may have been a success: what the node has now decides. */
	CoreV1Node *fresh;
	struct status *read = client_get(c->ctx->client, arena, &CoreV1Node_schema, NULL, key, &fresh);
	bool kept = !read && fresh->spec && fresh->spec->n_pod_cidrs && str_eq(fresh->spec->pod_cidrs[0], ranges[0]);
	status_drop(read, "the write's error is reported");
	if (!kept)
		release(c, ranges, c->n_sets);
	return s;
}

static void node_added(void *data, const struct object *object, bool initial)
{
	workqueue_add(((struct ipam *)data)->queue, object->key);
}

static void node_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const CoreV1Node *node = new_object->msg;
	if (!node->spec->n_pod_cidrs)
		workqueue_add(((struct ipam *)data)->queue, new_object->key);
}

static void node_deleted(void *data, const struct object *object, bool final_unknown)
{
	const CoreV1Node *node = object->msg;
	release(data, node->spec->pod_cidrs, node->spec->n_pod_cidrs);
}

static int prefix_for(const struct options *o, bool v6, bool dual)
{
	int64_t own = v6 ? o->node_cidr_mask_size_ipv6 : o->node_cidr_mask_size_ipv4;
	if (own)
		return (int)own;
	if (!dual && o->node_cidr_mask_size)
		return (int)o->node_cidr_mask_size;
	return v6 ? DEFAULT_PREFIX_V6 : DEFAULT_PREFIX_V4;
}

static struct status *make_sets(struct ipam *c, struct arena *arena)
{
	const struct options *o = c->ctx->options;
	char **cidrs, **services;
	size_t n = str_split(arena, o->cluster_cidr, ',', &cidrs);
	if (n > MAX_FAMILIES)
		return status_bad_request("--cluster-cidr: %zu networks, two at most", n);
	for (size_t i = 0; i < n; i++) {
		bool v6 = strchr(cidrs[i], ':') != NULL;
		struct status *s = cidr_set_new(cidrs[i], prefix_for(o, v6, n > 1), &c->sets[c->n_sets]);
		if (s)
			return status_wrap(s, "--cluster-cidr");
		CONTROLLER_OWNS(c->ctx, cidr_set_free, c->sets[c->n_sets]);
		c->n_sets++;
	}
	n = str_split(arena, str_or_empty(o->service_cluster_ip_range), ',', &services);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < c->n_sets; j++)
			cidr_set_occupy(c->sets[j], services[i]);
	return NULL;
}

static bool wanted(const struct options *o)
{
	return o->allocate_node_cidrs &&
	       (str_empty(o->cidr_allocator_type) || str_eq(o->cidr_allocator_type, "RangeAllocator"));
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {
		.added = node_added, .updated = node_updated, .deleted = node_deleted};
	struct ipam *c = controller_state(ctx, sizeof(*c));
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	c->ctx = ctx;
	pthread_mutex_init(&c->lock, NULL);
	TRY(make_sets(c, arena));
	c->nodes = controller_informer(ctx, &CoreV1Node_schema);
	c->queue = controller_queue(ctx, "cidrallocator_node", 2, sync_node, c);
	informer_add_handler(c->nodes, &handler, c);
	return NULL;
}

const struct controller node_ipam_controller = {.name = "node-ipam-controller",
	.alias = "nodeipam",
	.service_account = "node-controller",
	.event_source = "cidrAllocator",
	.wanted = wanted,
	.start = start};
