/* The graph of owners: whose fate may have changed. */
#include "base/map.h"
#include "base/str.h"
#include "controller-manager/garbagecollector/graph.h"
#include "test/unit/controller-manager/make.h"

struct asked {
	struct strmap *deletes, *orphans;
	int n_misplaced;
};

static void on_misplaced(void *data, const struct identity *dependent, const struct identity *owner)
{
	assert_string_equal(owner->namespace, dependent->namespace);
	((struct asked *)data)->n_misplaced++;
}

static void on_delete(void *data, const char *uid)
{
	strmap_put(((struct asked *)data)->deletes, uid, data);
}

static void on_orphan(void *data, const char *uid)
{
	strmap_put(((struct asked *)data)->orphans, uid, data);
}

static void see(struct graph *g, struct arena *arena, const char *uid, const char *owner, const char *rest)
{
	const struct identity id = {uid, "v1", "Pod", "ns", uid};
	const MetaV1ObjectMeta *meta = MAKE(arena, MetaV1ObjectMeta,
		owner ? arena_printf(arena,
				"{\"uid\":\"%s\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":"
				"\"%s\","
				"\"uid\":\"%s\",\"blockOwnerDeletion\":true}]%s}",
				uid, owner, owner, rest)
		      : arena_printf(arena, "{\"uid\":\"%s\"%s}", uid, rest));
	graph_observe(g, &id, meta);
}

static void setup(struct asked *a, struct graph **g)
{
	*a = (struct asked){strmap_new(NULL), strmap_new(NULL), 0};
	*g = graph_new(&(struct graph_sink){on_delete, on_orphan, on_misplaced, a});
}

static void teardown(struct asked *a, struct graph *g)
{
	graph_free(g);
	strmap_free(a->deletes);
	strmap_free(a->orphans);
}

static void dependents_follow_their_owner(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct asked a;
	struct graph *g;
	setup(&a, &g);
	see(g, arena, "set", NULL, "");
	see(g, arena, "p1", "set", "");
	see(g, arena, "p2", "set", "");
	assert_int_equal(strmap_count(a.deletes), 0);
	assert_int_equal(graph_get(g, arena, "set")->n_dependents, 2);
	graph_remove(g, "set");
	assert_true(strmap_has(a.deletes, "p1"));
	assert_true(strmap_has(a.deletes, "p2"));
	teardown(&a, g);
}

static void unknown_owners_are_asked_for(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct asked a;
	struct graph *g;
	setup(&a, &g);
	see(g, arena, "p1", "set", "");
	assert_true(strmap_has(a.deletes, "set"));
	assert_true(graph_get(g, arena, "set")->is_virtual);
	/* It was only late. */
	see(g, arena, "set", NULL, "");
	assert_false(graph_get(g, arena, "set")->is_virtual);
	graph_remove_virtual(g, "set");
	assert_non_null(graph_get(g, arena, "set"));
	/* Another that does not exist. */
	see(g, arena, "p2", "none", "");
	graph_remove_virtual(g, "none");
	assert_null(graph_get(g, arena, "none"));
	assert_true(strmap_has(a.deletes, "p2"));
	assert_false(strmap_has(a.deletes, "p1"));
	teardown(&a, g);
}

static void foreground_deletion_asks_dependents(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct asked a;
	struct graph *g;
	setup(&a, &g);
	see(g, arena, "set", NULL, "");
	see(g, arena, "p1", "set", "");
	see(g, arena, "set", NULL,
		",\"deletionTimestamp\":\"2024-01-01T00:00:00Z\",\"finalizers\":[\"foregroundDeletion\"]");
	assert_true(strmap_has(a.deletes, "p1"));
	assert_true(strmap_has(a.deletes, "set"));
	assert_true(graph_get(g, arena, "set")->deleting_dependents);
	assert_true(graph_get(g, arena, "set")->dependents[0].blocks);
	strmap_clear(a.deletes);
	/* The last dependent gone: the owner may go. */
	graph_remove(g, "p1");
	assert_true(strmap_has(a.deletes, "set"));
	teardown(&a, g);
}

