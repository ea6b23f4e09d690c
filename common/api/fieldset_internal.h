/* What the files about sets of fields share. */
#ifndef API_FIELDSET_INTERNAL_H
#define API_FIELDSET_INTERNAL_H

#include "api/fieldset.h"

/* A character that JSON never escapes, whoever writes it. */
static inline bool field_is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

enum field_parse { FIELD_PARSE_OK, FIELD_PARSE_UNKNOWN, FIELD_PARSE_BAD };
/* Of "f:spec", "k:{…}", "v:…", "i:0". The element's text is a slice of the input where it stands there as it is
 * printed.
 */
enum field_parse field_element_parse(
	struct arena *arena, const char *text, size_t size, struct field_element *ret_element);

/* "f:spec":{ and no end. */
void fieldset_print_element(struct strbuf *out, const struct field_element *element);
/* All that stands between the braces of a set that is not empty. */
void fieldset_print_nodes(struct strbuf *out, const struct fieldset *set);

#endif
