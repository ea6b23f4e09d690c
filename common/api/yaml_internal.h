/* What the YAML reader and writer share: which plain texts are not strings. */
#ifndef API_YAML_INTERNAL_H
#define API_YAML_INTERNAL_H

#include <stdbool.h>
#include "base/str.h"

enum yaml_kind { YAML_STR, YAML_NULL, YAML_TRUE, YAML_FALSE, YAML_INT, YAML_FLOAT, YAML_TIME };

/* What a plain scalar means in YAML 1.1 as the original's library reads it. For numbers *ret_number gets the JSON text.
 */
enum yaml_kind yaml_resolve(const char *s, size_t size, struct strbuf *ret_number);
/* 1:20 and the like, which YAML 1.1 took for numbers. */
bool yaml_is_base60(const char *s, size_t size);

#endif
