/* Texts as Go writes them. */
#ifndef API_GO_TEXT_H
#define API_GO_TEXT_H

#include "base/arena.h"

/* Between quotes, with what cannot be printed escaped (%q). NULL is "". */
char *go_quote(struct arena *arena, const char *s);

#endif
