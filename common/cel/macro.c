/* Macros: calls that stand for other expressions. All that a macro makes stands where its call does. */
#include "cel/ast.h"
#include "cel/cel.h"
#include "base/str.h"

struct macro_call {
	struct cel_source *source;
	struct arena *arena;
	struct expr *target, **args;
	size_t n_args;
	int32_t at;
	bool *failed;
};

static struct expr *fail(struct macro_call *m, const struct expr *arg, const char *message)
{
	cel_issue(m->source, arg->at, "%s", message);
	*m->failed = true;
	return expr_new(m->arena, EXPR_NONE, m->at);
}

static struct expr *new_ident(struct macro_call *m, const char *name)
{
	struct expr *e = expr_new(m->arena, EXPR_IDENT, m->at);
	e->ident = name;
	return e;
}

static struct expr *accu(struct macro_call *m)
{
	return new_ident(m, ACCU);
}

static struct expr *new_bool(struct macro_call *m, bool value)
{
	struct expr *e = expr_new(m->arena, EXPR_LITERAL, m->at);
	e->literal = (struct cel_value){.kind = CEL_BOOL, .boolean = value};
	return e;
}

static struct expr *new_int(struct macro_call *m, int64_t value)
{
	struct expr *e = expr_new(m->arena, EXPR_LITERAL, m->at);
	e->literal = (struct cel_value){.kind = CEL_INT, .integer = value};
	return e;
}

/* A list of one item, or of none. */
static struct expr *new_list(struct macro_call *m, struct expr *item)
{
	struct expr *e = expr_new(m->arena, EXPR_LIST, m->at);
	size_t n_optional = 0;
	if (item) {
		ARENA_PUSH(m->arena, e->list.items, e->list.n_items) = item;
		ARENA_PUSH(m->arena, e->list.optional, n_optional) = false;
	}
	return e;
}

#define CALL(m, function, ...) \
	expr_call_of(          \
		(m)->arena, (m)->at, function, sizeof((struct expr *[]){__VA_ARGS__}) / sizeof(void *), __VA_ARGS__)

static struct expr *new_fold(struct macro_call *m, const struct fold *fold)
{
	struct expr *e = expr_new(m->arena, EXPR_FOLD, m->at);
	e->fold = *fold;
	return e;
}

/* The variables of a macro: the first n arguments, which have to be names. */
static struct expr *take_variables(struct macro_call *m, size_t n, const char *not_a_name, struct fold *fold)
{
	const char **names[] = {&fold->var, &fold->var2};
	for (size_t i = 0; i < n; i++) {
		if (m->args[i]->kind != EXPR_IDENT)
			return fail(m, m->args[i], not_a_name);
		*names[i] = m->args[i]->ident;
	}
	if (n == 2 && !strcmp(fold->var, fold->var2))
		return fail(m, m->args[1], arena_printf(m->arena, "duplicate variable name: %s", fold->var));
	for (size_t i = 0; i < n; i++)
		if (!strcmp(*names[i], ACCU) || !strcmp(*names[i], "__result__"))
			return fail(m, m->args[i], "iteration variable overwrites accumulator variable");
	fold->range = m->target;
	fold->accu = ACCU;
	return NULL;
}

static const char simple_name[] = "argument must be a simple name";

static struct expr *expand_has(struct macro_call *m)
{
	const struct expr *arg = m->args[0];
	if (arg->kind != EXPR_SELECT)
		return fail(m, arg, "invalid argument to has() macro");
	struct expr *e = expr_new(m->arena, EXPR_SELECT, m->at);
	e->select = arg->select;
	e->select.is_test = true;
	return e;
}

static struct expr *expand_all(struct macro_call *m)
{
	struct fold f = {0};
	struct expr *failed = take_variables(m, m->n_args - 1, simple_name, &f);
	if (failed)
		return failed;
	f.init = new_bool(m, true);
	f.condition = CALL(m, "@not_strictly_false", accu(m));
	f.step = CALL(m, "_&&_", accu(m), m->args[m->n_args - 1]);
	f.result = accu(m);
	return new_fold(m, &f);
}

