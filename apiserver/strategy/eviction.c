#include "api/copy.h"
#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

#define MAX_ATTEMPTS 20
#define MAX_DISRUPTED_PODS 2000
#define RETRY_AFTER_SECONDS 10

/* An eviction on its way. */
struct eviction {
	struct request *request;
	const MetaV1DeleteOptions *options;
	bool dry_run;
	const CoreV1Pod *pod;
	const PolicyV1PodDisruptionBudget *budget;
};

static bool pod_phase_is(const CoreV1Pod *pod, const char *phase)
{
	return pod->status && str_eq(pod->status->phase, phase);
}

/* A pod whose end disrupts nothing any more. */
static bool is_ending(const CoreV1Pod *pod)
{
	return pod_phase_is(pod, "Succeeded") || pod_phase_is(pod, "Failed") || meta_is_deleting(pod->metadata);
}

static bool is_ready(const CoreV1Pod *pod)
{
	return pod->status &&
	       condition_is((void *const *)pod->status->conditions, pod->status->n_conditions, "Ready", "True");
}

static const char *asked_version(const MetaV1DeleteOptions *options)
{
	return options->preconditions ? options->preconditions->resource_version : NULL;
}

/* The options with the version as a precondition. */
static MetaV1DeleteOptions *options_at(struct arena *arena, const MetaV1DeleteOptions *options, const char *version)
{
	MetaV1DeleteOptions *copy = api_copy_msg(arena, options);
	ENSURE(arena, copy->preconditions, MetaV1Preconditions)->resource_version = arena_strdup(arena, version);
	return copy;
}

/* --- the budget --- */

static struct status *too_many(const char *budget)
{
	struct status *s = status_new(
		STATUS_TOO_MANY_REQUESTS, "Cannot evict pod as it would violate the pod's disruption budget.");
	s->retry_after_seconds = RETRY_AFTER_SECONDS;
	status_add_cause(
		s, "DisruptionBudget", "", "The disruption budget %s is still being processed by the server.", budget);
	return s;
}

static struct status *budget_forbids(const char *budget, const char *why)
{
	return status_details(
		status_new(STATUS_FORBIDDEN, "poddisruptionbudget.policy \"%s\" is forbidden: %s", budget, why),
		"policy", "poddisruptionbudget", budget);
}

