#include "api/intstr.h"

#include <inttypes.h>
#include <string.h>
#include "base/str.h"

IntstrIntOrString *intstr_from_int(struct arena *arena, int32_t value)
{
	IntstrIntOrString *v = API_NEW(arena, IntstrIntOrString);

	v->int_val = value;
	return v;
}

IntstrIntOrString *intstr_from_string(struct arena *arena, const char *value)
{
	IntstrIntOrString *v = API_NEW(arena, IntstrIntOrString);

	v->type = INTSTR_STRING;
	v->str_val = arena_strdup(arena, str_or_empty(value));
	return v;
}

IntstrIntOrString *intstr_parse(struct arena *arena, const char *value)
{
	int64_t number;

	if (str_to_int64(str_or_empty(value), INT32_MIN, INT32_MAX, &number))
		return intstr_from_int(arena, (int32_t)number);
	return intstr_from_string(arena, value);
}

int32_t intstr_int(const IntstrIntOrString *v)
{
	int64_t number = 0;

	if (!v)
		return 0;
	if (v->type != INTSTR_STRING)
		return v->int_val;
	return str_to_int64(str_or_empty(v->str_val), INT32_MIN, INT32_MAX, &number) ? (int32_t)number : 0;
}

char *intstr_text(struct arena *arena, const IntstrIntOrString *v)
{
	if (intstr_is_string(v))
		return arena_strdup(arena, str_or_empty(v->str_val));
	return arena_printf(arena, "%" PRId32, v ? v->int_val : 0);
}

bool intstr_percent(const IntstrIntOrString *v, int32_t *ret_percent)
{
	const char *s = intstr_is_string(v) ? str_or_empty(v->str_val) : "";
	size_t size = strlen(s);
	char digits[16];
	int64_t number;

	if (size < 2 || size > sizeof(digits) || s[size - 1] != '%')
		return false;
	memcpy(digits, s, size - 1);
	digits[size - 1] = '\0';
	if (!str_to_int64(digits, INT32_MIN, INT32_MAX, &number))
		return false;
	*ret_percent = (int32_t)number;
	return true;
}

struct status *intstr_scaled(const IntstrIntOrString *v, int32_t total, bool round_up, int32_t *ret_value)
{
	int32_t percent;

	if (!v)
		return status_bad_request("nil value for IntOrString");
	if (v->type != INTSTR_STRING) {
		*ret_value = v->int_val;
		return NULL;
	}
	if (!intstr_percent(v, &percent))
		return status_bad_request("invalid value for IntOrString: invalid type: string is not a percentage");
	int64_t product = (int64_t)percent * total, value = product / 100;
	if (product % 100 && round_up == (product > 0))
		value += round_up ? 1 : -1;
	*ret_value = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
	return NULL;
}
