#include "apiserver/validation/extension/text_format.h"
#include <ctype.h>
#include "api/meta.h"
#include "api/names.h"
#include "base/flags.h"
#include "base/ip.h"
#include "base/regex.h"
#include "base/str.h"
#include "cel/eval.h"

#define HEX(n) "[0-9a-fA-F]{" #n "}-?"
#define UUID(third, fourth) "^" HEX(8) HEX(4) third fourth "[0-9a-fA-F]{12}$"
#define UPTO255 "\\s*(0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])\\s*"

static bool matches(struct arena *arena, const char *pattern, const char *text)
{
	const char *problem;
	size_t start, end;
	struct regex *re = regex_new(arena, pattern, strlen(pattern), &problem);
	return re && regex_find(re, text, strlen(text), 0, &start, &end);
}

/* A text without the bytes of drop. */
static char *without(struct arena *arena, const char *text, const char *drop)
{
	char *copy = arena_alloc(arena, strlen(text) + 1), *out = copy;
	for (; *text; text++)
		if (!strchr(drop, *text))
			*out++ = *text;
	*out = '\0';
	return copy;
}

/* Addresses */

static bool is_ipv4(struct arena *arena, const char *text)
{
	struct ip ip;
	return strchr(text, '.') && ip_read(text, &ip);
}

static bool is_ipv6(struct arena *arena, const char *text)
{
	struct ip ip;
	return strchr(text, ':') && ip_read(text, &ip) && !ip.leading_zero;
}

static bool is_cidr(struct arena *arena, const char *text)
{
	struct cidr cidr;
	return cidr_read(text, &cidr);
}

/* Of 6, 8 or 20 bytes: aa:bb:cc…, aa-bb-cc…, aabb.ccdd.… */
static bool is_mac(struct arena *arena, const char *text)
{
	static const char *const patterns[] = {"^([0-9a-fA-F]{2}:)+[0-9a-fA-F]{2}$",
		"^([0-9a-fA-F]{2}-)+[0-9a-fA-F]{2}$", "^([0-9a-fA-F]{4}\\.)+[0-9a-fA-F]{4}$"};
	size_t digits = strlen(without(arena, text, ":-."));
	if (digits != 12 && digits != 16 && digits != 40)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (matches(arena, patterns[i], text))
			return true;
	return false;
}

static bool is_uri(struct arena *arena, const char *text)
{
	return !cel_url_problem(arena, text);
}

/* Letters, digits and symbols of any script. */
#define HOST_CHAR "a-zA-Z0-9\\p{S}\\p{L}"

/* What stands alone may have a dash behind its first character, and none else. */
static bool is_hostname(struct arena *arena, const char *text)
{
	static const char alone[] = "^[" HOST_CHAR "](-?[" HOST_CHAR "]{0,62})?$",
			  several[] =
				  "^([" HOST_CHAR "]([" HOST_CHAR "-]{0,61}[" HOST_CHAR "])?\\.)+[a-zA-Z\\p{L}]{2,63}$";
	char **labels;
	size_t n = str_split(arena, text, '.', &labels);
	for (size_t i = 0; i < n; i++)
		if (strlen(labels[i]) > 63)
			return false;
	return strlen(text) <= 255 && matches(arena, n > 1 ? several : alone, text);
}

/* Numbers with a check digit */

static bool is_credit_card(struct arena *arena, const char *text)
{
	char *digits = arena_strdup(arena, text), *out = digits;
	unsigned sum = 0;
	for (const char *p = text; *p; p++)
		if (isdigit((unsigned char)*p))
			*out++ = *p;
	*out = '\0';
	if (!matches(arena,
		    "^(4\\d{12}(\\d{3})?|5[1-5]\\d{14}|6(011|5\\d\\d)\\d{12}|3[47]\\d{13}|3(0[0-5]|[68]\\d)\\d{11}|"
		    "(2131|1800|35\\d{3})\\d{11})$",
		    digits))
		return false;
	for (size_t i = 0, n = strlen(digits); i < n; i++) {
		unsigned digit = (unsigned)(digits[n - 1 - i] - '0') << (i & 1);
		sum += digit > 9 ? digit - 9 : digit;
	}
	return sum % 10 == 0;
}

static bool is_isbn10(struct arena *arena, const char *text)
{
	const char *digits = without(arena, text, " \t\n\f\r-");
	unsigned sum = 0;
	if (!matches(arena, "^\\d{9}[\\dX]$", digits))
		return false;
	for (unsigned i = 0; i < 10; i++)
		sum += (i < 9 ? i + 1 : 10) * (digits[i] == 'X' ? 10 : (unsigned)(digits[i] - '0'));
	return sum % 11 == 0;
}

static bool is_isbn13(struct arena *arena, const char *text)
{
	const char *digits = without(arena, text, " \t\n\f\r-");
	unsigned sum = 0;
	if (!matches(arena, "^\\d{13}$", digits))
		return false;
	for (unsigned i = 0; i < 13; i++)
		sum += (i & 1 ? 3 : 1) * (unsigned)(digits[i] - '0');
	return sum % 10 == 0;
}

static bool is_isbn(struct arena *arena, const char *text)
{
	return is_isbn10(arena, text) || is_isbn13(arena, text);
}

/* Times */

