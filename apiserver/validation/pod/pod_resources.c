/*
 * Resources of the pod as a whole against those of its containers.
 */
#include "api/quantity.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/resources.h"
#include "base/mem.h"
#include "base/str.h"

static const ResourceQuantity *amount(const CoreV1Container *c, bool limits, const char *name)
{
	const CoreV1ResourceRequirements *r = c->resources;
	const MapQuantityEntry *e = !r	     ? NULL
				    : limits ? resource_entry(r->limits, r->n_limits, name)
					     : resource_entry(r->requests, r->n_requests, name);
	return e ? e->value : NULL;
}

static void grow_to(struct quantity *q, const struct quantity *other)
{
	if (quantity_compare(q, other) < 0)
		*q = *other;
}

/* Containers and sidecars run together; init containers run one by one, beside the sidecars before them. */
static struct quantity total(const CoreV1PodSpec *spec, bool limits, const char *name, bool *ret_any)
{
	struct quantity sum = {0}, sidecars = {0}, most = {0};
	*ret_any = false;
	for (size_t i = 0; i < spec->n_containers; i++) {
		const ResourceQuantity *value = amount(spec->containers[i], limits, name);
		struct quantity q = quantity_of(value);
		if (value && !*ret_any)
			sum.format = q.format;
		quantity_add(&sum, &q);
		*ret_any |= value != NULL;
	}
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		const CoreV1Container *c = spec->init_containers[i];
		const ResourceQuantity *value = amount(c, limits, name);
		struct quantity q = quantity_of(value), with = sidecars;
		*ret_any |= value != NULL;
		if (str_eq(c->restart_policy, "Always")) {
			quantity_add(&sidecars, &q);
			quantity_add(&sum, &q);
			grow_to(&most, &sidecars);
			continue;
		}
		quantity_add(&q, &with);
		grow_to(&most, &q);
	}
	grow_to(&sum, &most);
	return sum;
}

static void check_requests(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	const CoreV1ResourceRequirements *r = spec->resources;
	bool any;
	for (size_t i = 0; i < r->n_requests; i++) {
		struct quantity sum = total(spec, false, r->requests[i]->key, &any);
		struct quantity q = quantity_of(r->requests[i]->value);
		if (any && quantity_compare(&sum, &q) > 0)
			field_invalid(errors, FIELD_KEY(FIELD(path, "requests"), r->requests[i]->key),
				quantity_format(errors->arena, &q),
				arena_printf(errors->arena,
					"must be greater than or equal to aggregate container requests of %s",
					quantity_format(errors->arena, &sum)));
	}
	for (size_t i = 0; i < r->n_limits; i++) {
		struct quantity sum = total(spec, true, r->limits[i]->key, &any);
		struct quantity q = quantity_of(r->limits[i]->value);
		if (any && resource_is_huge_page(r->limits[i]->key) && quantity_compare(&sum, &q) > 0)
			field_invalid(errors, FIELD_KEY(FIELD(path, "limits"), r->limits[i]->key),
				quantity_format(errors->arena, &q),
				arena_printf(errors->arena,
					"must be greater than or equal to aggregate container limits of %s",
					quantity_format(errors->arena, &sum)));
	}
}

static void check_limits(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	const CoreV1ResourceRequirements *r = spec->resources;
	for (size_t i = 0; i < spec->n_containers; i++) {
		const CoreV1ResourceRequirements *own = spec->containers[i]->resources;
		for (size_t k = 0; own && k < own->n_limits; k++) {
			const MapQuantityEntry *limit = resource_entry(r->limits, r->n_limits, own->limits[k]->key);
			struct quantity q = quantity_of(own->limits[k]->value), most;
			if (!limit)
				continue;
			most = quantity_of(limit->value);
			if (quantity_compare(&q, &most) > 0)
				field_invalid(errors,
					FIELD(FIELD_KEY(FIELD_INDEX(FIELD(path, "containers"), i), limit->key),
						"limits"),
					quantity_format(errors->arena, &q),
					arena_printf(errors->arena, "must be less than or equal to pod limits of %s",
						quantity_format(errors->arena, &most)));
		}
	}
}

void validate_pod_resources(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	if (!spec->resources)
		return;
	if (spec->os && str_eq(spec->os->name, "windows")) {
		field_forbidden(errors, path, "may not be set for a windows pod");
		return;
	}
	if (spec->resources->claims)
		field_forbidden(errors, FIELD(path, "claims"), "claims may not be set for Resources at pod-level");
	const struct pod_claims claims = pod_claims_of(errors->arena, spec);
	validate_resources(errors, path, spec->resources, &claims, true);
	check_requests(errors, path, spec);
	check_limits(errors, path, spec);
}
