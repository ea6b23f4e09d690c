#include "api/meta.h"
#include "apiserver/validation/extension/crd_rules.h"
#include "apiserver/validation/extension/extension.h"
#include "base/nameset.h"
#include "base/str.h"

typedef ApiextensionsV1JSONSchemaProps Schema;

/* What holds below a point of a schema. */
struct where {
	const struct crd_schema_rules *given;
	const char *no_defaults; /* why none may be here; NULL: they may */
	bool is_root;
	bool in_meta;			    /* of the object or of one embedded in it */
	struct rule_check *rules;	    /* NULL: rules are not looked at */
	struct rule_place place;	    /* for rules */
	const struct field_path *unrelated; /* of what is above, where old items cannot be told from new ones */
};

const Schema *schema_property(const Schema *schema, const char *name)
{
	const ApiextensionsV1JSONSchemaPropsPropertiesEntry *found =
		map_search((void *const *)schema->properties, schema->n_properties, name);
	return found ? found->value : NULL;
}

static void sort_all(struct arena *arena, Schema **schemas, size_t n)
{
	for (size_t i = 0; i < n; i++)
		schema_sort(arena, schemas[i]);
}

void schema_sort(struct arena *arena, Schema *schema)
{
	if (!schema)
		return;
	schema->properties = (ApiextensionsV1JSONSchemaPropsPropertiesEntry **)MAP_SORTED(
		arena, schema->properties, schema->n_properties);
	for (size_t i = 0; i < schema->n_properties; i++)
		schema_sort(arena, schema->properties[i]->value);
	for (size_t i = 0; i < schema->n_definitions; i++)
		schema_sort(arena, schema->definitions[i]->value);
	for (size_t i = 0; i < schema->n_pattern_properties; i++)
		schema_sort(arena, schema->pattern_properties[i]->value);
	for (size_t i = 0; i < schema->n_dependencies; i++)
		schema_sort(arena, schema->dependencies[i]->value ? schema->dependencies[i]->value->schema : NULL);
	if (schema->items) {
		schema_sort(arena, schema->items->schema);
		sort_all(arena, schema->items->j_son_schemas, schema->items->n_j_son_schemas);
	}
	if (schema->additional_properties)
		schema_sort(arena, schema->additional_properties->schema);
	if (schema->additional_items)
		schema_sort(arena, schema->additional_items->schema);
	schema_sort(arena, schema->not );
	sort_all(arena, schema->all_of, schema->n_all_of);
	sort_all(arena, schema->any_of, schema->n_any_of);
	sort_all(arena, schema->one_of, schema->n_one_of);
}

void schema_each(const Schema *schema, void (*visit)(const Schema *schema, void *data), void *data)
{
	if (!schema)
		return;
	visit(schema, data);
	if (schema->items) {
		schema_each(schema->items->schema, visit, data);
		for (size_t i = 0; i < schema->items->n_j_son_schemas; i++)
			schema_each(schema->items->j_son_schemas[i], visit, data);
	}
	for (size_t i = 0; i < schema->n_all_of; i++)
		schema_each(schema->all_of[i], visit, data);
	for (size_t i = 0; i < schema->n_any_of; i++)
		schema_each(schema->any_of[i], visit, data);
	for (size_t i = 0; i < schema->n_one_of; i++)
		schema_each(schema->one_of[i], visit, data);
	schema_each(schema->not, visit, data);
	for (size_t i = 0; i < schema->n_properties; i++)
		schema_each(schema->properties[i]->value, visit, data);
	if (schema->additional_properties)
		schema_each(schema->additional_properties->schema, visit, data);
}

static const char *const types[] = {"array", "boolean", "integer", "number", "object", "string", NULL};

