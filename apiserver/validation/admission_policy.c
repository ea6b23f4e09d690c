#include <ctype.h>
#include "api/jsonpath.h"
#include "api/meta.h"
#include "apiserver/validation/extension.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod.h"
#include "apiserver/validation/policy.h"
#include "base/str.h"

enum { MAX_ANNOTATIONS = 20, MAX_VALUE_BYTES = 5 * 1024 };

static void check_param_kind(
	struct field_errors *errors, const struct field_path *path, const AdmissionregistrationV1ParamKind *kind)
{
	const struct field_path *at = FIELD(path, "apiVersion");
	const char *version = str_or_empty(kind->api_version), *slash = strchr(version, '/');
	const char *plain = slash ? slash + 1 : version, *problem;
	char *group = slash ? arena_strndup(errors->arena, version, (size_t)(slash - version)) : (char *)"";
	if (!*version) {
		field_required(errors, at, "");
	} else if (slash && strchr(slash + 1, '/')) {
		field_invalid(errors, at, version,
			arena_printf(errors->arena, "unexpected GroupVersion string: %s", version));
	} else {
		problem = *group ? check_dns_subdomain(errors->arena, group) : NULL;
		if (problem)
			field_invalid(errors, at, group, problem);
		problem = check_dns_1035_label(errors->arena, plain);
		if (!*plain)
			field_invalid(errors, at, version, "version must be specified");
		else if (problem)
			field_invalid(errors, at, plain, problem);
	}
	if (str_empty(kind->kind)) {
		field_required(errors, FIELD(path, "kind"), "");
		return;
	}
	problem = check_dns_1035_label(errors->arena, str_lower(errors->arena, kind->kind));
	if (problem)
		field_invalid(errors, FIELD(path, "kind"), kind->kind,
			arena_printf(errors->arena, "may have mixed case, but should otherwise match: %s", problem));
}

static void check_named_rule(struct field_errors *errors, const struct field_path *path,
	const AdmissionregistrationV1NamedRuleWithOperations *rule)
{
	for (size_t i = 0; i < rule->n_resource_names; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "resourceNames"), i);
		const char *name = rule->resource_names[i];
		validate_text(errors, at, name, name_is_path_segment(errors->arena, name, false));
		if (str_in_n(name, rule->resource_names, i))
			field_duplicate(errors, at, name);
	}
	validate_operations(errors, path, rule->rule_with_operations);
}

static void check_match(
	struct field_errors *errors, const struct field_path *path, const AdmissionregistrationV1MatchResources *match)
{
	static const char *const policies[] = {"Equivalent", "Exact", NULL};
	if (!match)
		return;
	if (!match->match_policy)
		field_required(errors, FIELD(path, "matchPolicy"), "");
	else if (!str_in(match->match_policy, policies))
		field_unsupported(errors, FIELD(path, "matchPolicy"), match->match_policy, policies);
	validate_label_selector(errors, FIELD(path, "namespaceSelector"), match->namespace_selector);
	validate_label_selector(errors, FIELD(path, "objectSelector"), match->object_selector);
	for (size_t i = 0; i < match->n_resource_rules; i++)
		check_named_rule(errors, FIELD_INDEX(FIELD(path, "resourceRules"), i), match->resource_rules[i]);
	for (size_t i = 0; i < match->n_exclude_resource_rules; i++)
		check_named_rule(
			errors, FIELD_INDEX(FIELD(path, "excludeResourceRules"), i), match->exclude_resource_rules[i]);
}

static bool is_identifier(const char *name)
{
	static const char *const reserved[] = {"true", "false", "null", "in", "as", "break", "const", "continue",
		"else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
		"void", "while", NULL};
	for (size_t i = 0; name[i]; i++)
		if (name[i] != '_' && !(i ? isalnum((unsigned char)name[i]) : isalpha((unsigned char)name[i])))
			return false;
	return *name && !str_in(name, reserved);
}

static void check_variable(
	struct field_errors *errors, const struct field_path *path, const AdmissionregistrationV1Variable *v)
{
	if (is_blank(v->name))
		field_required(errors, FIELD(path, "name"), "name is not specified");
	else if (!is_identifier(v->name))
		field_invalid(errors, FIELD(path, "name"), v->name, "must be a valid CEL identifier");
	if (is_blank(v->expression))
		field_required(errors, FIELD(path, "expression"), "expression is not specified");
}

