/*
 * What is said of a patch whose outcome is no object of the kind.
 */
#ifndef APISERVER_HTTP_PATCH_OUTCOME_H
#define APISERVER_HTTP_PATCH_OUTCOME_H

#include "api/tree.h"
#include "apiserver/registry/request.h"

enum patch_kind { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC };

/* Puts what a JSON or merge patch went through into the order in which the original has it. */
void patch_outcome_sort(struct arena *arena, enum patch_kind kind, const cJSON *patch, cJSON *made);
/* A strategic patch is shown itself, of the others what they made; in that order is told what is wrong with it, if it
 * is no object of the type at all (type NULL: it is). */
struct status *patch_outcome_bad(struct request *request, const struct schema_type *type, enum patch_kind kind,
	const cJSON *patch, const cJSON *made, const char *why) MUST_USE;
/* The outcome of a strategic patch is read by rules of its own, which name what does not fit in other words and do not
 * care for the kind; that becomes the type's. */
struct status *patch_outcome_restore(
	struct request *request, const struct schema_type *type, const cJSON *patch, cJSON *made) MUST_USE;

#endif
