/* Go templates over trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kubectl/printer.h"

static const char object[] =
	"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\",\"labels\":{\"a/b\":\"c\",\"x\":\"y\"}},\"n\":3,"
	"\"spec\":{\"containers\":[{\"name\":\"one\",\"state\":{\"running\":{}}},{\"name\":\"two\"}]},"
	"\"data\":{\"k\":\"dmFsdWU=\"},\"empty\":[]}";

static const struct {
	const char *template, *out; /* out NULL: refused */
} cases[] = {
	{"plain", "plain"},
	{"{{.metadata.name}}", "web"},
	{"{{ .metadata.name -}} \n x", "webx"},
	{"a {{- /* remark */ -}} b", "ab"},
	{"{{.nope}} {{.nope.deeper}}", "<no value> <no value>"},
	{"{{.metadata.labels}}", "map[a/b:c x:y]"},
	{"{{index .metadata.labels \"a/b\"}}", "c"},
	{"{{(index .spec.containers 1).name}}", "two"},
	{"{{range .spec.containers}}{{.name}} {{end}}", "one two "},
	{"{{range.spec.containers}}{{.name}}{{end}}", "onetwo"},
	{"{{range $i, $c := .spec.containers}}{{if $i}},{{end}}{{$c.name}}{{end}}", "one,two"},
	{"{{range $k, $v := .metadata.labels}}{{$k}}={{$v}};{{end}}", "a/b=c;x=y;"},
	{"{{range .empty}}x{{else}}none{{end}}", "none"},
	{"{{with .metadata}}{{.name}}{{end}}{{with .nope}}x{{else}}-{{end}}", "web-"},
	{"{{if eq .kind \"Pod\" \"Node\"}}yes{{else}}no{{end}}", "yes"},
	{"{{if eq .kind \"Node\"}}a{{else if ne .n 3}}b{{else}}c{{end}}", "c"},
	{"{{if and .kind (not .nope)}}t{{end}}{{if or .nope .n}}u{{end}}", "tu"},
	{"{{range .spec.containers}}{{if (exists . \"state\" \"running\")}}{{.name}}{{end}}{{end}}", "one"},
	{"{{len .spec.containers}} {{gt .n 2}} {{le .n 2}}", "2 true false"},
	{"{{printf \"%s-%q %v%%\" .metadata.name .kind .n}}", "web-\"Pod\" 3%"},
	{"{{.data.k | base64decode}}", "value"},
	{"{{.n | printf \"%v\" | len}}", "1"},
	{"{{$x := .metadata.name}}{{$x}}{{$x = .kind}}{{$x}} {{$.kind}}", "webPod Pod"},
	{"{{\"a\\tb\"}}{{`c`}}", "a\tbc"},
	{"{{println .kind .n}}", "Pod 3\n"},
	{"{{.metadata.name", NULL},
	{"{{end}}", NULL},
	{"{{if .kind}}x", NULL},
	{"{{nope .kind}}", NULL},
	{"{{.kind.deeper}}", NULL},
	{"{{index .spec.containers 7}}", NULL},
	{"{{$unknown}}", NULL},
	{"{{(.kind}}", NULL},
	{"{{.data.k | base64decode | base64decode}}", NULL},
};

static struct status *render(struct arena *arena, const char *text, struct strbuf *out)
{
	cJSON *tree;
	struct template *template;
	TRY(tree_parse(arena, object, strlen(object), NULL, &tree));
	TRY(template_parse(arena, text, &template));
	return template_print(arena, template, tree, true, out);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		CLEANUP_STATUS struct status *s = render(arena, cases[i].template, &out);
		if (!s != !!cases[i].out)
			fail_msg("%s: %s", cases[i].template, s ? s->message : "was not refused");
		if (!s && strcmp(out.buf, cases[i].out))
			fail_msg("%s:\nwant <%s>\ngot  <%s>", cases[i].template, cases[i].out, out.buf);
	}
}

static void test_nesting_is_bounded(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	for (int i = 0; i < 5000; i++)
		strbuf_adds(&text, "{{if .kind}}");
	CLEANUP_STATUS struct status *s = render(arena, text.buf, &out);
	assert_non_null(s);
	strbuf_reset(&text);
	strbuf_adds(&text, "{{");
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&text, '(');
	strbuf_adds(&text, "}}");
	CLEANUP_STATUS struct status *t = render(arena, text.buf, &out);
	assert_non_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nesting_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
