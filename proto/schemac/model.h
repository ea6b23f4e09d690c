/*
 * The schema compiler's picture of the API: what a descriptor set says, with our options decoded and C names chosen.
 * It is built once, lives until the process ends, and is never freed.
 */
#ifndef SCHEMAC_MODEL_H
#define SCHEMAC_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "api/options.pb-c.h"

enum kind { K_BOOL, K_INT32, K_INT64, K_UINT32, K_UINT64, K_FLOAT, K_DOUBLE, K_STRING, K_BYTES, K_MESSAGE, K_N };
enum shape { SINGLE, LIST_OF, MAP_OF };

struct type;

struct field {
	const char *name; /* as in the .proto file */
	char *c_name;
	const char *json_name;
	const char *doc;
	uint32_t number;
	enum kind kind;
	enum shape shape;
	bool presence; /* proto3 optional */
	const char *type_name;
	struct type *type; /* of a message; of a map its entry */
	bool inline_, keep_empty, by_value, omit_zero, required;
	const char *patch_strategy, *merge_key, *list_keys, *default_json, *values, *format;
	int list_type, map_type;
};

struct type {
	const struct file *file;
	char *full_name; /* core.v1.Pod */
	char *c_name;	 /* CoreV1Pod */
	const char *kind;
	const char *doc;
	bool root, map_entry, recursive, shows_empty;
	int form;
	Kubec__Resource *resource;
	struct field *fields;
	size_t n_fields;
	int mark;
};

struct file {
	char *base; /* core_v1 */
	const char *package;
	const char *group, *version;
	char **imports; /* bases */
	size_t n_imports;
	struct type **types;
	size_t n_types;
};

struct model {
	struct file **files;
	size_t n_files;
	struct type **types; /* of all files, sorted by full name */
	size_t n_types;
};

/* Reads a serialized FileDescriptorSet. Whatever is wrong with it ends the process with a message naming it. */
struct model *model_load(const uint8_t *data, size_t size);

/* CamelCase of a package and a dotted message name: core.v1 + Pod gives CoreV1Pod. */
char *c_type_name(const char *package, const char *message);
/* The field name, with a _ where C has a word of that name. */
char *c_field_name(const char *name);

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *grow(void *items, size_t n, size_t size);
char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Emitters: each writes one file's text. */
struct _IO_FILE;
void emit_header(struct _IO_FILE *out, const struct file *file);
void emit_source(struct _IO_FILE *out, const struct file *file);
void emit_types_header(struct _IO_FILE *out, const struct model *model);
void emit_index(struct _IO_FILE *out, const struct model *model);
/* The schema table of one type, part of emit_source. */
void emit_schema(struct _IO_FILE *out, const struct type *type);
void emit_string(struct _IO_FILE *out, const char *s);

#endif
