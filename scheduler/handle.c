/* Answers to what plugins ask of the scheduler. */
#include "api/meta.h"
#include "base/encode.h"
#include "base/str.h"
#include "scheduler/internal.h"

/* xorshift64*: good enough to break ties, the same for the same seed. */
static uint32_t random_for(void *data, uint32_t n)
{
	struct scheduler *s = data;
	uint64_t x = s->random_state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	s->random_state = x;
	return (uint32_t)(((x * 0x2545f4914f6cdd1dULL) >> 32) * n >> 32);
}

static void namespace_labels(void *data, const char *name, MapStringEntry *const **ret_labels, size_t *ret_n)
{
	struct scheduler *s = data;
	const CoreV1Namespace *ns = informer_get(s->namespace_informer, s->scratch, "", name);
	*ret_labels = ns && ns->metadata ? ns->metadata->labels : NULL;
	*ret_n = ns && ns->metadata ? ns->metadata->n_labels : 0;
}

static const CoreV1PersistentVolumeClaim *claim(void *data, const char *namespace_, const char *name)
{
	struct scheduler *s = data;
	return informer_get(s->claim_informer, s->scratch, namespace_, name);
}

static const CoreV1PersistentVolume *volume(void *data, const char *name)
{
	struct scheduler *s = data;
	return informer_get(s->volume_informer, s->scratch, "", name);
}

static const StorageV1StorageClass *storage_class(void *data, const char *name)
{
	struct scheduler *s = data;
	return informer_get(s->class_informer, s->scratch, "", name);
}

static size_t nominated(void *data, const char *node, struct pod_info *const **ret_pods)
{
	return nominator_list(((struct scheduler *)data)->nominator, node, ret_pods);
}

static size_t disruption_budgets(void *data, struct arena *arena, PolicyV1PodDisruptionBudget ***ret)
{
	size_t n = 0;
	*ret = (PolicyV1PodDisruptionBudget **)(uintptr_t)informer_list(
		((struct scheduler *)data)->budget_informer, arena, NULL, &n);
	return n;
}

static bool is_preempting(void *data, const struct pod_info *pod)
{
	return strmap_has(((struct scheduler *)data)->preempting, pod->uid);
}

static MetaV1LabelSelector *selector_of_map(struct arena *arena, MapStringEntry **labels, size_t n_labels)
{
	MetaV1LabelSelector *selector = API_NEW(arena, MetaV1LabelSelector);
	selector->match_labels = labels;
	selector->n_match_labels = n_labels;
	return selector;
}

static const MetaV1LabelSelector *owner_selector(
	struct scheduler *s, struct arena *arena, const struct pod_info *pod, const MetaV1OwnerReference *owner)
{
	if (str_eq(owner->kind, "ReplicationController")) {
		const CoreV1ReplicationController *rc =
			informer_get(s->controller_informer, arena, pod->namespace_, owner->name);
		return rc && rc->spec && rc->spec->n_selector
			       ? selector_of_map(arena, rc->spec->selector, rc->spec->n_selector)
			       : NULL;
	}
	if (str_eq(owner->kind, "ReplicaSet")) {
		const AppsV1ReplicaSet *rs = informer_get(s->replica_set_informer, arena, pod->namespace_, owner->name);
		return rs && rs->spec ? rs->spec->selector : NULL;
	}
	if (str_eq(owner->kind, "StatefulSet")) {
		const AppsV1StatefulSet *set =
			informer_get(s->stateful_set_informer, arena, pod->namespace_, owner->name);
		return set && set->spec ? set->spec->selector : NULL;
	}
	return NULL;
}

/* What selects a pod: the services that do, and its controller. */
static size_t pod_selectors(
	void *data, struct arena *arena, const struct pod_info *pod, const MetaV1LabelSelector ***ret)
{
	struct scheduler *s = data;
	const MetaV1LabelSelector **out = NULL;
	const MetaV1ObjectMeta *meta = pod->pod->metadata;
	size_t n = 0, n_services = 0;
	const void *const *services = informer_list(s->service_informer, arena, pod->namespace_, &n_services);
	for (size_t i = 0; meta && i < n_services; i++) {
		const CoreV1Service *service = services[i];
		if (!service->spec || !service->spec->n_selector)
			continue;
		MetaV1LabelSelector *selector =
			selector_of_map(arena, service->spec->selector, service->spec->n_selector);
		if (label_selector_matches(selector, meta->labels, meta->n_labels))
			ARENA_PUSH(arena, out, n) = selector;
	}
	const MetaV1OwnerReference *owner = meta ? meta_controller_of(meta) : NULL;
	const MetaV1LabelSelector *selector = owner ? owner_selector(s, arena, pod, owner) : NULL;
	if (selector && !label_selector_is_empty(selector))
		ARENA_PUSH(arena, out, n) = selector;
	*ret = out;
	return n;
}

void scheduler_handle_init(struct scheduler *s)
{
	if (!s->random_state)
		random_bytes(&s->random_state, sizeof s->random_state);
	s->random_state |= 1;
	s->handle.data = s;
	s->handle.nodes = s->nodes;
	s->handle.random_below = random_for;
	s->handle.namespace_labels = namespace_labels;
	s->handle.pod_selectors = pod_selectors;
	s->handle.claim = claim;
	s->handle.volume = volume;
	s->handle.storage_class = storage_class;
	s->handle.nominated = nominated;
	s->handle.disruption_budgets = disruption_budgets;
	s->handle.preempt = scheduler_preempt;
	s->handle.is_preempting = is_preempting;
	s->handle.bind = scheduler_post_binding;
}
