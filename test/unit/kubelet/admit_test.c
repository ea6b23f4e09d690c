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
	{"{priority: 2000000000, containers: [{name: c, resources: {requests: {cpu: 3}}}]}", C(""), NULL, NULL},
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
		const char *reason = NULL, *message = NULL;
		bool admitted = admit_check(arena, &input, pod, &reason, &message);
		if (admitted != !cases[i].reason ||
			(!admitted && (!str_eq(reason, cases[i].reason) || !str_eq(message, cases[i].message))))
			fail_msg("case %zu: %s: %s", i, reason, message);
	}
}

static void a_full_node_takes_no_more(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp) struct pod *pod = pod_of(C(""));
	const struct admit_input input = {.others = &pod, .n_others = 1, .pods = 1};
	const char *reason, *message;
	assert_false(admit_check(arena, &input, pod, &reason, &message));
	assert_string_equal(reason, "OutOfpods");
	assert_string_equal(message, "Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1");
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
		const char *reason = "", *message = "";
		assert_int_equal(admit_check(arena, &input, pod, &reason, &message), taints[i].admitted);
		assert_string_equal(reason, taints[i].admitted ? "" : "TaintToleration");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pods_are_checked_against_the_node),
		cmocka_unit_test(a_full_node_takes_no_more), cmocka_unit_test(taints_that_end_pods_keep_them_away)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
