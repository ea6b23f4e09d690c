/*
 * The estimate of what an expression costs, by the sizes of what it works on: those that stand in it, those that are
 * declared for what it is given, and those of what calls make of them. The numbers are the original's: by them it is
 * decided what may be stored.
 */
#include <math.h>
#include "cel/cost.h"
#include "base/str.h"

#define RANGE(low, high) ((struct cel_range){low, high})
static const struct cel_range unknown = {0, UINT64_MAX}, one = {1, 1};

enum { LIST_COST = 10, MAP_COST = 30, OBJECT_COST = 40, MAX_STEPS = 1000000 };

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
	return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t scale(uint64_t a, double factor)
{
	double product = ceil((double)a * factor);
	return product >= 0x1p64 ? UINT64_MAX : (uint64_t)product;
}

struct cel_range range_add(struct cel_range a, struct cel_range b)
{
	return RANGE(add(a.min, b.min), add(a.max, b.max));
}

struct cel_range range_multiply(struct cel_range a, struct cel_range b)
{
	return RANGE(multiply(a.min, b.min), multiply(a.max, b.max));
}

struct cel_range range_scale(struct cel_range a, double factor)
{
	return RANGE(scale(a.min, factor), scale(a.max, factor));
}

struct cel_range range_union(struct cel_range a, struct cel_range b)
{
	return RANGE(a.min < b.min ? a.min : b.min, a.max > b.max ? a.max : b.max);
}

/* Sizes of the items of a list, or of the keys and values of a map. */
struct items {
	bool is_map;
	struct cel_range key, value;
};

/* What is known of a part of the tree. */
struct estimate {
	const struct cel_type *declared; /* the declared type of what it is, where it is part of what is given */
	bool has_size, has_items;
	struct cel_range size;
	struct items items;
};

/* A variable within the expression. */
struct local {
	const char *name;
	struct estimate estimate;
	const struct local *outer;
};

struct coster {
	struct arena *arena;
	const struct cel_env *env;
	const struct local *locals;
	size_t n_steps;
};

static struct cel_range cost(struct coster *c, struct expr *e);

static const struct local *find_local(const struct coster *c, const struct expr *e)
{
	if (e->kind != EXPR_IDENT)
		return NULL;
	for (const struct local *l = c->locals; l; l = l->outer)
		if (!strcmp(l->name, e->ident))
			return l;
	return NULL;
}

static const struct cel_type *declared(const struct coster *c, const struct expr *e)
{
	const struct local *l = find_local(c, e);
	return l ? l->estimate.declared : e->estimate->declared;
}

static bool is_scalar(const struct cel_type *t)
{
	switch (t->kind) {
	case CEL_BOOL:
	case CEL_DOUBLE:
	case CEL_DURATION:
	case CEL_INT:
	case CEL_TIMESTAMP:
	case CEL_UINT:
		return true;
	default:
		return cel_type_is_optional(t) && is_scalar(t->params[0]);
	}
}

static bool literal_size(const struct expr *e, struct cel_range *ret)
{
	uint64_t n = 1;
	if (e->kind == EXPR_LIST)
		n = e->list.n_items;
	else if (e->kind == EXPR_MAP)
		n = e->map.n_entries;
	else if (e->kind != EXPR_LITERAL)
		return false;
	else if (e->literal.kind == CEL_STRING)
		n = cel_points(e->literal.text.data, e->literal.text.size);
	else if (e->literal.kind == CEL_BYTES)
		n = e->literal.text.size;
	*ret = RANGE(n, n);
	return true;
}

/* The size of a part, where anything says it. */
static bool size_of(struct coster *c, struct expr *e, struct cel_range *ret)
{
	struct estimate *s = e->estimate;
	const struct cel_type *t = declared(c, e);
	if (s->has_size) {
		*ret = s->size;
		return true;
	}
	if (literal_size(e, ret))
		return true;
	if (t) {
		s->size = *ret = RANGE(0, t->max_size);
		s->has_size = true;
		return true;
	}
	if (is_scalar(e->type)) {
		*ret = one;
		return true;
	}
	const struct local *l = find_local(c, e);
	if (l && l->estimate.has_size)
		*ret = l->estimate.size;
	return l && l->estimate.has_size;
}

