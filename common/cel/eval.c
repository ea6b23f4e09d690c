/*
 * The evaluator walks the tree. Its count of costs is the original's to the unit, which sees names, selections and
 * indexes as one: what such a chain starts at costs one, and so does each of its steps.
 */
#include "base/regex.h"
#include "base/str.h"
#include "cel/eval.h"

enum { LIST_COST = 10, MAP_COST = 30, OBJECT_COST = 40 };

struct local {
	const char *name;
	struct cel_value value;
	struct expr *init;	   /* of a binding that was not asked for yet */
	const struct local *scope; /* where it is evaluated */
	struct local *outer;
};

struct evaluation {
	struct arena *arena;
	const struct cel_binding *bindings;
	size_t n_bindings;
	struct local *locals;
	uint64_t cost, max_cost;
	bool over; /* it cost too much: nothing can save it */
	size_t n_copied;
};

static struct cel_value eval(struct evaluation *x, struct expr *e);

static void pay(struct evaluation *x, uint64_t cost)
{
	x->cost = x->cost > UINT64_MAX - cost ? UINT64_MAX : x->cost + cost;
	if (x->cost > x->max_cost)
		x->over = true;
}

static struct cel_value no_overload(struct evaluation *x)
{
	return cel_error(x->arena, "no such overload");
}

/* Names */

static struct cel_value eval_ident(struct evaluation *x, struct expr *e)
{
	for (struct local *l = x->locals; l; l = l->outer) {
		if (strcmp(l->name, e->ident))
			continue;
		pay(x, 1);
		if (l->init) {
			struct local *locals = x->locals;
			struct expr *init = l->init;
			l->init = NULL;
			x->locals = l->outer;
			l->value = eval(x, init);
			x->locals = locals;
		}
		return l->value;
	}
	for (size_t i = 0; i < x->n_bindings; i++)
		if (!strcmp(x->bindings[i].name, e->ident)) {
			pay(x, 1);
			return x->bindings[i].value;
		}
	pay(x, 1);
	return cel_error(x->arena, "no such attribute(s): %s", e->ident);
}

static bool is_step(const struct expr *e)
{
	if (e->constant)
		return false;
	return e->kind == EXPR_IDENT || (e->kind == EXPR_SELECT && !e->select.is_test) || is_call(e, "_[_]") ||
	       is_call(e, "_?._") || is_call(e, "_[?_]");
}

static bool is_chain(const struct expr *e)
{
	return is_step(e) || (!e->constant && is_call(e, "_?_:_"));
}

/* Where a chain is part of another, its start is not paid for again. */
static struct cel_value eval_within(struct evaluation *x, struct expr *e)
{
	struct cel_value v = eval(x, e);
	if (is_step(e) && x->cost > 0 && !x->over)
		x->cost--;
	return v;
}

/* Steps: selections and indexes */

/* The item of a list; false and an error, or none at all (*ret_value is null), if there is none. */
static bool list_step(
	struct evaluation *x, const struct cel_list *list, struct cel_value key, struct cel_value *ret_value)
{
	int64_t i = key.integer;
	bool whole = key.kind == CEL_INT;
	if (key.kind == CEL_UINT) {
		whole = key.natural <= INT64_MAX;
	} else if (key.kind == CEL_DOUBLE) {
		whole = key.number > -0x1p62 && key.number < 0x1p62 && (double)(int64_t)key.number == key.number;
		i = whole ? (int64_t)key.number : 0;
	}
	if (!whole) {
		*ret_value = cel_error(x->arena, "unsupported index type '%s' in list", cel_type_name(key));
		return false;
	}
	if (i < 0 || (uint64_t)i >= list->n_items) {
		*ret_value = cel_error(x->arena, "index out of bounds: %lld", (long long)i);
		return false;
	}
	*ret_value = cel_item(x->arena, list, (size_t)i);
	return true;
}

