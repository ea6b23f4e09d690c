/* Changing the sizes of replica sets. */
#include "base/str.h"
#include "controller-manager/deployment/deployment.h"

static void replace_in(struct sets s, const AppsV1ReplicaSet *old, const AppsV1ReplicaSet *updated)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.items[i] == old)
			s.items[i] = updated;
}

struct status *scale_set(struct rollout *r, const AppsV1ReplicaSet *set, int32_t size, bool *ret_scaled)
{
	int32_t old_size = set_replicas(set), desired = deployment_replicas(r->d);
	AppsV1ReplicaSet *copy = object_copy(r->arena, set), *updated;
	bool annotated = set_replicas_annotations(r->arena, copy, desired, desired + deployment_max_surge(r->d));
	*ret_scaled = false;
	if (old_size == size && !annotated)
		return NULL;
	copy->spec->has_replicas = true;
	copy->spec->replicas = size;
	TRY(client_update(r->ctx->client, r->arena, copy, &updated));
	object_complete(r->arena, updated);
	replace_in(r->all, set, updated);
	replace_in(r->old, set, updated);
	if (r->new_set == set)
		r->new_set = updated;
	if (old_size == size)
		return NULL;
	*ret_scaled = true;
	event_record(r->ctx->recorder, r->d, EVENT_NORMAL, "ScalingReplicaSet",
		"Scaled %s replica set %s from %d to %d", old_size < size ? "up" : "down", set->metadata->name,
		old_size, size);
	return NULL;
}

struct status *resize_set(struct rollout *r, const AppsV1ReplicaSet *set, int32_t size, bool *ret_scaled)
{
	*ret_scaled = false;
	return set_replicas(set) == size ? NULL : scale_set(r, set, size, ret_scaled);
}

/* The only active set, or the newest when none is; NULL when several are active. */
static const AppsV1ReplicaSet *active_or_latest(struct rollout *r)
{
	struct sets active = sets_active(r->arena, sets_with(r->arena, r->old, r->new_set));
	if (active.n == 1)
		return active.items[0];
	if (active.n > 1)
		return NULL;
	if (r->new_set)
		return r->new_set;
	struct sets old = sets_with(r->arena, r->old, NULL);
	sets_sort_by_age(old);
	return old.n ? old.items[old.n - 1] : NULL;
}

static struct status *spread(struct rollout *r)
{
	bool scaled;
	struct sets active = sets_active(r->arena, sets_with(r->arena, r->old, r->new_set));
	int32_t desired = deployment_replicas(r->d);
	int32_t allowed = desired > 0 ? desired + deployment_max_surge(r->d) : 0;
	int32_t to_add = allowed - sets_spec_replicas(active), added = 0;
	/* Of equal sets newer ones grow first and older ones shrink first. */
	if (to_add != 0)
		sets_sort_by_size(active, to_add > 0);
	int32_t *sizes = ARENA_ARRAY(r->arena, int32_t, active.n + 1);
	for (size_t i = 0; i < active.n; i++) {
		int32_t share = to_add ? set_proportion(active.items[i], r->d, to_add, added) : 0;
		sizes[i] = set_replicas(active.items[i]) + share;
		added += share;
	}
	if (active.n && to_add) {
		sizes[0] += to_add - added;
		if (sizes[0] < 0)
			sizes[0] = 0;
	}
	for (size_t i = 0; i < active.n; i++)
		TRY(scale_set(r, active.items[i], sizes[i], &scaled));
	return NULL;
}

struct status *scale_proportionally(struct rollout *r)
{
	bool scaled;
	const AppsV1ReplicaSet *one = active_or_latest(r);
	if (one)
		return resize_set(r, one, deployment_replicas(r->d), &scaled);
	if (set_is_saturated(r->d, r->new_set)) {
		struct sets active = sets_active(r->arena, r->old);
		for (size_t i = 0; i < active.n; i++)
			TRY(resize_set(r, active.items[i], 0, &scaled));
		return NULL;
	}
	return deployment_is_rolling(r->d) ? spread(r) : NULL;
}
