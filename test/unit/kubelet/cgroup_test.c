/* Groups of both versions, over a directory that stands for the kernel's tree. */
#include <fcntl.h>
#include <sys/stat.h>
#include "test/unit/kubelet/pods.h"
#include "base/io.h"
#include "kubelet/cgroup/cgroup.h"

/* The kernel makes the files of a group with it; here they are made before, by name. */
static const char *const files_v2[] = {
	"cgroup.subtree_control", "cpu.weight", "cpu.max", "memory.max", "pids.max", "cgroup.procs", NULL};
static const char *const files_cpu[] = {"cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cgroup.procs", NULL};
static const char *const files_memory[] = {"memory.limit_in_bytes", "cgroup.procs", NULL};

static void make_group(const char *dir, const char *const *files)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	assert_null(io_mkdirs(dir, 0755));
	for (size_t i = 0; files[i]; i++)
		assert_null(io_write_file(arena_printf(arena, "%s/%s", dir, files[i]), "", 0, 0644));
}

static void assert_file(struct arena *arena, const char *path, const char *wanted)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	assert_null(io_read_file(path, 4096, &text, &size));
	if (!str_eq(text, wanted))
		fail_msg("%s holds \"%s\", wanted \"%s\"", path, text, wanted);
}

static char *new_dir(struct arena *arena)
{
	char *dir = arena_strdup(arena, "/tmp/cgroup-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return dir;
}

#define BURSTABLE                                                                                                      \
	"{containers: [{name: a, image: i, resources: {requests: {cpu: 500m, memory: 64Mi}, limits: {cpu: 1, memory: " \
	"128Mi}}}]}"
#define GUARANTEED                                                                                                 \
	"{containers: [{name: a, image: i, resources: {requests: {cpu: 2, memory: 1Gi}, limits: {cpu: 2, memory: " \
	"1Gi}}}]}"

static void version_2(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *dir = new_dir(arena);
	CLEANUP(pod_unrefp) struct pod *burstable = pod_of(BURSTABLE);
	CLEANUP(pod_unrefp) struct pod *guaranteed = pod_of(GUARANTEED);
	const char *const groups[] = {"", "/kubepods", "/kubepods/burstable", "/kubepods/besteffort",
		"/kubepods/burstable/podu1", "/kubepods/podu1"};
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		make_group(arena_printf(arena, "%s%s", dir, groups[i]), files_v2);
	assert_null(io_write_file(arena_printf(arena, "%s/cgroup.controllers", dir), "cpu memory", 10, 0644));
	CLEANUP(cgroups_freep) struct cgroups *c = NULL;
	struct cgroups_config config = {
		.mount = dir, .root = "/", .enabled = true, .cpu_quota = true, .period_us = 100000, .pids_limit = 77};
	assert_null(cgroups_new(&config, &c));
	assert_true(cgroups_v2(c));
	assert_null(cgroups_start(c, 4000, 1 << 30));
	assert_file(arena, arena_printf(arena, "%s/kubepods/memory.max", dir), "1073741824");
	assert_file(arena, arena_printf(arena, "%s/kubepods/besteffort/cpu.weight", dir), "1");
	assert_null(cgroups_pod_create(c, burstable));
	char *own = arena_printf(arena, "%s/kubepods/burstable/podu1", dir);
	assert_file(arena, arena_printf(arena, "%s/cpu.weight", own), "20");
	assert_file(arena, arena_printf(arena, "%s/cpu.max", own), "100000 100000");
	assert_file(arena, arena_printf(arena, "%s/memory.max", own), "134217728");
	assert_file(arena, arena_printf(arena, "%s/pids.max", own), "77");
	assert_string_equal(cgroups_pod_parent(arena, c, burstable), "/kubepods/burstable/podu1");
	assert_string_equal(cgroups_pod_parent(arena, c, guaranteed), "/kubepods/podu1");
	assert_null(cgroups_pod_create(c, guaranteed));
	assert_file(arena, arena_printf(arena, "%s/kubepods/podu1/cpu.max", dir), "200000 100000");
	assert_null(cgroups_update_tiers(c, 1000));
	assert_file(arena, arena_printf(arena, "%s/kubepods/burstable/cpu.weight", dir), "39");
	char **uids;
	size_t n;
	assert_null(cgroups_pod_uids(c, arena, &uids, &n));
	assert_int_equal(n, 1);
	assert_string_equal(uids[0], "u1");
	assert_null(io_remove_tree(dir));
}

/* What a group has is read from it; what is not limited stays as it is. */
static void resizing(struct cgroups *c)
{
	struct cgroup_amounts now, wanted;
	CLEANUP(pod_unrefp) struct pod *pod = pod_of(BURSTABLE);
	CLEANUP(pod_unrefp)
	struct pod *larger =
		pod_of("{containers: [{name: a, image: i, resources: {requests: {cpu: 1}, limits: {cpu: 2}}}]}");
	assert_null(cgroups_pod_read(c, pod, &now));
	assert_int_equal(now.cpu_quota, 100000);
	assert_int_equal(now.memory, 134217728);
	wanted = cgroups_pod_wanted(c, larger, &now);
	assert_int_equal(wanted.cpu_quota, 200000);
	assert_int_equal(wanted.cpu_shares, 1024);
	assert_int_equal(wanted.memory, 134217728);
	assert_null(cgroups_pod_set_quota(c, pod, wanted.cpu_quota));
	assert_null(cgroups_pod_set_shares(c, pod, wanted.cpu_shares));
	assert_null(cgroups_pod_set_memory(c, pod, 268435456));
	assert_null(cgroups_pod_read(c, pod, &now));
	assert_int_equal(now.cpu_quota, 200000);
	assert_int_equal(now.memory, 268435456);
}

static void version_1(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *dir = new_dir(arena);
	CLEANUP(pod_unrefp) struct pod *pod = pod_of(BURSTABLE);
	const char *const groups[] = {"", "/mine", "/mine/kubepods", "/mine/kubepods/burstable",
		"/mine/kubepods/besteffort", "/mine/kubepods/burstable/podu1"};
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		make_group(arena_printf(arena, "%s/cpu%s", dir, groups[i]), files_cpu);
		make_group(arena_printf(arena, "%s/memory%s", dir, groups[i]), files_memory);
	}
	CLEANUP(cgroups_freep) struct cgroups *c = NULL;
	struct cgroups_config config = {.mount = dir,
		.root = "/mine",
		.enabled = true,
		.cpu_quota = true,
		.period_us = 100000,
		.pids_limit = -1};
	assert_null(cgroups_new(&config, &c));
	assert_false(cgroups_v2(c));
	assert_null(cgroups_start(c, 2000, 1 << 20));
	assert_null(cgroups_pod_create(c, pod));
	assert_true(cgroups_pod_exists(c, pod));
	assert_file(arena, arena_printf(arena, "%s/cpu/mine/kubepods/burstable/podu1/cpu.shares", dir), "512");
	assert_file(arena, arena_printf(arena, "%s/cpu/mine/kubepods/burstable/podu1/cpu.cfs_quota_us", dir), "100000");
	assert_file(arena, arena_printf(arena, "%s/memory/mine/kubepods/burstable/podu1/memory.limit_in_bytes", dir),
		"134217728");
	assert_file(arena, arena_printf(arena, "%s/cpu/mine/kubepods/besteffort/cpu.shares", dir), "2");
	resizing(c);
	assert_null(io_remove_tree(dir));
}

