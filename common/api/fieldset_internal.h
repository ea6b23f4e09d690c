/* What the files about sets of fields share. */
#ifndef API_FIELDSET_INTERNAL_H
#define API_FIELDSET_INTERNAL_H

#include "api/fieldset.h"

enum field_parse { FIELD_PARSE_OK, FIELD_PARSE_UNKNOWN, FIELD_PARSE_BAD };
/* Of "f:spec", "k:{…}", "v:…", "i:0". The element's text is a slice of the input where it stands there as it is
 * printed.
 */
enum field_parse field_element_parse(
	struct arena *arena, const char *text, size_t size, struct field_element *ret_element);

#endif
