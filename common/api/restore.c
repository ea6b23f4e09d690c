#include "api/restore.h"
#include <inttypes.h>
#include <math.h>
#include "api/internal.h"
#include "base/encode.h"

static const char *message_problem(struct arena *arena, const struct schema_type *type, cJSON *tree);

/* What Go calls the kind of a value that a tree holds. */
static const char *found_kind(const cJSON *node)
{
	int64_t whole;
	if (cJSON_IsObject(node))
		return "map";
	if (cJSON_IsArray(node))
		return "slice";
	if (cJSON_IsString(node))
		return "string";
	if (cJSON_IsBool(node))
		return "bool";
	return tree_int(node, &whole) ? "int64" : "float64";
}

/* A whole number into a field of a kind. */
static const char *convert(struct arena *arena, enum schema_kind kind, cJSON *node)
{
	int64_t whole;
	bool is_whole = tree_int(node, &whole);
	if (is_whole && (kind != SCHEMA_INT32 || whole == (int32_t)whole))
		return NULL;
	/* What is out of range becomes what the original's processors make of it. */
	if (!is_whole)
		whole = fabs(node->valuedouble) < 0x1p63 ? (int64_t)node->valuedouble : INT64_MIN;
	if (kind == SCHEMA_INT32)
		whole = (int32_t)(uint32_t)whole;
	node->valuestring = arena_printf(arena, "%" PRId64, whole);
	node->valuedouble = (double)whole;
	return NULL;
}

/* A single value that is not null. owner and field name its Go type. */
static const char *scalar_problem(struct arena *arena, const struct schema_type *owner,
	const struct schema_field *field, enum schema_kind kind, bool element, cJSON *node)
{
	static const char *const kinds[] = {
		"bool", "int32", "int64", "uint32", "uint64", "float32", "float64", "string", "slice"};
	const char *named = go_type_name(arena, owner, field->json_name, element);
	const char *found = found_kind(node);
	bool number = cJSON_IsNumber(node), real = str_eq(found, "float64");
	if (kind == SCHEMA_BOOL ? cJSON_IsBool(node) : kind == SCHEMA_STRING && cJSON_IsString(node))
		return NULL;
	if ((kind == SCHEMA_FLOAT || kind == SCHEMA_DOUBLE) && number)
		return NULL;
	bool fits = number && (!real || node->valuedouble == trunc(node->valuedouble));
	if (kind != SCHEMA_BOOL && kind != SCHEMA_STRING && fits)
		return convert(arena, kind, node);
	if (number && kind != SCHEMA_BOOL && (kind != SCHEMA_STRING || !real))
		return arena_printf(arena, "cannot convert %s to %s", found, named ? named : kinds[kind]);
	return arena_printf(arena, "unrecognized type: %s", kinds[kind]);
}

/* One that reads itself: a quantity, a time. */
static const char *form_problem(struct arena *arena, const struct schema_type *type, const cJSON *node)
{
	const char *text = tree_to_string(arena, node, 0);
	void *msg;
	struct status *status = json_decode(arena, type, text, strlen(text), NULL, &msg);
	const char *problem = status ? arena_strdup(arena, status->message) : NULL;
	status_free(status);
	return problem;
}

static const char *bytes_problem(struct arena *arena, const cJSON *node)
{
	uint8_t *data;
	size_t size;
	const char *s = tree_string(node);
	if (!s)
		return cJSON_IsArray(node) ? NULL
					   : arena_printf(arena, "cannot restore slice from %s", found_kind(node));
	if (base64_decode(arena, s, strlen(s), &data, &size))
		return NULL;
	return arena_printf(arena, "error decoding from json: illegal base64 data at input byte %zu",
		base64_error_at(s, strlen(s)));
}

static const char *value_problem(struct arena *arena, const struct schema_type *owner, const struct schema_field *field,
	bool element, cJSON *node)
{
	const struct schema_field *leaf = field->shape == SCHEMA_MAP ? schema_map_value(field) : field;
	if (cJSON_IsNull(node))
		return NULL;
	if (leaf->kind == SCHEMA_MESSAGE)
		return message_problem(arena, leaf->type, node);
	if (leaf->kind == SCHEMA_BYTES)
		return bytes_problem(arena, node);
	return scalar_problem(arena, owner, field, leaf->kind, element, node);
}

static const char *field_problem(
	struct arena *arena, const struct schema_type *owner, const struct schema_field *field, cJSON *node)
{
	bool many = field->shape == SCHEMA_LIST || field->shape == SCHEMA_MAP;
	if (!node || cJSON_IsNull(node))
		return NULL;
	if (!many)
		return value_problem(arena, owner, field, false, node);
	if (field->shape == SCHEMA_LIST ? !cJSON_IsArray(node) : !cJSON_IsObject(node))
		return arena_printf(arena, "cannot restore %s from %s", field->shape == SCHEMA_LIST ? "slice" : "map",
			found_kind(node));
	TREE_FOREACH (item, node) {
		const char *problem = value_problem(arena, owner, field, true, item);
		if (problem)
			return problem;
	}
	return NULL;
}

static const char *message_problem(struct arena *arena, const struct schema_type *type, cJSON *tree)
{
	if (type->form == SCHEMA_FORM_LIST)
		return field_problem(arena, type, &type->fields[0], tree);
	if (type->form != SCHEMA_FORM_OBJECT)
		return form_problem(arena, type, tree);
	if (!cJSON_IsObject(tree))
		return arena_printf(arena, "cannot restore struct from: %s", found_kind(tree));
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *field = &type->fields[i];
		bool inlined = field_is(field, SCHEMA_INLINE);
		const char *problem = inlined ? message_problem(arena, field->type, tree)
					      : field_problem(arena, type, field, tree_get(tree, field->json_name));
		if (problem)
			return problem;
	}
	return NULL;
}

const char *restore_problem(struct arena *arena, const struct schema_type *type, cJSON *tree)
{
	static const struct schema_field kind = {.kind = SCHEMA_STRING, .json_name = "kind"},
					 version = {.kind = SCHEMA_STRING, .json_name = "apiVersion"};
	const char *problem = field_problem(arena, type, &kind, tree_get(tree, "kind"));
	if (!problem)
		problem = field_problem(arena, type, &version, tree_get(tree, "apiVersion"));
	return problem ? problem : message_problem(arena, type, tree);
}
