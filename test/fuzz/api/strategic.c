/* Two objects of a kind, lists with their merge keys in order: the strategic patch between them gives the second out of
 * the first, and applied again changes nothing; so does the one that kubectl apply makes. */
#include "api/patch.h"
#include "test/fuzz/settle.h"

/* What is put where nothing was can hold lists within maps and lists that are raw values; nothing can be merged into
 * those, by the original neither. */
static bool again(
	struct arena *arena, const struct schema_type *type, const cJSON *once, const cJSON *patch, cJSON **ret_twice)
{
	struct status *s = patch_strategic(arena, type, once, patch, ret_twice);
	const bool closed = s && (strstr(s->message, "data type is not struct, instead is: map") ||
					 strstr(s->message, "expected slice or array type, but got: struct"));
	if (!closed)
		fuzz_ok("again", s);
	else
		status_free(s);
	return !closed;
}

static void gives(
	struct arena *arena, const struct schema_type *type, const cJSON *from, const cJSON *patch, const cJSON *wanted)
{
	cJSON *once = NULL, *twice = NULL, *rest = NULL;

	fuzz_ok(tree_to_string(arena, patch, 0), patch_strategic(arena, type, from, patch, &once));
	if (!tree_equal(once, wanted))
		FUZZ_FAIL("from    %s\npatch   %s\ngot     %s\nwanted  %s", tree_to_string(arena, from, 0),
			tree_to_string(arena, patch, 0), tree_to_string(arena, once, 0),
			tree_to_string(arena, wanted, 0));
	if (!again(arena, type, once, patch, &twice))
		return;
	if (!tree_equal(once, twice))
		FUZZ_FAIL("patch   %s\nonce    %s\ntwice   %s", tree_to_string(arena, patch, 0),
			tree_to_string(arena, once, 0), tree_to_string(arena, twice, 0));
	fuzz_ok("nothing", patch_create_strategic(arena, type, once, wanted, &rest));
	fuzz_ok("nothing", patch_strategic(arena, type, once, rest, &twice));
	if (!tree_equal(once, twice))
		FUZZ_FAIL("between equals: %s", tree_to_string(arena, rest, 0));
}

/* Merged into the object itself, where that can be done, as by way of trees. */
static void typed_agrees(
	struct arena *arena, const struct schema_type *type, const cJSON *from, const cJSON *patch, bool strategic)
{
	ProtobufCMessage *object, *made, *wanted;
	cJSON *tree;

	fuzz_ok("typed", tree_to_typed(arena, from, type, NULL, &object));
	if (!patch_merge_typed(arena, object, patch, strategic, &made))
		return;
	const cJSON *before = tree_from_typed(arena, object);
	fuzz_ok("tree", strategic ? patch_strategic(arena, type, before, patch, &tree)
				  : patch_merge(arena, before, patch, &tree));
	fuzz_ok("typed", tree_to_typed(arena, tree, type, NULL, &wanted));
	if (!tree_equal(tree_from_typed(arena, made), tree_from_typed(arena, wanted)))
		FUZZ_FAIL("from    %s\npatch   %s\ngot     %s\nwanted  %s", tree_to_string(arena, from, 0),
			tree_to_string(arena, patch, 0), tree_to_string(arena, tree_from_typed(arena, made), 0),
			tree_to_string(arena, tree_from_typed(arena, wanted), 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes bytes = {data, data + size / 2}, others = {data + size / 2, data + size};
	const struct schema_type *type = fuzz_kind(&bytes);
	cJSON *from = fuzz_settled(arena, &bytes, type), *patch = NULL;
	cJSON *wanted =
		fuzz_byte(&others) % 2 ? fuzz_altered(arena, &others, from, type) : fuzz_settled(arena, &others, type);
	struct status *s = patch_create_strategic(arena, type, from, wanted, &patch);

	if (s) {
		status_free(s); /* lists of lists, which no patch can say */
		return 0;
	}
	gives(arena, type, from, patch, wanted);
	typed_agrees(arena, type, from, patch, true);
	typed_agrees(arena, type, from, patch_create_merge(arena, from, wanted), false);
	s = patch_create_three_way(arena, type, from, wanted, from, &patch);
	if (!s)
		gives(arena, type, from, patch, wanted);
	status_free(s);
	return 0;
}
