#include "api/field_walk.h"
#include <stdlib.h>
#include "api/field_value.h"

/* --- the elements of list items --- */

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

/* An item of a list, or the first of several with the same element. */
struct item {
	struct field_element element;
	struct field_value value;
	size_t index; /* where it stood, to keep equal ones in order */
	size_t n_same;
	const struct item *same; /* all of them */
};

static int by_element(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = field_element_compare(&x->element, &y->element);
	return c ? c : (x->index > y->index) - (x->index < y->index);
}

/* The items of a list by element, each element once. */
static struct item *items_of(
	struct arena *arena, const struct field_place *place, struct field_value list, size_t *ret_n)
{
	size_t n = list.form == FIELD_LIST ? field_value_count(list) : 0, n_items = 0, n_distinct = 0;
	*ret_n = 0;
	if (!n)
		return NULL;
	struct field_value *values = field_value_items(arena, list);
	struct item *all = arena_alloc(arena, n * sizeof(*all));
	for (size_t i = 0; i < n; i++) {
		struct item *item = &all[n_items];
		*item = (struct item){.value = values[i], .index = i, .n_same = 1, .same = item};
		n_items += field_item_element(arena, place, values[i], &item->element);
	}
	size_t sorted = 1;
	while (sorted < n_items && field_element_compare(&all[sorted - 1].element, &all[sorted].element) < 0)
		sorted++;
	if (sorted >= n_items) {
		*ret_n = n_items;
		return all;
	}
	qsort(all, n_items, sizeof(*all), by_element);
	struct item *out = arena_alloc(arena, n * sizeof(*out));
	for (size_t i = 0; i < n_items; i++) {
		struct item *last = n_distinct ? &out[n_distinct - 1] : NULL;
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

/* What a place with no schema is depends on the value. */
static bool is_map(const struct field_place *place, struct field_value a, struct field_value b)
{
	if (place->kind == PLACE_STRUCT || place->kind == PLACE_MAP)
		return true;
	return place->kind == PLACE_ANY && (a.form == FIELD_MAP || a.form == FIELD_ABSENT) &&
	       (b.form == FIELD_MAP || b.form == FIELD_ABSENT);
}

static bool is_list(const struct field_place *place)
{
	return place->kind == PLACE_SET || place->kind == PLACE_KEYED;
}

/* --- which fields there are --- */

struct collector {
	struct arena *arena;
	bool parents; /* what has something below it is a field too */
	struct fieldset *set;
};

static const struct fieldset *collect(
	struct arena *arena, const struct field_place *place, struct field_value value, bool parents);

static bool is_leaf(const struct field_place *place, struct field_value value)
{
	return place->atomic || (!is_map(place, value, value) && !is_list(place));
}

static void collect_member(
	void *data, struct field_element name, const struct field_place *place, bool declared, struct field_value value)
{
	struct collector *c = data;
	const bool leaf = is_leaf(place, value);
	const struct fieldset *below = leaf ? NULL : collect(c->arena, place, value, c->parents);
	const bool self = leaf || c->parents || !declared || value.form == FIELD_NULL ||
			  (value.form == FIELD_MAP && field_value_empty(c->arena, value));
	fieldset_add(c->arena, c->set, name, self, below);
}

/* They come sorted and once each. */
static void collect_items(struct collector *c, const struct field_place *place, struct field_value list)
{
	size_t n;
	const struct item *items = items_of(c->arena, place, list, &n);
	const struct field_place item = place->schema->item(place);
	for (size_t i = 0; i < n; i++) {
		const struct fieldset *below = NULL;
		if (items[i].n_same == 1)
			below = collect(c->arena, &item, items[i].value, c->parents);
		fieldset_add(c->arena, c->set, items[i].element, true, below);
	}
}

/* What is in a value, at a place that is not owned as a whole. */
static const struct fieldset *collect(
	struct arena *arena, const struct field_place *place, struct field_value value, bool parents)
{
	if (is_leaf(place, value) || (value.form != FIELD_MAP && value.form != FIELD_LIST))
		return NULL;
	struct collector c = {.arena = arena, .parents = parents, .set = fieldset_new(arena)};
	if (is_list(place)) {
		collect_items(&c, place, value);
		return c.set;
	}
	field_each_member(arena, place, value, collect_member, &c);
	return fieldset_finish(arena, c.set);
}

const struct fieldset *field_set_of(struct arena *arena, const struct field_place *place, struct field_value value)
{
	return collect(arena, place, value, false);
}

/* --- what changed --- */

/* Of a value: itself, and what is below it. */
struct outcome {
	bool changed, removed;
	struct field_changes below;
};

struct comparison {
	struct arena *arena;
	struct fieldset changed, removed;
};

static struct outcome compare(
	struct arena *arena, const struct field_place *place, struct field_value a, struct field_value b);

static void take(struct comparison *c, struct field_element element, const struct outcome *o)
{
	fieldset_add(c->arena, &c->changed, element, o->changed, o->below.changed);
	fieldset_add(c->arena, &c->removed, element, o->removed, o->below.removed);
}

static void compare_member(void *data, struct field_element name, const struct field_place *place, bool declared,
	struct field_value a, struct field_value b)
{
	struct comparison *c = data;
	const struct outcome o = compare(c->arena, place, a, b);
	take(c, name, &o);
}

/* Items that share an element are owned as one thing. */
static struct outcome compare_same(
	struct arena *arena, const struct field_place *place, const struct item *x, const struct item *y)
{
	static const struct field_value none;
	size_t n = x ? x->n_same : 0, m = y ? y->n_same : 0;
	struct outcome o = {0};
	if (n <= 1 && m <= 1)
		return compare(arena, place, n ? x->value : none, m ? y->value : none);
	if (n > 1 && m > 1) {
		o.changed = n != m;
		for (size_t i = 0; i < n && !o.changed; i++)
			o.changed = !field_value_equal(arena, x->same[i].value, y->same[i].value);
		return o;
	}
	if (n > 1) {
		if (m)
			o = compare(arena, place, none, y->value);
		o.removed = true;
		return o;
	}
	if (n)
		o = compare(arena, place, x->value, none);
	o.changed = true;
	return o;
}

static void compare_items(
	struct comparison *c, const struct field_place *place, struct field_value a, struct field_value b)
{
	size_t n, m, i = 0, j = 0;
	const struct item *x = items_of(c->arena, place, a, &n), *y = items_of(c->arena, place, b, &m);
	const struct field_place item = place->schema->item(place);
	while (i < n || j < m) {
		int order = i == n ? 1 : j == m ? -1 : field_element_compare(&x[i].element, &y[j].element);
		const struct item *left = order <= 0 ? &x[i++] : NULL, *right = order >= 0 ? &y[j++] : NULL;
		const struct outcome o = compare_same(c->arena, &item, left, right);
		take(c, left ? left->element : right->element, &o);
	}
}

static const struct fieldset *finished(struct arena *arena, struct fieldset *set)
{
	return set->n_nodes ? fieldset_finish(arena, arena_dup(arena, set, sizeof(*set))) : NULL;
}

static struct outcome compare(
	struct arena *arena, const struct field_place *place, struct field_value a, struct field_value b)
{
	struct outcome o = {.changed = a.form == FIELD_ABSENT, .removed = b.form == FIELD_ABSENT};
	if (o.changed || o.removed) {
		o.below.changed = collect(arena, place, b, true);
		o.below.removed = collect(arena, place, a, true);
		return o;
	}
	bool map = !place->atomic && is_map(place, a, b), list = !place->atomic && is_list(place);
	bool leaf = (!map && !list) || (field_value_empty(arena, a) && field_value_empty(arena, b));
	if (leaf) {
		o.changed = !field_value_equal(arena, a, b);
		return o;
	}
	/* Most lists are as they were; their items then need no elements. */
	if (list && field_value_equal(arena, a, b))
		return o;
	struct comparison c = {.arena = arena};
	if (map)
		field_each_pair(arena, place, a, b, compare_member, &c);
	else
		compare_items(&c, place, a, b);
	o.below.changed = finished(arena, &c.changed);
	o.below.removed = finished(arena, &c.removed);
	return o;
}

struct field_changes field_compare(
	struct arena *arena, const struct field_place *place, struct field_value before, struct field_value after)
{
	return compare(arena, place, before, after).below;
}

/* --- sets and the schema --- */

static struct field_place place_below(const struct field_place *place, const struct field_element *e, bool *ret_known)
{
	struct field_place member = {.kind = PLACE_ANY, .schema = place->schema};
	*ret_known = false;
	if (place->kind == PLACE_STRUCT && e->kind == FIELD_NAME) {
		*ret_known = place->schema->member(place, e->text, e->size, &member);
	} else if (place->kind == PLACE_MAP && e->kind == FIELD_NAME) {
		place->schema->member(place, e->text, e->size, &member);
		*ret_known = true;
	} else if (is_list(place) && (e->kind == FIELD_KEY || e->kind == FIELD_VALUE)) {
		member = place->schema->item(place);
		*ret_known = true;
	}
	return member;
}

const struct fieldset *field_set_reconcile(
	struct arena *arena, const struct field_place *place, const struct fieldset *set)
{
	struct fieldset *out = NULL;
	for (size_t i = 0; set && i < set->n_nodes; i++) {
		const struct field_node *node = &set->nodes[i];
		bool known;
		if (!node->below)
			continue;
		const struct field_place below = place_below(place, &node->element, &known);
		if (!known || below.kind == PLACE_ANY || below.kind == PLACE_SCALAR)
			continue;
		const struct fieldset *now = below.atomic ? NULL : field_set_reconcile(arena, &below, node->below);
		if (now == node->below)
			continue;
		if (!out) {
			out = arena_dup(arena, set, sizeof(*set));
			out->nodes = arena_dup(arena, set->nodes, set->n_nodes * sizeof(*set->nodes));
		}
		out->nodes[i].below = now;
		out->nodes[i].member |= below.atomic;
	}
	return out ? out : set;
}

const struct fieldset *field_set_with_parents(
	struct arena *arena, const struct field_place *place, const struct fieldset *set)
{
	if (fieldset_empty(set))
		return NULL;
	struct fieldset *out = fieldset_new(arena);
	for (size_t i = 0; i < set->n_nodes; i++) {
		struct field_node node = set->nodes[i];
		bool known;
		const struct field_place below = place_below(place, &node.element, &known);
		node.member |= node.below && known && place->kind == PLACE_STRUCT;
		node.below = field_set_with_parents(arena, &below, node.below);
		ARENA_PUSH(arena, out->nodes, out->n_nodes) = node;
	}
	return out;
}
