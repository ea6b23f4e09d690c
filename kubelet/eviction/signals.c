#include "kubelet/eviction/signals.h"

#include "api/meta.h"
#include "api/quantity.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/str.h"

static const struct {
	const char *name, *resource;
	enum condition condition;
	const char *hard; /* where the configuration has no hard thresholds of its own */
} signals[] = {
	[SIGNAL_MEMORY] = {"memory.available", "memory", CONDITION_MEMORY, "100Mi"},
	[SIGNAL_NODEFS] = {"nodefs.available", "ephemeral-storage", CONDITION_DISK, "10%"},
	[SIGNAL_NODEFS_INODES] = {"nodefs.inodesFree", "inodes", CONDITION_DISK, "5%"},
	[SIGNAL_IMAGEFS] = {"imagefs.available", "ephemeral-storage", CONDITION_DISK, "15%"},
	[SIGNAL_IMAGEFS_INODES] = {"imagefs.inodesFree", "inodes", CONDITION_DISK, "5%"},
	[SIGNAL_PIDS] = {"pid.available", "pids", CONDITION_PIDS, NULL},
};

const char *signal_resource(enum signal signal)
{
	return signals[signal].resource;
}

enum condition signal_condition(enum signal signal)
{
	return signals[signal].condition;
}

/* What a hard threshold is; NULL: there is none. Nothing and everything switch it off. */
static const char *hard_of(const struct settings *s, enum signal signal)
{
	const KubeletV1beta1KubeletConfiguration *c = s->config;
	const char *own = map_get(c->eviction_hard, c->n_eviction_hard, signals[signal].name);
	bool merged = c->has_merge_default_eviction_settings && c->merge_default_eviction_settings;
	const char *text = own || (c->n_eviction_hard && !merged) ? own : signals[signal].hard;
	return str_empty(text) || str_eq(text, "0%") || str_eq(text, "100%") ? NULL : text;
}

size_t thresholds_of(struct arena *arena, const struct settings *s, struct threshold **ret)
{
	const KubeletV1beta1KubeletConfiguration *c = s->config;
	size_t n = 0;
	*ret = NULL;
	for (size_t i = 0; i < N_SIGNALS; i++) {
		const char *name = signals[i].name, *hard = hard_of(s, (enum signal)i);
		const char *reclaim = map_get(c->eviction_minimum_reclaim, c->n_eviction_minimum_reclaim, name);
		const char *soft = map_get(c->eviction_soft, c->n_eviction_soft, name);
		const char *grace = map_get(c->eviction_soft_grace_period, c->n_eviction_soft_grace_period, name);
		int64_t grace_ns = 0;
		if (hard) {
			struct threshold t = {(enum signal)i, hard, reclaim, 0};
			ARENA_PUSH(arena, *ret, n) = t;
		}
		if (!soft)
			continue;
		if (!grace || !duration_parse(grace, &grace_ns) || grace_ns <= 0) {
			log_error("grace period must be specified for the soft eviction threshold %s", name);
			continue;
		}
		struct threshold t = {(enum signal)i, soft, reclaim, grace_ns / 1000000};
		ARENA_PUSH(arena, *ret, n) = t;
	}
	return n;
}

int64_t threshold_amount(const char *quantity, int64_t capacity)
{
	struct quantity q;
	/* A share is exact to a float, as the original's. */
	if (str_ends_with(quantity, "%"))
		return (int64_t)((double)capacity * (double)(strtof(quantity, NULL) / 100));
	return quantity_parse(quantity, &q) ? quantity_value(&q) : 0;
}

int64_t eviction_threshold(const struct settings *s, const char *name, int64_t capacity)
{
	for (size_t i = 0; i < N_SIGNALS; i++) {
		const char *hard = str_eq(signals[i].name, name) ? hard_of(s, (enum signal)i) : NULL;
		if (hard)
			return threshold_amount(hard, capacity);
	}
	return 0;
}

void thresholds_judge(const struct threshold *list, size_t n, struct threshold_state *states,
	const struct observation *observations, int64_t now_ms)
{
	for (size_t i = 0; i < n; i++) {
		const struct observation *o = &observations[list[i].signal];
		struct threshold_state *s = &states[i];
		int64_t least = threshold_amount(list[i].quantity, o->capacity);
		if (s->acts && list[i].reclaim)
			least += threshold_amount(list[i].reclaim, o->capacity);
		bool was = s->met;
		s->met = o->known && o->available < least;
		if (s->met && !was)
			s->since_ms = now_ms;
		s->acts = s->met && now_ms - s->since_ms >= list[i].grace_ms;
	}
}

const struct threshold *thresholds_first(const struct threshold *list, size_t n, const struct threshold_state *states)
{
	const struct threshold *first = NULL;
	for (size_t i = 0; i < n; i++)
		if (states[i].acts && (!first || list[i].signal < first->signal))
			first = &list[i];
	return first;
}
