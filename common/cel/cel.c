#include "cel/internal.h"
#include "base/str.h"

struct cel_env *cel_env_new(struct arena *arena, unsigned flags)
{
	struct cel_env *env = ARENA_NEW(arena, struct cel_env);
	env->arena = arena;
	env->flags = flags;
	return env;
}

void cel_env_add(struct cel_env *env, const char *name, const struct cel_type *type)
{
	ARENA_PUSH(env->arena, env->variables, env->n_variables) = (struct variable){name, type, false};
}

void cel_env_add_sized(struct cel_env *env, const char *name, const struct cel_type *type)
{
	ARENA_PUSH(env->arena, env->variables, env->n_variables) = (struct variable){name, type, true};
}

const struct variable *env_variable(const struct cel_env *env, const char *name)
{
	for (size_t i = env->n_variables; i-- > 0;)
		if (!strcmp(env->variables[i].name, name))
			return &env->variables[i];
	return NULL;
}

/* The minor version that has to be able to read what is written now: the one before. */
enum { COMPATIBLE_MINOR = 33 };

bool env_has_library(const struct cel_env *env, const struct cel_library *library)
{
	return library->since <= COMPATIBLE_MINOR || env->flags & CEL_STORED;
}

bool env_has_function(const struct cel_env *env, const char *name)
{
	for (size_t l = 0; l < cel_n_libraries; l++)
		for (size_t i = 0; i < cel_libraries[l]->n_rows && env_has_library(env, cel_libraries[l]); i++)
			if (!strcmp(cel_libraries[l]->rows[i].function, name))
				return true;
	return false;
}

bool is_call(const struct expr *e, const char *function)
{
	return e->kind == EXPR_CALL && !strcmp(e->call.function, function);
}

void expr_walk(struct expr *e, bool (*fn)(struct expr *e, void *data), void *data)
{
	if (!fn(e, data))
		return;
	switch (e->kind) {
	case EXPR_SELECT:
		expr_walk(e->select.operand, fn, data);
		break;
	case EXPR_CALL:
		if (e->call.target)
			expr_walk(e->call.target, fn, data);
		for (size_t i = 0; i < e->call.n_args; i++)
			expr_walk(e->call.args[i], fn, data);
		break;
	case EXPR_LIST:
		for (size_t i = 0; i < e->list.n_items; i++)
			expr_walk(e->list.items[i], fn, data);
		break;
	case EXPR_MAP:
	case EXPR_OBJECT:
		for (size_t i = 0; i < e->map.n_entries; i++) {
			if (e->map.entries[i].key)
				expr_walk(e->map.entries[i].key, fn, data);
			expr_walk(e->map.entries[i].value, fn, data);
		}
		break;
	case EXPR_FOLD: {
		struct expr *parts[] = {e->fold.range, e->fold.init, e->fold.condition, e->fold.step, e->fold.result};
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			expr_walk(parts[i], fn, data);
		break;
	}
	default:
		break;
	}
}

const char *cel_compile(
	struct arena *arena, const struct cel_env *env, const char *expression, struct cel_program **ret_program)
{
	struct cel_source *source = cel_source_new(arena, arena_strdup(arena, expression));
	struct expr *root = cel_parse(source, env->flags);
	if (root)
		cel_check(source, env, root);
	if (root && !source->n_issues)
		cel_check_literals(source, root);
	if (source->n_issues)
		return cel_issues_text(source);
	*ret_program = ARENA_NEW(arena, struct cel_program);
	(*ret_program)->root = root;
	(*ret_program)->text = source->text;
	(*ret_program)->problem = cel_prepare(arena, root);
	return NULL;
}

const struct cel_type *cel_program_type(const struct cel_program *program)
{
	return program->root->type;
}

const char *cel_program_problem(const struct cel_program *program)
{
	return program->problem;
}

struct search {
	const char *name;
	bool found;
};

static bool search_name(struct expr *e, void *data)
{
	struct search *search = data;
	search->found |= e->kind == EXPR_IDENT && !strcmp(e->ident, search->name);
	return !search->found;
}

bool cel_program_uses(const struct cel_program *program, const char *variable)
{
	struct search search = {.name = variable};
	expr_walk(program->root, search_name, &search);
	return search.found;
}