static bool step(struct evaluation *x, struct cel_value v, struct cel_value key, struct cel_value *ret_value)
{
	if (v.kind == CEL_LIST)
		return list_step(x, v.list, key, ret_value);
	if (v.kind == CEL_MAP && cel_find(x->arena, v.map, key, ret_value))
		return true;
	*ret_value = cel_error(x->arena, "no such key: %s", cel_value_text(x->arena, key));
	return false;
}

/* One step from a value; optional: what is not there is none. */
static struct cel_value take_step(
	struct evaluation *x, struct cel_value v, struct cel_value key, bool optional, uint64_t start)
{
	struct cel_value next;
	bool was_optional = cel_is_optional(v);
	pay(x, start);
	if (was_optional && !v.opaque->present)
		return v;
	bool found = step(x, was_optional ? v.opaque->value : v, key, &next);
	if (found || (!optional && !was_optional))
		pay(x, 1);
	if (optional || was_optional)
		return found && cel_is_optional(next) ? next : cel_optional_of(x->arena, found ? &next : NULL);
	return next;
}

static struct cel_value eval_select(struct evaluation *x, struct expr *e)
{
	struct expr *operand = e->select.operand;
	struct cel_value v = eval(x, operand), key = cel_text_of(e->select.field), next;
	uint64_t start = !is_chain(operand);
	if (cel_failed(v))
		return v;
	if (!e->select.is_test)
		return take_step(x, v, key, false, start);
	pay(x, start);
	if (cel_is_optional(v)) {
		if (!v.opaque->present)
			return CEL_BOOL_VALUE(false);
		v = v.opaque->value;
	}
	return CEL_BOOL_VALUE(v.kind == CEL_MAP && cel_find(x->arena, v.map, key, &next));
}

static struct cel_value eval_index(struct evaluation *x, struct expr *e, bool optional)
{
	struct expr *operand = e->call.args[0];
	struct cel_value v = eval(x, operand);
	if (cel_failed(v))
		return v;
	struct cel_value key = eval_within(x, e->call.args[1]);
	if (cel_failed(key))
		return key;
	return take_step(x, v, key, optional, !is_chain(operand));
}

/* Logic */

static struct cel_value eval_logic(struct evaluation *x, struct expr *e, bool decides)
{
	struct cel_value failure = CEL_NULL_VALUE;
	for (size_t i = 0; i < e->call.n_args; i++) {
		struct cel_value v = eval(x, e->call.args[i]);
		if (v.kind == CEL_BOOL && v.boolean == decides)
			return v;
		if (v.kind != CEL_BOOL && failure.kind != CEL_BROKEN)
			failure = cel_failed(v) ? v : no_overload(x);
	}
	return failure.kind == CEL_BROKEN ? failure : CEL_BOOL_VALUE(!decides);
}

static struct cel_value eval_choice(struct evaluation *x, struct expr *e)
{
	struct cel_value condition = eval(x, e->call.args[0]);
	if (condition.kind != CEL_BOOL)
		return cel_failed(condition) ? condition : no_overload(x);
	return eval_within(x, e->call.args[condition.boolean ? 1 : 2]);
}

/* or() and orValue() */
static struct cel_value eval_or(struct evaluation *x, struct expr *e, bool unwrap)
{
	struct cel_value v = eval(x, e->call.target);
	if (cel_is_optional(v) && v.opaque->present)
		return unwrap ? v.opaque->value : v;
	return cel_is_optional(v) ? eval(x, e->call.args[0]) : v;
}

/* Functions */

bool value_fits(struct cel_value v, const struct cel_type *type)
{
	if (type->kind == CEL_PARAM || type->kind == CEL_DYN)
		return true;
	if (v.kind != type->kind)
		return false;
	return (type->kind != CEL_OPAQUE && type->kind != CEL_OBJECT) || !strcmp(v.opaque->type->name, type->name);
}

/* The same, of lists and maps by what comes first in them. */
static bool first_fits(struct arena *arena, struct cel_value v, const struct cel_type *type)
{
	struct cel_value key, value = CEL_NULL_VALUE;
	if (!value_fits(v, type))
		return false;
	if (type->n_params == 0 || (v.kind != CEL_LIST && v.kind != CEL_MAP) || !cel_size(v))
		return true;
	if (v.kind == CEL_LIST)
		return first_fits(arena, cel_item(arena, v.list, 0), type->params[0]);
	key = cel_key(arena, v.map, 0);
	cel_find(arena, v.map, key, &value);
	return first_fits(arena, key, type->params[0]) && first_fits(arena, value, type->params[1]);
}

