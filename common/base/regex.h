/*
 * Regular expressions as Go has them (the syntax of RE2): what is asked of objects is written for these. Matching takes
 * time in proportion to the text and the expression, whatever both are.
 *
 *	const char *problem;
 *	struct regex *re = regex_new(arena, "^[a-z]+$", 8, &problem);
 *	if (!re) ... "error parsing regexp: missing closing ]: `[a-z`"
 *
 * Ownership: it lives in the arena. Threads: any number may match with one.
 */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"

struct regex;

/* NULL, and the problem in Go's words, if the pattern is malformed or too large. */
struct regex *regex_new(struct arena *arena, const char *pattern, size_t size, const char **ret_problem);
/* The first match from a place on, and of those that begin there the one that Go prefers. */
bool regex_find(const struct regex *re, const char *text, size_t size, size_t from, size_t *ret_start, size_t *ret_end);

#endif
