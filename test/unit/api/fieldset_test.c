/* Sets of fields: their text, order and algebra. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/fieldset.h"

static const struct fieldset *parse(struct arena *arena, const char *text)
{
	const struct fieldset *set = NULL;
	CLEANUP_STATUS struct status *status = fieldset_parse(arena, text, strlen(text), &set);
	if (status)
		fail_msg("%s: %s", text, status->message);
	return set;
}

static char *print(struct arena *arena, const struct fieldset *set)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	fieldset_print(&out, set);
	return arena_strdup(arena, out.buf);
}

static void a_text_is_read_and_written_in_one_form(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{"{}", "{}"},
		{"null", "{}"},
		{"{\"f:a\":{}}", "{\"f:a\":{}}"},
		{"{\"f:a\":null}", "{\"f:a\":{}}"},
		{" { \"f:b\" : { \".\" : {}, \"f:c\":{} }, \"f:a\":{} } ",
			"{\"f:a\":{},\"f:b\":{\".\":{},\"f:c\":{}}}"},
		{"{\"f:a\":{\".\":{}}}", "{\"f:a\":{}}"},
		/* Names, keys, values, indices; numbers by their size, strings by their bytes. */
		{"{\"i:0\":{},\"v:\\\"x\\\"\":{},\"v:9\":{},\"v:10\":{},\"v:true\":{},\"k:{\\\"n\\\":\\\"a\\\"}\":{},"
		 "\"f:"
		 "z\":{}}",
			"{\"f:z\":{},\"k:{\\\"n\\\":\\\"a\\\"}\":{},\"v:9\":{},\"v:10\":{},\"v:\\\"x\\\"\":{},\"v:"
			"true\":{},"
			"\"i:0\":{}}"},
		{"{\"k:{\\\"p\\\":443}\":{},\"k:{\\\"p\\\":80}\":{},\"k:{\\\"p\\\":8080}\":{}}",
			"{\"k:{\\\"p\\\":80}\":{},\"k:{\\\"p\\\":443}\":{},\"k:{\\\"p\\\":8080}\":{}}"},
		{"{\"k:{ \\\"b\\\" : 1.50, \\\"a\\\":\\\"x\\\" }\":{}}",
			"{\"k:{\\\"a\\\":\\\"x\\\",\\\"b\\\":1.5}\":{}}"},
		{"{\"k:{\\\"a\\\":\\\"x\\\"}\":{},\"k:{\\\"a\\\":\\\"x\\\",\\\"b\\\":1}\":{}}",
			"{\"k:{\\\"a\\\":\\\"x\\\"}\":{},\"k:{\\\"a\\\":\\\"x\\\",\\\"b\\\":1}\":{}}"},
		/* The same key, written in two ways, is one. */
		{"{\"k:{\\\"a\\\":1,\\\"b\\\":2}\":{\"f:x\":{}},\"k:{\\\"b\\\":2,\\\"a\\\":1}\":{}}",
			"{\"k:{\\\"a\\\":1,\\\"b\\\":2}\":{\".\":{},\"f:x\":{}}}"},
		{"{\"x:what\":{},\"f:a\":{}}", "{\"f:a\":{}}"},
		{"{\"f:a\\\"b\\\\c\\u00e9\":{}}", "{\"f:a\\\"b\\\\c\xc3\xa9\":{}}"},
		{"{\"k:{\\\"p\\\":\\\"<&>\\\"}\":{}}", "{\"k:{\\\"p\\\":\\\"\\\\u003c\\\\u0026\\\\u003e\\\"}\":{}}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct fieldset *set = parse(arena, cases[i].text);
		assert_string_equal(print(arena, set), cases[i].printed);
		assert_true(fieldset_equal(set, parse(arena, cases[i].printed)));
	}
}

