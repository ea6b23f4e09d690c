/*
 * Whether a value follows the rules of its schema. A node stands for each schema that has rules, there or below: its
 * rules are compiled once, however many values are checked.
 */
#include "api/meta.h"
#include "apiserver/validation/extension/rule.h"
#include "base/nameset.h"
#include "base/str.h"

typedef ApiextensionsV1JSONSchemaProps Schema;
typedef ApiextensionsV1ValidationRule Rule;

enum { MAX_CALL_COST = 1000 * 1000, MAX_MESSAGE_BYTES = 5 * 1024 };

struct rule_node {
	const Schema *schema;
	bool is_root;
	bool untyped; /* there are rules, but expressions do not see what they are about */
	struct rule_program *programs;
	const struct rule_node *items, *more;
	const struct rule_node **properties; /* of the schema's properties; NULL: without rules */
};

/* Nodes */

static const struct rule_node *node_of(
	struct arena *arena, const Schema *schema, bool is_root, const struct decl *decl);

/* The node of what is in another; unknown: its type cannot be told from that of the whole. */
static const struct rule_node *node_below(struct arena *arena, const Schema *schema, const struct decl *decl)
{
	return schema ? node_of(arena, schema, schema->x_kubernetes_embedded_resource, decl) : NULL;
}

static const struct rule_node *node_of_property(
	struct arena *arena, const char *name, const Schema *schema, const struct decl *decl)
{
	bool reserved;
	const struct decl *type = NULL;
	if (!schema)
		return NULL;
	if (!rule_field_name(arena, name, &reserved))
		type = rule_decl(arena, schema, schema->x_kubernetes_embedded_resource, "selfType");
	else
		type = rule_decl_property(arena, decl, name);
	return type ? node_below(arena, schema, type) : NULL;
}

static const struct rule_node *node_of(struct arena *arena, const Schema *schema, bool is_root, const struct decl *decl)
{
	struct rule_node *node = ARENA_NEW(arena, struct rule_node);
	size_t n_rules = schema->n_x_kubernetes_validations;
	bool used = n_rules > 0;
	*node = (struct rule_node){.schema = schema, .is_root = is_root, .untyped = n_rules && !decl};
	if (decl && n_rules)
		node->programs = ARENA_ARRAY(arena, struct rule_program, n_rules);
	const struct decl *self = n_rules ? rule_decl_self(arena, decl) : NULL;
	for (size_t i = 0; self && i < n_rules; i++)
		rule_compile(arena, self, schema->x_kubernetes_validations[i], true, true, &node->programs[i]);
	if (schema->items)
		node->items = node_below(arena, schema->items->schema, rule_decl_items(decl));
	if (schema->additional_properties)
		node->more = node_below(arena, schema->additional_properties->schema, rule_decl_more(decl));
	node->properties = ARENA_ARRAY(arena, const struct rule_node *, schema->n_properties + 1);
	for (size_t i = 0; i < schema->n_properties; i++) {
		node->properties[i] =
			node_of_property(arena, schema->properties[i]->key, schema->properties[i]->value, decl);
		used |= node->properties[i] != NULL;
	}
	return used || node->items || node->more ? node : NULL;
}

static void note_rules(const Schema *schema, void *data)
{
	*(bool *)data |= schema->n_x_kubernetes_validations > 0;
}

const struct rule_node *rule_node_new(struct arena *arena, const Schema *schema, bool is_root)
{
	bool has_rules = false;
	schema_each(schema, note_rules, &has_rules);
	return has_rules ? node_of(arena, schema, is_root, rule_decl(arena, schema, is_root, "selfType")) : NULL;
}

/* Rules */

/* One schema's rules, and the value that they are asked of. */
struct asked {
	struct field_errors *errors;
	const struct field_path *path;
	const struct rule_node *node;
	struct cel_binding bindings[2]; /* self and oldSelf */
	size_t n_bindings;
	struct cel_value optional_old;
	int64_t *budget;
};

static void invalid(const struct asked *a, const struct field_path *path, const char *detail)
{
	field_invalid(a->errors, path, str_or_empty(a->node->schema->type), detail);
}

static const char *rule_text(struct arena *arena, const Rule *rule)
{
	return str_trim(arena, str_empty(rule->message) ? str_or_empty(rule->rule) : rule->message);
}

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* Takes a cost from the budget; false: it was not enough. */
static bool pay(int64_t *budget, uint64_t cost)
{
	if (cost > INT64_MAX || (int64_t)cost > *budget)
		return false;
	*budget -= (int64_t)cost;
	return true;
}

/* What the message expression says; NULL and *ret_end is NULL: nothing that could be told; *ret_end: why no further
 * rules are asked. */
