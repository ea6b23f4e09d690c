/*
 * Sets of fields, as managedFields keeps them (FieldsV1): a sorted trie of path elements in an arena.
 *
 *	const struct fieldset *owned;
 *	TRY(fieldset_parse(arena, raw.data, raw.len, &owned));
 *	owned = fieldset_difference(arena, owned, changes.removed);
 *	fieldset_print(&out, owned);
 *
 * A node is a path element (a field's name, a list item's keys or value, an index); it may be in the set itself, and
 *have nodes below it. NULL is the empty set everywhere. What the sets say of an object is in api/field_walk.h.
 * Ownership: sets are constant once made, live in the arena and share nodes with each other and text with what they
 *were read from. An operation that changes nothing answers with its first argument itself.
 */
#ifndef API_FIELDSET_H
#define API_FIELDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#define FIELDSET_MAX_DEPTH 500 /* of a text; deeper is refused */

/* In their order in a set. */
enum field_element_kind {
	FIELD_NAME,  /* f:spec */
	FIELD_KEY,   /* k:{"containerPort":80,"protocol":"TCP"} */
	FIELD_VALUE, /* v:"kubernetes.io/pvc-protection" */
	FIELD_INDEX, /* i:0 */
};

/* text is what follows the prefix, in the one form it is printed in; not NUL-terminated. */
struct field_element {
	const char *text;
	uint32_t size;
	uint32_t kind; /* enum field_element_kind */
};

struct fieldset;

struct field_node {
	struct field_element element;
	bool member; /* in the set itself */
	const struct fieldset *below;
};

struct fieldset {
	struct field_node *nodes; /* sorted by element, each with a member or something below */
	size_t n_nodes;
};

/* A path of names from the root, NULL-terminated: {"metadata", "labels", NULL}. */
typedef const char *const field_path[8];

int field_element_compare(const struct field_element *a, const struct field_element *b);
static inline struct field_element field_name_element(const char *name, size_t size)
{
	return (struct field_element){.text = name, .size = (uint32_t)size, .kind = FIELD_NAME};
}

/* Building: nodes in any order, then sorted once. A node that holds nothing is passed over. */
struct fieldset *fieldset_new(struct arena *arena);
void fieldset_add(struct arena *arena, struct fieldset *set, struct field_element element, bool member,
	const struct fieldset *below);
/* Sorts and joins equal elements. NULL when nothing was added. */
const struct fieldset *fieldset_finish(struct arena *arena, struct fieldset *set);
/* The set of one path, and of several. */
const struct fieldset *fieldset_of_path(struct arena *arena, const char *const *path);
const struct fieldset *fieldset_of_paths(struct arena *arena, const field_path *paths, size_t n_paths);

static inline bool fieldset_empty(const struct fieldset *set)
{
	return !set || !set->n_nodes;
}
bool fieldset_equal(const struct fieldset *a, const struct fieldset *b);
const struct field_node *fieldset_find(const struct fieldset *set, const struct field_element *element);
bool fieldset_has_path(const struct fieldset *set, const char *const *path);
const struct fieldset *fieldset_union(struct arena *arena, const struct fieldset *a, const struct fieldset *b);
const struct fieldset *fieldset_intersection(struct arena *arena, const struct fieldset *a, const struct fieldset *b);
/* What is in a and not in b, field by field: a parent does not stand for what is below it. */
const struct fieldset *fieldset_difference(struct arena *arena, const struct fieldset *a, const struct fieldset *b);
/* The same, but what is in b takes all below it along. */
const struct fieldset *fieldset_without(struct arena *arena, const struct fieldset *a, const struct fieldset *b);

/* FieldsV1. Elements of an unknown kind are dropped, as the original drops them; a text that is none is BadRequest. */
struct status *fieldset_parse(
	struct arena *arena, const void *text, size_t size, const struct fieldset **ret_set) MUST_USE;
void fieldset_print(struct strbuf *out, const struct fieldset *set);

/* Paths as people read them: .spec.replicas, .spec.containers[name="c"].image. */
void field_element_describe(struct strbuf *out, const struct field_element *element);
/* Calls fn for each field of the set, those of a level before those below them. */
void fieldset_each(const struct fieldset *set, void (*fn)(void *data, const char *path), void *data);

#endif
