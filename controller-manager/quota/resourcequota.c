/* ResourceQuotas: what a namespace uses of what its quotas count. Admission guards the limits; this sums up what was
 * given back. */
#include "api/quota.h"
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/support/pods.h"

/* What only counts as objects and is followed by its metadata. */
static const struct client_resource counted[] = {
	{"", "v1", "configmaps", true},
	{"", "v1", "secrets", true},
};

/* What is followed whole. */
static const struct schema_type *const typed[] = {&CoreV1Pod_schema, &CoreV1Service_schema,
	&CoreV1PersistentVolumeClaim_schema, &CoreV1ReplicationController_schema, &CoreV1ResourceQuota_schema,
	&AppsV1ReplicaSet_schema, &AppsV1Deployment_schema, &AppsV1StatefulSet_schema, &AppsV1DaemonSet_schema,
	&BatchV1Job_schema, &BatchV1CronJob_schema, &ResourceV1ResourceClaim_schema};

struct quotas {
	struct controller_context *ctx;
	struct informer *quotas;
	struct informer *typed[ARRAY_SIZE(typed)];
	struct informer *counted[ARRAY_SIZE(counted)];
	struct workqueue *queue;
};

struct quota_sync {
	struct quotas *c;
	struct arena *arena;
	const CoreV1ResourceQuota *quota;
	struct quota_list used;
};

static bool is_hard(const struct quota_sync *s, const char *name)
{
	const CoreV1ResourceQuotaSpec *spec = s->quota->spec;
	for (size_t i = 0; i < spec->n_hard; i++)
		if (str_eq(spec->hard[i]->key, name))
			return true;
	return false;
}

static bool is_concerned(const struct quota_sync *s, const struct schema_type *type)
{
	for (size_t i = 0; i < s->quota->spec->n_hard; i++)
		if (quota_concerns(type, s->quota->spec->hard[i]->key))
			return true;
	return false;
}

static void sum_objects(struct quota_sync *s, const void *const *objects, size_t n)
{
	int64_t now = clock_wall_s(s->c->ctx->clock);
	for (size_t i = 0; i < n; i++) {
		struct quota_list usage = {0};
		if (!quota_matches(s->quota, objects[i]))
			continue;
		quota_usage(s->arena, objects[i], now, &usage);
		for (size_t j = 0; j < usage.n_items; j++)
			if (is_hard(s, usage.items[j].name))
				quota_add(s->arena, &s->used, usage.items[j].name, &usage.items[j].amount);
	}
}

static void add_count(struct quota_sync *s, const struct schema_type *type, int64_t n)
{
	const CoreV1ResourceQuotaSpec *spec = s->quota->spec;
	struct quantity amount = quantity_from_int(n, QUANTITY_DECIMAL_SI);
	for (size_t i = 0; i < spec->n_hard; i++)
		if (quota_concerns(type, spec->hard[i]->key))
			quota_add(s->arena, &s->used, spec->hard[i]->key, &amount);
}

static bool is_followed(const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++)
		if (typed[i] == type)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		if (str_eq(type->resource->plural, counted[i].plural) && str_empty(type->group))
			return true;
	return false;
}

/* Kinds that nobody here follows are counted by asking. */
static struct status *sum_others(struct quota_sync *s)
{
	SCHEMA_FOREACH_RESOURCE(resource)
	{
		const struct schema_type *type = resource->type;
		const struct client_resource *rest = client_resource_of(s->c->ctx->client, type);
		struct client_list list;
		if (!resource->namespaced || !rest || is_followed(type) || !is_concerned(s, type))
			continue;
		struct status *error = client_list_as(s->c->ctx->client, s->arena, rest,
			&MetaV1PartialObjectMetadata_schema, s->quota->metadata->namespace, NULL, &list);
		if (status_is(error, STATUS_NOT_FOUND)) {
			status_drop(error, "not served in this version");
			continue;
		}
		if (error)
			return error;
		add_count(s, type, (int64_t)list.n_items);
	}
	return NULL;
}

static struct status *sum_up(struct quota_sync *s)
{
	const CoreV1ResourceQuotaSpec *spec = s->quota->spec;
	const char *namespace = s->quota->metadata->namespace;
	struct quantity none = quantity_from_int(0, QUANTITY_DECIMAL_SI);
	size_t n;
	for (size_t i = 0; i < spec->n_hard; i++)
		quota_add(s->arena, &s->used, spec->hard[i]->key, &none);
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		if (!is_concerned(s, typed[i]))
			continue;
		const void *const *objects = informer_list(s->c->typed[i], s->arena, namespace, &n);
		sum_objects(s, objects, n);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		const struct schema_resource *resource = schema_find_resource("", "v1", counted[i].plural);
		if (!resource || !is_concerned(s, resource->type))
			continue;
		informer_list(s->c->counted[i], s->arena, namespace, &n);
		add_count(s, resource->type, (int64_t)n);
	}
	return sum_others(s);
}

