/* Any bytes as a typed object and as a tree: what is accepted must be written and read again as the same. */
#include "test/fuzz/target.h"
#include "api/json.h"
#include "api/tree.h"
#include "api/types.h"

static void json_typed(struct arena *arena, const struct schema_type *type, const char *data, size_t size)
{
	struct json_strict strict = {0};
	struct json_options options = {.strict = &strict};
	void *msg = NULL, *again = NULL;
	struct status *s = json_decode(arena, type, data, size, &options, &msg);

	if (s) {
		assert(s->message);
		status_free(s);
		return;
	}
	char *text = json_to_string(arena, msg, 0);
	s = json_decode(arena, type, text, strlen(text), NULL, &again);
	assert(!s);
	assert(!strcmp(text, json_to_string(arena, again, 0)));
}

int FUZZ_TARGET(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *text = (const char *)data;
	cJSON *tree = NULL;

	if (size > FUZZ_MAX_SIZE)
		return 0;
	json_typed(arena, &CoreV1Pod_schema, text, size);
	json_typed(arena, &ApiextensionsV1CustomResourceDefinition_schema, text, size);
	json_typed(arena, &CoreV1Event_schema, text, size);
	struct status *s = tree_parse(arena, text, size, NULL, &tree);
	if (s) {
		status_free(s);
		return 0;
	}
	char *printed = tree_to_string(arena, tree, 0);
	cJSON *again = NULL;
	s = tree_parse(arena, printed, strlen(printed), NULL, &again);
	assert(!s && tree_equal(tree, again));
	return 0;
}
