/* Times in their text forms: RFC 3339, and the ages that people read. */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "api/meta.h"

#define TIME_TEXT_BYTES 40
#define NANOS_PER_SECOND 1000000000

MetaV1Time *time_new(struct arena *arena, int64_t seconds)
{
	MetaV1Time *t = API_NEW(arena, MetaV1Time);

	t->seconds = seconds;
	return t;
}

MetaV1Time *time_now(struct arena *arena)
{
	return time_new(arena, clock_wall_s(clock_system()));
}

MetaV1MicroTime *micro_time_now(struct arena *arena)
{
	MetaV1MicroTime *t = API_NEW(arena, MetaV1MicroTime);
	int64_t ns = clock_wall_ns(clock_system());

	t->seconds = ns / 1000000000;
	t->nanos = (int32_t)(ns % 1000000000 / 1000 * 1000);
	return t;
}

bool time_is_zero(const MetaV1Time *t)
{
	return !t || (!t->seconds && !t->nanos);
}

int time_compare(const MetaV1Time *a, const MetaV1Time *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	return a->nanos < b->nanos ? -1 : a->nanos > b->nanos;
}

/* Days since 1970 of a civil date, and back (proleptic Gregorian calendar). */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t z, int64_t *ret_y, int *ret_m, int *ret_d)
{
	z += 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*ret_d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*ret_m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*ret_y = yoe + era * 400 + (*ret_m <= 2);
}

static char *put_digits(char *to, int n, int value)
{
	for (int i = n; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + n;
}

static char *put_three(char *to, int a, int b, int c, char separator)
{
	to = put_digits(to, 2, a);
	*to++ = separator;
	to = put_digits(to, 2, b);
	*to++ = separator;
	return put_digits(to, 2, c);
}

/* The text without fraction and zone; returns the place behind it. */
static char *put_civil(char *to, int64_t seconds)
{
	int64_t day = seconds / 86400, rest = seconds % 86400, y;
	int m, d;

	if (rest < 0) {
		rest += 86400;
		day--;
	}
	/* Within what the text form can hold: years 0 to 9999. */
	if (day < -719528)
		day = -719528;
	if (day > 2932896)
		day = 2932896;
	civil_from_days(day, &y, &m, &d);
	to = put_digits(to, 2, (int)(y / 100));
	to = put_three(to, (int)(y % 100), m, d, '-');
	*to++ = 'T';
	return put_three(to, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60), ':');
}

char *time_format(struct arena *arena, int64_t seconds)
{
	char text[TIME_TEXT_BYTES], *end = put_civil(text, seconds);

	*end++ = 'Z';
	return arena_strndup(arena, text, (size_t)(end - text));
}

char *micro_time_format(struct arena *arena, int64_t seconds, int32_t nanos)
{
	/* A fraction of a second, whatever the wire said. */
	nanos %= NANOS_PER_SECOND;
	bool before = nanos < 0;
	char text[TIME_TEXT_BYTES], *end = put_civil(text, before && seconds != INT64_MIN ? seconds - 1 : seconds);

	*end++ = '.';
	end = put_digits(end, 6, (before ? nanos + NANOS_PER_SECOND : nanos) / 1000);
	*end++ = 'Z';
	return arena_strndup(arena, text, (size_t)(end - text));
}

static bool digits(const char **p, const char *end, int n, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (*p >= end || **p < '0' || **p > '9')
			return false;
		value = value * 10 + (**p - '0');
	}
	*ret_value = value;
	return true;
}

/* Of an hour Go takes one digit too. */
static bool hour(const char **p, const char *end, int *ret_value)
{
	bool one = *p + 1 < end && ((*p)[1] < '0' || (*p)[1] > '9');
	return digits(p, end, one ? 1 : 2, ret_value);
}

static bool expect(const char **p, const char *end, char c)
{
	return *p < end && *(*p)++ == c;
}

static int32_t fraction(const char **p, const char *end)
{
	int32_t nanos = 0, unit = 100000000;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
		nanos += (**p - '0') * unit;
	return nanos;
}

static bool zone(const char **p, const char *end, int *ret_offset)
{
	int h, m;

	*ret_offset = 0;
	if (*p >= end)
		return false;
	char sign = *(*p)++;
	if (sign == 'Z')
		return true;
	if ((sign != '+' && sign != '-') || !digits(p, end, 2, &h) || !expect(p, end, ':') || !digits(p, end, 2, &m) ||
		h > 24 || m > 60)
		return false;
	*ret_offset = (h * 60 + m) * (sign == '-' ? -60 : 60);
	return true;
}

static int days_in_month(int y, int m)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

bool time_parse(const char *s, size_t size, int64_t *ret_seconds, int32_t *ret_nanos)
{
	const char *p = s, *end = s + size;
	int y, mo, d, h, mi, sec, offset;
	int32_t nanos = 0;

	if (!digits(&p, end, 4, &y) || !expect(&p, end, '-') || !digits(&p, end, 2, &mo) || !expect(&p, end, '-') ||
		!digits(&p, end, 2, &d))
		return false;
	if (!expect(&p, end, 'T') || !hour(&p, end, &h) || !expect(&p, end, ':') || !digits(&p, end, 2, &mi) ||
		!expect(&p, end, ':') || !digits(&p, end, 2, &sec))
		return false;
	if (p + 1 < end && (*p == '.' || *p == ',') && p[1] >= '0' && p[1] <= '9') {
		p++;
		nanos = fraction(&p, end);
	}
	if (!zone(&p, end, &offset) || p != end)
		return false;
	if (mo < 1 || mo > 12 || d < 1 || d > days_in_month(y, mo) || h > 23 || mi > 59 || sec > 59)
		return false;
	*ret_seconds = days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec - offset;
	*ret_nanos = nanos;
	return true;
}