static struct cel_range size_or_unknown(struct coster *c, struct expr *e)
{
	struct cel_range size;
	return size_of(c, e, &size) ? size : unknown;
}

static const struct items *items_of(const struct coster *c, const struct expr *e)
{
	const struct local *l = find_local(c, e);
	if (e->estimate->has_items)
		return &e->estimate->items;
	return l && l->estimate.has_items ? &l->estimate.items : NULL;
}

static void set_size(struct expr *e, struct cel_range size)
{
	e->estimate->size = size;
	e->estimate->has_size = true;
}

static void set_items(struct expr *e, const struct items *items)
{
	if (!items)
		return;
	e->estimate->items = *items;
	e->estimate->has_items = true;
}

static void copy_estimate(struct coster *c, struct expr *to, struct expr *from)
{
	struct cel_range size;
	if (size_of(c, from, &size))
		set_size(to, size);
	set_items(to, items_of(c, from));
}

/* Names and selections */

/* What has no name of its own, where the original takes it for self. */
static const struct cel_type *nameless(const struct coster *c)
{
	return c->env->flags & CEL_NAMELESS_SELF ? env_variable(c->env, "self")->type : NULL;
}

static struct cel_range cost_ident(struct coster *c, struct expr *e)
{
	const struct local *l = find_local(c, e);
	const struct variable *v = l ? NULL : env_variable(c->env, e->ident);
	if (l)
		e->estimate->declared = l->estimate.declared;
	else
		e->estimate->declared = v && v->is_sized ? v->type : nameless(c);
	return one;
}

static const struct cel_type *declared_field(struct coster *c, const struct cel_type *t, const char *name)
{
	if (!t)
		return NULL;
	if (t->kind == CEL_OBJECT)
		return cel_type_field(c->arena, t, name);
	if (t->kind == CEL_MAP && t->params[1]->kind == CEL_DYN && c->env->flags & CEL_KNOWN_FIELDS)
		return t->params[1];
	return NULL;
}

static struct cel_range cost_select(struct coster *c, struct expr *e)
{
	struct expr *operand = e->select.operand;
	struct cel_range sum = cost(c, operand);
	if (e->select.is_test)
		return sum;
	if (operand->type->kind == CEL_MAP || operand->type->kind == CEL_OBJECT || operand->type->kind == CEL_PARAM)
		sum = range_add(sum, one);
	e->estimate->declared = declared_field(c, declared(c, operand), e->select.field);
	return sum;
}

/* Lists, maps, objects */

static struct cel_range cost_list(struct coster *c, struct expr *e)
{
	struct cel_range sum = RANGE(LIST_COST, LIST_COST);
	struct items items = {false, one, RANGE(e->list.n_items ? UINT64_MAX : 0, 0)};
	for (size_t i = 0; i < e->list.n_items; i++) {
		sum = range_add(sum, cost(c, e->list.items[i]));
		items.value = range_union(items.value, size_or_unknown(c, e->list.items[i]));
	}
	set_items(e, &items);
	return sum;
}

static struct cel_range cost_map(struct coster *c, struct expr *e)
{
	struct cel_range sum = RANGE(MAP_COST, MAP_COST), none = RANGE(e->map.n_entries ? UINT64_MAX : 0, 0);
	struct items items = {true, none, none};
	for (size_t i = 0; i < e->map.n_entries; i++) {
		const struct entry *entry = &e->map.entries[i];
		sum = range_add(sum, range_add(cost(c, entry->key), cost(c, entry->value)));
		items.key = range_union(items.key, size_or_unknown(c, entry->key));
		items.value = range_union(items.value, size_or_unknown(c, entry->value));
	}
	set_items(e, &items);
	return sum;
}

static struct cel_range cost_object(struct coster *c, struct expr *e)
{
	struct cel_range sum = RANGE(OBJECT_COST, OBJECT_COST);
	for (size_t i = 0; i < e->map.n_entries; i++)
		sum = range_add(sum, cost(c, e->map.entries[i].value));
	return sum;
}

