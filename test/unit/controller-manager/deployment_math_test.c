/* The arithmetic of rollouts. */
#include "controller-manager/deployment/deployment.h"
#include "test/unit/controller-manager/make.h"

static AppsV1Deployment *deployment(struct arena *arena, int replicas, const char *surge, const char *unavailable)
{
	return MAKE(arena, AppsV1Deployment,
		arena_printf(arena,
			"{\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":%d,\"strategy\":{\"type\":"
			"\"RollingUpdate\","
			"\"rollingUpdate\":{\"maxSurge\":%s,\"maxUnavailable\":%s}}}}",
			replicas, surge, unavailable));
}

static AppsV1ReplicaSet *set(struct arena *arena, const char *name, int replicas, int available, int max, int created)
{
	return MAKE(arena, AppsV1ReplicaSet,
		arena_printf(arena,
			"{\"metadata\":{\"name\":\"%s\",\"creationTimestamp\":\"2024-01-01T00:00:%02dZ\","
			"\"annotations\":{"
			"\"deployment.kubernetes.io/max-replicas\":\"%d\",\"deployment.kubernetes.io/"
			"desired-replicas\":\"%d\"}},"
			"\"spec\":{\"replicas\":%d},\"status\":{\"replicas\":%d,\"availableReplicas\":%d}}",
			name, created, max, max, replicas, replicas, available));
}

static void bounds_are_resolved_together(void **state)
{
	static const struct {
		int replicas;
		const char *surge, *unavailable;
		int want_surge, want_unavailable;
	} cases[] = {
		{10, "3", "2", 3, 2},
		{10, "\"25%\"", "\"25%\"", 3, 2},
		{1, "\"25%\"", "\"25%\"", 1, 0},
		{2, "\"0%\"", "\"1%\"", 0, 1},
		{1, "0", "\"1%\"", 0, 1},
		{3, "0", "5", 0, 3},
		{0, "\"25%\"", "\"25%\"", 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		AppsV1Deployment *d = deployment(arena, cases[i].replicas, cases[i].surge, cases[i].unavailable);
		print_message("case %zu\n", i);
		assert_int_equal(deployment_max_surge(d), cases[i].want_surge);
		assert_int_equal(deployment_max_unavailable(d), cases[i].want_unavailable);
	}
}

static void new_set_grows_into_the_surge(void **state)
{
	static const struct {
		int replicas;
		const char *surge;
		int old, now, want;
	} cases[] = {
		{1, "1", 0, 0, 1},
		{10, "2", 10, 0, 2},
		{10, "0", 10, 0, 0},
		{10, "2", 8, 4, 4},
		{10, "5", 5, 5, 10},
		{10, "\"25%\"", 8, 0, 5},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		AppsV1Deployment *d = deployment(arena, cases[i].replicas, cases[i].surge, "1");
		const AppsV1ReplicaSet *items[] = {set(arena, "old", cases[i].old, cases[i].old, 10, 1),
			set(arena, "new", cases[i].now, 0, 10, 2)};
		print_message("case %zu\n", i);
		assert_int_equal(new_set_replicas(d, (struct sets){items, 2}, items[1]), cases[i].want);
	}
}

static void proportions_follow_the_annotation(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	/* From 10 (+3 surge) to 15 (+3): sets of 8 and 5 share five new replicas. */
	AppsV1Deployment *d = deployment(arena, 15, "3", "2");
	AppsV1ReplicaSet *a = set(arena, "a", 8, 8, 13, 1), *b = set(arena, "b", 5, 5, 13, 2);
	assert_int_equal(set_proportion(a, d, 5, 0), 3);
	assert_int_equal(set_proportion(b, d, 5, 3), 2);
	/* Down to 5 (+3). */
	d = deployment(arena, 5, "3", "2");
	assert_int_equal(set_proportion(a, d, -5, 0), -3);
	assert_int_equal(set_proportion(b, d, -5, -3), -2);
	/* To nothing: all of it goes. */
	d = deployment(arena, 0, "3", "2");
	assert_int_equal(set_proportion(a, d, -13, 0), -8);
	assert_int_equal(set_proportion(b, d, -13, -8), -5);
}

static void sets_are_sorted(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const AppsV1ReplicaSet *a = set(arena, "a", 3, 3, 10, 3), *b = set(arena, "b", 5, 5, 10, 1),
			       *c = set(arena, "c", 3, 3, 10, 2);
	const AppsV1ReplicaSet *items[] = {a, b, c};
	struct sets s = {items, 3};
	sets_sort_by_age(s);
	assert_ptr_equal(items[0], b);
	assert_ptr_equal(items[2], a);
	sets_sort_by_size(s, true);
	assert_ptr_equal(items[0], b);
	assert_ptr_equal(items[1], a);
	sets_sort_by_size(s, false);
	assert_ptr_equal(items[1], c);
}

static void revisions_are_annotated(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	AppsV1Deployment *d = deployment(arena, 3, "1", "0");
	ANNOTATION_SET(arena, d->metadata, "team", "blue");
	ANNOTATION_SET(arena, d->metadata, REVISION_ANNOTATION, "7");
	ANNOTATION_SET(arena, d->metadata, "kubectl.kubernetes.io/last-applied-configuration", "{}");
	AppsV1ReplicaSet *s = MAKE(arena, AppsV1ReplicaSet, "{\"metadata\":{\"name\":\"x\"}}");
	assert_true(set_new_annotations(arena, d, s, 2, false));
	assert_string_equal(ANNOTATION_GET(s->metadata, "team"), "blue");
	assert_string_equal(ANNOTATION_GET(s->metadata, REVISION_ANNOTATION), "2");
	assert_string_equal(ANNOTATION_GET(s->metadata, DESIRED_REPLICAS_ANNOTATION), "3");
	assert_string_equal(ANNOTATION_GET(s->metadata, MAX_REPLICAS_ANNOTATION), "4");
	assert_null(ANNOTATION_GET(s->metadata, "kubectl.kubernetes.io/last-applied-configuration"));
	assert_null(ANNOTATION_GET(s->metadata, REVISION_HISTORY_ANNOTATION));
	/* Nothing to do twice. */
	assert_false(set_new_annotations(arena, d, s, 2, true));
	/* Back to this version: what it was is kept. */
	assert_true(set_new_annotations(arena, d, s, 5, true));
	assert_string_equal(ANNOTATION_GET(s->metadata, REVISION_HISTORY_ANNOTATION), "2");
	assert_true(set_new_annotations(arena, d, s, 9, true));
	assert_string_equal(ANNOTATION_GET(s->metadata, REVISION_HISTORY_ANNOTATION), "2,5");
	/* A smaller number never takes it back. */
	assert_false(set_new_annotations(arena, d, s, 3, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_are_resolved_together),
		cmocka_unit_test(new_set_grows_into_the_surge),
		cmocka_unit_test(proportions_follow_the_annotation),
		cmocka_unit_test(sets_are_sorted),
		cmocka_unit_test(revisions_are_annotated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