static void sums_of_a_pod(void **state)
{
	static const struct {
		const char *spec;
		int64_t cpu_request, cpu_limit, memory_limit;
		bool all_cpu, all_memory;
	} rows[] = {
		{"{containers: [{name: a, resources: {requests: {cpu: 1}, limits: {cpu: 2}}}, {name: b}]}", 1000, 2000,
			0, false, false},
		{"{initContainers: [{name: i, resources: {requests: {cpu: 3}}}], containers: [{name: a, resources: "
		 "{requests: {cpu: 1}}}]}",
			3000, 0, 0, false, false},
		{"{initContainers: [{name: s, restartPolicy: Always, resources: {limits: {cpu: 1, memory: 1Ki}, "
		 "requests: "
		 "{cpu: 1}}}], containers: [{name: a, resources: {requests: {cpu: 1}, limits: {cpu: 1, memory: "
		 "1Ki}}}]}",
			2000, 2000, 2048, true, true},
		/* Overhead comes on top of what is limited. */
		{"{overhead: {cpu: 100m, memory: 1Ki}, containers: [{name: a, resources: {requests: {cpu: 1}, limits: "
		 "{cpu: 1}}}]}",
			1100, 1100, 0, true, false},
		/* The pod as a whole. */
		{"{resources: {requests: {cpu: 4}, limits: {cpu: 5, memory: 1Ki}}, containers: [{name: a, resources: "
		 "{requests: {cpu: 1}}}]}",
			4000, 5000, 1024, true, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(rows[i].spec);
		bool all_cpu, all_memory;
		assert_int_equal(pod_request_cpu_milli(pod), rows[i].cpu_request);
		assert_int_equal(pod_limit_cpu_milli(pod, &all_cpu), rows[i].cpu_limit);
		assert_int_equal(pod_limit_memory(pod, &all_memory), rows[i].memory_limit);
		assert_int_equal(all_cpu, rows[i].all_cpu);
		assert_int_equal(all_memory, rows[i].all_memory);
	}
}

static void weights_and_shares(void **state)
{
	assert_int_equal(cgroup_weight_of_shares(2), 1);
	assert_int_equal(cgroup_weight_of_shares(1024), 39);
	assert_int_equal(cgroup_weight_of_shares(262144), 10000);
	assert_int_equal(cpu_shares_of_milli(0), 2);
	assert_int_equal(cpu_shares_of_milli(1000), 1024);
	assert_int_equal(cpu_quota_of_milli(0, 100000), 0);
	assert_int_equal(cpu_quota_of_milli(5, 100000), 1000);
	assert_int_equal(cpu_quota_of_milli(1500, 100000), 150000);
}

static void quality_of_service(void **state)
{
	static const struct {
		const char *spec;
		enum pod_qos qos;
		int64_t oom; /* of the first container, of 4 GiB */
	} rows[] = {
		{"{containers: [{name: a}]}", QOS_BEST_EFFORT, 1000},
		{BURSTABLE, QOS_BURSTABLE, 985},
		{GUARANTEED, QOS_GUARANTEED, -997},
		{"{containers: [{name: a, resources: {limits: {cpu: 1}}}]}", QOS_BURSTABLE, 999},
		{"{priority: 2000001000, containers: [{name: a}]}", QOS_BEST_EFFORT, -997},
		{"{containers: [{name: a, resources: {requests: {memory: 4Gi}}}]}", QOS_BURSTABLE, 3},
		/* What the pod as a whole asks for counts instead; each container has its share of what they leave. */
		{"{resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1, memory: 1Gi}}, containers: [{name: "
		 "a}]}",
			QOS_GUARANTEED, -997},
		{"{resources: {requests: {memory: 1Gi}}, containers: [{name: a}, {name: b}]}", QOS_BURSTABLE, 875},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(pod_unrefp) struct pod *pod = pod_of(rows[i].spec);
		assert_int_equal(pod_qos(pod), rows[i].qos);
		assert_int_equal(container_oom_score(pod, pod_spec(pod)->containers[0], 4LL << 30), rows[i].oom);
	}
}

static void what_can_be_killed_of_a_group(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	pid_t *pids;
	assert_int_equal(cgroup_pids(arena, "", &pids), 0);
	/* Nobody's, the first process, a whole process group, and none at all. */
	assert_int_equal(cgroup_pids(arena, "0\n1\n-7\n4294967298\nx\n", &pids), 0);
	assert_int_equal(cgroup_pids(arena, "2\n0\n4194304\n", &pids), 2);
	assert_int_equal(pids[0], 2);
	assert_int_equal(pids[1], 4194304);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_2),
		cmocka_unit_test(version_1),
		cmocka_unit_test(weights_and_shares),
		cmocka_unit_test(sums_of_a_pod),
		cmocka_unit_test(quality_of_service),
		cmocka_unit_test(what_can_be_killed_of_a_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
