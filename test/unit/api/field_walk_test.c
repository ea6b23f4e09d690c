/* What sets say of objects: of typed ones and of trees alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/apply.h"
#include "api/field_walk.h"
#include "api/types.h"

static cJSON *parse(struct arena *arena, const char *text)
{
	cJSON *tree = NULL;
	CLEANUP_STATUS struct status *status = tree_parse(arena, text, strlen(text), NULL, &tree);
	if (status)
		fail_msg("%s: %s", text, status->message);
	return tree;
}

static char *print(struct arena *arena, const struct fieldset *set)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	fieldset_print(&out, set);
	return arena_strdup(arena, out.buf);
}

#define POD(spec) "{\"metadata\":{\"name\":\"p\"},\"spec\":" spec "}"
#define C "k:{\\\"name\\\":\\\"c\\\"}"

static void sets_name_what_a_tree_has(void **state)
{
	static const struct {
		const char *tree, *set;
	} cases[] = {
		{POD("{\"nodeName\":\"n\"}"), "{\"f:metadata\":{\"f:name\":{}},\"f:spec\":{\"f:nodeName\":{}}}"},
		{"{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"command\":[\"a\",\"b\"]}]}}",
			"{\"f:spec\":{\"f:containers\":{\"" C
			"\":{\".\":{},\"f:command\":{},\"f:image\":{},\"f:name\":{}}}}}"},
		/* Atomic: a map, a struct, a list's items. */
		{"{\"spec\":{\"nodeSelector\":{\"a\":\"b\"}}}", "{\"f:spec\":{\"f:nodeSelector\":{}}}"},
		{"{\"spec\":{\"imagePullSecrets\":[{\"name\":\"c\"}]}}",
			"{\"f:spec\":{\"f:imagePullSecrets\":{\"" C "\":{}}}}"},
		/* Keys by name, a missing one by its default. */
		{"{\"spec\":{\"containers\":[{\"name\":\"c\",\"ports\":[{\"containerPort\":80}]}]}}",
			"{\"f:spec\":{\"f:containers\":{\"" C "\":{\".\":{},\"f:name\":{},\"f:ports\":{\"k:{"
			"\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}"
			"\":{\".\":{},\"f:containerPort\":{}}}}}}}"},
		/* Sets and maps. */
		{"{\"metadata\":{\"labels\":{\"a\":\"b\"},\"finalizers\":[\"x\"]}}",
			"{\"f:metadata\":{\"f:finalizers\":{\"v:\\\"x\\\"\":{}},\"f:labels\":{\"f:a\":{}}}}"},
		/* Nulls and empty maps are fields, empty lists are not. */
		{"{\"metadata\":{\"labels\":{},\"annotations\":null,\"finalizers\":[]},\"spec\":{\"nodeName\":null}}",
			"{\"f:metadata\":{\"f:annotations\":{},\"f:labels\":{}},\"f:spec\":{\"f:nodeName\":{}}}"},
		/* Several items of one element are one field. */
		{"{\"metadata\":{\"finalizers\":[\"x\",\"x\"]}}",
			"{\"f:metadata\":{\"f:finalizers\":{\"v:\\\"x\\\"\":{}}}}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct field_place root = field_place_of_type(&CoreV1Pod_schema);
		const struct field_value value = field_value_of_tree(parse(arena, cases[i].tree));
		assert_string_equal(print(arena, field_set_of(arena, &root, value)), cases[i].set);
	}
}

