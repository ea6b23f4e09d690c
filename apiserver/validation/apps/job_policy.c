#include "apiserver/validation/apps/job_policy.h"
#include "api/meta.h"
#include "apiserver/validation/apps/batch.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

enum { MAX_RULES = 20, MAX_VALUES = 255, MAX_PATTERNS = 20, MAX_SUCCESS_RULES = 20, MAX_INDEXES_BYTES = 64 * 1024 };

static bool has_container(const BatchV1JobSpec *spec, const char *name)
{
	const CoreV1PodSpec *pod = spec->template ? spec->template->spec : NULL;
	for (size_t i = 0; pod && i < pod->n_containers; i++)
		if (str_eq(pod->containers[i]->name, name))
			return true;
	for (size_t i = 0; pod && i < pod->n_init_containers; i++)
		if (str_eq(pod->init_containers[i]->name, name))
			return true;
	return false;
}

static char *numbers_json(struct arena *arena, const int32_t *values, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s%d", i ? "," : "[", values[i]);
	strbuf_adds(&out, n ? "]" : "null");
	return arena_strdup(arena, out.buf);
}

static void check_values(struct field_errors *errors, const struct field_path *path,
	const BatchV1PodFailurePolicyOnExitCodesRequirement *r)
{
	bool ordered = true;
	char *list = numbers_json(errors->arena, r->values, r->n_values);
	if (!r->n_values)
		field_invalid_json(errors, path, r->values ? "[]" : list, "at least one value is required");
	else if (r->n_values > MAX_VALUES)
		field_too_many(errors, path, r->n_values, MAX_VALUES);
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < r->n_values; i++) {
		bool again = !nameset_add_pair(&seen, "", r->values[i]);
		if (str_eq(r->operator, "In") && !r->values[i])
			field_invalid_int(errors, FIELD_INDEX(path, i), 0, "must not be 0 for the In operator");
		if (again)
			field_duplicate_int(errors, FIELD_INDEX(path, i), r->values[i]);
		ordered &= !i || r->values[i - 1] <= r->values[i];
	}
	if (!ordered)
		field_invalid_json(errors, path, list, "must be ordered");
}

static void check_exit_codes(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec,
	const BatchV1PodFailurePolicyOnExitCodesRequirement *r)
{
	static const char *const operators[] = {"In", "NotIn", NULL};
	if (str_empty(r->operator))
		field_required(errors, FIELD(path, "operator"), "valid values: [\"In\" \"NotIn\"]");
	else if (!str_in(r->operator, operators))
		field_unsupported(errors, FIELD(path, "operator"), r->operator, operators);
	if (r->container_name && !has_container(spec, r->container_name))
		field_invalid(errors, FIELD(path, "containerName"), r->container_name,
			"must be one of the container or initContainer names in the pod template");
	check_values(errors, FIELD(path, "values"), r);
}

