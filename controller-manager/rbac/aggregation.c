/* ClusterRoles with an aggregationRule have the rules of all ClusterRoles that it selects. */
#include "base/str.h"
#include "controller-manager/controller.h"

struct aggregation {
	struct controller_context *ctx;
	struct informer *roles;
	struct workqueue *queue;
};

static int by_name(const void *x, const void *y)
{
	return str_cmp(object_metadata(*(const void *const *)x)->name, object_metadata(*(const void *const *)y)->name);
}

static bool has_rule(const RbacV1ClusterRole *role, const RbacV1PolicyRule *rule)
{
	for (size_t i = 0; i < role->n_rules; i++)
		if (api_equal(role->rules[i], rule))
			return true;
	return false;
}

static void add_rules(struct arena *arena, RbacV1ClusterRole *role, const RbacV1ClusterRole *from)
{
	for (size_t i = 0; i < from->n_rules; i++)
		if (!has_rule(role, from->rules[i]))
			ARENA_PUSH(arena, role->rules, role->n_rules) = from->rules[i];
}

static bool rules_equal(const RbacV1ClusterRole *a, const RbacV1ClusterRole *b)
{
	if (a->n_rules != b->n_rules)
		return false;
	for (size_t i = 0; i < a->n_rules; i++)
		if (!api_equal(a->rules[i], b->rules[i]))
			return false;
	return true;
}

static struct status *sync_role(void *data, struct arena *arena, const char *key)
{
	struct aggregation *c = data;
	const RbacV1ClusterRole *role = informer_get_key(c->roles, arena, key);
	if (!role || !role->aggregation_rule)
		return NULL;
	size_t n;
	const void *const *all = informer_list(c->roles, arena, NULL, &n);
	const void **sorted = arena_dup(arena, all, (n + 1) * sizeof(*all));
	qsort(sorted, n, sizeof(*sorted), by_name);
	RbacV1ClusterRole *copy = object_copy(arena, role);
	copy->rules = NULL;
	copy->n_rules = 0;
	for (size_t i = 0; i < role->aggregation_rule->n_cluster_role_selectors; i++)
		for (size_t j = 0; j < n; j++) {
			const RbacV1ClusterRole *other = sorted[j];
			if (other != role && selector_takes(role->aggregation_rule->cluster_role_selectors[i],
						     other->metadata->labels, other->metadata->n_labels))
				add_rules(arena, copy, other);
		}
	return rules_equal(copy, role) ? NULL : client_update(c->ctx->client, arena, copy, NULL);
}

/* Any role may be part of any aggregate. */
static bool enqueue_aggregate(void *data, const struct object *object)
{
	const RbacV1ClusterRole *role = object->msg;
	if (role->aggregation_rule)
		workqueue_add(((struct aggregation *)data)->queue, object->key);
	return true;
}

static void role_added(void *data, const struct object *object, bool initial)
{
	informer_foreach(((struct aggregation *)data)->roles, enqueue_aggregate, data);
}

static void role_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	role_added(data, new_object, false);
}

static void role_deleted(void *data, const struct object *object, bool final_unknown)
{
	role_added(data, object, false);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {
		.added = role_added, .updated = role_updated, .deleted = role_deleted};
	struct aggregation *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->roles = controller_informer(ctx, &RbacV1ClusterRole_schema);
	c->queue = controller_queue(ctx, "ClusterRoleAggregator", 1, sync_role, c);
	informer_add_handler(c->roles, &handler, c);
	return NULL;
}

const struct controller clusterrole_aggregation_controller = {
	.name = "clusterrole-aggregation-controller", .alias = "clusterrole-aggregation", .start = start};
