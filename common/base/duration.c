#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/flags.h"

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000},
	{"\xce\xbcs", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60000000000},
	{"h", 3600000000000},
};

/* The unit that stands at p up to the next digit, dot or end; 0 if there is none such. */
static int64_t unit_at(const char **p)
{
	size_t len = strcspn(*p, "0123456789.");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == len && !memcmp(*p, units[i].name, len)) {
			*p += len;
			return units[i].ns;
		}
	}
	return 0;
}

/* One number with its unit, added to *total. */
static bool parse_part(const char **p, int64_t *total)
{
	int64_t whole = 0, fraction = 0, scale = 1, ns;
	if (!isdigit((unsigned char)**p) && !(**p == '.' && isdigit((unsigned char)(*p)[1])))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, **p - '0', &whole))
			return false;
	if (**p == '.')
		for ((*p)++; isdigit((unsigned char)**p); (*p)++)
			if (scale < 1000000000000) {
				fraction = fraction * 10 + (**p - '0');
				scale *= 10;
			}
	int64_t unit = unit_at(p);
	if (!unit || __builtin_mul_overflow(whole, unit, &ns))
		return false;
	ns += (int64_t)((double)fraction * ((double)unit / (double)scale));
	return !__builtin_add_overflow(*total, ns, total);
}

bool duration_parse(const char *s, int64_t *ret_ns)
{
	if (!s || !*s)
		return false;
	bool negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if (!strcmp(s, "0")) {
		*ret_ns = 0;
		return true;
	}
	int64_t total = 0;
	if (!*s)
		return false;
	while (*s)
		if (!parse_part(&s, &total))
			return false;
	*ret_ns = negative ? -total : total;
	return true;
}

/* Writes whole.fraction without trailing zeros, then the unit. */
static size_t put_decimal(char *p, size_t room, uint64_t value, uint64_t unit, const char *name)
{
	char digits[24] = "";
	size_t n = 0;
	for (uint64_t rest = value % unit, u = unit; rest; rest %= u) {
		u /= 10;
		if (!n)
			digits[n++] = '.';
		digits[n++] = (char)('0' + rest / u);
	}
	digits[n] = '\0';
	return (size_t)snprintf(p, room, "%" PRIu64 "%s%s", value / unit, digits, name);
}

char *duration_format(int64_t ns, char buf[static 40])
{
	size_t room = 40, n = 0;
	uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	if (!ns)
		return memcpy(buf, "0s", 3);
	if (ns < 0)
		buf[n++] = '-';
	if (v < 1000) {
		put_decimal(buf + n, room - n, v, 1, "ns");
	} else if (v < 1000000) {
		put_decimal(buf + n, room - n, v, 1000, "\xc2\xb5s");
	} else if (v < 1000000000) {
		put_decimal(buf + n, room - n, v, 1000000, "ms");
	} else {
		uint64_t hours = v / 3600000000000u, minutes = v / 60000000000u % 60;
		if (hours)
			n += (size_t)snprintf(buf + n, room - n, "%" PRIu64 "h", hours);
		if (hours || minutes)
			n += (size_t)snprintf(buf + n, room - n, "%" PRIu64 "m", minutes);
		put_decimal(buf + n, room - n, v % 60000000000u, 1000000000, "s");
	}
	return buf;
}
