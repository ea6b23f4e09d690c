#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/flags.h"
#include "base/str.h"
#include "cel/eval.h"
#include "test/unit/cel/answers.h"

static const char *show(struct arena *arena, struct cel_value v);

static const char *show_list(struct arena *arena, const struct cel_list *list)
{
	const char *text = "[";
	for (size_t i = 0; i < list->n_items; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", show(arena, cel_item(arena, list, i)));
	return arena_printf(arena, "%s]", text);
}

static const char *show_opaque(struct arena *arena, const struct cel_value v)
{
	if (cel_is_optional(v))
		return v.opaque->present ? arena_printf(arena, "optional(%s)", show(arena, v.opaque->value))
					 : "optional.none()";
	return !strcmp(v.opaque->type->name, cel_quantity.name) ? quantity_format(arena, v.opaque->data)
								: v.opaque->value.text.data;
}

static const char *show(struct arena *arena, struct cel_value v)
{
	char buf[40];
	switch (v.kind) {
	case CEL_STRING:
		return cel_quoted(arena, arena_strndup(arena, v.text.data, v.text.size));
	case CEL_BYTES:
		return arena_printf(arena, "b%s", cel_quoted(arena, arena_strndup(arena, v.text.data, v.text.size)));
	case CEL_UINT:
		return arena_printf(arena, "%lluu", (unsigned long long)v.natural);
	case CEL_DOUBLE:
		return arena_printf(arena, "double(%s)", cel_double_text(arena, v.number));
	case CEL_TIMESTAMP:
		v.time.zone = 0;
		return arena_printf(arena, "timestamp(%s)", cel_timestamp_text(arena, v.time));
	case CEL_DURATION:
		return arena_printf(arena, "duration(%s)", duration_format(v.integer, buf));
	case CEL_NULL:
		return "null";
	case CEL_TYPE:
		return cel_type_full_name(v.type);
	case CEL_LIST:
		return show_list(arena, v.list);
	case CEL_OPAQUE:
	case CEL_OBJECT:
		return show_opaque(arena, v);
	default:
		return cel_value_text(arena, v);
	}
}

static cJSON *tree(struct arena *arena, const char *text)
{
	cJSON *node = NULL;
	assert_null(tree_parse(arena, text, strlen(text), NULL, &node));
	return node;
}

static struct cel_env *make_env(struct arena *arena)
{
	struct cel_env *env = cel_env_new(arena, CEL_STORED | CEL_BINDINGS);
	cel_env_add(env, "dynv", &cel_dyn);
	cel_env_add(env, "s", &cel_string);
	cel_env_add(env, "n", &cel_int);
	cel_env_add(env, "l", cel_type_list(arena, &cel_string));
	cel_env_add(env, "m", cel_type_map(arena, &cel_string, &cel_int));
	cel_env_add(env, "authorizer", &cel_authorizer);
	return env;
}

static bool agrees(const char *expression, const char *what, const char *expected, const char *actual)
{
	if (str_eq(expected, actual))
		return true;
	print_message("%s\n  %s: expected %s\n  but got %s\n", expression, what, str_or_empty(expected),
		str_or_empty(actual));
	return false;
}

static const char *number(struct arena *arena, uint64_t n)
{
	return n == UINT64_MAX ? "max" : arena_printf(arena, "%llu", (unsigned long long)n);
}

static bool evaluates(struct arena *arena, const struct cel_program *program, size_t i)
{
	const char *e = answers[i].expression;
	uint64_t cost = 0;
	const struct cel_binding bindings[] = {
		{"dynv", cel_tree_of(arena, tree(arena, "{\"a\":1,\"b\":\"x\",\"c\":[1,\"y\"],\"n\":null}"))},
		{"s", cel_text_of("h\303\251llo w\303\266rld")},
		{"n", CEL_INT_VALUE(7)},
		{"l", cel_tree_of(arena, tree(arena, "[\"a\",\"b\",\"c\"]"))},
		{"m", cel_tree_of(arena, tree(arena, "{\"x\":1}"))},
	};
	struct cel_value v = cel_eval(arena, program, bindings, ARRAY_SIZE(bindings), 1000000, &cost);
	return agrees(e, "error", answers[i].error, cel_failed(v) ? v.text.data : NULL) &&
	       agrees(e, "value", answers[i].value, cel_failed(v) ? NULL : show(arena, v)) &&
	       agrees(e, "cost", answers[i].cost, number(arena, cost));
}

static bool check(size_t i)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *e = answers[i].expression;
	struct cel_env *env = make_env(arena);
	struct cel_program *program = NULL;
	const char *problem = cel_compile(arena, env, e, &program);
	if (problem)
		return agrees(e, "problem", answers[i].problem, problem);
	struct cel_range cost = cel_estimate(arena, env, program);
	bool good = agrees(e, "type", answers[i].type, cel_type_text(arena, cel_program_type(program))) &&
		    agrees(e, "estimate", answers[i].min_cost, number(arena, cost.min)) &&
		    agrees(e, "estimate", answers[i].max_cost, number(arena, cost.max));
	if (cel_program_problem(program))
		return good && agrees(e, "problem", answers[i].problem,
				       arena_printf(arena, "program: %s", cel_program_problem(program)));
	return good && agrees(e, "problem", answers[i].problem, NULL) && evaluates(arena, program, i);
}

static void test_answers(void **state)
{
	size_t n_wrong = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		n_wrong += !check(i);
	assert_int_equal(n_wrong, 0);
}

/* What costs too much ends, whatever absorbs other errors. */
static void test_limit(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cel_program *program;
	uint64_t cost;
	(void)state;
	assert_null(cel_compile(arena, make_env(arena),
		"lists.range(1000).all(i, lists.range(1000).all(j, i + j >= 0)) || true", &program));
	struct cel_value v = cel_eval(arena, program, NULL, 0, 10000, &cost);
	assert_true(cel_failed(v));
	assert_string_equal(v.text.data, "operation cancelled: actual cost limit exceeded");
	assert_true(cost > 10000 && cost < 20000);
	assert_null(cel_compile(arena, make_env(arena), "lists.range(100000).distinct().size() > 0", &program));
	assert_true(cel_failed(cel_eval(arena, program, NULL, 0, 1000000, &cost)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
