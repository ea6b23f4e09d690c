/* Literals that cannot be what they are used for: found once all types are known. */
#include "base/regex.h"
#include "base/str.h"
#include "cel/eval.h"

static bool mismatch(
	struct cel_source *source, const struct expr *e, const struct cel_type *expected, const struct cel_type *actual)
{
	if (cel_type_equal(expected, actual))
		return false;
	cel_issue(source, e->at, "expected type '%s' but found '%s'", cel_type_text(source->arena, expected),
		cel_type_text(source->arena, actual));
	return true;
}

static const struct cel_type *item_type(const struct expr *e, bool optional)
{
	return optional && e->type->n_params ? e->type->params[0] : e->type;
}

static void check_list(struct cel_source *source, const struct expr *e)
{
	for (size_t i = 1; i < e->list.n_items; i++)
		if (mismatch(source, e->list.items[i], item_type(e->list.items[0], e->list.optional[0]),
			    item_type(e->list.items[i], e->list.optional[i])))
			return;
}

static void check_map(struct cel_source *source, const struct expr *e)
{
	for (size_t i = 1; i < e->map.n_entries; i++) {
		const struct entry *first = &e->map.entries[0], *entry = &e->map.entries[i];
		mismatch(source, entry->key, first->key->type, entry->key->type);
		mismatch(source, entry->value, item_type(first->value, first->optional),
			item_type(entry->value, entry->optional));
	}
}

/* Whether a literal is what a conversion can convert, or a pattern. */
static bool is_good(struct arena *arena, const char *function, struct cel_value v)
{
	const char *problem;
	int64_t ns;
	if (!strcmp(function, "matches"))
		return v.kind != CEL_STRING || regex_new(arena, v.text.data, v.text.size, &problem);
	if (!strcmp(function, "timestamp") && v.kind == CEL_INT)
		return time_is_valid(v.integer);
	if (v.kind != CEL_STRING)
		return false;
	if (!strcmp(function, "timestamp"))
		return !cel_failed(cel_read_timestamp(arena, v.text));
	return cel_read_duration(arena_strndup(arena, v.text.data, v.text.size), &ns);
}

static void check_argument(struct cel_source *source, const struct expr *e)
{
	static const char *const functions[] = {"duration", "timestamp", "matches", NULL};
	const struct expr *arg = e->call.n_args ? e->call.args[0] : NULL;
	if (!arg || arg->kind != EXPR_LITERAL || !str_in(e->call.function, functions))
		return;
	if (!is_good(source->arena, e->call.function, arg->literal))
		cel_issue(source, arg->at, "invalid %s argument", e->call.function);
}

static bool check_arguments(struct expr *e, void *data)
{
	struct cel_source *source = data;
	if (e->kind != EXPR_CALL)
		return true;
	check_argument(source, e);
	if (is_call(e, "format") && e->call.target && e->call.target->kind == EXPR_LITERAL &&
		e->call.target->literal.kind == CEL_STRING && e->call.n_args == 1 && e->call.args[0]->kind == EXPR_LIST)
		cel_check_format(source, e);
	return true;
}

/* What is formatted may be of any types. */
static bool check_items(struct expr *e, void *data)
{
	if (e->kind == EXPR_LIST)
		check_list(data, e);
	else if (e->kind == EXPR_MAP)
		check_map(data, e);
	return !is_call(e, "format");
}

void cel_check_literals(struct cel_source *source, struct expr *root)
{
	expr_walk(root, check_arguments, source);
	expr_walk(root, check_items, source);
}
