/* The formats that a schema can ask of a text, as OpenAPI and Kubernetes name them: "date-time", "ipv4", "uuid". */
#ifndef APISERVER_VALIDATION_TEXT_FORMAT_H
#define APISERVER_VALIDATION_TEXT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

/* Whether anybody checks texts for a format of this name; dashes in it do not count. */
bool text_format_known(struct arena *arena, const char *format);
/* Whether the version before this one checks it too, so that a schema may rely on it. */
bool text_format_settled(struct arena *arena, const char *format);
/* Whether a text has the format; every text has one that nobody knows. */
bool text_has_format(struct arena *arena, const char *format, const char *text);

/* The length of a text of the format "duration": Go's form, or any text with numbers and units in it, whose lengths are
 * added: "2 weeks and 1 day". */
bool text_duration(const char *text, int64_t *ret_ns);

/* An address of mail, with a name or without. */
bool text_is_email(struct arena *arena, const char *text);

#endif
