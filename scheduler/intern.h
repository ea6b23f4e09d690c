/*
 * Interning: equal strings become equal small numbers, so that columns hold numbers and comparing is one instruction.
 *
 *	uint32_t key = intern(names, "topology.kubernetes.io/zone");
 *
 * Ownership: the table owns its strings for as long as it lives. Ids start at 0 and are never reused.
 * Threads: one at a time.
 */
#ifndef SCHEDULER_INTERN_H
#define SCHEDULER_INTERN_H

#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"

#define INTERN_NONE UINT32_MAX

struct intern;

struct intern *intern_new(void);
void intern_free(struct intern *table);
/* The id of s, a new one if it was not known. */
uint32_t intern(struct intern *table, const char *s);
/* The id of s, or INTERN_NONE: for text that comes from pods and shall not grow the table. */
uint32_t intern_find(const struct intern *table, const char *s);
const char *intern_string(const struct intern *table, uint32_t id);
size_t intern_count(const struct intern *table);

#endif
