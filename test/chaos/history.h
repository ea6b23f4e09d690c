/*
 * What a chaos run saw, as text that people can read too: one record a line, its kind and then name=value pairs, all
 * separated by tabs. docs/testing.md says which kinds there are.
 *
 *	write	id=w1-7	op=create	key=/registry/configmaps/chaos/a	start=120	end=131 result=ok
 *rev=57
 *
 * Ownership: records and their strings live in the history's arena. Threads: one at a time.
 */
#ifndef CHAOS_HISTORY_H
#define CHAOS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/map.h"
#include "base/status.h"

struct record {
	const char *kind;
	size_t n_pairs;
	const char *(*pairs)[2]; /* name, value */
};

/* One change of one key in the order of the store: the truth that all else is held against. */
struct change {
	int64_t rev;
	enum change_type { CHANGE_CREATE, CHANGE_UPDATE, CHANGE_DELETE } type;
	const char *key;
	const struct record *record;
	struct change *previous; /* of the same key; NULL for the first */
	struct change *next;
	size_t position; /* among all changes */
};

struct history {
	struct arena *arena;
	struct record **records;
	size_t n_records;
	struct change **changes;
	size_t n_changes;
	struct strmap *newest; /* key -> its last change */
};

struct history *history_new(void);
void history_free(struct history *history);
DEFINE_CLEANUP(struct history *, history_free)
/* Adds the records of a text. An error names the line. */
struct status *history_add(struct history *history, const char *text) MUST_USE;
struct status *history_add_file(struct history *history, const char *path) MUST_USE;
/* After the last record: puts the changes in order and links those of one key. */
struct status *history_link(struct history *history) MUST_USE;

/* "" when the record has no such pair. */
const char *record_get(const struct record *record, const char *name);
/* 0 when absent or no number. */
int64_t record_int(const struct record *record, const char *name);
bool record_is(const struct record *record, const char *name, const char *value);
/* The change's record. */
const char *change_get(const struct change *change, const char *name);
/* The last change of a key at a revision; NULL if there was none yet. A deletion counts. */
const struct change *history_at(const struct history *history, const char *key, int64_t rev);

#endif
