#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/intstr.h"
#include "api/quantity.h"

/* canonical NULL: no quantity. */
static const struct {
	const char *text, *canonical;
	int64_t value, milli;
} quantities[] = {
	{"0", "0", 0, 0},
	{"1", "1", 1, 1000},
	{"-1", "-1", -1, -1000},
	{"1.5", "1500m", 2, 1500},
	{"100m", "100m", 1, 100},
	{"0.0001", "100u", 1, 1},
	{"0.5n", "1n", 1, 1},
	{"1e3", "1e3", 1000, 1000000},
	{"1E3", "1e3", 1000, 1000000},
	{"1E", "1E", 1000000000000000000, INT64_MAX},
	{"1.5Gi", "1536Mi", 1610612736, 1610612736000},
	{"1024", "1024", 1024, 1024000},
	{"1024Ki", "1Mi", 1048576, 1048576000},
	{"1500m", "1500m", 2, 1500},
	{"1000m", "1", 1, 1000},
	{"123456", "123456", 123456, 123456000},
	{"1000000", "1M", 1000000, 1000000000},
	{"0.5Ki", "512", 512, 512000},
	{"0.1Ki", "102400m", 103, 102400},
	{"-5Gi", "-5Gi", -5368709120, -5368709120000},
	{"9Ei", "9223372036854775807", INT64_MAX, INT64_MAX},
	{"12e3", "12e3", 12000, 12000000},
	{"+1.5e2", "150", 150, 150000},
	{".5", "500m", 1, 500},
	{"5.", "5", 5, 5000},
	{"00012", "12", 12, 12000},
	{".", "0", 0, 0},
	{"-", "0", 0, 0},
	{"Ki", "0", 0, 0},
	{".m", "0", 0, 0},
	{"e3", "0", 0, 0},
	{"", NULL, 0, 0},
	{"..", NULL, 0, 0},
	{"1gi", NULL, 0, 0},
	{"1KI", NULL, 0, 0},
	{"1.2.3", NULL, 0, 0},
	{"1 ", NULL, 0, 0},
	{"1ee3", NULL, 0, 0},
	{"x", NULL, 0, 0},
};

static void texts_are_canonical(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(quantities); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct quantity q;
		bool good = quantity_parse(quantities[i].text, &q);
		if (!quantities[i].canonical) {
			assert_false(good);
			continue;
		}
		assert_true(good);
		assert_string_equal(quantity_format(arena, &q), quantities[i].canonical);
		assert_int_equal(quantity_value(&q), quantities[i].value);
		assert_int_equal(quantity_milli_value(&q), quantities[i].milli);
	}
}

/* What the original hands back as it was written, and what it does not. */
static void some_texts_are_kept(void **state)
{
	static const struct {
		const char *text, *kept;
	} cases[] = {{"1.250", "1.250"}, {"1.25", "1250m"}, {"+758P", "+758P"}, {"04.Gi", "04.Gi"}, {"1024Mi", "1Gi"},
		{"1000", "1k"}, {"0.5", "500m"}, {"007", "007"}, {"12.345678k", "12.345678k"}, {"1234e3", "1234e3"},
		{"100.000", "100"}, {"107.30003900000103300200Ti", "117977640541319419061711n"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		assert_string_equal(quantity_new_text(arena, cases[i].text)->string, cases[i].kept);
	}
}

static void sums_keep_the_first_format(void **state)
{
	static const struct {
		const char *a, *b, *sum, *difference;
		int order;
	} cases[] = {{"1Gi", "500Mi", "1524Mi", "524Mi", 1}, {"100m", "1", "1100m", "-900m", -1},
		{"0", "1Gi", "1Gi", "-1Gi", -1}, {"1", "1000m", "2", "0", 0},
		{"1e3", "1Gi", "1073742824", "-1073740824", -1}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct quantity a, b, difference;
		assert_true(quantity_parse(cases[i].a, &a) && quantity_parse(cases[i].b, &b));
		difference = a;
		assert_int_equal(quantity_compare(&a, &b), cases[i].order);
		quantity_add(&a, &b);
		quantity_sub(&difference, &b);
		a.format = a.format == QUANTITY_DECIMAL_EXPONENT ? QUANTITY_DECIMAL_SI : a.format;
		difference.format =
			difference.format == QUANTITY_DECIMAL_EXPONENT ? QUANTITY_DECIMAL_SI : difference.format;
		assert_string_equal(quantity_format(arena, &a), cases[i].sum);
		assert_string_equal(quantity_format(arena, &difference), cases[i].difference);
	}
}

static void a_nul_is_no_suffix(void **state)
{
	struct quantity q;
	assert_false(quantity_parse_n("1\0", 2, &q));
	assert_false(quantity_parse_n("1m\0", 3, &q));
	assert_true(quantity_parse_n("1m", 2, &q));
}

static void percentages_scale(void **state)
{
	static const struct {
		const char *text;
		int32_t total;
		bool up;
		int32_t want; /* -1: an error */
	} cases[] = {{"25%", 10, true, 3}, {"25%", 10, false, 2}, {"100%", 7, true, 7}, {"0%", 7, true, 0},
		{"5", 7, true, 5}, {"x", 7, true, -1}, {"25", 1, false, 25}, {"%", 7, true, -1}, {"50%%", 7, true, -1},
		{"1%", 1, true, 1}, {"1%", 1, false, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		int32_t got = -1;
		status_drop(intstr_scaled(intstr_parse(arena, cases[i].text), cases[i].total, cases[i].up, &got),
			"-1 says so");
		assert_int_equal(got, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_canonical), cmocka_unit_test(some_texts_are_kept),
		cmocka_unit_test(sums_keep_the_first_format), cmocka_unit_test(percentages_scale),
		cmocka_unit_test(a_nul_is_no_suffix)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
