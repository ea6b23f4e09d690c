/* Any text as a label selector, a field selector and a JSONPath template. */
#include "test/fuzz/target.h"
#include "api/jsonpath.h"
#include "api/selector.h"

int FUZZ_TARGET(const uint8_t *data, size_t size)
{
	static const char document[] = "{\"items\":[{\"a\":1,\"b\":[1,2]},{\"a\":\"x\"}],\"c\":null}";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	char *text = arena_strndup(arena, (const char *)data, size > 512 ? 512 : size);
	struct label_selector *labels = NULL;
	struct field_selector *fields = NULL;
	struct jsonpath *path = NULL;
	cJSON *tree = NULL;

	struct status *s = label_selector_parse(arena, text, &labels);
	if (!s) {
		struct label_selector *again = NULL;
		char *canonical = label_selector_format(arena, labels);
		s = label_selector_parse(arena, canonical, &again);
		assert(!s && !strcmp(canonical, label_selector_format(arena, again)));
	}
	status_free(s);
	s = field_selector_parse(arena, text, &fields);
	if (!s)
		field_selector_format(arena, fields);
	status_free(s);
	s = jsonpath_parse(arena, text, &path);
	if (!s)
		s = tree_parse(arena, document, strlen(document), NULL, &tree);
	if (!s)
		s = jsonpath_print(path, tree, &out);
	status_free(s);
	return 0;
}
