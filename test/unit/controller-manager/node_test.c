/* Ranges for pods, taints and evictions, zones, daemons' nodes. */
#include "controller-manager/daemon/daemon.h"
#include "controller-manager/node/cidr_set.h"
#include "controller-manager/node/taints.h"
#include "controller-manager/node/zones.h"
#include "test/unit/controller-manager/make.h"

static void ranges_are_given_out_once(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(cidr_set_freep) struct cidr_set *set = NULL;
	assert_null(cidr_set_new("10.244.0.0/22", 24, &set));
	assert_true(cidr_set_occupy(set, "10.244.1.0/24"));
	assert_false(cidr_set_occupy(set, "10.245.0.0/24"));
	assert_false(cidr_set_occupy(set, "fd00::/64"));
	assert_string_equal(cidr_set_take(set, arena), "10.244.0.0/24");
	assert_string_equal(cidr_set_take(set, arena), "10.244.2.0/24");
	assert_string_equal(cidr_set_take(set, arena), "10.244.3.0/24");
	assert_null(cidr_set_take(set, arena));
	assert_true(cidr_set_release(set, "10.244.2.0/24"));
	assert_string_equal(cidr_set_take(set, arena), "10.244.2.0/24");
	/* A wider network takes all of it. */
	cidr_set_release(set, "10.244.0.0/16");
	cidr_set_occupy(set, "10.244.0.0/23");
	assert_string_equal(cidr_set_take(set, arena), "10.244.3.0/24");
	assert_string_equal(cidr_set_take(set, arena), "10.244.2.0/24");
	assert_null(cidr_set_take(set, arena));
}

static void ranges_of_v6(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(cidr_set_freep) struct cidr_set *set = NULL;
	assert_null(cidr_set_new("fd00:10:244::/60", 64, &set));
	assert_string_equal(cidr_set_take(set, arena), "fd00:10:244::/64");
	assert_string_equal(cidr_set_take(set, arena), "fd00:10:244:1::/64");
}

static void bad_networks_are_refused(void **state)
{
	static const struct {
		const char *cidr;
		int prefix;
	} cases[] = {{"10.244.0.0", 24}, {"x/16", 24}, {"10.244.0.0/33", 34}, {"10.244.0.0/24", 16}, {"10.0.0.0/8", 30},
		{"", 24}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cidr_set *set;
		struct status *s = cidr_set_new(cases[i].cidr, cases[i].prefix, &set);
		assert_non_null(s);
		status_free(s);
	}
}

static void conditions_become_taints(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Node *node = MAKE(arena, CoreV1Node,
		"{\"spec\":{\"unschedulable\":true,\"taints\":[{\"key\":\"mine\",\"effect\":\"NoSchedule\"}]},"
		"\"status\":{"
		"\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\"},{\"type\":\"DiskPressure\",\"status\":"
		"\"True\"}]}}");
	assert_true(node_sync_schedule_taints(arena, node, clock_system()));
	assert_non_null(node_taint(node, TAINT_UNREACHABLE, "NoSchedule"));
	assert_non_null(node_taint(node, TAINT_UNSCHEDULABLE, "NoSchedule"));
	assert_non_null(node_taint(node, "node.kubernetes.io/disk-pressure", "NoSchedule"));
	assert_null(node_taint(node, TAINT_NOT_READY, "NoSchedule"));
	assert_non_null(node_taint(node, "mine", "NoSchedule"));
	assert_false(node_sync_schedule_taints(arena, node, clock_system()));
	node->spec->unschedulable = false;
	assert_true(node_sync_schedule_taints(arena, node, clock_system()));
	assert_null(node_taint(node, TAINT_UNSCHEDULABLE, "NoSchedule"));
}

