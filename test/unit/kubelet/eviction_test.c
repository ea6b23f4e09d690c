/* Who goes first when memory is short. */
#include "test/unit/kubelet/pods.h"
#include "kubelet/eviction/eviction_private.h"
#include "kubelet/eviction/signals.h"

static void greedy_and_unimportant_first(void **state)
{
	CLEANUP(pod_unrefp) struct pod *low = pod_of("{priority: 0, containers: [{name: low}]}");
	CLEANUP(pod_unrefp) struct pod *high = pod_of("{priority: 1000, containers: [{name: high}]}");
	struct eviction_candidate list[] = {
		{low, 50, 100},	  /* within its request */
		{high, 500, 100}, /* far above, but important */
		{low, 150, 100},
		{low, 300, 100},
	};
	qsort(list, ARRAY_SIZE(list), sizeof(list[0]), eviction_order);
	assert_int_equal(list[0].usage, 300);
	assert_int_equal(list[1].usage, 150);
	assert_int_equal(list[2].usage, 500);
	assert_int_equal(list[3].usage, 50);
}

static bool own_disk(void *data, const char *mount)
{
	return str_eq(mount, "/images");
}

#define LIMITED(name, size) "{name: " name ", resources: {limits: {ephemeral-storage: " size "}}}"

static void pods_that_use_too_much_disk(void **state)
{
	static const struct {
		const char *spec;
		int64_t volume, a_root, a_logs, b_root;
		const char *mount, *wanted;
	} rows[] = {
		{"{containers: [{name: a}, {name: b}]}", 900, 900, 900, 900, "", NULL},
		{"{volumes: [{name: d, emptyDir: {sizeLimit: 1Ki}}], containers: [{name: a}]}", 1025, 0, 0, 0, "",
			"Usage of EmptyDir volume \"d\" exceeds the limit \"1Ki\". "},
		{"{volumes: [{name: d, emptyDir: {sizeLimit: 1Ki}}], containers: [{name: a}]}", 1024, 5000, 0, 0, "",
			NULL},
		/* All that the pod writes counts against the limits of all its containers. */
		{"{volumes: [{name: d, emptyDir: {}}], containers: [" LIMITED("a", "1Ki") ", " LIMITED("b", "1Ki") "]}",
			1000, 500, 300, 300, "",
			"Pod ephemeral local storage usage exceeds the total limit of containers 2Ki. "},
		{"{containers: [" LIMITED("a", "1Ki") ", " LIMITED("b", "4Ki") "]}", 0, 500, 600, 0, "",
			"Container a exceeded its local ephemeral storage limit \"1Ki\". "},
		{"{containers: [" LIMITED("a", "1Ki") ", " LIMITED("b", "4Ki") "]}", 0, 500, 600, 0, "/images", NULL},
		{"{containers: [" LIMITED("a", "1Ki") ", " LIMITED("b", "4Ki") "]}", 0, 500, 500, 500, "", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(rows[i].spec);
		struct volume_usage volume = {"d", {rows[i].volume, 1}};
		struct container_usage containers[] = {
			{.name = "a",
				.root = {rows[i].a_root, 1},
				.logs = {rows[i].a_logs, 1},
				.root_mount = rows[i].mount},
			{.name = "b", .root = {rows[i].b_root, 1}, .root_mount = rows[i].mount},
		};
		struct pod_usage usage = {
			.containers = containers, .n_containers = 2, .volumes = &volume, .n_volumes = 1};
		usage.ephemeral.bytes = rows[i].volume + rows[i].a_root + rows[i].a_logs + rows[i].b_root;
		const char *got = local_storage_excess(arena, pod, &usage, own_disk, NULL);
		if (!str_eq(got, rows[i].wanted))
			fail_msg("row %zu: %s", i, str_or_empty(got));
	}
}

static struct settings settings_of(struct arena *arena, const char *yaml)
{
	KubeletV1beta1KubeletConfiguration *c;
	struct status *s = yaml_decode(arena, &KubeletV1beta1KubeletConfiguration_schema, yaml, strlen(yaml), NULL, &c);
	if (s)
		fail_msg("%s: %s", yaml, s->message);
	return (struct settings){.config = c};
}

static void thresholds_of_the_configuration(void **state)
{
	static const struct {
		const char *config, *wanted;
	} rows[] = {
		{"{}", "0:100Mi 1:10% 2:5% 3:15% 4:5%"},
		{"{evictionHard: {memory.available: 50Mi, nodefs.available: 0%}}", "0:50Mi"},
		{"{evictionHard: {memory.available: 50Mi}, mergeDefaultEvictionSettings: true}",
			"0:50Mi 1:10% 2:5% 3:15% 4:5%"},
		{"{evictionHard: {pid.available: 1k}, evictionSoft: {memory.available: 1Gi}, evictionSoftGracePeriod: "
		 "{memory.available: 1m30s}, evictionMinimumReclaim: {memory.available: 10Mi}}",
			"0:1Gi/90000+10Mi 5:1k"},
		{"{evictionHard: {pid.available: 1k}, evictionSoft: {memory.available: 1Gi}}", "5:1k"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct settings settings = settings_of(arena, rows[i].config);
		struct threshold *list;
		size_t n = thresholds_of(arena, &settings, &list);
		char *got = arena_strdup(arena, "");
		for (size_t j = 0; j < n; j++) {
			got = arena_printf(
				arena, "%s%s%d:%s", got, j ? " " : "", (int)list[j].signal, list[j].quantity);
			if (list[j].grace_ms)
				got = arena_printf(arena, "%s/%d", got, (int)list[j].grace_ms);
			if (list[j].reclaim)
				got = arena_printf(arena, "%s+%s", got, list[j].reclaim);
		}
		assert_string_equal(got, rows[i].wanted);
	}
	assert_int_equal(threshold_amount("10%", 1000), 100);
	assert_int_equal(threshold_amount("1Ki", 1), 1024);
}

/* One threshold of each kind over time: available at each look, a second apart; what is met and what acts. */
static void thresholds_over_time(void **state)
{
	static const struct {
		struct threshold threshold;
		int64_t available[6];
		const char *wanted;
	} rows[] = {
		{{SIGNAL_MEMORY, "100", NULL, 0}, {150, 99, 100, 50, 101, 200}, "- A - A - -"},
		/* Soft: only when met for its grace period without a break. */
		{{SIGNAL_MEMORY, "100", NULL, 2000}, {99, 99, 150, 99, 99, 99}, "m m - m m A"},
		/* Once it has acted, there must be some more. */
		{{SIGNAL_MEMORY, "100", "50", 0}, {120, 99, 120, 149, 150, 120}, "- A A A - -"},
		{{SIGNAL_MEMORY, "10%", NULL, 0}, {101, 100, 99, 100, 0, 1000}, "- - A - A -"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct threshold_state s = {0};
		char *got = arena_strdup(arena, "");
		for (size_t j = 0; j < 6; j++) {
			struct observation o[N_SIGNALS] = {[SIGNAL_MEMORY] = {true, rows[i].available[j], 1000}};
			thresholds_judge(&rows[i].threshold, 1, &s, o, (int64_t)j * 1000);
			got = arena_printf(arena, "%s%s%s", got, j ? " " : "", s.acts ? "A" : s.met ? "m" : "-");
			assert_int_equal(s.acts, thresholds_first(&rows[i].threshold, 1, &s) != NULL);
		}
		assert_string_equal(got, rows[i].wanted);
	}
}

static void why_a_pod_ends(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp)
	struct pod *pod =
		pod_of("{containers: [{name: a, resources: {requests: {memory: 1Mi}}}, {name: b}, {name: c, resources: "
		       "{requests: {memory: 9Mi}}}]}");
	struct container_usage containers[] = {
		{.name = "a", .memory = 3 << 20}, {.name = "b", .memory = 1 << 20}, {.name = "c", .memory = 1 << 20}};
	struct pod_usage usage = {.containers = containers, .n_containers = 3};
	assert_string_equal(eviction_message(arena, pod, &usage, "memory", 100 << 20, 5 << 10),
		"The node was low on resource: memory. Threshold quantity: 100Mi, available: 5Ki. Container a was "
		"using 3Mi, "
		"request is 1Mi, has larger consumption of memory. Container b was using 1Mi, request is 0, has larger "
		"consumption of memory. ");
	assert_string_equal(eviction_message(arena, pod, &usage, "pids", 100, 50),
		"The node was low on resource: pids. Threshold quantity: 100, available: 50. ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(greedy_and_unimportant_first),
		cmocka_unit_test(pods_that_use_too_much_disk), cmocka_unit_test(thresholds_of_the_configuration),
		cmocka_unit_test(thresholds_over_time), cmocka_unit_test(why_a_pod_ends)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
