#include "base/nameset.h"

#include <string.h>
#include "base/encode.h"
#include "base/str.h"

#define FEW 32 /* up to here texts are looked at one by one; a power of two */

struct nameset_entry {
	const char *text;
	int64_t number;
	uint64_t hash;
	uint64_t end; /* its last eight bytes, which tell most from each other */
	size_t size, at;
};

static struct nameset_entry entry_of(const char *text, int64_t number)
{
	text = str_or_empty(text);
	struct nameset_entry e = {.text = text, .size = strlen(text), .number = number};
	const size_t n = e.size < sizeof(e.end) ? e.size : sizeof(e.end);
	memcpy(&e.end, text + e.size - n, n);
	return e;
}

static void hash(struct nameset_entry *e)
{
	e->hash = hash_keyed(e->text, e->size) ^ (e->number ? hash_keyed(&e->number, sizeof(e->number)) : 0);
}

static bool same(const struct nameset_entry *a, const struct nameset_entry *b)
{
	return a->end == b->end && a->size == b->size && a->number == b->number && !memcmp(a->text, b->text, a->size);
}

/* The slot that holds such an entry, or the empty one where it would go. */
static size_t find_slot(const struct nameset *set, const struct nameset_entry *e)
{
	size_t i = e->hash & (set->n_slots - 1);
	while (set->slots[i]) {
		const struct nameset_entry *other = &set->entries[set->slots[i] - 1];
		if (other->hash == e->hash && same(other, e))
			break;
		i = (i + 1) & (set->n_slots - 1);
	}
	return i;
}

/* With slots its hash is known. */
static const struct nameset_entry *find(const struct nameset *set, const struct nameset_entry *e)
{
	if (set->n_slots) {
		uint32_t slot = set->slots[find_slot(set, e)];
		return slot ? &set->entries[slot - 1] : NULL;
	}
	for (size_t i = 0; i < set->n_entries; i++)
		if (same(&set->entries[i], e))
			return &set->entries[i];
	return NULL;
}

/* Builds the slots anew, with room for as many texts again. */
static void grow_slots(struct nameset *set)
{
	bool first = !set->n_slots;
	set->n_slots = first ? FEW * 4 : set->n_slots * 2;
	set->slots = arena_calloc(set->arena, set->n_slots, sizeof(*set->slots));
	for (size_t i = 0; i < set->n_entries; i++) {
		struct nameset_entry *e = &set->entries[i];
		if (first)
			hash(e);
		set->slots[find_slot(set, e)] = (uint32_t)i + 1;
	}
}

bool nameset_add_pair(struct nameset *set, const char *text, int64_t number)
{
	struct nameset_entry e = entry_of(text, number);
	const bool many = set->n_entries >= FEW;
	e.at = set->n_added++;
	if (many)
		hash(&e);
	if (find(set, &e))
		return false;
	if (many && (set->n_entries + 1) * 2 > set->n_slots)
		grow_slots(set);
	if (many)
		set->slots[find_slot(set, &e)] = (uint32_t)set->n_entries + 1;
	ARENA_PUSH(set->arena, set->entries, set->n_entries) = e;
	return true;
}

bool nameset_add(struct nameset *set, const char *text)
{
	return nameset_add_pair(set, text, 0);
}

size_t nameset_find_pair(const struct nameset *set, const char *text, int64_t number)
{
	struct nameset_entry e = entry_of(text, number);
	if (set->n_slots)
		hash(&e);
	const struct nameset_entry *found = find(set, &e);
	return found ? found->at : SIZE_MAX;
}

size_t nameset_find(const struct nameset *set, const char *text)
{
	return nameset_find_pair(set, text, 0);
}

bool nameset_has(const struct nameset *set, const char *text)
{
	return nameset_find(set, text) != SIZE_MAX;
}

size_t *nameset_chain(struct nameset *set, const char *const *texts, size_t n)
{
	size_t *next = ARENA_ARRAY(set->arena, size_t, n + 1), *last = ARENA_ARRAY(set->arena, size_t, n + 1);
	for (size_t i = 0; i < n; i++) {
		const size_t first = nameset_add(set, texts[i]) ? i : nameset_find(set, texts[i]);
		next[i] = SIZE_MAX;
		if (first != i)
			next[last[first]] = i;
		last[first] = i;
	}
	return next;
}

char *nameset_join(struct arena *arena, const char *const *parts, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%zu:%s", strlen(str_or_empty(parts[i])), str_or_empty(parts[i]));
	return arena_strdup(arena, out.buf);
}
