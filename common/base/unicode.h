/*
 * Properties of code points and their other cases, out of libunistring.
 *
 *	struct unicode_class letters;
 *	if (unicode_class_find("L", 1, &letters) && unicode_class_has(&letters, 0x4e2d)) …
 *
 * Plain values: they own nothing.
 */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unicode_class {
	uint32_t categories; /* a set of general categories, or */
	const void *script;
	uint32_t last; /* all to this one */
};

/* By the names of \p{…}: a category ("Lu", "Letter"), a script ("Greek"), "Any", "Assigned", "ASCII". Case, spaces,
 * dashes and underscores do not count. */
bool unicode_class_find(const char *name, size_t size, struct unicode_class *ret_class);
bool unicode_class_has(const struct unicode_class *class, uint32_t point);

enum { UNICODE_MAX_CASES = 3 };
/* The same letter in other cases; how many. */
size_t unicode_other_cases(uint32_t point, uint32_t ret_others[UNICODE_MAX_CASES]);

#endif
