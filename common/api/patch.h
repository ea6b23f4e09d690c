/*
 * Patches over trees: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch, and what kubectl apply
 *makes.
 *
 *	cJSON *patched;
 *	TRY(patch_strategic(arena, &CoreV1Pod_schema, original, patch, &patched));
 *
 * Inputs are not changed; results live in the arena and may share nodes with neither input.
 */
#ifndef API_PATCH_H
#define API_PATCH_H

#include "api/schema.h"
#include "api/tree.h"
#include "base/status.h"

#define PATCH_MAX_OPERATIONS 10000
#define PATCH_MAX_COPIED_BYTES (3u << 20) /* by all copy operations of one JSON patch */

struct status *patch_json(struct arena *arena, const cJSON *original, const cJSON *patch, cJSON **ret_tree) MUST_USE;
struct status *patch_merge(struct arena *arena, const cJSON *original, const cJSON *patch, cJSON **ret_tree) MUST_USE;
struct status *patch_strategic(struct arena *arena, const struct schema_type *type, const cJSON *original,
	const cJSON *patch, cJSON **ret_tree) MUST_USE;

/*
 * A merge (strategic or not) leaves alone what it does not name: patch_part() is what it names of an object (sharing
 * with it what is in there), to be patched instead of the whole, and patch_join() puts into the outcome the rest,
 * copied. NULL when the patch has directives that may speak of all, or is no object.
 */
ProtobufCMessage *patch_part(struct arena *arena, const ProtobufCMessage *object, const cJSON *patch);
void patch_join(struct arena *arena, ProtobufCMessage *made, const ProtobufCMessage *object, const cJSON *patch);

/*
 * A merge made straight into a copy of the object. False: this one has to be made by trees, which also know what to say
 * of what is wrong: nulls, directives, new items of lists that have keys, and whatever is not of its field's type. The
 * outcome shares texts with the patch.
 */
bool patch_merge_typed(struct arena *arena, const ProtobufCMessage *object, const cJSON *patch, bool strategic,
	ProtobufCMessage **ret_object);

/* The merge patch that turns one tree into the other. */
cJSON *patch_create_merge(struct arena *arena, const cJSON *original, const cJSON *modified);
/* The strategic patch that does. */
struct status *patch_create_strategic(struct arena *arena, const struct schema_type *type, const cJSON *original,
	const cJSON *modified, cJSON **ret_patch) MUST_USE;
/* kubectl apply: what changed between the last applied and the wanted, over what is there. original may be NULL. */
struct status *patch_create_three_way(struct arena *arena, const struct schema_type *type, const cJSON *original,
	const cJSON *modified, const cJSON *current, cJSON **ret_patch) MUST_USE;
struct status *patch_create_three_way_merge(struct arena *arena, const cJSON *original, const cJSON *modified,
	const cJSON *current, cJSON **ret_patch) MUST_USE;

#endif
