/*
 * A hash map from strings to pointers. Keys are copied; values belong to the caller unless a free function is given.
 *
 *	struct strmap *m = strmap_new(NULL);
 *	strmap_put(m, "default/web", pod);
 *	STRMAP_FOREACH(m, it)
 *		printf("%s %p\n", it.key, it.value);
 *
 * Threads: one at a time. Iteration order is insertion order as long as nothing is removed.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include "base/cleanup.h"

struct strmap;

struct strmap *strmap_new(void (*free_value)(void *));
void strmap_free(struct strmap *m);
DEFINE_CLEANUP(struct strmap *, strmap_free)
size_t strmap_count(const struct strmap *m);
/* The value, or NULL. */
void *strmap_get(const struct strmap *m, const char *key);
bool strmap_has(const struct strmap *m, const char *key);
/* Puts or replaces (freeing the value replaced). Returns whether the key is new. */
bool strmap_put(struct strmap *m, const char *key, void *value);
/* Takes the key out; returns its value without freeing it, NULL if absent. */
void *strmap_steal(struct strmap *m, const char *key);
/* Removes and frees; returns whether it was there. */
bool strmap_remove(struct strmap *m, const char *key);
void strmap_clear(struct strmap *m);

struct strmap_iter {
	const struct strmap *map;
	size_t pos;
	const char *key;
	void *value;
};
bool strmap_next(struct strmap_iter *it);
/* The entry just yielded may be removed inside the loop; nothing may be added. */
#define STRMAP_FOREACH(m, it) for (struct strmap_iter it = {.map = (m)}; strmap_next(&it);)

/* The keys, sorted, as an array of borrowed pointers that the caller frees. */
const char **strmap_sorted_keys(const struct strmap *m, size_t *ret_n);

#endif