static void check_patterns(
	struct field_errors *errors, const struct field_path *path, const BatchV1PodFailurePolicyRule *r)
{
	static const char *const statuses[] = {"False", "True", "Unknown", NULL};
	if (r->n_on_pod_conditions > MAX_PATTERNS)
		field_too_many(errors, path, r->n_on_pod_conditions, MAX_PATTERNS);
	for (size_t i = 0; i < r->n_on_pod_conditions; i++) {
		const BatchV1PodFailurePolicyOnPodConditionsPattern *p = r->on_pod_conditions[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		const char *type = str_or_empty(p->type);
		validate_text(errors, FIELD(at, "type"), type, check_qualified_name(errors->arena, type));
		if (str_empty(p->status))
			field_required(errors, FIELD(at, "status"), "valid values: [\"False\" \"True\" \"Unknown\"]");
		else if (!str_in(p->status, statuses))
			field_unsupported(errors, FIELD(at, "status"), p->status, statuses);
	}
}

static void check_failure_rule(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec,
	const BatchV1PodFailurePolicyRule *rule)
{
	static const char *const actions[] = {"Count", "FailIndex", "FailJob", "Ignore", NULL};
	const struct field_path *at = FIELD(path, "action");
	if (str_empty(rule->action))
		field_required(errors, at, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
	else if (str_eq(rule->action, "FailIndex") && !spec->has_backoff_limit_per_index)
		field_invalid(errors, at, rule->action, "requires the backoffLimitPerIndex to be set");
	else if (!str_in(rule->action, actions))
		field_unsupported(errors, at, rule->action, actions);
	if (rule->on_exit_codes)
		check_exit_codes(errors, FIELD(path, "onExitCodes"), spec, rule->on_exit_codes);
	check_patterns(errors, FIELD(path, "onPodConditions"), rule);
	if (rule->on_exit_codes && rule->n_on_pod_conditions)
		field_invalid_hidden(errors, path, "specifying both OnExitCodes and OnPodConditions is not supported");
	if (!rule->on_exit_codes && !rule->n_on_pod_conditions)
		field_invalid_hidden(errors, path, "specifying one of OnExitCodes and OnPodConditions is required");
}

void validate_failure_policy(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	const struct field_path *rules = FIELD(path, "rules");
	const BatchV1PodFailurePolicy *policy = spec->pod_failure_policy;
	if (!policy)
		return;
	if (policy->n_rules > MAX_RULES)
		field_too_many(errors, rules, policy->n_rules, MAX_RULES);
	for (size_t i = 0; i < policy->n_rules; i++)
		check_failure_rule(errors, FIELD_INDEX(rules, i), spec, policy->rules[i]);
}

static void check_success_rule(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec,
	const BatchV1SuccessPolicyRule *rule)
{
	const struct field_path *count = FIELD(path, "succeededCount"), *indexes = FIELD(path, "succeededIndexes");
	int32_t total = 0;
	if (!rule->has_succeeded_count && !rule->succeeded_indexes)
		field_required(errors, path, "at least one of succeededCount or succeededIndexes must be specified");
	if (rule->succeeded_indexes) {
		const char *problem = check_indexes(errors->arena, rule->succeeded_indexes, spec->completions, &total);
		if (strlen(rule->succeeded_indexes) > MAX_INDEXES_BYTES)
			field_too_long(errors, indexes, MAX_INDEXES_BYTES);
		if (problem)
			field_invalid(errors, indexes, rule->succeeded_indexes,
				arena_printf(errors->arena, "error parsing succeededIndexes: %s", problem));
	}
	if (!rule->has_succeeded_count)
		return;
	validate_not_negative(errors, count, rule->succeeded_count);
	if (rule->succeeded_count > spec->completions)
		field_invalid_int(errors, count, rule->succeeded_count,
			arena_printf(errors->arena,
				"must be less than or equal to %d (the number of specified completions)",
				spec->completions));
	if (rule->succeeded_indexes && rule->succeeded_count > total)
		field_invalid_int(errors, count, rule->succeeded_count,
			arena_printf(errors->arena,
				"must be less than or equal to %d (the number of indexes in the specified "
				"succeededIndexes field)",
				total));
}

void validate_success_policy(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec)
{
	const BatchV1SuccessPolicy *policy = spec->success_policy;
	const struct field_path *rules = FIELD(path, "rules");
	if (!policy)
		return;
	if (!str_eq(spec->completion_mode, "Indexed")) {
		field_invalid_internal(errors, path, policy, "requires indexed completion mode");
		return;
	}
	if (!policy->n_rules)
		field_required(
			errors, rules, "at least one rules must be specified when the successPolicy is specified");
	if (policy->n_rules > MAX_SUCCESS_RULES)
		field_too_many(errors, rules, policy->n_rules, MAX_SUCCESS_RULES);
	for (size_t i = 0; i < policy->n_rules; i++)
		check_success_rule(errors, FIELD_INDEX(rules, i), spec, policy->rules[i]);
}
