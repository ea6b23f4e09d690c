/*
 * The checker: finds what names stand for, which overloads of a function fit, and what type everything has. What it
 * finds wrong becomes an issue, once: the type of it agrees with everything from there on.
 */
#include "cel/internal.h"
#include "base/str.h"

enum {
	MAX_STEPS = 1000000,	/* what macros multiply is checked as often as it stands there */
	MAX_TYPE_PARTS = 10000, /* types that are made of more are not followed */
};

/* A variable of a macro, within those around it. */
struct scope {
	const char *name;
	const struct cel_type *type;
	const struct scope *outer;
};

struct checker {
	struct cel_source *source;
	struct arena *arena;
	const struct cel_env *env;
	const struct scope *scope;
	struct unifier types;
	size_t n_steps;
};

static void check(struct checker *c, struct expr *e);

static void set_type(struct checker *c, struct expr *e, const struct cel_type *type)
{
	if (type->n_parts > MAX_TYPE_PARTS) {
		cel_issue(c->source, e->at, "type is too complex");
		type = &cel_broken;
	}
	e->type = type;
}

static const char *text(struct checker *c, const struct cel_type *type)
{
	return cel_type_text(c->arena, type);
}

static const struct cel_type *resolve(struct checker *c, const struct cel_type *type)
{
	return unify_resolve(&c->types, type, false);
}

static bool is_dyn(const struct cel_type *t)
{
	return t->kind == CEL_DYN;
}

static void mismatch(struct checker *c, int32_t at, const struct cel_type *expected, const struct cel_type *actual)
{
	cel_issue(c->source, at, "expected type '%s' but found '%s'", text(c, expected), text(c, actual));
}

static void undeclared(struct checker *c, struct expr *e, const char *name)
{
	cel_issue(c->source, e->at, "undeclared reference to '%s' (in container '')", name);
	e->type = &cel_broken;
}

/* Names */

static const struct {
	const char *name;
	const struct cel_type *type;
} type_names[] = {
	{"bool", &cel_bool},
	{"bytes", &cel_bytes},
	{"double", &cel_double},
	{"google.protobuf.Duration", &cel_duration},
	{"int", &cel_int},
	{"list", NULL},
	{"map", NULL},
	{"null_type", &cel_null},
	{"string", &cel_string},
	{"google.protobuf.Timestamp", &cel_timestamp},
	{"type", &cel_any_type},
	{"uint", &cel_uint},
	{"optional_type", NULL},
	{"kubernetes.Quantity", &cel_quantity},
	{"kubernetes.URL", &cel_url},
	{"net.IP", &cel_ip},
	{"net.CIDR", &cel_cidr},
	{"kubernetes.Semver", &cel_semver},
	{"kubernetes.NamedFormat", &cel_format},
};

/* The type that a name stands for, as the type of that value; NULL if it stands for none. */
static const struct cel_type *type_named(struct checker *c, const char *name)
{
	if (!strcmp(name, "list"))
		return cel_type_type(c->arena, cel_type_list(c->arena, &cel_dyn));
	if (!strcmp(name, "map"))
		return cel_type_type(c->arena, cel_type_map(c->arena, &cel_dyn, &cel_dyn));
	if (!strcmp(name, "optional_type"))
		return cel_type_type(c->arena, cel_type_optional(c->arena, &cel_dyn));
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		if (type_names[i].type && !strcmp(type_names[i].name, name))
			return cel_type_type(c->arena, type_names[i].type);
	return NULL;
}

static const struct cel_type *lookup(struct checker *c, const char *name, bool *ret_is_type)
{
	*ret_is_type = false;
	name += *name == '.';
	for (const struct scope *s = c->scope; s; s = s->outer)
		if (!strcmp(s->name, name))
			return s->type;
	const struct variable *v = env_variable(c->env, name);
	*ret_is_type = !v;
	return v ? v->type : type_named(c, name);
}

static void check_ident(struct checker *c, struct expr *e)
{
	const struct cel_type *type = lookup(c, e->ident, &e->is_type);
	if (!type) {
		undeclared(c, e, e->ident);
		return;
	}
	e->ident += *e->ident == '.';
	set_type(c, e, type);
}

/* "a.b.c" of a selection in a selection of a name; NULL if it is anything else. */
static const char *qualified_name(struct checker *c, const struct expr *e)
{
	if (e->kind == EXPR_IDENT)
		return e->ident;
	if (e->kind != EXPR_SELECT || e->select.is_test)
		return NULL;
	const char *outer = qualified_name(c, e->select.operand);
	return outer ? arena_printf(c->arena, "%s.%s", outer, e->select.field) : NULL;
}