static const struct cel_overload *fitting(
	struct arena *arena, const struct expr *e, const struct cel_value *args, size_t n)
{
	const struct cel_overload *by_kind = NULL;
	for (size_t i = 0; i < e->call.n_overloads; i++) {
		const struct cel_signature *s = &e->call.signatures[i];
		bool fits = s->n_args == n, first = true;
		for (size_t k = 0; fits && k < n; k++) {
			fits = value_fits(args[k], s->args[k]);
			first = first && fits && first_fits(arena, args[k], s->args[k]);
		}
		if (fits && first)
			return e->call.overloads[i];
		if (fits && !by_kind)
			by_kind = e->call.overloads[i];
	}
	return by_kind;
}

/* What some functions say when no overload fits differs from what the others do. */
static struct cel_value no_fit(struct evaluation *x, const struct expr *e, const struct cel_value *args, size_t n)
{
	const char *function = e->call.function;
	static const char *const plain[] = {"contains", "startsWith", "endsWith", "flatten", NULL};
	static const char *const named[] = {"size", "matches", "sort", NULL};
	if (str_in(function, plain) || e->call.regex)
		return no_overload(x);
	if (str_in(function, named))
		return cel_error(x->arena, "no such overload: %s", function);
	const char *types = "";
	for (size_t i = 0; i < n; i++)
		types = arena_printf(x->arena, "%s%s%s", types, i ? ", " : "", cel_type_name(args[i]));
	return cel_error(x->arena, "no such overload: %s(%s)", function, types);
}

static struct cel_value match(struct evaluation *x, const struct expr *e, const struct cel_value *args)
{
	const char *problem = NULL;
	size_t start, end;
	const struct regex *re = e->call.regex;
	if (!re)
		re = regex_new(x->arena, args[1].text.data, args[1].text.size, &problem);
	return re ? CEL_BOOL_VALUE(regex_find(re, args[0].text.data, args[0].text.size, 0, &start, &end))
		  : cel_error(x->arena, "%s", problem);
}

static struct cel_value apply(struct evaluation *x, struct expr *e, const struct cel_overload *overload,
	const struct cel_value *args, size_t n)
{
	if (is_operator(e->call.function))
		return operate(x->arena, e->call.function, args, &x->n_copied);
	if (!strcmp(e->call.function, "matches"))
		return match(x, e, args);
	struct cel_call call = {x->arena, overload, args, n, e->call.regex};
	return overload->eval(&call);
}

static struct cel_value eval_call(struct evaluation *x, struct expr *e)
{
	struct cel_value args[CEL_MAX_ARGS], failure = CEL_NULL_VALUE;
	size_t n = 0, n_all = e->call.n_args + (e->call.target != NULL);
	for (size_t i = 0; i < n_all && i < CEL_MAX_ARGS; i++) {
		bool target = e->call.target && i == 0;
		args[n] = eval(x, target ? e->call.target : e->call.args[i - (e->call.target != NULL)]);
		if (x->over)
			return args[n];
		if (cel_failed(args[n])) {
			if (failure.kind != CEL_BROKEN)
				failure = args[n];
			if (n_all > 2) /* The others are not looked at, and the call costs nothing. */
				return failure;
		}
		n++;
	}
	if (!strcmp(e->call.function, "@not_strictly_false")) {
		pay(x, 1);
		return CEL_BOOL_VALUE(args[0].kind != CEL_BOOL || args[0].boolean);
	}
	bool operator= is_operator(e->call.function);
	const struct cel_overload *overload = failure.kind == CEL_BROKEN ? NULL : fitting(x->arena, e, args, n);
	const struct cel_overload *known = overload ? overload : e->call.n_overloads ? e->call.overloads[0] : NULL;
	bool constant_set = !strcmp(e->call.function, "@in") && e->call.args[1]->constant && args[1].kind == CEL_LIST;
	/* What may take long is paid for first. */
	uint64_t before = constant_set || !known ? 0 : cel_cost_of_call(x->arena, known, args, n, CEL_NULL_VALUE);
	if (x->cost + before > x->max_cost && before < UINT64_MAX / 2) {
		pay(x, before);
		return no_overload(x);
	}
	struct cel_value v = failure.kind == CEL_BROKEN ? failure
			     : overload || operator	? apply(x, e, overload, args, n)
							: no_fit(x, e, args, n);
	if (!constant_set && known)
		pay(x, cel_cost_of_call(x->arena, known, args, n, v));
	return v;
}

