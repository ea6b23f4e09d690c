/*
 * The trees of server-side apply: laying a configuration over what is there, and taking fields out again.
 *
 *	cJSON *merged = apply_merge(arena, &place, live, config);
 *	merged = apply_remove(arena, &place, merged, forgotten);
 *
 * Inputs are not changed; results live in the arena. Trees fit their places (field_validate()).
 */
#ifndef API_APPLY_H
#define API_APPLY_H

#include "api/field_walk.h"

/* What is there, with what is wanted laid over it: lists that have keys by item, in the order of the configuration. */
cJSON *apply_merge(struct arena *arena, const struct field_place *place, const cJSON *live, const cJSON *config);
/* Without the members and items of a set. What holds nothing any more is null. */
cJSON *apply_remove(
	struct arena *arena, const struct field_place *place, const cJSON *tree, const struct fieldset *set);

#endif
