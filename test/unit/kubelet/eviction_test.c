/* Who goes first when memory is short. */
#include "test/unit/kubelet/pods.h"
#include "kubelet/eviction/eviction.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(greedy_and_unimportant_first)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
