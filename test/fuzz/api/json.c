/* Any bytes as an object of the kind they name, and as a tree: what is accepted is written and read again as the same,
 * and both ways of reading agree. */
#include "api/copy.h"
#include "api/json.h"
#include "api/tree.h"
#include "api/types.h"
#include "test/fuzz/target.h"

/* The tree of a text without duplicate or unknown members holds what the object holds. */
static void typed_and_tree(struct arena *arena, const void *msg, const char *text, size_t size)
{
	cJSON *tree = NULL;
	void *again = NULL;

	struct status *s = tree_parse(arena, text, size, NULL, &tree);
	if (s && strstr(s->message, "into Go value of type float64")) {
		status_free(s); /* raw values keep numbers that no tree can hold */
		return;
	}
	fuzz_ok("tree of what is an object", s);
	fuzz_ok("object of that tree", tree_to_typed(arena, tree, schema_of(msg), NULL, &again));
	/* Raw values keep escapes, and bytes that are no UTF-8, which the tree replaces: read again they are the same.
	 */
	char *straight = json_to_string(arena, msg, 0), *by_tree = json_to_string(arena, again, 0);
	cJSON *a = NULL, *b = NULL;
	fuzz_ok(straight, tree_parse(arena, straight, strlen(straight), NULL, &a));
	fuzz_ok(by_tree, tree_parse(arena, by_tree, strlen(by_tree), NULL, &b));
	if (!tree_equal(a, b))
		fuzz_same_text("typed and tree", straight, by_tree);
}

static void json_typed(struct arena *arena, const struct schema_type *type, const char *data, size_t size)
{
	struct json_strict strict = {0};
	struct json_options options = {.strict = &strict};
	void *msg = NULL, *again = NULL;
	struct status *s = type ? json_decode(arena, type, data, size, &options, &msg)
				: json_decode_any(arena, data, size, &options, &msg);

	if (s) {
		assert(s->message);
		status_free(s);
		return;
	}
	char *text = json_to_string(arena, msg, 0);
	s = json_decode(arena, schema_of(msg), text, strlen(text), NULL, &again);
	fuzz_ok(text, s);
	fuzz_same_text("read and written again", text, json_to_string(arena, again, 0));
	if (!strict.n_errors)
		typed_and_tree(arena, msg, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *text = (const char *)data;
	cJSON *tree = NULL, *again = NULL;

	if (size > FUZZ_MAX_SIZE)
		return 0;
	json_typed(arena, NULL, text, size);
	json_typed(arena, &CoreV1Pod_schema, text, size);
	json_typed(arena, &ApiextensionsV1CustomResourceDefinition_schema, text, size);
	struct status *s = tree_parse(arena, text, size, NULL, &tree);
	if (s) {
		status_free(s);
		return 0;
	}
	char *printed = tree_to_string(arena, tree, 0);
	fuzz_ok(printed, tree_parse(arena, printed, strlen(printed), NULL, &again));
	assert(tree_equal(tree, again));
	fuzz_same_text("a tree written again", printed, tree_to_string(arena, again, 0));
	return 0;
}
