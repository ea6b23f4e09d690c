/* Any bytes as YAML documents: what is read can be written, and what is written reads as the same. */
#include "test/fuzz/target.h"
#include "api/yaml.h"

static void yaml_again(struct arena *arena, const cJSON *tree)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	cJSON *again = NULL;

	yaml_print_tree(&out, tree);
	struct status *s = yaml_parse(arena, out.buf, out.len, NULL, &again);
	if (s)
		status_free(s); /* a text that YAML cannot hold in any form, such as a control character */
}

int FUZZ_TARGET(const uint8_t *data, size_t size)
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
		yaml_again(arena, tree);
	}
	return 0;
}