/* Macros that repeat */

enum part { PART_KEY, PART_VALUE, PART_ONE };

/* A variable that takes keys, values, or what there is one of, of what is gone over. */
static struct local variable_over(struct coster *c, const char *name, struct expr *range, enum part part)
{
	const struct items *items = items_of(c, range);
	const struct cel_type *t = declared(c, range);
	struct local l = {.name = name, .outer = c->locals};
	bool is_list = items ? !items->is_map : range->type->kind == CEL_LIST;
	if (part == PART_ONE)
		part = is_list ? PART_VALUE : PART_KEY;
	l.estimate.has_size = items != NULL;
	if (items)
		l.estimate.size = part == PART_KEY ? items->key : items->value;
	if (!t)
		l.estimate.declared = nameless(c);
	else if (is_list && part == PART_VALUE && t->kind == CEL_LIST)
		l.estimate.declared = t->params[0];
	else if (!is_list && t->kind == CEL_MAP)
		l.estimate.declared = t->params[part == PART_VALUE];
	return l;
}

static struct local variable_as(struct coster *c, const char *name, struct expr *init)
{
	struct local l = {.name = name, .outer = c->locals};
	const struct items *items = items_of(c, init);
	l.estimate.declared = declared(c, init);
	l.estimate.has_size = size_of(c, init, &l.estimate.size);
	l.estimate.has_items = items != NULL;
	if (items)
		l.estimate.items = *items;
	return l;
}

static bool is_bind(const struct fold *f)
{
	return f->range->kind == EXPR_LIST && !f->range->list.n_items && f->condition->kind == EXPR_LITERAL &&
	       f->condition->literal.kind == CEL_BOOL && !f->condition->literal.boolean;
}

static struct cel_range cost_fold(struct coster *c, struct expr *e)
{
	struct fold *f = &e->fold;
	const struct local *outer = c->locals;
	struct cel_range sum = range_add(cost(c, f->range), cost(c, f->init)), count, size;
	struct local accu = variable_as(c, f->accu, f->init);
	c->locals = &accu;
	if (is_bind(f)) {
		sum = range_add(sum, cost(c, f->result));
		copy_estimate(c, e, f->result);
		c->locals = outer;
		return sum;
	}
	struct local var = variable_over(c, f->var, f->range, f->var2 ? PART_KEY : PART_ONE), var2;
	if (f->var2)
		var2 = variable_over(c, f->var2, f->range, PART_VALUE);
	var2.outer = &var;
	c->locals = f->var2 ? &var2 : &var;
	struct cel_range loop = cost(c, f->condition);
	loop = range_add(cost(c, f->step), loop);
	c->locals = &accu;
	sum = range_add(sum, cost(c, f->result));
	c->locals = outer;
	count = size_or_unknown(c, f->range);
	sum = range_add(sum, range_multiply(count, loop));
	if (f->init->kind == EXPR_LITERAL && size_of(c, f->init, &size))
		set_size(e, size);
	if (f->init->kind == EXPR_LIST || f->init->kind == EXPR_MAP) {
		set_size(e, count);
		set_items(e, items_of(c, f->step));
	}
	return sum;
}

/* Calls */

static struct cost_node node_of(struct coster *c, struct expr *e)
{
	return (struct cost_node){e, declared(c, e), e->type, size_or_unknown(c, e)};
}