static void check_validation(
	struct field_errors *errors, const struct field_path *path, const AdmissionregistrationV1Validation *v)
{
	static const char *const reasons[] = {"Forbidden", "Invalid", "RequestEntityTooLarge", NULL};
	static const char blank[] = "must be non-empty if specified";
	const char *message = str_trim(errors->arena, str_or_empty(v->message));
	if (is_blank(v->expression))
		field_required(errors, FIELD(path, "expression"), "expression is not specified");
	if (!str_empty(v->message_expression) && is_blank(v->message_expression))
		field_invalid(errors, FIELD(path, "messageExpression"), v->message_expression, blank);
	if (!str_empty(v->message) && !*message)
		field_invalid(errors, FIELD(path, "message"), v->message, blank);
	else if (strchr(message, '\n'))
		field_invalid(errors, FIELD(path, "message"), v->message, "must not contain line breaks");
	if (v->reason && !str_in(v->reason, reasons))
		field_unsupported(errors, FIELD(path, "reason"), v->reason, reasons);
}

static void check_annotation(struct field_errors *errors, const struct field_path *path, const char *policy,
	const AdmissionregistrationV1AuditAnnotation *a)
{
	const struct field_path *value = FIELD(path, "valueExpression");
	char *key = arena_printf(errors->arena, "%s/%s", policy, str_or_empty(a->key));
	if (*policy)
		validate_text(errors, FIELD(path, "key"), key, check_qualified_name(errors->arena, key));
	else
		field_invalid(errors, FIELD(path, "key"), a->key, "requires metadata.name be non-empty");
	if (is_blank(a->value_expression))
		field_required(errors, value, "valueExpression is not specified");
	else if (strlen(str_trim(errors->arena, a->value_expression)) > MAX_VALUE_BYTES)
		field_required(errors, value,
			arena_printf(errors->arena, "must not exceed %d bytes in length", MAX_VALUE_BYTES));
}

static void check_decisions(struct field_errors *errors, const struct field_path *path,
	const AdmissionregistrationV1ValidatingAdmissionPolicySpec *spec, const char *policy)
{
	static const char one[] = "validations or auditAnnotations must contain at least one item";
	const struct field_path *annotations = FIELD(path, "auditAnnotations");
	if (!spec->n_validations && !spec->n_audit_annotations) {
		field_required(errors, FIELD(path, "validations"), one);
		field_required(errors, annotations, one);
		return;
	}
	for (size_t i = 0; i < spec->n_validations; i++)
		check_validation(errors, FIELD_INDEX(FIELD(path, "validations"), i), spec->validations[i]);
	if (spec->n_audit_annotations > MAX_ANNOTATIONS)
		field_invalid_json(errors, annotations,
			internal_json_list(errors->arena, spec->audit_annotations, spec->n_audit_annotations),
			arena_printf(errors->arena, "must not have more than %d auditAnnotations", MAX_ANNOTATIONS));
	for (size_t i = 0; i < spec->n_audit_annotations; i++) {
		bool again = false;
		check_annotation(errors, FIELD_INDEX(annotations, i), policy, spec->audit_annotations[i]);
		for (size_t k = 0; k < i; k++)
			again |= str_eq(spec->audit_annotations[k]->key, spec->audit_annotations[i]->key);
		if (again)
			field_duplicate(
				errors, FIELD(FIELD_INDEX(annotations, i), "key"), spec->audit_annotations[i]->key);
	}
}

void validate_admission_policy(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingAdmissionPolicy *policy)
{
	static const char *const failures[] = {"Fail", "Ignore", NULL};
	const AdmissionregistrationV1ValidatingAdmissionPolicySpec *spec = policy->spec;
	const struct field_path *path = FIELD(NULL, "spec"), *match = FIELD(path, "matchConstraints");
	if (!spec->failure_policy)
		field_required(errors, FIELD(path, "failurePolicy"), "");
	else if (!str_in(spec->failure_policy, failures))
		field_unsupported(errors, FIELD(path, "failurePolicy"), spec->failure_policy, failures);
	if (spec->param_kind)
		check_param_kind(errors, FIELD(path, "paramKind"), spec->param_kind);
	check_match(errors, match, spec->match_constraints);
	if (!spec->match_constraints)
		field_required(errors, match, "");
	else if (!spec->match_constraints->n_resource_rules)
		field_required(errors, FIELD(match, "resourceRules"), "");
	validate_match_conditions(
		errors, FIELD(path, "matchConditions"), spec->match_conditions, spec->n_match_conditions);
	for (size_t i = 0; i < spec->n_variables; i++)
		check_variable(errors, FIELD_INDEX(FIELD(path, "variables"), i), spec->variables[i]);
	check_decisions(errors, path, spec, object_name(policy));
}

