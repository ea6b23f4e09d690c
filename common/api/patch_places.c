/* Where the elements of long lists stand, by key: each is looked at once, not once for each that is searched for. */
#include "api/patch_internal.h"
#include "base/encode.h"

enum { FEW = 32 };

struct place_slot {
	const char *text;
	size_t place;
};

struct places places_of(struct arena *arena, const struct nodes *list, const char *merge_key)
{
	return (struct places){.arena = arena, .list = list, .merge_key = merge_key};
}

static const cJSON *key_of(const struct places *p, const cJSON *node)
{
	return p->merge_key && cJSON_IsObject(node) ? tree_get(node, p->merge_key) : node;
}

/* The slot of a text, or the unused one that ends the search. */
static struct place_slot *slot_of(const struct places *p, const char *text)
{
	size_t i = hash_keyed(text, strlen(text)) & (p->n_slots - 1);
	while (p->slots[i].text && strcmp(p->slots[i].text, text) != 0)
		i = (i + 1) & (p->n_slots - 1);
	return &p->slots[i];
}

static void make_room(struct places *p)
{
	struct place_slot *old = p->slots;
	size_t n_old = p->n_slots;
	if (p->n_slots >= 2 * (p->n_texts + 1))
		return;
	p->n_slots = n_old ? 4 * n_old : 8 * FEW;
	p->slots = ARENA_ARRAY(p->arena, struct place_slot, p->n_slots);
	for (size_t i = 0; i < n_old; i++)
		if (old[i].text)
			*slot_of(p, old[i].text) = old[i];
}

static void take_in(struct places *p, size_t place)
{
	const cJSON *key = key_of(p, p->list->items[place]);
	const char *text = tree_string(key);
	if (!key)
		return;
	if (!text) {
		nodes_add(p->arena, &p->others, p->list->items[place]);
		return;
	}
	make_room(p);
	struct place_slot *slot = slot_of(p, text);
	if (slot->text)
		return;
	*slot = (struct place_slot){text, place};
	p->n_texts++;
}

size_t places_find(struct places *p, const cJSON *node)
{
	const char *text = tree_string(key_of(p, node));
	if (p->list->n < FEW)
		return nodes_index(p->list, node, p->merge_key);
	while (p->n_seen < p->list->n)
		take_in(p, p->n_seen++);
	if (text)
		return p->n_texts ? (slot_of(p, text)->text ? slot_of(p, text)->place : SIZE_MAX) : SIZE_MAX;
	/* Numbers and the like are few, and one may be written in several ways. */
	return p->others.n ? nodes_index(p->list, node, p->merge_key) : SIZE_MAX;
}
