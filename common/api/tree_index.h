/*
 * The members of a large object by name, so that changing them one by one takes constant time each. An object's index
 * hangs from its node; tree.c makes it when members are set one by one, and keeps it true.
 */
#ifndef API_TREE_INDEX_H
#define API_TREE_INDEX_H

#include <cjson/cJSON.h>
#include "base/arena.h"

struct tree_index;

/* NULL: the object has none. */
struct tree_index *tree_index_of(const cJSON *object);
/* Makes one of all members. */
void tree_index_make(struct arena *arena, cJSON *object);
void tree_index_drop(cJSON *object);

cJSON *tree_index_get(const struct tree_index *index, const char *name);
/* A member of a name that the index has not. */
void tree_index_add(struct arena *arena, struct tree_index *index, cJSON *member);
/* In the place of one of the same name. */
void tree_index_replace(struct tree_index *index, const cJSON *old, cJSON *member);
void tree_index_remove(struct tree_index *index, const cJSON *member);

#endif
