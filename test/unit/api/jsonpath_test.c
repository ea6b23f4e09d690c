#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/jsonpath.h"

static const char document[] =
	"{\"kind\":\"List\",\"items\":[{\"metadata\":{\"name\":\"a\",\"labels\":{\"k8s.io/"
	"x\":\"1\",\"y\":\"2\"}},\"n\":1,\"f\":1.5,\"b\":true,\"l\":[1,2,3],\"z\":null},{\"metadata\":{\"name\":\"b\"},"
	"\"n\":20,\"l\":[]},{\"metadata\":{\"name\":\"c\"},\"n\":3}],\"e\":{},\"s\":\"<x>\"}";

/* The wanted texts are what kubectl's library prints, missing keys allowed; NULL: an error. */
static const struct {
	const char *template, *want;
} cases[] = {
	{"{.kind}", "List"},
	{"{.items[*].metadata.name}", "a b c"},
	{"{.items[0].metadata.name}", "a"},
	{"{.items[-1].metadata.name}", "c"},
	{"{.items[0:2].n}", "1 20"},
	{"{.items[1:].n}", "20 3"},
	{"{.items[:2].n}", "1 20"},
	{"{.items[::2].n}", "1 3"},
	{"{.items[5]}", NULL},
	{"{.items[?(@.n==+20)].metadata.name}", "b"},
	{"{.items[?(@.f>1.25)].n}", "1"},
	{"{.items[?(@.n>-1)].n}", "1 20 3"},
	{"{-x}", NULL},
	{"{.items[?(@.n>2)].metadata.name}", "b c"},
	{"{.items[?(@.metadata.name==\"b\")].n}", "20"},
	{"{.items[?(@.f)].n}", "1"},
	{"{.items[?(@.b==true)].n}", "1"},
	{"{range .items[*]}{.metadata.name}{\"\\t\"}{.n}{\"\\n\"}{end}", "a	1\nb	20\nc	3\n"},
	{"{range .items[*]}[{.metadata.name}, {.n}] {end}", "[a, 1] [b, 20] [c, 3] "},
	{"{..name}", "a b c"},
	{"{.items[*].metadata.labels.k8s\\.io/x}", "1"},
	{"{.items[0]['n','f']}", "1 1.5"},
	{"{.nope}", ""},
	{"{.items[*].nope}", ""},
	{"{.items[0,2].n}", "1 3"},
	{"text {.kind} more", "text List more"},
	{"{.e}", "{}"},
	{"{.items[0].metadata}", "{\"labels\":{\"k8s.io/x\":\"1\",\"y\":\"2\"},\"name\":\"a\"}"},
	{"{.items[0].l}", "[1,2,3]"},
	{"{.items[0].f}", "1.5"},
	{"{.items[0].z}", "null"},
	{"{.s}", "<x>"},
	{"{@}", "{\"e\":{},\"items\":[{\"b\":true,\"f\":1.5,\"l\":[1,2,3],\"metadata\":{\"labels\":{\"k8s.io/"
		"x\":\"1\",\"y\":\"2\"},\"name\":\"a\"},\"n\":1,\"z\":null},{\"l\":[],\"metadata\":{\"name\":\"b\"},"
		"\"n\":20},{\"metadata\":{\"name\":\"c\"},\"n\":3}],\"kind\":\"List\",\"s\":\"\\u003cx\\u003e\"}"},
	{"{$.kind}", "List"},
	{"{.items[*]}", "{\"b\":true,\"f\":1.5,\"l\":[1,2,3],\"metadata\":{\"labels\":{\"k8s.io/"
			"x\":\"1\",\"y\":\"2\"},\"name\":\"a\"},\"n\":1,\"z\":null} "
			"{\"l\":[],\"metadata\":{\"name\":\"b\"},\"n\":20} {\"metadata\":{\"name\":\"c\"},\"n\":3}"},
	{"{\"a\"}", "a"},
	{"{'b'}", "b"},
	{"{1}", "1"},
	{"{true}", "true"},
	{"{range .items[*]}{range .l[*]}{@}-{end};{end}", "1-2-3-;;;"},
	{"{", NULL},
	{"{.kind", NULL},
	{"{end}", NULL},
	{"{range .items[*]}{.n}", "1203"},
	{"{.items[?(@.n>2].n}", NULL},
	{"{.items[a]}", NULL},
	{"{.kind}{.kind}", "ListList"},
	{"{.items[0].metadata.labels}", "{\"k8s.io/x\":\"1\",\"y\":\"2\"}"},
	{"kind", "kind"},
	{"{.items[?(@.n!=1)].n}", "20 3"},
	{"{.items[?(@.n<=3)].n}", "1 3"},
	{"{.items[?(@.metadata.name!=\"b\")].metadata.name}", "a c"},
	{"{range .nope[*]}{.x}{end}end", "end"},
	{"{.items[0].l[0:2]}", "1 2"},
	{"{.items[0].l[2:1]}", NULL},
	{"{.items[0].l[0:0]}", ""},
	{"{.kind[0]}", NULL},
	{"{ .kind }", "List"},
	{"{[0]}", NULL},
	{"{.items[?(@.l[0]==1)].n}", NULL},
	{"{.items[?(@.metadata.labels['y']=='2')].n}", "1"},
	{"{.items..name}", "a b c"},
	{"{range .items[0,1]}{.n};{end}", "1;20;"},
};

