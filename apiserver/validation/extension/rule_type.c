/*
 * The types that schemas declare. A type has the size that its values can have: what the schema limits, or what fits
 * into a request.
 */
#include <cjson/cJSON.h>
#include "apiserver/validation/extension/rule.h"
#include "base/nameset.h"
#include "base/str.h"

typedef ApiextensionsV1JSONSchemaProps Schema;

const char *rule_field_name(struct arena *arena, const char *name, bool *ret_reserved)
{
	static const char *const reserved[] = {"true", "false", "null", "in", "as", "break", "const", "continue",
		"else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
		"void", "while", NULL};
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	*ret_reserved = str_in(name, reserved);
	if (*ret_reserved)
		return arena_printf(arena, "__%s__", name);
	if (!*name || (*name >= '0' && *name <= '9'))
		return NULL;
	if (strlen(name) == strspn(name, plain) && !strstr(name, "__"))
		return name;
	char *escaped = arena_alloc(arena, strlen(name) * strlen("__underscores__") + 1), *out = escaped;
	for (const char *p = name; *p; p++) {
		if (p[0] == '_' && p[1] == '_') {
			out = stpcpy(out, "__underscores__");
			p++;
		} else if (*p == '.')
			out = stpcpy(out, "__dot__");
		else if (*p == '-')
			out = stpcpy(out, "__dash__");
		else if (*p == '/')
			out = stpcpy(out, "__slash__");
		else if (strchr(plain, *p))
			*out++ = *p;
		else
			return NULL;
	}
	*out = '\0';
	return escaped;
}

static const struct decl *decl_new(struct arena *arena, const struct cel_type *type, uint64_t max, uint64_t min)
{
	struct decl *d = arena_alloc(arena, sizeof(*d));
	*d = (struct decl){*type, min};
	d->type.max_size = max;
	return d;
}

static uint64_t longest(const Schema *schema)
{
	uint64_t max = 0;
	for (size_t i = 0; i < schema->n_enum; i++) {
		cJSON *json =
			cJSON_ParseWithLength((const char *)schema->enum_[i]->raw.data, schema->enum_[i]->raw.len);
		if (cJSON_IsString(json) && strlen(json->valuestring) > max)
			max = strlen(json->valuestring);
		cJSON_Delete(json);
	}
	return max;
}

/* Texts of formats that are times, and what is one value: how long it is at most and at least. */
static const struct plain {
	const char *name;
	const struct cel_type *type;
	uint64_t max, min;
} times[] = {{"duration", &cel_duration, 32, 3}, {"date", &cel_timestamp, 12, 12},
	{"date-time", &cel_timestamp, 32, 21}},
  scalars[] = {{"boolean", &cel_bool, 0, 4}, {"number", &cel_double, 0, 1}, {"integer", &cel_int, 0, 1}};

static const struct decl *string_decl(struct arena *arena, const Schema *schema)
{
	const char *format = str_or_empty(schema->format);
	if (!strcmp(format, "byte"))
		return decl_new(arena, &cel_bytes,
			rule_limit(schema->has_max_length, schema->max_length, RULE_MAX_REQUEST - 2), 2);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (!strcmp(format, times[i].name))
			return decl_new(arena, times[i].type, times[i].max, times[i].min);
	uint64_t max = RULE_MAX_REQUEST - 2;
	if (schema->has_max_length)
		max = rule_times(rule_limit(true, schema->max_length, 0), 4);
	else if (schema->n_enum)
		max = longest(schema);
	return decl_new(arena, &cel_string, max, 2);
}

struct fields {
	struct cel_field *items;
	size_t n;
};

static void add_field(struct arena *arena, struct fields *fields, const char *name, const struct decl *decl)
{
	bool reserved;
	const char *escaped = rule_field_name(arena, name, &reserved);
	if (escaped)
		ARENA_PUSH(arena, fields->items, fields->n) = (struct cel_field){escaped, &decl->type};
	if (reserved)
		ARENA_PUSH(arena, fields->items, fields->n) = (struct cel_field){name, &decl->type};
}

static bool has_string(const Schema *schema, const char *name)
{
	const Schema *property = schema ? schema_property(schema, name) : NULL;
	return property && str_eq(property->type, "string");
}

bool rule_knows_meta(const Schema *schema)
{
	const Schema *meta = schema_property(schema, "metadata");
	return has_string(schema, "kind") && has_string(schema, "apiVersion") && meta && str_eq(meta->type, "object") &&
	       has_string(meta, "name") && has_string(meta, "generateName");
}

/* kind, apiVersion, metadata.name and metadata.generateName are in every resource. */
static bool add_meta(struct arena *arena, struct fields *fields, const Schema *schema, const char *name)
{
	if (rule_knows_meta(schema))
		return false;
	const struct decl *text = decl_new(arena, &cel_string, RULE_MAX_REQUEST - 2, 2);
	struct fields in_meta = {0};
	add_field(arena, &in_meta, "name", text);
	add_field(arena, &in_meta, "generateName", text);
	const struct cel_type *type =
		cel_type_object(arena, arena_printf(arena, "%s.metadata", name), in_meta.items, in_meta.n);
	add_field(arena, fields, "kind", text);
	add_field(arena, fields, "apiVersion", text);
	add_field(arena, fields, "metadata", decl_new(arena, type, 0, 2));
	return true;
}