static const char *evaluated_message(
	struct asked *a, const Rule *rule, const struct rule_program *program, const char **ret_end)
{
	struct arena *arena = a->errors->arena;
	uint64_t cost;
	struct cel_value v = cel_eval(arena, program->message, a->bindings, a->n_bindings, MAX_CALL_COST, &cost);
	*ret_end = NULL;
	if (!pay(a->budget, cost)) {
		*ret_end =
			"messageExpression evaluation failed due to running out of cost budget, no further validation "
			"rules will be run";
		return NULL;
	}
	if (cel_failed(v) && starts_with(v.text.data, "operation cancelled: actual cost limit exceeded"))
		*ret_end = arena_printf(arena,
			"no further validation rules will be run due to call cost exceeds limit for messageExpression: "
			"%s",
			field_quote(arena, rule->message_expression));
	if (v.kind != CEL_STRING)
		return NULL;
	const char *text = str_trim(arena, arena_strndup(arena, v.text.data, v.text.size));
	return *text && strlen(text) <= MAX_MESSAGE_BYTES && !strchr(text, '\n') ? text : NULL;
}

static void tell(const struct asked *a, const struct field_path *path, const Rule *rule, const char *message)
{
	if (str_eq(rule->reason, "FieldValueForbidden"))
		field_forbidden(a->errors, path, message);
	else if (str_eq(rule->reason, "FieldValueRequired"))
		field_required(a->errors, path, message);
	else if (str_eq(rule->reason, "FieldValueDuplicate"))
		field_duplicate(a->errors, path, str_or_empty(a->node->schema->type));
	else
		invalid(a, path, message);
}

/* A rule that does not hold. False: no further rules are asked. */
static bool tell_broken(struct asked *a, const Rule *rule, const struct rule_program *program)
{
	struct arena *arena = a->errors->arena;
	const char *end = NULL;
	const char *way = str_empty(rule->field_path) ? NULL : rule_path(arena, a->node->schema, rule->field_path);
	const struct field_path *path = str_empty(way) ? a->path : FIELD(a->path, way);
	const char *message = program->message ? evaluated_message(a, rule, program, &end) : NULL;
	if (end) {
		invalid(a, path, end);
		*a->budget = -1;
		return false;
	}
	if (!message)
		message = str_empty(rule->message) ? arena_printf(arena, "failed rule: %s", rule_text(arena, rule))
						   : str_trim(arena, rule->message);
	tell(a, path, rule, message);
	return true;
}

/* An expression that has no value. False: no further rules are asked. */
static bool tell_failed(struct asked *a, const Rule *rule, const char *problem)
{
	struct arena *arena = a->errors->arena;
	const char *text = rule_text(arena, rule);
	if (starts_with(problem, "operation cancelled: actual cost limit exceeded")) {
		invalid(a, a->path,
			arena_printf(arena,
				"'%s': no further validation rules will be run due to call cost exceeds limit for "
				"rule: %s",
				problem, text));
		*a->budget = -1;
		return false;
	}
	if (starts_with(problem, "no such overload"))
		invalid(a, a->path,
			arena_printf(arena,
				"'%s': call arguments did not match a supported operator, function or macro signature "
				"for rule: %s",
				problem, text));
	else
		invalid(a, a->path, arena_printf(arena, "%s evaluating rule: %s", problem, text));
	return true;
}

/* False: no further rules are asked. */
static bool ask(struct asked *a, const Rule *rule, const struct rule_program *program)
{
	struct arena *arena = a->errors->arena;
	bool optional = rule->has_optional_old_self && rule->optional_old_self;
	uint64_t cost;
	if (program->problem) {
		invalid(a, a->path, arena_printf(arena, "rule compile error: %s", program->problem));
		return true;
	}
	if (!program->rule || (program->uses_old && a->n_bindings < 2 && !optional))
		return true;
	struct cel_binding bindings[2] = {
		a->bindings[0], {"oldSelf", optional ? a->optional_old : a->bindings[1].value}};
	struct cel_value v =
		cel_eval(arena, program->rule, bindings, optional ? 2 : a->n_bindings, MAX_CALL_COST, &cost);
	if (!pay(a->budget, cost)) {
		invalid(a, a->path,
			"validation failed due to running out of cost budget, no further validation rules will be run");
		*a->budget = -1;
		return false;
	}
	if (cel_failed(v))
		return tell_failed(a, rule, v.text.data);
	return cel_is_true(v) || tell_broken(a, rule, program);
}

