/*
 * What a LimitRange says of each kind of thing: least, most, defaults and the ratio of limit to request must fit.
 */
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod/resources.h"
#include "base/nameset.h"
#include "base/str.h"

/* The amounts given for one resource; NULL where none is. */
struct amounts {
	const char *name;
	const ResourceQuantity *min, *max, *limit, *request, *ratio;
};

static void check_type(struct field_errors *errors, const struct field_path *path, const char *type)
{
	static const char *const standard[] = {"Pod", "Container", "PersistentVolumeClaim", NULL};
	const char *problems = check_qualified_name(errors->arena, type ? type : "");
	if (problems)
		field_invalid_json_each(errors, path, field_json(errors->arena, type), problems);
	else if (!strchr(type, '/') && !str_in(type, standard))
		field_invalid_json(errors, path, field_json(errors->arena, type),
			"must be a standard limit type or fully qualified");
}

static void check_names(struct field_errors *errors, const struct field_path *path, const char *type,
	MapQuantityEntry *const *list, size_t n)
{
	bool container = str_eq(type, "Pod") || str_eq(type, "Container");
	for (size_t i = 0; i < n; i++)
		if (container)
			check_container_resource(errors, FIELD_KEY(path, list[i]->key), list[i]->key);
		else
			(void)check_resource_name(errors, FIELD_KEY(path, list[i]->key), list[i]->key);
}

static const char *text_of(struct arena *arena, const ResourceQuantity *value)
{
	struct quantity q = quantity_of(value);
	return quantity_format(arena, &q);
}

/* a must not be above b; shown is the one the error prints. */
static void check_order(struct field_errors *errors, const struct field_path *path, const ResourceQuantity *a,
	const char *name_a, const ResourceQuantity *b, const char *name_b, const ResourceQuantity *shown)
{
	if (a && b && quantity_msg_compare(a, b) > 0)
		field_invalid(errors, path, text_of(errors->arena, shown),
			arena_printf(errors->arena, "%s value %s is greater than %s value %s", name_a,
				text_of(errors->arena, a), name_b, text_of(errors->arena, b)));
}

static void check_ratio(struct field_errors *errors, const struct field_path *path, const struct amounts *of)
{
	if (!of->ratio)
		return;
	const char *text = text_of(errors->arena, of->ratio);
	double ratio = (double)quantity_msg_milli(of->ratio) / 1000;
	if (ratio < 1)
		field_invalid(errors, path, text, arena_printf(errors->arena, "ratio %s is less than 1", text));
	if (!of->min || !of->max)
		return;
	double most = (double)quantity_msg_milli(of->max) / (double)quantity_msg_milli(of->min);
	if (ratio > most)
		field_invalid(errors, path, text,
			arena_printf(errors->arena, "ratio %s is greater than max/min = %f", text, most));
}

static void check_amounts(struct field_errors *errors, const struct field_path *at, const struct amounts *of)
{
	const struct field_path *request = FIELD_KEY(FIELD(at, "defaultRequest"), of->name);
	const struct field_path *limit = FIELD_KEY(FIELD(at, "default"), of->name);
	check_order(errors, FIELD_KEY(FIELD(at, "min"), of->name), of->min, "min", of->max, "max", of->min);
	check_order(errors, request, of->min, "min", of->request, "default request", of->request);
	check_order(errors, request, of->request, "default request", of->max, "max", of->request);
	check_order(errors, request, of->request, "default request", of->limit, "default limit", of->request);
	check_order(errors, limit, of->min, "min", of->limit, "default", of->min);
	check_order(errors, limit, of->limit, "default", of->max, "max", of->max);
	check_ratio(errors, FIELD_KEY(FIELD(at, "maxLimitRequestRatio"), of->name), of);
	if (!resource_may_overcommit(of->name) && of->limit && of->request &&
		quantity_msg_compare(of->limit, of->request) != 0)
		field_invalid(errors, request, text_of(errors->arena, of->request),
			arena_printf(errors->arena, "default value %s must equal to defaultRequest value %s in %s",
				text_of(errors->arena, of->limit), text_of(errors->arena, of->request), of->name));
}

static const ResourceQuantity *amount(void *const *sorted, size_t n, const char *name)
{
	const MapQuantityEntry *entry = map_search(sorted, n, name);
	return entry ? entry->value : NULL;
}

/* Each resource that one of the lists names, once. */
static void check_each(struct field_errors *errors, const struct field_path *at, const CoreV1LimitRangeItem *item)
{
	bool pod = str_eq(item->type, "Pod");
	MapQuantityEntry *const *const lists[] = {
		item->max, item->min, item->default_, item->default_request, item->max_limit_request_ratio};
	const size_t counts[] = {item->n_max, item->n_min, pod ? 0 : item->n_default, pod ? 0 : item->n_default_request,
		item->n_max_limit_request_ratio};
	struct nameset seen = {.arena = errors->arena};
	void *const *sorted[ARRAY_SIZE(lists)];
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		sorted[l] = MAP_SORTED(errors->arena, lists[l], counts[l]);
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t i = 0; i < counts[l]; i++) {
			const char *name = lists[l][i]->key;
			if (!nameset_add(&seen, name))
				continue;
			struct amounts of = {.name = name,
				.max = amount(sorted[0], counts[0], name),
				.min = amount(sorted[1], counts[1], name),
				.limit = amount(sorted[2], counts[2], name),
				.request = amount(sorted[3], counts[3], name),
				.ratio = amount(sorted[4], counts[4], name)};
			check_amounts(errors, at, &of);
		}
}

static void check_item(struct field_errors *errors, const struct field_path *at, const CoreV1LimitRangeItem *item)
{
	const struct field_path *limit = FIELD(at, "default"), *request = FIELD(at, "defaultRequest");
	check_names(errors, FIELD(at, "max"), item->type, item->max, item->n_max);
	check_names(errors, FIELD(at, "min"), item->type, item->min, item->n_min);
	if (!str_eq(item->type, "Pod")) {
		check_names(errors, limit, item->type, item->default_, item->n_default);
		check_names(errors, request, item->type, item->default_request, item->n_default_request);
	} else {
		if (item->n_default)
			field_forbidden(errors, limit, "may not be specified when `type` is 'Pod'");
		if (item->n_default_request)
			field_forbidden(errors, request, "may not be specified when `type` is 'Pod'");
	}
	if (str_eq(item->type, "PersistentVolumeClaim") && !resource_entry(item->min, item->n_min, "storage") &&
		!resource_entry(item->max, item->n_max, "storage"))
		field_required(errors, FIELD(at, "limits"),
			"either minimum or maximum storage value is required, but neither was provided");
	check_names(errors, FIELD(at, "maxLimitRequestRatio"), item->type, item->max_limit_request_ratio,
		item->n_max_limit_request_ratio);
	check_each(errors, at, item);
}

void validate_limit_range(struct field_errors *errors, const CoreV1LimitRange *range)
{
	const CoreV1LimitRangeSpec *spec = range->spec;
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; spec && i < spec->n_limits; i++) {
		const CoreV1LimitRangeItem *item = spec->limits[i];
		const struct field_path *at = FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "limits"), i);
		check_type(errors, FIELD(at, "type"), item->type);
		if (!nameset_add(&seen, item->type))
			field_duplicate(errors, FIELD(at, "type"), str_or_empty(item->type));
		check_item(errors, at, item);
	}
}
