#include "cel/type.h"
#include "base/str.h"

const struct cel_type cel_dyn = {CEL_DYN, "dyn"}, cel_any = {CEL_DYN, "any"}, cel_broken = {CEL_BROKEN, "!error!"},
		      cel_null = {CEL_NULL, "null"}, cel_bool = {CEL_BOOL, "bool"}, cel_int = {CEL_INT, "int"},
		      cel_uint = {CEL_UINT, "uint"}, cel_double = {CEL_DOUBLE, "double"},
		      cel_string = {CEL_STRING, "string"}, cel_bytes = {CEL_BYTES, "bytes"},
		      cel_timestamp = {CEL_TIMESTAMP, "timestamp"}, cel_duration = {CEL_DURATION, "duration"},
		      cel_any_type = {CEL_TYPE, "type"};
const struct cel_type cel_quantity = {CEL_OBJECT, "kubernetes.Quantity"}, cel_url = {CEL_OBJECT, "kubernetes.URL"},
		      cel_ip = {CEL_OPAQUE, "net.IP"}, cel_cidr = {CEL_OPAQUE, "net.CIDR"},
		      cel_semver = {CEL_OBJECT, "kubernetes.Semver"},
		      cel_format = {CEL_OBJECT, "kubernetes.NamedFormat"},
		      cel_authorizer = {CEL_OBJECT, "kubernetes.authorization.Authorizer"},
		      cel_path_check = {CEL_OBJECT, "kubernetes.authorization.PathCheck"},
		      cel_group_check = {CEL_OBJECT, "kubernetes.authorization.GroupCheck"},
		      cel_resource_check = {CEL_OBJECT, "kubernetes.authorization.ResourceCheck"},
		      cel_decision = {CEL_OBJECT, "kubernetes.authorization.Decision"};

static struct cel_type *new_type(struct arena *arena, enum cel_kind kind, const char *name,
	const struct cel_type *first, const struct cel_type *second)
{
	struct cel_type *t = ARENA_NEW(arena, struct cel_type);
	t->kind = kind;
	t->name = name;
	t->params[0] = first;
	t->params[1] = second;
	t->n_params = (first != NULL) + (second != NULL);
	t->n_parts = 1;
	for (size_t i = 0; i < t->n_params; i++) {
		uint32_t n = t->params[i]->n_parts ? t->params[i]->n_parts : 1;
		t->n_parts = t->n_parts > UINT32_MAX - n ? UINT32_MAX : t->n_parts + n;
	}
	return t;
}

struct cel_type *cel_type_list(struct arena *arena, const struct cel_type *item)
{
	return new_type(arena, CEL_LIST, "list", item, NULL);
}

struct cel_type *cel_type_map(struct arena *arena, const struct cel_type *key, const struct cel_type *value)
{
	return new_type(arena, CEL_MAP, "map", key, value);
}

struct cel_type *cel_type_optional(struct arena *arena, const struct cel_type *item)
{
	return new_type(arena, CEL_OPAQUE, "optional_type", item, NULL);
}

struct cel_type *cel_type_type(struct arena *arena, const struct cel_type *of)
{
	return new_type(arena, CEL_TYPE, "type", of, NULL);
}

static int compare_fields(const void *a, const void *b)
{
	return strcmp(((const struct cel_field *)a)->name, ((const struct cel_field *)b)->name);
}

struct cel_type *cel_type_object(struct arena *arena, const char *name, const struct cel_field *fields, size_t n_fields)
{
	struct cel_type *t = new_type(arena, CEL_OBJECT, name, NULL, NULL);
	struct cel_field *sorted = n_fields ? arena_dup(arena, fields, n_fields * sizeof(*fields)) : NULL;
	if (sorted)
		qsort(sorted, n_fields, sizeof(*sorted), compare_fields);
	t->fields = sorted;
	t->n_fields = t->n_sorted = n_fields;
	return t;
}

const struct cel_type *cel_type_field(struct arena *arena, const struct cel_type *object, const char *name)
{
	const struct cel_field wanted = {.name = name};
	const struct cel_field *found =
		object->n_sorted ? bsearch(&wanted, object->fields, object->n_sorted, sizeof(wanted), compare_fields)
				 : NULL;
	if (found)
		return found->type;
	for (size_t i = object->n_sorted; i < object->n_fields; i++)
		if (!strcmp(object->fields[i].name, name))
			return object->fields[i].type;
	return object->field_of ? object->field_of(arena, object, name) : NULL;
}

bool cel_type_equal(const struct cel_type *a, const struct cel_type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || strcmp(a->name, b->name) || a->n_params != b->n_params)
		return false;
	for (size_t i = 0; i < a->n_params; i++)
		if (!cel_type_equal(a->params[i], b->params[i]))
			return false;
	return true;
}

bool cel_type_is_optional(const struct cel_type *type)
{
	return type->kind == CEL_OPAQUE && !strcmp(type->name, "optional_type");
}

const char *cel_type_full_name(const struct cel_type *type)
{
	switch (type->kind) {
	case CEL_NULL:
		return "null_type";
	case CEL_TIMESTAMP:
		return "google.protobuf.Timestamp";
	case CEL_DURATION:
		return "google.protobuf.Duration";
	default:
		return !strcmp(type->name, "any") ? "google.protobuf.Any" : type->name;
	}
}

static const char *text_of(struct arena *arena, const struct cel_type *type, bool full)
{
	const char *name = full ? cel_type_full_name(type) : type->name;
	if (!type->n_params)
		return name;
	const char *first = text_of(arena, type->params[0], full);
	if (type->n_params == 1)
		return arena_printf(arena, "%s(%s)", name, first);
	return arena_printf(arena, "%s(%s, %s)", name, first, text_of(arena, type->params[1], full));
}

const char *cel_type_text(struct arena *arena, const struct cel_type *type)
{
	return text_of(arena, type, false);
}

const char *cel_type_full_text(struct arena *arena, const struct cel_type *type)
{
	return text_of(arena, type, true);
}
