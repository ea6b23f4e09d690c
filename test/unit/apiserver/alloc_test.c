/* The ranges that Services have their addresses from: what they hold, and the order in which it is given out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "apiserver/alloc/ip_range.h"
#include "base/str.h"

static bool holds(const struct ip_range *range, const char *text)
{
	bool is_ipv6;
	ip_number ip;
	return ip_number_read(text, &is_ipv6, &ip) && ip_range_covers(range, is_ipv6, ip) && ip >= range->first &&
	       ip <= range->last;
}

static void test_ranges(void **state)
{
	static const struct {
		const char *cidr, *text, *family, *first, *last, *outside;
		uint64_t n, band;
	} cases[] = {
		{"10.96.0.0/12", "10.96.0.0/12", "IPv4", "10.96.0.1", "10.111.255.254", "10.111.255.255", 1048574, 256},
		{"10.0.0.0/24", "10.0.0.0/24", "IPv4", "10.0.0.1", "10.0.0.254", "10.0.0.255", 254, 16},
		{"10.0.0.77/24", "10.0.0.0/24", "IPv4", "10.0.0.1", "10.0.0.254", "10.0.0.0", 254, 16},
		{"10.0.0.0/28", "10.0.0.0/28", "IPv4", "10.0.0.1", "10.0.0.14", "10.0.0.15", 14, 0},
		{"fd00::/108", "fd00::/108", "IPv6", "fd00::1", "fd00::f:ffff", "fd00::10:0", 1048575, 256},
		{"fd00::/64", "fd00::/64", "IPv6", "fd00::1", "fd00::ffff:ffff:ffff:ffff", "10.0.0.1", UINT64_MAX, 256},
		{"192.168.1.4/30", "192.168.1.4/30", "IPv4", "192.168.1.5", "192.168.1.6", "192.168.1.7", 2, 0},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_range range;
		assert_null(ip_range_parse(cases[i].cidr, &range));
		assert_string_equal(ip_range_text(arena, &range), cases[i].text);
		assert_string_equal(ip_range_family(&range), cases[i].family);
		assert_string_equal(ip_number_print(arena, range.is_ipv6, range.first), cases[i].first);
		assert_string_equal(ip_number_print(arena, range.is_ipv6, range.last), cases[i].last);
		assert_true(holds(&range, cases[i].last));
		assert_false(holds(&range, cases[i].outside));
		assert_int_equal(range.n_addresses, cases[i].n);
		assert_int_equal(range.band, cases[i].band);
	}
	static const char *const bad[] = {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/31", "x/24", "10.0.0.0/-1",
		"10.0.0.0/2 4", "fd00::/63", "fd00::/129", NULL};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ip_range range;
		struct status *s = ip_range_parse(bad[i], &range);
		assert_non_null(s);
		status_free(s);
	}
}

/* Every address once; those of the band after all others. */
static void test_walk(void **state)
{
	static const char *const ranges[] = {"10.0.0.0/27", "10.0.0.0/30", "fd00::/120"};
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct ip_range range;
		bool seen[256] = {false};
		uint64_t n = 0;
		ip_number ip;
		assert_null(ip_range_parse(ranges[i], &range));
		for (struct ip_walk walk = ip_walk(&range); ip_walk_next(&walk, &ip); n++) {
			uint64_t offset = (uint64_t)(ip - range.first);
			assert_true(offset < range.n_addresses);
			assert_false(seen[offset]);
			seen[offset] = true;
			assert_true((offset < range.band) == (n >= range.n_addresses - range.band));
		}
		assert_int_equal(n, range.n_addresses);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_walk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
