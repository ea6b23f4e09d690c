/* A map that forgets what was used longest ago. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/mem.h"
#include "base/recent.h"

static void test_forgets_the_oldest(void **state)
{
	struct recent *r = recent_new(2, free);
	recent_put(r, "a", mem_strdup("1"));
	recent_put(r, "b", mem_strdup("2"));
	assert_string_equal(recent_get(r, "a"), "1");
	recent_put(r, "c", mem_strdup("3"));
	assert_null(recent_get(r, "b"));
	assert_string_equal(recent_get(r, "a"), "1");
	recent_put(r, "a", mem_strdup("4"));
	assert_string_equal(recent_get(r, "a"), "4");
	assert_string_equal(recent_get(r, "c"), "3");
	for (int i = 0; i < 1000; i++) {
		recent_put(r, i % 3 ? "x" : "y", mem_strdup("5"));
		assert_non_null(recent_get(r, i % 3 ? "x" : "y"));
	}
	assert_null(recent_get(r, "a"));
	recent_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forgets_the_oldest)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
