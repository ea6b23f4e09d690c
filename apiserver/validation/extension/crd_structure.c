#include <stdlib.h>
#include "api/copy.h"
#include "apiserver/validation/extension/crd.h"
#include "base/regex.h"
#include "base/str.h"

typedef ApiextensionsV1JSONSchemaProps Schema;

enum level { ROOT, ITEM, PROPERTY };

/* What keeps a schema from being read as a structure at all; it is named by the other checks. */
static void note_unsupported(const Schema *s, void *data)
{
	bool *unsupported = data;
	*unsupported |= !str_empty(s->id) || !str_empty(s->schema) || s->ref || s->n_pattern_properties ||
			s->n_dependencies || s->additional_items || s->n_definitions ||
			(s->items && s->items->n_j_son_schemas) ||
			(s->has_x_kubernetes_preserve_unknown_fields && !s->x_kubernetes_preserve_unknown_fields);
}

bool schema_is_readable(const Schema *schema)
{
	bool unsupported = false;
	schema_each(schema, note_unsupported, &unsupported);
	return !unsupported;
}

/* A pair of nothing but the types integer and string. */
static bool is_int_or_string(Schema *const *any_of, size_t n)
{
	static const char *const types[] = {"integer", "string"};
	if (n != 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		const Schema only_type = {.base = any_of[i]->base, .type = any_of[i]->type};
		if (!str_eq(any_of[i]->type, types[i]) || !api_equal(any_of[i], &only_type))
			return false;
	}
	return true;
}

/* Values: what restricts them without adding to the structure. */

static void check_nested(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, bool skip_any_of);

static void check_pattern(struct field_errors *errors, const struct field_path *path, const char *pattern)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	const char *problem;
	if (!str_empty(pattern) && !regex_new(scratch, pattern, strlen(pattern), &problem))
		field_invalid(errors, FIELD(path, "pattern"), pattern,
			arena_printf(errors->arena, "must be a valid regular expression, but isn't: %s", problem));
}

static void check_values(struct field_errors *errors, const struct field_path *path, const Schema *schema,
	bool skip_any_of, bool skip_first)
{
	for (size_t i = 0; !skip_any_of && i < schema->n_any_of; i++)
		check_nested(errors, FIELD_INDEX(FIELD(path, "anyOf"), i), schema->any_of[i], false);
	for (size_t i = 0; i < schema->n_all_of; i++)
		check_nested(errors, FIELD_INDEX(FIELD(path, "allOf"), i), schema->all_of[i], skip_first && i == 0);
	for (size_t i = 0; i < schema->n_one_of; i++)
		check_nested(errors, FIELD_INDEX(FIELD(path, "oneOf"), i), schema->one_of[i], false);
	check_nested(errors, FIELD(path, "not"), schema->not, false);
	check_pattern(errors, path, schema->pattern);
}

static void check_nested(struct field_errors *errors, const struct field_path *path, const Schema *s, bool skip_any_of)
{
	if (!s)
		return;
	const struct {
		bool present;
		const char *name, *detail;
	} forbidden[] = {
		{!str_empty(s->type), "type", "must be empty to be structural"},
		{s->additional_properties, "additionalProperties", "must be undefined to be structural"},
		{s->default_, "default", "must be undefined to be structural"},
		{!str_empty(s->title), "title", "must be empty to be structural"},
		{!str_empty(s->description), "description", "must be empty to be structural"},
		{s->nullable, "nullable", "must be false to be structural"},
		{s->x_kubernetes_preserve_unknown_fields, "x-kubernetes-preserve-unknown-fields",
			"must be false to be structural"},
		{s->x_kubernetes_embedded_resource, "x-kubernetes-embedded-resource", "must be false to be structural"},
		{s->x_kubernetes_int_or_string, "x-kubernetes-int-or-string", "must be false to be structural"},
		{s->n_x_kubernetes_list_map_keys, "x-kubernetes-list-map-keys", "must be empty to be structural"},
		{s->x_kubernetes_list_type, "x-kubernetes-list-type", "must be undefined to be structural"},
		{s->x_kubernetes_map_type, "x-kubernetes-map-type", "must be undefined to be structural"},
		{s->n_x_kubernetes_validations, "x-kubernetes-validations", "must be empty to be structural"},
	};
	check_values(errors, path, s, skip_any_of, false);
	if (s->items)
		check_nested(errors, FIELD(path, "items"), s->items->schema, false);
	for (size_t i = 0; i < s->n_properties; i++)
		check_nested(errors, FIELD_KEY(FIELD(path, "properties"), s->properties[i]->key),
			s->properties[i]->value, false);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		if (forbidden[i].present)
			field_forbidden(errors, FIELD(path, forbidden[i].name), forbidden[i].detail);
	if (schema_property(s, "metadata"))
		field_forbidden(errors, FIELD_KEY(FIELD(path, "properties"), "metadata"),
			"must not be specified in a nested context");
}

