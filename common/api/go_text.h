/* Texts as Go writes them. */
#ifndef API_GO_TEXT_H
#define API_GO_TEXT_H

#include "base/arena.h"

/* Between quotes, with what cannot be printed escaped (%q). NULL is "". */
char *go_quote(struct arena *arena, const char *s);

/* Where the first character is that cannot be printed (unicode.IsPrint); the text's end if there is none. */
size_t go_first_unprinted(const char *s);

#endif
