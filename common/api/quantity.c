#include "api/quantity.h"

#include <stdlib.h>
#include <string.h>
#include "api/internal.h"
#include "api/meta.h"

#define NANO 1000000000
typedef __int128 i128;
typedef unsigned __int128 u128;

/* The cap of plain decimal values: far above all that is measured, far below where 128 bits of nanos end. */
static const i128 max_decimal = (i128)1000000000000000000 * 10000000000 * 1000000000;

static const struct {
	char suffix[4];
	int base, exponent;
} suffixes[] = {{"", 10, 0}, {"n", 10, -9}, {"u", 10, -6}, {"m", 10, -3}, {"k", 10, 3}, {"M", 10, 6}, {"G", 10, 9},
	{"T", 10, 12}, {"P", 10, 15}, {"E", 10, 18}, {"Ki", 2, 10}, {"Mi", 2, 20}, {"Gi", 2, 30}, {"Ti", 2, 40},
	{"Pi", 2, 50}, {"Ei", 2, 60}};

static bool parse_exponent(const char *s, size_t size, int *ret_exponent)
{
	bool negative = size && *s == '-';
	int value = 0;

	if (size && (*s == '-' || *s == '+')) {
		s++;
		size--;
	}
	if (!size || size > 18)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		if (value < 100000)
			value = value * 10 + (s[i] - '0');
	}
	*ret_exponent = negative ? -value : value;
	return true;
}

static bool parse_suffix(const char *s, size_t size, int *ret_base, int *ret_exponent, enum quantity_format *ret_format)
{
	char suffix[sizeof(suffixes[0].suffix)] = "";
	const bool fits = size < sizeof(suffix) && !memchr(s, '\0', size);
	if (fits)
		memcpy(suffix, s, size);
	for (size_t i = 0; fits && i < ARRAY_SIZE(suffixes); i++) {
		if (memcmp(suffixes[i].suffix, suffix, sizeof(suffix)) != 0)
			continue;
		*ret_base = suffixes[i].base;
		*ret_exponent = suffixes[i].exponent;
		*ret_format = *ret_base == 2 ? QUANTITY_BINARY_SI : QUANTITY_DECIMAL_SI;
		return true;
	}
	*ret_base = 10;
	*ret_format = QUANTITY_DECIMAL_EXPONENT;
	return size > 1 && (*s == 'e' || *s == 'E') && parse_exponent(s + 1, size - 1, ret_exponent);
}

/* magnitude * 10^shift, rounded up; what exceeds the cap is the cap. */
static u128 shift_decimal(u128 magnitude, int shift, bool rest)
{
	/* What is mostly written: no more than a few digits, counted in ones or thousandths. */
	if (magnitude < 1000000000 && shift == 9)
		return magnitude * NANO;
	if (magnitude < 1000000000 && shift == 6)
		return magnitude * (NANO / 1000);
	for (; shift > 0 && magnitude; shift--) {
		if (magnitude > (u128)max_decimal / 10)
			return (u128)max_decimal;
		magnitude *= 10;
	}
	for (; shift < 0; shift++) {
		rest = rest || magnitude % 10;
		magnitude /= 10;
		if (!magnitude)
			return rest;
	}
	return magnitude + rest;
}

struct digits {
	u128 value;
	int n_fraction; /* digits of value that stand behind the point */
	bool rest;	/* others there, not all zero, were left out */
	bool overflow;
};

static const char *read_digits(const char *p, const char *end, bool fraction, struct digits *d)
{
	/* Of a fraction, more digits than any exponent within the cap can make count. */
	const u128 room = fraction ? (u128)1000000000000000000 * 1000000000 : (u128)max_decimal / 10;

	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (d->value < room) {
			d->value = d->value * 10 + (u128)(*p - '0');
			d->n_fraction += fraction;
		} else if (fraction) {
			d->rest = d->rest || *p != '0';
		} else {
			d->overflow = true;
		}
	}
	return p;
}

static u128 scale_digits(const struct digits *d, int base, int exponent)
{
	if (d->overflow)
		return base == 10 ? (u128)max_decimal : (u128)INT64_MAX * NANO;
	if (base == 10)
		return shift_decimal(d->value, exponent + 9 - d->n_fraction, d->rest);
	u128 value = d->value, limit = ((u128)INT64_MAX) * NANO;
	int n_fraction = d->n_fraction;
	bool rest = d->rest;
	/* Fewer than 2^96 after each step, so nothing wraps; digits that this has no room for are far below a nano.
	 * Without such digits it is one step. */
	if (!n_fraction && value < (u128)1 << (94 - exponent)) {
		value <<= exponent;
		exponent = 0;
	}
	for (; exponent > 0 && value; exponent--) {
		for (; value >= (u128)1 << 94 && n_fraction; n_fraction--) {
			rest = rest || value % 10;
			value /= 10;
		}
		if (value >= (u128)1 << 94)
			return limit;
		value *= 2;
	}
	value = shift_decimal(value, 9 - n_fraction, rest);
	return value > limit ? limit : value;
}

