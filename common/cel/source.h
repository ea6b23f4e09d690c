/* The text of an expression, places in it, and what is wrong there. Places count code points. */
#ifndef CEL_SOURCE_H
#define CEL_SOURCE_H

#include <stdint.h>
#include "base/arena.h"

enum { CEL_NOWHERE = -1 };

struct cel_issue {
	int32_t at;
	const char *message;
};

struct cel_source {
	struct arena *arena;
	const char *text;
	size_t size;
	int32_t n_points;
	struct cel_issue *issues;
	size_t n_issues; /* all that came up; those beyond the limit are counted alone */
};

struct cel_source *cel_source_new(struct arena *arena, const char *text);
void cel_issue(struct cel_source *source, int32_t at, const char *format, ...) PRINTF(3, 4);
/* All issues in the order of their places, each with its line and a mark below it; NULL if there are none. */
char *cel_issues_text(const struct cel_source *source);
/* The size of the code point at p, which is not at the end; a byte that begins none counts as one. */
size_t cel_point_size(const char *p, const char *end);
/* How many code points there are in a text. */
size_t cel_points(const char *text, size_t size);

#endif