static struct expr *expand_exists(struct macro_call *m)
{
	struct fold f = {0};
	struct expr *failed = take_variables(m, m->n_args - 1, simple_name, &f);
	if (failed)
		return failed;
	f.init = new_bool(m, false);
	f.condition = CALL(m, "@not_strictly_false", CALL(m, "!_", accu(m)));
	f.step = CALL(m, "_||_", accu(m), m->args[m->n_args - 1]);
	f.result = accu(m);
	return new_fold(m, &f);
}

static struct expr *expand_exists_one(struct macro_call *m)
{
	struct fold f = {0};
	struct expr *failed = take_variables(m, m->n_args - 1, simple_name, &f);
	if (failed)
		return failed;
	f.init = new_int(m, 0);
	f.condition = new_bool(m, true);
	f.step = CALL(m, "_?_:_", m->args[m->n_args - 1], CALL(m, "_+_", accu(m), new_int(m, 1)), accu(m));
	f.result = CALL(m, "_==_", accu(m), new_int(m, 1));
	return new_fold(m, &f);
}

/* One list out of another: step where filter, which may be NULL, holds. */
static struct expr *finish_list(struct macro_call *m, struct fold *f, struct expr *filter, struct expr *item)
{
	f->init = new_list(m, NULL);
	f->condition = new_bool(m, true);
	f->step = CALL(m, "_+_", accu(m), new_list(m, item));
	if (filter)
		f->step = CALL(m, "_?_:_", filter, f->step, accu(m));
	f->result = accu(m);
	return new_fold(m, f);
}

static struct expr *expand_map(struct macro_call *m)
{
	struct fold f = {0};
	struct expr *failed = take_variables(m, 1, "argument is not an identifier", &f);
	if (failed)
		return failed;
	return finish_list(m, &f, m->n_args == 3 ? m->args[1] : NULL, m->args[m->n_args - 1]);
}

static struct expr *expand_filter(struct macro_call *m)
{
	struct fold f = {0};
	struct expr *failed = take_variables(m, 1, "argument is not an identifier", &f);
	return failed ? failed : finish_list(m, &f, m->args[1], m->args[0]);
}

static struct expr *expand_transform_list(struct macro_call *m)
{
	struct fold f = {0};
	struct expr *failed = take_variables(m, 2, simple_name, &f);
	if (failed)
		return failed;
	return finish_list(m, &f, m->n_args == 4 ? m->args[2] : NULL, m->args[m->n_args - 1]);
}

static struct expr *finish_map(struct macro_call *m, struct fold *f, struct expr *step)
{
	f->init = expr_new(m->arena, EXPR_MAP, m->at);
	f->condition = new_bool(m, true);
	f->step = m->n_args == 4 ? CALL(m, "_?_:_", m->args[2], step, accu(m)) : step;
	f->result = accu(m);
	return new_fold(m, f);
}

static struct expr *expand_transform_map(struct macro_call *m)
{
	struct fold f = {0};
	struct expr *failed = take_variables(m, 2, simple_name, &f);
	if (failed)
		return failed;
	return finish_map(m, &f, CALL(m, "cel.@mapInsert", accu(m), new_ident(m, f.var), m->args[m->n_args - 1]));
}

static struct expr *expand_transform_entry(struct macro_call *m)
{
	struct fold f = {0};
	struct expr *failed = take_variables(m, 2, simple_name, &f);
	if (failed)
		return failed;
	return finish_map(m, &f, CALL(m, "cel.@mapInsert", accu(m), m->args[m->n_args - 1]));
}

/* result with a variable that stands for init: a fold over nothing. */
static struct expr *new_bind(struct macro_call *m, const char *name, struct expr *init, struct expr *result)
{
	struct fold f = {.range = new_list(m, NULL), .var = UNUSED, .accu = name};
	f.init = init;
	f.condition = new_bool(m, false);
	f.step = new_ident(m, name);
	f.result = result;
	return new_fold(m, &f);
}

static struct expr *expand_bind(struct macro_call *m)
{
	if (m->target->kind != EXPR_IDENT || strcmp(m->target->ident, "cel"))
		return NULL;
	if (m->args[0]->kind != EXPR_IDENT)
		return fail(m, m->args[0], "cel.bind() variable names must be simple identifiers");
	return new_bind(m, m->args[0]->ident, m->args[1], m->args[2]);
}

