/* Any bytes as YAML documents: what is read can be written, and what is written reads as the same, as JSON too. */
#include "api/yaml.h"
#include "test/fuzz/target.h"

/* A key "<<" is written as it is, as the original writes it, and then means something else. */
static bool has_merge_key(const cJSON *tree)
{
	TREE_FOREACH (child, tree)
		if (str_eq(child->string, "<<") || has_merge_key(child))
			return true;
	return false;
}

static void yaml_again(struct arena *arena, const cJSON *tree)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *json = tree_to_string(arena, tree, 0);
	cJSON *again = NULL, *from_json = NULL;

	yaml_print_tree(&out, tree);
	fuzz_ok(out.buf, yaml_parse(arena, out.buf, out.len, NULL, &again));
	if (!tree_equal(tree, again))
		FUZZ_FAIL("read:\n%s\nwritten:\n%s\nread again:\n%s", json, out.buf, tree_to_string(arena, again, 0));
	fuzz_ok(json, tree_parse(arena, json, strlen(json), NULL, &from_json));
	if (!tree_equal(tree, from_json))
		FUZZ_FAIL("JSON of YAML: %s", json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct json_strict strict = {0};
	struct json_options options = {.strict = &strict};

	if (size > 8192)
		return 0;
	struct yaml_stream *stream = yaml_stream_new(arena, (const char *)data, size);
	for (int i = 0; i < 16; i++) {
		cJSON *tree = NULL;
		struct status *s = yaml_stream_next(stream, &options, &tree);
		if (s || !tree) {
			status_free(s);
			break;
		}
		if (!has_merge_key(tree))
			yaml_again(arena, tree);
	}
	return 0;
}
