#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/types.h"
#include "api/yaml.h"

/* YAML and the JSON that the original's library makes of it; NULL: an error. */
static const struct {
	const char *yaml, *json;
} readings[] = {
	{"a: .inf", NULL},
	{"a: -.Inf", NULL},
	{"a: \"b\\/c\"", "yaml: found unknown escape character"},
	{"\303\251: \303\251\nb:\n- \"\\\\/\"\n- \"\303\251\n  \\/\"", "yaml: line 5: found unknown escape character"},
	{"\"a\\/b\": c", NULL},
	{"a: 'b\\/c' # \"\\/\"", "{\"a\":\"b\\\\/c\"}"},
	{"a: '.nan'", "{\"a\":\".nan\"}"},
	{"a: b", "{\"a\":\"b\"}"},
	{"a: 1", "{\"a\":1}"},
	{"a: 0x1F", "{\"a\":31}"},
	{"a: 010", "{\"a\":8}"},
	{"a: 0o10", "{\"a\":8}"},
	{"a: 0b11", "{\"a\":3}"},
	{"a: 1_000", "{\"a\":1000}"},
	{"a: 1.5", "{\"a\":1.5}"},
	{"a: 1e3", "{\"a\":1000}"},
	{"a: .5", "{\"a\":0.5}"},
	{"a: 1.", "{\"a\":1}"},
	{"a: -1", "{\"a\":-1}"},
	{"a: +1", "{\"a\":1}"},
	{"a: ~", "{\"a\":null}"},
	{"a:", "{\"a\":null}"},
	{"a: null", "{\"a\":null}"},
	{"a: yes", "{\"a\":true}"},
	{"a: y", "{\"a\":true}"},
	{"a: on", "{\"a\":true}"},
	{"a: off", "{\"a\":false}"},
	{"a: True", "{\"a\":true}"},
	{"a: \"yes\"", "{\"a\":\"yes\"}"},
	{"a: 'x'", "{\"a\":\"x\"}"},
	{"a: 2001-01-01", "{\"a\":\"2001-01-01\"}"},
	{"a: 2001-01-01T00:00:00Z", "{\"a\":\"2001-01-01T00:00:00Z\"}"},
	{"a: 1:20", "{\"a\":\"1:20\"}"},
	{"a: 12345678901234567890", "{\"a\":12345678901234567890}"},
	{"a: 123456789012345678901234567890", "{\"a\":1.2345678901234568e+29}"},
	{"a: 9007199254740993", "{\"a\":9007199254740993}"},
	{"a: [1, b, {c: d}]", "{\"a\":[1,\"b\",{\"c\":\"d\"}]}"},
	{"- 1\n- 2", "[1,2]"},
	{"a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}"},
	{"a: >\n  x\n  y\n", "{\"a\":\"x y\\n\"}"},
	{"a: &x {b: c}\nd: *x", "{\"a\":{\"b\":\"c\"},\"d\":{\"b\":\"c\"}}"},
	{"a: 1\nb: 2\n<<: {a: 5, c: 6}\nc: 7", "{\"a\":5,\"b\":2,\"c\":7}"},
	{"<<: [{a: 1}, {a: 2, b: 3}]", "{\"a\":1,\"b\":3}"},
	{"a: &x {b: c}\nd:\n  <<: *x\n  e: f", "{\"a\":{\"b\":\"c\"},\"d\":{\"b\":\"c\",\"e\":\"f\"}}"},
	{"1: a", "{\"1\":\"a\"}"},
	{"true: a", "{\"true\":\"a\"}"},
	{"1.5: a", "{\"1.5\":\"a\"}"},
	{"\077 a\n: b", "{\"a\":\"b\"}"},
	{"a: !!str 1", "{\"a\":\"1\"}"},
	{"a: !!int \"1\"", "{\"a\":1}"},
	{"a: b: c", NULL},
	{"a: [", NULL},
	{"a: \"\n", NULL},
	{"", "null"},
	{"a: b\n c: d", NULL},
	{"%", NULL},
	{"a: @x", NULL},
	{"a: `x`", NULL},
	{"", "null"},
	{"---\na: b", "{\"a\":\"b\"}"},
	{"a: b\n---\nc: d", "{\"a\":\"b\"}"},
	{"# c\na: b # d", "{\"a\":\"b\"}"},
	{"{\"a\": 1, \"b\": [true, null]}", "{\"a\":1,\"b\":[true,null]}"},
	{"{a: b}", "{\"a\":\"b\"}"},
	{"a: b\na: c", "{\"a\":\"c\"}"},
	{"\"a\"", "\"a\""},
	{"x", "\"x\""},
	{"a: *y", NULL},
	{"a: \"\\u00e9\n\"", "{\"a\":\"\303\251 \"}"},
	{"a: \303\251", "{\"a\":\"\303\251\"}"},
	{"a: 1.0", "{\"a\":1}"},
	{"a: 100000000000000000000.0", "{\"a\":100000000000000000000}"},
	{"a: 1e21", "{\"a\":1e+21}"},
	{"a: 1e-7", "{\"a\":1e-7}"},
	{"a: 0.1", "{\"a\":0.1}"},
	{"a: 1.7976931348623157e308", "{\"a\":1.7976931348623157e+308}"},
	{"a: 0", "{\"a\":0}"},
	{"a: -0", "{\"a\":0}"},
	{"a: 00", "{\"a\":0}"},
	{"a: 08", "{\"a\":8}"},
	{"a: 0x", "{\"a\":\"0x\"}"},
	{"a: 1e", "{\"a\":\"1e\"}"},
	{"a: e1", "{\"a\":\"e1\"}"},
	{"a: 0.0", "{\"a\":0}"},
	{"a: 1__0", "{\"a\":10}"},
	{"a: _1", "{\"a\":\"_1\"}"},
	{"a: - b", NULL},
	{"a:\n- b\n- c", "{\"a\":[\"b\",\"c\"]}"},
	{"a:\n  - b", "{\"a\":[\"b\"]}"},
	{"a: !foo b", "{\"a\":\"b\"}"},
	{"a: {}", "{\"a\":{}}"},
	{"a: []", "{\"a\":[]}"},
	{"\"a b\": c", "{\"a b\":\"c\"}"},
	{"a: \"x: y\"", "{\"a\":\"x: y\"}"},
	{"a: x #y", "{\"a\":\"x\"}"},
	{"a: x#y", "{\"a\":\"x#y\"}"},
	{"a: 123abc", "{\"a\":\"123abc\"}"},
	{"a: 1 2", "{\"a\":\"1 2\"}"},
	{"a: NULL", "{\"a\":null}"},
	{"a: Null", "{\"a\":null}"},
	{"a: nUll", "{\"a\":\"nUll\"}"},
	{"a: TRUE", "{\"a\":true}"},
	{"a: tRue", "{\"a\":\"tRue\"}"},
	{"a: 0b", "{\"a\":\"0b\"}"},
	{"a: 0b2", "{\"a\":\"0b2\"}"},
	{"a: -0x1F", "{\"a\":-31}"},
	{"a: +0x1F", "{\"a\":31}"},
	{"a: -010", "{\"a\":-8}"},
	{"a: 1_000.5", "{\"a\":1000.5}"},
	{"a: 1e+3", "{\"a\":1000}"},
	{"a: 4e3_0", "{\"a\":4e+30}"},
};

