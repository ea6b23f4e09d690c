#include "api/field_walk.h"
#include <stdlib.h>
#include "api/field_value.h"

/* --- which fields there are --- */

struct collector {
	struct arena *arena;
	bool parents; /* what has something below it is a field too */
	struct fieldset *set;
	bool *unfit;
};

static const struct fieldset *collect(
	struct arena *arena, const struct field_place *place, struct field_value value, bool parents, bool *unfit);

static void collect_member(
	void *data, struct field_element name, const struct field_place *place, bool declared, struct field_value value)
{
	struct collector *c = data;
	const bool leaf = field_is_leaf(place, value);
	const struct fieldset *below = leaf ? NULL : collect(c->arena, place, value, c->parents, c->unfit);
	const bool self = leaf || c->parents || !declared || value.form == FIELD_NULL ||
			  (value.form == FIELD_MAP && field_value_empty(c->arena, value));
	fieldset_add(c->arena, c->set, name, self, below);
}

/* They come sorted and once each. */
static void collect_items(struct collector *c, const struct field_place *place, struct field_value list)
{
	size_t n;
	const struct field_item *items = field_items(c->arena, place, list, &n, c->unfit);
	const struct field_place item = place->schema->item(place);
	for (size_t i = 0; i < n; i++) {
		const struct fieldset *below = NULL;
		if (items[i].n_same == 1)
			below = collect(c->arena, &item, items[i].value, c->parents, c->unfit);
		fieldset_add(c->arena, c->set, items[i].element, true, below);
	}
}

/* What is in a value, at a place that is not owned as a whole. */
static const struct fieldset *collect(
	struct arena *arena, const struct field_place *place, struct field_value value, bool parents, bool *unfit)
{
	if (field_is_leaf(place, value) || (value.form != FIELD_MAP && value.form != FIELD_LIST))
		return NULL;
	struct collector c = {.arena = arena, .parents = parents, .set = fieldset_new(arena), .unfit = unfit};
	if (field_is_list(place)) {
		collect_items(&c, place, value);
		return c.set;
	}
	field_each_member(arena, place, value, collect_member, &c);
	return fieldset_finish(arena, c.set);
}

const struct fieldset *field_set_of(struct arena *arena, const struct field_place *place, struct field_value value)
{
	bool unfit = false;
	return collect(arena, place, value, false, &unfit);
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
	bool *unfit;
};

static struct outcome compare(
	struct arena *arena, const struct field_place *place, struct field_value a, struct field_value b, bool *unfit);

static void take(struct comparison *c, struct field_element element, const struct outcome *o)
{
	fieldset_add(c->arena, &c->changed, element, o->changed, o->below.changed);
	fieldset_add(c->arena, &c->removed, element, o->removed, o->below.removed);
}

static void compare_member(void *data, struct field_element name, const struct field_place *place, bool declared,
	struct field_value a, struct field_value b)
{
	struct comparison *c = data;
	const struct outcome o = compare(c->arena, place, a, b, c->unfit);
	take(c, name, &o);
}

/* Items that share an element are owned as one thing. */
static struct outcome compare_same(struct arena *arena, const struct field_place *place, const struct field_item *x,
	const struct field_item *y, bool *unfit)
{
	static const struct field_value none;
	size_t n = x ? x->n_same : 0, m = y ? y->n_same : 0;
	struct outcome o = {0};
	if (n <= 1 && m <= 1)
		return compare(arena, place, n ? x->value : none, m ? y->value : none, unfit);
	if (n > 1 && m > 1) {
		o.changed = n != m;
		for (size_t i = 0; i < n && !o.changed; i++)
			o.changed = !field_value_equal(arena, x->same[i].value, y->same[i].value);
		return o;
	}
	if (n > 1) {
		if (m)
			o = compare(arena, place, none, y->value, unfit);
		o.removed = true;
		return o;
	}
	if (n)
		o = compare(arena, place, x->value, none, unfit);
	o.changed = true;
	return o;
}

static void compare_items(
	struct comparison *c, const struct field_place *place, struct field_value a, struct field_value b)
{
	size_t n, m, i = 0, j = 0;
	const struct field_item *x = field_items(c->arena, place, a, &n, c->unfit),
				*y = field_items(c->arena, place, b, &m, c->unfit);
	const struct field_place item = place->schema->item(place);
	while (i < n || j < m) {
		int order = i == n ? 1 : j == m ? -1 : field_element_compare(&x[i].element, &y[j].element);
		const struct field_item *left = order <= 0 ? &x[i++] : NULL, *right = order >= 0 ? &y[j++] : NULL;
		const struct outcome o = compare_same(c->arena, &item, left, right, c->unfit);
		take(c, left ? left->element : right->element, &o);
	}
}

static const struct fieldset *finished(struct arena *arena, struct fieldset *set)
{
	return set->n_nodes ? fieldset_finish(arena, arena_dup(arena, set, sizeof(*set))) : NULL;
}

/* Whether items of a list can be without an element: all of their keys may be left out. */
static bool may_be_unfit(const struct field_place *place)
{
	const char *const *keys = place->kind == PLACE_KEYED ? place->schema->keys(place) : NULL;
	for (size_t i = 0; keys && keys[i]; i++)
		if (place->schema->key_default(place, keys[i]))
			return false;
	return keys;
}

static struct outcome compare(
	struct arena *arena, const struct field_place *place, struct field_value a, struct field_value b, bool *unfit)
{
	struct outcome o = {.changed = a.form == FIELD_ABSENT, .removed = b.form == FIELD_ABSENT};
	if (o.changed || o.removed) {
		o.below.changed = collect(arena, place, b, true, unfit);
		o.below.removed = collect(arena, place, a, true, unfit);
		return o;
	}
	bool map = !place->atomic && field_is_map(place, a, b), list = !place->atomic && field_is_list(place);
	bool leaf = (!map && !list) || (field_value_empty(arena, a) && field_value_empty(arena, b));
	if (leaf) {
		o.changed = !field_value_equal(arena, a, b);
		return o;
	}
	/* Most lists are as they were; their items then need no elements. */
	if (list && field_value_equal(arena, a, b)) {
		size_t n;
		if (may_be_unfit(place))
			(void)field_items(arena, place, b, &n, unfit);
		return o;
	}
	struct comparison c = {.arena = arena, .unfit = unfit};
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
	bool unfit = false;
	struct field_changes changes = compare(arena, place, before, after, &unfit).below;
	changes.unfit = unfit;
	return changes;
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
	} else if (field_is_list(place) && (e->kind == FIELD_KEY || e->kind == FIELD_VALUE)) {
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
