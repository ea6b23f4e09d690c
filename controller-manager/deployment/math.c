/* How many replicas go where: no side effects. */
#include <math.h>
#include "base/str.h"
#include "controller-manager/deployment/deployment.h"

int32_t deployment_replicas(const AppsV1Deployment *d)
{
	return d->spec->has_replicas ? d->spec->replicas : 1;
}

int32_t set_replicas(const AppsV1ReplicaSet *set)
{
	return set->spec->has_replicas ? set->spec->replicas : 1;
}

bool deployment_is_rolling(const AppsV1Deployment *d)
{
	return str_eq(d->spec->strategy->type, "RollingUpdate");
}

/* Both bounds at once: when both round to nothing, one replica may be unavailable, or nothing would ever move. */
static void resolve_bounds(const AppsV1Deployment *d, int32_t *ret_surge, int32_t *ret_unavailable)
{
	const AppsV1RollingUpdateDeployment *u = d->spec->strategy->rolling_update;
	int32_t desired = deployment_replicas(d);
	*ret_surge = *ret_unavailable = 0;
	if (!u || !int_or_percent(u->max_surge, 0, desired, true, ret_surge) ||
		!int_or_percent(u->max_unavailable, 0, desired, false, ret_unavailable))
		return; /* validation lets no other form pass */
	if (*ret_surge == 0 && *ret_unavailable == 0)
		*ret_unavailable = 1;
}

int32_t deployment_max_surge(const AppsV1Deployment *d)
{
	int32_t surge, unavailable;
	if (!deployment_is_rolling(d))
		return 0;
	resolve_bounds(d, &surge, &unavailable);
	return surge;
}

int32_t deployment_max_unavailable(const AppsV1Deployment *d)
{
	int32_t surge, unavailable, replicas = deployment_replicas(d);
	if (!deployment_is_rolling(d) || replicas == 0)
		return 0;
	resolve_bounds(d, &surge, &unavailable);
	return unavailable > replicas ? replicas : unavailable;
}

bool deployment_has_deadline(const AppsV1Deployment *d)
{
	return d->spec->has_progress_deadline_seconds && d->spec->progress_deadline_seconds != INT32_MAX;
}

int32_t sets_spec_replicas(struct sets s)
{
	int32_t sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum += set_replicas(s.items[i]);
	return sum;
}

int32_t sets_actual_replicas(struct sets s)
{
	int32_t sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum += s.items[i]->status->replicas;
	return sum;
}

int32_t sets_available_replicas(struct sets s)
{
	int32_t sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum += s.items[i]->status->available_replicas;
	return sum;
}

int32_t sets_ready_replicas(struct sets s)
{
	int32_t sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum += s.items[i]->status->ready_replicas;
	return sum;
}

struct sets sets_with(struct arena *arena, struct sets s, const AppsV1ReplicaSet *one)
{
	struct sets all = {ARENA_ARRAY(arena, const AppsV1ReplicaSet *, s.n + 1), 0};
	for (size_t i = 0; i < s.n; i++)
		all.items[all.n++] = s.items[i];
	if (one)
		all.items[all.n++] = one;
	return all;
}

struct sets sets_active(struct arena *arena, struct sets s)
{
	struct sets active = {ARENA_ARRAY(arena, const AppsV1ReplicaSet *, s.n + 1), 0};
	for (size_t i = 0; i < s.n; i++)
		if (set_replicas(s.items[i]) > 0)
			active.items[active.n++] = s.items[i];
	return active;
}

static int by_age(const void *x, const void *y)
{
	const MetaV1ObjectMeta *a = (*(AppsV1ReplicaSet *const *)x)->metadata,
			       *b = (*(AppsV1ReplicaSet *const *)y)->metadata;
	int order = time_compare(a->creation_timestamp, b->creation_timestamp);
	return order ? order : str_cmp(a->name, b->name);
}

