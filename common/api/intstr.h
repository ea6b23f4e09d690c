/*
 * IntOrString: a number or a text such as a percentage or a port name.
 */
#ifndef API_INTSTR_H
#define API_INTSTR_H

#include "api/types.h"
#include "base/status.h"

enum { INTSTR_INT = 0, INTSTR_STRING = 1 }; /* IntstrIntOrString.type */

IntstrIntOrString *intstr_from_int(struct arena *arena, int32_t value);
IntstrIntOrString *intstr_from_string(struct arena *arena, const char *value);
/* A text that is a number becomes one. */
IntstrIntOrString *intstr_parse(struct arena *arena, const char *value);
static inline bool intstr_is_string(const IntstrIntOrString *v)
{
	return v && v->type == INTSTR_STRING;
}
/* The number, or the text read as one (0 when it is none). */
int32_t intstr_int(const IntstrIntOrString *v);
char *intstr_text(struct arena *arena, const IntstrIntOrString *v);
/* A number as it is, "25%" of total; rounded up or down. An error for other text, or NULL. */
struct status *intstr_scaled(const IntstrIntOrString *v, int32_t total, bool round_up, int32_t *ret_value) MUST_USE;
/* Whether it is a text of digits and %; *ret_percent on success. */
bool intstr_percent(const IntstrIntOrString *v, int32_t *ret_percent);

#endif