/* What OpenAPI may say and a CRD may not. */
static void check_standard(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, const struct where *where)
{
	if (!str_empty(schema->type) && where->given->types && !str_in(schema->type, types))
		field_unsupported_json(errors, FIELD(path, "type"), field_quote(errors->arena, schema->type), types);
	if (schema->default_ && where->no_defaults)
		field_forbidden(errors, FIELD(path, "default"),
			arena_printf(errors->arena, "must not be set %s", where->no_defaults));
	if (!str_empty(schema->id))
		field_forbidden(errors, FIELD(path, "id"), "id is not supported");
	if (schema->additional_items)
		field_forbidden(errors, FIELD(path, "additionalItems"), "additionalItems is not supported");
	if (schema->n_pattern_properties > 0)
		field_forbidden(errors, FIELD(path, "patternProperties"), "patternProperties is not supported");
	if (schema->n_definitions > 0)
		field_forbidden(errors, FIELD(path, "definitions"), "definitions is not supported");
	if (schema->dependencies)
		field_forbidden(errors, FIELD(path, "dependencies"), "dependencies is not supported");
	if (schema->ref)
		field_forbidden(errors, FIELD(path, "$ref"), "$ref is not supported");
	if (str_eq(schema->type, "null"))
		field_forbidden(
			errors, FIELD(path, "type"), "type cannot be set to null, use nullable as an alternative");
	if (schema->items && schema->items->n_j_son_schemas > 0)
		field_forbidden(errors, FIELD(path, "items"), "items must be a schema object and not an array");
	if (where->in_meta && schema->x_kubernetes_embedded_resource)
		field_forbidden(errors, FIELD(path, "x-kubernetes-embedded-resource"),
			"must not be used inside of resource meta");
}

/* Lists and maps */

static void check_type_for(struct field_errors *errors, const struct field_path *path, const Schema *schema,
	const char *type, const char *detail)
{
	if (str_empty(schema->type))
		field_required(errors, FIELD(path, "type"), detail);
	else if (!str_eq(schema->type, type))
		field_invalid(errors, FIELD(path, "type"), schema->type, detail);
}

static void check_set(struct field_errors *errors, const struct field_path *path, const Schema *item)
{
	static const char atomic[] = "must be atomic as item of a list with x-kubernetes-list-type=set";
	const char *type = item->x_kubernetes_list_type;
	const struct field_path *items = FIELD(path, "items");
	if (str_eq(item->type, "array") && type && !str_eq(type, "atomic"))
		field_invalid(errors, FIELD(items, "x-kubernetes-list-type"), type, atomic);
	if (str_eq(item->type, "object") && !str_eq(item->x_kubernetes_map_type, "atomic"))
		field_invalid_json(errors, FIELD(items, "x-kubernetes-map-type"),
			type ? field_quote(errors->arena, type) : "null", atomic);
}

static void check_map_keys(struct field_errors *errors, const struct field_path *path, const Schema *schema)
{
	const Schema *item = schema->items->schema;
	const struct field_path *at = FIELD(path, "x-kubernetes-list-map-keys");
	char **keys = schema->x_kubernetes_list_map_keys;
	size_t n = schema->n_x_kubernetes_list_map_keys;
	const char *json = strings_json(errors->arena, keys, n);
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < n; i++) {
		const Schema *property = schema_property(item, keys[i]);
		if (!property)
			field_invalid_json(errors, at, json, "entries must all be names of item properties");
		else if (str_eq(property->type, "array") || str_eq(property->type, "object"))
			field_invalid(errors,
				FIELD(FIELD_KEY(FIELD(FIELD(path, "items"), "properties"), keys[i]), "type"),
				item->type, "must be a scalar type if parent array's x-kubernetes-list-type is map");
		if (!nameset_add(&seen, keys[i]))
			field_invalid_json(errors, at, json, "must not contain duplicate entries");
	}
}

static void check_map(struct field_errors *errors, const struct field_path *path, const Schema *schema)
{
	const Schema *item = schema->items ? schema->items->schema : NULL;
	if (schema->n_x_kubernetes_list_map_keys == 0)
		field_required(errors, FIELD(path, "x-kubernetes-list-map-keys"),
			"must not be empty if x-kubernetes-list-type is map");
	if (!schema->items)
		field_required(errors, FIELD(path, "items"), "must have a schema if x-kubernetes-list-type is map");
	else if (!item)
		field_invalid_internal(errors, FIELD(path, "items"), schema->items,
			"must only have a single schema if x-kubernetes-list-type is map");
	else if (!str_eq(item->type, "object"))
		field_invalid(errors, FIELD(FIELD(path, "items"), "type"), str_or_empty(item->type),
			"must be object if parent array's x-kubernetes-list-type is map");
	else
		check_map_keys(errors, path, schema);
}