/* Selections */

static const struct cel_type *unwrap(const struct cel_type *type, bool *ret_optional)
{
	*ret_optional = cel_type_is_optional(type);
	return *ret_optional ? type->params[0] : type;
}

static const struct cel_type *field_type(
	struct checker *c, const struct cel_type *object, const char *field, int32_t at)
{
	const struct cel_type *type = cel_type_field(c->arena, object, field);
	if (!type && !object->n_parts)
		cel_issue(c->source, at, "unexpected failed resolution of '%s'", object->name);
	else if (!type)
		cel_issue(c->source, at, "undefined field '%s'", field);
	return type ? type : &cel_broken;
}

static const struct cel_type *check_field(
	struct checker *c, struct expr *e, struct expr *operand, const char *field, bool optional)
{
	bool was_optional;
	check(c, operand);
	const struct cel_type *target = unwrap(resolve(c, operand->type), &was_optional), *result = &cel_dyn;
	if (target->kind == CEL_MAP)
		result = target->params[1];
	else if (target->kind == CEL_OBJECT)
		result = field_type(c, target, field, e->at);
	else if (target->kind == CEL_PARAM)
		unify_assignable(&c->types, &cel_dyn, target);
	else if (!is_dyn(target) && target->kind != CEL_BROKEN)
		cel_issue(c->source, e->at, "type '%s' does not support field selection", text(c, target));
	return was_optional || optional ? cel_type_optional(c->arena, result) : result;
}

static void check_select(struct checker *c, struct expr *e)
{
	const char *name = qualified_name(c, e);
	const struct cel_type *known = name ? lookup(c, name, &e->is_type) : NULL;
	if (known) {
		e->kind = EXPR_IDENT;
		e->ident = name + (*name == '.');
		set_type(c, e, known);
		return;
	}
	const struct cel_type *type = check_field(c, e, e->select.operand, e->select.field, false);
	set_type(c, e, e->select.is_test ? &cel_bool : resolve(c, type));
}

/* Calls */

static const struct cel_type *new_letter(void *data)
{
	return unify_new_variable(data);
}

static void no_overload(struct checker *c, struct expr *e, const struct cel_type *const *types, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	size_t i = 0;
	if (e->call.target)
		strbuf_printf(&out, "%s.", text(c, unify_resolve(&c->types, types[i++], true)));
	strbuf_addc(&out, '(');
	for (size_t first = i; i < n; i++)
		strbuf_printf(&out, "%s%s", i > first ? ", " : "", text(c, unify_resolve(&c->types, types[i], true)));
	cel_issue(c->source, e->at, "found no matching overload for '%s' applied to '%s)'", e->call.function, out.buf);
	e->type = &cel_broken;
}

/* Tries one overload; *result is the type of all that fit so far. */
static void try_overload(struct checker *c, struct expr *e, const struct cel_overload *overload,
	const struct cel_type *const *types, size_t n, const struct cel_type **result)
{
	struct cel_letters letters = {.type_of = new_letter, .data = &c->types};
	if ((*overload->signature != '(') != (e->call.target != NULL))
		return;
	struct cel_signature s = cel_signature(c->arena, overload->signature, &letters);
	if (s.n_args != n || !unify_all_assignable(&c->types, types, s.args, n))
		return;
	ARENA_PUSH(c->arena, e->call.overloads, e->call.n_overloads) = overload;
	const struct cel_type *is = resolve(c, s.result);
	if (!*result)
		*result = is;
	else if (!is_dyn(*result) && !cel_type_equal(is, *result))
		*result = &cel_dyn;
}

static void set_overload(struct checker *c, struct expr *e)
{
	const struct cel_overload *overload = cel_overload_named(e->call.function);
	e->call.n_overloads = 0;
	ARENA_PUSH(c->arena, e->call.overloads, e->call.n_overloads) = overload;
}

static void check_logic(struct checker *c, struct expr *e)
{
	bool fit = true;
	set_overload(c, e);
	for (size_t i = 0; i < e->call.n_args; i++)
		if (!unify_assignable(&c->types, e->call.args[i]->type, &cel_bool)) {
			mismatch(c, e->call.args[i]->at, &cel_bool, e->call.args[i]->type);
			fit = false;
		}
	e->type = fit ? &cel_bool : &cel_broken;
}