static void documents_are_read_as_the_original_reads_them(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		char *json = NULL;
		size_t size;
		CLEANUP_STATUS struct status *status =
			yaml_to_json(arena, readings[i].yaml, strlen(readings[i].yaml), NULL, &json, &size);
		if (!readings[i].json && !status)
			fail_msg("%s: an error is expected, not %s", readings[i].yaml, json);
		if (readings[i].json)
			assert_string_equal(status ? status->message : json, readings[i].json);
	}
}

/* JSON and the YAML that the original writes for it. */
static const struct {
	const char *json, *yaml;
} writings[] = {
	{"{\"k\":\"a\"}", "k: a\n"},
	{"{\"k\":\"\"}", "k: \"\"\n"},
	{"{\"k\":\"1\"}", "k: \"1\"\n"},
	{"{\"k\":\"yes\"}", "k: \"yes\"\n"},
	{"{\"k\":\"y\"}", "k: \"y\"\n"},
	{"{\"k\":\"true\"}", "k: \"true\"\n"},
	{"{\"k\":\"null\"}", "k: \"null\"\n"},
	{"{\"k\":\"~\"}", "k: \"~\"\n"},
	{"{\"k\":\"1.5\"}", "k: \"1.5\"\n"},
	{"{\"k\":\"0x1\"}", "k: \"0x1\"\n"},
	{"{\"k\":\"010\"}", "k: \"010\"\n"},
	{"{\"k\":\"1:20\"}", "k: \"1:20\"\n"},
	{"{\"k\":\"2001-01-01\"}", "k: \"2001-01-01\"\n"},
	{"{\"k\":\"a: b\"}", "k: 'a: b'\n"},
	{"{\"k\":\"a #b\"}", "k: 'a #b'\n"},
	{"{\"k\":\"a#b\"}", "k: a#b\n"},
	{"{\"k\":\"- a\"}", "k: '- a'\n"},
	{"{\"k\":\"-\"}", "k: '-'\n"},
	{"{\"k\":\"--\"}", "k: --\n"},
	{"{\"k\":\"---\"}", "k: '---'\n"},
	{"{\"k\":\"\077\"}", "k: '\077'\n"},
	{"{\"k\":\"\077 a\"}", "k: '\077 a'\n"},
	{"{\"k\":\"!x\"}", "k: '!x'\n"},
	{"{\"k\":\"&a\"}", "k: '&a'\n"},
	{"{\"k\":\"*a\"}", "k: '*a'\n"},
	{"{\"k\":\"@a\"}", "k: '@a'\n"},
	{"{\"k\":\"`a\"}", "k: '`a'\n"},
	{"{\"k\":\"%a\"}", "k: '%a'\n"},
	{"{\"k\":\"\\\"a\\\"\"}", "k: '\"a\"'\n"},
	{"{\"k\":\"'a'\"}", "k: '''a'''\n"},
	{"{\"k\":\"a'b\"}", "k: a'b\n"},
	{"{\"k\":\"a\\\"b\"}", "k: a\"b\n"},
	{"{\"k\":\"{a\"}", "k: '{a'\n"},
	{"{\"k\":\"[a\"}", "k: '[a'\n"},
	{"{\"k\":\"a]\"}", "k: a]\n"},
	{"{\"k\":\"a}\"}", "k: a}\n"},
	{"{\"k\":\"a,b\"}", "k: a,b\n"},
	{"{\"k\":\" a\"}", "k: ' a'\n"},
	{"{\"k\":\"a \"}", "k: 'a '\n"},
	{"{\"k\":\"a\\nb\"}", "k: |-\n  a\n  b\n"},
	{"{\"k\":\"a\\nb\\n\"}", "k: |\n  a\n  b\n"},
	{"{\"k\":\"\\na\"}", "k: |2-\n\n  a\n"},
	{"{\"k\":\"\\t\"}", "k: \"\\t\"\n"},
	{"{\"k\":\"a\\tb\"}", "k: \"a\\tb\"\n"},
	{"{\"k\":\"\\u00e9\"}", "k: \303\251\n"},
	{"{\"k\":\"\\u0001\"}", "k: \"\\x01\"\n"},
	{"{\"k\":\"a\"}", "k: a\n"},
	{"{\"k\":"
	 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
		"k: "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"\n"},
	{"{\"k\":\"word word word word word word word word word word word word word word word word word word word word "
	 "word word word word word word word word word word word word word word word word word word word word\"}",
		"k: word word word word word word word word word word word word word word word word\n  word word word "
		"word word word word word word word word word word word word word\n  word word word word word word "
		"word word\n"},
	{"{\"k\":\"a\\n  b\"}", "k: |-\n  a\n    b\n"},
	{"{\"k\":\" a\\nb\"}", "k: |2-\n   a\n  b\n"},
	{"{\"k\":\"a: \"}", "k: 'a: '\n"},
	{"{\"k\":\"a:b\"}", "k: a:b\n"},
	{"{\"k\":\":a\"}", "k: :a\n"},
	{"{\"k\":\":\"}", "k: ':'\n"},
	{"{\"k\":\"#a\"}", "k: '#a'\n"},
	{"{\"k\":\"|\"}", "k: '|'\n"},
	{"{\"k\":\">\"}", "k: '>'\n"},
	{"{\"k\":\"=\"}", "k: =\n"},
	{"{\"k\":\"<<\"}", "k: <<\n"},
	{"{\"k\":\".\"}", "k: .\n"},
	{"{\"k\":\"..\"}", "k: ..\n"},
	{"{\"k\":\".5\"}", "k: \".5\"\n"},
	{"{\"k\":\"1e3\"}", "k: \"1e3\"\n"},
	{"{\"k\":[2.0,1e3,1e-7,18446744073709551615,18446744073709551616,123456.75]}",
		"k:\n- 2\n- 1000\n- 1e-07\n- 18446744073709551615\n- 1.8446744073709552e+19\n- 123456.75\n"},
	{"{\"k\":\"1_0\"}", "k: \"1_0\"\n"},
	{"{\"k\":\"0b1\"}", "k: \"0b1\"\n"},
	{"{\"k\":\"0o7\"}", "k: \"0o7\"\n"},
	{"{\"k\":\"\\\\\"}", "k: \\\n"},
	{"{\"k\":\"a\\\\b\"}", "k: a\\b\n"},
	{"{\"k\":\"http://x/y\077z=1#f\"}", "k: http://x/y\077z=1#f\n"},
	{"{\"k\":\"k=v\"}", "k: k=v\n"},
	{"{\"k\":\"1.2.3\"}", "k: 1.2.3\n"},
	{"{\"k\":\"1.2.3.4\"}", "k: 1.2.3.4\n"},
	{"{\"k\":\"10.0.0.0/8\"}", "k: 10.0.0.0/8\n"},
	{"{\"k\":\"v1\"}", "k: v1\n"},
	{"{\"k\":\"n\"}", "k: \"n\"\n"},
	{"{\"k\":\"N\"}", "k: \"N\"\n"},
	{"{\"k\":\"on\"}", "k: \"on\"\n"},
	{"{\"k\":\"Off\"}", "k: \"Off\"\n"},
	{"{\"k\":\"\\u007f\"}", "k: \"\\x7F\"\n"},
	{"{\"k\":\"\\u0085\"}", "k: \"\\N\"\n"},
	{"{\"k\":\"+1\"}", "k: \"+1\"\n"},
	{"{\"k\":\"-1\"}", "k: \"-1\"\n"},
	{"{\"k\":\"+\"}", "k: +\n"},
	{"{\"k\":\"123abc\"}", "k: 123abc\n"},
	{"{\"k\":\"1e\"}", "k: 1e\n"},
	{"{\"k\":\"0x\"}", "k: 0x\n"},
	{"{\"k\":\"  \"}", "k: '  '\n"},
	{"{\"k\":\"2001-01-01T00:00:00Z\"}", "k: \"2001-01-01T00:00:00Z\"\n"},
	{"{\"k\":\"12:30\"}", "k: \"12:30\"\n"},
	{"{\"k\":\"!\"}", "k: '!'\n"},
	{"{\"k\":\"!!\"}", "k: '!!'\n"},
	{"{\"k\":\"a: b\\nc: d\\n\"}", "k: |\n  a: b\n  c: d\n"},
	{"{\"k\":\"line one is quite long and goes past the eightieth column for sure, yes it does.\\nsecond\"}",
		"k: |-\n  line one is quite long and goes past the eightieth column for sure, yes it does.\n  "
		"second\n"},
	{"{\"k\":\"key: {\\\"a\\\":\\\"b\\\"}\"}", "k: 'key: {\"a\":\"b\"}'\n"},
	{"{\"k\":\"{}\"}", "k: '{}'\n"},
	{"{\"k\":\"[]\"}", "k: '[]'\n"},
	{"{\"k\":\"{\\\"a\\\":1}\\n\"}", "k: |\n  {\"a\":1}\n"},
	{"{}", "{}\n"},
	{"{\"a\":{},\"b\":[]}", "a: {}\nb: []\n"},
	{"{\"b\":1,\"a\":2,\"a10\":1,\"a2\":2,\"a-b\":1,\"a.b\":2,\"a_b\":3,\"A\":4,\"aB\":5,\"ab\":6,\"1\":7,\"10\":8,"
	 "\"2\":9,\"a1b\":1,\"a01\":2}",
		"\"1\": 7\n\"2\": 9\n\"10\": 8\nA: 4\na: 2\na-b: 1\na.b: 2\na_b: 3\na1b: 1\na01: 2\na2: 2\na10: 1\naB: "
		"5\nab: 6\nb: 1\n"},
	{"{\"a\":[[1,2],[3]]}", "a:\n- - 1\n  - 2\n- - 3\n"},
	{"{\"a\":[{\"b\":1,\"c\":[1]}]}", "a:\n- b: 1\n  c:\n  - 1\n"},
	{"1", "1\n"},
	{"null", "null\n"},
	{"true", "true\n"},
	{"{\"yes\":1,\"1\":2,\"\":3,\"a b\":4,\"a: b\":5}", "\"\": 3\n\"1\": 2\na b: 4\n'a: b': 5\n\"yes\": 1\n"},
};