/* A set of what comes out of a generator, of any depth and with names that need escapes. */
static const struct fieldset *any_set(struct arena *arena, uint32_t *seed, int depth)
{
	static const char *const names[] = {"a", "spec", "a\"b", "a\\b", "app.kubernetes.io/part-of", "caf\xc3\xa9",
		"x<y>&z", "\x01", "\x7f", "a-name-that-is-longer-than-a-word"};
	static const struct {
		const char *text;
		enum field_element_kind kind;
	} others[] = {{"{\"name\":\"c\"}", FIELD_KEY}, {"{\"containerPort\":80,\"protocol\":\"TCP\"}", FIELD_KEY},
		{"{\"n\":\"a\\\"b\"}", FIELD_KEY}, {"\"x\"", FIELD_VALUE}, {"10", FIELD_VALUE}, {"3", FIELD_INDEX}};
	struct fieldset *set = fieldset_new(arena);
	*seed = *seed * 1103515245 + 12345;
	for (uint32_t n = *seed >> 16 & 7; n > 0; n--) {
		*seed = *seed * 1103515245 + 12345;
		uint32_t pick = (*seed >> 16) % (ARRAY_SIZE(names) + ARRAY_SIZE(others));
		bool named = pick < ARRAY_SIZE(names);
		const char *text = named ? names[pick] : others[pick - ARRAY_SIZE(names)].text;
		struct field_element element = field_name_element(text, strlen(text));
		if (!named)
			element.kind = others[pick - ARRAY_SIZE(names)].kind;
		fieldset_add(arena, set, element, *seed & 1 << 20, depth ? any_set(arena, seed, depth - 1) : NULL);
	}
	return fieldset_finish(arena, set);
}

/* A text that stands as servers write it is read in a quicker way: with a space before it, it is not. */
static void both_ways_of_reading_agree(void **state)
{
	for (uint32_t i = 0; i < 2000; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		uint32_t seed = i;
		const struct fieldset *set = any_set(arena, &seed, 1 + (int)(i % 5));
		const char *text = print(arena, set), *spaced = arena_printf(arena, " %s", text);
		const struct fieldset *quick = parse(arena, text), *slow = parse(arena, spaced);
		assert_true(fieldset_equal(quick, slow));
		assert_true(fieldset_equal(quick, set));
		assert_string_equal(print(arena, quick), text);
	}
}

static void a_text_that_is_no_set_is_refused(void **state)
{
	static const char *const texts[] = {"", "[]", "1", "{\"f:a\":1}", "{\"f:a\":{}", "{\"\":{}}", "{\"a\":{}}",
		"{\"fa\":{}}", "{\"k:{\":{}}", "{\"k:1\":{}}", "{\"v:\":{}}", "{\"v:1 2\":{}}", "{\"i:x\":{}}",
		"{\"f:a\":{}} x"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct fieldset *set;
		CLEANUP_STATUS struct status *status = fieldset_parse(arena, texts[i], strlen(texts[i]), &set);
		if (!status)
			fail_msg("%s is taken for a set", texts[i]);
	}
}

static void depth_is_bounded(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	const struct fieldset *set;
	for (size_t i = 0; i < FIELDSET_MAX_DEPTH + 1; i++)
		strbuf_adds(&text, "{\"f:a\":");
	CLEANUP_STATUS struct status *status = fieldset_parse(arena, text.buf, text.len, &set);
	assert_non_null(status);
	assert_string_equal(status->message, "error decoding set: exceeded max depth");
}

