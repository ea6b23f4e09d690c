#include <ctype.h>
#include "api/copy.h"
#include "api/jsonpath.h"
#include "api/meta.h"
#include "apiserver/validation/extension/expression.h"
#include "apiserver/validation/extension/extension.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/policy.h"
#include "base/nameset.h"
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
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < rule->n_resource_names; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(path, "resourceNames"), i);
		const char *name = rule->resource_names[i];
		validate_text(errors, at, name, name_is_path_segment(errors->arena, name, false));
		if (!nameset_add(&seen, name))
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

typedef AdmissionregistrationV1ValidatingAdmissionPolicySpec Spec;

/* What the expressions of a policy may name, and which of them were there before (old, which may be NULL). */
struct expressions {
	const Spec *spec, *old;
	struct cel_type *variables; /* grows with each variable; NULL: the policy has none */
	struct cel_field *fields;
};

static struct cel_env *env_of(struct arena *arena, const struct expressions *x, unsigned parts, bool stored)
{
	parts |= (x->spec->param_kind ? (unsigned)ADMISSION_PARAMS : 0) | (stored ? (unsigned)ADMISSION_STORED : 0);
	return cel_env_admission(arena, parts, x->variables);
}

static bool was_validation(const struct expressions *x, const char *expression)
{
	for (size_t i = 0; x->old && i < x->old->n_validations; i++)
		if (str_eq(x->old->validations[i]->expression, expression))
			return true;
	return false;
}

static bool was_message(const struct expressions *x, const char *expression)
{
	for (size_t i = 0; x->old && i < x->old->n_validations; i++)
		if (str_eq(x->old->validations[i]->message_expression, expression))
			return true;
	return false;
}

static bool was_annotation(const struct expressions *x, const char *expression)
{
	for (size_t i = 0; x->old && i < x->old->n_audit_annotations; i++)
		if (str_eq(x->old->audit_annotations[i]->value_expression, expression))
			return true;
	return false;
}

static void add_variable(struct arena *arena, struct expressions *x, const char *name, const struct cel_type *type)
{
	ARENA_PUSH(arena, x->fields, x->variables->n_fields) =
		(struct cel_field){name, type ? cel_variable_type(arena, type) : &cel_dyn};
	x->variables->fields = x->fields;
}

static void check_variable(struct field_errors *errors, const struct field_path *path, struct expressions *x,
	const AdmissionregistrationV1Variable *v)
{
	if (is_blank(v->name))
		field_required(errors, FIELD(path, "name"), "name is not specified");
	else if (!is_identifier(v->name))
		field_invalid(errors, FIELD(path, "name"), v->name, "must be a valid CEL identifier");
	if (is_blank(v->expression)) {
		field_required(errors, FIELD(path, "expression"), "expression is not specified");
		return;
	}
	struct cel_env *env = env_of(errors->arena, x, ADMISSION_AUTHORIZER, was_validation(x, v->expression));
	const struct cel_type *type = validate_admission_expression(
		errors, FIELD(path, "expression"), env, v->expression, v->expression, NULL);
	add_variable(errors->arena, x, str_or_empty(v->name), type);
}

static void check_expressions(struct field_errors *errors, const struct field_path *path, const struct expressions *x,
	const AdmissionregistrationV1Validation *v)
{
	static const struct cel_type *const boolean[] = {&cel_bool, NULL}, *const text[] = {&cel_string, NULL};
	if (is_blank(v->expression))
		field_required(errors, FIELD(path, "expression"), "expression is not specified");
	else
		validate_admission_expression(errors, FIELD(path, "expression"),
			env_of(errors->arena, x, ADMISSION_AUTHORIZER, was_validation(x, v->expression)), v->expression,
			v->expression, boolean);
	if (!str_empty(v->message_expression) && is_blank(v->message_expression))
		field_invalid(errors, FIELD(path, "messageExpression"), v->message_expression,
			"must be non-empty if specified");
	else if (!str_empty(v->message_expression))
		validate_admission_expression(errors, FIELD(path, "messageExpression"),
			env_of(errors->arena, x, 0, was_message(x, v->message_expression)), v->message_expression,
			v->message_expression, text);
}

static void check_validation(struct field_errors *errors, const struct field_path *path, const struct expressions *x,
	const AdmissionregistrationV1Validation *v)
{
	static const char *const reasons[] = {"Forbidden", "Invalid", "RequestEntityTooLarge", NULL};
	static const char blank[] = "must be non-empty if specified";
	const char *message = str_trim(errors->arena, str_or_empty(v->message));
	check_expressions(errors, path, x, v);
	if (!str_empty(v->message) && !*message)
		field_invalid(errors, FIELD(path, "message"), v->message, blank);
	else if (strchr(message, '\n'))
		field_invalid(errors, FIELD(path, "message"), v->message, "must not contain line breaks");
	if (v->reason && !str_in(v->reason, reasons))
		field_unsupported(errors, FIELD(path, "reason"), v->reason, reasons);
}

