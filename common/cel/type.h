/*
 * Types of CEL, as the checker infers them. A type is immutable; those without parameters are constants, the others
 * live in the arena of whoever made them.
 */
#ifndef CEL_TYPE_H
#define CEL_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

enum cel_kind {
	CEL_DYN,
	CEL_BROKEN, /* of what failed the check: agrees with everything, so that one mistake is told once */
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING,
	CEL_BYTES,
	CEL_TIMESTAMP,
	CEL_DURATION,
	CEL_LIST,  /* of params[0] */
	CEL_MAP,   /* from params[0] to params[1] */
	CEL_TYPE,  /* a type as a value; params[0] says which, where it is known */
	CEL_PARAM, /* a type to be found out: of a signature, or of an empty literal */
	CEL_OBJECT,
	CEL_OPAQUE, /* optional_type(params[0]) and types of functions alone */
};

struct cel_type;

struct cel_field {
	const char *name;
	const struct cel_type *type;
};

struct cel_type {
	enum cel_kind kind;
	const char *name;
	const struct cel_type *params[2];
	size_t n_params;
	uint32_t n_parts;  /* types that it is made of, itself among them; bounds what walks over it */
	uint32_t variable; /* of a parameter that is being found out: its number, from 1 */
	/* Of an object: its fields. */
	const struct cel_field *fields;
	size_t n_fields, n_sorted; /* the first n_sorted of them stand in the order of their names */
	/* Of an object whose fields are not known beforehand: any name is a field, and the type of it. */
	const struct cel_type *(*field_of)(struct arena *arena, const struct cel_type *object, const char *field);
	/* Where it is the type of what an expression is given: the most that size() of it can be. */
	uint64_t max_size;
};

extern const struct cel_type cel_dyn, cel_any, cel_broken, cel_null, cel_bool, cel_int, cel_uint, cel_double,
	cel_string, cel_bytes, cel_timestamp, cel_duration, cel_any_type;
extern const struct cel_type cel_quantity, cel_url, cel_ip, cel_cidr, cel_semver, cel_format, cel_authorizer,
	cel_path_check, cel_group_check, cel_resource_check, cel_decision;

struct cel_type *cel_type_list(struct arena *arena, const struct cel_type *item);
struct cel_type *cel_type_map(struct arena *arena, const struct cel_type *key, const struct cel_type *value);
struct cel_type *cel_type_optional(struct arena *arena, const struct cel_type *item);
struct cel_type *cel_type_type(struct arena *arena, const struct cel_type *of);
struct cel_type *cel_type_object(
	struct arena *arena, const char *name, const struct cel_field *fields, size_t n_fields);

/* The type of a field, or NULL if the object has none of that name. */
const struct cel_type *cel_type_field(struct arena *arena, const struct cel_type *object, const char *name);
/* Whether two types are the same, down to their parameters. */
bool cel_type_equal(const struct cel_type *a, const struct cel_type *b);
bool cel_type_is_optional(const struct cel_type *type);
/* As it stands in messages: "map(string, list(int))". */
const char *cel_type_text(struct arena *arena, const struct cel_type *type);
/* The name of the type alone, in full. */
const char *cel_type_full_name(const struct cel_type *type);
/* The same by the types' full names: "google.protobuf.Timestamp". */
const char *cel_type_full_text(struct arena *arena, const struct cel_type *type);

#endif
