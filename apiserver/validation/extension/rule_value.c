/* Values as rules see them: of the types that their schema declares, objects by the names that fields have there. */
#include "apiserver/validation/extension/rule.h"
#include "apiserver/validation/extension/text_format.h"
#include "base/encode.h"
#include "base/str.h"

typedef ApiextensionsV1JSONSchemaProps Schema;

static struct cel_value value_of(struct arena *arena, const Schema *schema, cJSON *value);

/* Texts and numbers */

static struct cel_value bytes_of(struct arena *arena, const char *text)
{
	uint8_t *data;
	size_t size, plain = strcspn(text, "+/");
	/* The check of the format knows the one alphabet, this the other. */
	if (text[plain] || !base64_decode(arena, text, strlen(text), &data, &size))
		return cel_error(
			arena, "Invalid byte formatted string %s: illegal base64 data at input byte %zu", text, plain);
	return (struct cel_value){.kind = CEL_BYTES, .text = {(const char *)data, size}};
}

static struct cel_value time_of(struct arena *arena, const char *text, const char *full, const char *what)
{
	struct cel_value v = cel_timestamp_of(arena, full);
	return cel_failed(v) ? cel_error(arena, "Invalid %s formatted string %s", what, text) : v;
}

static struct cel_value text_of(struct arena *arena, const Schema *schema, const char *text)
{
	const char *format = str_or_empty(schema->format);
	int64_t ns;
	if (!strcmp(format, "byte"))
		return bytes_of(arena, text);
	if (!strcmp(format, "date"))
		return time_of(arena, text, arena_printf(arena, "%sT00:00:00Z", text), format);
	if (!strcmp(format, "date-time"))
		return time_of(arena, text, text, format);
	if (strcmp(format, "duration") != 0)
		return cel_text_of(text);
	return text_duration(text, &ns)
		       ? CEL_DURATION_VALUE(ns)
		       : cel_error(arena, "Invalid duration %s: unable to parse %s as duration", text, text);
}

static struct cel_value integer_of(struct arena *arena, const cJSON *value)
{
	int64_t i;
	bool whole = !value->valuestring || !strpbrk(value->valuestring, ".eE");
	return whole && tree_int(value, &i) ? CEL_INT_VALUE(i)
					    : cel_error(arena, "invalid data, expected int, got float64");
}

/* Objects */

/* Entries by their names, however many there are. */
static bool find(
	struct arena *arena, const struct cel_map *map, const struct cel_value *key, struct cel_value *ret_value)
{
	if (key->kind != CEL_STRING)
		return false;
	size_t at = nameset_find(map->data, arena_strndup(arena, key->text.data, key->text.size));
	if (at == SIZE_MAX)
		return false;
	*ret_value = map->entries[at].value;
	return true;
}

static struct cel_value map_of(struct arena *arena, struct cel_entry *entries, size_t n)
{
	struct cel_map *map = ARENA_NEW(arena, struct cel_map);
	struct nameset *names = ARENA_NEW(arena, struct nameset);
	names->arena = arena;
	for (size_t i = 0; i < n; i++)
		nameset_add(names, entries[i].key.text.data);
	map->entries = entries;
	map->n_entries = n;
	map->find = find;
	map->data = names;
	return (struct cel_value){.kind = CEL_MAP, .map = map};
}

/* What the schema does not know, and what is null, has no name but counts. */
static const char *hidden(struct arena *arena, const char *name)
{
	return arena_printf(arena, "\n%s", name);
}

/* The property of an object; of a resource's, what every resource has is known whatever its schema says. */
static const Schema *property_of(const Schema *schema, bool has_meta, const char *name)
{
	static const char text[] = "string", object[] = "object";
	static Schema text_schema = {.type = (char *)text};
	static ApiextensionsV1JSONSchemaPropsPropertiesEntry entries[] = {
		{.key = (char *)"name", .value = &text_schema}, {.key = (char *)"generateName", .value = &text_schema}};
	static ApiextensionsV1JSONSchemaPropsPropertiesEntry *const in_meta[] = {&entries[0], &entries[1]};
	static const Schema meta_schema = {.type = (char *)object,
		.n_properties = 2,
		.properties = (ApiextensionsV1JSONSchemaPropsPropertiesEntry **)in_meta};
	if (has_meta && (str_eq(name, "kind") || str_eq(name, "apiVersion")))
		return &text_schema;
	if (has_meta && str_eq(name, "metadata"))
		return &meta_schema;
	return schema_property(schema, name);
}

