/* Who owns which fields after a write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/managers.h"
#include "api/meta.h"

/* One version of pods, and an older one that is gone. */
struct world {
	struct arena *arena;
	const cJSON *before, *after;
};

static bool place(void *data, const char *api_version, struct field_place *ret_place)
{
	*ret_place = field_place_of_type(&CoreV1Pod_schema);
	return str_eq(api_version, "v1");
}

static const struct fieldset *reset(void *data, const char *api_version)
{
	static const char *const status[] = {"status", NULL};
	return fieldset_of_path(((struct world *)data)->arena, status);
}

static bool values(void *data, const char *api_version, struct field_value *ret_before, struct field_value *ret_after)
{
	const struct world *w = data;
	*ret_before = field_value_of_tree(w->before);
	*ret_after = field_value_of_tree(w->after);
	return true;
}

static const cJSON *convert(void *data, const cJSON *tree, const char *api_version)
{
	return tree;
}

static cJSON *parse(struct arena *arena, const char *text)
{
	cJSON *tree = NULL;
	CLEANUP_STATUS struct status *status = tree_parse(arena, text, strlen(text), NULL, &tree);
	if (status)
		fail_msg("%s: %s", text, status->message);
	return tree;
}

/* "name operation {fields}" for each entry. */
static char *told(struct arena *arena, const struct managers *managers)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	MetaV1ManagedFieldsEntry **entries;
	size_t n;
	managers_write(arena, managers, &entries, &n);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s%s %s @%d %.*s", i ? "\n" : "", entries[i]->manager, entries[i]->operation,
			entries[i]->time ? (int)entries[i]->time->seconds : -1, (int)entries[i]->fields_v1->raw.len,
			(const char *)entries[i]->fields_v1->raw.data);
	return arena_strdup(arena, out.buf);
}

static void update(struct arena *arena, struct managers *managers, const char *name, int64_t now, const char *before,
	const char *after)
{
	struct world world = {arena, parse(arena, before), parse(arena, after)};
	const struct managers_versions versions = {&world, place, reset, values, convert};
	const struct managers_call call = {arena, &versions, "v1", manager_id_of(name, false, "v1", ""), now};
	managers_update(&call, managers);
}

static const cJSON *apply(struct arena *arena, struct managers *managers, const char *name, int64_t now,
	const char *live, const char *config, bool force, struct manager_conflicts *ret_conflicts)
{
	struct world world = {.arena = arena};
	const struct managers_versions versions = {&world, place, reset, values, convert};
	const struct managers_call call = {arena, &versions, "v1", manager_id_of(name, true, "v1", ""), now};
	cJSON *tree = NULL;
	assert_null(
		managers_apply(&call, managers, parse(arena, live), parse(arena, config), force, &tree, ret_conflicts));
	return tree;
}

static void a_writer_owns_what_he_changes(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct managers m = {0};
	update(arena, &m, "a", 1, "{}",
		"{\"metadata\":{\"name\":\"p\",\"uid\":\"u\",\"labels\":{\"x\":\"1\",\"y\":\"1\"}}}");
	assert_string_equal(
		told(arena, &m), "a Update @1 {\"f:metadata\":{\"f:labels\":{\".\":{},\"f:x\":{},\"f:y\":{}}}}");
	update(arena, &m, "b", 2, "{\"metadata\":{\"labels\":{\"x\":\"1\",\"y\":\"1\"}},\"status\":{}}",
		"{\"metadata\":{\"labels\":{\"x\":\"2\",\"y\":\"1\"}},\"status\":{\"phase\":\"Failed\"}}");
	assert_string_equal(told(arena, &m), "a Update @1 {\"f:metadata\":{\"f:labels\":{\".\":{},\"f:y\":{}}}}\n"
					     "b Update @2 {\"f:metadata\":{\"f:labels\":{\"f:x\":{}}}}");
	/* What changes nothing leaves all as it was, the times too. */
	update(arena, &m, "a", 3, "{\"metadata\":{\"labels\":{\"x\":\"2\"}}}",
		"{\"metadata\":{\"labels\":{\"x\":\"2\"}}}");
	assert_int_equal(m.items[0].time->seconds, 1);
	/* What is removed belongs to nobody. */
	update(arena, &m, "a", 4, "{\"metadata\":{\"labels\":{\"x\":\"2\",\"y\":\"1\"}}}",
		"{\"metadata\":{\"labels\":{\"z\":\"1\"}}}");
	assert_string_equal(told(arena, &m), "a Update @4 {\"f:metadata\":{\"f:labels\":{\".\":{},\"f:z\":{}}}}");
}

