/* Which pods go first, hashes of templates, expectations. */
#include "controller-manager/support/pods.h"
#include "controller-manager/replicaset/replicaset.h"
#include "controller-manager/support/expectations.h"
#include "test/unit/controller-manager/make.h"

#define NOW 1704067200ll /* 2024-01-01 */

static const CoreV1Pod *pod(struct arena *arena, const char *name, const char *node, const char *phase, bool ready,
	const char *since, const char *extra)
{
	return MAKE(arena, CoreV1Pod,
		arena_printf(arena,
			"{\"metadata\":{\"name\":\"%s\",\"uid\":\"%s\",\"creationTimestamp\":\"2023-12-01T00:00:00Z\"%"
			"s},"
			"\"spec\":{\"nodeName\":\"%s\"},\"status\":{\"phase\":\"%s\",\"conditions\":[{\"type\":"
			"\"Ready\","
			"\"status\":\"%s\",\"lastTransitionTime\":\"%s\"}]}}",
			name, name, extra, node, phase, ready ? "True" : "False", since));
}

static void pods_are_ranked_for_deletion(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *old = "2023-12-02T00:00:00Z", *young = "2023-12-31T23:00:00Z";
	/* In the order in which they have to go. */
	const CoreV1Pod *want[] = {
		pod(arena, "unassigned", "", "Pending", false, old, ""),
		pod(arena, "pending", "n1", "Pending", false, old, ""),
		pod(arena, "unready", "n1", "Running", false, old, ""),
		pod(arena, "cheap", "n1", "Running", true, old,
			",\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\"-5\"}"),
		pod(arena, "doubled", "n2", "Running", true, old, ""),
		pod(arena, "young", "n1", "Running", true, young, ""),
		pod(arena, "old", "n1", "Running", true, old, ""),
		pod(arena, "dear", "n1", "Running", true, young,
			",\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\"10\"}"),
	};
	enum { N = ARRAY_SIZE(want) };
	static const size_t shuffles[][N] = {
		{7, 6, 5, 4, 3, 2, 1, 0}, {3, 1, 7, 0, 5, 2, 6, 4}, {0, 1, 2, 3, 4, 5, 6, 7}};
	for (size_t i = 0; i < ARRAY_SIZE(shuffles); i++) {
		const CoreV1Pod *pods[N];
		int ranks[N];
		for (size_t j = 0; j < N; j++) {
			pods[j] = want[shuffles[i][j]];
			ranks[j] = pods[j] == want[4] ? 3 : 1;
		}
		pods_sort_for_deletion(pods, ranks, N, NOW * 1000000000);
		for (size_t j = 0; j < N; j++)
			assert_string_equal(pods[j]->metadata->name, want[j]->metadata->name);
	}
}

static void availability_needs_time(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const CoreV1Pod *p = pod(arena, "p", "n", "Running", true, "2023-12-31T23:59:55Z", "");
	int64_t now = NOW * 1000000000;
	assert_true(pod_is_available(p, 0, now));
	assert_true(pod_is_available(p, 5, now));
	assert_false(pod_is_available(p, 6, now));
	assert_int_equal(pods_next_available_ms(&p, 1, 15, now), 10001);
	assert_int_equal(pods_next_available_ms(&p, 1, 5, now), -1);
}

static void template_hashes_see_everything_but_order(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char *const different[] = {
		"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
		"\"image\":\"i\"}]}}",
		"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"3\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
		"\"image\":\"i\"}]}}",
		"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
		"\"image\":\"j\"}]}}",
		"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}},\"spec\":{\"initContainers\":[{\"name\":\"c\","
		"\"image\":\"i\"}]}}",
		"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
		"\"image\":\"i\"}],"
		"\"terminationGracePeriodSeconds\":0}}",
	};
	char *hashes[ARRAY_SIZE(different)];
	for (size_t i = 0; i < ARRAY_SIZE(different); i++) {
		hashes[i] = template_hash(arena, MAKE(arena, CoreV1PodTemplateSpec, different[i]), NULL);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(hashes[i], hashes[j]);
	}
	CoreV1PodTemplateSpec *same = MAKE(arena, CoreV1PodTemplateSpec,
		"{\"spec\":{\"containers\":[{\"image\":\"i\",\"name\":\"c\"}]},\"metadata\":{\"labels\":{\"b\":\"2\","
		"\"a\":\"1\"}}}");
	assert_string_equal(template_hash(arena, same, NULL), hashes[0]);
	same->metadata->creation_timestamp = API_NEW(arena, MetaV1Time);
	assert_string_equal(template_hash(arena, same, NULL), hashes[0]);
	assert_true(template_equal_ignore_hash(arena, same, MAKE(arena, CoreV1PodTemplateSpec, different[0])));
	int32_t collisions = 0;
	assert_string_not_equal(template_hash(arena, same, &collisions), hashes[0]);
	CoreV1PodTemplateSpec *hashed = object_copy(arena, same);
	LABEL_SET(arena, hashed->metadata, "pod-template-hash", "abc");
	assert_true(template_equal_ignore_hash(arena, same, hashed));
	LABEL_SET(arena, hashed->metadata, "x", "abc");
	assert_false(template_equal_ignore_hash(arena, same, hashed));
}

static void expectations_wait(void **state)
{
	struct clock *clock = clock_fake_new(NOW * 1000000000);
	struct expectations *e = expectations_new(clock);
	assert_true(expectations_satisfied(e, "a"));
	expectations_expect_creations(e, "a", 2);
	assert_false(expectations_satisfied(e, "a"));
	expectations_creation_observed(e, "a");
	assert_false(expectations_satisfied(e, "a"));
	expectations_creation_observed(e, "a");
	assert_true(expectations_satisfied(e, "a"));
	expectations_expect_deletions(e, "a", (const char *const[]){"x", "y"}, 2);
	expectations_deletion_observed(e, "a", "x");
	expectations_deletion_observed(e, "a", "x");
	assert_false(expectations_satisfied(e, "a"));
	expectations_deletion_observed(e, "a", "y");
	assert_true(expectations_satisfied(e, "a"));
	expectations_expect_creations(e, "a", 1);
	clock_fake_advance(clock, 5 * 60 * 1000 + 1);
	assert_true(expectations_satisfied(e, "a"));
	expectations_free(e);
	clock_fake_free(clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_are_ranked_for_deletion),
		cmocka_unit_test(availability_needs_time),
		cmocka_unit_test(template_hashes_see_everything_but_order),
		cmocka_unit_test(expectations_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