/* Items of sets and maps are told apart: by their keys, which therefore are there. */
static void check_items_of(struct field_errors *errors, const struct field_path *path, const Schema *schema)
{
	const Schema *item = schema->items ? schema->items->schema : NULL;
	const char *type = schema->x_kubernetes_list_type;
	bool map = str_eq(type, "map");
	const struct field_path *items = FIELD(path, "items");
	if (!item || (!map && !str_eq(type, "set")))
		return;
	if (item->nullable)
		field_forbidden(errors, FIELD(items, "nullable"),
			arena_printf(errors->arena, "cannot be nullable when x-kubernetes-list-type is %s", type));
	struct nameset required = {.arena = errors->arena};
	for (size_t i = 0; map && i < item->n_required; i++)
		nameset_add(&required, item->required[i]);
	for (size_t i = 0; map && i < schema->n_x_kubernetes_list_map_keys; i++) {
		const char *key = schema->x_kubernetes_list_map_keys[i];
		const Schema *property = schema_property(item, key);
		const struct field_path *at = FIELD_KEY(FIELD(items, "properties"), key);
		if (!property)
			continue;
		if (!property->default_ && !nameset_has(&required, key))
			field_required(errors, FIELD(at, "default"),
				"this property is in x-kubernetes-list-map-keys, so it must have a default or be a "
				"required property");
		if (property->nullable)
			field_forbidden(errors, FIELD(at, "nullable"),
				"this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
	}
}

static void check_topology(struct field_errors *errors, const struct field_path *path, const Schema *schema,
	const struct crd_schema_rules *given)
{
	static const char *const map_types[] = {"atomic", "granular", NULL};
	static const char *const list_types[] = {"atomic", "set", "map", NULL};
	const char *map = schema->x_kubernetes_map_type, *list = schema->x_kubernetes_list_type;
	const struct field_path *at = FIELD(path, "x-kubernetes-list-type");
	if (schema->has_x_kubernetes_preserve_unknown_fields && !schema->x_kubernetes_preserve_unknown_fields)
		field_invalid_bool(errors, FIELD(path, "x-kubernetes-preserve-unknown-fields"), false,
			"must be true or undefined");
	if (map)
		check_type_for(errors, path, schema, "object", "must be object if x-kubernetes-map-type is specified");
	if (map && !str_in(map, map_types))
		field_unsupported_json(
			errors, FIELD(path, "x-kubernetes-map-type"), field_quote(errors->arena, map), map_types);
	if (list && !str_eq(schema->type, "array"))
		check_type_for(errors, path, schema, "array", "must be array if x-kubernetes-list-type is specified");
	else if (given->atomic && str_eq(list, "set") && schema->items && schema->items->schema)
		check_set(errors, path, schema->items->schema);
	if (list && !str_in(list, list_types))
		field_unsupported_json(errors, at, field_quote(errors->arena, list), list_types);
	if (schema->n_x_kubernetes_list_map_keys > 0 && !list)
		field_required(errors, at, "must be map if x-kubernetes-list-map-keys is non-empty");
	else if (schema->n_x_kubernetes_list_map_keys > 0 && !str_eq(list, "map"))
		field_invalid(errors, at, list, "must be map if x-kubernetes-list-map-keys is non-empty");
	if (str_eq(list, "map"))
		check_map(errors, path, schema);
	if (given->keyed)
		check_items_of(errors, path, schema);
}

/* Rules: all but their expressions. */

static bool has_newline(const char *text)
{
	return strpbrk(str_or_empty(text), "\r\n") != NULL;
}

static void check_rule(struct field_errors *errors, const struct field_path *path, const Schema *schema,
	const ApiextensionsV1ValidationRule *rule)
{
	static const char *const reasons[] = {
		"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired", NULL};
	static const char blank[] = "must be non-empty if specified", lines[] = "must not contain line breaks";
	const struct field_path *message = FIELD(path, "message");
	if (is_blank(str_or_empty(rule->rule)))
		field_required(errors, FIELD(path, "rule"), "rule is not specified");
	else if (!str_empty(rule->message) && is_blank(rule->message))
		field_invalid(errors, message, rule->message, blank);
	else if (has_newline(str_trim(errors->arena, str_or_empty(rule->message))))
		field_invalid(errors, message, rule->message, lines);
	else if (has_newline(str_trim(errors->arena, rule->rule)) && str_empty(rule->message))
		field_required(errors, message, "message must be specified if rule contains line breaks");
	if (!str_empty(rule->message_expression) && is_blank(rule->message_expression))
		field_required(
			errors, FIELD(path, "messageExpression"), "messageExpression must be non-empty if specified");
	if (rule->reason && !str_in(rule->reason, reasons))
		field_unsupported(errors, FIELD(path, "reason"), rule->reason, reasons);
	if (!str_empty(rule->field_path) && is_blank(rule->field_path))
		field_invalid(errors, FIELD(path, "fieldPath"), rule->field_path, blank);
	if (has_newline(rule->field_path))
		field_invalid(errors, FIELD(path, "fieldPath"), rule->field_path, lines);
	if (!str_empty(rule->field_path) && schema_is_readable(schema) &&
		!rule_path(errors->arena, schema, rule->field_path))
		field_invalid(errors, FIELD(path, "fieldPath"), rule->field_path, "must be a valid path");
}

/* The walk */

static void walk(struct field_errors *errors, const struct field_path *path, const Schema *schema, struct where where);

static void walk_list(struct field_errors *errors, const struct field_path *path, Schema *const *schemas, size_t n,
	struct where where)
{
	for (size_t i = 0; i < n; i++)
		walk(errors, FIELD_INDEX(path, i), schemas[i], where);
}

static void walk_properties(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, struct where where)
{
	static const char *const meta[] = {"metadata", "kind", "apiVersion", NULL};
	static const char *const map_types[] = {"atomic", "granular", NULL};
	const char *map = schema->x_kubernetes_map_type;
	bool is_root = where.is_root;
	where.is_root = false;
	if (map && !str_in(map, map_types) && !where.unrelated)
		where.unrelated = path;
	for (size_t i = 0; i < schema->n_properties; i++) {
		struct where below = where;
		const char *name = schema->properties[i]->key;
		const Schema *property = schema->properties[i]->value;
		if ((is_root || schema->x_kubernetes_embedded_resource) && str_in(name, meta)) {
			below.in_meta = true;
			if (is_root)
				below.no_defaults = arena_printf(errors->arena, "in top-level %s", name);
		}
		below.place = rule_place_below(
			&where.place, schema, property, rule_decl_property(errors->arena, where.place.decl, name));
		walk(errors, FIELD_KEY(FIELD(path, "properties"), name), property, below);
	}
}

static void walk_more(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, struct where where)
{
	const ApiextensionsV1JSONSchemaPropsOrBool *more = schema->additional_properties;
	if (!more)
		return;
	if (schema->n_properties > 0 && (!more->allows || more->schema))
		field_forbidden(errors, FIELD(path, "additionalProperties"),
			"additionalProperties and properties are mutual exclusive");
	if (where.in_meta)
		where.no_defaults = "inside additionalProperties applying to object metadata";
	where.place = rule_place_below(&where.place, schema, more->schema, rule_decl_more(where.place.decl));
	walk(errors, FIELD(path, "additionalProperties"), more->schema, where);
}

static void walk_items(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, struct where where)
{
	if (!schema->items)
		return;
	if (!str_eq(schema->x_kubernetes_list_type, "map") && !where.unrelated)
		where.unrelated = path;
	where.place = rule_place_below(&where.place, schema, schema->items->schema, rule_decl_items(where.place.decl));
	walk(errors, FIELD(path, "items"), schema->items->schema, where);
	walk_list(errors, FIELD(path, "items"), schema->items->j_son_schemas, schema->items->n_j_son_schemas, where);
}

static void walk(struct field_errors *errors, const struct field_path *path, const Schema *schema, struct where where)
{
	size_t n_before = errors->n_items;
	if (!schema)
		return;
	if (where.rules)
		rule_place_enter(errors->arena, &where.place, schema);
	struct where below = where, value = where;
	below.is_root = value.is_root = false;
	value.rules = NULL; /* what restricts values only has none */
	check_standard(errors, path, schema, &where);
	if (schema->unique_items)
		field_forbidden(errors, FIELD(path, "uniqueItems"),
			"uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
	walk_more(errors, path, schema, below);
	walk_properties(errors, path, schema, where);
	walk(errors, FIELD(path, "not"), schema->not, value);
	walk_list(errors, FIELD(path, "allOf"), schema->all_of, schema->n_all_of, value);
	walk_list(errors, FIELD(path, "oneOf"), schema->one_of, schema->n_one_of, value);
	walk_list(errors, FIELD(path, "anyOf"), schema->any_of, schema->n_any_of, value);
	for (size_t i = 0; i < schema->n_definitions; i++)
		walk(errors, FIELD_KEY(FIELD(path, "definitions"), schema->definitions[i]->key),
			schema->definitions[i]->value, value);
	walk_items(errors, path, schema, below);
	for (size_t i = 0; i < schema->n_dependencies; i++)
		walk(errors, FIELD_KEY(FIELD(path, "dependencies"), schema->dependencies[i]->key),
			schema->dependencies[i]->value->schema, value);
	check_topology(errors, path, schema, where.given);
	for (size_t i = 0; i < schema->n_x_kubernetes_validations; i++)
		check_rule(errors, FIELD_INDEX(FIELD(path, "x-kubernetes-validations"), i), schema,
			schema->x_kubernetes_validations[i]);
	if (where.rules && errors->n_items == n_before)
		rule_check_rules(where.rules, path, &where.place, where.unrelated, schema);
}

/* The status is checked alone by properties["status"]: a root that says more would be lost on it. */
static void check_root(struct field_errors *errors, const struct field_path *path, const Schema *s)
{
	bool before_type = !str_empty(s->id) || !str_empty(s->schema) || s->ref;
	bool after_type = s->nullable || s->default_ || s->n_enum || s->has_max_properties || s->has_min_properties ||
			  s->n_all_of || s->n_one_of || s->n_any_of || s->not || s->additional_properties ||
			  s->n_pattern_properties || s->n_dependencies || s->additional_items || s->n_definitions ||
			  s->x_kubernetes_embedded_resource || s->x_kubernetes_int_or_string ||
			  s->n_x_kubernetes_list_map_keys || s->x_kubernetes_list_type || s->x_kubernetes_map_type;
	if (!before_type && !str_empty(s->type) && !str_eq(s->type, "object")) {
		field_invalid(errors, FIELD(path, "type"), s->type,
			"only \"object\" is allowed as the type at the root of the schema if the status subresource "
			"is enabled");
		return;
	}
	if (before_type || after_type)
		field_invalid_internal(errors, path, s,
			"only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum "
			"MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items "
			"Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at "
			"the root of the schema if the status subresource is enabled");
}

struct search {
	const char *found;
};

static void find_unsupported(const Schema *schema, void *data)
{
	struct search *search = data;
	if (!search->found)
		search->found = !str_empty(schema->id)	     ? "id"
				: !str_empty(schema->schema) ? "schema"
				: !str_empty(schema->ref)    ? "$ref"
							     : NULL;
}

/* What a schema that is otherwise right says and is not kept, anywhere in it; NULL: nothing. */
static const char *unsupported_member(const Schema *schema)
{
	struct search search = {0};
	schema_each(schema, find_unsupported, &search);
	return search.found;
}

void validate_crd_schema(struct field_errors *errors, const struct field_path *path, const Schema *schema,
	const struct crd_schema_rules *rules)
{
	size_t n_before = errors->n_items;
	if (rules->has_status)
		check_root(errors, path, schema);
	if (schema->nullable)
		field_forbidden(errors, FIELD(path, "nullable"), "nullable cannot be true at the root");
	struct rule_check check = {.errors = FIELD_ERRORS_INIT(errors->arena), .given = rules};
	struct where where = {.given = rules, .is_root = true, .place = {.times = 1, .is_root = true}};
	if (rules->structural && validate_structure(errors, path, schema) &&
		validate_crd_defaults(errors, path, schema, rules->pruned))
		where.rules = &check;
	walk(errors, path, schema, where);
	const char *unsupported = rules->structural && errors->n_items == n_before ? unsupported_member(schema) : NULL;
	if (unsupported)
		field_invalid(errors, path, "",
			arena_printf(errors->arena, "OpenAPIV3Schema '%s' is not supported", unsupported));
	rule_check_total(&check, path);
	field_errors_append(errors, &check.errors);
}

/* What was stored */

struct stored {
	struct field_errors sets, items;
	bool odd_types;
};

static void note_stored(const Schema *schema, void *data)
{
	struct stored *stored = data;
	stored->odd_types |= !str_empty(schema->type) && !str_in(schema->type, types);
	if (str_eq(schema->x_kubernetes_list_type, "set") && schema->items && schema->items->schema)
		check_set(&stored->sets, NULL, schema->items->schema);
	check_items_of(&stored->items, NULL, schema);
}

void crd_rules_after(struct arena *arena, const Schema *schema, struct crd_schema_rules *rules)
{
	struct field_errors ignored = FIELD_ERRORS_INIT(arena);
	struct stored stored = {FIELD_ERRORS_INIT(arena), FIELD_ERRORS_INIT(arena), false};
	if (!schema)
		return;
	schema_each(schema, note_stored, &stored);
	bool structural = validate_structure(&ignored, NULL, schema);
	rules->structural &= structural;
	rules->pruned &= !structural || !schema_has_unpruned_defaults(arena, schema);
	rules->types &= !stored.odd_types;
	rules->atomic &= !stored.sets.n_items;
	rules->keyed &= !stored.items.n_items;
}
