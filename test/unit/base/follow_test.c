/* Files that are read again when they change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/follow.h"
#include "base/io.h"
#include "base/str.h"

enum { EVERY_MS = 5000 };

struct world {
	char folder[32], cert[64], key[64];
	struct clock *clock;
	struct follow follow;
};

static void put(const char *path, const char *text)
{
	assert_null(io_write_file(path, text, strlen(text), 0600));
}

static int setup(void **state)
{
	static struct world w;
	snprintf(w.folder, sizeof(w.folder), "/tmp/follow-XXXXXX");
	assert_non_null(mkdtemp(w.folder));
	snprintf(w.cert, sizeof(w.cert), "%s/cert", w.folder);
	snprintf(w.key, sizeof(w.key), "%s/key", w.folder);
	put(w.cert, "a");
	put(w.key, "b");
	w.clock = clock_fake_new(0);
	follow_init(&w.follow, w.clock, EVERY_MS, (const char *[FOLLOW_MAX]){w.cert, w.key});
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	clock_fake_free(w->clock);
	assert_null(io_remove_tree(w->folder));
	return 0;
}

static bool changed_later(struct world *w)
{
	clock_fake_advance(w->clock, EVERY_MS);
	return follow_changed(&w->follow);
}

static void test_what_stays_is_not_read_again(void **state)
{
	assert_false(changed_later(*state));
	assert_false(changed_later(*state));
}

static void test_asks_once_in_a_while(void **state)
{
	struct world *w = *state;
	put(w->cert, "c");
	clock_fake_advance(w->clock, EVERY_MS - 1);
	assert_false(follow_changed(&w->follow));
	clock_fake_advance(w->clock, 1);
	assert_true(follow_changed(&w->follow));
	assert_false(follow_changed(&w->follow));
}

static void test_tells_of_a_change_until_it_is_accepted(void **state)
{
	struct world *w = *state;
	put(w->key, "c");
	assert_true(changed_later(w));
	assert_true(changed_later(w));
	follow_accept(&w->follow);
	assert_false(changed_later(w));
}

static void test_a_file_that_goes_has_changed(void **state)
{
	struct world *w = *state;
	assert_int_equal(unlink(w->cert), 0);
	assert_true(changed_later(w));
}

static void test_paths_that_are_none_are_not_followed(void **state)
{
	struct world *w = *state;
	follow_init(&w->follow, w->clock, EVERY_MS, (const char *[FOLLOW_MAX]){NULL, "", w->key});
	assert_false(changed_later(w));
	put(w->key, "c");
	assert_true(changed_later(w));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_stays_is_not_read_again),
		TEST(test_asks_once_in_a_while),
		TEST(test_tells_of_a_change_until_it_is_accepted),
		TEST(test_a_file_that_goes_has_changed),
		TEST(test_paths_that_are_none_are_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
