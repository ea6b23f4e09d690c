/* Who goes first when memory is short. */
#include "test/unit/kubelet/pods.h"
#include "kubelet/eviction/eviction_private.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greedy_and_unimportant_first), cmocka_unit_test(pods_that_use_too_much_disk)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