/* What a layout of Go expects in order; words of digits, separators, and the zone. */
static const struct layout_part {
	const char *word;
	int min, max; /* of a number */
	const char *name;
} layout[] = {{"2006", 0, 9999, "year"}, {"-", 0, 0, NULL}, {"01", 1, 12, "month"}, {"-", 0, 0, NULL},
	{"02", 0, 99, "day"}, {"T", 0, 0, NULL}, {"15", 0, 23, "hour"}, {":", 0, 0, NULL}, {"04", 0, 59, "minute"},
	{":", 0, 0, NULL}, {"05", 0, 59, "second"}};

/* Steps over one part; false when it is not there. *ret_range names a number that is out of range. */
static bool match_part(const struct layout_part *part, const char **p, const char *end, const char **ret_range)
{
	int value;
	if (!part->name)
		return expect(p, end, part->word[0]);
	if (!strcmp(part->name, "hour") ? !hour(p, end, &value) : !digits(p, end, (int)strlen(part->word), &value))
		return false;
	*ret_range = value < part->min || value > part->max ? part->name : NULL;
	return true;
}

/* The fraction of a second: six digits of a micro time, any number elsewhere. */
static bool match_fraction(const char **p, const char *end, bool micro)
{
	int value;
	if (micro)
		return expect(p, end, '.') && digits(p, end, 6, &value);
	if (*p + 1 < end && (**p == '.' || **p == ',') && (*p)[1] >= '0' && (*p)[1] <= '9') {
		(*p)++;
		fraction(p, end);
	}
	return true;
}

/* As Go's package time quotes what it was given. */
static char *quoted(struct arena *arena, const char *s, size_t size)
{
	char *out = arena_alloc(arena, 4 * size + 1), *to = out;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c < ' ' || c >= 0x80) {
			to += snprintf(to, 5, "\\x%02x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			*to++ = '\\';
		*to++ = (char)c;
	}
	*to = '\0';
	return out;
}

static char *cannot_parse(
	struct arena *arena, const char *s, size_t size, bool micro, const char *rest, const char *word)
{
	return arena_printf(arena,
		"parsing time \"%s\" as \"2006-01-02T15:04:05%sZ07:00\": cannot parse \"%s\" as \"%s\"",
		quoted(arena, s, size), micro ? ".000000" : "", quoted(arena, rest, (size_t)(s + size - rest)), word);
}

char *time_parse_error(struct arena *arena, const char *s, size_t size, bool micro)
{
	const char *p = s, *end = s + size, *range = NULL;
	int offset;
	for (size_t i = 0; i < sizeof(layout) / sizeof(layout[0]); i++) {
		const char *start = p;
		if (!match_part(&layout[i], &p, end, &range))
			return cannot_parse(arena, s, size, micro, start, layout[i].word);
		if (range)
			return arena_printf(
				arena, "parsing time \"%s\": %s out of range", quoted(arena, s, size), range);
	}
	const char *start = p;
	if (!match_fraction(&p, end, micro))
		return cannot_parse(arena, s, size, micro, start, ".000000");
	start = p;
	if (!zone(&p, end, &offset))
		return cannot_parse(arena, s, size, micro, start, "Z07:00");
	if (p != end)
		return arena_printf(arena, "parsing time \"%s\": extra text: \"%s\"", quoted(arena, s, size),
			quoted(arena, p, (size_t)(end - p)));
	int64_t seconds;
	int32_t nanos;
	if (time_parse(s, size, &seconds, &nanos))
		return NULL;
	return arena_printf(arena, "parsing time \"%.*s\": day out of range", (int)size, s);
}

/* Two parts at most, the smaller only while it still says something; as k8s.io/apimachinery/pkg/util/duration. */
char *duration_human(struct arena *arena, int64_t seconds)
{
	int64_t m = seconds / 60, h = seconds / 3600, d = seconds / 86400, y = seconds / 31536000;

	if (seconds < -1)
		return arena_strdup(arena, "<invalid>");
	if (seconds < 0)
		return arena_strdup(arena, "0s");
	if (seconds < 120)
		return arena_printf(arena, "%" PRId64 "s", seconds);
	if (m < 10)
		return seconds % 60 ? arena_printf(arena, "%" PRId64 "m%" PRId64 "s", m, seconds % 60)
				    : arena_printf(arena, "%" PRId64 "m", m);
	if (m < 180)
		return arena_printf(arena, "%" PRId64 "m", m);
	if (h < 8)
		return m % 60 ? arena_printf(arena, "%" PRId64 "h%" PRId64 "m", h, m % 60)
			      : arena_printf(arena, "%" PRId64 "h", h);
	if (h < 48)
		return arena_printf(arena, "%" PRId64 "h", h);
	if (h < 192)
		return h % 24 ? arena_printf(arena, "%" PRId64 "d%" PRId64 "h", d, h % 24)
			      : arena_printf(arena, "%" PRId64 "d", d);
	if (d < 730)
		return arena_printf(arena, "%" PRId64 "d", d);
	if (d < 2920)
		return d % 365 ? arena_printf(arena, "%" PRId64 "y%" PRId64 "d", y, d % 365)
			       : arena_printf(arena, "%" PRId64 "y", y);
	return arena_printf(arena, "%" PRId64 "y", y);
}
