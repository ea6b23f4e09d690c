#include "scheduler/event.h"
#include "base/str.h"
#include "scheduler/pod.h"

bool event_matches(const struct event_interest *interest, const struct cluster_event *event)
{
	bool resource = interest->resource == EVENT_WILDCARD || interest->resource == event->resource ||
			(interest->resource == EVENT_POD &&
				(event->resource == EVENT_ASSIGNED_POD || event->resource == EVENT_UNSCHEDULED_POD));
	return resource && (interest->actions & event->action) == event->action;
}

static bool same_labels(const MetaV1ObjectMeta *a, const MetaV1ObjectMeta *b)
{
	size_t n = a ? a->n_labels : 0;
	if (n != (b ? b->n_labels : 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool found = false;
		for (size_t j = 0; j < n && !found; j++)
			found = str_eq(a->labels[i]->key, b->labels[j]->key) &&
				str_eq(a->labels[i]->value, b->labels[j]->value);
		if (!found)
			return false;
	}
	return true;
}

static bool same_allocatable(const CoreV1NodeStatus *a, const CoreV1NodeStatus *b)
{
	size_t n = a ? a->n_allocatable : 0;
	if (n != (b ? b->n_allocatable : 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool found = false;
		for (size_t j = 0; j < n && !found; j++)
			found = str_eq(a->allocatable[i]->key, b->allocatable[j]->key) &&
				resource_amount_of(RES_CPU, a->allocatable[i]->value) ==
					resource_amount_of(RES_CPU, b->allocatable[j]->value);
		if (!found)
			return false;
	}
	return true;
}

static bool same_taints(const CoreV1NodeSpec *a, const CoreV1NodeSpec *b)
{
	size_t n = a ? a->n_taints : 0;
	if (n != (b ? b->n_taints : 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		const CoreV1Taint *x = a->taints[i], *y = b->taints[i];
		if (!str_eq(x->key, y->key) || !str_eq(x->value, y->value) || !str_eq(x->effect, y->effect))
			return false;
	}
	return true;
}

static bool same_conditions(const CoreV1NodeStatus *a, const CoreV1NodeStatus *b)
{
	size_t n = a ? a->n_conditions : 0;
	if (n != (b ? b->n_conditions : 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool found = false;
		for (size_t j = 0; j < n && !found; j++)
			found = str_eq(a->conditions[i]->type, b->conditions[j]->type) &&
				str_eq(a->conditions[i]->status, b->conditions[j]->status);
		if (!found)
			return false;
	}
	return true;
}

unsigned node_changes(const CoreV1Node *old_node, const CoreV1Node *new_node)
{
	unsigned changes = 0;
	bool was_closed = old_node->spec && old_node->spec->unschedulable;
	bool is_closed = new_node->spec && new_node->spec->unschedulable;
	if ((was_closed && !is_closed) || !same_taints(old_node->spec, new_node->spec))
		changes |= EVENT_UPDATE_NODE_TAINT;
	if (!same_allocatable(old_node->status, new_node->status))
		changes |= EVENT_UPDATE_NODE_ALLOCATABLE;
	if (!same_labels(old_node->metadata, new_node->metadata))
		changes |= EVENT_UPDATE_NODE_LABEL;
	if (!same_conditions(old_node->status, new_node->status))
		changes |= EVENT_UPDATE_NODE_CONDITION;
	return changes;
}

static bool scaled_down(const struct pod_info *old_pod, const struct pod_info *new_pod)
{
	for (size_t i = 0; i < old_pod->held.n_items; i++) {
		const struct resource_amount *amount = &old_pod->held.items[i];
		if (!resource_has(&new_pod->held, amount->id) ||
			amount->value > resource_get(&new_pod->held, amount->id))
			return true;
	}
	return false;
}

unsigned pod_changes(const struct pod_info *old_pod, const struct pod_info *new_pod)
{
	const CoreV1PodSpec *a = old_pod->pod->spec, *b = new_pod->pod->spec;
	unsigned changes = 0;
	if (!same_labels(old_pod->pod->metadata, new_pod->pod->metadata))
		changes |= EVENT_UPDATE_POD_LABEL;
	if (scaled_down(old_pod, new_pod))
		changes |= EVENT_UPDATE_POD_SCALE_DOWN;
	if (a && b && a->n_scheduling_gates && !b->n_scheduling_gates)
		changes |= EVENT_UPDATE_POD_GATES_GONE;
	if (a && b && a->n_tolerations != b->n_tolerations)
		changes |= EVENT_UPDATE_POD_TOLERATION;
	return changes ? changes : EVENT_UPDATE_OTHER;
}