static void resolve_overloads(struct checker *c, struct expr *e)
{
	const struct cel_type **types = ARENA_ARRAY(c->arena, const struct cel_type *, e->call.n_args + 1);
	const struct cel_type *result = NULL;
	size_t n = 0;
	e->call.n_overloads = 0;
	if (e->call.target)
		types[n++] = e->call.target->type;
	for (size_t i = 0; i < e->call.n_args; i++)
		types[n++] = e->call.args[i]->type;
	if (!strcmp(e->call.function, "_&&_") || !strcmp(e->call.function, "_||_")) {
		check_logic(c, e);
		return;
	}
	for (size_t l = 0; l < cel_n_libraries; l++)
		for (size_t i = 0; i < cel_libraries[l]->n_rows && env_has_library(c->env, cel_libraries[l]); i++)
			if (!strcmp(cel_libraries[l]->rows[i].function, e->call.function))
				try_overload(c, e, &cel_libraries[l]->rows[i], types, n, &result);
	if (result)
		set_type(c, e, result);
	else
		no_overload(c, e, types, n);
}

static void check_optional_select(struct checker *c, struct expr *e)
{
	const struct expr *field = e->call.args[1];
	const struct cel_type *type = check_field(c, e, e->call.args[0], field->literal.text.data, true);
	e->call.args[1]->type = &cel_string;
	set_overload(c, e);
	set_type(c, e, resolve(c, type));
}

static void check_call(struct checker *c, struct expr *e)
{
	if (!strcmp(e->call.function, "_?._")) {
		check_optional_select(c, e);
		return;
	}
	for (size_t i = 0; i < e->call.n_args; i++)
		check(c, e->call.args[i]);
	if (e->call.target) {
		/* What it is called on may be the first part of its name. */
		const char *prefix = qualified_name(c, e->call.target);
		const char *name = prefix ? arena_printf(c->arena, "%s.%s", prefix, e->call.function) : NULL;
		if (name && env_has_function(c->env, name + (*name == '.'))) {
			e->call.function = name + (*name == '.');
			e->call.target = NULL;
			resolve_overloads(c, e);
			return;
		}
		check(c, e->call.target);
	}
	const char *function = e->call.function + (*e->call.function == '.' && !e->call.target);
	if (!env_has_function(c->env, function)) {
		undeclared(c, e, e->call.function);
		return;
	}
	e->call.function = function;
	resolve_overloads(c, e);
}

/* Lists, maps, objects */

/* The type of items of both types; those that do not agree are told of with the literals. */
static const struct cel_type *join(struct checker *c, const struct cel_type *before, const struct cel_type *type)
{
	if (!before)
		return type;
	if (unify_assignable(&c->types, before, type))
		return unify_most_general(before, type);
	return &cel_dyn;
}

/* The type inside of what has to be optional. */
static const struct cel_type *optional_item(struct checker *c, const struct expr *e)
{
	bool optional;
	const struct cel_type *type = unwrap(e->type, &optional);
	if (!optional && !is_dyn(type))
		mismatch(c, e->at, cel_type_optional(c->arena, type), type);
	return type;
}

static void check_list(struct checker *c, struct expr *e)
{
	const struct cel_type *items = NULL;
	for (size_t i = 0; i < e->list.n_items; i++) {
		struct expr *item = e->list.items[i];
		check(c, item);
		items = join(c, items, e->list.optional[i] ? optional_item(c, item) : item->type);
	}
	set_type(c, e, cel_type_list(c->arena, items ? items : unify_new_variable(&c->types)));
}

static void check_map(struct checker *c, struct expr *e)
{
	const struct cel_type *keys = NULL, *values = NULL;
	for (size_t i = 0; i < e->map.n_entries; i++) {
		struct entry *entry = &e->map.entries[i];
		check(c, entry->key);
		keys = join(c, keys, entry->key->type);
		check(c, entry->value);
		values = join(c, values, entry->optional ? optional_item(c, entry->value) : entry->value->type);
	}
	if (!keys) {
		keys = unify_new_variable(&c->types);
		values = unify_new_variable(&c->types);
	}
	set_type(c, e, cel_type_map(c->arena, keys, values));
}

