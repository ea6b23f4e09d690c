#include "base/nameset.h"

#include <string.h>
#include "base/encode.h"
#include "base/str.h"

#define FEW 12 /* up to here texts are compared one by one */

struct nameset_entry {
	const char *text;
	int64_t number;
	uint64_t hash;
	size_t at;
};

static uint64_t hash_of(const char *text, int64_t number)
{
	return hash_keyed(text, strlen(text)) ^ (number ? hash_keyed(&number, sizeof(number)) : 0);
}

/* The slot that holds the pair, or the empty one where it would go. */
static size_t find_slot(const struct nameset *set, const char *text, int64_t number, uint64_t hash)
{
	size_t i = hash & (set->n_slots - 1);
	while (set->slots[i]) {
		const struct nameset_entry *e = &set->entries[set->slots[i] - 1];
		if (e->hash == hash && e->number == number && !strcmp(e->text, text))
			break;
		i = (i + 1) & (set->n_slots - 1);
	}
	return i;
}

/* hash is asked for only where there are slots. */
static const struct nameset_entry *find(const struct nameset *set, const char *text, int64_t number, uint64_t hash)
{
	if (set->n_slots) {
		uint32_t slot = set->slots[find_slot(set, text, number, hash)];
		return slot ? &set->entries[slot - 1] : NULL;
	}
	for (size_t i = 0; i < set->n_entries; i++)
		if (set->entries[i].number == number && !strcmp(set->entries[i].text, text))
			return &set->entries[i];
	return NULL;
}

/* Builds the slots anew, with room for as many texts again. */
static void grow_slots(struct nameset *set)
{
	bool first = !set->n_slots;
	set->n_slots = first ? FEW * 8 / 3 * 2 : set->n_slots * 2;
	set->slots = arena_calloc(set->arena, set->n_slots, sizeof(*set->slots));
	for (size_t i = 0; i < set->n_entries; i++) {
		struct nameset_entry *e = &set->entries[i];
		if (first)
			e->hash = hash_of(e->text, e->number);
		set->slots[find_slot(set, e->text, e->number, e->hash)] = (uint32_t)i + 1;
	}
}

bool nameset_add_pair(struct nameset *set, const char *text, int64_t number)
{
	text = str_or_empty(text);
	struct nameset_entry e = {.text = text, .number = number, .at = set->n_added++};
	const bool many = set->n_entries >= FEW;
	if (many)
		e.hash = hash_of(text, number);
	if (find(set, text, number, e.hash))
		return false;
	if (many && (set->n_entries + 1) * 2 > set->n_slots)
		grow_slots(set);
	if (many)
		set->slots[find_slot(set, text, number, e.hash)] = (uint32_t)set->n_entries + 1;
	ARENA_PUSH(set->arena, set->entries, set->n_entries) = e;
	return true;
}

bool nameset_add(struct nameset *set, const char *text)
{
	return nameset_add_pair(set, text, 0);
}

size_t nameset_find_pair(const struct nameset *set, const char *text, int64_t number)
{
	text = str_or_empty(text);
	const struct nameset_entry *e = find(set, text, number, set->n_slots ? hash_of(text, number) : 0);
	return e ? e->at : SIZE_MAX;
}

size_t nameset_find(const struct nameset *set, const char *text)
{
	return nameset_find_pair(set, text, 0);
}

bool nameset_has(const struct nameset *set, const char *text)
{
	return nameset_find(set, text) != SIZE_MAX;
}

char *nameset_join(struct arena *arena, const char *const *parts, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%zu:%s", strlen(str_or_empty(parts[i])), str_or_empty(parts[i]));
	return arena_strdup(arena, out.buf);
}
