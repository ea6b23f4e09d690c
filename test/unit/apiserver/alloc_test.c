/* Pools of addresses and ports: ranges, order, exhaustion; and that they follow the Services that are stored. */
#include "apiserver/strategy/context.h"
#include "world.h"

static void test_ranges(void **state)
{
	static const struct {
		const char *cidr, *family, *first, *inside, *outside;
	} cases[] = {
		{"10.96.0.0/12", "IPv4", "10.96.0.1", "10.96.200.7", "10.112.0.1"},
		{"10.0.0.0/24", "IPv4", "10.0.0.1", "10.0.0.254", "10.0.0.255"},
		{"10.0.0.77/24", "IPv4", "10.0.0.1", "10.0.0.254", "10.0.0.0"},
		{"fd00::/108", "IPv6", "fd00::1", "fd00::ffff", "fd00::2:0"},
		{"192.168.1.4/30", "IPv4", "192.168.1.5", "192.168.1.6", "192.168.1.7"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_allocator *pool;
		assert_null(ip_allocator_new(cases[i].cidr, &pool));
		assert_string_equal(ip_allocator_family(pool), cases[i].family);
		assert_string_equal(ip_allocator_first(pool, arena), cases[i].first);
		assert_true(ip_allocator_has(pool, cases[i].inside));
		assert_false(ip_allocator_has(pool, cases[i].outside));
		assert_false(ip_allocator_has(pool, "nonsense"));
		ip_allocator_free(pool);
	}
	static const char *const bad[] = {
		"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/31", "x/24", "10.0.0.0/-1", "10.0.0.0/2 4"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ip_allocator *pool;
		struct status *s = ip_allocator_new(bad[i], &pool);
		assert_non_null(s);
		status_free(s);
	}
}

static void test_exhaustion(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct ip_allocator *pool;
	char *ip;
	assert_null(ip_allocator_new("10.0.0.0/27", &pool));
	struct status *s;
	/* 30 addresses; the low band (16) comes last. */
	for (int i = 0; i < 30; i++) {
		assert_null(ip_allocator_take_any(pool, arena, &ip));
		int64_t last;
		assert_true(str_to_int64(strrchr(ip, '.') + 1, 1, 30, &last));
		assert_true((i < 14) == (last > 16));
	}
	assert_non_null(s = ip_allocator_take_any(pool, arena, &ip));
	status_free(s);
	assert_true(status_is(s = ip_allocator_take(pool, "10.0.0.9"), STATUS_CONFLICT));
	status_free(s);
	ip_allocator_release(pool, "10.0.0.9");
	assert_null(ip_allocator_take_any(pool, arena, &ip));
	assert_string_equal(ip, "10.0.0.9");
	ip_allocator_free(pool);
}

static bool port_free(struct port_allocator *pool, int32_t port)
{
	struct status *s = port_allocator_take(pool, port);
	if (s) {
		status_free(s);
		return false;
	}
	port_allocator_release(pool, port);
	return true;
}

static bool ip_free(struct ip_allocator *pool, const char *ip)
{
	struct status *s = ip_allocator_take(pool, ip);
	if (s) {
		status_free(s);
		return false;
	}
	ip_allocator_release(pool, ip);
	return true;
}

static void test_following(void **state)
{
	struct world *w = world_new();
	struct strategy_context context = {.node_ports = port_allocator_new(30000, 30010)};
	assert_null(ip_allocator_new("10.0.0.0/24", &context.service_ips));
	service_pools_follow(&w->objects, &context);
	world_put(w, "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"namespace\":\"a\",\"name\":\"s\"},"
		     "\"spec\":{"
		     "\"clusterIPs\":[\"10.0.0.9\"],\"ports\":[{\"port\":1,\"nodePort\":30001},{\"port\":2,"
		     "\"nodePort\":30002}]}}");
	assert_false(ip_free(context.service_ips, "10.0.0.9"));
	assert_false(port_free(context.node_ports, 30001));
	world_put(w, "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"namespace\":\"a\",\"name\":\"s\"},"
		     "\"spec\":{"
		     "\"clusterIPs\":[\"10.0.0.9\"],\"ports\":[{\"port\":1,\"nodePort\":30001}]}}");
	assert_true(port_free(context.node_ports, 30002));
	assert_false(port_free(context.node_ports, 30001));
	world_drop(w, &CoreV1Service_schema, "a", "s");
	assert_true(ip_free(context.service_ips, "10.0.0.9"));
	assert_true(port_free(context.node_ports, 30001));
	assert_false(port_free(context.node_ports, 29999));
	ip_allocator_free(context.service_ips);
	port_allocator_free(context.node_ports);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_exhaustion),
		cmocka_unit_test(test_following),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