/* Lists, maps, objects */

/* What an optional item puts in; false: nothing, or *ret is an error. */
static bool unwrap_item(struct evaluation *x, struct cel_value v, struct cel_value *ret)
{
	if (!cel_is_optional(v)) {
		*ret = cel_failed(v) ? v
				     : cel_error(x->arena,
					       "cannot initialize optional list element from non-optional value %s",
					       cel_type_name(v));
		return false;
	}
	*ret = v.opaque->value;
	return v.opaque->present;
}

static struct cel_value eval_list(struct evaluation *x, struct expr *e)
{
	struct cel_value *items = ARENA_ARRAY(x->arena, struct cel_value, e->list.n_items + 1);
	size_t n = 0;
	for (size_t i = 0; i < e->list.n_items; i++) {
		struct cel_value v = eval(x, e->list.items[i]);
		if (e->list.optional[i] && !unwrap_item(x, v, &v)) {
			if (cel_failed(v))
				return v;
			continue;
		}
		if (cel_failed(v))
			return v;
		items[n++] = v;
	}
	pay(x, LIST_COST);
	return cel_list_of(x->arena, items, n);
}

static void put(struct arena *arena, struct cel_entry *entries, size_t *n, struct cel_entry entry)
{
	size_t i = 0;
	while (i < *n && !cel_equal(arena, entries[i].key, entry.key))
		i++;
	entries[i] = entry;
	*n += i == *n;
}

static struct cel_value eval_map(struct evaluation *x, struct expr *e)
{
	struct cel_entry *entries = ARENA_ARRAY(x->arena, struct cel_entry, e->map.n_entries + 1);
	size_t n = 0;
	for (size_t i = 0; i < e->map.n_entries; i++) {
		const struct entry *entry = &e->map.entries[i];
		struct cel_value key = entry->key ? eval(x, entry->key) : cel_text_of(entry->field);
		if (cel_failed(key))
			return key;
		struct cel_value v = eval(x, entry->value);
		if (entry->optional && !unwrap_item(x, v, &v)) {
			if (cel_failed(v))
				return v;
			continue;
		}
		if (cel_failed(v))
			return v;
		put(x->arena, entries, &n, (struct cel_entry){key, v});
	}
	pay(x, e->kind == EXPR_MAP ? MAP_COST : OBJECT_COST);
	return cel_map_of(x->arena, entries, n);
}

static struct cel_value eval_object(struct evaluation *x, struct expr *e)
{
	if (e->type->kind == CEL_TIMESTAMP || e->type->kind == CEL_DURATION) {
		pay(x, OBJECT_COST);
		return (struct cel_value){.kind = e->type->kind};
	}
	return eval_map(x, e);
}

/* Macros that repeat */

static bool is_bind(const struct fold *f)
{
	return f->range->kind == EXPR_LIST && !f->range->list.n_items && f->condition->kind == EXPR_LITERAL &&
	       !cel_is_true(f->condition->literal);
}

static struct cel_value eval_bind(struct evaluation *x, const struct fold *f)
{
	struct local local = {f->accu, CEL_NULL_VALUE, f->init, NULL, x->locals};
	x->locals = &local;
	struct cel_value v = eval(x, f->result);
	x->locals = local.outer;
	return v;
}