static bool is_date(struct arena *arena, const char *text)
{
	const char *full = arena_printf(arena, "%sT00:00:00Z", text);
	int64_t seconds;
	int32_t nanos;
	return strlen(text) == 10 && time_parse(full, strlen(full), &seconds, &nanos);
}

static bool is_datetime(struct arena *arena, const char *text)
{
	char *date = str_lower(arena, text), *time = strchr(date, 't');
	if (!time)
		return false;
	*time++ = '\0';
	time[strcspn(time, "t")] = '\0';
	return is_date(arena, date) &&
	       matches(arena, "^([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(.\\d+)?(z|[+-]\\d{2}:\\d{2})$", time);
}

static const struct unit {
	int64_t ns;
	const char *names[3]; /* the last there is stands for all that begin with it */
} units[] = {
	{1, {"ns", "nano"}},
	{1000, {"us", "\u00b5s", "micro"}},
	{1000000, {"ms", "milli"}},
	{1000000000, {"s", "sec"}},
	{60000000000, {"m", "min"}},
	{3600000000000, {"h", "hr", "hour"}},
	{86400000000000, {"d", "day"}},
	{604800000000000, {"w", "wk", "week"}},
};

static bool is_unit(const struct unit *unit, const char *text)
{
	size_t last = unit->names[2] ? 2 : 1;
	for (size_t i = 0; i < last; i++)
		if (!strcmp(unit->names[i], text))
			return true;
	return str_starts_with(text, unit->names[last]);
}

/* The letters that a text begins with, in lower case. */
static const char *unit_at(struct arena *arena, const char *text)
{
	size_t n = 0;
	while (isalpha((unsigned char)text[n]) || !strncmp(text + n, "\u00b5", 2))
		n += isalpha((unsigned char)text[n]) ? 1 : 2;
	return str_lower(arena, arena_strndup(arena, text, n));
}

bool text_duration(const char *text, int64_t *ret_ns)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	uint64_t ns = 0;
	bool found = false;
	if (duration_parse(text, ret_ns))
		return true;
	while (*(text += strcspn(text, "0123456789"))) {
		uint64_t number = 0;
		bool over = false;
		for (; isdigit((unsigned char)*text); text++)
			over |= __builtin_mul_overflow(number, 10, &number) ||
				__builtin_add_overflow(number, (uint64_t)(*text - '0'), &number);
		text += strspn(text, "\t\n\f\r ");
		const char *name = unit_at(arena, text);
		if (*name && (over || number > INT64_MAX))
			return false;
		for (size_t i = 0; *name && i < ARRAY_SIZE(units); i++)
			if (is_unit(&units[i], name)) {
				ns += number * (uint64_t)units[i].ns;
				found = true;
			}
	}
	*ret_ns = (int64_t)ns;
	return found;
}

static bool is_duration(struct arena *arena, const char *text)
{
	int64_t ns;
	return text_duration(text, &ns);
}

/* Names */

static bool is_long_name(struct arena *arena, const char *text)
{
	return strlen(text) <= 253 && is_dns_subdomain(text);
}

static const struct form {
	const char *name;
	const char *pattern;
	bool (*check)(struct arena *arena, const char *text);
	bool is_new;
} forms[] = {
	{"bsonobjectid", "^[0-9a-fA-F]{24}$", NULL},
	{"byte", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$", NULL},
	{"cidr", NULL, is_cidr},
	{"creditcard", NULL, is_credit_card},
	{"date", NULL, is_date},
	{"datetime", NULL, is_datetime},
	{"duration", NULL, is_duration},
	{"email", NULL, text_is_email},
	{"hexcolor", "^#?([0-9a-fA-F]{3}){1,2}$", NULL},
	{"hostname", NULL, is_hostname},
	{"ipv4", NULL, is_ipv4},
	{"ipv6", NULL, is_ipv6},
	{"isbn", NULL, is_isbn},
	{"isbn10", NULL, is_isbn10},
	{"isbn13", NULL, is_isbn13},
	{"k8slongname", NULL, is_long_name, true},
	{"k8sshortname", "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", NULL, true},
	{"mac", NULL, is_mac},
	{"password", NULL, NULL},
	{"rgbcolor", "^rgb\\(" UPTO255 "," UPTO255 "," UPTO255 "\\)$", NULL},
	{"ssn", "^\\d{3}[- ]\\d{2}[- ]\\d{4}$", NULL},
	{"uri", NULL, is_uri},
	{"uuid", UUID(HEX(4), HEX(4)), NULL},
	{"uuid3", UUID("3" HEX(3), HEX(4)), NULL},
	{"uuid4", UUID("4" HEX(3), "[89abAB]" HEX(3)), NULL},
	{"uuid5", UUID("5" HEX(3), "[89abAB]" HEX(3)), NULL},
};

static const struct form *find(struct arena *arena, const char *format)
{
	const char *name = without(arena, str_or_empty(format), "-");
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	return NULL;
}

bool text_format_known(struct arena *arena, const char *format)
{
	return find(arena, format) != NULL;
}

bool text_format_settled(struct arena *arena, const char *format)
{
	const struct form *form = find(arena, format);
	return form && !form->is_new;
}

bool text_has_format(struct arena *arena, const char *format, const char *text)
{
	const struct form *form = find(arena, format);
	if (!form)
		return true;
	return form->check ? form->check(arena, text) : !form->pattern || matches(arena, form->pattern, text);
}
