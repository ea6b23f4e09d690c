/*
 * Resources of the pod as a whole against those of its containers.
 */
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/resources.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

/* What one container has of a resource. */
struct share {
	const ResourceQuantity *value;
	bool init, sidecar;
};

struct shares {
	struct share *items;
	size_t n_items;
};

/* Of each resource, the containers that have some of it, in their order. */
struct amounts {
	struct arena *arena;
	struct nameset names;
	struct shares *shares; /* by name */
	size_t n_shares;
};

static void add_amounts(struct amounts *a, const CoreV1Container *c, bool limits, bool init)
{
	const CoreV1ResourceRequirements *r = c->resources;
	MapQuantityEntry *const *entries = !r ? NULL : limits ? r->limits : r->requests;
	const size_t n = !r ? 0 : limits ? r->n_limits : r->n_requests;
	for (size_t i = 0; i < n; i++) {
		size_t at = nameset_find(&a->names, entries[i]->key);
		if (at == SIZE_MAX) {
			at = a->n_shares;
			nameset_add(&a->names, entries[i]->key);
			ARENA_PUSH(a->arena, a->shares, a->n_shares) = (struct shares){0};
		}
		ARENA_PUSH(a->arena, a->shares[at].items, a->shares[at].n_items) =
			(struct share){entries[i]->value, init, init && str_eq(c->restart_policy, "Always")};
	}
}

static struct amounts amounts_of(struct arena *arena, const CoreV1PodSpec *spec, bool limits)
{
	struct amounts a = {.arena = arena, .names = {.arena = arena}};
	for (size_t i = 0; i < spec->n_containers; i++)
		add_amounts(&a, spec->containers[i], limits, false);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		add_amounts(&a, spec->init_containers[i], limits, true);
	return a;
}

static void grow_to(struct quantity *q, const struct quantity *other)
{
	if (quantity_compare(q, other) < 0)
		*q = *other;
}

/* Containers and sidecars run together; init containers run one by one, beside the sidecars before them. False: none
 * has any. */
static bool total(const struct amounts *amounts, const char *name, struct quantity *ret_sum)
{
	struct quantity sum = {0}, sidecars = {0}, most = {0};
	const size_t at = nameset_find(&amounts->names, name);
	if (at == SIZE_MAX)
		return false;
	const struct shares *shares = &amounts->shares[at];
	for (size_t i = 0; i < shares->n_items; i++) {
		struct quantity q = quantity_of(shares->items[i].value);
		if (!shares->items[i].init && !i)
			sum.format = q.format;
		if (!shares->items[i].init) {
			quantity_add(&sum, &q);
		} else if (shares->items[i].sidecar) {
			quantity_add(&sidecars, &q);
			quantity_add(&sum, &q);
			grow_to(&most, &sidecars);
		} else {
			quantity_add(&q, &sidecars);
			grow_to(&most, &q);
		}
	}
	grow_to(&sum, &most);
	*ret_sum = sum;
	return true;
}

static void check_requests(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	const CoreV1ResourceRequirements *r = spec->resources;
	const struct amounts requests = amounts_of(errors->arena, spec, false),
			     limits = amounts_of(errors->arena, spec, true);
	struct quantity sum;
	for (size_t i = 0; i < r->n_requests; i++) {
		struct quantity q = quantity_of(r->requests[i]->value);
		if (total(&requests, r->requests[i]->key, &sum) && quantity_compare(&sum, &q) > 0)
			field_invalid(errors, FIELD_KEY(FIELD(path, "requests"), r->requests[i]->key),
				quantity_format(errors->arena, &q),
				arena_printf(errors->arena,
					"must be greater than or equal to aggregate container requests of %s",
					quantity_format(errors->arena, &sum)));
	}
	for (size_t i = 0; i < r->n_limits; i++) {
		struct quantity q = quantity_of(r->limits[i]->value);
		if (resource_is_huge_page(r->limits[i]->key) && total(&limits, r->limits[i]->key, &sum) &&
			quantity_compare(&sum, &q) > 0)
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
	void *const *limits = MAP_SORTED(errors->arena, r->limits, r->n_limits);
	for (size_t i = 0; i < spec->n_containers; i++) {
		const CoreV1ResourceRequirements *own = spec->containers[i]->resources;
		for (size_t k = 0; own && k < own->n_limits; k++) {
			const MapQuantityEntry *limit = map_search(limits, r->n_limits, own->limits[k]->key);
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