static int by_revision(const void *x, const void *y)
{
	int64_t a = object_revision(*(AppsV1ReplicaSet *const *)x), b = object_revision(*(AppsV1ReplicaSet *const *)y);
	return a == b ? by_age(x, y) : a < b ? -1 : 1;
}

static int by_size(const void *x, const void *y)
{
	int32_t a = set_replicas(*(AppsV1ReplicaSet *const *)x), b = set_replicas(*(AppsV1ReplicaSet *const *)y);
	return a == b ? 0 : a > b ? -1 : 1;
}

static int by_size_newer(const void *x, const void *y)
{
	int order = by_size(x, y);
	return order ? order : -by_age(x, y);
}

static int by_size_older(const void *x, const void *y)
{
	int order = by_size(x, y);
	return order ? order : by_age(x, y);
}

void sets_sort_by_age(struct sets s)
{
	if (s.n)
		qsort(s.items, s.n, sizeof(*s.items), by_age);
}

void sets_sort_by_revision(struct sets s)
{
	if (s.n)
		qsort(s.items, s.n, sizeof(*s.items), by_revision);
}

void sets_sort_by_size(struct sets s, bool newer_first)
{
	if (s.n)
		qsort(s.items, s.n, sizeof(*s.items), newer_first ? by_size_newer : by_size_older);
}

int32_t new_set_replicas(const AppsV1Deployment *d, struct sets all, const AppsV1ReplicaSet *new_set)
{
	int32_t desired = deployment_replicas(d), now = set_replicas(new_set);
	if (!deployment_is_rolling(d))
		return desired;
	/* The surge as it is written: the rule for both bounds being zero does not matter for growing. */
	int32_t total = sets_spec_replicas(all), max_total = desired + deployment_max_surge(d);
	if (total >= max_total)
		return now;
	int32_t grow = max_total - total;
	return now + (grow < desired - now ? grow : desired - now);
}

bool set_annotation_int(const AppsV1ReplicaSet *set, const char *annotation, int32_t *ret_value)
{
	const char *text = ANNOTATION_GET(set->metadata, annotation);
	int64_t value;
	if (str_empty(text) || *text == '+' || *text == '-' || !str_to_int64(text, 0, INT32_MAX, &value))
		return false;
	*ret_value = (int32_t)value;
	return true;
}

/* What the set would grow or shrink by if the whole kept its proportions. */
static int32_t set_fraction(const AppsV1ReplicaSet *set, const AppsV1Deployment *d)
{
	int32_t size = set_replicas(set), before;
	if (deployment_replicas(d) == 0)
		return -size;
	int32_t max = deployment_replicas(d) + deployment_max_surge(d);
	if (!set_annotation_int(set, MAX_REPLICAS_ANNOTATION, &before) || before == 0) {
		/* Somebody has removed the annotation: the present size is the best guess. */
		before = d->status->replicas;
		if (before == 0)
			return 0;
	}
	double grown = (double)((int64_t)size * max) / before;
	return (int32_t)(grown < 0 ? grown - 0.5 : grown + 0.5) - size;
}

int32_t set_proportion(const AppsV1ReplicaSet *set, const AppsV1Deployment *d, int32_t to_add, int32_t added)
{
	if (!set || set_replicas(set) == 0 || to_add == 0 || to_add == added)
		return 0;
	int32_t fraction = set_fraction(set, d), allowed = to_add - added;
	if (to_add > 0)
		return fraction < allowed ? fraction : allowed;
	return fraction > allowed ? fraction : allowed;
}

bool set_is_saturated(const AppsV1Deployment *d, const AppsV1ReplicaSet *set)
{
	int32_t desired, replicas = deployment_replicas(d);
	return set && set_annotation_int(set, DESIRED_REPLICAS_ANNOTATION, &desired) && set_replicas(set) == replicas &&
	       desired == replicas && set->status->available_replicas == replicas;
}
