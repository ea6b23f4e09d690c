/*
 * The schema: what every API type is, as tables that schemac makes out of proto/api.
 *
 *	CoreV1Pod *pod = API_NEW(arena, CoreV1Pod);
 *	const struct schema_type *type = schema_of(pod);
 *	const struct schema_name *name = schema_find_field(type, "spec", 4);
 *	const struct schema_type *lease = schema_find_kind("coordination.k8s.io", "v1", "Lease");
 *
 * A type's first member is its protobuf-c descriptor, so an object knows its own type and protobuf-c packs and unpacks
 *it. Threads: everything here is constant.
 */
#ifndef API_SCHEMA_H
#define API_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <protobuf-c/protobuf-c.h>
#include "base/arena.h"

enum schema_kind {
	SCHEMA_BOOL, /* protobuf_c_boolean */
	SCHEMA_INT32,
	SCHEMA_INT64,
	SCHEMA_UINT32,
	SCHEMA_UINT64,
	SCHEMA_FLOAT,
	SCHEMA_DOUBLE,
	SCHEMA_STRING,
	SCHEMA_BYTES,	/* ProtobufCBinaryData */
	SCHEMA_MESSAGE, /* a pointer to a struct that starts with ProtobufCMessage */
};

enum schema_shape {
	SCHEMA_SINGLE,
	SCHEMA_LIST, /* size_t n_x (at quantifier_offset), then X *x */
	SCHEMA_MAP,  /* the same, of entry messages: fields[0] is the key (a string), fields[1] the value */
};

/* How a message looks in JSON when it is not an object of its fields. */
enum schema_form {
	SCHEMA_FORM_OBJECT,
	SCHEMA_FORM_TIME,
	SCHEMA_FORM_MICRO_TIME,
	SCHEMA_FORM_DURATION,
	SCHEMA_FORM_QUANTITY,
	SCHEMA_FORM_INT_OR_STRING,
	SCHEMA_FORM_RAW,  /* any JSON value, kept as bytes in its only field */
	SCHEMA_FORM_LIST, /* the array that is its only field */
	SCHEMA_FORM_SCHEMA_OR_BOOL,
	SCHEMA_FORM_SCHEMA_OR_ARRAY,
	SCHEMA_FORM_SCHEMA_OR_STRING_ARRAY,
};

enum schema_list_type {
	SCHEMA_LIST_UNSET,
	SCHEMA_LIST_ATOMIC,
	SCHEMA_LIST_SET,
	SCHEMA_LIST_MAP,
	SCHEMA_LIST_GRANULAR,
};

enum schema_flags {
	SCHEMA_INLINE = 1 << 0,	    /* its fields stand in the parent's JSON object */
	SCHEMA_KEEP_EMPTY = 1 << 1, /* written in JSON even when empty */
	SCHEMA_BY_VALUE = 1 << 2,   /* a message that is never absent in JSON */
	SCHEMA_OMIT_ZERO = 1 << 3,  /* a by-value message left out when it holds nothing */
	SCHEMA_REQUIRED = 1 << 4,
	SCHEMA_PRESENCE = 1 << 5,    /* optional: absent differs from zero (has_x, or a NULL pointer) */
	SCHEMA_PATCH_MERGE = 1 << 6, /* strategic merge: merge, replace, retainKeys */
	SCHEMA_PATCH_REPLACE = 1 << 7,
	SCHEMA_PATCH_RETAIN_KEYS = 1 << 8,
};

struct schema_type;
struct schema_resource;

struct schema_field {
	const char *json_name;
	const char *name;		/* as in the .proto file: host_ip */
	const struct schema_type *type; /* of a message; for a map the entry type (see schema_map_value); else NULL */
	uint32_t number;
	uint32_t offset;
	uint32_t quantifier_offset; /* of has_x (presence) or n_x (lists, maps) */
	uint16_t flags;		    /* enum schema_flags */
	uint8_t kind;		    /* enum schema_kind of the element */
	uint8_t shape;		    /* enum schema_shape */
	uint8_t list_type;	    /* enum schema_list_type */
	uint8_t map_type;	    /* enum schema_list_type, of a map, a struct, or a list's items */
	uint8_t json_size;	    /* strlen(json_name) */
	const char *merge_key;
	const char *const *list_keys; /* NULL-terminated, or NULL */
	const char *default_json;     /* JSON text, or NULL */
	const char *const *values;    /* what an enum allows, NULL-terminated, or NULL */
	const char *format;
	const char *doc;
};