static void check_annotation(struct field_errors *errors, const struct field_path *path, const char *policy,
	const struct expressions *x, const AdmissionregistrationV1AuditAnnotation *a)
{
	static const struct cel_type *const types[] = {&cel_string, &cel_null, NULL};
	const char *expression = str_trim(errors->arena, str_or_empty(a->value_expression));
	const struct field_path *value = FIELD(path, "valueExpression");
	char *key = arena_printf(errors->arena, "%s/%s", policy, str_or_empty(a->key));
	if (*policy)
		validate_text(errors, FIELD(path, "key"), key, check_qualified_name(errors->arena, key));
	else
		field_invalid(errors, FIELD(path, "key"), a->key, "requires metadata.name be non-empty");
	if (!*expression)
		field_required(errors, value, "valueExpression is not specified");
	else if (strlen(expression) > MAX_VALUE_BYTES)
		field_required(errors, value,
			arena_printf(errors->arena, "must not exceed %d bytes in length", MAX_VALUE_BYTES));
	else
		validate_admission_expression(errors, value,
			env_of(errors->arena, x, ADMISSION_AUTHORIZER, was_annotation(x, a->value_expression)),
			expression, a->value_expression, types);
}

static void check_decisions(
	struct field_errors *errors, const struct field_path *path, const struct expressions *x, const char *policy)
{
	const Spec *spec = x->spec;
	static const char one[] = "validations or auditAnnotations must contain at least one item";
	const struct field_path *annotations = FIELD(path, "auditAnnotations");
	if (!spec->n_validations && !spec->n_audit_annotations) {
		field_required(errors, FIELD(path, "validations"), one);
		field_required(errors, annotations, one);
		return;
	}
	for (size_t i = 0; i < spec->n_validations; i++)
		check_validation(errors, FIELD_INDEX(FIELD(path, "validations"), i), x, spec->validations[i]);
	if (spec->n_audit_annotations > MAX_ANNOTATIONS)
		field_invalid_json(errors, annotations,
			internal_json_list(errors->arena, spec->audit_annotations, spec->n_audit_annotations),
			arena_printf(errors->arena, "must not have more than %d auditAnnotations", MAX_ANNOTATIONS));
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_audit_annotations; i++) {
		check_annotation(errors, FIELD_INDEX(annotations, i), policy, x, spec->audit_annotations[i]);
		if (!nameset_add(&seen, spec->audit_annotations[i]->key))
			field_duplicate(
				errors, FIELD(FIELD_INDEX(annotations, i), "key"), spec->audit_annotations[i]->key);
	}
}

static void check_conditions(
	struct field_errors *errors, const struct field_path *path, const Spec *spec, const Spec *old)
{
	CLEANUP(strmap_freep) struct strmap *stored = strmap_new(NULL);
	bool same = old && api_equal(spec->param_kind, old->param_kind) &&
		    spec->n_match_conditions == old->n_match_conditions;
	for (size_t i = 0; old && i < old->n_match_conditions; i++) {
		strmap_put(stored, str_or_empty(old->match_conditions[i]->expression), stored);
		same = same && api_equal(spec->match_conditions[i], old->match_conditions[i]);
	}
	if (!same)
		validate_match_conditions(errors, path, spec->match_conditions, spec->n_match_conditions,
			spec->param_kind != NULL, stored);
}

static void check_policy(struct field_errors *errors, const char *name, const Spec *spec, const Spec *old)
{
	static const char *const failures[] = {"Fail", "Ignore", NULL};
	struct expressions x = {.spec = spec, .old = old};
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
	check_conditions(errors, FIELD(path, "matchConditions"), spec, old);
	if (spec->n_variables)
		x.variables = cel_type_object(errors->arena, "kubernetes.variables", NULL, 0);
	for (size_t i = 0; i < spec->n_variables; i++)
		check_variable(errors, FIELD_INDEX(FIELD(path, "variables"), i), &x, spec->variables[i]);
	check_decisions(errors, path, &x, name);
}

void validate_admission_policy(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingAdmissionPolicy *policy)
{
	check_policy(errors, object_name(policy), policy->spec, NULL);
}

void validate_admission_policy_update(struct field_errors *errors,
	const AdmissionregistrationV1ValidatingAdmissionPolicy *policy,
	const AdmissionregistrationV1ValidatingAdmissionPolicy *old)
{
	check_policy(errors, object_name(policy), policy->spec, old->spec);
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
	/* A word alone would be refused only when it is evaluated. */
	bool word = !strchr(".$[@+-'\"0123456789", *ref);
	struct status *s =
		jsonpath_parse(errors->arena, arena_printf(errors->arena, word ? "{.%s}" : "{%s}", ref), &parsed);
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
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < n; i++) {
		if (!str_in(actions[i], known))
			field_unsupported(errors, FIELD_INDEX(path, i), actions[i], known);
		if (!nameset_add(&seen, actions[i]))
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
