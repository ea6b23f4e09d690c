/*
 * Any text as an expression: it is refused with a sentence, or it has a type, an estimate of its cost, and a value or
 * an error, for no more than the cost that it may have.
 */
#include "cel/cel.h"
#include "cel/environment.h"
#include "test/fuzz/target.h"

enum { MAX_COST = 100000 };

static const char object[] =
	"{\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"replicas\":3,\"list\":[1,\"a\",null,"
	"2.5,{\"k\":[true]}]}}";

static void run(struct arena *arena, struct cel_env *env, const char *text)
{
	struct cel_program *program = NULL;
	cJSON *tree = NULL;
	uint64_t cost = 0;
	const char *problem = cel_compile(arena, env, text, &program);
	if (problem) {
		if (strncmp(problem, "ERROR: <input>:", 15) != 0)
			abort();
		return;
	}
	struct cel_range range = cel_estimate(arena, env, program);
	if (!cel_type_text(arena, cel_program_type(program)))
		abort();
	fuzz_ok("object", tree_parse(arena, object, strlen(object), NULL, &tree));
	const struct cel_binding bindings[] = {{"object", cel_tree_of(arena, tree)},
		{"device", cel_tree_of(arena, tree)}, {"request", cel_tree_of(arena, tree)}};
	struct cel_value v = cel_eval(arena, program, bindings, 3, MAX_COST, &cost);
	(void)range;
	if (!cel_type_name(v))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (size > 1024)
		return 0;
	char *text = arena_strndup(arena, (const char *)data, size);
	run(arena, cel_env_device(arena, true), text);
	run(arena, cel_env_admission(arena, ADMISSION_STORED, NULL), text);
	return 0;
}