bool quantity_parse_n(const char *s, size_t size, struct quantity *ret_q)
{
	const char *p = s, *end = s + size;
	struct digits digits = {0};
	int base, exponent = 0;
	enum quantity_format format;

	if (!size)
		return false;
	bool negative = *p == '-';
	p += *p == '-' || *p == '+';
	/* Without a digit it is none of whatever follows: 0. */
	p = read_digits(p, end, false, &digits);
	if (p < end && *p == '.')
		p = read_digits(p + 1, end, true, &digits);
	if (!parse_suffix(p, (size_t)(end - p), &base, &exponent, &format))
		return false;
	u128 magnitude = scale_digits(&digits, base, exponent);
	if (format == QUANTITY_BINARY_SI && magnitude < NANO && magnitude)
		format = QUANTITY_DECIMAL_SI;
	*ret_q = (struct quantity){negative ? -(i128)magnitude : (i128)magnitude, format};
	return true;
}

bool quantity_parse(const char *s, struct quantity *ret_q)
{
	return s && quantity_parse_n(s, strlen(s), ret_q);
}

struct quantity quantity_of(const ResourceQuantity *q)
{
	struct quantity value = {0, QUANTITY_DECIMAL_SI};

	if (q && !quantity_parse(q->string, &value))
		value = (struct quantity){0, QUANTITY_DECIMAL_SI};
	return value;
}

struct quantity quantity_from_int(int64_t value, enum quantity_format format)
{
	return (struct quantity){(i128)value * NANO, format};
}

struct quantity quantity_from_milli(int64_t milli, enum quantity_format format)
{
	return (struct quantity){(i128)milli * (NANO / 1000), format};
}

static char *print_u128(char *end, u128 value)
{
	*--end = '\0';
	do {
		*--end = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value);
	return end;
}

static const char *suffix_for(int base, int exponent)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (suffixes[i].base == base && suffixes[i].exponent == exponent)
			return suffixes[i].suffix;
	return base == 2 && !exponent ? "" : NULL;
}

static char *format_decimal(struct arena *arena, const char *sign, u128 magnitude, bool exponent_form)
{
	char buf[48];
	int exponent = -9;

	while (magnitude % 1000 == 0 && (exponent < 18 || exponent_form)) {
		magnitude /= 1000;
		exponent += 3;
	}
	char *digits = print_u128(buf + sizeof(buf), magnitude);
	if (exponent_form)
		return exponent ? arena_printf(arena, "%s%se%d", sign, digits, exponent)
				: arena_printf(arena, "%s%s", sign, digits);
	return arena_printf(arena, "%s%s%s", sign, digits, str_or_empty(suffix_for(10, exponent)));
}

char *quantity_format(struct arena *arena, const struct quantity *q)
{
	u128 magnitude = q->nanos < 0 ? -(u128)q->nanos : (u128)q->nanos;
	const char *sign = q->nanos < 0 ? "-" : "";
	char buf[48];
	int exponent = 0;

	if (!magnitude)
		return arena_strdup(arena, "0");
	if (q->format != QUANTITY_BINARY_SI || magnitude < (u128)1024 * NANO || magnitude % NANO)
		return format_decimal(arena, sign, magnitude, q->format == QUANTITY_DECIMAL_EXPONENT);
	magnitude /= NANO;
	while (magnitude % 1024 == 0 && exponent < 60) {
		magnitude /= 1024;
		exponent += 10;
	}
	return arena_printf(arena, "%s%s%s", sign, print_u128(buf + sizeof(buf), magnitude), suffix_for(2, exponent));
}

static size_t count_digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

/*
 * Whether a quantity is kept as it was written. The original does so where a quick look finds nothing to shorten
 * ("1.250" stays, "1.5" becomes 1500m), and clients see it (ParseQuantity of k8s.io/apimachinery/pkg/api/resource).
 */
