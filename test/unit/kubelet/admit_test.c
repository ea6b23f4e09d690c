/* Which pods a node takes, and what it says of the others. */
#include "kubelet/admit/admit.h"
#include "pods.h"

static CoreV1Node *node_of(struct arena *arena, const char *text)
{
	CoreV1Node *node;
	struct status *s = yaml_decode(arena, NULL, text, strlen(text), NULL, &node);
	if (s)
		fail_msg("%s: %s", text, s->message);
	return node;
}

#define C(more) "{containers: [{name: c" more "}]}"
#define PORT(p) C(", ports: [{containerPort: 1, " p "}]")
#define REQUEST(r) C(", resources: {requests: {" r "}}")

static const struct {
	const char *pod, *other, *reason, *message;
} cases[] = {
	{C(""), C(""), NULL, NULL},
	/* host ports: the same port, protocol and address */
	{PORT("hostPort: 80"), PORT("hostPort: 81"), NULL, NULL},
	{PORT("hostPort: 80"), PORT("hostPort: 80, protocol: UDP"), NULL, NULL},
	{PORT("hostPort: 80, hostIP: 10.0.0.1"), PORT("hostPort: 80, hostIP: 10.0.0.2"), NULL, NULL},
	{PORT("protocol: TCP"), PORT("protocol: TCP"), NULL, NULL},
	{PORT("hostPort: 80"), PORT("hostPort: 80, protocol: TCP"), "NodePorts",
		"Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"},
	{PORT("hostPort: 80, hostIP: 10.0.0.1"), PORT("hostPort: 80, hostIP: 0.0.0.0"), "NodePorts",
		"Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"},
	/* an init container has ended before others begin, unless it keeps running */
	{PORT("hostPort: 80"),
		"{initContainers: [{name: i, ports: [{containerPort: 1, hostPort: 80}]}], containers: [{name: c}]}",
		NULL, NULL},
	{PORT("hostPort: 80"),
		"{initContainers: [{name: i, restartPolicy: Always, ports: [{containerPort: 1, hostPort: 80}]}], "
		"containers: [{name: c}]}",
		"NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"},
	/* resources: what is left of them */
	{REQUEST("cpu: 1500m"), REQUEST("cpu: 500m"), NULL, NULL},
	{REQUEST("cpu: 1501m"), REQUEST("cpu: 500m"), "OutOfcpu",
		"Node didn't have enough resource: cpu, requested: 1501, used: 500, capacity: 2000"},
	{REQUEST("memory: 60Mi"), REQUEST("memory: 50Mi"), "OutOfmemory",
		"Node didn't have enough resource: memory, requested: 62914560, used: 52428800, capacity: 104857600"},
	{REQUEST("ephemeral-storage: 2Gi"), C(""), "OutOfephemeral-storage",
		"Node didn't have enough resource: ephemeral-storage, requested: 2147483648, used: 0, capacity: "
		"1073741824"},
	/* nobody's end would make room for this critical pod */
	{"{priority: 2000000000, containers: [{name: c, resources: {requests: {cpu: 3}}}]}", C(""),
		"UnexpectedAdmissionError",
		"Unexpected error while attempting to recover from admission failure: preemption: error finding a set "
		"of "
		"pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 1000), ]"},
	/* the node's labels and taints */
	{"{nodeSelector: {zone: a}, containers: [{name: c}]}", C(""), NULL, NULL},
	{"{nodeSelector: {zone: b}, containers: [{name: c}]}", C(""), "NodeAffinity",
		"Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"},
	{"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
	 "[{matchExpressions: "
	 "[{key: zone, operator: NotIn, values: [a]}]}, {matchFields: [{key: metadata.name, operator: In, values: "
	 "[one]}]}]}}}, containers: [{name: c}]}",
		C(""), NULL, NULL},
	{"{os: {name: windows}, containers: [{name: c}]}", C(""), "PodOSNotSupported",
		"Failed to admit pod as the OS field doesn't match node OS"},
};

static void pods_are_checked_against_the_node(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Node *node =
		node_of(arena, "{apiVersion: v1, kind: Node, metadata: {name: one, labels: {zone: a}}, spec: {}}");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(cases[i].pod);
		CLEANUP(pod_unrefp) struct pod *other = pod_of(cases[i].other);
		const struct admit_input input = {.node = node,
			.others = &other,
			.n_others = 1,
			.cpu_milli = 2000,
			.memory = 100 << 20,
			.ephemeral_storage = 1 << 30,
			.pods = 2};
		struct admit_answer a;
		bool admitted = admit_check(arena, &input, pod, &a);
		if (admitted != !cases[i].reason ||
			(!admitted && (!str_eq(a.reason, cases[i].reason) || !str_eq(a.message, cases[i].message))))
			fail_msg("case %zu: %s: %s", i, a.reason, a.message);
	}
}

static void a_full_node_takes_no_more(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp) struct pod *pod = pod_of(C(""));
	const struct admit_input input = {.others = &pod, .n_others = 1, .pods = 1};
	struct admit_answer a;
	assert_false(admit_check(arena, &input, pod, &a));
	assert_string_equal(a.reason, "OutOfpods");
	assert_string_equal(a.message, "Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1");
}

