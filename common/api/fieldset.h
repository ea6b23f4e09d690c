/*
 * Sets of fields, as managedFields keeps them (FieldsV1), and what server-side apply does with them: over JSON trees,
 *led by the schema's list types, map types and keys.
 *
 *	cJSON *owned = fieldset_of(arena, &AppsV1Deployment_schema, config);
 *	struct field_changes changes = fieldset_compare(arena, type, before, after);
 *
 * A set is a tree: f:NAME for members, k:{…} and v:… for list items; a node that is itself in the set has the child
 *".". Sets that are read or written as text leave out the "." of a node without other children, as the original does.
 * Ownership: everything lives in the arena. Inputs are not changed; results may share nodes with them: treat them as
 *constant.
 */
#ifndef API_FIELDSET_H
#define API_FIELDSET_H

#include "api/schema.h"
#include "api/tree.h"

/* Every field that a tree has. */
cJSON *fieldset_of(struct arena *arena, const struct schema_type *type, const cJSON *tree);

struct field_changes {
	cJSON *added, *modified, *removed;
};
struct field_changes fieldset_compare(
	struct arena *arena, const struct schema_type *type, const cJSON *before, const cJSON *after);

/* NULL is the empty set in all of these. */
cJSON *fieldset_union(struct arena *arena, const cJSON *a, const cJSON *b);
cJSON *fieldset_difference(struct arena *arena, const cJSON *a, const cJSON *b);
cJSON *fieldset_intersection(struct arena *arena, const cJSON *a, const cJSON *b);
bool fieldset_empty(const cJSON *set);
bool fieldset_equal(const cJSON *a, const cJSON *b);
/* Without what nobody owns: apiVersion, kind, and the metadata that the system sets. */
cJSON *fieldset_strip(struct arena *arena, const cJSON *set);
/* Only, or all but, what is below a top-level member. */
cJSON *fieldset_only(struct arena *arena, const cJSON *set, const char *member);
cJSON *fieldset_without(struct arena *arena, const cJSON *set, const char *member);

/* FieldsV1 text and back; bad text is the empty set. */
char *fieldset_print(struct arena *arena, const cJSON *set);
cJSON *fieldset_parse(struct arena *arena, const char *text, size_t size);
/* The paths as people read them: .spec.replicas, .spec.containers[name="c"].image. Calls fn for each. */
void fieldset_each_path(struct arena *arena, const cJSON *set, void (*fn)(void *data, const char *path), void *data);

/* What is there, with what is wanted laid over it. */
cJSON *apply_merge(struct arena *arena, const struct schema_type *type, const cJSON *live, const cJSON *config);
/* Takes the fields of a set out of a tree, save where others own something. */
cJSON *apply_remove(
	struct arena *arena, const struct schema_type *type, const cJSON *tree, const cJSON *set, const cJSON *others);

#endif
