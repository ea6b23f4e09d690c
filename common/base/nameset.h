/*
 * A set of texts, for rules on what may occur only once and for finding by name: constant time a text, however many
 *there are, and nothing to set up for the few that there mostly are.
 *
 *	struct nameset seen = {.arena = arena};
 *	for (size_t i = 0; i < n; i++)
 *		if (!nameset_add(&seen, ports[i]->name))
 *			field_duplicate(…);
 *
 * Texts are borrowed, NULL is "". Memory is the arena's.
 */
#ifndef BASE_NAMESET_H
#define BASE_NAMESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

struct nameset {
	struct arena *arena;
	struct nameset_entry *entries; /* the different ones, as they came */
	size_t n_entries, n_added;
	uint32_t *slots; /* index + 1 of an entry; 0: empty. Only where there are many */
	size_t n_slots;	 /* a power of two */
};

/* Adds text (with a number: the pair of both); returns whether it is new. */
bool nameset_add(struct nameset *set, const char *text);
bool nameset_add_pair(struct nameset *set, const char *text, int64_t number);
bool nameset_has(const struct nameset *set, const char *text);
/* How many texts, repeated ones counted, were added before this one was for the first time; SIZE_MAX: it never was. */
size_t nameset_find(const struct nameset *set, const char *text);
size_t nameset_find_pair(const struct nameset *set, const char *text, int64_t number);
/* Adds all of texts to a set that is empty; of each, where the next one equal to it stands, SIZE_MAX: nowhere. */
size_t *nameset_chain(struct nameset *set, const char *const *texts, size_t n);
/* One text for several: equal ones for equal parts, and only for them. */
char *nameset_join(struct arena *arena, const char *const *parts, size_t n);

#endif