static void documents_are_written_as_the_original_writes_them(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(writings); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		cJSON *tree = NULL;
		assert_null(tree_parse(arena, writings[i].json, strlen(writings[i].json), NULL, &tree));
		yaml_print_tree(&out, tree);
		assert_string_equal(out.buf, writings[i].yaml);
	}
}

static void streams_hold_many_documents(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {{"a: 1\n---\nb: 2\n---\n\n---\nc: 3\n", 3}, {"", 0}, {"---\n---\n", 0},
		{"{\"a\":1}\n{\"b\":2}", 2}, {"{\"a\":1}\n---\nb: 2\n", 2}, {"# only a comment\n", 0},
		{"{a: b}\n---\nc: d", 2}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct yaml_stream *s = yaml_stream_new(arena, cases[i].text, strlen(cases[i].text));
		cJSON *tree = NULL;
		size_t n = 0;
		for (;; n++) {
			assert_null(yaml_stream_next(s, NULL, &tree));
			if (!tree)
				break;
		}
		assert_int_equal(n, cases[i].n);
	}
}

static void duplicate_keys_are_told_when_strict(void **state)
{
	static const char text[] =
		"kind: ConfigMap\napiVersion: v1\ndata:\n  a: x\n  a: w\nfoo: 1\nmetadata: {}\nmetadata:\n  name: x\n";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct json_strict strict = {0};
	struct json_options options = {.strict = &strict};
	CoreV1ConfigMap *map;

	assert_null(yaml_decode(arena, NULL, text, strlen(text), &options, &map));
	assert_string_equal(map->data[0]->value, "w");
	assert_int_equal(strict.n_errors, 3);
	assert_string_equal(strict.errors[0], "line 5: key \"a\" already set in map");
	/* Where the value begins. */
	assert_string_equal(strict.errors[1], "line 9: key \"metadata\" already set in map");
	assert_string_equal(strict.errors[2], "unknown field \"foo\"");
}