/* A JSON name of a type, its inlined structs' included; the path leads through at most two inlined fields. */
struct schema_name {
	const char *json_name;
	const struct schema_field *field;
	const struct schema_field *via[2]; /* outermost first; NULL when the field is the type's own */
	uint8_t size;
};

/* A field as the protobuf wire carries it, and how to tell that there is something to carry. */
enum schema_wire_there {
	SCHEMA_WIRE_NUMBER,  /* it is not zero; of bytes: there are some, or none that are not absent */
	SCHEMA_WIRE_TEXT,    /* it is not empty */
	SCHEMA_WIRE_POINTER, /* it is not NULL */
	SCHEMA_WIRE_BIT,     /* has_x */
	SCHEMA_WIRE_LIST,    /* n_x */
};
struct schema_wire {
	const struct schema_type *type; /* of a message */
	uint32_t tag;			/* number << 3 | wire type */
	uint16_t offset;
	uint16_t quantifier_offset; /* of has_x or n_x */
	uint8_t kind;		    /* enum schema_kind */
	uint8_t there;		    /* enum schema_wire_there */
};

/* Where to look whether a field is surely absent, as most fields of most objects are: the tables above are large. */
enum schema_look_kind {
	SCHEMA_LOOK_NOWHERE,	 /* it is never surely absent */
	SCHEMA_LOOK_WORD,	 /* eight bytes, zero if it is: a pointer, a count, a number */
	SCHEMA_LOOK_FIRST_HALF,	 /* four of them */
	SCHEMA_LOOK_SECOND_HALF, /* four of them */
	SCHEMA_LOOK_TEXT,	 /* a pointer, then to the empty string */
};
struct schema_look {
	uint16_t offset; /* of the word */
	uint8_t kind;	 /* enum schema_look_kind */
	uint8_t at;	 /* which field, or which name */
};

struct schema_type {
	ProtobufCMessageDescriptor base; /* first: a message's descriptor is its schema */
	const char *name;		 /* core.v1.Pod */
	const char *kind;		 /* Pod */
	const char *group;
	const char *version;
	const char *api_version; /* as written on the wire: v1, apps/v1; NULL unless root */
	const char *doc;
	const void *zero;			/* an empty object, base.sizeof_message bytes */
	const struct schema_wire *wire;		/* n_fields in the order of numbers, then one whose tag is above all */
	const struct schema_field *fields;	/* in declaration order, which is the JSON order */
	const struct schema_look *looks;	/* of the fields */
	const struct schema_name *names;	/* sorted by size, then bytes */
	const struct schema_look *by_name;	/* of the names, in the order of their bytes alone */
	const uint8_t *by_size;			/* where names of a size begin: of 0 to longest_name + 1 */
	const struct schema_resource *resource; /* of a served kind, else NULL */
	uint16_t n_fields;
	uint16_t n_names;
	uint8_t longest_name;
	uint8_t form; /* enum schema_form */
	bool root;    /* carries apiVersion and kind on the wire */
	bool map_entry;
	bool recursive;	  /* reaches itself */
	bool shows_empty; /* it has, or what is below it, a list or map that JSON shows when it is empty */
};

struct schema_column {
	const char *name;
	const char *type;   /* string, integer, date, … */
	const char *format; /* "" or "name" */
	int32_t priority;   /* 0: always shown, 1: wide output only */
	const char *of;	    /* path of the field that it shows; NULL: none alone */
	const char *doc;    /* what it shows; NULL: what the field is */
};

struct schema_subresource {
	const char *name;
	const char *kind; /* of the same group and version unless it is Scale, Eviction, TokenRequest, … */
	const char *const *verbs;
};

struct schema_resource {
	const struct schema_type *type;
	const char *plural;
	const char *singular;
	bool namespaced;
	const char *const *short_names; /* these lists are NULL-terminated and never NULL */
	const char *const *categories;
	const char *const *verbs;
	const char *const *selectable; /* field selector paths beside metadata.name and metadata.namespace */
	const struct schema_column *columns;
	size_t n_columns;
	const struct schema_subresource *subresources;
	size_t n_subresources;
};