static void an_apply_names_shares_conflicts_and_prunes(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct managers m = {0};
	struct manager_conflicts conflicts;
	const cJSON *tree = apply(arena, &m, "a", 1, "{\"metadata\":{}}",
		"{\"metadata\":{\"labels\":{\"x\":\"1\",\"y\":\"1\"}}}", false, &conflicts);
	assert_string_equal(
		tree_to_string(arena, tree, TREE_SORTED), "{\"metadata\":{\"labels\":{\"x\":\"1\",\"y\":\"1\"}}}");
	static const char live[] = "{\"metadata\":{\"labels\":{\"x\":\"1\",\"y\":\"1\"}}}";
	assert_null(apply(arena, &m, "b", 2, live, "{\"metadata\":{\"labels\":{\"x\":\"1\"}}}", false, &conflicts));
	assert_null(apply(
		arena, &m, "b", 2, live, "{\"metadata\":{\"labels\":{\"x\":\"2\",\"y\":\"2\"}}}", false, &conflicts));
	CLEANUP_STATUS struct status *status = manager_conflicts_status(arena, &conflicts);
	assert_string_equal(status->message, "Apply failed with 2 conflicts: conflicts with \"a\":\n- "
					     ".metadata.labels.x\n- .metadata.labels.y");
	assert_int_equal(status->n_causes, 2);
	assert_string_equal(status->causes[1].message, "conflict with \"a\"");
	assert_string_equal(told(arena, &m), "b Apply @-1 {\"f:metadata\":{\"f:labels\":{\"f:x\":{}}}}\n"
					     "a Apply @1 {\"f:metadata\":{\"f:labels\":{\"f:x\":{},\"f:y\":{}}}}");
	/* a names x no more: b still does. y goes. */
	tree = apply(arena, &m, "a", 3, live, "{\"metadata\":{}}", false, &conflicts);
	assert_string_equal(tree_to_string(arena, tree, TREE_SORTED), "{\"metadata\":{\"labels\":{\"x\":\"1\"}}}");
	tree = apply(arena, &m, "c", 4, "{\"metadata\":{\"labels\":{\"x\":\"1\"}}}",
		"{\"metadata\":{\"labels\":{\"x\":\"9\"}}}", true, &conflicts);
	assert_string_equal(told(arena, &m), "c Apply @4 {\"f:metadata\":{\"f:labels\":{\"f:x\":{}}}}");
}

static void a_single_conflict_is_told_in_a_line(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct managers m = {0};
	struct manager_conflicts conflicts;
	update(arena, &m, "kubectl", 1, "{}", "{\"spec\":{\"nodeName\":\"a\"}}");
	m.items[0].id.subresource = "status";
	assert_null(apply(arena, &m, "b", 2, "{\"spec\":{\"nodeName\":\"a\"}}", "{\"spec\":{\"nodeName\":\"b\"}}",
		false, &conflicts));
	CLEANUP_STATUS struct status *status = manager_conflicts_status(arena, &conflicts);
	assert_string_equal(status->message, "Apply failed with 1 conflict: conflict with \"kubectl\" with subresource "
					     "\"status\" using v1: .spec.nodeName");
	assert_int_equal(status->code, 409);
}

static void too_many_updaters_are_joined(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct managers m = {0};
	char *before = arena_strdup(arena, "{\"metadata\":{\"annotations\":{\"k\":\"\"}}}");
	for (int i = 0; i < 13; i++) {
		char *after = arena_printf(arena, "{\"metadata\":{\"annotations\":{\"k\":\"\",\"k%d\":\"\"}}}", i);
		update(arena, &m, arena_printf(arena, "m%d", i), i, before, after);
		assert_true(m.n_items <= MANAGERS_MAX_UPDATERS);
	}
	const struct manager_id id = manager_id_of("ancient-changes", false, "v1", "");
	const struct manager *ancient = managers_find(&m, &id);
	assert_non_null(ancient);
	assert_int_equal(ancient->time->seconds, 3);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	fieldset_print(&out, ancient->set);
	assert_string_equal(
		out.buf, "{\"f:metadata\":{\"f:annotations\":{\"f:k0\":{},\"f:k1\":{},\"f:k2\":{},\"f:k3\":{}}}}");
}