static const struct {
	const char *before, *after, *changed, *removed;
} changes[] = {
	{"{}", "{}", "{}", "{}"},
	{"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"1\"}}}",
		"{\"metadata\":{\"labels\":{\"a\":\"2\",\"c\":\"1\"},\"annotations\":{\"x\":\"y\"}}}",
		"{\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:x\":{}},\"f:labels\":{\"f:a\":{},\"f:c\":{}}}}",
		"{\"f:metadata\":{\"f:labels\":{\"f:b\":{}}}}"},
	{"{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"1\"},{\"name\":\"d\",\"image\":\"1\"}]}}",
		"{\"spec\":{\"containers\":[{\"name\":\"d\",\"image\":\"2\"},{\"name\":\"c\",\"image\":\"1\"}]}}",
		"{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"d\\\"}\":{\"f:image\":{}}}}}", "{}"},
	{"{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"1\",\"command\":[\"a\"]}]}}",
		"{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"1\",\"command\":[\"b\"],\"tty\":true}]}}",
		"{\"f:spec\":{\"f:containers\":{\"" C "\":{\"f:command\":{},\"f:tty\":{}}}}}", "{}"},
	{"{\"spec\":{\"containers\":[{\"name\":\"c\"}],\"nodeName\":\"n\",\"nodeSelector\":{\"a\":\"b\"}}}",
		"{\"spec\":{\"containers\":[],\"nodeSelector\":{\"a\":\"c\"}}}", "{\"f:spec\":{\"f:nodeSelector\":{}}}",
		"{\"f:spec\":{\"f:containers\":{\"" C
		"\":{\".\":{},\"f:name\":{},\"f:resources\":{}}},\"f:nodeName\":{}}}"},
	{"{\"metadata\":{\"finalizers\":[\"x\",\"y\"]}}", "{\"metadata\":{\"finalizers\":[\"y\",\"z\"]}}",
		"{\"f:metadata\":{\"f:finalizers\":{\"v:\\\"z\\\"\":{}}}}",
		"{\"f:metadata\":{\"f:finalizers\":{\"v:\\\"x\\\"\":{}}}}"},
	{"{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"limits\":{\"cpu\":\"1\"}}}]}}",
		"{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"limits\":{\"cpu\":\"2\",\"memory\":\"1\"}}"
		"}]}}",
		"{\"f:spec\":{\"f:containers\":{\"" C
		"\":{\"f:resources\":{\"f:limits\":{\"f:cpu\":{},\"f:memory\":{}}}}}}}",
		"{}"},
};

/* The typed objects are compared where they lie; trees of the same objects say the same. */
static void comparison_tells_changed_and_removed(void **state)
{
	const struct field_place root = field_place_of_type(&CoreV1Pod_schema);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1Pod *a = NULL, *b = NULL;
		assert_null(tree_to_typed(arena, parse(arena, changes[i].before), &CoreV1Pod_schema, NULL, &a));
		assert_null(tree_to_typed(arena, parse(arena, changes[i].after), &CoreV1Pod_schema, NULL, &b));
		struct field_changes c = field_compare(arena, &root, field_value_of(a), field_value_of(b));
		assert_string_equal(print(arena, c.changed), changes[i].changed);
		assert_string_equal(print(arena, c.removed), changes[i].removed);
		c = field_compare(arena, &root, field_value_of_tree(tree_from_typed(arena, a)),
			field_value_of_tree(tree_from_typed(arena, b)));
		assert_string_equal(print(arena, c.changed), changes[i].changed);
		assert_string_equal(print(arena, c.removed), changes[i].removed);
		/* Back again, what was added is removed. */
		c = field_compare(arena, &root, field_value_of(b), field_value_of(a));
		const struct fieldset *gone = fieldset_difference(arena, c.removed, c.changed);
		assert_true(fieldset_equal(gone, c.removed));
	}
}

static void a_new_object_is_compared_with_an_empty_one(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct field_place root = field_place_of_type(&AppsV1Deployment_schema);
	AppsV1Deployment *d = NULL;
	assert_null(tree_to_typed(arena,
		parse(arena,
			"{\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":0,\"selector\":{\"matchLabels\":{\"a\":"
			"\"b\"}},\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}},\"status\":{\"replicas\":"
			"0}}"),
		&AppsV1Deployment_schema, NULL, &d));
	struct field_changes c =
		field_compare(arena, &root, field_value_of(AppsV1Deployment_schema.zero), field_value_of(d));
	assert_string_equal(print(arena, c.changed),
		"{\"f:metadata\":{\"f:name\":{}},\"f:spec\":{\"f:replicas\":{},\"f:selector\":{},\"f:template\":{\"f:"
		"spec\":"
		"{\"f:containers\":{\"" C "\":{\".\":{},\"f:name\":{},\"f:resources\":{}}}}}}}");
	assert_true(fieldset_empty(c.removed));
}

/* As text, with and without the sets that are left out, it is what the sets say. */
static void assert_printed_new(struct arena *arena, const void *msg)
{
	static const char *const status[] = {"status", NULL}, *const name[] = {"metadata", "name", NULL};
	const struct fieldset *const without = fieldset_of_path(arena, status), *const less =
											fieldset_of_path(arena, name);
	const struct field_place root = field_place_of_type(schema_of(msg));
	const struct fieldset *all =
		field_compare(arena, &root, field_value_of(schema_of(msg)->zero), field_value_of(msg)).changed;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	field_print_new(&out, arena, msg, NULL, NULL);
	assert_string_equal(out.buf, print(arena, all));
	strbuf_reset(&out);
	field_print_new(&out, arena, msg, without, less);
	assert_string_equal(
		out.buf, print(arena, fieldset_difference(arena, fieldset_without(arena, all, without), less)));
}

