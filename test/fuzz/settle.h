/*
 * Objects as the server accepts them: no two elements of a list with one key, none without, no value twice in a set.
 *
 *	cJSON *one = fuzz_settled(arena, &bytes, type), *other = fuzz_altered(arena, &bytes, one, type);
 */
#ifndef FUZZ_SETTLE_H
#define FUZZ_SETTLE_H

#include "api/tree.h"
#include "test/fuzz/object.h"

static inline bool settle_has_keys(const cJSON *element, const struct schema_field *field)
{
	if (field->merge_key && !tree_get(element, field->merge_key))
		return false;
	for (size_t i = 0; field->list_keys && field->list_keys[i]; i++)
		if (!tree_get(element, field->list_keys[i]))
			return false;
	return true;
}

/* Whether two elements would be taken for one: by the merge key, or by all list keys. */
static inline bool settle_same(const cJSON *a, const cJSON *b, const struct schema_field *field)
{
	if (!cJSON_IsObject(a))
		return tree_equal(a, b);
	if (field->merge_key && tree_equal(tree_get(a, field->merge_key), tree_get(b, field->merge_key)))
		return true;
	bool same = field->list_keys && field->list_keys[0];
	for (size_t i = 0; field->list_keys && field->list_keys[i]; i++)
		same = same && tree_equal(tree_get(a, field->list_keys[i]), tree_get(b, field->list_keys[i]));
	return same;
}

static inline void settle_object(cJSON *tree, const struct schema_type *type);

static inline void settle_list(cJSON *list, const struct schema_field *field)
{
	bool keyed = field->merge_key || (field->list_keys && field->list_keys[0]);
	bool plain = field->kind != SCHEMA_MESSAGE;

	for (size_t i = 0; i < tree_size(list);) {
		cJSON *element = tree_at(list, i);
		bool drop = keyed && cJSON_IsObject(element) && !settle_has_keys(element, field);
		for (size_t j = 0; j < i && !drop && (keyed || plain); j++)
			drop = settle_same(tree_at(list, j), element, field);
		if (drop) {
			tree_remove_at(list, i);
			continue;
		}
		if (!plain)
			settle_object(element, field->type);
		i++;
	}
}

static inline void settle_object(cJSON *tree, const struct schema_type *type)
{
	if (!cJSON_IsObject(tree) || type->form != SCHEMA_FORM_OBJECT)
		return;
	TREE_FOREACH (child, tree) {
		const struct schema_name *name = schema_find_field(type, child->string, strlen(child->string));
		if (!name)
			continue;
		if (cJSON_IsArray(child) && name->field->shape == SCHEMA_LIST)
			settle_list(child, name->field);
		else if (name->field->shape == SCHEMA_SINGLE && name->field->kind == SCHEMA_MESSAGE)
			settle_object(child, name->field->type);
		else if (name->field->shape == SCHEMA_MAP && schema_map_value(name->field)->kind == SCHEMA_MESSAGE)
			TREE_FOREACH (value, child)
				settle_object(value, schema_map_value(name->field)->type);
	}
}

/* Takes out what is null: to a patch it means to remove. */
static inline void settle_nulls(cJSON *tree)
{
	for (cJSON *child = tree->child, *next; child; child = next) {
		next = child->next;
		if (cJSON_IsNull(child) && cJSON_IsObject(tree))
			tree_remove(tree, child->string);
		else
			settle_nulls(child);
	}
}

static inline void alter_members(struct arena *arena, struct fuzz_bytes *b, cJSON *tree)
{
	size_t i = 0;

	for (cJSON *child = tree->child, *next; child && b->at < b->end; child = next) {
		uint8_t what = fuzz_byte(b) % 8;
		next = child->next;
		if (what == 1 && cJSON_IsArray(tree)) {
			tree_remove_at(tree, i);
			continue;
		}
		if (what == 1)
			tree_remove(tree, child->string);
		else if (what == 2 && cJSON_IsString(child))
			child->valuestring = arena_strdup(arena, fuzz_text(b, NULL));
		else
			alter_members(arena, b, child);
		i++;
	}
}

/* The same with some of it left out and some texts changed: what is alike in two objects is where they meet. */
static inline cJSON *fuzz_altered(
	struct arena *arena, struct fuzz_bytes *b, const cJSON *tree, const struct schema_type *type)
{
	cJSON *altered = tree_copy(arena, tree);

	alter_members(arena, b, altered);
	settle_object(altered, type);
	return altered;
}

/* An object of the type as a tree. */
static inline cJSON *fuzz_settled(struct arena *arena, struct fuzz_bytes *b, const struct schema_type *type)
{
	cJSON *tree = tree_from_typed(arena, fuzz_typed(arena, b, type));

	settle_nulls(tree);
	settle_object(tree, type);
	return tree;
}

#endif
