/* Which types fit which, and what the parameters among them then are. */
#include "cel/internal.h"
#include "base/str.h"

const struct cel_type *unify_new_variable(struct unifier *u)
{
	struct cel_type *t = ARENA_NEW(u->arena, struct cel_type);
	ARENA_PUSH(u->arena, u->found, u->n_found) = NULL;
	t->kind = CEL_PARAM;
	t->name = arena_printf(u->arena, "_var%zu", u->n_found - 1);
	t->variable = (uint32_t)u->n_found;
	return t;
}

static const struct cel_type *found(const struct unifier *u, const struct cel_type *t)
{
	return t->kind == CEL_PARAM && t->variable ? u->found[t->variable - 1] : NULL;
}

static void set(struct unifier *u, const struct cel_type *variable, const struct cel_type *type)
{
	const struct cel_type **slot = &u->found[variable->variable - 1];
	ARENA_PUSH(u->arena, u->undo, u->n_undo) = (struct undo){variable->variable - 1, *slot};
	*slot = type;
}

static bool is_dyn(const struct cel_type *t)
{
	return t->kind == CEL_DYN;
}

/* Whether a says no more than b. */
static bool is_as_general(const struct cel_type *a, const struct cel_type *b)
{
	if (is_dyn(a) || a->kind == CEL_PARAM)
		return true;
	if (is_dyn(b) || b->kind == CEL_PARAM || a->kind != b->kind)
		return false;
	if (a->kind == CEL_TYPE)
		return true;
	if (strcmp(a->name, b->name) || a->n_params != b->n_params)
		return false;
	for (size_t i = 0; i < a->n_params; i++)
		if (!is_as_general(a->params[i], b->params[i]))
			return false;
	return true;
}

const struct cel_type *unify_most_general(const struct cel_type *a, const struct cel_type *b)
{
	return is_as_general(a, b) ? a : b;
}

static bool is_within(const struct unifier *u, const struct cel_type *variable, const struct cel_type *type)
{
	if (cel_type_equal(variable, type))
		return true;
	if (type->kind == CEL_PARAM)
		return found(u, type) && is_within(u, variable, found(u, type));
	for (size_t i = 0; i < type->n_params; i++)
		if (is_within(u, variable, type->params[i]))
			return true;
	return false;
}

static bool assignable(struct unifier *u, const struct cel_type *a, const struct cel_type *b);

/* Whether the variable can be the type; *ret_known: it was found out before. */
static bool substitute(struct unifier *u, const struct cel_type *type, const struct cel_type *variable, bool *ret_known)
{
	const struct cel_type *known = found(u, variable);
	*ret_known = true;
	if (cel_type_equal(type, variable) || (known && cel_type_equal(type, known)))
		return true;
	if (known) {
		if (!assignable(u, type, known))
			return false;
		const struct cel_type *general = unify_most_general(type, known);
		if (!is_within(u, variable, general))
			set(u, variable, general);
		return true;
	}
	*ret_known = false;
	if (!variable->variable || is_within(u, variable, type))
		return false;
	set(u, variable, type);
	return true;
}

static bool is_nullable(const struct cel_type *t)
{
	return t->kind == CEL_OPAQUE || t->kind == CEL_OBJECT || t->kind == CEL_DURATION || t->kind == CEL_TIMESTAMP ||
	       t->kind == CEL_NULL;
}

static bool is_free(const struct cel_type *t)
{
	return is_dyn(t) || t->kind == CEL_BROKEN;
}

static bool assignable(struct unifier *u, const struct cel_type *a, const struct cel_type *b)
{
	bool known;
	if (b->kind == CEL_PARAM) {
		if (substitute(u, a, b, &known))
			return true;
		if (known)
			return false;
	}
	if (a->kind == CEL_PARAM)
		return substitute(u, b, a, &known);
	if (is_free(a) || is_free(b))
		return true;
	if (a->kind == CEL_NULL)
		return is_nullable(b);
	if (b->kind == CEL_NULL)
		return is_nullable(a);
	if (a->kind == CEL_TYPE)
		return b->kind == CEL_TYPE;
	if (a->kind != b->kind || strcmp(a->name, b->name) || a->n_params != b->n_params)
		return false;
	for (size_t i = 0; i < a->n_params; i++)
		if (!assignable(u, a->params[i], b->params[i]))
			return false;
	return true;
}

bool unify_all_assignable(
	struct unifier *u, const struct cel_type *const *types, const struct cel_type *const *targets, size_t n)
{
	bool fit = true;
	u->n_undo = 0;
	for (size_t i = 0; fit && i < n; i++)
		fit = assignable(u, types[i], targets[i]);
	for (; !fit && u->n_undo; u->n_undo--)
		u->found[u->undo[u->n_undo - 1].variable] = u->undo[u->n_undo - 1].before;
	return fit;
}

bool unify_assignable(struct unifier *u, const struct cel_type *type, const struct cel_type *target)
{
	return unify_all_assignable(u, &type, &target, 1);
}

const struct cel_type *unify_resolve(struct unifier *u, const struct cel_type *type, bool to_dyn)
{
	const struct cel_type *is = found(u, type);
	if (is)
		return unify_resolve(u, is, to_dyn);
	if (type->kind == CEL_PARAM)
		return to_dyn ? &cel_dyn : type;
	if (!type->n_params)
		return type;
	const struct cel_type *first = unify_resolve(u, type->params[0], to_dyn), *second = NULL;
	if (type->n_params == 2)
		second = unify_resolve(u, type->params[1], to_dyn);
	if (first == type->params[0] && second == type->params[1])
		return type;
	switch (type->kind) {
	case CEL_LIST:
		return cel_type_list(u->arena, first);
	case CEL_MAP:
		return cel_type_map(u->arena, first, second);
	case CEL_TYPE:
		return cel_type_type(u->arena, first);
	default:
		return cel_type_optional(u->arena, first);
	}
}
