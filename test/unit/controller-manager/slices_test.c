/* Packing endpoints into slices. */
#include "controller-manager/endpoints/slices.h"
#include "test/unit/controller-manager/make.h"

#define SERVICE                                                                                                     \
	"{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"svc\",\"labels\":{\"tier\":\"front\"}},"    \
	"\"spec\":{"                                                                                                \
	"\"clusterIP\":\"10.0.0.1\",\"ports\":[{\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\",\"targetPort\":" \
	"8080}]}}"

static CoreV1Pod *pod(struct arena *arena, int i, bool ready)
{
	return MAKE(arena, CoreV1Pod,
		arena_printf(arena,
			"{\"metadata\":{\"name\":\"p%d\",\"namespace\":\"ns\",\"uid\":\"u%d\"},\"spec\":{\"nodeName\":"
			"\"n\"},"
			"\"status\":{\"podIP\":\"10.1.0.%d\",\"podIPs\":[{\"ip\":\"10.1.0.%d\"}],\"conditions\":[{"
			"\"type\":"
			"\"Ready\",\"status\":\"%s\"}]}}",
			i, i, i, i, ready ? "True" : "False"));
}

static struct slice_plan plan_for(struct arena *arena, const CoreV1Service *service, int first, int last, size_t max)
{
	struct slice_plan plan = {.arena = arena, .service = service, .max_endpoints = max, .address_type = "IPv4"};
	for (int i = first; i <= last; i++)
		slice_plan_add(&plan, pod(arena, i, true), NULL);
	return plan;
}

static const DiscoveryV1EndpointSlice **as_existing(struct arena *arena, struct slice_list *created)
{
	const DiscoveryV1EndpointSlice **list =
		ARENA_ARRAY(arena, const DiscoveryV1EndpointSlice *, created->n_items + 1);
	for (size_t i = 0; i < created->n_items; i++) {
		created->items[i]->metadata->name = arena_printf(arena, "web-%zu", i);
		list[i] = object_copy(arena, created->items[i]);
	}
	return list;
}

static void no_pods_make_one_empty_slice(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Service *service = MAKE(arena, CoreV1Service, SERVICE);
	struct slice_plan plan = plan_for(arena, service, 1, 0, 100);
	slice_plan_pack(&plan, NULL, 0);
	assert_int_equal(plan.create.n_items, 1);
	assert_int_equal(plan.create.items[0]->n_endpoints, 0);
	const DiscoveryV1EndpointSlice **existing = as_existing(arena, &plan.create);
	struct slice_plan again = plan_for(arena, service, 1, 0, 100);
	slice_plan_pack(&again, existing, 1);
	assert_int_equal(again.create.n_items + again.update.n_items + again.remove.n_items, 0);
	/* The first pod takes its place by an update. */
	struct slice_plan first = plan_for(arena, service, 1, 1, 100);
	slice_plan_pack(&first, existing, 1);
	assert_int_equal(first.create.n_items + first.remove.n_items, 0);
	assert_int_equal(first.update.n_items, 1);
	assert_string_equal(first.update.items[0]->metadata->name, "web-0");
}

static void slices_fill_up(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Service *service = MAKE(arena, CoreV1Service, SERVICE);
	struct slice_plan plan = plan_for(arena, service, 1, 7, 3);
	slice_plan_pack(&plan, NULL, 0);
	assert_int_equal(plan.create.n_items, 3);
	assert_int_equal(plan.create.items[0]->n_endpoints, 3);
	assert_int_equal(plan.create.items[2]->n_endpoints, 1);
	const DiscoveryV1EndpointSlice *slice = plan.create.items[0];
	assert_int_equal(slice->n_ports, 1);
	assert_int_equal(slice->ports[0]->port, 8080);
	assert_string_equal(LABEL_GET(slice->metadata, SERVICE_NAME_LABEL), "web");
	assert_string_equal(LABEL_GET(slice->metadata, MANAGED_BY_LABEL), SLICE_MANAGER);
	assert_string_equal(LABEL_GET(slice->metadata, "tier"), "front");
	assert_null(LABEL_GET(slice->metadata, HEADLESS_LABEL));
	const DiscoveryV1EndpointSlice **existing = as_existing(arena, &plan.create);
	/* Nothing new: nothing to write. */
	struct slice_plan same = plan_for(arena, service, 1, 7, 3);
	slice_plan_pack(&same, existing, 3);
	assert_int_equal(same.create.n_items + same.update.n_items + same.remove.n_items, 0);
	/* One more goes where there is room. */
	struct slice_plan more = plan_for(arena, service, 1, 8, 3);
	slice_plan_pack(&more, existing, 3);
	assert_int_equal(more.create.n_items + more.remove.n_items, 0);
	assert_int_equal(more.update.n_items, 1);
	assert_string_equal(more.update.items[0]->metadata->name, "web-2");
	/* One gone: its slice alone is written. */
	struct slice_plan less = plan_for(arena, service, 2, 7, 3);
	slice_plan_pack(&less, existing, 3);
	assert_int_equal(less.update.n_items, 1);
	assert_string_equal(less.update.items[0]->metadata->name, "web-0");
	/* All gone but one: empty slices are deleted. */
	struct slice_plan last = plan_for(arena, service, 7, 7, 3);
	slice_plan_pack(&last, existing, 3);
	assert_int_equal(last.remove.n_items, 2);
	assert_int_equal(last.update.n_items + last.create.n_items, 0);
}

static void readiness_is_told(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Service *service = MAKE(arena, CoreV1Service, SERVICE);
	struct slice_plan plan = {.arena = arena, .service = service, .max_endpoints = 100, .address_type = "IPv4"};
	CoreV1Pod *leaving = pod(arena, 3, true);
	leaving->metadata->deletion_timestamp = time_new(arena, 1);
	slice_plan_add(&plan, pod(arena, 1, true), NULL);
	slice_plan_add(&plan, pod(arena, 2, false), NULL);
	slice_plan_add(&plan, leaving, NULL);
	slice_plan_pack(&plan, NULL, 0);
	DiscoveryV1Endpoint **e = plan.create.items[0]->endpoints;
	assert_true(e[0]->conditions->ready && e[0]->conditions->serving && !e[0]->conditions->terminating);
	assert_true(!e[1]->conditions->ready && !e[1]->conditions->serving && !e[1]->conditions->terminating);
	assert_true(!e[2]->conditions->ready && e[2]->conditions->serving && e[2]->conditions->terminating);
	assert_string_equal(e[0]->target_ref->name, "p1");
	assert_string_equal(e[0]->node_name, "n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_pods_make_one_empty_slice),
		cmocka_unit_test(slices_fill_up),
		cmocka_unit_test(readiness_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
