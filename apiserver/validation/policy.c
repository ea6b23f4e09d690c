#include "apiserver/validation/policy.h"
#include "api/copy.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

void validate_int_or_percent(struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *value)
{
	size_t digits;
	if (!value)
		return;
	if (!intstr_is_string(value)) {
		validate_not_negative(errors, path, value->int_val);
		return;
	}
	digits = strspn(str_or_empty(value->str_val), "0123456789");
	if (!digits || strcmp(value->str_val + digits, "%"))
		field_invalid_typed(errors, path, str_or_empty(value->str_val),
			"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
			"'93%', regex used for validation is '[0-9]+%')");
}

void validate_at_most_all(struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *value)
{
	int32_t percent = 0;
	if (intstr_is_string(value) && intstr_percent(value, &percent) && percent > 100)
		field_invalid_typed(errors, path, value->str_val, "must not be greater than 100%");
}

void validate_disruption_budget(struct field_errors *errors, const PolicyV1PodDisruptionBudget *budget)
{
	static const char *const policies[] = {"AlwaysAllow", "IfHealthyBudget", NULL};
	const PolicyV1PodDisruptionBudgetSpec *spec = budget->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (spec->min_available && spec->max_unavailable)
		field_invalid_internal(errors, path, spec, "minAvailable and maxUnavailable cannot be both set");
	validate_int_or_percent(errors, FIELD(path, "minAvailable"), spec->min_available);
	validate_at_most_all(errors, FIELD(path, "minAvailable"), spec->min_available);
	validate_int_or_percent(errors, FIELD(path, "maxUnavailable"), spec->max_unavailable);
	validate_at_most_all(errors, FIELD(path, "maxUnavailable"), spec->max_unavailable);
	validate_label_selector(errors, FIELD(path, "selector"), spec->selector);
	if (spec->unhealthy_pod_eviction_policy && !str_in(spec->unhealthy_pod_eviction_policy, policies))
		field_unsupported(errors, FIELD(path, "unhealthyPodEvictionPolicy"),
			spec->unhealthy_pod_eviction_policy, policies);
}

void validate_disruption_budget_status(struct field_errors *errors, const PolicyV1PodDisruptionBudget *budget)
{
	const PolicyV1PodDisruptionBudgetStatus *status = budget->status;
	const struct field_path *path = FIELD(NULL, "status");
	if (!status)
		return;
	validate_conditions(errors, FIELD(path, "conditions"), status->conditions, status->n_conditions);
	validate_not_negative(errors, FIELD(path, "disruptionsAllowed"), status->disruptions_allowed);
	validate_not_negative(errors, FIELD(path, "currentHealthy"), status->current_healthy);
	validate_not_negative(errors, FIELD(path, "desiredHealthy"), status->desired_healthy);
	validate_not_negative(errors, FIELD(path, "expectedPods"), status->expected_pods);
}

static void check_scheduling(struct field_errors *errors, const struct field_path *path, const NodeV1Scheduling *where)
{
	const struct field_path *tolerations = FIELD(path, "tolerations");
	validate_labels(errors, FIELD(path, "nodeSelector"), where->node_selector, where->n_node_selector);
	/* Spelled twice, as the original spells it. */
	validate_tolerations(errors, FIELD(tolerations, "tolerations"), where->tolerations, where->n_tolerations);
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < where->n_tolerations; i++) {
		const CoreV1Toleration *t = where->tolerations[i];
		const char *parts[] = {t->key, t->operator, t->value, t->effect};
		if (!nameset_add(&seen, nameset_join(errors->arena, parts, ARRAY_SIZE(parts))))
			field_duplicate_json(errors, FIELD_INDEX(tolerations, i), internal_json(errors->arena, t), "");
	}
}

void validate_runtime_class(struct field_errors *errors, const NodeV1RuntimeClass *class)
{
	const char *handler = str_or_empty(class->handler);
	validate_text(errors, FIELD(NULL, "handler"), handler, check_dns_label(errors->arena, handler));
	if (class->overhead) {
		CoreV1ResourceRequirements limits =
			*(const CoreV1ResourceRequirements *)CoreV1ResourceRequirements_schema.zero;
		limits.limits = class->overhead->pod_fixed;
		limits.n_limits = class->overhead->n_pod_fixed;
		validate_resources(errors, FIELD(NULL, "overhead"), &limits, NULL, false);
	}
	if (class->scheduling)
		check_scheduling(errors, FIELD(NULL, "scheduling"), class->scheduling);
}

void validate_runtime_class_update(
	struct field_errors *errors, const NodeV1RuntimeClass *class, const NodeV1RuntimeClass *old)
{
	if (!str_eq(class->handler, old->handler))
		field_invalid(errors, FIELD(NULL, "handler"), class->handler, "field is immutable");
}

/* What is wrong with a class of a name that is the system's; NULL: nothing. */
static const char *check_system_class(struct arena *arena, const SchedulingV1PriorityClass *class)
{
	static const struct {
		const char *name;
		int32_t value;
	} known[] = {{"system-node-critical", 2000001000}, {"system-cluster-critical", 2000000000}};
	const char *name = object_name(class);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!str_eq(known[i].name, name))
			continue;
		if (class->value != known[i].value)
			return arena_printf(arena, "value of %s PriorityClass must be %d", name, known[i].value);
		return class->global_default
			       ? arena_printf(arena, "globalDefault of %s PriorityClass must be false", name)
			       : NULL;
	}
	return arena_printf(arena, "%s is not a known system priority class", name);
}

void validate_priority_class(struct field_errors *errors, const SchedulingV1PriorityClass *class)
{
	static const char *const policies[] = {"PreemptLowerPriority", "Never", NULL};
	if (str_starts_with(object_name(class), "system-")) {
		const char *problem = check_system_class(errors->arena, class);
		if (problem)
			field_forbidden(errors, FIELD(FIELD(NULL, "metadata"), "name"),
				arena_printf(errors->arena,
					"priority class names with 'system-' prefix are reserved for system use only. "
					"error: %s",
					problem));
	} else if (class->value > 1000000000) {
		field_forbidden(
			errors, FIELD(NULL, "value"), "maximum allowed value of a user defined priority is 1000000000");
	}
	if (class->preemption_policy && !*class->preemption_policy)
		field_required(errors, FIELD(NULL, "preemptionPolicy"), "");
	else if (class->preemption_policy && !str_in(class->preemption_policy, policies))
		field_unsupported(errors, FIELD(NULL, "preemptionPolicy"), class->preemption_policy, policies);
}

void validate_priority_class_update(
	struct field_errors *errors, const SchedulingV1PriorityClass *class, const SchedulingV1PriorityClass *old)
{
	if (class->value != old->value)
		field_forbidden(errors, FIELD(NULL, "value"), "may not be changed in an update.");
	if (!str_eq(class->preemption_policy, old->preemption_policy))
		field_invalid_typed(
			errors, FIELD(NULL, "preemptionPolicy"), class->preemption_policy, "field is immutable");
}