static struct status *print(struct arena *arena, const char *template, bool allow_missing, struct strbuf *out)
{
	struct jsonpath *path;
	cJSON *tree;

	TRY(tree_parse(arena, document, strlen(document), NULL, &tree));
	TRY(jsonpath_parse(arena, template, &path));
	jsonpath_allow_missing(path, allow_missing);
	return jsonpath_print(path, tree, out);
}

static void templates_print_what_kubectl_prints(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		CLEANUP_STATUS struct status *status = print(arena, cases[i].template, true, &out);
		if (!cases[i].want && !status)
			fail_msg("%s: an error is expected, not %s", cases[i].template, out.buf);
		if (cases[i].want)
			assert_string_equal(status ? status->message : out.buf, cases[i].want);
	}
}

static void missing_keys_are_errors_when_not_allowed(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CLEANUP_STATUS struct status *status = print(arena, "{.nope}", false, &out);

	assert_string_equal(status->message, "nope is not found");
}

/* Each ".." looks at all below what the one before found: hundreds of them are refused instead of never ending. */
static void paths_that_lead_to_everything_again_and_again_end(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT, template = STRBUF_INIT;

	strbuf_adds(&template, "{");
	for (size_t i = 0; i < 200; i++)
		strbuf_adds(&template, "..");
	strbuf_adds(&template, "}");
	CLEANUP_STATUS struct status *status = print(arena, template.buf, true, &out);
	assert_string_equal(status->message, "the path leads to too many values");
	assert_int_equal(out.len, 0);
	assert_null(print(arena, "{range .items[*]}{..name}{range ..}{..name}{end}{end}", true, &out));
}

static void a_path_may_look_at_all_of_a_large_document(void **state)
{
	enum { N_ITEMS = 200000 };
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT, text = STRBUF_INIT;
	struct jsonpath *path;
	cJSON *list;

	for (size_t i = 0; i < N_ITEMS; i++)
		strbuf_adds(&text, i ? ",{\"a\":\"x\"}" : "[{\"a\":\"x\"}");
	strbuf_addc(&text, ']');
	assert_null(tree_parse(arena, text.buf, text.len, NULL, &list));
	assert_null(jsonpath_parse(arena, "{..a}", &path));
	assert_null(jsonpath_print(path, list, &out));
	assert_int_equal(out.len, 2 * N_ITEMS - 1);
}

static void relaxed_paths(void **state)
{
	static const char *const cases_[][2] = {{"x.y", "{.x.y}"}, {".x.y", "{.x.y}"}, {"{x.y}", "{.x.y}"},
		{"{.x.y}", "{.x.y}"}, {"{x", NULL}, {"", NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(cases_); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		char *text = NULL;
		status_drop(jsonpath_relax(arena, cases_[i][0], &text), "the table tells");
		assert_int_equal(text == NULL, cases_[i][1] == NULL);
		if (text)
			assert_string_equal(text, cases_[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_print_what_kubectl_prints),
		cmocka_unit_test(missing_keys_are_errors_when_not_allowed),
		cmocka_unit_test(paths_that_lead_to_everything_again_and_again_end),
		cmocka_unit_test(a_path_may_look_at_all_of_a_large_document),
		cmocka_unit_test(relaxed_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
