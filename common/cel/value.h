/*
 * Values of CEL. A value is small and passed by value; what it points to is immutable and lives in an arena, or is
 * somebody's object or tree that outlives it. A failure is a value too: it travels until a logical operator absorbs it.
 */
#ifndef CEL_VALUE_H
#define CEL_VALUE_H

#include "api/quantity.h"
#include "api/tree.h"
#include "cel/type.h"

struct cel_list;
struct cel_map;
struct cel_opaque;

struct cel_text {
	const char *data; /* UTF-8, or any bytes of CEL_BYTES */
	size_t size;
};

/* Seconds since 1970 and nanoseconds from there on (0 to 999999999). It is told in the zone that its text had, so many
 * seconds east of UTC. */
struct cel_time {
	int64_t seconds;
	int32_t nanos;
	int32_t zone;
};

/*
 * CEL_BROKEN is an error and says why in text. CEL_DURATION is nanoseconds in integer. CEL_OPAQUE and CEL_OBJECT name
 * their type in opaque, but for objects with fields: those are maps.
 */
struct cel_value {
	enum cel_kind kind;
	union {
		bool boolean;
		int64_t integer;
		uint64_t natural;
		double number;
		struct cel_text text;
		struct cel_time time;
		const struct cel_list *list;
		const struct cel_map *map;
		const struct cel_opaque *opaque;
		const struct cel_type *type;
	};
};

/* Lists and maps: items in an array, or somebody else's data behind functions. The order of the items of a set, and of
 * objects that keys tell apart, does not count, and each is there once. */
struct cel_list {
	size_t n_items;
	bool is_set;
	const char *const *keys; /* NULL: none */
	size_t n_keys;
	struct cel_value *items; /* NULL: at() makes them */
	struct cel_value (*at)(struct arena *arena, const struct cel_list *list, size_t index);
	const void *data;
	size_t *n_used; /* of an array that has room: how many of its items are taken; who ends there may append to it
			 */
	size_t n_room;
};

struct cel_entry {
	struct cel_value key, value;
};

struct cel_map {
	size_t n_entries;
	struct cel_entry *entries; /* NULL: the functions do it */
	/* NULL: the entries are gone through. */
	bool (*find)(struct arena *arena, const struct cel_map *map, const struct cel_value *key,
		struct cel_value *ret_value);
	struct cel_value (*key_at)(struct arena *arena, const struct cel_map *map, size_t index);
	const void *data;
};

/* Values of libraries: what the type says. An optional is one too: present, and the value. */
struct cel_opaque {
	const struct cel_type *type;
	bool present;
	struct cel_value value;
	const void *data;
};

#define CEL_NULL_VALUE ((struct cel_value){.kind = CEL_NULL})
#define CEL_BOOL_VALUE(b) ((struct cel_value){.kind = CEL_BOOL, .boolean = (b)})
#define CEL_INT_VALUE(i) ((struct cel_value){.kind = CEL_INT, .integer = (i)})
#define CEL_UINT_VALUE(u) ((struct cel_value){.kind = CEL_UINT, .natural = (u)})
#define CEL_DOUBLE_VALUE(d) ((struct cel_value){.kind = CEL_DOUBLE, .number = (d)})
#define CEL_DURATION_VALUE(ns) ((struct cel_value){.kind = CEL_DURATION, .integer = (ns)})
#define CEL_TEXT_VALUE(s, n) ((struct cel_value){.kind = CEL_STRING, .text = {(s), (n)}})
struct cel_value cel_text_of(const char *s); /* borrowed; NULL is "" */
struct cel_value cel_error(struct arena *arena, const char *format, ...) PRINTF(2, 3);
struct cel_value cel_list_of(struct arena *arena, struct cel_value *items, size_t n);
struct cel_value cel_map_of(struct arena *arena, struct cel_entry *entries, size_t n);
struct cel_value cel_opaque_of(struct arena *arena, const struct cel_type *type, const void *data);
struct cel_value cel_optional_of(struct arena *arena, const struct cel_value *value); /* NULL: none */
struct cel_value cel_timestamp_of(struct arena *arena, const char *text);	      /* as RFC 3339 has it */
/* A tree; its texts are borrowed. Numbers without fraction and exponent are integers. */
struct cel_value cel_tree_of(struct arena *arena, const cJSON *tree);

static inline bool cel_failed(struct cel_value v)
{
	return v.kind == CEL_BROKEN;
}
static inline bool cel_is_true(struct cel_value v)
{
	return v.kind == CEL_BOOL && v.boolean;
}
bool cel_is_optional(struct cel_value v);
/* The name of its type, as it stands in errors. */
const char *cel_type_name(struct cel_value v);
/* Entries, items, code points or bytes. 1 for what has no size. */
uint64_t cel_size(struct cel_value v);
struct cel_value cel_item(struct arena *arena, const struct cel_list *list, size_t index);
struct cel_value cel_key(struct arena *arena, const struct cel_map *map, size_t index);
bool cel_find(struct arena *arena, const struct cel_map *map, struct cel_value key, struct cel_value *ret_value);
bool cel_equal(struct arena *arena, struct cel_value a, struct cel_value b);
/* -1, 0 or 1 in *ret; false if there is no order between them, and *ret_error says why. */
bool cel_compare(struct arena *arena, struct cel_value a, struct cel_value b, int *ret, struct cel_value *ret_error);

#endif