/* What the variables are in one turn. */
static void set_variables(struct evaluation *x, struct cel_value range, size_t i, struct local *var, struct local *var2)
{
	if (range.kind == CEL_LIST) {
		struct cel_value item = cel_item(x->arena, range.list, i);
		var->value = var2 ? CEL_INT_VALUE((int64_t)i) : item;
		if (var2)
			var2->value = item;
		return;
	}
	var->value = cel_key(x->arena, range.map, i);
	if (var2)
		cel_find(x->arena, range.map, var->value, &var2->value);
}

static struct cel_value eval_fold(struct evaluation *x, struct expr *e)
{
	const struct fold *f = &e->fold;
	if (is_bind(f))
		return eval_bind(x, f);
	struct cel_value range = eval(x, f->range);
	if (cel_failed(range))
		return range;
	if (cel_is_optional(range) || (range.kind != CEL_LIST && range.kind != CEL_MAP))
		return cel_error(x->arena, "got '%s', expected iterable type", cel_type_name(range));
	struct local accu = {f->accu, eval(x, f->init), NULL, NULL, x->locals};
	struct local var = {f->var, CEL_NULL_VALUE, NULL, NULL, &accu},
		     var2 = {f->var2, CEL_NULL_VALUE, NULL, NULL, &var};
	size_t n = range.kind == CEL_LIST ? range.list->n_items : range.map->n_entries;
	for (size_t i = 0; i < n && !x->over; i++) {
		set_variables(x, range, i, &var, f->var2 ? &var2 : NULL);
		x->locals = f->var2 ? &var2 : &var;
		struct cel_value condition = eval(x, f->condition);
		if (condition.kind == CEL_BOOL && !condition.boolean)
			break;
		accu.value = eval(x, f->step);
	}
	x->locals = &accu;
	struct cel_value v = eval(x, f->result);
	x->locals = accu.outer;
	return v;
}

static struct cel_value eval_function(struct evaluation *x, struct expr *e)
{
	const char *f = e->call.function;
	if (!strcmp(f, "_&&_") || !strcmp(f, "_||_"))
		return eval_logic(x, e, f[1] == '|');
	if (!strcmp(f, "_?_:_"))
		return eval_choice(x, e);
	if (!strcmp(f, "_[_]"))
		return eval_index(x, e, false);
	if (!strcmp(f, "_[?_]") || !strcmp(f, "_?._"))
		return eval_index(x, e, true);
	if (e->call.target && e->call.n_args == 1 && (!strcmp(f, "or") || !strcmp(f, "orValue")))
		return eval_or(x, e, f[2] != 0);
	return eval_call(x, e);
}

static struct cel_value eval(struct evaluation *x, struct expr *e)
{
	if (x->over)
		return cel_error(x->arena, "operation cancelled: actual cost limit exceeded");
	if (e->constant)
		return *e->constant;
	switch (e->kind) {
	case EXPR_LITERAL:
		return e->literal;
	case EXPR_IDENT:
		return eval_ident(x, e);
	case EXPR_SELECT:
		return eval_select(x, e);
	case EXPR_CALL:
		return eval_function(x, e);
	case EXPR_LIST:
		return eval_list(x, e);
	case EXPR_MAP:
		return eval_map(x, e);
	case EXPR_OBJECT:
		return eval_object(x, e);
	case EXPR_FOLD:
		return eval_fold(x, e);
	default:
		return cel_error(x->arena, "no such overload");
	}
}

struct cel_value cel_eval(struct arena *arena, const struct cel_program *program, const struct cel_binding *bindings,
	size_t n_bindings, uint64_t max_cost, uint64_t *ret_cost)
{
	struct evaluation x = {.arena = arena, .bindings = bindings, .n_bindings = n_bindings, .max_cost = max_cost};
	struct cel_value v = program->problem ? cel_error(arena, "%s", program->problem) : eval(&x, program->root);
	*ret_cost = x.cost;
	return x.over ? cel_error(arena, "operation cancelled: actual cost limit exceeded") : v;
}

/* Preparing */

struct preparation {
	struct arena *arena;
	const char *problem;
};