static void check_warning(
	struct field_errors *errors, const struct field_path *path, const AdmissionregistrationV1ExpressionWarning *w)
{
	const struct field_path *at = FIELD(path, "fieldRef");
	struct jsonpath *parsed;
	if (str_empty(w->warning))
		field_required(errors, FIELD(path, "warning"), "");
	if (is_blank(w->field_ref)) {
		field_required(errors, at, "");
		return;
	}
	const char *ref = str_trim(errors->arena, w->field_ref);
	struct status *s = jsonpath_parse(
		errors->arena, arena_printf(errors->arena, strchr(".$[", *ref) ? "{%s}" : "{.%s}", ref), &parsed);
	if (s)
		field_invalid(errors, at, ref, arena_printf(errors->arena, "invalid JSONPath: %s", s->message));
	status_drop(s, "told as a field error");
}

void validate_admission_policy_status(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingAdmissionPolicy *policy)
{
	const AdmissionregistrationV1ValidatingAdmissionPolicyStatus *status = policy->status;
	const struct field_path *path = FIELD(NULL, "status");
	const struct field_path *warnings = FIELD(FIELD(path, "typeChecking"), "expressionWarnings");
	if (!status)
		return;
	for (size_t i = 0; status->type_checking && i < status->type_checking->n_expression_warnings; i++)
		check_warning(errors, FIELD_INDEX(warnings, i), status->type_checking->expression_warnings[i]);
	validate_conditions(errors, FIELD(path, "conditions"), status->conditions, status->n_conditions);
}

static void check_param_ref(
	struct field_errors *errors, const struct field_path *path, const AdmissionregistrationV1ParamRef *ref)
{
	static const char *const actions[] = {"Deny", "Allow", NULL};
	static const char both[] = "name and selector are mutually exclusive";
	const struct field_path *name = FIELD(path, "name"), *action = FIELD(path, "parameterNotFoundAction");
	bool named = !str_empty(ref->name);
	if (named)
		validate_text(errors, name, ref->name, name_is_path_segment(errors->arena, ref->name, false));
	if (named && ref->selector)
		field_forbidden(errors, name, both);
	validate_label_selector(errors, FIELD(path, "selector"), ref->selector);
	if (named && ref->selector)
		field_forbidden(errors, FIELD(path, "selector"), both);
	if (!named && !ref->selector)
		field_required(errors, path, "one of name or selector must be specified");
	if (str_empty(ref->parameter_not_found_action))
		field_required(errors, action, "");
	else if (!str_in(ref->parameter_not_found_action, actions))
		field_unsupported(errors, action, ref->parameter_not_found_action, actions);
}

static void check_actions(struct field_errors *errors, const struct field_path *path, char *const *actions, size_t n)
{
	static const char *const known[] = {"Audit", "Deny", "Warn", NULL};
	for (size_t i = 0; i < n; i++) {
		if (!str_in(actions[i], known))
			field_unsupported(errors, FIELD_INDEX(path, i), actions[i], known);
		if (str_in_n(actions[i], actions, i))
			field_duplicate(errors, FIELD_INDEX(path, i), actions[i]);
	}
	if (str_in_n("Deny", actions, n) && str_in_n("Warn", actions, n))
		field_invalid_json(errors, path, strings_json(errors->arena, actions, n),
			"must not contain both Deny and Warn (repeating the same validation failure information in "
			"the API response and headers serves no purpose)");
	if (!n)
		field_required(errors, path, "at least one validation action is required");
}

void validate_policy_binding(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingAdmissionPolicyBinding *binding)
{
	const AdmissionregistrationV1ValidatingAdmissionPolicyBindingSpec *spec = binding->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (str_empty(spec->policy_name))
		field_required(errors, FIELD(path, "policyName"), "");
	else
		validate_text(errors, FIELD(path, "policyName"), spec->policy_name,
			check_dns_subdomain(errors->arena, spec->policy_name));
	if (spec->param_ref)
		check_param_ref(errors, FIELD(path, "paramRef"), spec->param_ref);
	check_match(errors, FIELD(path, "matchResources"), spec->match_resources);
	check_actions(errors, FIELD(path, "validationActions"), spec->validation_actions, spec->n_validation_actions);
}