static bool amounts_equal(MapQuantityEntry *const *a, size_t n_a, MapQuantityEntry *const *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		const ResourceQuantity *other = quantity_map_get(b, n_b, a[i]->key);
		if (!other || quantity_msg_compare(a[i]->value, other))
			return false;
	}
	return true;
}

static struct status *sync_quota(void *data, struct arena *arena, const char *key)
{
	struct quotas *c = data;
	const CoreV1ResourceQuota *quota = informer_get_key(c->quotas, arena, key);
	if (!quota)
		return NULL;
	struct quota_sync s = {.c = c, .arena = arena, .quota = quota};
	TRY(sum_up(&s));
	CoreV1ResourceQuota *copy = object_copy(arena, quota);
	copy->status = API_NEW(arena, CoreV1ResourceQuotaStatus);
	struct quota_list hard = quota_from_map(arena, quota->spec->hard, quota->spec->n_hard);
	quota_to_map(arena, &hard, &copy->status->hard, &copy->status->n_hard);
	quota_to_map(arena, &s.used, &copy->status->used, &copy->status->n_used);
	if (amounts_equal(copy->status->hard, copy->status->n_hard, quota->status->hard, quota->status->n_hard) &&
		amounts_equal(copy->status->used, copy->status->n_used, quota->status->used, quota->status->n_used))
		return NULL;
	return client_update_status(c->ctx->client, arena, copy, NULL);
}

/* --- events --- */

static void enqueue_namespace(struct quotas *c, const char *namespace)
{
	size_t n;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const void *const *quotas = informer_list(c->quotas, arena, namespace, &n);
	for (size_t i = 0; i < n; i++)
		workqueue_add(c->queue, object_key(arena, quotas[i]));
}

static void object_deleted(void *data, const struct object *object, bool final_unknown)
{
	enqueue_namespace(data, object_metadata(object->msg)->namespace);
}

/* Changes that give something back, or ask for more without admission's knowing. */
static void object_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const void *msg = new_object->msg;
	bool pod_ended =
		API_IS(msg, CoreV1Pod) && ((pod_is_terminal(msg) && !pod_is_terminal(old_object->msg)) ||
						  (object_metadata(msg)->deletion_timestamp &&
							  !object_metadata(old_object->msg)->deletion_timestamp));
	bool service = API_IS(msg, CoreV1Service) &&
		       !api_equal(((const CoreV1Service *)msg)->spec, ((const CoreV1Service *)old_object->msg)->spec);
	if (pod_ended || service)
		enqueue_namespace(data, object_metadata(msg)->namespace);
}

static void quota_added(void *data, const struct object *object, bool initial)
{
	workqueue_add(((struct quotas *)data)->queue, object->key);
}

static void quota_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const CoreV1ResourceQuota *before = old_object->msg, *now = new_object->msg;
	/* Admission writes the status: it knows before we do. */
	if (!amounts_equal(now->spec->hard, now->spec->n_hard, before->spec->hard, before->spec->n_hard))
		workqueue_add(((struct quotas *)data)->queue, new_object->key);
}

static void quota_deleted(void *data, const struct object *object, bool final_unknown)
{
	object_deleted(data, object, final_unknown);
}

static bool enqueue_one(void *data, const struct object *object)
{
	workqueue_add(((struct quotas *)data)->queue, object->key);
	return true;
}

static void resync(void *data, struct arena *arena)
{
	informer_foreach(((struct quotas *)data)->quotas, enqueue_one, data);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler quota_handler = {
		.added = quota_added, .updated = quota_updated, .deleted = quota_deleted};
	static const struct informer_handler object_handler = {.updated = object_updated, .deleted = object_deleted};
	struct quotas *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->quotas = controller_informer(ctx, &CoreV1ResourceQuota_schema);
	c->queue = controller_queue(
		ctx, "resourcequota_primary", ctx->options->concurrent_resource_quota_syncs, sync_quota, c);
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		c->typed[i] = controller_informer(ctx, typed[i]);
		if (c->typed[i] != c->quotas)
			informer_add_handler(c->typed[i], &object_handler, c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		c->counted[i] = controller_metadata_informer(ctx, &counted[i]);
		informer_add_handler(c->counted[i], &object_handler, c);
	}
	informer_add_handler(c->quotas, &quota_handler, c);
	controller_every(ctx, "quota-resync", ctx->options->resource_quota_sync_period_ms, resync, c);
	return NULL;
}

const struct controller resourcequota_controller = {
	.name = "resourcequota-controller", .alias = "resourcequota", .start = start};
