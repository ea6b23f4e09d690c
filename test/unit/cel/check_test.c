#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/str.h"
#include "cel/environment.h"

/* What does not compile, and how it is said. */
static const struct {
	const char *expression, *problem;
} problems[] = {
	{"", "ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', "
	     "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"},
	{"1 1", "ERROR: <input>:1:3: Syntax error: extraneous input '1' expecting <EOF>\n | 1 1\n | ..^"},
	{"a.", "ERROR: <input>:1:3: Syntax error: no viable alternative at input '.'\n | a.\n | ..^"},
	{"(1", "ERROR: <input>:1:3: Syntax error: missing ')' at '<EOF>'\n | (1\n | ..^"},
	{"[1,2", "ERROR: <input>:1:5: Syntax error: mismatched input '<EOF>' expecting {']', ','}\n | [1,2\n | ....^"},
	{"a.true", "ERROR: <input>:1:3: Syntax error: mismatched input 'true' expecting IDENTIFIER\n | a.true\n | ..^"},
	{"x@y", "ERROR: <input>:1:2: Syntax error: token recognition error at: '@'\n | x@y\n | .^\n"
		"ERROR: <input>:1:3: Syntax error: extraneous input 'y' expecting <EOF>\n | x@y\n | ..^"},
	{"if", "ERROR: <input>:1:1: reserved identifier: if\n | if\n | ^"},
	{"has(a)", "ERROR: <input>:1:5: invalid argument to has() macro\n | has(a)\n | ....^"},
	{"[1].all(1, true)", "ERROR: <input>:1:9: argument must be a simple name\n | [1].all(1, true)\n | ........^"},
	{"9223372036854775808", "ERROR: <input>:1:1: invalid int literal\n | 9223372036854775808\n | ^"},
	{"foo.bar()", "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo.bar()\n | ^\n"
		      "ERROR: <input>:1:8: undeclared reference to 'bar' (in container '')\n | foo.bar()\n | .......^"},
	{"'\303\251' +\n x", "ERROR: <input>:2:2: undeclared reference to 'x' (in container '')\n |  x\n | .^"},
	{"'\303\251' + x", "ERROR: <input>:1:7: undeclared reference to 'x' (in container '')\n | '\303\251' + x\n"
			   " | .\357\274\216....^"},
	{"1 + 'a'", "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n"
		    " | 1 + 'a'\n | ..^"},
	{"'a'.contains(1)", "ERROR: <input>:1:13: found no matching overload for 'contains' applied to "
			    "'string.(int)'\n | 'a'.contains(1)\n | ............^"},
	{"1 && true", "ERROR: <input>:1:1: expected type 'bool' but found 'int'\n | 1 && true\n | ^"},
	{"[1, 'a']", "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^"},
	{"device.foo", "ERROR: <input>:1:7: undefined field 'foo'\n | device.foo\n | ......^"},
	{"device.driver.foo",
		"ERROR: <input>:1:14: type 'string' does not support field selection\n | device.driver.foo\n"
		" | .............^"},
};

static void test_problems(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(problems); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct cel_program *program;
		const char *problem = cel_compile(arena, cel_env_device(arena, true), problems[i].expression, &program);
		assert_non_null(problem);
		assert_string_equal(problem, problems[i].problem);
	}
}

/* What it evaluates to, and what it may cost at most; devices have sizes that are known. */
static const struct {
	const char *expression, *type;
	uint64_t max_cost;
} programs[] = {
	{"device.driver == 'x'", "bool", 3},
	{"device.attributes['x'].y.startsWith('z')", "bool", 5},
	{"device.attributes['x'].y", "any", 4},
	{"device.attributes.exists(k, device.attributes[k].exists(n, n == 'a'))", "bool", 6435},
	{"device.driver.matches('^a.*b$')", "bool", 16},
	{"device.capacity['x'].y.compareTo(quantity('1Gi')) >= 0", "bool", 7},
	{"[1, 2].map(x, x * 2)", "list(int)", 0},
	{"{'a': [1]}", "map(string, list(int))", 0},
	{"[]", "list(dyn)", 10},
	{"cel.bind(d, device.attributes['x'], d.y && d.z)", "bool", 17},
	{"optional.of(1).optMap(x, x + 1)", "optional_type(int)", 0},
	{"timestamp('2020-01-01T00:00:00Z') + duration('1h')", "timestamp", 3},
	{"[device.driver].distinct()", "list(string)", 0},
	{"device.driver.replace('a', 'bb').size() > 2 || device.attributes['a'].b in ['x', 'y']", "bool", 33},
	{"device.attributes.map(k, device.attributes[k].map(n, n + k)).exists(l, l.exists(s, s.contains('abc')))",
		"bool", UINT64_MAX},
};

static void test_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct cel_env *env = cel_env_device(arena, true);
		struct cel_program *program = NULL;
		const char *problem = cel_compile(arena, env, programs[i].expression, &program);
		assert_null(problem);
		assert_string_equal(cel_type_text(arena, cel_program_type(program)), programs[i].type);
		if (programs[i].max_cost)
			assert_int_equal(cel_estimate(arena, env, program).max, programs[i].max_cost);
	}
}

/* What came with this version may be used only where it is stored already. */
static void test_versions(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cel_program *program;
	(void)state;
	assert_null(cel_compile(arena, cel_env_device(arena, true), "[1].distinct()", &program));
	assert_string_equal(cel_compile(arena, cel_env_device(arena, false), "[1].distinct()", &program),
		"ERROR: <input>:1:13: undeclared reference to 'distinct' (in container '')\n | [1].distinct()\n"
		" | ............^");
}

/* Depth and size are bounded: of what nests, of what macros multiply, of types made of types. */
static void test_bounds(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	struct cel_program *program;
	(void)state;
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&text, '(');
	assert_string_equal(cel_compile(arena, cel_env_device(arena, true), text.buf, &program),
		"ERROR: <input>:-1:0: expression recursion limit exceeded: 250");
	strbuf_reset(&text);
	strbuf_adds(&text, "device");
	for (int i = 0; i < 300; i++)
		strbuf_adds(&text, ".a");
	assert_string_equal(cel_compile(arena, cel_env_device(arena, true), text.buf, &program),
		"ERROR: <input>:-1:0: max recursion depth exceeded");
	strbuf_reset(&text);
	strbuf_adds(&text, "optional.of(1)");
	for (int i = 0; i < 60; i++)
		strbuf_adds(&text, ".optMap(x, x)");
	assert_non_null(cel_compile(arena, cel_env_device(arena, true), text.buf, &program));
	strbuf_reset(&text);
	for (int i = 0; i < 60; i++)
		strbuf_printf(
			&text, "cel.bind(v%d, {%s: 1}, ", i, i ? arena_printf(arena, "[v%d, v%d]", i - 1, i - 1) : "1");
	strbuf_adds(&text, "1");
	for (int i = 0; i < 60; i++)
		strbuf_addc(&text, ')');
	cel_compile(arena, cel_env_device(arena, true), text.buf, &program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
