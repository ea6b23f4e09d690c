/* Any text as a label selector, a field selector, and labels' keys and values: a canonical text is its own canonical
 * text, and matches the same. */
#include "api/meta.h"
#include "api/selector.h"
#include "test/fuzz/target.h"

static void as_labels(struct arena *arena, const char *text)
{
	struct label_selector *labels = NULL, *again = NULL;
	MapStringEntry **map = NULL;
	size_t n = 0;
	struct status *s = label_selector_parse(arena, text, &labels);

	if (s) {
		status_free(s);
		return;
	}
	char *canonical = label_selector_format(arena, labels);
	fuzz_ok(canonical, label_selector_parse(arena, canonical, &again));
	fuzz_same_text("canonical", canonical, label_selector_format(arena, again));
	for (int i = 0; i < 4; i++) {
		assert(label_selector_matches(labels, map, n) == label_selector_matches(again, map, n));
		map_set(arena, &map, &n, i == 0 ? "a" : i == 1 ? "x.io/y" : "b", i == 2 ? "5" : "b");
	}
}

static void as_fields(struct arena *arena, const char *text)
{
	struct field_selector *fields = NULL, *again = NULL;
	struct status *s = field_selector_parse(arena, text, &fields);

	if (s) {
		status_free(s);
		return;
	}
	/* Terms are sorted as they were written ("a==" after "a=0"), so it is the second writing that is canonical. */
	char *canonical = field_selector_format(arena, fields);
	fuzz_ok(canonical, field_selector_parse(arena, canonical, &again));
	canonical = field_selector_format(arena, again);
	fuzz_ok(canonical, field_selector_parse(arena, canonical, &again));
	fuzz_same_text("canonical", canonical, field_selector_format(arena, again));
	CoreV1Pod *pod = API_NEW(arena, CoreV1Pod);
	assert(field_selector_matches_object(fields, pod) == field_selector_matches_object(again, pod));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)data, size > 512 ? 512 : size);

	as_labels(arena, text);
	as_fields(arena, text);
	label_key_error(arena, text);
	label_value_error(arena, text);
	return 0;
}
