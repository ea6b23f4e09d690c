/* Elastic columns: what stands in a table is the rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kubectl/tabwriter.h"

static const struct {
	const char *name;
	size_t min_width, padding;
	const char *in, *out;
} cases[] = {
	{"columns share the widest cell", 6, 3, "NAME\tAGE\na-long-name\t5s\n",
		"NAME          AGE\na-long-name   5s\n"},
	{"a column has a least width", 6, 3, "A\tB\n", "A     B\n"},
	{"a line without cells ends a block", 0, 2, "a\tb\nx\nlonger\tc\n", "a  b\nx\nlonger  c\n"},
	{"an empty cell keeps its place", 0, 2, "a\t\tc\n\tb\tc\n", "a     c\n   b  c\n"},
	{"width counts characters, not bytes", 0, 1, "\xc3\xa9\tx\nab\ty\n", "\xc3\xa9  x\nab y\n"},
	{"text after the last tab has no column", 0, 2, "k:\tv\nkey:\tvalue with  spaces\n",
		"k:    v\nkey:  value with  spaces\n"},
	{"inner blocks are laid out inside outer ones", 0, 1, "a\tb\tc\na\tbbb\tc\nlong\tb\n",
		"a    b   c\na    bbb c\nlong b\n"},
};

static void test_layout(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		struct tabwriter w;
		tabwriter_init(&w, arena, cases[i].min_width, cases[i].padding, false, NULL);
		tabwriter_adds(&w, cases[i].in);
		tabwriter_layout(&w, &out);
		strbuf_done(&w.text);
		if (strcmp(out.buf, cases[i].out))
			fail_msg("%s:\nwant <%s>\ngot  <%s>", cases[i].name, cases[i].out, out.buf);
	}
}

static void test_remembers_widths(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct tabwriter w;
	tabwriter_init(&w, arena, 6, 3, true, NULL);
	tabwriter_adds(&w, "a-long-name\tx\n");
	tabwriter_layout(&w, &out);
	tabwriter_adds(&w, "short\tx\n");
	tabwriter_layout(&w, &out);
	tabwriter_forget(&w);
	tabwriter_adds(&w, "short\tx\n");
	tabwriter_layout(&w, &out);
	assert_string_equal(out.buf, "a-long-name   x\nshort         x\nshort   x\n");
	strbuf_done(&w.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_remembers_widths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
