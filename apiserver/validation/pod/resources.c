#include <stdlib.h>
#include "apiserver/validation/pod/resources.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

#define HUGE_PAGES "hugepages-"

bool resource_is_huge_page(const char *name)
{
	return str_starts_with(name, HUGE_PAGES);
}

bool resource_is_native(const char *name)
{
	return !strchr(name, '/') || strstr(name, "kubernetes.io/");
}

bool resource_is_extended(struct arena *arena, const char *name)
{
	return !resource_is_native(name) && !str_starts_with(name, "requests.") &&
	       !check_qualified_name(arena, arena_printf(arena, "requests.%s", name));
}

bool resource_may_overcommit(const char *name)
{
	return resource_is_native(name) && !resource_is_huge_page(name);
}

bool resource_is_counted(struct arena *arena, const char *name)
{
	static const char *const counted[] = {"pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
		"configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers", NULL};
	return str_in(name, counted) || resource_is_extended(arena, name);
}

const MapQuantityEntry *resource_entry(MapQuantityEntry *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i]->key, name))
			return list[i];
	return NULL;
}

/* Names of resources are of a type of their own, and so told as JSON. */
static void invalid_name(struct field_errors *errors, const struct field_path *path, const char *name, const char *why)
{
	field_invalid_json(errors, path, field_json(errors->arena, name), why);
}

bool check_resource_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	static const char *const standard[] = {"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory",
		"requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods",
		"resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
		"persistentvolumeclaims", "storage", "requests.storage", "services.nodeports", "services.loadbalancers",
		NULL};
	const char *problem = check_qualified_name(errors->arena, name);
	bool known =
		str_in(name, standard) || resource_is_huge_page(name) || str_starts_with(name, "requests." HUGE_PAGES);
	if (problem)
		field_invalid_json_each(errors, path, field_json(errors->arena, name), problem);
	else if (!strchr(name, '/') && !known)
		invalid_name(errors, path, name, "must be a standard resource type or fully qualified");
	else
		return true;
	return false;
}

void check_container_resource(struct field_errors *errors, const struct field_path *path, const char *name)
{
	static const char *const standard[] = {"cpu", "memory", "ephemeral-storage", NULL};
	(void)check_resource_name(errors, path, name);
	if (!strchr(name, '/')) {
		if (!str_in(name, standard) && !resource_is_huge_page(name))
			invalid_name(errors, path, name, "must be a standard resource for containers");
	} else if (!resource_is_native(name) && !resource_is_extended(errors->arena, name)) {
		invalid_name(errors, path, name, "doesn't follow extended resource name standard");
	}
}

static void check_pod_resource(struct field_errors *errors, const struct field_path *path, const char *name)
{
	static const char *const supported[] = {"cpu", HUGE_PAGES, "memory", NULL};
	if (!check_resource_name(errors, path, name))
		return;
	if (strcmp(name, "cpu") != 0 && strcmp(name, "memory") != 0 && !resource_is_huge_page(name))
		field_unsupported(errors, path, name, supported);
}

static const char *text_of(struct arena *arena, const ResourceQuantity *value)
{
	struct quantity q = quantity_of(value);
	return quantity_format(arena, &q);
}

void check_resource_value(
	struct field_errors *errors, const struct field_path *path, const char *name, const ResourceQuantity *value)
{
	struct quantity q = quantity_of(value);
	if (quantity_sign(&q) < 0)
		field_invalid(errors, path, text_of(errors->arena, value), "must be greater than or equal to 0");
	if (resource_is_counted(errors->arena, name) && !quantity_is_whole(&q))
		field_invalid(errors, path, text_of(errors->arena, value), "must be an integer");
}

/* Huge pages come whole. */
static void check_pages(struct field_errors *errors, const struct field_path *path, const MapQuantityEntry *entry)
{
	struct quantity page, q = quantity_of(entry->value);
	if (!resource_is_huge_page(entry->key))
		return;
	bool good = quantity_parse(entry->key + strlen(HUGE_PAGES), &page) && quantity_sign(&page) > 0 &&
		    quantity_is_whole(&page) && quantity_value(&q) % quantity_value(&page) == 0;
	size_t n = errors->n_items;
	if (!good)
		field_invalid(errors, path, text_of(errors->arena, entry->value),
			arena_printf(errors->arena, "%s is not positive integer multiple of %s",
				text_of(errors->arena, entry->value), entry->key));
	field_keep(errors, n, KEPT_PAGES);
}

static void check_entry(
	struct field_errors *errors, const struct field_path *path, const MapQuantityEntry *entry, bool pod)
{
	if (pod)
		check_pod_resource(errors, path, entry->key);
	else
		check_container_resource(errors, path, entry->key);
	check_resource_value(errors, path, entry->key, entry->value);
}

