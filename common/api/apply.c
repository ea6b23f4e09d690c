#include "api/apply.h"
#include <stdlib.h>
#include "api/field_value.h"

static bool is_empty(const cJSON *v)
{
	return !v || !v->child;
}

static bool walks_members(const struct field_place *place, const cJSON *a, const cJSON *b)
{
	if (place->atomic || (a && !cJSON_IsObject(a) && !cJSON_IsNull(a)) ||
		(b && !cJSON_IsObject(b) && !cJSON_IsNull(b)))
		return false;
	if (place->kind == PLACE_ANY)
		return (!a || cJSON_IsObject(a)) && (!b || cJSON_IsObject(b));
	return place->kind == PLACE_STRUCT || place->kind == PLACE_MAP;
}

static bool walks_items(const struct field_place *place)
{
	return !place->atomic && (place->kind == PLACE_SET || place->kind == PLACE_KEYED);
}

static struct field_place member_place(const struct field_place *place, const char *name)
{
	struct field_place member = {.kind = PLACE_ANY, .schema = place->schema};
	if (place->kind != PLACE_ANY)
		place->schema->member(place, name, strlen(name), &member);
	return member;
}

/* --- merging --- */

/* The items of a list, in their order, and an index of them by element. */
struct listed {
	struct field_element element;
	const cJSON *node;
	size_t at; /* in the index, among equal ones the first */
};
struct items {
	struct listed *list;
	size_t n;
	struct field_element *index; /* distinct, sorted */
	const cJSON **nodes;	     /* by index; NULL where several share an element */
	bool *merged;		     /* by index: already in the output */
	size_t n_distinct;
};

static int by_element(const void *a, const void *b)
{
	return field_element_compare(a, b);
}

static size_t place_in(const struct items *items, const struct field_element *element)
{
	const struct field_element *found =
		items->n_distinct ? bsearch(element, items->index, items->n_distinct, sizeof(*items->index), by_element)
				  : NULL;
	return found ? (size_t)(found - items->index) : SIZE_MAX;
}

static struct items items_of(struct arena *arena, const struct field_place *place, const cJSON *list)
{
	struct items out = {0};
	size_t n = cJSON_IsArray(list) ? tree_size(list) : 0, distinct = 0;
	if (!n)
		return out;
	out.list = arena_zalloc(arena, n * sizeof(*out.list));
	TREE_FOREACH (node, list) {
		struct listed *item = &out.list[out.n];
		item->node = node;
		out.n += field_item_element(arena, place, field_value_of_tree(node), &item->element);
	}
	out.index = arena_zalloc(arena, n * sizeof(*out.index));
	for (size_t i = 0; i < out.n; i++)
		out.index[i] = out.list[i].element;
	qsort(out.index, out.n, sizeof(*out.index), by_element);
	for (size_t i = 0; i < out.n; i++)
		if (!distinct || field_element_compare(&out.index[distinct - 1], &out.index[i]))
			out.index[distinct++] = out.index[i];
	out.n_distinct = distinct;
	out.nodes = arena_zalloc(arena, n * sizeof(*out.nodes));
	out.merged = arena_zalloc(arena, n);
	bool *seen = arena_zalloc(arena, n);
	for (size_t i = 0; i < out.n; i++) {
		size_t at = out.list[i].at = place_in(&out, &out.list[i].element);
		out.nodes[at] = seen[at] ? NULL : out.list[i].node;
		seen[at] = true;
	}
	return out;
}

static void append(
	struct arena *arena, const struct field_place *item, cJSON *out, const cJSON *live, const cJSON *config)
{
	tree_append(out, live || config ? apply_merge(arena, item, live, config) : tree_new_null(arena));
}

/* The next item, at or after a place, that the other list has too. */
static size_t next_shared(const struct items *from, size_t i, const struct items *other)
{
	while (i < from->n && place_in(other, &from->list[i].element) == SIZE_MAX)
		i++;
	return i;
}

/*
 * Both lists in one: items of both stand in the configuration's order, what only the live list has stays between them
 * where it stood, as the original's merge has it.
 */
