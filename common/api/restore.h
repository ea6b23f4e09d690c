/*
 * Whether a tree is an object of a type by the rules of Go's unstructured converter, which reads the outcome of
 * strategic merge patches. It goes through a struct in the order of its fields.
 */
#ifndef API_RESTORE_H
#define API_RESTORE_H

#include "api/tree.h"

/* What is wrong first, as the converter says it; NULL: nothing. Numbers become those of the fields that they are for,
 * as Go converts them: what is too large for a field loses its upper bits. */
const char *restore_problem(struct arena *arena, const struct schema_type *type, cJSON *tree);

#endif