/* Every field that a value is asked of is one of the structure. */

static void check_values_complete(struct field_errors *errors, const Schema *values, const Schema *schema,
	const struct field_path *at, const struct field_path *from);

static void check_complete(struct field_errors *errors, const Schema *values, const Schema *schema,
	const struct field_path *at, const struct field_path *from)
{
	if (!values)
		return;
	if (!schema) {
		field_required(errors, at,
			arena_printf(
				errors->arena, "because it is defined in %s", field_path_string(errors->arena, from)));
		return;
	}
	check_values_complete(errors, values, schema, at, from);
	if (values->items)
		check_complete(errors, values->items->schema, schema->items ? schema->items->schema : NULL,
			FIELD(at, "items"), FIELD(from, "items"));
	for (size_t i = 0; i < values->n_properties; i++) {
		const char *name = values->properties[i]->key;
		check_complete(errors, values->properties[i]->value, schema_property(schema, name),
			FIELD_KEY(FIELD(at, "properties"), name), FIELD_KEY(FIELD(from, "properties"), name));
	}
}

static void check_values_complete(struct field_errors *errors, const Schema *values, const Schema *schema,
	const struct field_path *at, const struct field_path *from)
{
	check_complete(errors, values->not, schema, at, FIELD(from, "not"));
	for (size_t i = 0; i < values->n_all_of; i++)
		check_complete(errors, values->all_of[i], schema, at, FIELD_INDEX(FIELD(from, "allOf"), i));
	for (size_t i = 0; i < values->n_any_of; i++)
		check_complete(errors, values->any_of[i], schema, at, FIELD_INDEX(FIELD(from, "anyOf"), i));
	for (size_t i = 0; i < values->n_one_of; i++)
		check_complete(errors, values->one_of[i], schema, at, FIELD_INDEX(FIELD(from, "oneOf"), i));
}

/* The structure */

/* Of the root's metadata a schema may restrict the name and the generateName, nothing else. */
static bool only_names(const Schema *meta)
{
	Schema rest = *meta;
	const Schema empty = {.base = meta->base};
	for (size_t i = 0; i < meta->n_properties; i++)
		if (!str_eq(meta->properties[i]->key, "name") && !str_eq(meta->properties[i]->key, "generateName"))
			return false;
	rest.n_properties = 0;
	rest.properties = NULL;
	rest.type = NULL;
	rest.default_ = NULL;
	return api_equal(&rest, &empty);
}

static void check_meta(struct field_errors *errors, const struct field_path *path, const Schema *schema, bool checked,
	enum level level)
{
	static const char *const texts[] = {"kind", "apiVersion"};
	const struct field_path *properties = FIELD(path, "properties");
	for (size_t i = 0; checked && i < 2; i++) {
		const Schema *property = schema_property(schema, texts[i]);
		if (property && !str_eq(property->type, "string"))
			field_invalid(errors, FIELD(FIELD_KEY(properties, texts[i]), "type"),
				str_or_empty(property->type), "must be string");
	}
	const Schema *meta = schema_property(schema, "metadata");
	if (meta && checked && !str_eq(meta->type, "object"))
		field_invalid(errors, FIELD(FIELD_KEY(properties, "metadata"), "type"), str_or_empty(meta->type),
			"must be object");
	if (meta && level == ROOT && !only_names(meta))
		field_forbidden(errors, FIELD_KEY(properties, "metadata"),
			"must not specify anything other than name and generateName, but metadata is implicitly "
			"specified");
}

