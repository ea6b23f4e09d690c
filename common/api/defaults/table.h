/*
 * The tables behind api_set_defaults(): one a file, one row a type.
 */
#ifndef API_DEFAULTS_TABLE_H
#define API_DEFAULTS_TABLE_H

#include "api/types.h"
#include "base/arena.h"
#include "base/str.h"

struct defaulter {
	const struct schema_type *type; /* NULL ends the table */
	void (*set)(struct arena *arena, void *msg);
};

extern const struct defaulter defaults_pod[];
extern const struct defaulter defaults_container[];
extern const struct defaulter defaults_volume[];
extern const struct defaulter defaults_service[];
extern const struct defaulter defaults_core[];
extern const struct defaulter defaults_apps[];
extern const struct defaulter defaults_batch[];
extern const struct defaulter defaults_autoscaling[];
extern const struct defaulter defaults_rbac[];
extern const struct defaulter defaults_networking[];
extern const struct defaulter defaults_storage[];
extern const struct defaulter defaults_resource[];
extern const struct defaulter defaults_extension[];

/* An optional scalar that is absent. */
#define DEFAULT_SCALAR(msg, field, value)       \
	do {                                    \
		if (!(msg)->has_##field) {      \
			(msg)->has_##field = 1; \
			(msg)->field = (value); \
		}                               \
	} while (0)
/* A plain number that is zero. */
#define DEFAULT_NUMBER(msg, field, value)       \
	do {                                    \
		if (!(msg)->field)              \
			(msg)->field = (value); \
	} while (0)
/* A string that is empty. Literals are never written through. */
#define DEFAULT_STRING(msg, field, value)               \
	do {                                            \
		if (str_empty((msg)->field))            \
			(msg)->field = (char *)(value); \
	} while (0)
/* An optional string that is absent: an empty one stays. */
#define DEFAULT_OPTIONAL_STRING(msg, field, value)      \
	do {                                            \
		if (!(msg)->field)                      \
			(msg)->field = (char *)(value); \
	} while (0)
/* A message that is absent. */
#define DEFAULT_MESSAGE(arena, msg, field, T)               \
	do {                                                \
		if (!(msg)->field)                          \
			(msg)->field = API_NEW((arena), T); \
	} while (0)

#endif