static void hostile_documents_are_refused(void **state)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *tree;

	strbuf_adds(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++)
		strbuf_printf(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1,
			i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	struct status *status = yaml_parse(arena, text.buf, text.len, NULL, &tree);
	assert_non_null(strstr(status->message, "excessive aliasing"));
	status_free(status);
	strbuf_reset(&text);
	for (int i = 0; i < 10000; i++)
		strbuf_adds(&text, "[");
	status = yaml_parse(arena, text.buf, text.len, NULL, &tree);
	assert_non_null(status);
	status_free(status);
}

/* Each would take minutes if members, anchors or merges were searched one by one. */
static void large_documents_are_read_in_one_pass(void **state)
{
	enum { N = 60000 };
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *tree;

	strbuf_adds(&text, "m: &m\n");
	for (int i = 0; i < N; i++)
		strbuf_printf(&text, "  k%d: &a%d 1\n", i, i);
	for (int i = 0; i < N; i++)
		strbuf_printf(&text, "m%d: *a%d\n", i, i % 7);
	for (int i = 0; i < N; i++)
		strbuf_adds(&text, "last: 1\n");
	strbuf_adds(&text, "<<: *m\n");
	assert_null(yaml_parse(arena, text.buf, text.len, NULL, &tree));
	assert_int_equal(tree_size(tree), 2 * N + 2);
	assert_string_equal(tree_to_string(arena, tree_get(tree, "m0"), 0), "1");
}

static void merging_what_is_no_mapping_is_refused(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *const texts[] = {"<<: 0", "<<: [1]", "<<: [{a: 1}, [{b: 1}]]"};
	cJSON *tree;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP_STATUS struct status *status = yaml_parse(arena, texts[i], strlen(texts[i]), NULL, &tree);
		assert_string_equal(status ? status->message : "",
			"error converting YAML to JSON: yaml: map merge requires map or sequence of maps as the value");
		char *json;
		size_t size;
		CLEANUP_STATUS struct status *plain =
			yaml_to_json(arena, texts[i], strlen(texts[i]), NULL, &json, &size);
		assert_string_equal(
			plain ? plain->message : "", "yaml: map merge requires map or sequence of maps as the value");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_read_as_the_original_reads_them),
		cmocka_unit_test(documents_are_written_as_the_original_writes_them),
		cmocka_unit_test(streams_hold_many_documents),
		cmocka_unit_test(duplicate_keys_are_told_when_strict),
		cmocka_unit_test(hostile_documents_are_refused),
		cmocka_unit_test(large_documents_are_read_in_one_pass),
		cmocka_unit_test(merging_what_is_no_mapping_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