static void check_against_limit(struct field_errors *errors, const struct field_path *path,
	const MapQuantityEntry *limit, const MapQuantityEntry *request)
{
	bool elastic = resource_may_overcommit(request->key);
	if (!limit) {
		if (!elastic)
			field_required(
				errors, FIELD(path, "limits"), "Limit must be set for non overcommitable resources");
		return;
	}
	int order = quantity_msg_compare(request->value, limit->value);
	const char *rule = order && !elastic ? "must be equal to" : order > 0 ? "must be less than or equal to" : NULL;
	if (rule)
		field_invalid(errors, FIELD(path, "requests"), text_of(errors->arena, request->value),
			arena_printf(errors->arena, "%s %s limit of %s", rule, request->key,
				text_of(errors->arena, limit->value)));
}

struct pod_claims pod_claims_of(struct arena *arena, const CoreV1PodSpec *spec)
{
	struct pod_claims claims = {.names = {.arena = arena}};
	char **list = NULL;
	size_t n_list = 0;
	for (size_t i = 0; spec && i < spec->n_resource_claims; i++)
		if (!str_empty(spec->resource_claims[i]->name) &&
			nameset_add(&claims.names, spec->resource_claims[i]->name))
			ARENA_PUSH(arena, list, n_list) = spec->resource_claims[i]->name;
	if (n_list)
		qsort(list, n_list, sizeof(*list), str_cmp_qsort);
	claims.why = n_list ? arena_printf(arena, "must be one of the names in pod.spec.resourceClaims: %s",
				      str_join(arena, list, n_list, ", "))
			    : "must be one of the names in pod.spec.resourceClaims which is empty";
	return claims;
}

/* Claims: the whole claim, or different parts of it. */
static void check_claims(struct field_errors *errors, const struct field_path *path,
	const CoreV1ResourceRequirements *r, const struct pod_claims *claims)
{
	struct arena *arena = errors->arena;
	struct nameset keys = {.arena = arena}, parted = {.arena = arena};
	size_t *n_parts = ARENA_ARRAY(arena, size_t, r->n_claims + 1); /* by the place in parted */
	for (size_t i = 0; i < r->n_claims; i++) {
		char *name = r->claims[i]->name, *request = r->claims[i]->request, *key = name;
		const struct field_path *at = FIELD_INDEX(path, i);
		if (str_empty(name)) {
			field_required(errors, at, "");
			continue;
		}
		if (nameset_has(&keys, name)) {
			field_duplicate(errors, at, name);
		} else {
			if (!str_empty(request)) {
				validate_text(errors, FIELD(at, "request"), request, check_dns_label(arena, request));
				key = arena_printf(arena, "%s/%s", name, request);
			}
			size_t n_before = nameset_has(&parted, name) ? n_parts[nameset_find(&parted, name)] : 0;
			if (!nameset_add(&keys, key))
				field_duplicate(errors, at, key);
			for (size_t k = 0; str_empty(request) && k < n_before && !field_errors_full(errors); k++)
				field_duplicate(errors, at, name);
			if (!str_empty(request)) {
				nameset_add(&parted, name);
				n_parts[nameset_find(&parted, name)]++;
			}
		}
		if (!nameset_has(&claims->names, name))
			field_not_found_because(errors, at, name, claims->why);
	}
}

void validate_resources(struct field_errors *errors, const struct field_path *path, const CoreV1ResourceRequirements *r,
	const struct pod_claims *claims, bool pod)
{
	bool basic = false, huge = false;
	void *const *limits = MAP_SORTED(errors->arena, r->limits, r->n_limits);
	for (size_t i = 0; i < r->n_limits; i++) {
		const struct field_path *at = FIELD_KEY(FIELD(path, "limits"), r->limits[i]->key);
		check_entry(errors, at, r->limits[i], pod);
		check_pages(errors, at, r->limits[i]);
		huge |= resource_is_huge_page(r->limits[i]->key);
		basic |= str_eq(r->limits[i]->key, "cpu") || str_eq(r->limits[i]->key, "memory");
	}
	for (size_t i = 0; i < r->n_requests; i++) {
		const struct field_path *at = FIELD_KEY(FIELD(path, "requests"), r->requests[i]->key);
		check_entry(errors, at, r->requests[i], pod);
		check_against_limit(errors, path, map_search(limits, r->n_limits, r->requests[i]->key), r->requests[i]);
		check_pages(errors, at, r->requests[i]);
		huge |= resource_is_huge_page(r->requests[i]->key);
		basic |= str_eq(r->requests[i]->key, "cpu") || str_eq(r->requests[i]->key, "memory");
	}
	if (huge && !basic)
		field_forbidden(errors, path, "HugePages require cpu or memory");
	if (r->n_claims)
		check_claims(errors, FIELD(path, "claims"), r, claims);
}

void validate_overhead(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	CoreV1ResourceRequirements r = *(const CoreV1ResourceRequirements *)CoreV1ResourceRequirements_schema.zero;
	r.limits = spec->overhead;
	r.n_limits = spec->n_overhead;
	validate_resources(errors, path, &r, NULL, false);
}
