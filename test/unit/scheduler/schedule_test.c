/* Which node a pod goes to, and what is said when there is none: the messages are those users know. */
#include "test/unit/scheduler/world.h"

#define TAINTED "{\"taints\":[{\"key\":\"dedicated\",\"value\":\"gpu\",\"effect\":\"NoSchedule\"}]}"
#define NOT_HELPFUL(n)                                                                \
	" no new claims to deallocate, preemption: 0/" #n " nodes are available: " #n \
	" Preemption is not helpful for scheduling."

static void no_nodes(void **state)
{
	struct world w;
	world_init(&w);
	assert_string_equal(world_schedule(&w, "{}"), "no nodes available to schedule pods");
	world_done(&w);
}

static void says_why_on_each_node(void **state)
{
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, TAINTED);
	world_node(&w, "b", NULL, NULL);
	assert_string_equal(world_schedule(&w, CPU("8")),
		"0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s)." NOT_HELPFUL(2));
	assert_string_equal(world_schedule(&w, CPU("1")), "b");
	assert_string_equal(world_schedule(&w, "{\"nodeSelector\":{\"disk\":\"ssd\"}}"),
		"0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
		"1 node(s) had untolerated taint(s)." NOT_HELPFUL(2));
	world_done(&w);
}

static void cordoned_nodes_take_nothing(void **state)
{
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, "{\"unschedulable\":true}");
	assert_string_equal(
		world_schedule(&w, "{}"), "0/1 nodes are available: 1 node(s) were unschedulable." NOT_HELPFUL(1));
	assert_string_equal(
		world_schedule(&w,
			"{\"tolerations\":[{\"key\":\"node.kubernetes.io/unschedulable\",\"operator\":\"Exists\"}]}"),
		"a");
	world_done(&w);
}

static void tolerations(void **state)
{
	static const struct {
		const char *toleration;
		bool fits;
	} cases[] = {
		{"{\"operator\":\"Exists\"}", true},
		{"{\"key\":\"dedicated\",\"operator\":\"Exists\"}", true},
		{"{\"key\":\"dedicated\",\"value\":\"gpu\"}", true},
		{"{\"key\":\"dedicated\",\"operator\":\"Equal\",\"value\":\"gpu\",\"effect\":\"NoSchedule\"}", true},
		{"{\"key\":\"dedicated\",\"value\":\"cpu\"}", false},
		{"{\"key\":\"dedicated\",\"operator\":\"Exists\",\"effect\":\"NoExecute\"}", false},
		{"{\"key\":\"other\",\"operator\":\"Exists\"}", false},
	};
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, TAINTED);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answer =
			world_schedule(&w, arena_printf(w.arena, "{\"tolerations\":[%s]}", cases[i].toleration));
		if (str_eq(answer, "a") != cases[i].fits)
			fail_msg("%s: %s", cases[i].toleration, answer);
	}
	world_done(&w);
}

static void node_affinity_operators(void **state)
{
	static const struct {
		const char *requirement;
		bool fits;
	} cases[] = {
		{"{\"key\":\"cores\",\"operator\":\"In\",\"values\":[\"8\",\"16\"]}", true},
		{"{\"key\":\"cores\",\"operator\":\"NotIn\",\"values\":[\"16\"]}", false},
		{"{\"key\":\"absent\",\"operator\":\"NotIn\",\"values\":[\"16\"]}", true},
		{"{\"key\":\"cores\",\"operator\":\"Exists\"}", true},
		{"{\"key\":\"cores\",\"operator\":\"DoesNotExist\"}", false},
		{"{\"key\":\"cores\",\"operator\":\"Gt\",\"values\":[\"15\"]}", true},
		{"{\"key\":\"cores\",\"operator\":\"Gt\",\"values\":[\"16\"]}", false},
		{"{\"key\":\"cores\",\"operator\":\"Lt\",\"values\":[\"17\"]}", true},
		{"{\"key\":\"cores\",\"operator\":\"Lt\",\"values\":[\"many\"]}", false},
		{"{\"key\":\"cores\",\"operator\":\"Around\",\"values\":[\"16\"]}", false},
	};
	struct world w;
	world_init(&w);
	world_node(&w, "a", "{\"cores\":\"16\"}", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answer = world_schedule(&w,
			arena_printf(w.arena,
				"{\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":"
				"{\"nodeSelectorTerms\":[{\"matchExpressions\":[%s]}]}}}}",
				cases[i].requirement));
		if (str_eq(answer, "a") != cases[i].fits)
			fail_msg("%s: %s", cases[i].requirement, answer);
	}
	world_done(&w);
}

