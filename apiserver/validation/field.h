/*
 * Validation errors: field paths, the list they are collected in, and the 422 Status made out of it.
 *
 *	struct field_errors errors = FIELD_ERRORS_INIT(arena);
 *	const struct field_path *spec = FIELD(NULL, "spec");
 *	for (size_t i = 0; i < n; i++)
 *		if (str_empty(containers[i]->name))
 *			field_required(&errors, FIELD(FIELD_INDEX(FIELD(spec, "containers"), i), "name"), "");
 *	return field_errors_status(&errors, "", "Pod", name);     // NULL when there are none
 *
 * Paths are links on the stack: they are spelled out only when there is an error. Wording, quoting and reasons are
 *those of the original (k8s.io/apimachinery/pkg/util/validation/field).
 */
#ifndef APISERVER_VALIDATION_FIELD_H
#define APISERVER_VALIDATION_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "api/types.h"
#include "base/arena.h"
#include "base/status.h"

struct field_path {
	const struct field_path *parent;
	const char *name; /* NULL: an index or a key */
	const char *key;
	size_t index;
};

/* .name, [index], [key] below a parent; valid until the end of the enclosing block. A NULL parent is the object itself.
 */
#define FIELD(parent_, name_) (&(const struct field_path){.parent = (parent_), .name = (name_)})
#define FIELD_INDEX(parent_, index_) (&(const struct field_path){.parent = (parent_), .index = (index_)})
#define FIELD_KEY(parent_, key_) (&(const struct field_path){.parent = (parent_), .key = (key_)})

char *field_path_string(struct arena *arena, const struct field_path *path);

struct field_error {
	const char *reason; /* FieldValueInvalid … */
	char *field;
	char *body; /* the message without the field's name */
};

/* Errors beyond FIELD_ERRORS_MAX_BYTES of text are not kept: nobody reads them, and where each names the whole of a
 * long list, a request of one megabyte would fill the memory. The original has no such limit. */
#define FIELD_ERRORS_MAX_BYTES (16u << 20)

/* Faults that what has them may keep when it is changed: older releases did not know them as faults. */
enum kept_fault {
	KEPT_SELECTOR_VALUES = 1 << 0, /* values of a selector that no label can have */
	KEPT_NODE_VALUES = 1 << 1,     /* the same of required labels of nodes */
	KEPT_SPREAD_SELECTORS = 1 << 2,
	KEPT_PAGES = 1 << 3, /* huge pages that are not whole */
	KEPT_TOKEN_PATHS = 1 << 4,
	KEPT_HOST_SYSCTLS = 1 << 5,
	KEPT_USERS_DEVICES = 1 << 6,
	KEPT_SOURCE_GROUPS = 1 << 7, /* a claim that is filled from what has a group may name any */
	KEPT_LABEL_POLICY = 1 << 8,  /* who names a seLinuxChangePolicy may name any */
};

struct field_errors {
	struct arena *arena;
	struct field_error *items;
	size_t n_items, n_bytes;
	unsigned found, kept; /* enum kept_fault: what there is of them, and what is not told of */
	bool unprivileged;    /* the cluster lets no container be privileged */
};
/* For loops that say more than one error for each thing that the client sent. */
static inline bool field_errors_full(const struct field_errors *errors)
{
	return errors->n_bytes > FIELD_ERRORS_MAX_BYTES;
}
#define FIELD_ERRORS_INIT(arena_) \
	{                         \
		.arena = (arena_) \
	}

/* The errors since there were n are of that kind: they are forgotten where it may be kept. */
void field_keep(struct field_errors *errors, size_t n, enum kept_fault what);
/* detail may be "". */
void field_required(struct field_errors *errors, const struct field_path *path, const char *detail);
void field_forbidden(struct field_errors *errors, const struct field_path *path, const char *detail);
/* The value is quoted; _int and _bool print it plainly; _json takes the text as it is. */
void field_invalid(struct field_errors *errors, const struct field_path *path, const char *value, const char *detail);
/* The single problems of a text that may name several ("first; second", or NULL: none). Checks of meta.h name them so.
 */
size_t field_problems(struct arena *arena, const char *problems, char ***ret_problems);
/* One error for each of several problems. */
void field_invalid_each(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *problems);
void field_invalid_json_each(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *problems);
void field_invalid_int(struct field_errors *errors, const struct field_path *path, int64_t value, const char *detail);
void field_invalid_bool(struct field_errors *errors, const struct field_path *path, bool value, const char *detail);
void field_invalid_json(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *detail);
/* A string of a type of its own, or one that may be left out: told as JSON. */
void field_invalid_typed(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *detail);
void field_invalid_message(
	struct field_errors *errors, const struct field_path *path, const void *msg, const char *detail);
/* The same in the form of the original's internal types, which is what it prints of most structs: fields are named as
 * Go names them ("ServiceName"), and all are there, null when unset. */
void field_invalid_internal(
	struct field_errors *errors, const struct field_path *path, const void *msg, const char *detail);
/* The same, of a value that is of the wrong type. */
void field_type_invalid_json(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *detail);
/* Nothing but the reason and the detail: the value does not show. */
void field_invalid_hidden(struct field_errors *errors, const struct field_path *path, const char *detail);
/* supported is NULL-terminated, in the order to print. */
void field_unsupported(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *const *supported);
void field_unsupported_json(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *const *supported);
void field_duplicate(struct field_errors *errors, const struct field_path *path, const char *value);
void field_duplicate_int(struct field_errors *errors, const struct field_path *path, int64_t value);
/* detail may be "". */
void field_duplicate_json(
	struct field_errors *errors, const struct field_path *path, const char *json, const char *detail);
void field_not_found(struct field_errors *errors, const struct field_path *path, const char *value);
/* Not found, and what may be there. */
void field_not_found_because(
	struct field_errors *errors, const struct field_path *path, const char *value, const char *detail);
void field_too_long(struct field_errors *errors, const struct field_path *path, size_t max);
void field_too_many(struct field_errors *errors, const struct field_path *path, size_t actual, int64_t max);
void field_internal(struct field_errors *errors, const struct field_path *path, const char *detail);

/* Adds the causes of a status that field_errors_status() made; NULL has none. */
void field_errors_take(struct field_errors *errors, const struct status *status);

/* Adds what was found apart. */
void field_errors_append(struct field_errors *errors, const struct field_errors *found);

/* Values for the _json functions, in the arena: one internal struct or a list of them (pointers), texts, a map of
 * texts. NULL is null; what is there and empty is [] or {}. */
char *internal_json(struct arena *arena, const void *msg);
char *internal_json_list(struct arena *arena, const void *items, size_t n);
char *strings_json(struct arena *arena, char *const *items, size_t n);
char *strings_map_json(struct arena *arena, MapStringEntry *const *entries, size_t n);

/* A Go-quoted string: "a\"b". */
char *field_quote(struct arena *arena, const char *s);
/* The same as JSON, which is how strings of a type of their own are told. */
char *field_json(struct arena *arena, const char *s);

/* The 422: `Pod "x" is invalid: spec.a: …` or `[…, …]`; NULL when the list is empty. */
struct status *field_errors_status(
	const struct field_errors *errors, const char *group, const char *kind, const char *name) MUST_USE;

#endif
