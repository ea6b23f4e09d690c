/* Owners known to be absent: by all that a reference says, the oldest forgotten first. */
#include "base/arena.h"
#include "controller-manager/garbagecollector/absent.h"
#include "test/unit/controller-manager/make.h"

static const struct identity owner = {"u1", "apps/v1", "ReplicaSet", "ns", "web"};

static void test_only_the_very_owner_is_known(void **state)
{
	struct absent_owners *a = absent_owners_new();
	struct identity others[] = {owner, owner, owner, owner, owner};
	others[0].uid = "u2";
	others[1].api_version = "v1";
	others[2].kind = "Deployment";
	others[3].namespace = NULL;
	others[4].name = "web2";
	assert_false(absent_owners_has(a, &owner));
	absent_owners_add(a, &owner);
	absent_owners_add(a, &owner);
	assert_true(absent_owners_has(a, &owner));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(absent_owners_has(a, &others[i]));
	absent_owners_free(a);
}

static void test_new_ones_push_out_the_oldest(void **state)
{
	struct absent_owners *a = absent_owners_new();
	struct arena *arena = arena_new();
	struct identity id = owner;
	absent_owners_add(a, &owner);
	for (int i = 0; i < 499; i++) {
		id.uid = arena_printf(arena, "x%d", i);
		absent_owners_add(a, &id);
	}
	assert_true(absent_owners_has(a, &owner));
	id.uid = "one more";
	absent_owners_add(a, &id);
	assert_false(absent_owners_has(a, &owner));
	assert_true(absent_owners_has(a, &id));
	arena_free(arena);
	absent_owners_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_very_owner_is_known),
		cmocka_unit_test(test_new_ones_push_out_the_oldest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
