/* Lists whose items have no order: sets, and lists of objects that keys tell apart. */
#include "base/nameset.h"
#include "base/str.h"
#include "cel/eval.h"

static void add_identity(struct arena *arena, struct strbuf *out, struct cel_value v)
{
	struct cel_value value = CEL_NULL_VALUE;
	size_t n = v.kind == CEL_LIST ? v.list->n_items : v.kind == CEL_MAP ? v.map->n_entries : 0;
	strbuf_printf(out, "%d:", (int)v.kind);
	if (v.kind == CEL_STRING || v.kind == CEL_BYTES)
		strbuf_printf(out, "%zu:%.*s", v.text.size, (int)v.text.size, v.text.data);
	else if (v.kind == CEL_TIMESTAMP)
		strbuf_printf(out, "%lld.%d", (long long)v.time.seconds, v.time.nanos);
	else if (v.kind == CEL_DURATION)
		strbuf_printf(out, "%lld", (long long)v.integer);
	else if (!n)
		strbuf_adds(out, cel_value_text(arena, v));
	for (size_t i = 0; i < n; i++) {
		if (v.kind == CEL_LIST) {
			value = cel_item(arena, v.list, i);
		} else {
			add_identity(arena, out, cel_key(arena, v.map, i));
			cel_find(arena, v.map, cel_key(arena, v.map, i), &value);
		}
		strbuf_addc(out, ',');
		add_identity(arena, out, value);
	}
}

/* A text for an item: the same for those of the same keys, or for the same items of a set. */
static const char *identity(struct arena *arena, const struct cel_list *list, struct cel_value item)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (!list->keys)
		add_identity(arena, &out, item);
	for (size_t i = 0; i < list->n_keys; i++) {
		struct cel_value value = CEL_NULL_VALUE;
		if (item.kind == CEL_MAP)
			cel_find(arena, item.map, cel_text_of(list->keys[i]), &value);
		add_identity(arena, &out, value);
		strbuf_addc(&out, ',');
	}
	return arena_strdup(arena, out.buf);
}

static void add_identities(struct nameset *set, const struct cel_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		nameset_add(set, identity(set->arena, list, cel_item(set->arena, list, i)));
}

bool cel_unordered_equal(struct arena *arena, const struct cel_list *a, const struct cel_list *b)
{
	struct nameset items = {.arena = arena};
	add_identities(&items, a);
	for (size_t i = 0; i < b->n_items; i++) {
		struct cel_value item = cel_item(arena, b, i);
		size_t at = nameset_find(&items, identity(arena, a, item));
		if (at == SIZE_MAX || (a->keys && !cel_equal(arena, cel_item(arena, a, at), item)))
			return false;
	}
	return true;
}

struct cel_value cel_unordered_join(struct arena *arena, const struct cel_list *a, const struct cel_list *b)
{
	struct nameset items = {.arena = arena};
	struct cel_list *joined = arena_dup(arena, a, sizeof(*a));
	joined->items = ARENA_ARRAY(arena, struct cel_value, a->n_items + b->n_items + 1);
	for (size_t i = 0; i < a->n_items; i++)
		joined->items[i] = cel_item(arena, a, i);
	add_identities(&items, a);
	for (size_t i = 0; i < b->n_items; i++) {
		struct cel_value item = cel_item(arena, b, i);
		const char *id = identity(arena, a, item);
		size_t at = nameset_find(&items, id);
		if (at < a->n_items && a->keys)
			joined->items[at] = item;
		else if (at == SIZE_MAX)
			joined->items[joined->n_items++] = item;
		if (at == SIZE_MAX && a->is_set)
			nameset_add(&items, id);
	}
	return (struct cel_value){.kind = CEL_LIST, .list = joined};
}
