#include "controller-manager/node/taints.h"

#include "api/placement.h"
#include "base/str.h"

const CoreV1NodeCondition *node_condition(const CoreV1Node *node, const char *type)
{
	for (size_t i = 0; i < node->status->n_conditions; i++)
		if (str_eq(node->status->conditions[i]->type, type))
			return node->status->conditions[i];
	return NULL;
}

const char *node_condition_status(const CoreV1Node *node, const char *type)
{
	const CoreV1NodeCondition *c = node_condition(node, type);
	return c ? c->status : "";
}

bool node_is_ready(const CoreV1Node *node)
{
	return str_eq(node_condition_status(node, "Ready"), "True");
}

const CoreV1Taint *node_taint(const CoreV1Node *node, const char *key, const char *effect)
{
	for (size_t i = 0; i < node->spec->n_taints; i++)
		if (str_eq(node->spec->taints[i]->key, key) && str_eq(node->spec->taints[i]->effect, effect))
			return node->spec->taints[i];
	return NULL;
}

bool node_set_taint(struct arena *arena, CoreV1Node *node, const char *key, const char *effect, bool present,
	const struct clock *clock)
{
	CoreV1NodeSpec *spec = node->spec;
	if ((node_taint(node, key, effect) != NULL) == present)
		return false;
	if (!present) {
		size_t kept = 0;
		for (size_t i = 0; i < spec->n_taints; i++)
			if (!str_eq(spec->taints[i]->key, key) || !str_eq(spec->taints[i]->effect, effect))
				spec->taints[kept++] = spec->taints[i];
		spec->n_taints = kept;
		return true;
	}
	CoreV1Taint *taint = API_NEW(arena, CoreV1Taint);
	taint->key = arena_strdup(arena, key);
	taint->effect = arena_strdup(arena, effect);
	taint->time_added = now_time(arena, clock);
	ARENA_PUSH(arena, spec->taints, spec->n_taints) = taint;
	return true;
}

bool node_sync_schedule_taints(struct arena *arena, CoreV1Node *node, const struct clock *clock)
{
	static const struct {
		const char *condition, *status, *taint;
	} rules[] = {
		{"Ready", "False", TAINT_NOT_READY},
		{"Ready", "Unknown", TAINT_UNREACHABLE},
		{"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
		{"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
		{"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"},
		{"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
	};
	bool changed = false;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		bool wanted = str_eq(node_condition_status(node, rules[i].condition), rules[i].status);
		changed |= node_set_taint(arena, node, rules[i].taint, "NoSchedule", wanted, clock);
	}
	changed |= node_set_taint(arena, node, TAINT_UNSCHEDULABLE, "NoSchedule", node->spec->unschedulable, clock);
	return changed;
}

enum eviction pod_eviction(const CoreV1Pod *pod, const CoreV1Node *node, int64_t since_ns, int64_t *ret_at_ns)
{
	int64_t at = INT64_MAX;
	for (size_t i = 0; i < node->spec->n_taints; i++) {
		const CoreV1Taint *taint = node->spec->taints[i];
		if (!str_eq(taint->effect, "NoExecute"))
			continue;
		bool tolerated = false;
		int64_t begin = time_ns(taint->time_added) > since_ns ? time_ns(taint->time_added) : since_ns;
		for (size_t j = 0; j < pod->spec->n_tolerations && !tolerated; j++) {
			const CoreV1Toleration *t = pod->spec->tolerations[j];
			if (!toleration_tolerates(t, taint))
				continue;
			tolerated = true;
			if (!t->has_toleration_seconds)
				continue;
			/* The first that bears it says for how long. */
			int64_t seconds = t->toleration_seconds < 0 ? 0 : t->toleration_seconds;
			if (seconds < INT64_MAX / 2000000000 && begin + seconds * 1000000000 < at)
				at = begin + seconds * 1000000000;
		}
		if (!tolerated)
			at = 0;
	}
	*ret_at_ns = at;
	return at == INT64_MAX ? EVICT_NEVER : EVICT_AT;
}

struct status *node_write(struct controller_context *ctx, struct arena *arena, const CoreV1Node *node,
	bool (*change)(void *data, struct arena *arena, CoreV1Node *copy), void *data)
{
	struct status *s = NULL;
	for (int i = 0; i < 5; i++) {
		CoreV1Node *copy = object_copy(arena, node), *fresh;
		if (!change(data, arena, copy))
			return NULL;
		s = client_update(ctx->client, arena, copy, NULL);
		if (!status_is(s, STATUS_CONFLICT))
			break;
		status_drop(STEAL(s), "tried again with the newest version");
		TRY(client_get(ctx->client, arena, &CoreV1Node_schema, NULL, copy->metadata->name, &fresh));
		object_complete(arena, fresh);
		node = fresh;
	}
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "the node is gone");
		return NULL;
	}
	return s;
}