static void orphans_are_let_go(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct asked a;
	struct graph *g;
	setup(&a, &g);
	see(g, arena, "set", NULL, "");
	see(g, arena, "p1", "set", "");
	see(g, arena, "set", NULL, ",\"deletionTimestamp\":\"2024-01-01T00:00:00Z\",\"finalizers\":[\"orphan\"]");
	assert_true(strmap_has(a.orphans, "set"));
	/* The reference is gone: no dependent is left. */
	see(g, arena, "p1", NULL, "");
	assert_int_equal(graph_get(g, arena, "set")->n_dependents, 0);
	strmap_clear(a.deletes);
	graph_remove(g, "set");
	assert_false(strmap_has(a.deletes, "p1"));
	teardown(&a, g);
}

static void double_references_do_no_harm(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct asked a;
	struct graph *g;
	setup(&a, &g);
	const struct identity id = {"p", "v1", "Pod", "ns", "p"};
	graph_observe(g, &id,
		MAKE(arena, MetaV1ObjectMeta,
			"{\"uid\":\"p\",\"ownerReferences\":[{\"uid\":\"o\",\"name\":\"o\"},{\"uid\":\"o\",\"name\":"
			"\"o\"},"
			"{\"uid\":\"p\",\"name\":\"p\"}]}"));
	graph_remove(g, "p");
	assert_int_equal(graph_size(g), 0);
	teardown(&a, g);
}

/* An object with one owner, named as the test says. */
static void see_owned(struct graph *g, struct arena *arena, const char *namespace, const char *uid, const char *kind,
	const char *name, const char *owner)
{
	const struct identity id = {uid, "v1", "Pod", namespace, uid};
	graph_observe(g, &id,
		MAKE(arena, MetaV1ObjectMeta,
			arena_printf(arena,
				"{\"uid\":\"%s\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"%s\",\"name\":"
				"\"%s\",\"uid\":\"%s\"}]}",
				uid, kind, name, owner)));
}

static void wrong_names_are_judged(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct asked a;
	struct graph *g;
	setup(&a, &g);
	see(g, arena, "set", NULL, "");
	see_owned(g, arena, "ns", "right", "Pod", "set", "set");
	assert_int_equal(strmap_count(a.deletes), 0);
	see_owned(g, arena, "ns", "misnamed", "Pod", "other", "set");
	see_owned(g, arena, "ns", "miskinded", "Node", "set", "set");
	assert_int_equal(a.n_misplaced, 0);
	see_owned(g, arena, "elsewhere", "misplaced", "Pod", "set", "set");
	assert_int_equal(a.n_misplaced, 1);
	assert_int_equal(strmap_count(a.deletes), 3);
	assert_false(strmap_has(a.deletes, "right"));
	const struct identity set = {"set", "v1", "Pod", "ns", "set"};
	struct identity wrong = set;
	assert_true(graph_has_alive(g, &set));
	wrong.namespace = "elsewhere";
	assert_false(graph_has_alive(g, &wrong));
	wrong = set;
	wrong.name = "other";
	assert_false(graph_has_alive(g, &wrong));
	teardown(&a, g);
}

/* Of two that call an owner by different names, before it is seen, the wrong one alone loses it. */
static void a_wrong_name_takes_no_owner_from_others(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct asked a;
	struct graph *g;
	setup(&a, &g);
	see_owned(g, arena, "ns", "bad", "Pod", "other", "set");
	see_owned(g, arena, "ns", "good", "Pod", "set", "set");
	graph_remove_virtual(g, "set");
	assert_true(strmap_has(a.deletes, "bad"));
	const struct graph_node *set = graph_get(g, arena, "set");
	assert_string_equal(set->id.name, "set");
	assert_int_equal(set->n_dependents, 1);
	assert_string_equal(set->dependents[0].id.uid, "good");
	graph_remove_virtual(g, "set");
	assert_null(graph_get(g, arena, "set"));
	teardown(&a, g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_names_are_judged),
		cmocka_unit_test(a_wrong_name_takes_no_owner_from_others),
		cmocka_unit_test(dependents_follow_their_owner),
		cmocka_unit_test(unknown_owners_are_asked_for),
		cmocka_unit_test(foreground_deletion_asks_dependents),
		cmocka_unit_test(orphans_are_let_go),
		cmocka_unit_test(double_references_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
