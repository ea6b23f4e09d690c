/* Failure points: how orders read, what a point does, and that a release build has none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/fail.h"
#include "base/str.h"

static void orders_read(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		struct fail_order order;
	} rows[] = {
		{"txn.after-commit crash", true, {"txn.after-commit", FAIL_CRASH, 0, 0}},
		{"  bind.before   error 3", true, {"bind.before", FAIL_ERROR, 0, 3}},
		{"bind.before delay:1500", true, {"bind.before", FAIL_DELAY, 1500, 0}},
		{"clock +90000", true, {"clock", FAIL_CLOCK, 90000, 0}},
		{"clock -5", true, {"clock", FAIL_CLOCK, -5, 0}},
		{"", false, {"", 0, 0, 0}},
		{"bind.before", false, {"", 0, 0, 0}},
		{"bind.before explode", false, {"", 0, 0, 0}},
		{"bind.before delay:soon", false, {"", 0, 0, 0}},
		{"bind.before error -1", false, {"", 0, 0, 0}},
		{"bind.before error 1 more", false, {"", 0, 0, 0}},
		{"clock soon", false, {"", 0, 0, 0}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fail_order order = {0};
		if (fail_order_parse(rows[i].text, &order) != rows[i].ok)
			fail_msg("\"%s\" was %s", rows[i].text, rows[i].ok ? "refused" : "read");
		if (!rows[i].ok)
			continue;
		assert_string_equal(order.name, rows[i].order.name);
		assert_int_equal(order.action, rows[i].order.action);
		assert_int_equal(order.ms, rows[i].order.ms);
		assert_int_equal(order.skip, rows[i].order.skip);
	}
}

static struct status *pass(void)
{
	fail_at("test.delays");
	return fail_try("test.fails");
}

/* Ordered with one pass that goes by: the second fails, the third does not, in a test build; none does in a release. */
static void a_point_acts_once(void **state)
{
	bool failed[3];
	for (int i = 0; i < 3; i++) {
		struct status *s = pass();
		failed[i] = s != NULL;
		if (s)
			assert_string_equal(s->message, "failure point test.fails");
		status_drop(s, "as ordered");
	}
	assert_false(failed[0]);
	assert_false(failed[2]);
#ifdef KUBEC_FAIL_POINTS
	assert_true(failed[1]);
#else
	assert_false(failed[1]);
#endif
}

static void the_clock_is_off_as_ordered(void **state)
{
	int64_t off_ms = (clock_wall_ns(clock_system()) / 1000000000 - (int64_t)time(NULL)) * 1000;
#ifdef KUBEC_FAIL_POINTS
	assert_in_range(off_ms, 3598000, 3602000);
#else
	assert_in_range(off_ms + 2000, 0, 4000);
#endif
}

static void a_binary_tells_its_points(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char **names;
	size_t n;
	assert_null(fail_points_of(arena, "/proc/self/exe", &names, &n));
#ifdef KUBEC_FAIL_POINTS
	assert_true(str_in_n("test.delays", names, n));
	assert_true(str_in_n("test.fails", names, n));
#else
	assert_int_equal(n, 0);
#endif
	CLEANUP_STATUS struct status *failed = fail_points_of(arena, "/etc/passwd", &names, &n);
	assert_non_null(failed);
	assert_string_equal(failed->message, "/etc/passwd: not an ELF file of this machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_read),
		cmocka_unit_test(a_point_acts_once),
		cmocka_unit_test(the_clock_is_off_as_ordered),
		cmocka_unit_test(a_binary_tells_its_points),
	};
	setenv("KUBEC_FAIL", "test.fails error 1;test.delays delay:1;clock +3600000", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
