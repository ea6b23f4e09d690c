/* Places of our own schema: what its tables say of lists, maps and keys. */
#include "api/field_value.h"

static const struct field_schema typed_schema;

static uint8_t scalar_of(const struct schema_field *f)
{
	if (f->kind == SCHEMA_BOOL)
		return FIELD_BOOL;
	return f->kind == SCHEMA_STRING || f->kind == SCHEMA_BYTES ? FIELD_STRING : FIELD_NUMBER;
}

struct field_place field_place_of_type(const struct schema_type *type)
{
	struct field_place place = {.schema = &typed_schema, .node = type};
	switch ((enum schema_form)type->form) {
	case SCHEMA_FORM_OBJECT:
		place.kind = PLACE_STRUCT;
		break;
	case SCHEMA_FORM_DURATION:
		place.scalar = FIELD_STRING;
		break;
	/* Whether it is a time or an amount is not asked here. */
	case SCHEMA_FORM_TIME:
	case SCHEMA_FORM_MICRO_TIME:
	case SCHEMA_FORM_QUANTITY:
		break;
	case SCHEMA_FORM_LIST:
		place.kind = PLACE_LIST;
		place.atomic = true;
		place.node = &type->fields[0];
		break;
	/* Written whole, whatever it holds. */
	case SCHEMA_FORM_INT_OR_STRING:
	case SCHEMA_FORM_RAW:
		place.kind = PLACE_ANY;
		place.atomic = true;
		break;
	case SCHEMA_FORM_SCHEMA_OR_BOOL:
	case SCHEMA_FORM_SCHEMA_OR_ARRAY:
	case SCHEMA_FORM_SCHEMA_OR_STRING_ARRAY:
		place.kind = PLACE_ANY;
	}
	return place;
}

/* What one element is: a list's item, a map's value, or a single field itself. */
static struct field_place of_element(const struct schema_field *f)
{
	if (f->kind != SCHEMA_MESSAGE)
		return (struct field_place){.scalar = scalar_of(f), .schema = &typed_schema};
	return field_place_of_type(f->type);
}

struct field_place field_place_of_field(const struct schema_field *f)
{
	struct field_place place = {.schema = &typed_schema, .node = f};
	if (f->shape == SCHEMA_SINGLE) {
		place = of_element(f);
		place.atomic |= place.kind == PLACE_STRUCT && f->map_type == SCHEMA_LIST_ATOMIC;
		return place;
	}
	if (f->shape == SCHEMA_MAP) {
		place.kind = PLACE_MAP;
		place.atomic = f->map_type == SCHEMA_LIST_ATOMIC;
		return place;
	}
	if (f->list_type == SCHEMA_LIST_SET)
		place.kind = PLACE_SET;
	else if (f->list_type == SCHEMA_LIST_MAP && f->list_keys)
		place.kind = PLACE_KEYED;
	else
		place.kind = PLACE_LIST;
	place.atomic = place.kind == PLACE_LIST;
	return place;
}

static bool typed_member(const struct field_place *place, const char *name, size_t size, struct field_place *ret_member)
{
	if (place->kind == PLACE_MAP) {
		*ret_member = field_place_of_field(schema_map_value(place->node));
		return false;
	}
	const struct schema_type *type = place->node;
	const struct schema_name *found = schema_find_field(type, name, size);
	if (found) {
		*ret_member = field_place_of_field(found->field);
		return true;
	}
	/* apiVersion and kind stand in no table. */
	*ret_member = (struct field_place){.scalar = FIELD_STRING, .schema = &typed_schema};
	return type->root &&
	       ((size == 4 && !memcmp(name, "kind", 4)) || (size == 10 && !memcmp(name, "apiVersion", 10)));
}

/* Of a list whose items are owned whole, the field says so in map_type. */
static struct field_place typed_item(const struct field_place *place)
{
	const struct schema_field *f = place->node;
	struct field_place item = of_element(f);
	item.atomic |= item.kind == PLACE_STRUCT && f->map_type == SCHEMA_LIST_ATOMIC;
	return item;
}

static const char *const *typed_keys(const struct field_place *place)
{
	return ((const struct schema_field *)place->node)->list_keys;
}

/* A key that JSON always shows is never missing: it is zero then. */
static const char *typed_key_default(const struct field_place *place, const char *key)
{
	const struct schema_field *f = place->node;
	const struct schema_name *name = schema_find_field(f->type, key, strlen(key));
	if (!name || name->field->default_json)
		return name ? name->field->default_json : NULL;
	if (!(name->field->flags & SCHEMA_KEEP_EMPTY) || name->field->kind == SCHEMA_MESSAGE)
		return NULL;
	if (name->field->kind == SCHEMA_STRING)
		return "\"\"";
	return name->field->kind == SCHEMA_BOOL ? "false" : "0";
}

static const struct field_schema typed_schema = {
	.member = typed_member,
	.item = typed_item,
	.keys = typed_keys,
	.key_default = typed_key_default,
};
