/* What names of DNS may look like, worded as users know it. A check is NULL for a good name, else what is wrong. */
#ifndef API_NAMES_H
#define API_NAMES_H

#include <stdbool.h>
#include "base/arena.h"

const char *check_dns_label(struct arena *arena, const char *value);
const char *check_dns_subdomain(struct arena *arena, const char *value);
const char *check_dns_1035_label(struct arena *arena, const char *value);
/* Whether it is labels between dots, however long. */
bool is_dns_subdomain(const char *value);
/* Both, either or none of two problems: "first; second". */
const char *name_problems(struct arena *arena, const char *first, const char *second);

#endif
