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

/* Seconds since 1970 and nanoseconds from there on (0 to 999999999), or the length of time that is so long. */
struct cel_time {
	int64_t seconds;
	int32_t nanos;
};

/* CEL_BROKEN is an error and says why in text; CEL_OPAQUE and CEL_OBJECT name their type in opaque. */
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

/* What lists and maps are made of: items in an array, or somebody else's data behind functions. */
struct cel_list {
	size_t n_items;
	struct cel_value *items; /* NULL: at() makes them */
	struct cel_value (*at)(struct arena *arena, const struct cel_list *list, size_t index);
	const void *data;
	size_t *n_used; /* of an array that grows: how many of its items are taken; who ends there may append in place
			 */
	size_t n_room;
};

struct cel_entry {
	struct cel_value key, value;
};

struct cel_map {
	size_t n_entries;
	struct cel_entry *entries; /* NULL: the functions do it */
	bool (*find)(struct arena *arena, const struct cel_map *map, const struct cel_value *key,
		struct cel_value *ret_value);
	struct cel_value (*key_at)(struct arena *arena, const struct cel_map *map, size_t index);
	const void *data;
	const struct cel_type *type; /* of an object with fields; NULL: a map */
};

/* Values of libraries: what the type says. An optional is one too: present, and the value. */
struct cel_opaque {
	const struct cel_type *type;
	bool present;
	struct cel_value value;
	const void *data;
};

static inline bool cel_failed(struct cel_value v)
{
	return v.kind == CEL_BROKEN;
}

#endif