#define SORT_INPUT "@__sortBy_input__"

/* list.sortBy(x, key): the list in the order of what key is for each item. */
static struct expr *expand_sort_by(struct macro_call *m)
{
	struct macro_call keys = *m;
	if (m->target->kind == EXPR_LITERAL || m->target->kind == EXPR_MAP || m->target->kind == EXPR_OBJECT)
		return fail(m, m->target,
			"sortBy can only be applied to a list, identifier, comprehension, call or select expression");
	keys.target = new_ident(m, SORT_INPUT);
	struct expr **args = ARENA_ARRAY(m->arena, struct expr *, 1);
	args[0] = expand_map(&keys);
	if (*m->failed)
		return args[0];
	struct expr *sort = expr_call(m->arena, m->at, "@sortByAssociatedKeys", new_ident(m, SORT_INPUT), args, 1);
	return new_bind(m, SORT_INPUT, m->target, sort);
}

static struct expr *if_present(struct macro_call *m, bool wrap, const char *not_a_name)
{
	if (m->args[0]->kind != EXPR_IDENT)
		return fail(m, m->args[0], not_a_name);
	struct expr *present = expr_call(m->arena, m->at, "hasValue", m->target, NULL, 0);
	struct expr *value = expr_call(m->arena, m->at, "value", m->target, NULL, 0);
	struct expr *bound = new_bind(m, m->args[0]->ident, value, m->args[1]);
	if (wrap)
		bound = CALL(m, "optional.of", bound);
	struct expr *none = expr_call(m->arena, m->at, "optional.none", NULL, NULL, 0);
	return CALL(m, "_?_:_", present, bound, none);
}

static struct expr *expand_opt_map(struct macro_call *m)
{
	return if_present(m, true, "optMap() variable name must be a simple identifier");
}

static struct expr *expand_opt_flat_map(struct macro_call *m)
{
	return if_present(m, false, "optFlatMap() variable name must be a simple identifier");
}

static const struct macro {
	const char *name;
	size_t n_args;
	bool is_member;
	unsigned needs; /* a flag of the environment */
	struct expr *(*expand)(struct macro_call *m);
} macros[] = {
	{"has", 1, false, 0, expand_has},
	{"all", 2, true, 0, expand_all},
	{"all", 3, true, 0, expand_all},
	{"exists", 2, true, 0, expand_exists},
	{"exists", 3, true, 0, expand_exists},
	{"exists_one", 2, true, 0, expand_exists_one},
	{"exists_one", 3, true, 0, expand_exists_one},
	{"existsOne", 2, true, 0, expand_exists_one},
	{"existsOne", 3, true, 0, expand_exists_one},
	{"map", 2, true, 0, expand_map},
	{"map", 3, true, 0, expand_map},
	{"filter", 2, true, 0, expand_filter},
	{"transformList", 3, true, 0, expand_transform_list},
	{"transformList", 4, true, 0, expand_transform_list},
	{"transformMap", 3, true, 0, expand_transform_map},
	{"transformMap", 4, true, 0, expand_transform_map},
	{"transformMapEntry", 3, true, 0, expand_transform_entry},
	{"transformMapEntry", 4, true, 0, expand_transform_entry},
	{"optMap", 2, true, 0, expand_opt_map},
	{"optFlatMap", 2, true, 0, expand_opt_flat_map},
	{"sortBy", 2, true, CEL_STORED, expand_sort_by},
	{"bind", 3, true, CEL_BINDINGS, expand_bind},
};

struct expr *cel_expand(struct cel_source *source, unsigned flags, struct expr *call, bool *ret_failed)
{
	struct macro_call m = {.source = source,
		.arena = source->arena,
		.target = call->call.target,
		.args = call->call.args,
		.n_args = call->call.n_args,
		.at = call->at,
		.failed = ret_failed};
	for (size_t i = 0; i < ARRAY_SIZE(macros); i++)
		if (!strcmp(macros[i].name, call->call.function) && macros[i].n_args == m.n_args &&
			macros[i].is_member == (m.target != NULL) && (flags & macros[i].needs) == macros[i].needs)
			return macros[i].expand(&m);
	return NULL;
}