static void ask_all(struct field_errors *errors, const struct field_path *path, const struct rule_node *node,
	cJSON *value, cJSON *old, int64_t *budget)
{
	const Schema *schema = node->schema;
	struct arena *arena = errors->arena;
	struct asked a = {.errors = errors, .path = path, .node = node, .budget = budget, .n_bindings = 1};
	if (node->untyped) {
		invalid(&a, path,
			"rule compiler initialization error: failed to convert to declType for CEL validation rules");
		return;
	}
	if (!schema->n_x_kubernetes_validations)
		return;
	if (*budget <= 0) {
		invalid(&a, path,
			"validation failed due to running out of cost budget, no further validation rules will be run");
		*budget = -1;
		return;
	}
	a.bindings[0] = (struct cel_binding){"self", rule_value(arena, schema, node->is_root, value)};
	a.optional_old = cel_optional_of(arena, NULL);
	if (old && !cJSON_IsNull(old)) {
		a.bindings[1] = (struct cel_binding){"oldSelf", rule_value(arena, schema, node->is_root, old)};
		a.n_bindings = 2;
		a.optional_old = cel_optional_of(arena, &a.bindings[1].value);
	}
	for (size_t i = 0; i < schema->n_x_kubernetes_validations; i++)
		if (!ask(&a, schema->x_kubernetes_validations[i], &node->programs[i]))
			return;
}

/* The walk */

static void check_object(struct field_errors *errors, const struct field_path *path, const struct rule_node *node,
	cJSON *value, cJSON *old, int64_t *budget)
{
	tree_prepare(errors->arena, value);
	if (old && old != value)
		tree_prepare(errors->arena, old);
	if (node->more)
		TREE_FOREACH (member, value) {
			if (*budget < 0)
				return;
			rule_node_check(errors, FIELD_KEY(path, member->string), node->more, member,
				tree_get(old, member->string), budget);
		}
	for (size_t i = 0; i < node->schema->n_properties && *budget >= 0; i++) {
		const char *name = node->schema->properties[i]->key;
		cJSON *member = node->properties[i] ? tree_get(value, name) : NULL;
		if (member)
			rule_node_check(
				errors, FIELD(path, name), node->properties[i], member, tree_get(old, name), budget);
	}
}

/* A text of an item that is the same for those of the same keys; NULL: it has not all of them. */
static const char *keys_of(struct arena *arena, const Schema *schema, const cJSON *item)
{
	size_t n = schema->n_x_kubernetes_list_map_keys;
	const char **parts = ARENA_ARRAY(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const cJSON *key = tree_get(item, schema->x_kubernetes_list_map_keys[i]);
		if (!cJSON_IsString(key) && !cJSON_IsNumber(key) && !cJSON_IsBool(key))
			return NULL;
		parts[i] = tree_to_string(arena, key, 0);
	}
	return n ? nameset_join(arena, parts, n) : NULL;
}

/* The old items, to be found by their keys. */
struct old_items {
	struct nameset keys;
	cJSON **items;
};

static void find_old_items(struct old_items *ret, struct arena *arena, const Schema *schema, cJSON *old)
{
	*ret = (struct old_items){.keys = {.arena = arena}};
	if (!cJSON_IsArray(old) || !str_eq(schema->x_kubernetes_list_type, "map"))
		return;
	ret->items = ARENA_ARRAY(arena, cJSON *, tree_size(old) + 1);
	size_t n = 0;
	TREE_FOREACH (item, old) {
		const char *keys = keys_of(arena, schema, item);
		if (keys) {
			nameset_add(&ret->keys, keys);
			ret->items[n++] = item;
		}
	}
}

static void check_list(struct field_errors *errors, const struct field_path *path, const struct rule_node *node,
	cJSON *value, cJSON *old, int64_t *budget)
{
	struct old_items before;
	size_t i = 0;
	if (!node->items)
		return;
	find_old_items(&before, errors->arena, node->schema, old);
	TREE_FOREACH (item, value) {
		const char *keys = before.items ? keys_of(errors->arena, node->schema, item) : NULL;
		size_t at = keys ? nameset_find(&before.keys, keys) : SIZE_MAX;
		rule_node_check(errors, FIELD_INDEX(path, i++), node->items, item,
			at == SIZE_MAX ? NULL : before.items[at], budget);
		if (*budget < 0)
			return;
	}
}

void rule_node_check(struct field_errors *errors, const struct field_path *path, const struct rule_node *node,
	cJSON *value, cJSON *old, int64_t *budget)
{
	if (!node || !value || cJSON_IsNull(value))
		return;
	ask_all(errors, path, node, value, old, budget);
	if (*budget < 0)
		return;
	if (cJSON_IsObject(value))
		check_object(errors, path, node, value, cJSON_IsObject(old) ? old : NULL, budget);
	else if (cJSON_IsArray(value))
		check_list(errors, path, node, value, old, budget);
}
