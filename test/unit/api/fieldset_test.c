/* Field sets and server-side apply over trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/fieldset.h"
#include "api/types.h"

static cJSON *parse(struct arena *arena, const char *text)
{
	cJSON *tree = NULL;
	assert_null(tree_parse(arena, text, strlen(text), NULL, &tree));
	return tree;
}

#define POD(spec) "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":" spec "}"

static void sets_name_what_a_tree_has(void **state)
{
	static const struct {
		const char *tree;
		const char *set;
	} cases[] = {
		{POD("{\"nodeName\":\"n\"}"), "{\"f:spec\":{\"f:nodeName\":{}}}"},
		{POD("{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"command\":[\"a\",\"b\"]}]}"),
			"{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{\".\":{},\"f:command\":{},\"f:"
			"image\":{},\"f:name\":{}}}}}"},
		{POD("{\"nodeSelector\":{\"a\":\"b\"}}"), "{\"f:spec\":{\"f:nodeSelector\":{}}}"},
		{POD("{\"containers\":[{\"name\":\"c\",\"ports\":[{\"containerPort\":80}]}]}"),
			"{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{\".\":{},\"f:name\":{},\"f:"
			"ports\":"
			"{\"k:{\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:containerPort\":{"
			"}}}}}}}"},
		{"{\"metadata\":{\"labels\":{\"a\":\"b\"},\"finalizers\":[\"x\"],\"uid\":\"u\"}}",
			"{\"f:metadata\":{\"f:finalizers\":{\"v:\\\"x\\\"\":{}},\"f:labels\":{\"f:a\":{}}}}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		cJSON *set = fieldset_strip(arena, fieldset_of(arena, &CoreV1Pod_schema, parse(arena, cases[i].tree)));
		char *text = fieldset_print(arena, set);
		assert_string_equal(text, cases[i].set);
		assert_true(fieldset_equal(set, fieldset_parse(arena, text, strlen(text))));
	}
}

static void comparison_tells_added_modified_and_removed(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const cJSON *before = parse(arena, "{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"1\"}}}");
	const cJSON *after =
		parse(arena, "{\"metadata\":{\"labels\":{\"a\":\"2\",\"c\":\"1\"},\"annotations\":{\"x\":\"y\"}}}");
	struct field_changes c = fieldset_compare(arena, &CoreV1Pod_schema, before, after);
	assert_string_equal(fieldset_print(arena, c.modified), "{\"f:metadata\":{\"f:labels\":{\"f:a\":{}}}}");
	assert_string_equal(fieldset_print(arena, c.removed), "{\"f:metadata\":{\"f:labels\":{\"f:b\":{}}}}");
	assert_string_equal(fieldset_print(arena, c.added),
		"{\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:x\":{}},\"f:labels\":{\"f:c\":{}}}}");
}

static void sets_are_added_and_subtracted(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char a[] = "{\"f:a\":{\".\":{},\"f:b\":{}},\"f:c\":{}}", b[] = "{\"f:a\":{\"f:b\":{},\"f:d\":{}}}";
	const cJSON *x = fieldset_parse(arena, a, sizeof(a) - 1), *y = fieldset_parse(arena, b, sizeof(b) - 1);
	assert_string_equal(fieldset_print(arena, fieldset_union(arena, x, y)),
		"{\"f:a\":{\".\":{},\"f:b\":{},\"f:d\":{}},\"f:c\":{}}");
	assert_string_equal(fieldset_print(arena, fieldset_difference(arena, x, y)), "{\"f:a\":{},\"f:c\":{}}");
	assert_string_equal(fieldset_print(arena, fieldset_intersection(arena, x, y)), "{\"f:a\":{\"f:b\":{}}}");
	assert_true(fieldset_empty(fieldset_difference(arena, y, fieldset_union(arena, x, y))));
	assert_null(fieldset_parse(arena, "{bad", 4));
}

static void applying_merges_by_key_and_removing_spares_what_others_own(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct schema_type *type = &CoreV1Pod_schema;
	const cJSON *live = parse(arena, "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"1\",\"tty\":true},{"
					 "\"name\":\"b\",\"image\":\"1\"}]}}");
	const cJSON *config = parse(arena,
		"{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"3\"},{\"name\":\"a\",\"image\":\"2\"}]}}");
	const cJSON *merged = apply_merge(arena, type, live, config);
	assert_string_equal(tree_to_string(arena, merged, 0), "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":"
							      "\"2\",\"tty\":true},{\"name\":\"b\",\"image\":\"1\"},"
							      "{\"name\":\"c\",\"image\":\"3\"}]}}");
	const cJSON *gone = fieldset_of(arena, type, live);
	static const char others[] =
		"{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"a\\\"}\":{\"f:image\":{}}}}}";
	const cJSON *left = apply_remove(arena, type, live, gone, fieldset_parse(arena, others, sizeof(others) - 1));
	assert_string_equal(tree_to_string(arena, left, 0), "{\"spec\":{\"containers\":[{\"image\":\"1\"}]}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_name_what_a_tree_has),
		cmocka_unit_test(comparison_tells_added_modified_and_removed),
		cmocka_unit_test(sets_are_added_and_subtracted),
		cmocka_unit_test(applying_merges_by_key_and_removing_spares_what_others_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
