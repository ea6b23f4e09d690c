/* Any text as a JSONPath template over a document: it is refused, or it prints something of bounded size. */
#include "api/jsonpath.h"
#include "test/fuzz/target.h"

static const char document[] = "{\"kind\":\"List\",\"items\":[{\"a\":1,\"b\":[1,2,[3]],\"metadata\":{\"name\":\"x\","
			       "\"labels\":{\"k.io/a\":\"b\"}}},"
			       "{\"a\":\"x\",\"b\":null,\"n\":-1.5},{\"a\":true,\"nested\":{\"items\":[{\"a\":"
			       "9007199254740993}]}}],\"c\":null}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct jsonpath *path = NULL;
	cJSON *tree = NULL, **nodes;
	char *relaxed = NULL;
	size_t n;

	if (size > 512)
		return 0;
	char *text = arena_strndup(arena, (const char *)data, size);
	fuzz_ok("document", tree_parse(arena, document, strlen(document), NULL, &tree));
	struct status *s = jsonpath_parse(arena, text, &path);
	if (!s) {
		jsonpath_allow_missing(path, size & 1);
		s = jsonpath_print(path, tree, &out);
		status_free(s);
		s = jsonpath_find(arena, path, tree, &nodes, &n);
	}
	status_free(s);
	s = jsonpath_relax(arena, text, &relaxed);
	if (!s)
		s = jsonpath_parse(arena, relaxed, &path);
	status_free(s);
	return 0;
}
