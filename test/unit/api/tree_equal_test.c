/* Trees are equal whatever the order of members, however many these are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/tree.h"

static cJSON *parsed(struct arena *arena, const char *text)
{
	cJSON *tree;
	assert_null(tree_parse(arena, text, strlen(text), NULL, &tree));
	return tree;
}

static void test_small_ones(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", true},
		{"{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false},
		{"{\"a\":1}", "{\"b\":1}", false},
		{"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
		{"[1,2]", "[2,1]", false},
		{"{}", "[]", false},
		{"{\"a\":null}", "{}", false},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(tree_equal(parsed(arena, cases[i].a), parsed(arena, cases[i].b)), cases[i].equal);
}

static cJSON *many(struct arena *arena, int n, bool backwards, int other)
{
	cJSON *object = tree_new_object(arena);
	for (int i = 0; i < n; i++) {
		const int at = backwards ? n - 1 - i : i;
		tree_set(arena, object, arena_printf(arena, "k%d", at), tree_new_int(arena, at == other ? -1 : at));
	}
	return object;
}

static void test_large_ones(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const cJSON *forwards = many(arena, 1000, false, 1000);
	assert_true(tree_equal(forwards, many(arena, 1000, true, 1000)));
	assert_false(tree_equal(forwards, many(arena, 1000, true, 7)));
	cJSON *renamed = many(arena, 999, true, 1000);
	tree_set(arena, renamed, "x", tree_new_int(arena, 999));
	assert_false(tree_equal(forwards, renamed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_small_ones), cmocka_unit_test(test_large_ones)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
