#include "api/tree_index.h"

#include <string.h>
#include "api/tree.h"
#include "base/encode.h"

#define LEAST_SLOTS 256

struct tree_index {
	cJSON **slots; /* open addressing; NULL: never used, &gone: the member was removed */
	size_t n_slots, n_used;
};

static cJSON gone;

static size_t first_slot(const struct tree_index *index, const char *name)
{
	return hash_keyed(name, strlen(name)) & (index->n_slots - 1);
}

/* The slot of that name, or the unused one that ends the search. */
static cJSON **slot_of(const struct tree_index *index, const char *name)
{
	size_t i = first_slot(index, name);
	while (index->slots[i] && (index->slots[i] == &gone || strcmp(index->slots[i]->string, name) != 0))
		i = (i + 1) & (index->n_slots - 1);
	return &index->slots[i];
}

/* Where many members have one name the first is found, as by a search. */
static void put(struct tree_index *index, cJSON *member)
{
	cJSON **slot = slot_of(index, member->string);
	if (*slot)
		return;
	*slot = member;
	index->n_used++;
}

static void make_room(struct arena *arena, struct tree_index *index, size_t n)
{
	cJSON **old = index->slots;
	size_t n_old = index->n_slots;
	index->n_slots = LEAST_SLOTS;
	while (index->n_slots < n * 3)
		index->n_slots *= 2;
	index->slots = ARENA_ARRAY(arena, cJSON *, index->n_slots);
	index->n_used = 0;
	for (size_t i = 0; i < n_old; i++)
		if (old[i] && old[i] != &gone)
			put(index, old[i]);
}

struct tree_index *tree_index_of(const cJSON *object)
{
	return cJSON_IsObject(object) ? (struct tree_index *)(void *)object->valuestring : NULL;
}

void tree_index_make(struct arena *arena, cJSON *object)
{
	struct tree_index *index = ARENA_NEW(arena, struct tree_index);
	make_room(arena, index, tree_size(object));
	TREE_FOREACH (member, object)
		put(index, member);
	object->valuestring = (char *)index;
}

void tree_index_drop(cJSON *object)
{
	if (cJSON_IsObject(object))
		object->valuestring = NULL;
}

cJSON *tree_index_get(const struct tree_index *index, const char *name)
{
	return *slot_of(index, name);
}

void tree_index_add(struct arena *arena, struct tree_index *index, cJSON *member)
{
	if (index->n_used * 2 >= index->n_slots)
		make_room(arena, index, index->n_used);
	put(index, member);
}

void tree_index_replace(struct tree_index *index, const cJSON *old, cJSON *member)
{
	cJSON **slot = slot_of(index, member->string);
	if (*slot == old)
		*slot = member;
}

void tree_index_remove(struct tree_index *index, const cJSON *member)
{
	cJSON **slot = slot_of(index, member->string);
	if (*slot == member)
		*slot = &gone;
}