static void check_object(struct checker *c, struct expr *e)
{
	const struct cel_type *named = lookup(c, e->map.name, &e->is_type), *object = NULL;
	if (!named) {
		undeclared(c, e, e->map.name);
		return;
	}
	e->map.name += *e->map.name == '.';
	e->type = &cel_broken;
	if (named->kind != CEL_TYPE || !named->n_params)
		cel_issue(c->source, e->at, "'%s' is not a type", text(c, named));
	else if (named->params[0]->kind == CEL_OBJECT)
		e->type = object = named->params[0];
	else if (named->params[0]->kind == CEL_TIMESTAMP || named->params[0]->kind == CEL_DURATION)
		e->type = named->params[0];
	else
		cel_issue(c->source, e->at, "'%s' is not a message type", text(c, named->params[0]));
	for (size_t i = 0; i < e->map.n_entries; i++) {
		const struct entry *entry = &e->map.entries[i];
		check(c, entry->value);
		const struct cel_type *field = object ? field_type(c, object, entry->field, entry->at) : &cel_broken;
		const struct cel_type *value = entry->optional ? optional_item(c, entry->value) : entry->value->type;
		if (!unify_assignable(&c->types, field, value))
			cel_issue(c->source, entry->at, "expected type of field '%s' is '%s' but provided type is '%s'",
				entry->field, text(c, field), text(c, value));
	}
}

/* Macros that repeat */

/* What the variables of a fold are, out of what it goes over. */
static void fold_variables(struct checker *c, const struct fold *f, struct scope *var, struct scope *var2)
{
	const struct cel_type *range = resolve(c, f->range->type);
	switch (range->kind) {
	case CEL_LIST:
		var->type = f->var2 ? &cel_int : range->params[0];
		var2->type = range->params[0];
		break;
	case CEL_MAP:
		var->type = range->params[0];
		var2->type = range->params[1];
		break;
	case CEL_DYN:
	case CEL_BROKEN:
	case CEL_PARAM:
		unify_assignable(&c->types, &cel_dyn, range);
		var->type = var2->type = &cel_dyn;
		break;
	default:
		cel_issue(c->source, f->range->at,
			"expression of type '%s' cannot be range of a comprehension (must be list, map, or dynamic)",
			text(c, range));
		var->type = var2->type = &cel_broken;
	}
}

static void assert_type(struct checker *c, const struct expr *e, const struct cel_type *type)
{
	if (!unify_assignable(&c->types, type, e->type))
		mismatch(c, e->at, type, e->type);
}

static void check_fold(struct checker *c, struct expr *e)
{
	struct fold *f = &e->fold;
	const struct scope *outer = c->scope;
	check(c, f->range);
	check(c, f->init);
	const struct scope accu = {f->accu, f->init->type, outer};
	struct scope var = {f->var, NULL, &accu}, var2 = {f->var2, NULL, &var};
	fold_variables(c, f, &var, &var2);
	c->scope = f->var2 ? &var2 : &var;
	check(c, f->condition);
	assert_type(c, f->condition, &cel_bool);
	check(c, f->step);
	assert_type(c, f->step, accu.type);
	c->scope = &accu;
	check(c, f->result);
	c->scope = outer;
	set_type(c, e, resolve(c, f->result->type));
}

static const struct cel_type *literal_type(enum cel_kind kind)
{
	switch (kind) {
	case CEL_BOOL:
		return &cel_bool;
	case CEL_INT:
		return &cel_int;
	case CEL_UINT:
		return &cel_uint;
	case CEL_DOUBLE:
		return &cel_double;
	case CEL_STRING:
		return &cel_string;
	case CEL_BYTES:
		return &cel_bytes;
	default:
		return &cel_null;
	}
}

static void check(struct checker *c, struct expr *e)
{
	if (++c->n_steps > MAX_STEPS) {
		e->type = &cel_broken;
		return;
	}
	switch (e->kind) {
	case EXPR_LITERAL:
		e->type = literal_type(e->literal.kind);
		break;
	case EXPR_IDENT:
		check_ident(c, e);
		break;
	case EXPR_SELECT:
		check_select(c, e);
		break;
	case EXPR_CALL:
		check_call(c, e);
		break;
	case EXPR_LIST:
		check_list(c, e);
		break;
	case EXPR_MAP:
		check_map(c, e);
		break;
	case EXPR_OBJECT:
		check_object(c, e);
		break;
	case EXPR_FOLD:
		check_fold(c, e);
		break;
	case EXPR_NONE:
		e->type = &cel_broken;
	}
}

static bool finish(struct expr *e, void *data)
{
	if (e->type)
		e->type = unify_resolve(data, e->type, true);
	return true;
}

void cel_check(struct cel_source *source, const struct cel_env *env, struct expr *root)
{
	struct checker c = {.source = source, .arena = source->arena, .env = env, .types = {.arena = source->arena}};
	check(&c, root);
	if (c.n_steps > MAX_STEPS)
		cel_issue(source, CEL_NOWHERE, "expression is too complex to check");
	else
		expr_walk(root, finish, &c.types);
}