/* Functions of the language, by what they do to the sizes of their operands. */
static struct cel_range cost_operator(
	struct coster *c, struct expr *e, const struct cost_call *call, struct cel_range *ret_size, bool *ret_sized)
{
	const char *id = call->id;
	const struct cel_range *args = call->costs;
	*ret_sized = false;
	if (!strcmp(id, "logical_and") || !strcmp(id, "logical_or"))
		return RANGE(args[0].min, add(args[0].max, args[1].max));
	if (!strcmp(id, "conditional")) {
		const struct items *yes = items_of(c, e->call.args[1]), *no = items_of(c, e->call.args[2]);
		if (yes && no) {
			struct items both = {
				yes->is_map, range_union(yes->key, no->key), range_union(yes->value, no->value)};
			set_items(e, &both);
		}
		*ret_size = range_union(call->args[1].size, call->args[2].size);
		*ret_sized = true;
		return range_add(args[0], range_union(args[1], args[2]));
	}
	struct cel_range sum = RANGE(0, 0);
	for (size_t i = 0; i < call->n_args; i++)
		sum = range_add(sum, args[i]);
	if (!strcmp(id, "add_string") || !strcmp(id, "add_bytes") || !strcmp(id, "add_list")) {
		const struct items *a = items_of(c, e->call.args[0]), *b = items_of(c, e->call.args[1]);
		if (a && b) {
			struct items both = {a->is_map, range_union(a->key, b->key), range_union(a->value, b->value)};
			set_items(e, &both);
		}
	}
	return range_add(cost_of_call(call, ret_size, ret_sized), sum);
}

static struct cel_range cost_call(struct coster *c, struct expr *e)
{
	size_t n = e->call.n_args;
	struct cost_call call = {.function = e->call.function, .n_args = n};
	struct cel_range sum = RANGE(0, 0), cost_of_all = RANGE(UINT64_MAX, 0), size = unknown;
	bool sized = false;
	if (is_call(e, "dyn") && n == 1) {
		sum = range_add(one, cost(c, e->call.args[0]));
		copy_estimate(c, e, e->call.args[0]);
		return sum;
	}
	struct cel_range *costs = ARENA_ARRAY(c->arena, struct cel_range, n + 1);
	struct cost_node *args = ARENA_ARRAY(c->arena, struct cost_node, n + 1);
	for (size_t i = 0; i < n; i++) {
		costs[i] = cost(c, e->call.args[i]);
		args[i] = node_of(c, e->call.args[i]);
	}
	call.costs = costs;
	call.args = args;
	if (e->call.target) {
		sum = cost(c, e->call.target);
		call.target_node = node_of(c, e->call.target);
		call.target = &call.target_node;
	}
	for (size_t i = 0; i < e->call.n_overloads; i++) {
		struct cel_range result;
		bool has_result;
		call.id = e->call.overloads[i]->id;
		cost_of_all = range_union(cost_of_all, cost_operator(c, e, &call, &result, &has_result));
		if (has_result) {
			size = sized ? range_union(size, result) : result;
			sized = true;
		}
		bool list = !strcmp(call.id, "index_list"), map = !strcmp(call.id, "index_map");
		if (list || map) {
			const struct items *items = items_of(c, e->call.args[0]);
			const struct cel_type *t = declared(c, e->call.args[0]);
			sized = items != NULL;
			if (items)
				size = items->value;
			if (t && t->kind == (list ? CEL_LIST : CEL_MAP))
				e->estimate->declared = t->params[map];
			else
				e->estimate->declared = t ? NULL : nameless(c);
		}
		if (!sized)
			sized = size_of(c, e, &size);
	}
	if (sized)
		set_size(e, size);
	return range_add(sum, cost_of_all);
}

static struct cel_range cost(struct coster *c, struct expr *e)
{
	if (++c->n_steps > MAX_STEPS)
		return unknown;
	if (!e->estimate)
		e->estimate = ARENA_NEW(c->arena, struct estimate);
	switch (e->kind) {
	case EXPR_IDENT:
		return cost_ident(c, e);
	case EXPR_SELECT:
		return cost_select(c, e);
	case EXPR_CALL:
		return cost_call(c, e);
	case EXPR_LIST:
		return cost_list(c, e);
	case EXPR_MAP:
		return cost_map(c, e);
	case EXPR_OBJECT:
		return cost_object(c, e);
	case EXPR_FOLD:
		return cost_fold(c, e);
	default:
		return RANGE(0, 0);
	}
}

struct cel_range cel_estimate(struct arena *arena, const struct cel_env *env, const struct cel_program *program)
{
	struct coster c = {.arena = arena, .env = env};
	return cost(&c, program->root);
}