/* The schema of a typed object. */
#define schema_of(msg) ((const struct schema_type *)((const ProtobufCMessage *)(msg))->descriptor)
/* A new object in an arena: strings "", all else zero. */
#define API_NEW(arena, T) ((T *)api_new((arena), &T##_schema))
void *api_new(struct arena *arena, const struct schema_type *type) __attribute__((returns_nonnull));
/* Whether an object is of a type. NULL is of none. */
#define API_IS(msg, T) ((msg) && schema_of(msg) == &T##_schema)
/* A string for a plain (never NULL) string field that holds nothing. */
extern const char schema_empty_string[1];
/* False: JSON leaves the field out. */
static inline bool schema_may_be_written(const void *msg, const struct schema_look *look)
{
	static const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	static const uint64_t masks[] = {[SCHEMA_LOOK_WORD] = UINT64_MAX,
		[SCHEMA_LOOK_FIRST_HALF] = little ? UINT32_MAX : ~(uint64_t)UINT32_MAX,
		[SCHEMA_LOOK_SECOND_HALF] = little ? ~(uint64_t)UINT32_MAX : UINT32_MAX,
		[SCHEMA_LOOK_TEXT] = UINT64_MAX};
	static const uint64_t absent[] = {
		[SCHEMA_LOOK_NOWHERE] = 1, [SCHEMA_LOOK_TEXT] = (uintptr_t)schema_empty_string};
	uint64_t word;
	memcpy(&word, (const char *)msg + look->offset, sizeof(word));
	return (word & masks[look->kind]) != absent[look->kind];
}

/* A root type by group ("" is core), version and kind; NULL if there is none. */
const struct schema_type *schema_find_kind(const char *group, const char *version, const char *kind);
/* The same by the wire's apiVersion ("v1", "apps/v1"). Types that belong to every group (Status, DeleteOptions) answer
 * to any. */
const struct schema_type *schema_find_api_version(const char *api_version, const char *kind);
/* By full name: core.v1.PodSpec. */
const struct schema_type *schema_find_type(const char *name);
const struct schema_resource *schema_find_resource(const char *group, const char *version, const char *plural);
/* The first resource answering to a plural, singular, short name or kind (any case) in any group; core and then others.
 */
const struct schema_resource *schema_find_resource_alias(const char *alias);
/* The XList type of a kind; NULL if the kind has no list. */
const struct schema_type *schema_list_of(const struct schema_type *type);
/* Of a list type: the "items" field's type; NULL if type is no list. */
const struct schema_type *schema_item_of(const struct schema_type *type);
const struct schema_subresource *schema_find_subresource(const struct schema_resource *resource, const char *name);

/* A JSON name within a type; case-sensitive; NULL if there is none. */
const struct schema_name *schema_find_field(const struct schema_type *type, const char *json_name, size_t size);
/* By proto name, the type's own fields only. */
const struct schema_field *schema_field_by_name(const struct schema_type *type, const char *name);

/* The value field of a map. */
static inline const struct schema_field *schema_map_value(const struct schema_field *map)
{
	return &map->type->fields[1];
}
static inline const char *schema_field_name(const struct schema_field *field)
{
	return field->json_name;
}

/* All types (entries and helpers included) and all served resources; both sorted by name. */
extern const struct schema_type *const schema_types[];
extern const size_t schema_n_types;
extern const struct schema_type *const schema_kinds[]; /* roots only, sorted by kind, group, version */
extern const size_t schema_n_kinds;
extern const struct schema_resource *const schema_resources[]; /* sorted by plural, group, version */
extern const size_t schema_n_resources;
#define SCHEMA_FOREACH_TYPE(t)                                          \
	for (const struct schema_type *const *t##_p = schema_types, *t; \
		t##_p < schema_types + schema_n_types && ((t = *t##_p), true); t##_p++)
#define SCHEMA_FOREACH_RESOURCE(r)                                  \
	for (size_t r##_i = 0; r##_i < schema_n_resources; r##_i++) \
		for (const struct schema_resource *r = schema_resources[r##_i]; r; r = NULL)

/* "apps/v1", or "v1" for the core group. */
char *schema_group_version(struct arena *arena, const char *group, const char *version);
/* Splits an apiVersion into group and version; "v1" has the group "". Strings live in the arena. */
void schema_split_api_version(struct arena *arena, const char *api_version, char **ret_group, char **ret_version);

#endif