static const struct decl *object_decl(struct arena *arena, const Schema *schema, bool is_root, const char *name)
{
	static const char *const meta[] = {"kind", "apiVersion", "metadata", NULL};
	struct fields fields = {0};
	struct nameset required = {.arena = arena};
	uint64_t min = 2;
	for (size_t i = 0; i < schema->n_required; i++)
		nameset_add(&required, schema->required[i]);
	bool has_meta = is_root && add_meta(arena, &fields, schema, name);
	for (size_t i = 0; i < schema->n_properties; i++) {
		const char *key = schema->properties[i]->key;
		const Schema *property = schema->properties[i]->value;
		const struct decl *d = !property ? NULL
						 : rule_decl(arena, property, property->x_kubernetes_embedded_resource,
							   arena_printf(arena, "%s.%s", name, key));
		if (!d || (has_meta && str_in(key, meta)))
			continue;
		add_field(arena, &fields, key, d);
		if (nameset_has(&required, key) && !property->default_)
			min += strlen(key) + d->min + 4;
	}
	return decl_new(arena, cel_type_object(arena, name, fields.items, fields.n), 0, min);
}

const struct decl *rule_decl(struct arena *arena, const Schema *schema, bool is_root, const char *name)
{
	const char *type = str_or_empty(schema->type);
	if (schema->x_kubernetes_int_or_string) {
		uint64_t length = rule_times(rule_limit(true, schema->max_length, 0), 4);
		return decl_new(arena, &cel_dyn, schema->has_max_length ? length : RULE_MAX_REQUEST - 2, 1);
	}
	if (!strcmp(type, "array")) {
		const Schema *item = schema->items ? schema->items->schema : NULL;
		const struct decl *d = !item ? NULL
					     : rule_decl(arena, item, item->x_kubernetes_embedded_resource,
						       arena_printf(arena, "%s.@idx", name));
		return d ? decl_new(arena, cel_type_list(arena, &d->type),
				   rule_limit(schema->has_max_items, schema->max_items,
					   (RULE_MAX_REQUEST - 2) / (d->min + 1)),
				   2)
			 : NULL;
	}
	if (!strcmp(type, "object") && schema->additional_properties && schema->additional_properties->schema) {
		const Schema *value = schema->additional_properties->schema;
		const struct decl *d = rule_decl(
			arena, value, value->x_kubernetes_embedded_resource, arena_printf(arena, "%s.@elem", name));
		const struct decl *key = decl_new(arena, &cel_string, 0, 2);
		return d ? decl_new(arena, cel_type_map(arena, &key->type, &d->type),
				   rule_limit(schema->has_max_properties, schema->max_properties,
					   (RULE_MAX_REQUEST - 2) / (d->min + 6)),
				   2)
			 : NULL;
	}
	if (!strcmp(type, "object"))
		return object_decl(arena, schema, is_root, name);
	if (!strcmp(type, "string"))
		return string_decl(arena, schema);
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++)
		if (!strcmp(type, scalars[i].name))
			return decl_new(arena, scalars[i].type, scalars[i].max, scalars[i].min);
	return NULL;
}

/* Types below a type. All that are there were made here. */

const struct decl *rule_decl_property(struct arena *arena, const struct decl *decl, const char *name)
{
	bool reserved;
	const char *field = rule_field_name(arena, name, &reserved);
	const struct cel_type *type =
		decl && field && decl->type.kind == CEL_OBJECT ? cel_type_field(arena, &decl->type, field) : NULL;
	return (const struct decl *)type;
}

const struct decl *rule_decl_items(const struct decl *decl)
{
	return decl && decl->type.kind == CEL_LIST ? (const struct decl *)decl->type.params[0] : NULL;
}

const struct decl *rule_decl_more(const struct decl *decl)
{
	return decl && decl->type.kind == CEL_MAP ? (const struct decl *)decl->type.params[1] : NULL;
}

/* Names: where a rule is, its type is self's, and what is in it is named after it. */

static size_t name_size(const struct cel_type *type)
{
	size_t n = type->kind == CEL_OBJECT ? strlen(type->name) : 0;
	if (type->kind == CEL_LIST || type->kind == CEL_MAP)
		n = name_size(type->params[type->kind == CEL_MAP]);
	return type->kind == CEL_OBJECT || !n ? n : type->kind == CEL_LIST ? n - strlen(".@idx") : n - strlen(".@elem");
}

static const struct cel_type *renamed(struct arena *arena, const struct cel_type *type, size_t prefix)
{
	struct decl *copy = arena_dup(arena, type, sizeof(*copy));
	for (size_t i = 0; i < type->n_params; i++)
		copy->type.params[i] = renamed(arena, type->params[i], prefix);
	if (type->kind != CEL_OBJECT)
		return &copy->type;
	struct cel_field *fields = ARENA_ARRAY(arena, struct cel_field, type->n_fields + 1);
	for (size_t i = 0; i < type->n_fields; i++)
		fields[i] = (struct cel_field){type->fields[i].name, renamed(arena, type->fields[i].type, prefix)};
	copy->type.fields = fields;
	copy->type.name = arena_printf(arena, "selfType%s", type->name + prefix);
	return &copy->type;
}

const struct decl *rule_decl_self(struct arena *arena, const struct decl *decl)
{
	size_t prefix = decl ? name_size(&decl->type) : 0;
	return prefix <= strlen("selfType") ? decl : (const struct decl *)renamed(arena, &decl->type, prefix);
}