static void evictions_have_their_time(void **state)
{
	static const struct {
		const char *tolerations;
		enum eviction want;
		int64_t at_s;
	} cases[] = {
		{"[]", EVICT_AT, 0},
		{"[{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\"}]",
			EVICT_NEVER, 0},
		{"[{\"operator\":\"Exists\"}]", EVICT_NEVER, 0},
		{"[{\"operator\":\"Exists\",\"effect\":\"NoSchedule\"}]", EVICT_AT, 0},
		{"[{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\","
		 "\"tolerationSeconds\":300}]",
			EVICT_AT, 1704067200 + 300},
		{"[{\"key\":\"other\",\"operator\":\"Exists\"}]", EVICT_AT, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1Node *node = MAKE(arena, CoreV1Node,
			"{\"spec\":{\"taints\":[{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":\"NoExecute\","
			"\"timeAdded\":\"2024-01-01T00:00:00Z\"}]}}");
		CoreV1Pod *pod = MAKE(
			arena, CoreV1Pod, arena_printf(arena, "{\"spec\":{\"tolerations\":%s}}", cases[i].tolerations));
		int64_t at;
		print_message("case %zu\n", i);
		assert_int_equal(pod_eviction(pod, node, 1, &at), cases[i].want);
		if (cases[i].want == EVICT_AT)
			assert_int_equal(at / 1000000000, cases[i].at_s);
	}
}

static void zones_slow_down(void **state)
{
	struct options o = {.node_eviction_rate = 0.1,
		.secondary_node_eviction_rate = 0.01,
		.unhealthy_zone_threshold = 0.55,
		.large_cluster_size_threshold = 50};
	struct zones z;
	zones_init(&z, &o);
	zones_begin(&z);
	for (int i = 0; i < 10; i++)
		zones_count(&z, "a", i > 1);
	zones_end(&z);
	/* One at once, the next after ten seconds. */
	assert_true(zone_take(&z, "a", 1000));
	assert_false(zone_take(&z, "a", 2000));
	assert_false(zone_take(&z, "a", 10000));
	assert_true(zone_take(&z, "a", 11100));
	/* More than half of a small zone: none. */
	zones_begin(&z);
	for (int i = 0; i < 10; i++)
		zones_count(&z, "a", i > 6);
	zones_end(&z);
	assert_false(zone_take(&z, "a", 100000));
	assert_false(z.all_full);
	zones_begin(&z);
	zones_count(&z, "a", false);
	zones_end(&z);
	assert_true(z.all_full);
	zones_done(&z);
}

static void daemons_fit(void **state)
{
	static const struct {
		const char *template, *node;
		bool run, stay;
	} cases[] = {
		{"{}", "{}", true, true},
		{"{}",
			"{\"spec\":{\"unschedulable\":true,\"taints\":[{\"key\":\"node.kubernetes.io/unschedulable\","
			"\"effect\":\"NoSchedule\"}]}}",
			true, true},
		{"{}", "{\"spec\":{\"taints\":[{\"key\":\"x\",\"effect\":\"NoSchedule\"}]}}", false, true},
		{"{}", "{\"spec\":{\"taints\":[{\"key\":\"x\",\"effect\":\"NoExecute\"}]}}", false, false},
		{"{}", "{\"spec\":{\"taints\":[{\"key\":\"x\",\"effect\":\"PreferNoSchedule\"}]}}", true, true},
		{"{\"spec\":{\"nodeSelector\":{\"a\":\"b\"}}}", "{}", false, false},
		{"{\"spec\":{\"nodeSelector\":{\"a\":\"b\"}}}", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", true,
			true},
		{"{\"spec\":{\"nodeName\":\"other\"}}", "{\"metadata\":{\"name\":\"n\"}}", false, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		AppsV1DaemonSet *set = MAKE(
			arena, AppsV1DaemonSet, arena_printf(arena, "{\"spec\":{\"template\":%s}}", cases[i].template));
		struct daemon_fit fit =
			daemon_fits(daemon_template(arena, set, "h"), MAKE(arena, CoreV1Node, cases[i].node));
		print_message("case %zu\n", i);
		assert_int_equal(fit.run, cases[i].run);
		assert_int_equal(fit.stay, cases[i].stay);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_given_out_once),
		cmocka_unit_test(ranges_of_v6),
		cmocka_unit_test(bad_networks_are_refused),
		cmocka_unit_test(conditions_become_taints),
		cmocka_unit_test(evictions_have_their_time),
		cmocka_unit_test(zones_slow_down),
		cmocka_unit_test(daemons_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