static void what_is_new_is_printed_as_the_sets_say(void **state)
{
	static const struct {
		const struct schema_type *type;
		const char *object;
	} cases[] = {
		{&CoreV1Pod_schema, "{}"},
		{&CoreV1Pod_schema, "{\"metadata\":{\"name\":\"p\"},\"status\":{\"phase\":\"Running\"}}"},
		/* Keys that sort otherwise in quotes, stand out of order or twice, or are escaped. */
		{&CoreV1Pod_schema,
			"{\"metadata\":{\"labels\":{\"b/"
			"c\":\"\",\"a<\":\"x\",\"\\u00e9\":\"y\"},\"annotations\":{},\"finalizers\":[\"z\",\"a\"]},"
			"\"spec\":{\"containers\":[{\"name\":\"b\",\"env\":[{\"name\":\"A\"},{\"name\":\"A "
			"B\"},{\"name\":\"A!\"}]},"
			"{\"name\":\"a\",\"env\":[{\"name\":\"A\"},{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"\"}]},"
			"{\"name\":\"q\\\"\",\"resources\":{\"limits\":{\"cpu\":\"1\"}},\"ports\":[{\"containerPort\":"
			"9},{\"containerPort\":80,\"protocol\":"
			"\"UDP\"}]}],\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}},{\"name\":\"w\"}],"
			"\"imagePullSecrets\":[{\"name\":\"s\"}],"
			"\"tolerations\":[{}],\"nodeSelector\":{\"a\":\"b\"},\"initContainers\":[]}}"},
		{&CoreV1Service_schema, "{\"spec\":{\"ports\":[{\"port\":1,\"targetPort\":\"x\"}],\"selector\":{\"a\":"
					"\"b\"},\"clusterIP\":\"\"},"
					"\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"1.2.3.4\"}]}}}"},
		{&ApiextensionsV1CustomResourceDefinition_schema,
			"{\"spec\":{\"names\":{\"plural\":\"p\"},\"versions\":[{\"name\":\"v1\",\"schema\":{"
			"\"openAPIV3Schema\":{\"type\":\"object\","
			"\"properties\":{\"spec\":{\"items\":{\"type\":\"string\"},\"additionalProperties\":true,"
			"\"default\":{\"a\":1}}}}}}]}}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		void *msg = NULL;
		assert_null(tree_to_typed(arena, parse(arena, cases[i].object), cases[i].type, NULL, &msg));
		assert_printed_new(arena, msg);
	}
}

static void what_does_not_fit_is_told(void **state)
{
	static const struct {
		const char *tree, *problem;
	} cases[] = {
		{POD("{\"containers\":[{\"name\":\"c\"}]}"), ""},
		{POD("{\"nope\":1}"), ".spec.nope: field not declared in schema"},
		{POD("{\"hostNetwork\":\"yes\"}"), ".spec.hostNetwork: expected boolean, got &{yes}"},
		{POD("{\"nodeName\":1}"), ".spec.nodeName: expected string, got &value.valueUnstructured{Value:1}"},
		{POD("{\"priority\":\"1\"}"), ".spec.priority: expected numeric (int or float), got string"},
		{POD("{\"containers\":{}}"), ".spec.containers: expected list, got &{map[]}"},
		{POD("[1]"), ".spec: expected map, got &{[1]}"},
		{POD("{\"containers\":[null]}"),
			".spec.containers: element 0: associative list with keys may not have a null element"},
		{POD("{\"containers\":[{\"name\":\"c\"},{\"name\":\"c\"}]}"),
			".spec.containers: duplicate entries for key [name=\"c\"]"},
		{POD("{\"containers\":[{\"name\":\"c\",\"tty\":1,\"stdin\":2}]}"),
			"errors:\n  .spec.containers[name=\"c\"].tty: expected boolean, got &{1}\n  "
			".spec.containers[name=\"c\"].stdin: expected boolean, got &{2}"},
		{"{\"metadata\":{\"finalizers\":[\"x\",{}]}}",
			".metadata.finalizers: element 1: associative list without "
			"keys has an element that's a map type"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct field_place root = field_place_of_type(&CoreV1Pod_schema);
		assert_string_equal(field_validate(arena, &root, parse(arena, cases[i].tree), false), cases[i].problem);
	}
}

static void sets_of_another_schema_are_read_as_of_this(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct field_place root = field_place_of_type(&CoreV1Pod_schema);
	const struct fieldset *set;
	static const char text[] =
		"{\"f:spec\":{\"f:nodeSelector\":{\"f:a\":{}},\"f:containers\":{\"" C "\":{\"f:command\":"
		"{\"v:\\\"x\\\"\":{}}}},\"f:unknown\":{\"f:b\":{}}}}";
	assert_null(fieldset_parse(arena, text, sizeof(text) - 1, &set));
	assert_string_equal(print(arena, field_set_reconcile(arena, &root, set)),
		"{\"f:spec\":{\"f:containers\":{\"" C
		"\":{\"f:command\":{}}},\"f:nodeSelector\":{},\"f:unknown\":{\"f:b\":{}}}}");
	const struct fieldset *again = field_set_reconcile(arena, &root, set);
	assert_ptr_equal(again, field_set_reconcile(arena, &root, again));
}

static void merging_lays_a_configuration_over_what_is_there(void **state)
{
	static const struct {
		const char *live, *config, *merged;
	} cases[] = {
		{"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"1\"}}}",
			"{\"metadata\":{\"labels\":{\"b\":\"2\",\"c\":\"2\"}}}",
			"{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"2\"}}}"},
		{"{\"spec\":{\"nodeSelector\":{\"a\":\"1\"}}}", "{\"spec\":{\"nodeSelector\":{\"b\":\"2\"}}}",
			"{\"spec\":{\"nodeSelector\":{\"b\":\"2\"}}}"},
		{"{\"metadata\":{\"labels\":{\"a\":\"1\"}}}", "{\"metadata\":{\"labels\":null}}",
			"{\"metadata\":{\"labels\":{\"a\":\"1\"}}}"},
		{"{\"spec\":{\"nodeName\":\"n\"}}", "{\"spec\":{\"nodeName\":null}}", "{\"spec\":{\"nodeName\":null}}"},
		/* Items of both stand as the configuration has them, the others where they stood. */
		{"{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\",\"d\"]}}",
			"{\"metadata\":{\"finalizers\":[\"d\",\"x\",\"b\"]}}",
			"{\"metadata\":{\"finalizers\":[\"a\",\"c\",\"d\",\"x\",\"b\"]}}"},
		{"{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}", "{\"metadata\":{\"finalizers\":[\"x\",\"a\",\"y\"]}}",
			"{\"metadata\":{\"finalizers\":[\"x\",\"a\",\"b\",\"y\"]}}"},
		{"{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"1\",\"tty\":true}]}}",
			"{\"spec\":{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\",\"image\":\"2\"}]}}",
			"{\"spec\":{\"containers\":[{\"name\":\"b\"},{\"image\":\"2\",\"name\":\"a\",\"tty\":true}]}}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct field_place root = field_place_of_type(&CoreV1Pod_schema);
		const cJSON *merged =
			apply_merge(arena, &root, parse(arena, cases[i].live), parse(arena, cases[i].config));
		assert_string_equal(tree_to_string(arena, merged, TREE_SORTED), cases[i].merged);
	}
}

static void removing_takes_members_and_items_out(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct field_place root = field_place_of_type(&CoreV1Pod_schema);
	const struct fieldset *set;
	static const char text[] =
		"{\"f:metadata\":{\"f:labels\":{\"f:a\":{}},\"f:finalizers\":{\"v:\\\"x\\\"\":{}}},\"f:spec\":{"
		"\"f:containers\":{\"" C
		"\":{\"f:tty\":{}},\"k:{\\\"name\\\":\\\"d\\\"}\":{\".\":{}}},\"f:nodeName\":{}}}";
	assert_null(fieldset_parse(arena, text, sizeof(text) - 1, &set));
	const cJSON *left = apply_remove(arena, &root,
		parse(arena, "{\"metadata\":{\"labels\":{\"a\":\"1\"},\"finalizers\":[\"x\",\"y\"]},\"spec\":{"
			     "\"containers\":[{"
			     "\"name\":\"c\",\"tty\":true},{\"name\":\"d\"}],\"nodeName\":\"n\"}}"),
		set);
	assert_string_equal(tree_to_string(arena, left, TREE_SORTED),
		"{\"metadata\":{\"finalizers\":[\"y\"],\"labels\":null},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_name_what_a_tree_has),
		cmocka_unit_test(comparison_tells_changed_and_removed),
		cmocka_unit_test(a_new_object_is_compared_with_an_empty_one),
		cmocka_unit_test(what_is_new_is_printed_as_the_sets_say),
		cmocka_unit_test(what_does_not_fit_is_told),
		cmocka_unit_test(sets_of_another_schema_are_read_as_of_this),
		cmocka_unit_test(merging_lays_a_configuration_over_what_is_there),
		cmocka_unit_test(removing_takes_members_and_items_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
