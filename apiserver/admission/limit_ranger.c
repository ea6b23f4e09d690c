#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

static void add_missing(
	struct arena *arena, MapQuantityEntry ***to, size_t *n_to, MapQuantityEntry *const *from, size_t n_from)
{
	for (size_t i = 0; i < n_from; i++) {
		if (quantity_map_get(*to, *n_to, from[i]->key))
			continue;
		struct quantity q = quantity_of(from[i]->value);
		quantity_map_set(arena, to, n_to, from[i]->key, quantity_format(arena, &q));
	}
}

static void apply_defaults(
	struct arena *arena, const CoreV1LimitRangeItem *item, CoreV1Container **containers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CoreV1ResourceRequirements *r = ENSURE(arena, containers[i]->resources, CoreV1ResourceRequirements);
		add_missing(arena, &r->requests, &r->n_requests, item->default_request, item->n_default_request);
		add_missing(arena, &r->limits, &r->n_limits, item->default_, item->n_default);
	}
}

static struct status *each_item(const struct admission_context *context, const struct admission_attributes *a,
	struct status *(*fn)(
		const struct admission_attributes *a, const CoreV1LimitRangeItem *item, CoreV1PodSpec *spec))
{
	if (!admission_is(a, "", "pods", "") || !API_IS(a->object, CoreV1Pod) || !((CoreV1Pod *)a->object)->spec ||
		a->operation != ADMISSION_CREATE)
		return NULL;
	struct object_list list;
	TRY(objects_list(context->objects, a->arena, &CoreV1LimitRange_schema, a->namespace, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const CoreV1LimitRangeSpec *spec = ((const CoreV1LimitRange *)list.items[i])->spec;
		for (size_t k = 0; spec && k < spec->n_limits; k++)
			TRY(fn(a, spec->limits[k], ((CoreV1Pod *)a->object)->spec));
	}
	return NULL;
}

static struct status *set_defaults(
	const struct admission_attributes *a, const CoreV1LimitRangeItem *item, CoreV1PodSpec *spec)
{
	if (!str_eq(item->type, "Container"))
		return NULL;
	apply_defaults(a->arena, item, spec->containers, spec->n_containers);
	apply_defaults(a->arena, item, spec->init_containers, spec->n_init_containers);
	return NULL;
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	return each_item(context, a, set_defaults);
}

/* What one container, or the pod in sum, asks for and may use. */
struct usage {
	MapQuantityEntry **requests, **limits;
	size_t n_requests, n_limits;
};

static struct status *check_min(
	const struct admission_attributes *a, const char *type, const MapQuantityEntry *min, const struct usage *u)
{
	struct quantity bound = quantity_of(min->value);
	const ResourceQuantity *request = quantity_map_get(u->requests, u->n_requests, min->key);
	struct quantity q = quantity_of(request);
	if (!request)
		return admission_forbidden(a, "minimum %s usage per %s is %s.  No request is specified", min->key, type,
			quantity_format(a->arena, &bound));
	if (quantity_compare(&q, &bound) < 0)
		return admission_forbidden(a, "minimum %s usage per %s is %s, but request is %s", min->key, type,
			quantity_format(a->arena, &bound), quantity_format(a->arena, &q));
	return NULL;
}

static struct status *check_max(
	const struct admission_attributes *a, const char *type, const MapQuantityEntry *max, const struct usage *u)
{
	struct quantity bound = quantity_of(max->value);
	const ResourceQuantity *limit = quantity_map_get(u->limits, u->n_limits, max->key);
	struct quantity q = quantity_of(limit);
	if (!limit)
		return admission_forbidden(a, "maximum %s usage per %s is %s.  No limit is specified", max->key, type,
			quantity_format(a->arena, &bound));
	if (quantity_compare(&q, &bound) > 0)
		return admission_forbidden(a, "maximum %s usage per %s is %s, but limit is %s", max->key, type,
			quantity_format(a->arena, &bound), quantity_format(a->arena, &q));
	return NULL;
}

static struct status *check_usage(
	const struct admission_attributes *a, const CoreV1LimitRangeItem *item, const struct usage *u)
{
	const char *type = item->type;
	for (size_t i = 0; i < item->n_min; i++)
		TRY(check_min(a, type, item->min[i], u));
	for (size_t i = 0; i < item->n_max; i++)
		TRY(check_max(a, type, item->max[i], u));
	return NULL;
}

static void sum(struct arena *arena, MapQuantityEntry ***to, size_t *n_to, MapQuantityEntry *const *from, size_t n_from)
{
	for (size_t i = 0; i < n_from; i++) {
		struct quantity total = quantity_of(quantity_map_get(*to, *n_to, from[i]->key)),
				q = quantity_of(from[i]->value);
		total.format = q.format;
		quantity_add(&total, &q);
		quantity_map_set(arena, to, n_to, from[i]->key, quantity_format(arena, &total));
	}
}

static struct status *check_item(
	const struct admission_attributes *a, const CoreV1LimitRangeItem *item, CoreV1PodSpec *spec)
{
	struct usage total = {0};
	for (size_t i = 0; i < spec->n_containers; i++) {
		const CoreV1ResourceRequirements *r = spec->containers[i]->resources;
		struct usage u = {0};
		if (r)
			u = (struct usage){r->requests, r->limits, r->n_requests, r->n_limits};
		if (str_eq(item->type, "Container"))
			TRY(check_usage(a, item, &u));
		sum(a->arena, &total.requests, &total.n_requests, u.requests, u.n_requests);
		sum(a->arena, &total.limits, &total.n_limits, u.limits, u.n_limits);
	}
	return str_eq(item->type, "Pod") ? check_usage(a, item, &total) : NULL;
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	return each_item(context, a, check_item);
}

const struct admission_plugin limit_ranger_plugin = {
	.name = "LimitRanger",
	.on_by_default = true,
	.mutate = mutate,
	.validate = validate,
};