/* Whether the budget has a disruption to give now. */
static struct status *check_budget(const PolicyV1PodDisruptionBudget *budget)
{
	static const PolicyV1PodDisruptionBudgetStatus none;
	const PolicyV1PodDisruptionBudgetStatus *status = budget->status ? budget->status : &none;
	const char *name = object_name(budget);
	if (status->observed_generation < budget->metadata->generation)
		return too_many(name);
	if (status->disruptions_allowed < 0)
		return budget_forbids(name, "pdb disruptions allowed is negative");
	if (status->n_disrupted_pods > MAX_DISRUPTED_PODS)
		return budget_forbids(
			name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
	if (status->disruptions_allowed > 0)
		return NULL;
	struct status *s = status_new(
		STATUS_TOO_MANY_REQUESTS, "Cannot evict pod as it would violate the pod's disruption budget.");
	status_add_cause(s, "DisruptionBudget", "",
		"The disruption budget %s needs %d healthy pods and has %d currently", name, status->desired_healthy,
		status->current_healthy);
	return s;
}

static void tell_used_up(struct arena *arena, PolicyV1PodDisruptionBudgetStatus *status)
{
	MetaV1Condition *condition = CONDITION(status, "DisruptionAllowed");
	if (!condition) {
		condition = API_NEW(arena, MetaV1Condition);
		condition->type = (char *)"DisruptionAllowed";
		ARENA_PUSH(arena, status->conditions, status->n_conditions) = condition;
	}
	if (!str_eq(condition->status, "False"))
		condition->last_transition_time = time_now(arena);
	condition->status = (char *)"False";
	condition->reason = (char *)"InsufficientPods";
	condition->message = (char *)"";
	condition->observed_generation = status->observed_generation;
}

/* Takes one of the disruptions that the budget allows. */
static struct status *spend(void *data, struct arena *arena, ProtobufCMessage *object)
{
	const struct eviction *e = data;
	PolicyV1PodDisruptionBudget *budget = (PolicyV1PodDisruptionBudget *)object;
	TRY(check_budget(budget));
	PolicyV1PodDisruptionBudgetStatus *status = ENSURE(arena, budget->status, PolicyV1PodDisruptionBudgetStatus);
	if (--status->disruptions_allowed == 0)
		tell_used_up(arena, status);
	PolicyV1PodDisruptionBudgetStatusDisruptedPodsEntry *entry = NULL;
	for (size_t i = 0; i < status->n_disrupted_pods; i++)
		if (str_eq(status->disrupted_pods[i]->key, object_name(e->pod)))
			entry = status->disrupted_pods[i];
	if (!entry) {
		entry = API_NEW(arena, PolicyV1PodDisruptionBudgetStatusDisruptedPodsEntry);
		entry->key = arena_strdup(arena, object_name(e->pod));
		ARENA_PUSH(arena, status->disrupted_pods, status->n_disrupted_pods) = entry;
	}
	entry->value = time_now(arena);
	return NULL;
}

/* The budgets that count the pod; *ret is the first. */
static struct status *find_budgets(struct eviction *e, size_t *ret_n)
{
	struct object_list list;
	const MetaV1ObjectMeta *meta = e->pod->metadata;
	*ret_n = 0;
	TRY(objects_fresh(e->request->objects));
	TRY(objects_list(e->request->objects, e->request->arena, &PolicyV1PodDisruptionBudget_schema,
		e->request->namespace, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const PolicyV1PodDisruptionBudget *budget = (const PolicyV1PodDisruptionBudget *)list.items[i];
		struct label_selector *selector;
		if (!budget->spec || !budget->spec->selector)
			continue;
		CLEANUP_STATUS struct status *bad =
			label_selector_from_api(e->request->arena, budget->spec->selector, &selector);
		if (bad || !label_selector_matches(selector, meta->labels, meta->n_labels))
			continue;
		if (!(*ret_n)++)
			e->budget = budget;
	}
	return NULL;
}

/* A pod that is not ready may go without being counted, by its budget's policy, or while enough others are healthy. */
static bool goes_uncounted(const struct eviction *e)
{
	const PolicyV1PodDisruptionBudgetStatus *status = e->budget->status;
	return !is_ready(e->pod) &&
	       (str_eq(e->budget->spec->unhealthy_pod_eviction_policy, "AlwaysAllow") ||
		       (status && status->desired_healthy > 0 && status->current_healthy >= status->desired_healthy));
}

/* --- the end of the pod --- */

static struct status *precondition_failed(
	const CoreV1Pod *pod, const char *what, const char *asked, const char *found, const char *perhaps)
{
	return status_details(
		status_new(STATUS_CONFLICT,
			"Operation cannot be fulfilled on Pod \"%s\": the %s in the precondition (%s) does "
			"not match the %s in record (%s). The object might have been %s",
			object_name(pod), what, asked, what, found, perhaps),
		"", "Pod", object_name(pod));
}

/* Says on the pod why it goes, for whoever counts failures (Jobs do). */
static struct status *mark_disrupted(void *data, struct arena *arena, ProtobufCMessage *object)
{
	const MetaV1DeleteOptions *options = data;
	const MetaV1Preconditions *p = options->preconditions;
	CoreV1Pod *pod = (CoreV1Pod *)object;
	if (p && !str_empty(p->uid) && !str_eq(p->uid, object_uid(pod)))
		return precondition_failed(pod, "UID", p->uid, object_uid(pod), "deleted and then recreated");
	if (p && !str_empty(p->resource_version) && !str_eq(p->resource_version, pod->metadata->resource_version))
		return precondition_failed(
			pod, "ResourceVersion", p->resource_version, pod->metadata->resource_version, "modified");
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
	condition->observed_generation = 0;
	return NULL;
}

static struct status *delete_pod(const struct eviction *e, const MetaV1DeleteOptions *options)
{
	struct request deletion = *e->request;
	ProtobufCMessage *object;
	bool at_once;
	if (!e->dry_run) {
		TRY(objects_modify(e->request->objects, e->request->arena, &CoreV1Pod_schema, "eviction",
			e->request->namespace, e->request->name, mark_disrupted, (void *)(uintptr_t)options, &object));
		if (asked_version(options))
			options = options_at(e->request->arena, options, object_meta(object)->resource_version);
	}
	deletion.verb = "delete";
	deletion.subresource = "";
	deletion.dry_run = e->dry_run;
	return registry_delete(&deletion, options, &object, &at_once);
}

static struct status *read_pod(struct eviction *e)
{
	const ProtobufCMessage *object;
	TRY(objects_get_live(e->request->objects, e->request->arena, &CoreV1Pod_schema, e->request->namespace,
		e->request->name, &object));
	e->pod = (const CoreV1Pod *)object;
	return NULL;
}

/* Pods that are finished, or have not begun, are no disruption. One that has not begun may not begin meanwhile. */
static struct status *evict_uncounted(struct eviction *e, bool *ret_done)
{
	for (int attempt = 0;; attempt++) {
		TRY(read_pod(e));
		*ret_done = is_ending(e->pod) || pod_phase_is(e->pod, "Pending");
		if (!*ret_done)
			return NULL;
		const MetaV1DeleteOptions *options = e->options;
		if (!is_ending(e->pod) && !asked_version(options))
			options = options_at(e->request->arena, options, e->pod->metadata->resource_version);
		struct status *s = delete_pod(e, options);
		if (!status_is(s, STATUS_CONFLICT) || asked_version(e->options) || attempt >= MAX_ATTEMPTS)
			return s;
		status_drop(s, "the pod changed meanwhile and is judged again");
	}
}

static struct status *evict_counted(struct eviction *e)
{
	size_t n;
	TRY(find_budgets(e, &n));
	if (n > 1)
		return status_with_code(
			status_new(STATUS_UNKNOWN, "This pod has more than one PodDisruptionBudget, which the eviction "
						   "subresource does not support."),
			500);
	if (n && goes_uncounted(e)) {
		struct status *s =
			delete_pod(e, options_at(e->request->arena, e->options, e->pod->metadata->resource_version));
		if (!status_is(s, STATUS_CONFLICT) || asked_version(e->options))
			return s;
		status_drop(s, "the pod may have become ready: who asks again is told");
		return too_many(object_name(e->budget));
	}
	if (n && e->dry_run)
		TRY(check_budget(e->budget));
	else if (n)
		TRY(objects_modify(e->request->objects, e->request->arena, &PolicyV1PodDisruptionBudget_schema,
			"status", e->request->namespace, object_name(e->budget), spend, e, NULL));
	return delete_pod(e, e->options);
}

/* --- the request --- */

static struct status *check_options(struct eviction *e, const PolicyV1Eviction *eviction)
{
	struct request *request = e->request;
	const MetaV1DeleteOptions *options = eviction->delete_options;
	e->options = options ? options : API_NEW(request->arena, MetaV1DeleteOptions);
	e->dry_run = request->dry_run || e->options->n_dry_run;
	if (e->options->has_ignore_store_read_error_with_cluster_breaking_potential &&
		e->options->ignore_store_read_error_with_cluster_breaking_potential) {
		struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
		field_invalid_bool(&errors,
			FIELD(FIELD(NULL, "deleteOptions"), "ignoreStoreReadErrorWithClusterBreakingPotential"), true,
			"can not be set for pod eviction, try after removing the option");
		return field_errors_status(&errors, "policy", "Eviction", request->name);
	}
	if (request->dry_run && e->options->n_dry_run &&
		(e->options->n_dry_run > 1 || !str_eq(e->options->dry_run[0], "All")))
		return status_with_code(
			status_new(STATUS_UNKNOWN,
				"Non-matching dry-run options in request and content: [All] and [%s]",
				str_join(request->arena, e->options->dry_run, e->options->n_dry_run, " ")),
			500);
	return NULL;
}

struct status *pod_evict(struct request *request, ProtobufCMessage *body, ProtobufCMessage **ret_object)
{
	const PolicyV1Eviction *eviction = (const PolicyV1Eviction *)body;
	struct eviction e = {.request = request};
	bool done;
	if (!str_eq(object_name(eviction), request->name))
		return status_bad_request("name in URL does not match name in Eviction object");
	TRY(check_options(&e, eviction));
	TRY(evict_uncounted(&e, &done));
	if (!done)
		TRY(evict_counted(&e));
	MetaV1Status *status = API_NEW(request->arena, MetaV1Status);
	status->status = (char *)"Success";
	status->code = 201;
	*ret_object = &status->base;
	return NULL;
}
