/* When schedules fire, and sets of indexes. */
#include "controller-manager/cronjob/schedule.h"
#include "base/zone.h"
#include "controller-manager/job/indexes.h"
#include "test/unit/controller-manager/make.h"

#define T0 1704067200ll /* Monday 2024-01-01 00:00 */

static void schedules_fire(void **state)
{
	static const struct {
		const char *text;
		int64_t from, next;
	} cases[] = {
		{"* * * * *", 0, 60},
		{"* * * * ?", 59, 60},
		{"*/5 * * * *", 60, 300},
		{"30 * * * *", 0, 1800},
		{"0 12 * * *", 0, 12 * 3600},
		{"@hourly", 1, 3600},
		{"@daily", 0, 86400},
		{"0 0 * * sun", 0, 6 * 86400},
		{"0 0 * * 7", 0, 6 * 86400},
		{"0 0 2 * *", 0, 86400},
		{"0 0 2 feb *", 0, 32 * 86400},
		{"0 0 15 * tue", 0, 86400},
		{"15,45 8-9 * * 1-5", 8 * 3600 + 15 * 60, 8 * 3600 + 45 * 60},
		{"@every 90s", 10, 100},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct schedule s;
		print_message("case %zu\n", i);
		assert_null(schedule_parse(cases[i].text, &s));
		assert_int_equal(schedule_next(&s, T0 + cases[i].from) - T0, cases[i].next);
	}
}

static void the_last_time_is_found(void **state)
{
	struct schedule s;
	assert_null(schedule_parse("*/10 * * * *", &s));
	assert_int_equal(schedule_last(&s, T0, T0 + 3599) - T0, 3000);
	assert_int_equal(schedule_last(&s, T0, T0 + 600) - T0, 600);
	assert_int_equal(schedule_last(&s, T0, T0 + 599), -1);
	assert_int_equal(schedule_last(&s, T0 + 3000, T0 + 3100), -1);
	assert_null(schedule_parse("0 0 1 1 *", &s));
	assert_int_equal(schedule_last(&s, T0 - 86400, T0 + 200 * 86400), T0);
}

static void bad_schedules_are_refused(void **state)
{
	static const char *const bad[] = {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
		"x * * * *", "*/0 * * * *", "5-1 * * * *", "@sometimes", "@every x", "-1 * * * *", "1-2-3 * * * *",
		"1/2/3 * * * *"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct schedule s;
		struct status *status = schedule_parse(bad[i], &s);
		print_message("case %zu\n", i);
		assert_non_null(status);
		status_free(status);
	}
}

static void index_sets_are_text(void **state)
{
	static const struct {
		const char *in;
		int32_t n;
		const char *out;
	} cases[] = {{"", 5, ""}, {"0-4", 5, "0-4"}, {"0,1", 5, "0,1"}, {"0-9", 5, "0-4"}, {"3,1,x,4", 5, "1,3,4"},
		{"7", 5, ""}, {"0,2-4,6", 10, "0,2-4,6"}, {"-1,1-", 5, ""}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct index_set set = index_set_parse(arena, cases[i].in, cases[i].n);
		assert_string_equal(index_set_text(arena, &set), cases[i].out);
	}
}

static void zones_are_read(void **state)
{
	/* Two types (+1 h, +2 h), one change at 1000. */
	static const uint8_t file[] = {'T', 'Z', 'i', 'f', '2', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 3, 0xe8, 1, 0, 0, 14, 16, 0, 0, 0, 0,
		28, 32, 1, 0};
	int64_t offset;
	assert_true(zone_offset_parse(file, sizeof(file), 999, &offset));
	assert_int_equal(offset, 3600);
	assert_true(zone_offset_parse(file, sizeof(file), 1000, &offset));
	assert_int_equal(offset, 7200);
	for (size_t size = 0; size < sizeof(file); size++)
		assert_false(zone_offset_parse(file, size, 0, &offset));
	assert_false(zone_offset_at("../../etc/passwd", 0, &offset));
	assert_false(zone_offset_at("No/Such_Zone", 0, &offset));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules_fire),
		cmocka_unit_test(the_last_time_is_found),
		cmocka_unit_test(bad_schedules_are_refused),
		cmocka_unit_test(index_sets_are_text),
		cmocka_unit_test(zones_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