static bool is_conversion(const struct expr *e)
{
	static const char *const conversions[] = {
		"bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint", NULL};
	return e->kind == EXPR_CALL && !e->call.target && e->call.n_args == 1 && str_in(e->call.function, conversions);
}

static bool all_constant(const struct expr *e)
{
	if (e->kind == EXPR_LIST) {
		for (size_t i = 0; i < e->list.n_items; i++)
			if (!e->list.items[i]->constant || e->list.optional[i])
				return false;
		return true;
	}
	for (size_t i = 0; i < e->map.n_entries; i++) {
		const struct entry *entry = &e->map.entries[i];
		if (!entry->key->constant || !entry->value->constant || entry->optional)
			return false;
	}
	return true;
}

static void set_constant(struct preparation *p, struct expr *e, struct cel_value v)
{
	if (cel_failed(v) && !p->problem)
		p->problem = v.text.data;
	if (!cel_failed(v))
		e->constant = arena_dup(p->arena, &v, sizeof(v));
}

static void set_regex(struct preparation *p, struct expr *e)
{
	static const char *const functions[] = {"matches", "find", "findAll", NULL};
	size_t index = e->call.target ? 0 : 1;
	const char *problem;
	if (!str_in(e->call.function, functions) || e->call.n_args <= index)
		return;
	const struct cel_value *pattern = e->call.args[index]->constant;
	if (!pattern || pattern->kind != CEL_STRING)
		return;
	e->call.regex = regex_new(p->arena, pattern->text.data, pattern->text.size, &problem);
	if (!e->call.regex && !p->problem)
		p->problem = problem;
}

static void prepare(struct preparation *p, struct expr *e);

static void prepare_call(struct preparation *p, struct expr *e)
{
	struct cel_signature *signatures = ARENA_ARRAY(p->arena, struct cel_signature, e->call.n_overloads + 1);
	if (e->call.target)
		prepare(p, e->call.target);
	for (size_t i = 0; i < e->call.n_args; i++)
		prepare(p, e->call.args[i]);
	for (size_t i = 0; i < e->call.n_overloads; i++)
		signatures[i] = cel_signature(p->arena, e->call.overloads[i]->signature, NULL);
	e->call.signatures = signatures;
	set_regex(p, e);
	if (!is_conversion(e) || !e->call.args[0]->constant)
		return;
	struct evaluation x = {.arena = p->arena, .max_cost = UINT64_MAX};
	set_constant(p, e, eval(&x, e));
}

static void prepare(struct preparation *p, struct expr *e)
{
	struct evaluation x = {.arena = p->arena, .max_cost = UINT64_MAX};
	struct expr *parts[] = {e->fold.range, e->fold.init, e->fold.condition, e->fold.step, e->fold.result};
	switch (e->kind) {
	case EXPR_LITERAL:
		e->constant = &e->literal;
		break;
	case EXPR_IDENT:
		if (e->type->kind == CEL_TYPE && e->is_type)
			set_constant(p, e, (struct cel_value){.kind = CEL_TYPE, .type = e->type->params[0]});
		break;
	case EXPR_SELECT:
		prepare(p, e->select.operand);
		break;
	case EXPR_CALL:
		prepare_call(p, e);
		break;
	case EXPR_LIST:
		for (size_t i = 0; i < e->list.n_items; i++)
			prepare(p, e->list.items[i]);
		if (all_constant(e))
			set_constant(p, e, eval(&x, e));
		break;
	case EXPR_MAP:
	case EXPR_OBJECT:
		for (size_t i = 0; i < e->map.n_entries; i++) {
			if (e->map.entries[i].key)
				prepare(p, e->map.entries[i].key);
			prepare(p, e->map.entries[i].value);
		}
		if (e->kind == EXPR_MAP && all_constant(e))
			set_constant(p, e, eval(&x, e));
		break;
	case EXPR_FOLD:
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			prepare(p, parts[i]);
		break;
	case EXPR_NONE:
		break;
	}
}

const char *cel_prepare(struct arena *arena, struct expr *root)
{
	struct preparation p = {.arena = arena};
	prepare(&p, root);
	return p.problem;
}
