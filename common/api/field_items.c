/* The elements that name the items of lists, and the items by them. */
#include <stdlib.h>
#include "api/field_value.h"

static bool add_key(struct arena *arena, const struct field_place *place, struct field_value item, const char *key,
	struct strbuf *out)
{
	const struct field_value v = field_value_member(arena, item, key);
	const char *fallback = v.form == FIELD_ABSENT ? place->schema->key_default(place, key) : NULL;
	if (v.form == FIELD_ABSENT && !fallback)
		return false;
	strbuf_adds(out, out->len > 1 ? ",\"" : "\"");
	strbuf_adds(out, key);
	strbuf_adds(out, "\":");
	if (fallback)
		strbuf_adds(out, fallback);
	else
		field_value_print(out, v);
	return true;
}

/* {"containerPort":80,"protocol":"TCP"}: keys by name, defaults where the item leaves one out. */
static bool key_element(
	struct arena *arena, const struct field_place *place, struct field_value item, struct strbuf *out)
{
	const char *const *keys = place->schema->keys(place);
	const char *last = "";
	bool any = false;
	strbuf_addc(out, '{');
	for (size_t n = 0; keys[n]; n++) {
		const char *next = NULL;
		for (size_t i = 0; keys[i]; i++)
			if (strcmp(keys[i], last) > 0 && (!next || strcmp(keys[i], next) < 0))
				next = keys[i];
		if (!next)
			break;
		any |= add_key(arena, place, item, next, out);
		last = next;
	}
	strbuf_addc(out, '}');
	return any;
}

/* By far the most items have one key, a plain text: {"name":"web"}. */
static bool plain_key_element(struct arena *arena, const struct field_place *place, struct field_value item,
	struct field_element *ret_element)
{
	const char *const *keys = place->schema->keys(place);
	const char *text;
	if (keys[1] || item.form != FIELD_MAP)
		return false;
	text = field_value_plain_text(field_value_member(arena, item, keys[0]));
	if (!text)
		return false;
	size_t key_size = strlen(keys[0]), text_size = strlen(text), size = key_size + text_size + 7;
	char *out = arena_alloc(arena, size), *to = out;
	memcpy(to, "{\"", 2);
	memcpy(to += 2, keys[0], key_size);
	memcpy(to += key_size, "\":\"", 3);
	memcpy(to += 3, text, text_size);
	memcpy(to + text_size, "\"}", 2);
	*ret_element = (struct field_element){.text = out, .size = (uint32_t)size, .kind = FIELD_KEY};
	return true;
}

bool field_item_element(struct arena *arena, const struct field_place *place, struct field_value item,
	struct field_element *ret_element)
{
	if (place->kind == PLACE_KEYED && plain_key_element(arena, place, item, ret_element))
		return true;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (place->kind == PLACE_KEYED) {
		if (item.form != FIELD_MAP || !key_element(arena, place, item, &out))
			return false;
	} else {
		if (item.form != FIELD_SCALAR)
			return false;
		field_value_print(&out, item);
	}
	*ret_element = (struct field_element){.text = arena_dup(arena, out.buf, out.len),
		.size = (uint32_t)out.len,
		.kind = place->kind == PLACE_KEYED ? FIELD_KEY : FIELD_VALUE};
	return true;
}

static int by_element(const void *a, const void *b)
{
	const struct field_item *x = a, *y = b;
	int c = field_element_compare(&x->element, &y->element);
	return c ? c : (x->index > y->index) - (x->index < y->index);
}

const struct field_item *field_items(
	struct arena *arena, const struct field_place *place, struct field_value list, size_t *ret_n, bool *unfit)
{
	size_t n = list.form == FIELD_LIST ? field_value_count(list) : 0, n_items = 0, n_distinct = 0;
	*ret_n = 0;
	if (!n)
		return NULL;
	struct field_value *values = field_value_items(arena, list);
	struct field_item *all = arena_alloc(arena, n * sizeof(*all));
	for (size_t i = 0; i < n; i++) {
		struct field_item *item = &all[n_items];
		*item = (struct field_item){.value = values[i], .index = i, .n_same = 1, .same = item};
		n_items += field_item_element(arena, place, values[i], &item->element);
	}
	*unfit |= n_items < n;
	size_t sorted = 1;
	while (sorted < n_items && field_element_compare(&all[sorted - 1].element, &all[sorted].element) < 0)
		sorted++;
	if (sorted >= n_items) {
		*ret_n = n_items;
		return all;
	}
	qsort(all, n_items, sizeof(*all), by_element);
	struct field_item *out = arena_alloc(arena, n * sizeof(*out));
	for (size_t i = 0; i < n_items; i++) {
		struct field_item *last = n_distinct ? &out[n_distinct - 1] : NULL;
		if (last && !field_element_compare(&last->element, &all[i].element)) {
			last->n_same++;
			continue;
		}
		out[n_distinct] = all[i];
		out[n_distinct++].same = &all[i];
	}
	*ret_n = n_distinct;
	return out;
}
