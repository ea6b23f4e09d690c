/* Literals that cannot be what they are used for: found once all types are known. */
#include "cel/internal.h"
#include "base/str.h"

struct literals {
	struct cel_source *source;
};

static bool mismatch(
	struct literals *l, const struct expr *e, const struct cel_type *expected, const struct cel_type *actual)
{
	struct arena *arena = l->source->arena;
	if (cel_type_equal(expected, actual))
		return false;
	cel_issue(l->source, e->at, "expected type '%s' but found '%s'", cel_type_text(arena, expected),
		cel_type_text(arena, actual));
	return true;
}

static const struct cel_type *item_type(const struct expr *e, bool optional)
{
	return optional && e->type->n_params ? e->type->params[0] : e->type;
}

static void check_list(struct literals *l, const struct expr *e)
{
	for (size_t i = 1; i < e->list.n_items; i++)
		if (mismatch(l, e->list.items[i], item_type(e->list.items[0], e->list.optional[0]),
			    item_type(e->list.items[i], e->list.optional[i])))
			return;
}

static void check_map(struct literals *l, const struct expr *e)
{
	for (size_t i = 1; i < e->map.n_entries; i++) {
		const struct entry *first = &e->map.entries[0], *entry = &e->map.entries[i];
		mismatch(l, entry->key, first->key->type, entry->key->type);
		mismatch(l, entry->value, item_type(first->value, first->optional),
			item_type(entry->value, entry->optional));
	}
}

/* What is formatted may be of any types. */
static bool check_one(struct expr *e, void *data)
{
	if (e->kind == EXPR_LIST)
		check_list(data, e);
	else if (e->kind == EXPR_MAP)
		check_map(data, e);
	return !is_call(e, "format");
}

void cel_check_literals(struct cel_source *source, struct expr *root)
{
	struct literals l = {source};
	expr_walk(root, check_one, &l);
}