static void affinity_to_a_name_looks_at_that_node_only(void **state)
{
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, NULL);
	world_node(&w, "b", NULL, TAINTED);
	static const char spec[] =
		"{\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":"
		"{\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\","
		"\"values\":[\"b\"]}]}]}}}}";
	assert_string_equal(world_schedule(&w, spec),
		"0/2 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity], "
		"1 node(s) had untolerated taint(s)." NOT_HELPFUL(2));
	world_done(&w);
}

static void host_ports_conflict(void **state)
{
	static const char taken[] = "{\"containers\":[{\"name\":\"c\",\"ports\":[{\"containerPort\":80,\"hostPort\":80,"
				    "\"protocol\":\"TCP\"}]}]}";
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, NULL);
	assert_string_equal(world_schedule(&w, taken), "a");
	world_place(&w, "a", "old", taken);
	assert_string_equal(world_schedule(&w, taken),
		"0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
		" no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for "
		"incoming pod.");
	world_done(&w);
}

static void resources_add_up(void **state)
{
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, NULL);
	world_place(&w, "a", "one", CPU("3"));
	assert_string_equal(world_schedule(&w, CPU("1")), "a");
	world_place(&w, "a", "two", CPU("500m"));
	assert_string_equal(world_schedule(&w, CPU("1")), "0/1 nodes are available: 1 Insufficient cpu. no new claims "
							  "to deallocate, preemption: 0/1 nodes are available: "
							  "1 No preemption victims found for incoming pod.");
	assert_string_equal(world_schedule(&w, CPU("500m")), "a");
	world_done(&w);
}

static void init_containers_count_by_the_largest(void **state)
{
	struct world w;
	world_init(&w);
	struct pod_info *pod = world_pod(&w, "p",
		"{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}],\"initContainers\":["
		"{\"resources\":{\"requests\":{\"cpu\":\"100m\"}},\"restartPolicy\":\"Always\"},"
		"{\"resources\":{\"requests\":{\"cpu\":\"2\"}}}],\"overhead\":{\"cpu\":\"50m\"}}");
	assert_int_equal(resource_get(&pod->requests, RES_CPU), 2150);
	assert_int_equal(pod->non_zero_memory, 2 * RES_DEFAULT_MEMORY);
	pod_info_unref(pod);
	world_done(&w);
}

static void spreads_to_the_emptier_node(void **state)
{
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, NULL);
	world_node(&w, "b", NULL, NULL);
	world_place(&w, "a", "one", CPU("2"));
	assert_string_equal(world_schedule(&w, CPU("1")), "b");
	world_place(&w, "b", "two", CPU("3"));
	assert_string_equal(world_schedule(&w, CPU("1")), "a");
	world_done(&w);
}

static void preempts_the_least_important(void **state)
{
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, NULL);
	world_node(&w, "b", NULL, NULL);
	world_place(
		&w, "a", "mid", "{\"priority\":50,\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"4\"}}}]}");
	world_place(
		&w, "b", "low1", "{\"priority\":10,\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"2\"}}}]}");
	world_place(
		&w, "b", "low2", "{\"priority\":20,\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"2\"}}}]}");
	const char *answer = world_schedule(
		&w, "{\"priority\":100,\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"2\"}}}]}");
	assert_string_equal(answer, "0/2 nodes are available: 2 Insufficient cpu.");
	assert_string_equal(w.preempted_on, "b");
	assert_int_equal(w.n_victims, 1);
	assert_string_equal(w.victims[0], "low1");
	assert_int_equal(nodes_requested(w.nodes, RES_CPU, nodes_row(w.nodes, "b")), 4000);
	world_schedule(&w, "{\"priority\":100,\"preemptionPolicy\":\"Never\",\"containers\":[{\"resources\":{"
			   "\"requests\":{\"cpu\":\"2\"}}}]}");
	world_done(&w);
}