static struct cel_value object_of(struct arena *arena, const Schema *schema, bool is_root, cJSON *object)
{
	struct cel_entry *entries = ARENA_ARRAY(arena, struct cel_entry, tree_size(object) + 1);
	bool reserved, has_meta = is_root && !rule_knows_meta(schema);
	size_t n = 0;
	TREE_FOREACH (member, object) {
		const Schema *property = property_of(schema, has_meta, member->string);
		const char *field = rule_field_name(arena, member->string, &reserved);
		if (!property || !field || cJSON_IsNull(member))
			field = hidden(arena, member->string);
		entries[n].key = cel_text_of(field);
		entries[n++].value = property && !cJSON_IsNull(member) ? value_of(arena, property, member)
								       : cel_tree_of(arena, member);
	}
	return map_of(arena, entries, n);
}

static struct cel_value additional_of(struct arena *arena, const Schema *schema, cJSON *object)
{
	struct cel_entry *entries = ARENA_ARRAY(arena, struct cel_entry, tree_size(object) + 1);
	size_t n = 0;
	TREE_FOREACH (member, object) {
		entries[n].key = cel_text_of(member->string);
		entries[n++].value = value_of(arena, schema, member);
	}
	return map_of(arena, entries, n);
}

static struct cel_value list_of(struct arena *arena, const Schema *schema, cJSON *list)
{
	struct cel_value *items = ARENA_ARRAY(arena, struct cel_value, tree_size(list) + 1);
	const Schema *item = schema->items ? schema->items->schema : NULL;
	size_t n = 0;
	bool reserved;
	if (!item)
		return cel_error(arena, "invalid array type, expected Items with a non-empty Schema");
	TREE_FOREACH (child, list)
		items[n++] = value_of(arena, item, child);
	struct cel_list *typed = ARENA_NEW(arena, struct cel_list);
	typed->items = items;
	typed->n_items = n;
	typed->is_set = str_eq(schema->x_kubernetes_list_type, "set");
	if (str_eq(schema->x_kubernetes_list_type, "map")) {
		const char **keys = ARENA_ARRAY(arena, const char *, schema->n_x_kubernetes_list_map_keys + 1);
		for (size_t i = 0; i < schema->n_x_kubernetes_list_map_keys; i++) {
			const char *key = schema->x_kubernetes_list_map_keys[i];
			const char *field = rule_field_name(arena, key, &reserved);
			keys[i] = field ? field : key;
		}
		typed->keys = keys;
		typed->n_keys = schema->n_x_kubernetes_list_map_keys;
	}
	return (struct cel_value){.kind = CEL_LIST, .list = typed};
}

/* The whole */

static struct cel_value wrong(struct arena *arena, const char *expected)
{
	return cel_error(arena, "invalid data, expected %s", expected);
}

struct cel_value rule_value(struct arena *arena, const Schema *schema, bool is_root, cJSON *value)
{
	const char *type = str_or_empty(schema->type);
	const Schema *more = schema->additional_properties ? schema->additional_properties->schema : NULL;
	if (cJSON_IsNull(value))
		return schema->nullable ? CEL_NULL_VALUE
					: cel_error(arena, "invalid data, got null for schema with nullable=false");
	if (schema->x_kubernetes_int_or_string) {
		if (cJSON_IsString(value))
			return cel_text_of(value->valuestring);
		struct cel_value v = cJSON_IsNumber(value) ? integer_of(arena, value) : CEL_NULL_VALUE;
		return v.kind == CEL_INT ? v : wrong(arena, "XIntOrString value to be either a string or integer");
	}
	if (!strcmp(type, "object") && cJSON_IsObject(value))
		return more && !schema->n_properties && !is_root ? additional_of(arena, more, value)
								 : object_of(arena, schema, is_root, value);
	if (!strcmp(type, "array") && cJSON_IsArray(value))
		return list_of(arena, schema, value);
	if (!strcmp(type, "string") && cJSON_IsString(value))
		return text_of(arena, schema, value->valuestring);
	if (!strcmp(type, "number") && cJSON_IsNumber(value))
		return CEL_DOUBLE_VALUE(value->valuedouble);
	if (!strcmp(type, "integer") && cJSON_IsNumber(value))
		return integer_of(arena, value);
	if (!strcmp(type, "boolean") && cJSON_IsBool(value))
		return CEL_BOOL_VALUE(cJSON_IsTrue(value));
	return *type ? wrong(arena, type) : cel_tree_of(arena, value);
}

static struct cel_value value_of(struct arena *arena, const Schema *schema, cJSON *value)
{
	return rule_value(arena, schema, schema->x_kubernetes_embedded_resource, value);
}
