#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include "base/encode.h"
#include "base/mem.h"
#include "base/str.h"

/* Entries stand in insertion order; a table of indexes (open addressing, linear probing) finds them. */
struct entry {
	char *key; /* NULL: removed */
	void *value;
	uint64_t hash;
};

struct strmap {
	void (*free_value)(void *);
	struct entry *entries;
	size_t n_entries, cap_entries; /* with the removed ones */
	size_t n_live;
	uint32_t *slots; /* index + 1 of an entry; 0: empty */
	size_t n_slots;	 /* a power of two */
};

struct strmap *strmap_new(void (*free_value)(void *))
{
	struct strmap *m = mem_zalloc(sizeof(*m));
	m->free_value = free_value;
	return m;
}

static void entry_done(struct strmap *m, struct entry *e)
{
	free(e->key);
	if (m->free_value && e->value)
		m->free_value(e->value);
	*e = (struct entry){0};
}

void strmap_clear(struct strmap *m)
{
	for (size_t i = 0; i < m->n_entries; i++)
		if (m->entries[i].key)
			entry_done(m, &m->entries[i]);
	free(m->entries);
	free(m->slots);
	m->entries = NULL;
	m->slots = NULL;
	m->n_entries = m->cap_entries = m->n_live = m->n_slots = 0;
}

void strmap_free(struct strmap *m)
{
	if (!m)
		return;
	strmap_clear(m);
	free(m);
}

size_t strmap_count(const struct strmap *m)
{
	return m->n_live;
}

static uint64_t hash_of(const char *key)
{
	return hash_keyed(key, strlen(key)); /* keys come from outside */
}

/* The slot that holds key, or the empty one where it would go. A removed entry's slot still leads further. */
static size_t find_slot(const struct strmap *m, const char *key, uint64_t hash)
{
	size_t i = hash & (m->n_slots - 1);
	while (m->slots[i]) {
		const struct entry *e = &m->entries[m->slots[i] - 1];
		if (e->key && e->hash == hash && !strcmp(e->key, key))
			break;
		i = (i + 1) & (m->n_slots - 1);
	}
	return i;
}

static struct entry *find(const struct strmap *m, const char *key)
{
	if (!m->n_slots)
		return NULL;
	uint32_t slot = m->slots[find_slot(m, str_or_empty(key), hash_of(str_or_empty(key)))];
	return slot ? &m->entries[slot - 1] : NULL;
}

/* Drops removed entries and builds the slots anew, for at least n entries. */
static void rebuild(struct strmap *m, size_t n)
{
	size_t live = 0;
	for (size_t i = 0; i < m->n_entries; i++)
		if (m->entries[i].key)
			m->entries[live++] = m->entries[i];
	m->n_entries = live;
	size_t n_slots = 8;
	while (n_slots < n * 2)
		n_slots *= 2;
	free(m->slots);
	m->slots = mem_calloc(n_slots, sizeof(*m->slots));
	m->n_slots = n_slots;
	for (size_t i = 0; i < live; i++)
		m->slots[find_slot(m, m->entries[i].key, m->entries[i].hash)] = (uint32_t)i + 1;
}

void *strmap_get(const struct strmap *m, const char *key)
{
	struct entry *e = find(m, key);
	return e ? e->value : NULL;
}

bool strmap_has(const struct strmap *m, const char *key)
{
	return find(m, key) != NULL;
}

bool strmap_put(struct strmap *m, const char *key, void *value)
{
	key = str_or_empty(key);
	struct entry *e = find(m, key);
	if (e) {
		if (m->free_value && e->value && e->value != value)
			m->free_value(e->value);
		e->value = value;
		return false;
	}
	if ((m->n_entries + 1) * 4 > m->n_slots * 3)
		rebuild(m, m->n_live + 1);
	uint64_t hash = hash_of(key);
	size_t slot = find_slot(m, key, hash);
	mem_grow(&m->entries, &m->cap_entries, m->n_entries + 1, sizeof(*m->entries));
	m->entries[m->n_entries++] = (struct entry){mem_strdup(key), value, hash};
	m->slots[slot] = (uint32_t)m->n_entries;
	m->n_live++;
	return true;
}

void *strmap_steal(struct strmap *m, const char *key)
{
	struct entry *e = find(m, key);
	if (!e)
		return NULL;
	void *value = e->value;
	free(e->key);
	e->key = NULL;
	e->value = NULL;
	m->n_live--;
	return value;
}

bool strmap_remove(struct strmap *m, const char *key)
{
	if (!strmap_has(m, key))
		return false;
	void *value = strmap_steal(m, key);
	if (m->free_value && value)
		m->free_value(value);
	return true;
}

bool strmap_next(struct strmap_iter *it)
{
	while (it->pos < it->map->n_entries) {
		const struct entry *e = &it->map->entries[it->pos++];
		if (!e->key)
			continue;
		it->key = e->key;
		it->value = e->value;
		return true;
	}
	return false;
}

const char **strmap_sorted_keys(const struct strmap *m, size_t *ret_n)
{
	const char **keys = mem_calloc(m->n_live, sizeof(*keys));
	size_t n = 0;
	STRMAP_FOREACH (m, it)
		keys[n++] = it.key;
	qsort(keys, n, sizeof(*keys), str_cmp_qsort);
	*ret_n = n;
	return keys;
}
