/* What Go calls what JSON calls otherwise; messages of the original name it. */
#ifndef API_GO_NAMES_H
#define API_GO_NAMES_H

#include "api/schema.h"
#include "base/arena.h"
#include "base/str.h"

/* podIP is PodIP, sslEnabled SSLEnabled. */
void go_add_field_name(struct strbuf *out, const char *json_name);
/* A float as %v prints it: with the fewest digits that tell it from others, 123456.5, 1.234567e+06, +Inf. */
void go_add_double(struct strbuf *out, double value);

/* The package that has the form of a kind which the original converts all its versions to: core, apps, networking. */
const char *go_package_of(struct arena *arena, const struct schema_type *type);

#endif
