/* Ages, times, and the reading of objects by paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kubectl/kubectl.h"
#include "kubectl/object.h"

static const struct {
	int64_t seconds;
	const char *text;
} ages[] = {{-5, "<invalid>"}, {-1, "0s"}, {0, "0s"}, {119, "119s"}, {120, "2m"}, {125, "2m5s"}, {600, "10m"},
	{10799, "179m"}, {10800, "3h"}, {10860, "3h1m"}, {28800, "8h"}, {172799, "47h"}, {172800, "2d"},
	{176400, "2d1h"}, {691200, "8d"}, {63072000, "2y"}, {63158400, "2y1d"}, {252288000, "8y"}};

static void test_ages(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof(ages) / sizeof(*ages); i++)
		assert_string_equal(human_duration(arena, ages[i].seconds), ages[i].text);
	assert_string_equal(human_age(arena, ""), "<unknown>");
}

static void test_times(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	int64_t s = 0, ns = 0;
	assert_true(rfc3339_parse("2026-11-23T08:00:00.5Z", &s, &ns));
	assert_int_equal(ns, 500000000);
	assert_string_equal(rfc3339_format(arena, s), "2026-11-23T08:00:00Z");
	assert_true(rfc3339_parse("2026-11-23T10:00:00+02:00", &s, NULL));
	assert_string_equal(rfc3339_format(arena, s), "2026-11-23T08:00:00Z");
	assert_false(rfc3339_parse("yesterday", &s, NULL));
	assert_false(rfc3339_parse("2026-11-23T08:00:00", &s, NULL));
}

static void test_paths(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *o = obj_new(arena, "v1", "Pod", "web");
	assert_string_equal(obj_string(o, "metadata.name"), "web");
	assert_string_equal(obj_string(o, "metadata.nope.deeper"), "");
	obj_set_int(arena, o, "spec.a.b", 9007199254740993);
	assert_true(obj_int(o, "spec.a.b", 0) == 9007199254740993);
	tree_append(obj_array(arena, o, "spec.list"), tree_new_string(arena, "x"));
	assert_string_equal(obj_string(o, "spec.list.0"), "x");
	assert_null(obj_at(o, "spec.list.1"));
	obj_remove(o, "spec.a.b");
	assert_false(obj_has(o, "spec.a.b"));
	obj_remove(o, "no.such.path");
}

static void test_selector_text(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char json[] = "{\"matchLabels\":{\"b\":\"2\",\"a\":\"1\"},\"matchExpressions\":["
				   "{\"key\":\"c\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]},{\"key\":\"d\","
				   "\"operator\":\"DoesNotExist\"}]}";
	cJSON *tree;
	assert_null(tree_parse(arena, json, strlen(json), NULL, &tree));
	assert_string_equal(obj_format_selector(arena, tree, "<none>"), "!d,a=1,b=2,c in (x,y)");
	assert_string_equal(obj_format_selector(arena, NULL, "<none>"), "<none>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_selector_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
