/*
 * What sets of fields say of objects: which fields an object has, and which changed between two of them.
 *
 *	const struct field_place root = field_place_of_type(&AppsV1Deployment_schema);
 *	struct field_changes changes = field_compare(arena, &root, field_value_of(before), field_value_of(after));
 *	const struct fieldset *named = field_set_of(arena, &root, field_value_of_tree(config));
 *
 * Two small interfaces keep the algorithms apart from what they walk over. A value (struct field_value) is a piece of
 *an object as its JSON shows it: of a typed struct, read where it lies without making a tree, or of a tree. A place
 *(struct field_place) says what the schema says of it: whether lists and maps are owned as a whole or by item, and
 *which fields are keys. Kinds of our own schema have places by field_place_of_type(); a schema made at run time
 *implements struct field_schema. Ownership: results live in the arena and refer to the values' text.
 */
#ifndef API_FIELD_WALK_H
#define API_FIELD_WALK_H

#include "api/fieldset.h"
#include "api/schema.h"
#include "api/tree.h"

/* --- places --- */

enum field_place_kind {
	PLACE_SCALAR,
	PLACE_STRUCT,
	PLACE_MAP,
	PLACE_LIST,  /* without identity of its items: always atomic */
	PLACE_SET,   /* items are values */
	PLACE_KEYED, /* items have keys */
	PLACE_ANY,   /* no schema: objects by member, all else as a whole */
};
enum field_scalar { FIELD_ANY_SCALAR, FIELD_STRING, FIELD_NUMBER, FIELD_BOOL };

struct field_schema;
struct field_place {
	uint8_t kind;	/* enum field_place_kind */
	uint8_t scalar; /* enum field_scalar */
	bool atomic;	/* owned as a whole */
	const struct field_schema *schema;
	const void *node; /* the schema's own */
};

struct field_schema {
	/* The place of a member of a struct or map; false: no such field is declared (of a map: none is). */
	bool (*member)(const struct field_place *place, const char *name, size_t size, struct field_place *ret_member);
	/* The place of a list's items. */
	struct field_place (*item)(const struct field_place *place);
	/* The keys of a PLACE_KEYED list's items, NULL-terminated, and what a missing one stands for (JSON, or NULL).
	 */
	const char *const *(*keys)(const struct field_place *place);
	const char *(*key_default)(const struct field_place *place, const char *key);
};

struct field_place field_place_of_type(const struct schema_type *type);

/* --- values --- */

enum field_form { FIELD_ABSENT, FIELD_NULL, FIELD_SCALAR, FIELD_LIST, FIELD_MAP };

struct field_value {
	const void *at;
	const struct schema_field *field; /* of typed fields and elements */
	uint8_t form;			  /* enum field_form */
	uint8_t source;			  /* private */
};

struct field_value field_value_of(const void *msg);
struct field_value field_value_of_tree(const cJSON *tree);
/* As Go's JSON would compare them: null, absent and empty are three things. */
bool field_value_equal(struct arena *arena, struct field_value a, struct field_value b);

/* --- walks --- */

/* Every field that a value has. */
const struct fieldset *field_set_of(struct arena *arena, const struct field_place *place, struct field_value value);

struct field_changes {
	const struct fieldset *changed; /* added, or there with another value */
	const struct fieldset *removed;
	bool unfit; /* an item of a list has no element: such a write ends the tracking */
};
struct field_changes field_compare(
	struct arena *arena, const struct field_place *place, struct field_value before, struct field_value after);

/*
 * The text of what is in an object and not in an empty one of its type: as if fieldset_print() were given that set,
 * fieldset_without() the one set and then less the other, in a quarter of the steps. False when an item of a list has
 * no element.
 */
bool field_print_new(struct strbuf *out, struct arena *arena, const void *msg, const struct fieldset *without,
	const struct fieldset *less);

/* A list item's element; false when it has none (no key, or no scalar). */
bool field_item_element(struct arena *arena, const struct field_place *place, struct field_value item,
	struct field_element *ret_element);
/* What in a tree does not fit its place, in the words of the original (".spec.x: field not declared in schema"); ""
 * when all does. */
char *field_validate(struct arena *arena, const struct field_place *place, const cJSON *tree, bool allow_duplicates);
/* A set written for a schema in which other things were atomic, as it is to be read now. */
const struct fieldset *field_set_reconcile(
	struct arena *arena, const struct field_place *place, const struct fieldset *set);
/* Declared fields with something below them become members themselves. */
const struct fieldset *field_set_with_parents(
	struct arena *arena, const struct field_place *place, const struct fieldset *set);

#endif