static void sets_are_added_and_subtracted(void **state)
{
	static const struct {
		const char *a, *b, *together, *both, *minus, *without;
	} cases[] = {
		{"{}", "{\"f:a\":{}}", "{\"f:a\":{}}", "{}", "{}", "{}"},
		{"{\"f:a\":{}}", "{}", "{\"f:a\":{}}", "{}", "{\"f:a\":{}}", "{\"f:a\":{}}"},
		{"{\"f:a\":{\".\":{},\"f:b\":{}},\"f:c\":{}}", "{\"f:a\":{\"f:b\":{},\"f:d\":{}}}",
			"{\"f:a\":{\".\":{},\"f:b\":{},\"f:d\":{}},\"f:c\":{}}", "{\"f:a\":{\"f:b\":{}}}",
			"{\"f:a\":{},\"f:c\":{}}", "{\"f:a\":{},\"f:c\":{}}"},
		/* A parent does not stand for what is below it, save where it takes all along. */
		{"{\"f:a\":{\"f:b\":{}}}", "{\"f:a\":{}}", "{\"f:a\":{\".\":{},\"f:b\":{}}}", "{}",
			"{\"f:a\":{\"f:b\":{}}}", "{}"},
		{"{\"f:a\":{}}", "{\"f:a\":{\"f:b\":{}}}", "{\"f:a\":{\".\":{},\"f:b\":{}}}", "{}", "{\"f:a\":{}}",
			"{\"f:a\":{}}"},
		{"{\"f:a\":{},\"f:b\":{},\"f:c\":{}}", "{\"f:b\":{},\"f:d\":{}}",
			"{\"f:a\":{},\"f:b\":{},\"f:c\":{},\"f:d\":{}}", "{\"f:b\":{}}", "{\"f:a\":{},\"f:c\":{}}",
			"{\"f:a\":{},\"f:c\":{}}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct fieldset *a = parse(arena, cases[i].a), *b = parse(arena, cases[i].b);
		assert_string_equal(print(arena, fieldset_union(arena, a, b)), cases[i].together);
		assert_string_equal(print(arena, fieldset_intersection(arena, a, b)), cases[i].both);
		assert_string_equal(print(arena, fieldset_difference(arena, a, b)), cases[i].minus);
		assert_string_equal(print(arena, fieldset_without(arena, a, b)), cases[i].without);
		/* Nothing was changed, and what stays as it was is the same. */
		assert_string_equal(print(arena, a), cases[i].a);
		if (fieldset_equal(a, fieldset_difference(arena, a, b)) && a)
			assert_ptr_equal(a, fieldset_difference(arena, a, b));
	}
}

static void add_line(void *data, const char *path)
{
	strbuf_printf(data, "%s\n", path);
}

static void paths_are_told_as_people_read_them(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const struct fieldset *set = parse(arena,
		"{\"f:a\":{\"f:b\":{}},\"f:l\":{\".\":{},\"k:{\\\"p\\\":80,\\\"q\\\":\\\"x\\\"}\":{\".\":{},"
		"\"f:p\":{}},\"v:\\\"<y>\\\"\":{},\"i:3\":{}},\"f:z\":{}}");
	fieldset_each(set, add_line, &out);
	assert_string_equal(out.buf, ".l\n.z\n.a.b\n.l[p=80,q=\"x\"]\n.l[=\"<y>\"]\n.l[3]\n.l[p=80,q=\"x\"].p\n");
}

static void paths_are_made_and_found(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const field_path paths[] = {{"spec", "replicas"}, {"status"}};
	static const char *const spec[] = {"spec", NULL}, *const missing[] = {"spec", "x", NULL};
	const struct fieldset *set = fieldset_of_paths(arena, paths, ARRAY_SIZE(paths));
	assert_string_equal(print(arena, set), "{\"f:spec\":{\"f:replicas\":{}},\"f:status\":{}}");
	assert_true(fieldset_has_path(set, paths[0]));
	assert_true(fieldset_has_path(set, paths[1]));
	assert_false(fieldset_has_path(set, spec));
	assert_false(fieldset_has_path(set, missing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_read_and_written_in_one_form),
		cmocka_unit_test(both_ways_of_reading_agree),
		cmocka_unit_test(a_text_that_is_no_set_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(sets_are_added_and_subtracted),
		cmocka_unit_test(paths_are_told_as_people_read_them),
		cmocka_unit_test(paths_are_made_and_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
