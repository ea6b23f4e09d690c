/*
 * JSON trees: cJSON nodes for dynamic objects (patches, custom resources, client output), built by our own bounded
 *reader.
 *
 *	cJSON *tree;
 *	TRY(tree_parse(arena, data, size, NULL, &tree));
 *	const char *phase = tree_string(tree_get_path(tree, "status", "phase", NULL));
 *
 * A number node keeps its exact text in valuestring, so 9007199254740993 survives. Member names are case-sensitive.
 * Ownership: nodes and strings live in the arena; never cJSON_Delete() them, never mix with cJSON_Create…().
 */
#ifndef API_TREE_H
#define API_TREE_H

#include <cjson/cJSON.h>
#include "api/json.h"
#include "api/schema.h"
#include "base/status.h"
#include "base/str.h"

/* options NULL: lenient. Duplicate members: the last wins, strict reports them. */
struct status *tree_parse(struct arena *arena, const char *data, size_t size, const struct json_options *options,
	cJSON **ret_tree) MUST_USE;
/* flags as json_encode's. Members are written in tree order; TREE_SORTED: by name, as Go writes maps. */
#define TREE_SORTED (1u << 16)
void tree_print(struct strbuf *out, const cJSON *tree, unsigned flags);
char *tree_to_string(struct arena *arena, const cJSON *tree, unsigned flags);
/* As Go prints its maps and slices: %v, or %#v when sharp; in messages. */
void tree_print_go(struct strbuf *out, const cJSON *tree, bool sharp);

/* Making nodes. */
cJSON *tree_new_object(struct arena *arena);
cJSON *tree_new_array(struct arena *arena);
cJSON *tree_new_null(struct arena *arena);
cJSON *tree_new_bool(struct arena *arena, bool value);
cJSON *tree_new_int(struct arena *arena, int64_t value);
cJSON *tree_new_double(struct arena *arena, double value);
cJSON *tree_new_number(struct arena *arena, const char *text, size_t size);
cJSON *tree_new_string(struct arena *arena, const char *s);
/* Orders the members of every object by name, as Go writes its maps. */
void tree_sort(struct arena *arena, cJSON *tree);
cJSON *tree_copy(struct arena *arena, const cJSON *tree);

/* Reading. All take NULL for the tree and answer NULL, 0, false. */
cJSON *tree_get(const cJSON *object, const char *name);
cJSON *tree_at(const cJSON *array, size_t index);
cJSON *tree_get_path(const cJSON *tree, ...) __attribute__((sentinel));
const char *tree_string(const cJSON *node); /* of a string node, else NULL */
bool tree_int(const cJSON *node, int64_t *ret_value);
size_t tree_size(const cJSON *node); /* members or elements */
bool tree_equal(const cJSON *a, const cJSON *b);
#define TREE_FOREACH(node, parent) for (cJSON *node = (parent) ? (parent)->child : NULL; node; node = node->next)

/* Changing. A node has one parent; set and append take a free node. */
void tree_set(struct arena *arena, cJSON *object, const char *name, cJSON *value); /* replaces in place, or appends */
/* Before many members of a large object are looked up or changed: each then takes constant time. tree_set() does so
 * too. */
void tree_prepare(struct arena *arena, cJSON *object);
void tree_set_string(struct arena *arena, cJSON *object, const char *name, const char *value);
cJSON *tree_remove(cJSON *object, const char *name); /* the node taken out, or NULL */
void tree_append(cJSON *array, cJSON *value);
void tree_insert(cJSON *array, size_t index, cJSON *value);
cJSON *tree_remove_at(cJSON *array, size_t index);
void tree_unlink(cJSON *parent, cJSON *child); /* takes out a member or element that is at hand */

/* Tree to typed and back. Typed to tree has apiVersion and kind for root types. */
struct status *tree_to_typed(struct arena *arena, const cJSON *tree, const struct schema_type *type,
	const struct json_options *options, void *ret_msg) MUST_USE;
cJSON *tree_from_typed(struct arena *arena, const void *msg);

#endif
