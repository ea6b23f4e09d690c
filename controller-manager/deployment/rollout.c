/* The two strategies: RollingUpdate and Recreate. */
#include "base/str.h"
#include "controller-manager/deployment/deployment.h"
#include "controller-manager/support/pods.h"

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static struct status *grow_new(struct rollout *r, bool *ret_scaled)
{
	int32_t desired = deployment_replicas(r->d), now = set_replicas(r->new_set);
	*ret_scaled = false;
	if (now == desired)
		return NULL;
	if (now > desired)
		return resize_set(r, r->new_set, desired, ret_scaled);
	int32_t size = new_set_replicas(r->d, sets_with(r->arena, r->old, r->new_set), r->new_set);
	return resize_set(r, r->new_set, size, ret_scaled);
}

/* Replicas of old sets that are not available go first: they would only hold the rollout up. */
static struct status *shrink_unhealthy(struct rollout *r, struct sets old, int32_t most, int32_t *ret_n)
{
	bool scaled;
	*ret_n = 0;
	sets_sort_by_age(old);
	for (size_t i = 0; i < old.n && *ret_n < most; i++) {
		int32_t size = set_replicas(old.items[i]);
		int32_t down = smaller(most - *ret_n, size - old.items[i]->status->available_replicas);
		if (size == 0 || down <= 0)
			continue;
		TRY(resize_set(r, old.items[i], size - down, &scaled));
		*ret_n += down;
	}
	return NULL;
}

static struct status *shrink_available(struct rollout *r, struct sets old, int32_t *ret_n)
{
	bool scaled;
	int32_t least = deployment_replicas(r->d) - deployment_max_unavailable(r->d);
	int32_t most = sets_available_replicas(sets_with(r->arena, old, r->new_set)) - least;
	*ret_n = 0;
	sets_sort_by_age(old);
	for (size_t i = 0; i < old.n && *ret_n < most; i++) {
		int32_t size = set_replicas(old.items[i]), down = smaller(size, most - *ret_n);
		if (size == 0)
			continue;
		TRY(resize_set(r, old.items[i], size - down, &scaled));
		*ret_n += down;
	}
	return NULL;
}

static struct status *shrink_old(struct rollout *r, bool *ret_scaled)
{
	*ret_scaled = false;
	struct sets old = sets_active(r->arena, r->old);
	if (sets_spec_replicas(old) == 0)
		return NULL;
	/*
	 * Unavailable replicas of the new set count against what may go, so that a new version that does not come up
	 * never takes the old one down with it.
	 */
	int32_t least = deployment_replicas(r->d) - deployment_max_unavailable(r->d);
	int32_t unavailable = set_replicas(r->new_set) - r->new_set->status->available_replicas;
	int32_t most = sets_spec_replicas(sets_with(r->arena, r->old, r->new_set)) - least - unavailable;
	if (most <= 0)
		return NULL;
	int32_t n_unhealthy, n_available;
	TRY(shrink_unhealthy(r, old, most, &n_unhealthy));
	TRY(shrink_available(r, sets_active(r->arena, r->old), &n_available));
	*ret_scaled = n_unhealthy + n_available > 0;
	return NULL;
}

struct status *roll_out(struct rollout *r)
{
	bool scaled;
	TRY(sync_revisions(r, true));
	TRY(grow_new(r, &scaled));
	if (!scaled)
		TRY(shrink_old(r, &scaled));
	if (!scaled && deployment_complete(r->d, r->d->status))
		TRY(delete_old_revisions(r));
	return sync_rollout_status(r);
}

static bool old_pods_run(struct rollout *r)
{
	if (sets_actual_replicas(r->old) > 0)
		return true;
	for (size_t i = 0; i < r->n_pods; i++) {
		const MetaV1OwnerReference *ref = controller_of(r->pods[i]->metadata);
		if (!ref || pod_is_terminal(r->pods[i]))
			continue;
		for (size_t j = 0; j < r->old.n; j++)
			if (str_eq(ref->uid, r->old.items[j]->metadata->uid))
				return true;
	}
	return false;
}

struct status *recreate(struct rollout *r)
{
	bool scaled, any = false;
	TRY(sync_revisions(r, false));
	struct sets active = sets_active(r->arena, r->old);
	for (size_t i = 0; i < active.n; i++) {
		TRY(resize_set(r, active.items[i], 0, &scaled));
		any |= scaled;
	}
	if (any || old_pods_run(r))
		return sync_rollout_status(r);
	if (!r->new_set)
		TRY(sync_revisions(r, true));
	TRY(resize_set(r, r->new_set, deployment_replicas(r->d), &scaled));
	if (deployment_complete(r->d, r->d->status))
		TRY(delete_old_revisions(r));
	return sync_rollout_status(r);
}