static void check_type(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, enum level level)
{
	static const char *const empty[] = {[ROOT] = "must not be empty at the root",
		[ITEM] = "must not be empty for specified array items",
		[PROPERTY] = "must not be empty for specified object fields"};
	static const char embedded[] = "must be object if x-kubernetes-embedded-resource is true";
	const struct field_path *at = FIELD(path, "type");
	if (schema->x_kubernetes_embedded_resource && str_empty(schema->type))
		field_required(errors, at, embedded);
	else if (schema->x_kubernetes_embedded_resource && !str_eq(schema->type, "object"))
		field_invalid(errors, at, schema->type, embedded);
	else if (str_empty(schema->type) && !schema->x_kubernetes_int_or_string &&
		 !schema->x_kubernetes_preserve_unknown_fields)
		field_required(errors, at, empty[level]);
	if (level == ROOT && !str_empty(schema->type) && !str_eq(schema->type, "object"))
		field_invalid(errors, at, schema->type, "must be object at the root");
}

static void check_extensions(struct field_errors *errors, const struct field_path *path, const Schema *schema)
{
	static const char detail[] = "must be false if x-kubernetes-int-or-string is true";
	if (schema->x_kubernetes_int_or_string && schema->x_kubernetes_preserve_unknown_fields)
		field_invalid_bool(errors, FIELD(path, "x-kubernetes-preserve-unknown-fields"), true, detail);
	if (schema->x_kubernetes_int_or_string && schema->x_kubernetes_embedded_resource)
		field_invalid_bool(errors, FIELD(path, "x-kubernetes-embedded-resource"), true, detail);
}

static void check_structure(
	struct field_errors *errors, const struct field_path *path, const Schema *schema, enum level level)
{
	const ApiextensionsV1JSONSchemaPropsOrBool *more = schema->additional_properties;
	bool embedded = schema->x_kubernetes_embedded_resource;
	if (str_eq(schema->type, "array") && (!schema->items || !schema->items->schema))
		field_required(errors, FIELD(path, "items"), "must be specified");
	if (schema->items && schema->items->schema)
		check_structure(errors, FIELD(path, "items"), schema->items->schema, ITEM);
	for (size_t i = 0; i < schema->n_properties; i++)
		check_structure(errors, FIELD_KEY(FIELD(path, "properties"), schema->properties[i]->key),
			schema->properties[i]->value, PROPERTY);
	if (more && level == ROOT)
		field_forbidden(errors, FIELD(path, "additionalProperties"), "must not be used at the root");
	if (more && more->schema)
		check_structure(errors, FIELD(path, "additionalProperties"), more->schema, PROPERTY);
	check_extensions(errors, path, schema);
	check_values(errors, path, schema, is_int_or_string(schema->any_of, schema->n_any_of),
		schema->n_all_of > 0 && is_int_or_string(schema->all_of[0]->any_of, schema->all_of[0]->n_any_of));
	check_type(errors, path, schema, level);
	if (embedded && more)
		field_forbidden(errors, FIELD(path, "additionalProperties"),
			"must not be used if x-kubernetes-embedded-resource is set");
	check_meta(errors, path, schema, level == ROOT || embedded, level);
	if (embedded && !schema->x_kubernetes_preserve_unknown_fields && schema->n_properties == 0)
		field_required(errors, FIELD(path, "properties"),
			"must not be empty if x-kubernetes-embedded-resource is true without "
			"x-kubernetes-preserve-unknown-fields");
}

static int by_text(const void *a, const void *b)
{
	const struct field_error *x = a, *y = b;
	size_t i = 0;
	while (x->field[i] && x->field[i] == y->field[i])
		i++;
	/* A colon follows the field. */
	int p = x->field[i] ? (unsigned char)x->field[i] : ':';
	int q = y->field[i] ? (unsigned char)y->field[i] : ':';
	return p != q ? p - q : strcmp(x->body, y->body);
}

bool validate_structure(struct field_errors *errors, const struct field_path *path, const Schema *schema)
{
	size_t n = errors->n_items;
	if (!schema_is_readable(schema))
		return false; /* the other checks name why */
	check_structure(errors, path, schema, ROOT);
	check_values_complete(errors, schema, schema, path, path);
	if (errors->n_items > n)
		qsort(errors->items + n, errors->n_items - n, sizeof(*errors->items), by_text);
	return errors->n_items == n;
}