static bool keeps_text(const char *s, size_t size)
{
	const char *p = s + (*s == '-' || *s == '+'), *end = s + size;
	int base, exponent = 0;
	enum quantity_format format;
	char digits[20];

	while (p < end && *p == '0')
		p++;
	size_t n_whole = count_digits(p, end),
	       n_fraction = p + n_whole < end && p[n_whole] == '.' ? count_digits(p + n_whole + 1, end) : 0;
	const char *suffix = p + n_whole + (p + n_whole < end && p[n_whole] == '.') + n_fraction;
	size_t n = (n_whole ? n_whole : 1) + n_fraction;
	if (n > 18 || !parse_suffix(suffix, (size_t)(end - suffix), &base, &exponent, &format))
		return false;
	if (format == QUANTITY_BINARY_SI)
		return !n_fraction && (int)n + exponent * 3 / 10 <= 14 && exponent % 10 == 0 && n_whole &&
		       strtoll(p, NULL, 10) & 7;
	if (!n_whole || exponent - (int)n_fraction < -9 || (exponent - (int)n_fraction) % 3)
		return false;
	memcpy(digits, p, n_whole);
	memcpy(digits + n_whole, p + n_whole + 1, n_fraction);
	return n < 3 || memcmp(digits + n - 3, "000", 3) != 0;
}

char *quantity_canonical(struct arena *arena, const char *s, size_t size)
{
	struct quantity q;

	if (!quantity_parse_n(s, size, &q))
		return NULL;
	return keeps_text(s, size) ? arena_strndup(arena, s, size) : quantity_format(arena, &q);
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

const char *quantity_problem(const char *s, size_t size)
{
	static const char letters[] = "eEinumkKMGTP";
	const char *p = s, *end = s + size;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	p = skip_digits(p, end);
	if (p < end && *p == '.')
		p = skip_digits(p + 1, end);
	if (p == end)
		return QUANTITY_ERROR;
	while (p < end && memchr(letters, *p, sizeof(letters) - 1))
		p++;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	return skip_digits(p, end) == end ? "unable to parse quantity's suffix" : QUANTITY_ERROR;
}

ResourceQuantity *quantity_new(struct arena *arena, const struct quantity *q)
{
	ResourceQuantity *msg = API_NEW(arena, ResourceQuantity);

	msg->string = quantity_format(arena, q);
	return msg;
}

ResourceQuantity *quantity_new_text(struct arena *arena, const char *text)
{
	ResourceQuantity *msg = API_NEW(arena, ResourceQuantity);
	char *canonical = text ? quantity_canonical(arena, text, strlen(text)) : NULL;

	msg->string = canonical ? canonical : arena_strdup(arena, str_or_empty(text));
	return msg;
}

int quantity_compare(const struct quantity *a, const struct quantity *b)
{
	return a->nanos < b->nanos ? -1 : a->nanos > b->nanos;
}

static i128 cap(i128 nanos)
{
	return nanos > max_decimal ? max_decimal : nanos < -max_decimal ? -max_decimal : nanos;
}

void quantity_add(struct quantity *a, const struct quantity *b)
{
	if (!a->nanos)
		a->format = b->format;
	a->nanos = cap(a->nanos + b->nanos);
}

void quantity_sub(struct quantity *a, const struct quantity *b)
{
	if (!a->nanos)
		a->format = b->format;
	a->nanos = cap(a->nanos - b->nanos);
}

bool quantity_is_zero(const struct quantity *q)
{
	return !q->nanos;
}

int quantity_sign(const struct quantity *q)
{
	return q->nanos < 0 ? -1 : q->nanos > 0;
}

/* Away from zero. */
static i128 rounded(i128 nanos, int64_t unit)
{
	return nanos / unit + (nanos % unit ? nanos < 0 ? -1 : 1 : 0);
}

/* Within 64 bits. */
static int64_t scaled(i128 nanos, int64_t unit)
{
	const i128 value = rounded(nanos, unit);

	return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

int64_t quantity_value(const struct quantity *q)
{
	return scaled(q->nanos, NANO);
}

int64_t quantity_milli_value(const struct quantity *q)
{
	return scaled(q->nanos, NANO / 1000);
}

bool quantity_is_whole(const struct quantity *q)
{
	return rounded(q->nanos, NANO / 1000) % 1000 == 0;
}

int64_t quantity_msg_value(const ResourceQuantity *q)
{
	struct quantity value = quantity_of(q);

	return quantity_value(&value);
}

int64_t quantity_msg_milli(const ResourceQuantity *q)
{
	struct quantity value = quantity_of(q);

	return quantity_milli_value(&value);
}

int quantity_msg_compare(const ResourceQuantity *a, const ResourceQuantity *b)
{
	struct quantity x = quantity_of(a), y = quantity_of(b);

	return quantity_compare(&x, &y);
}
