/* How long an object that is being deleted still has, when it is asked to go sooner. */
#include "api/meta.h"
#include "apiserver/registry/private.h"
#include "world.h"

static void test_shorter(void **state)
{
	/* The deletion began at 100, with 30 seconds. */
	static const struct {
		int64_t now, asked, grace, end;
	} cases[] = {
		{100, 10, 10, 110},
		{105, 10, 10, 110},
		{109, 10, 10, 110},
		{110, 10, 1, 110}, /* it would have gone by now */
		{125, 10, 1, 125},
		{125, 1, 1, 125},
		{125, 29, 29, 129},
		{125, 0, 0, 125},
		{100, 0, 0, 100},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		MetaV1ObjectMeta *meta = API_NEW(arena, MetaV1ObjectMeta);
		meta->deletion_timestamp = time_new(arena, 130);
		meta->deletion_grace_period_seconds = 30;
		registry_shorten_grace(arena, meta, cases[i].asked, cases[i].now);
		if (meta->deletion_grace_period_seconds != cases[i].grace ||
			meta->deletion_timestamp->seconds != cases[i].end)
			fail_msg("%lld s at %lld: %lld s until %lld, not %lld until %lld", (long long)cases[i].asked,
				(long long)cases[i].now, (long long)meta->deletion_grace_period_seconds,
				(long long)meta->deletion_timestamp->seconds, (long long)cases[i].grace,
				(long long)cases[i].end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_shorter)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
