#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/flags.h"
#include "base/str.h"

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

/* What is wrong with a text, as Go tells them apart. */
enum fault { FINE, MALFORMED, NO_UNIT, UNKNOWN_UNIT };

struct unit {
	const char *name;
	size_t len;
	int64_t ns;
};

/* What stands at p up to the next digit, dot or end. */
static enum fault take_unit(const char **p, struct unit *ret_unit)
{
	*ret_unit = (struct unit){.name = *p, .len = strcspn(*p, "0123456789.")};
	*p += ret_unit->len;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == ret_unit->len && !memcmp(ret_unit->name, units[i].name, ret_unit->len))
			ret_unit->ns = units[i].ns;
	return ret_unit->ns ? FINE : ret_unit->len ? UNKNOWN_UNIT : NO_UNIT;
}

/* One number with its unit, added to *total. */
static enum fault take_part(const char **p, int64_t *total, struct unit *ret_unit)
{
	int64_t whole = 0, fraction = 0, scale = 1, ns;
	if (!isdigit((unsigned char)**p) && !(**p == '.' && isdigit((unsigned char)(*p)[1])))
		return MALFORMED;
	for (; isdigit((unsigned char)**p); (*p)++)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, **p - '0', &whole))
			return MALFORMED;
	if (**p == '.')
		for ((*p)++; isdigit((unsigned char)**p); (*p)++)
			if (scale < 1000000000000) {
				fraction = fraction * 10 + (**p - '0');
				scale *= 10;
			}
	enum fault fault = take_unit(p, ret_unit);
	if (fault)
		return fault;
	if (__builtin_mul_overflow(whole, ret_unit->ns, &ns))
		return MALFORMED;
	ns += (int64_t)((double)fraction * ((double)ret_unit->ns / (double)scale));
	return __builtin_add_overflow(*total, ns, total) ? MALFORMED : FINE;
}

static enum fault parse(const char *s, int64_t *ret_ns, struct unit *ret_unit)
{
	bool negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	*ret_ns = 0;
	if (!strcmp(s, "0"))
		return FINE;
	int64_t total = 0;
	enum fault fault = *s ? FINE : MALFORMED;
	while (*s && !fault)
		fault = take_part(&s, &total, ret_unit);
	*ret_ns = negative ? -total : total;
	return fault;
}

bool duration_parse(const char *s, int64_t *ret_ns)
{
	int64_t ns;
	struct unit unit;
	if (!s || parse(s, &ns, &unit))
		return false;
	*ret_ns = ns;
	return true;
}

/* As Go's package time quotes. */
static char *quote(struct arena *arena, const char *s, size_t len)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_addc(&out, '"');
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] >= 0x80)
			strbuf_printf(&out, "\\x%02x", (unsigned)(unsigned char)s[i]);
		else
			strbuf_printf(&out, "%s%c", s[i] == '"' || s[i] == '\\' ? "\\" : "", s[i]);
	strbuf_addc(&out, '"');
	return arena_strdup(arena, out.buf);
}

char *duration_problem(struct arena *arena, const char *s)
{
	int64_t ns;
	struct unit unit;
	char *text = quote(arena, s, strlen(s));
	switch (parse(s, &ns, &unit)) {
	case NO_UNIT:
		return arena_printf(arena, "time: missing unit in duration %s", text);
	case UNKNOWN_UNIT:
		return arena_printf(
			arena, "time: unknown unit %s in duration %s", quote(arena, unit.name, unit.len), text);
	case MALFORMED:
		return arena_printf(arena, "time: invalid duration %s", text);
	case FINE:
		break;
	}
	return NULL;
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