static void keeps_topology_in_balance(void **state)
{
	static const char spread[] = "{\"topologySpreadConstraints\":[{\"maxSkew\":1,\"topologyKey\":\"zone\","
				     "\"whenUnsatisfiable\":\"DoNotSchedule\","
				     "\"labelSelector\":{\"matchLabels\":{\"app\":\"web\"}}}]}";
	struct world w;
	world_init(&w);
	world_node(&w, "a", "{\"zone\":\"1\"}", NULL);
	world_node(&w, "b", "{\"zone\":\"2\"}", NULL);
	world_node(&w, "c", NULL, NULL);
	world_place(&w, "a", "web-1", NULL);
	assert_string_equal(world_schedule(&w, spread), "b");
	world_place(&w, "b", "web-2", NULL);
	world_place(&w, "b", "web-3", NULL);
	assert_string_equal(world_schedule(&w, spread), "a");
	nodes_put(w.nodes, world_node(&w, "a", "{\"zone\":\"1\"}", TAINTED));
	assert_string_equal(world_schedule(&w, spread),
		"0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't "
		"match pod "
		"topology spread constraints (missing required label), 1 node(s) had untolerated taint(s). no new "
		"claims to deallocate, preemption: "
		"0/3 "
		"nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for "
		"scheduling.");
	world_done(&w);
}

#define TERM "{\"topologyKey\":\"zone\",\"labelSelector\":{\"matchLabels\":{\"app\":\"web\"}}}"
#define AFFINITY(kind) "{\"affinity\":{\"" kind "\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[" TERM "]}}}"

static void pods_near_and_far(void **state)
{
	struct world w;
	world_init(&w);
	world_node(&w, "a", "{\"zone\":\"1\"}", NULL);
	world_node(&w, "b", "{\"zone\":\"2\"}", NULL);
	assert_string_equal(world_schedule(&w, AFFINITY("podAffinity")), "a"); /* the first of its group */
	world_place(&w, "b", "web-1", NULL);
	assert_string_equal(world_schedule(&w, AFFINITY("podAffinity")), "b");
	assert_string_equal(world_schedule(&w, AFFINITY("podAntiAffinity")), "a");
	world_place(&w, "a", "web-2", AFFINITY("podAntiAffinity"));
	assert_string_equal(world_schedule(&w, "{}"), "b"); /* web-2 keeps it out of zone 1 */
	assert_string_equal(world_schedule(&w, AFFINITY("podAntiAffinity")),
		"0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, "
		"preemption: 0/2 nodes are "
		"available: 2 No preemption victims found for incoming pod.");
	world_done(&w);
}

static void looks_at_enough_nodes(void **state)
{
	assert_int_equal(feasible_nodes_wanted(-1, 0, 50), 50);
	assert_int_equal(feasible_nodes_wanted(-1, 0, 1000), 420);
	assert_int_equal(feasible_nodes_wanted(-1, 0, 6000), 300);
	assert_int_equal(feasible_nodes_wanted(-1, 40, 1000), 400);
	assert_int_equal(feasible_nodes_wanted(100, 40, 1000), 1000);
	assert_int_equal(feasible_nodes_wanted(-1, 1, 1000), 100);
}

static void rows_move_when_nodes_go(void **state)
{
	struct world w;
	world_init(&w);
	world_node(&w, "a", NULL, NULL);
	world_node(&w, "b", NULL, NULL);
	world_node(&w, "c", NULL, NULL);
	world_place(&w, "c", "one", CPU("3"));
	nodes_remove(w.nodes, "a");
	assert_int_equal(nodes_requested(w.nodes, RES_CPU, nodes_row(w.nodes, "c")), 3000);
	assert_string_equal(world_schedule(&w, CPU("2")), "b");
	nodes_remove(w.nodes, "c"); /* its pod is still there, so its row is too */
	assert_int_not_equal(nodes_row(w.nodes, "c"), NODES_NO_ROW);
	assert_string_equal(
		world_schedule(&w, CPU("5")), "0/1 nodes are available: 1 Insufficient cpu." NOT_HELPFUL(1));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_nodes),
		cmocka_unit_test(says_why_on_each_node),
		cmocka_unit_test(cordoned_nodes_take_nothing),
		cmocka_unit_test(tolerations),
		cmocka_unit_test(node_affinity_operators),
		cmocka_unit_test(affinity_to_a_name_looks_at_that_node_only),
		cmocka_unit_test(host_ports_conflict),
		cmocka_unit_test(resources_add_up),
		cmocka_unit_test(init_containers_count_by_the_largest),
		cmocka_unit_test(spreads_to_the_emptier_node),
		cmocka_unit_test(preempts_the_least_important),
		cmocka_unit_test(keeps_topology_in_balance),
		cmocka_unit_test(pods_near_and_far),
		cmocka_unit_test(looks_at_enough_nodes),
		cmocka_unit_test(rows_move_when_nodes_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
