#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

/* Pods that are finished, or have not begun, are never a disruption. */
static bool needs_budget(const CoreV1Pod *pod)
{
	const char *phase = pod->status ? str_or_empty(pod->status->phase) : "";
	return strcmp(phase, "Succeeded") && strcmp(phase, "Failed") && strcmp(phase, "Pending") &&
	       !meta_is_deleting(pod->metadata);
}

static struct status *find_budget(
	struct request *request, const CoreV1Pod *pod, const PolicyV1PodDisruptionBudget **ret)
{
	struct object_list list;
	*ret = NULL;
	TRY(objects_list(
		request->objects, request->arena, &PolicyV1PodDisruptionBudget_schema, request->namespace, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const PolicyV1PodDisruptionBudget *budget = (const PolicyV1PodDisruptionBudget *)list.items[i];
		struct label_selector *selector;
		if (!budget->spec || !budget->spec->selector)
			continue;
		TRY(label_selector_from_api(request->arena, budget->spec->selector, &selector));
		if (!label_selector_matches(selector, pod->metadata ? pod->metadata->labels : NULL,
			    pod->metadata ? pod->metadata->n_labels : 0))
			continue;
		if (*ret)
			return status_internal(
				"This pod has more than one PodDisruptionBudget, which the eviction subresource does "
				"not support.");
		*ret = budget;
	}
	return NULL;
}

/* Takes one of the disruptions that the budget allows. */
static struct status *spend(void *data, struct arena *arena, ProtobufCMessage *object)
{
	const CoreV1Pod *pod = data;
	PolicyV1PodDisruptionBudget *budget = (PolicyV1PodDisruptionBudget *)object;
	PolicyV1PodDisruptionBudgetStatus *status = ENSURE(arena, budget->status, PolicyV1PodDisruptionBudgetStatus);
	if (status->disruptions_allowed <= 0) {
		struct status *s = status_new(
			STATUS_TOO_MANY_REQUESTS, "Cannot evict pod as it would violate the pod's disruption budget.");
		status_add_cause(s, "DisruptionBudget", "",
			"The disruption budget %s needs %d healthy pods and has %d currently", object_name(budget),
			status->desired_healthy, status->current_healthy);
		return s;
	}
	status->disruptions_allowed--;
	PolicyV1PodDisruptionBudgetStatusDisruptedPodsEntry *entry =
		API_NEW(arena, PolicyV1PodDisruptionBudgetStatusDisruptedPodsEntry);
	entry->key = arena_strdup(arena, object_name(pod));
	entry->value = time_now(arena);
	ARENA_PUSH(arena, status->disrupted_pods, status->n_disrupted_pods) = entry;
	return NULL;
}

/* Says on the pod why it goes, for whoever counts failures (Jobs do). */
static struct status *mark_disrupted(void *data, struct arena *arena, ProtobufCMessage *object)
{
	CoreV1Pod *pod = (CoreV1Pod *)object;
	CoreV1PodStatus *status = ENSURE(arena, pod->status, CoreV1PodStatus);
	CoreV1PodCondition *condition = CONDITION(status, "DisruptionTarget");
	if (!condition) {
		condition = API_NEW(arena, CoreV1PodCondition);
		condition->type = (char *)"DisruptionTarget";
		ARENA_PUSH(arena, status->conditions, status->n_conditions) = condition;
	}
	if (!str_eq(condition->status, "True"))
		condition->last_transition_time = time_now(arena);
	condition->status = (char *)"True";
	condition->reason = (char *)"EvictionByEvictionAPI";
	condition->message = (char *)"Eviction API: evicting";
	condition->observed_generation = pod->metadata ? pod->metadata->generation : 0;
	return NULL;
}

struct status *pod_evict(struct request *request, ProtobufCMessage *body, ProtobufCMessage **ret_object)
{
	const PolicyV1Eviction *eviction = API_IS(body, PolicyV1Eviction) ? (const PolicyV1Eviction *)body : NULL;
	if (eviction && !str_empty(object_name(eviction)) && !str_eq(object_name(eviction), request->name))
		return status_bad_request("name in URL does not match name in Eviction object");
	const ProtobufCMessage *object;
	TRY(objects_get_live(
		request->objects, request->arena, &CoreV1Pod_schema, request->namespace, request->name, &object));
	const CoreV1Pod *pod = (const CoreV1Pod *)object;
	const PolicyV1PodDisruptionBudget *budget = NULL;
	if (needs_budget(pod))
		TRY(find_budget(request, pod, &budget));
	if (budget && !request->dry_run)
		TRY(objects_modify(request->objects, request->arena, &PolicyV1PodDisruptionBudget_schema, "status",
			request->namespace, object_name(budget), spend, (void *)pod, NULL));
	MetaV1DeleteOptions *options = API_NEW(request->arena, MetaV1DeleteOptions);
	if (eviction && eviction->delete_options)
		options = eviction->delete_options;
	if (!request->dry_run)
		TRY(objects_modify(request->objects, request->arena, &CoreV1Pod_schema, "status", request->namespace,
			request->name, mark_disrupted, NULL, NULL));
	struct request deletion = *request;
	deletion.verb = "delete";
	deletion.subresource = "";
	ProtobufCMessage *gone;
	bool at_once;
	TRY(registry_delete(&deletion, options, &gone, &at_once));
	MetaV1Status *status = API_NEW(request->arena, MetaV1Status);
	status->status = (char *)"Success";
	status->code = 201;
	*ret_object = &status->base;
	return NULL;
}
