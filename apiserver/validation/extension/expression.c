#include "apiserver/validation/extension/expression.h"
#include "base/str.h"

enum { MAX_DEVICE_EXPRESSION_BYTES = 10 * 1024 };

static bool is_one_of(const struct cel_type *type, const struct cel_type *const *types)
{
	if (!types || !*types)
		return true;
	for (; *types; types++)
		if (cel_type_equal(type, *types))
			return true;
	return false;
}

/* "must evaluate to bool but got int" */
static const char *wrong_type(struct arena *arena, const struct cel_type *type, const struct cel_type *const *types)
{
	const char *got = cel_type_full_text(arena, type), *wanted = cel_type_full_text(arena, types[0]);
	if (!types[1])
		return arena_printf(arena, "must evaluate to %s but got %s", wanted, got);
	for (size_t i = 1; types[i]; i++)
		wanted = arena_printf(arena, "%s %s", wanted, cel_type_full_text(arena, types[i]));
	return arena_printf(arena, "must evaluate to one of [%s] but got %s", wanted, got);
}

static void tell_unusable(struct field_errors *errors, const struct field_path *path, const struct cel_program *program)
{
	field_internal(errors, path,
		arena_printf(errors->arena, "program instantiation failed: %s", cel_program_problem(program)));
}

const struct cel_type *validate_admission_expression(struct field_errors *errors, const struct field_path *path,
	const struct cel_env *env, const char *expression, const char *shown, const struct cel_type *const *types)
{
	struct cel_program *program;
	const char *problem = cel_compile(errors->arena, env, expression, &program);
	if (problem) {
		field_invalid(errors, path, shown, arena_printf(errors->arena, "compilation failed: %s", problem));
		return NULL;
	}
	const struct cel_type *type = cel_program_type(program);
	if (!is_one_of(type, types))
		field_invalid(errors, path, shown, wrong_type(errors->arena, type, types));
	else if (cel_program_problem(program))
		tell_unusable(errors, path, program);
	else
		return type;
	return NULL;
}

void validate_device_expression(
	struct field_errors *errors, const struct field_path *path, const char *expression, bool stored)
{
	struct arena *arena = errors->arena;
	if (strlen(expression) > MAX_DEVICE_EXPRESSION_BYTES) {
		field_too_long(errors, path, MAX_DEVICE_EXPRESSION_BYTES);
		return;
	}
	struct cel_env *env = cel_env_device(arena, stored);
	struct cel_program *program;
	const char *problem = cel_compile(arena, env, expression, &program);
	if (problem) {
		field_invalid(errors, path, expression, arena_printf(arena, "compilation failed: %s", problem));
		return;
	}
	const struct cel_type *type = cel_program_type(program);
	if (!cel_type_equal(type, &cel_bool) && !cel_type_equal(type, &cel_any))
		field_invalid(errors, path, expression,
			arena_printf(arena, "must evaluate to bool or the unknown type, not %s",
				cel_type_full_text(arena, type)));
	else if (cel_program_problem(program))
		tell_unusable(errors, path, program);
	else if (cel_estimate(arena, env, program).max > CEL_DEVICE_MAX_COST)
		field_forbidden(errors, path, "too complex, exceeds cost limit");
}
