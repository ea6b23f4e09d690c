/* Reading values piece by piece; for the walks of this library (api/field_walk.h). */
#ifndef API_FIELD_VALUE_H
#define API_FIELD_VALUE_H

#include "api/field_walk.h"

/* A field of a struct as JSON shows it; absent where it does not. */
struct field_value field_value_of_field(struct arena *arena, const void *msg, const struct schema_field *field);
/* Calls fn for every member that one of two values has; each is a map or nothing. Both are of one source. */
typedef void field_pair_fn(void *data, struct field_element name, const struct field_place *place, bool declared,
	struct field_value a, struct field_value b);
void field_each_pair(struct arena *arena, const struct field_place *place, struct field_value a, struct field_value b,
	field_pair_fn *fn, void *data);
/* Calls fn for every member of one value. */
typedef void field_member_fn(void *data, struct field_element name, const struct field_place *place, bool declared,
	struct field_value value);
void field_each_member(struct arena *arena, const struct field_place *place, struct field_value value,
	field_member_fn *fn, void *data);
/* Whether a list or map has nothing in it; so do absent and null ones. */
bool field_value_empty(struct arena *arena, struct field_value value);
size_t field_value_count(struct field_value list);
struct field_value *field_value_items(struct arena *arena, struct field_value list); /* as many as it counts */
struct field_value field_value_member(struct arena *arena, struct field_value map, const char *name);
/* A scalar as JSON. */
void field_value_print(struct strbuf *out, struct field_value scalar);
/* A text that stands in JSON as it is; NULL for any other value. */
const char *field_value_plain_text(struct field_value value);
/* An item of a list, or the first of several with the same element. */
struct field_item {
	struct field_element element;
	struct field_value value;
	size_t index; /* where it stood, to keep equal ones in order */
	size_t n_same;
	const struct field_item *same; /* all of them */
};
/* The items of a list by element, each element once; *unfit becomes true when there is one without. */
const struct field_item *field_items(
	struct arena *arena, const struct field_place *place, struct field_value list, size_t *ret_n, bool *unfit);

/* What a place with no schema is depends on the value. */
static inline bool field_is_map(const struct field_place *place, struct field_value a, struct field_value b)
{
	if (place->kind == PLACE_STRUCT || place->kind == PLACE_MAP)
		return true;
	return place->kind == PLACE_ANY && (a.form == FIELD_MAP || a.form == FIELD_ABSENT) &&
	       (b.form == FIELD_MAP || b.form == FIELD_ABSENT);
}
static inline bool field_is_list(const struct field_place *place)
{
	return place->kind == PLACE_SET || place->kind == PLACE_KEYED;
}
/* Owned as a whole. */
static inline bool field_is_leaf(const struct field_place *place, struct field_value value)
{
	return place->atomic || (!field_is_map(place, value, value) && !field_is_list(place));
}

/* The place of a typed field's value, of what its items or values are, and whether a type's objects are owned whole. */
struct field_place field_place_of_field(const struct schema_field *field);

#endif