static void taints_that_end_pods_keep_them_away(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const struct {
		const char *effect, *pod;
		bool admitted;
	} taints[] = {
		{"NoSchedule", C(""), true},
		{"NoExecute", C(""), false},
		{"NoExecute", "{tolerations: [{key: k, operator: Exists}], containers: [{name: c}]}", true},
		{"NoExecute", "{tolerations: [{key: k, value: w}], containers: [{name: c}]}", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(taints); i++) {
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(taints[i].pod);
		const struct admit_input input = {
			.node = node_of(
				arena, arena_printf(arena,
					       "{apiVersion: v1, kind: Node, metadata: {name: one}, spec: {taints: "
					       "[{key: k, value: v, effect: %s}]}}",
					       taints[i].effect)),
			.pods = 1};
		struct admit_answer a;
		assert_int_equal(admit_check(arena, &input, pod, &a), taints[i].admitted);
		assert_string_equal(str_or_empty(a.reason), taints[i].admitted ? "" : "TaintToleration");
	}
}

#define ASKS(cpu) "{containers: [{name: c, resources: {requests: {cpu: " cpu "}}}]}"
#define BOTH(cpu)                                                                                       \
	"{containers: [{name: c, resources: {requests: {cpu: " cpu ", memory: 1Mi}, limits: {cpu: " cpu \
	", memory: 1Mi}}}]}"
#define CRITICAL(cpu) "{priority: 2000000000, containers: [{name: c, resources: {requests: {cpu: " cpu "}}}]}"

/* A node of 4 CPUs that five pods share; who goes for one more. */
static void others_go_for_a_critical_pod(void **state)
{
	static const struct {
		const char *pod, *others[5], *wanted;
	} rows[] = {
		/* There is room. */
		{CRITICAL("1"), {ASKS("1"), ASKS("1")}, ""},
		/* One that is not critical waits for no one's end. */
		{ASKS("3"), {ASKS("1"), ASKS("1")}, "OutOfcpu"},
		/* As few as do, and the smallest of these. */
		{CRITICAL("2"), {ASKS("1"), ASKS("1500m"), ASKS("500m")}, "0"},
		{CRITICAL("3"), {ASKS("1"), ASKS("2"), ASKS("500m")}, "1 2"},
		/* Best-effort pods give no CPU; guaranteed ones go only where the others do not give enough. */
		{CRITICAL("1"), {BOTH("3"), ASKS("1"), C("")}, "1"},
		{CRITICAL("3"), {BOTH("3"), ASKS("1"), C("")}, "0"},
		{CRITICAL("4"), {BOTH("3"), ASKS("1"), C("")}, "1 0"},
		/* The critical stay. */
		{CRITICAL("1"), {CRITICAL("3"), ASKS("1")}, "1"},
		{CRITICAL("2"), {CRITICAL("3"), ASKS("1")}, "UnexpectedAdmissionError"},
		/* Higher priority is enough. */
		{"{priority: 2000001000, containers: [{name: c, resources: {requests: {cpu: 2}}}]}",
			{CRITICAL("3"), ASKS("1")}, "0"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(rows[i].pod);
		struct pod *others[5];
		size_t n = 0;
		for (; n < 5 && rows[i].others[n]; n++)
			others[n] = pod_of(rows[i].others[n]);
		const struct admit_input input = {
			.others = others, .n_others = n, .cpu_milli = 4000, .memory = 1 << 30, .pods = 9};
		struct admit_answer a;
		bool admitted = admit_check(arena, &input, pod, &a);
		const char *got = admitted ? "" : a.reason;
		for (size_t v = 0; v < a.n_victims; v++)
			for (size_t o = 0; o < n; o++)
				if (a.victims[v] == others[o])
					got = arena_printf(arena, "%s%s%zu", got, got[0] ? " " : "", o);
		if (!str_eq(got, rows[i].wanted))
			fail_msg("row %zu: got \"%s\", wanted \"%s\"", i, got, rows[i].wanted);
		for (size_t o = 0; o < n; o++)
			pod_unref(others[o]);
	}
}

static void pressure_keeps_pods_away(void **state)
{
	static const struct {
		const char *pod;
		bool memory, disk;
		const char *wanted;
	} rows[] = {
		{C(""), false, false, NULL},
		{C(""), true, false, "The node had condition: [MemoryPressure]. "},
		{C(""), false, true, "The node had condition: [DiskPressure]. "},
		{ASKS("1"), true, false, NULL},
		{ASKS("1"), true, true, "The node had condition: [MemoryPressure DiskPressure]. "},
		{"{tolerations: [{key: node.kubernetes.io/memory-pressure, operator: Exists}], containers: [{name: "
		 "c}]}",
			true, false, NULL},
		{CRITICAL("1"), true, true, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(rows[i].pod);
		const struct admit_input input = {.cpu_milli = 4000,
			.memory = 1 << 30,
			.pods = 9,
			.memory_pressure = rows[i].memory,
			.disk_pressure = rows[i].disk};
		struct admit_answer a;
		admit_check(arena, &input, pod, &a);
		if (!str_eq(a.message, rows[i].wanted))
			fail_msg("row %zu: %s", i, str_or_empty(a.message));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(others_go_for_a_critical_pod),
		cmocka_unit_test(pressure_keeps_pods_away), cmocka_unit_test(pods_are_checked_against_the_node),
		cmocka_unit_test(a_full_node_takes_no_more), cmocka_unit_test(taints_that_end_pods_keep_them_away)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
