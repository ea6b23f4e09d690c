/* Plain scalars of YAML 1.1: null, booleans, numbers in four bases, times. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "api/json.h"
#include "api/yaml_internal.h"
#include "base/mem.h"

static const struct {
	const char *text;
	enum yaml_kind kind;
} words[] = {{"", YAML_NULL}, {"~", YAML_NULL}, {"null", YAML_NULL}, {"Null", YAML_NULL}, {"NULL", YAML_NULL},
	{"y", YAML_TRUE}, {"Y", YAML_TRUE}, {"yes", YAML_TRUE}, {"Yes", YAML_TRUE}, {"YES", YAML_TRUE},
	{"true", YAML_TRUE}, {"True", YAML_TRUE}, {"TRUE", YAML_TRUE}, {"on", YAML_TRUE}, {"On", YAML_TRUE},
	{"ON", YAML_TRUE}, {"n", YAML_FALSE}, {"N", YAML_FALSE}, {"no", YAML_FALSE}, {"No", YAML_FALSE},
	{"NO", YAML_FALSE}, {"false", YAML_FALSE}, {"False", YAML_FALSE}, {"FALSE", YAML_FALSE}, {"off", YAML_FALSE},
	{"Off", YAML_FALSE}, {"OFF", YAML_FALSE}, {".nan", YAML_FLOAT}, {".NaN", YAML_FLOAT}, {".NAN", YAML_FLOAT},
	{".inf", YAML_FLOAT}, {".Inf", YAML_FLOAT}, {".INF", YAML_FLOAT}, {"+.inf", YAML_FLOAT}, {"+.Inf", YAML_FLOAT},
	{"+.INF", YAML_FLOAT}, {"-.inf", YAML_FLOAT}, {"-.Inf", YAML_FLOAT}, {"-.INF", YAML_FLOAT}};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t count_digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && is_digit(p[n]))
		n++;
	return n;
}

/* One or two digits, then a separator. */
static bool part(const char **p, const char *end, char separator)
{
	size_t n = count_digits(*p, end);

	if (n < 1 || n > 2)
		return false;
	*p += n;
	if (!separator)
		return true;
	return *p < end && *(*p)++ == separator;
}

static bool is_time(const char *p, const char *end)
{
	if (count_digits(p, end) != 4 || p + 4 >= end || p[4] != '-')
		return false;
	p += 5;
	if (!part(&p, end, '-') || !part(&p, end, 0))
		return false;
	if (p == end)
		return true;
	char separator = *p++;
	if ((separator != 'T' && separator != 't' && separator != ' ') || !part(&p, end, ':') || !part(&p, end, ':') ||
		!part(&p, end, 0))
		return false;
	if (p < end && *p == '.')
		p += 1 + count_digits(p + 1, end);
	if (separator == ' ')
		return p == end;
	if (p < end && *p == 'Z')
		return p + 1 == end;
	return p < end && (*p == '+' || *p == '-') && end - p == 6 && p[3] == ':';
}

bool yaml_is_base60(const char *s, size_t size)
{
	const char *p = s, *end = s + size;

	p += p < end && (*p == '-' || *p == '+');
	if (p == end || !is_digit(*p))
		return false;
	while (p < end && (is_digit(*p) || *p == '_'))
		p++;
	if (p == end || *p != ':')
		return false;
	while (p < end && *p == ':') {
		size_t n = count_digits(p + 1, end);
		if (n < 1 || n > 2 || (n == 2 && p[1] > '5'))
			return false;
		p += 1 + n;
	}
	if (p < end && *p == '.')
		for (p++; p < end && (is_digit(*p) || *p == '_');)
			p++;
	return p == end;
}

static bool resolve_int(const char *plain, struct strbuf *out)
{
	bool negative = *plain == '-';
	const char *digits = plain + (*plain == '-' || *plain == '+');
	int base = 10;
	char *end;

	if (digits[0] == '0' && digits[1]) {
		char c = (char)(digits[1] | 0x20);
		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		digits += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	if (!*digits || *digits == '+' || *digits == '-' || *digits == ' ' || (base == 16 && (digits[1] | 0x20) == 'x'))
		return false;
	errno = 0;
	unsigned long long value = strtoull(digits, &end, base);
	if (*end || errno || (negative && value > (unsigned long long)INT64_MAX + 1))
		return false;
	strbuf_printf(out, "%s%llu", negative && value ? "-" : "", value);
	return true;
}

/* Digits with at most one point, an exponent; also what begins with a point. */
static bool looks_like_float(const char *s)
{
	const char *p = s + (*s == '-' || *s == '+'), *end = p + strlen(p);
	size_t whole = count_digits(p, end), part_size = 0;

	p += whole;
	if (*p == '.') {
		part_size = count_digits(p + 1, end);
		p += 1 + part_size;
	}
	if (!whole && !part_size)
		return false;
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		size_t n = count_digits(p, end);
		p += n;
		if (!n)
			return false;
	}
	return p == end;
}

static bool resolve_float(const char *plain, struct strbuf *out)
{
	double value;

	if (!looks_like_float(plain) || !json_number_double(plain, strlen(plain), &value) || !isfinite(value))
		return false;
	json_add_double(out, value);
	return true;
}

enum yaml_kind yaml_resolve(const char *s, size_t size, struct strbuf *ret_number)
{
	char small[128];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i].text) == size && !memcmp(words[i].text, s, size))
			return words[i].kind;
	if (!(is_digit(*s) || *s == '.' || *s == '-' || *s == '+'))
		return YAML_STR;
	if (is_digit(*s) && is_time(s, s + size))
		return YAML_TIME;
	CLEANUP_FREE char *large = size < sizeof(small) ? NULL : mem_alloc(size + 1);
	char *plain = large ? large : small;
	for (size_t i = 0; i < size; i++)
		if (s[i] != '_' || *s == '.')
			plain[n++] = s[i];
	plain[n] = '\0';
	if (n < 1 || strlen(plain) != n)
		return YAML_STR;
	if (*s != '.' && resolve_int(plain, ret_number))
		return YAML_INT;
	return resolve_float(plain, ret_number) ? YAML_FLOAT : YAML_STR;
}
