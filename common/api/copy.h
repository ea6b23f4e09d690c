/*
 * Deep copies and comparisons of typed objects, by their schema.
 *
 *	CoreV1Pod *mine = api_copy(arena, shared);
 *	mine->spec->node_name = arena_strdup(arena, "node-1");
 *	if (!api_equal(mine->status, shared->status)) ...
 */
#ifndef API_COPY_H
#define API_COPY_H

#include "api/schema.h"

/* A copy that shares nothing with the original. NULL gives NULL. Unknown protobuf fields are dropped. */
void *api_copy_msg(struct arena *arena, const void *msg);
#define api_copy(arena, msg) ((__typeof__(*(msg)) *)api_copy_msg((arena), (msg)))
/* Semantic equality: empty and absent lists, maps and by-value structs are equal, quantities and times compare by
 * value. Maps compare without order. Two NULLs are equal; NULL equals an empty object only for by-value fields. */
bool api_equal(const void *a, const void *b);
/* Whether it has, anywhere, a list, map or bytes that are empty and yet there, as JSON's [] is and what was stored
 * never is: what Go's own comparison (reflect.DeepEqual) takes for another value than none. */
bool api_tells_empty(const void *msg);
/* Whether an object holds nothing. NULL does. */
bool api_is_empty(const void *msg);
/* A hash that is equal for equal objects (fed by the JSON form). */
uint32_t api_hash_fnv32a(const void *msg);

#endif
