/*
 * Rules of a CRD's schema in CEL: that they compile against the types of the schema, and what they can cost at most.
 * How often a rule is evaluated is limited by the lists and maps above it.
 */
#include "apiserver/validation/extension/crd_rules.h"
#include "base/nameset.h"
#include "base/str.h"

typedef ApiextensionsV1JSONSchemaProps Schema;
typedef ApiextensionsV1ValidationRule Rule;

enum { MAX_RULE_COST = 10 * 1000 * 1000, MAX_TOTAL_COST = 100 * 1000 * 1000 };

/* Costs */

static char *cost_message(struct arena *arena, const char *what, uint64_t cost, uint64_t max)
{
	double factor = (double)cost / (double)max;
	const char *text = "more than 100x";
	if (factor <= 100)
		text = arena_printf(arena, factor < 1.5 ? "%fx" : "%.1fx", factor);
	return arena_printf(arena,
		"%s exceeds budget by factor of %s (try simplifying the rule, or adding maxItems, maxProperties, and "
		"maxLength where arrays, maps, and strings are declared)",
		what, text);
}

static void check_cost(
	struct rule_check *check, const struct field_path *path, const char *what, uint64_t cost, bool alone)
{
	struct arena *arena = check->errors.arena;
	if (cost > MAX_RULE_COST && alone)
		field_forbidden(&check->errors, path, cost_message(arena, what, cost, MAX_RULE_COST));
	if (__builtin_add_overflow(check->total, cost, &check->total))
		check->total = UINT64_MAX;
	if (cost < MAX_TOTAL_COST / 100)
		return;
	size_t at = check->n_expensive;
	while (at > 0 && check->expensive[at - 1].cost < cost)
		at--;
	if (at == ARRAY_SIZE(check->expensive))
		return;
	check->n_expensive += check->n_expensive < ARRAY_SIZE(check->expensive);
	memmove(&check->expensive[at + 1], &check->expensive[at],
		(check->n_expensive - at - 1) * sizeof(check->expensive[0]));
	check->expensive[at].path = field_path_string(arena, path);
	check->expensive[at].cost = cost;
}

void rule_check_total(struct rule_check *check, const struct field_path *path)
{
	if (check->total <= MAX_TOTAL_COST)
		return;
	for (size_t i = 0; i < check->n_expensive; i++)
		field_forbidden(&check->errors, FIELD(NULL, check->expensive[i].path),
			"contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema");
	field_forbidden(&check->errors, path,
		cost_message(check->errors.arena,
			"x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", check->total,
			MAX_TOTAL_COST));
}

/* Places */

void rule_place_enter(struct arena *arena, struct rule_place *place, const Schema *schema)
{
	if (!place->decl && schema->n_x_kubernetes_validations)
		place->decl = rule_decl(arena, schema, place->is_root, "selfType");
}

struct rule_place rule_place_below(
	const struct rule_place *above, const Schema *outer, const Schema *schema, const struct decl *decl)
{
	struct rule_place place = {
		decl, above->times, above->unlimited, schema && schema->x_kubernetes_embedded_resource};
	bool is_list = str_eq(outer->type, "array");
	if (!is_list && (!str_eq(outer->type, "object") || !outer->additional_properties))
		return place;
	bool has = is_list ? outer->has_max_items : outer->has_max_properties;
	place.unlimited |= !has;
	place.times = rule_times(place.times, rule_limit(has, is_list ? outer->max_items : outer->max_properties, 1));
	return place;
}

/* Rules */

static void check_rule(struct rule_check *check, const struct field_path *path, const struct rule_place *place,
	const struct field_path *unrelated, const Rule *rule)
{
	struct field_errors *errors = &check->errors;
	struct arena *arena = errors->arena;
	const struct crd_schema_rules *given = check->given;
	const struct field_path *at = FIELD(path, "rule"), *message = FIELD(path, "messageExpression");
	bool stored = given->stored_rules && nameset_has(given->stored_rules, rule->rule);
	bool message_stored = given->stored_messages && nameset_has(given->stored_messages, rule->message_expression);
	struct rule_program program;
	rule_compile(arena, place->decl, rule, stored, message_stored, &program);
	if (program.rule) {
		uint64_t cost = cel_estimate(arena, program.env, program.rule).max;
		check_cost(check, at, "estimated rule cost",
			rule_times(cost, place->unlimited ? RULE_MAX_REQUEST / (place->decl->min + 1) : place->times),
			!given->unchanged);
	} else
		field_invalid_internal(errors, at, rule, program.problem);
	if (program.message)
		check_cost(check, message, "estimated messageExpression cost",
			cel_estimate(arena, program.message_env, program.message).max, !given->unchanged);
	else if (program.message_problem)
		field_invalid_internal(errors, message, rule, program.message_problem);
	if (program.uses_old && unrelated)
		field_invalid(errors, at, rule->rule,
			arena_printf(arena,
				"oldSelf cannot be used on the uncorrelatable portion of the schema within %s",
				field_path_string(arena, unrelated)));
	else if (!program.uses_old && rule->has_optional_old_self)
		field_invalid_bool(errors, FIELD(path, "optionalOldSelf"), rule->optional_old_self,
			"may not be set if oldSelf is not used in rule");
}

void rule_check_rules(struct rule_check *check, const struct field_path *path, const struct rule_place *place,
	const struct field_path *unrelated, const Schema *schema)
{
	const struct field_path *rules = FIELD(path, "x-kubernetes-validations");
	if (!place->decl && schema->n_x_kubernetes_validations)
		field_internal(&check->errors, rules,
			"internal error: failed to construct type information for x-kubernetes-validations rules: "
			"unable to convert structural schema to CEL declarations");
	struct rule_place here = *place;
	if (schema->n_x_kubernetes_validations)
		here.decl = rule_decl_self(check->errors.arena, place->decl);
	for (size_t i = 0; here.decl && i < schema->n_x_kubernetes_validations; i++)
		check_rule(check, FIELD_INDEX(rules, i), &here, unrelated, schema->x_kubernetes_validations[i]);
}