static cJSON *merge_items(struct arena *arena, const struct field_place *place, const cJSON *live, const cJSON *config)
{
	struct items l = items_of(arena, place, live), r = items_of(arena, place, config);
	const struct field_place item = place->schema->item(place);
	cJSON *out = tree_new_array(arena);
	size_t i = 0, j = 0, shared = next_shared(&r, 0, &l);
	while (i < l.n || j < r.n) {
		if (i < l.n) {
			const struct field_element *e = &l.list[i].element;
			size_t twin = place_in(&r, e);
			bool same = j < r.n && !field_element_compare(e, &r.list[j].element);
			if (!same && j < r.n && twin != SIZE_MAX && shared < r.n &&
				field_element_compare(&r.list[shared].element, e)) {
				i++; /* comes later, where the configuration has it */
				continue;
			}
			if (twin == SIZE_MAX) {
				append(arena, &item, out, l.list[i++].node, NULL);
				continue;
			}
			if (same || r.merged[twin])
				i++;
		}
		if (j < r.n) {
			const struct listed *wanted = &r.list[j];
			size_t twin = place_in(&l, &wanted->element);
			append(arena, &item, out, twin == SIZE_MAX ? NULL : l.nodes[twin], wanted->node);
			r.merged[wanted->at] = true;
			if (j == shared)
				shared = next_shared(&r, j + 1, &l);
			j++;
		}
	}
	return out;
}

static void add_member(cJSON *object, const char *name, cJSON *value)
{
	value->string = (char *)(uintptr_t)name;
	tree_append(object, value);
}

struct merging {
	struct arena *arena;
	cJSON *out;
};

static void merge_member(void *data, struct field_element name, const struct field_place *place, bool declared,
	struct field_value a, struct field_value b)
{
	struct merging *m = data;
	add_member(m->out, name.text, apply_merge(m->arena, place, a.at, b.at));
}

static cJSON *merge_members(
	struct arena *arena, const struct field_place *place, const cJSON *live, const cJSON *config)
{
	struct merging m = {arena, tree_new_object(arena)};
	field_each_pair(arena, place, field_value_of_tree(live), field_value_of_tree(config), merge_member, &m);
	return m.out;
}

cJSON *apply_merge(struct arena *arena, const struct field_place *place, const cJSON *live, const cJSON *config)
{
	if (!config || !live)
		return tree_copy(arena, config ? config : live);
	if (is_empty(live) && is_empty(config))
		return tree_copy(arena, config);
	if (walks_members(place, live, config))
		return merge_members(arena, place, live, config);
	if (walks_items(place) && (cJSON_IsArray(live) || cJSON_IsNull(live)) &&
		(cJSON_IsArray(config) || cJSON_IsNull(config)))
		return merge_items(arena, place, live, config);
	return tree_copy(arena, config);
}

/* --- removing --- */

/* What is below an element of a set: nothing to take out, the whole, or a part. */
static cJSON *left_of(struct arena *arena, const struct field_place *place, const cJSON *value,
	const struct field_node *node, bool *ret_gone)
{
	*ret_gone = node && node->member;
	if (*ret_gone)
		return NULL;
	return node ? apply_remove(arena, place, value, node->below) : tree_copy(arena, value);
}

cJSON *apply_remove(struct arena *arena, const struct field_place *place, const cJSON *tree, const struct fieldset *set)
{
	bool gone;
	if (place->kind == PLACE_SCALAR || (place->kind == PLACE_ANY && !cJSON_IsObject(tree) && !cJSON_IsArray(tree)))
		return tree_copy(arena, tree);
	if (walks_members(place, tree, NULL) && cJSON_IsObject(tree)) {
		cJSON *out = tree_new_object(arena);
		TREE_FOREACH (member, tree) {
			const struct field_place below = member_place(place, member->string);
			const struct field_element name = field_name_element(member->string, strlen(member->string));
			cJSON *left = left_of(arena, &below, member, fieldset_find(set, &name), &gone);
			if (!gone)
				add_member(out, member->string, left);
		}
		return out->child ? out : tree_new_null(arena);
	}
	if (!walks_items(place) || !cJSON_IsArray(tree))
		return tree_new_null(arena);
	cJSON *out = tree_new_array(arena);
	const struct field_place item = place->schema->item(place);
	TREE_FOREACH (value, tree) {
		struct field_element element;
		const struct field_node *node = NULL;
		if (field_item_element(arena, place, field_value_of_tree(value), &element))
			node = fieldset_find(set, &element);
		cJSON *left = left_of(arena, &item, value, node, &gone);
		if (!gone)
			tree_append(out, left);
	}
	return out->child ? out : tree_new_null(arena);
}