static MetaV1ManagedFieldsEntry *entry(
	struct arena *arena, const char *operation, const char *version, const char *type, const char *fields)
{
	MetaV1ManagedFieldsEntry *e = API_NEW(arena, MetaV1ManagedFieldsEntry);
	e->manager = arena_strdup(arena, "m");
	e->operation = arena_strdup(arena, operation);
	e->api_version = arena_strdup(arena, version);
	e->fields_type = arena_strdup(arena, type);
	e->fields_v1 = API_NEW(arena, MetaV1FieldsV1);
	e->fields_v1->raw.data = (uint8_t *)arena_strdup(arena, fields);
	e->fields_v1->raw.len = strlen(fields);
	return e;
}

static void entries_that_cannot_be_read_are_refused(void **state)
{
	static const struct {
		const char *operation, *version, *type, *fields, *error;
	} cases[] = {
		{"Update", "v1", "FieldsV1", "{\"f:a\":{}}", NULL},
		{"Eat", "v1", "FieldsV1", "{}", "operation must be `Apply` or `Update`"},
		{"Apply", "", "FieldsV1", "{}", "apiVersion must not be empty"},
		{"Apply", "v1", "", "{}", "missing fieldsType in managed fields entry 0"},
		{"Apply", "v1", "V2", "{}", "invalid fieldsType \"V2\" in managed fields entry 0"},
		{"Apply", "v1", "FieldsV1", "{\"x\":{}}", "error decoding set: a path element is expected"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		MetaV1ManagedFieldsEntry *e =
			entry(arena, cases[i].operation, cases[i].version, cases[i].type, cases[i].fields);
		struct managers m;
		CLEANUP_STATUS struct status *status = managers_read(arena, &e, 1, false, &m);
		if (!cases[i].error)
			assert_null(status);
		else
			assert_string_equal(status->message, cases[i].error);
	}
}

static void check_stays(bool trusted)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct managers m;
	MetaV1ManagedFieldsEntry *e = entry(arena, "Update", "v1", "FieldsV1", "{\"f:spec\":{\"f:nodeName\":{}}}"),
				 **out;
	MetaV1ManagedFieldsEntry *gone = entry(arena, "Update", "v0", "FieldsV1", "{\"f:spec\":{\"f:nodeName\":{}}}");
	MetaV1ManagedFieldsEntry *both[] = {e, gone};
	size_t n;
	assert_null(managers_read(arena, both, 2, trusted, &m));
	update(arena, &m, "other", 5, "{\"spec\":{}}", "{\"spec\":{\"hostname\":\"h\"}}");
	managers_write(arena, &m, &out, &n);
	assert_int_equal(n, 2); /* that of the version that is gone is forgotten */
	assert_ptr_equal(out[0], e);
	assert_string_equal(out[1]->manager, "other");
	/* And what it owned it can lose. */
	update(arena, &m, "other", 6, "{\"spec\":{\"nodeName\":\"a\"}}", "{\"spec\":{\"nodeName\":\"b\"}}");
	assert_string_equal(told(arena, &m), "other Update @6 {\"f:spec\":{\"f:hostname\":{},\"f:nodeName\":{}}}");
}

static void an_entry_that_stays_is_written_as_it_was_read(void **state)
{
	check_stays(false);
	check_stays(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_owns_what_he_changes),
		cmocka_unit_test(an_apply_names_shares_conflicts_and_prunes),
		cmocka_unit_test(a_single_conflict_is_told_in_a_line),
		cmocka_unit_test(too_many_updaters_are_joined),
		cmocka_unit_test(entries_that_cannot_be_read_are_refused),
		cmocka_unit_test(an_entry_that_stays_is_written_as_it_was_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
