/*
 * "%s is %d".format([...]): what is put in, and whether it can be, by the values or, before, by the types of what
 * stands there.
 */
#include <ctype.h>
#include <math.h>
#include "base/str.h"
#include "cel/eval.h"

enum { DEFAULT_PRECISION = 6, MAX_PRECISION = 1000, MAX_TEXT = 16 << 20 };

/* One clause: its letter and how many digits follow the point. */
struct clause {
	char letter;
	int precision;
};

static const struct {
	const char *letters;
	const char *wrong; /* what is put in is of another type */
	unsigned kinds;
} clauses[] = {
	{"s",
		"string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, "
		"durations, "
		"and timestamps",
		1u << CEL_STRING | 1u << CEL_BOOL | 1u << CEL_BYTES | 1u << CEL_INT | 1u << CEL_UINT |
			1u << CEL_DOUBLE | 1u << CEL_MAP | 1u << CEL_LIST | 1u << CEL_TYPE | 1u << CEL_DURATION |
			1u << CEL_TIMESTAMP | 1u << CEL_NULL},
	{"d", "decimal clause can only be used on integers", 1u << CEL_INT | 1u << CEL_UINT},
	{"f", "fixed-point clause can only be used on doubles", 1u << CEL_DOUBLE | 1u << CEL_STRING},
	{"e", "scientific clause can only be used on doubles", 1u << CEL_DOUBLE | 1u << CEL_STRING},
	{"b", "only integers and bools can be formatted as binary", 1u << CEL_INT | 1u << CEL_UINT | 1u << CEL_BOOL},
	{"xX", "only integers, byte buffers, and strings can be formatted as hex",
		1u << CEL_INT | 1u << CEL_UINT | 1u << CEL_STRING | 1u << CEL_BYTES},
	{"o", "octal clause can only be used on integers", 1u << CEL_INT | 1u << CEL_UINT},
};

static int clause_index(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(clauses); i++)
		if (letter && strchr(clauses[i].letters, letter))
			return (int)i;
	return -1;
}

/* Reads a clause behind the percent sign; how long it is, or 0 and why it is none. */
static size_t read_clause(
	struct arena *arena, const char *p, const char *end, struct clause *ret, const char **ret_problem)
{
	const char *begin = p;
	*ret = (struct clause){.precision = DEFAULT_PRECISION};
	*ret_problem = NULL;
	if (*p == '.') {
		long n = 0;
		for (p++; p < end && isdigit((unsigned char)*p); p++)
			n = n > MAX_PRECISION ? n : n * 10 + (*p - '0');
		if (p >= end)
			*ret_problem = "could not find end of precision specifier";
		else if (p == begin + 1)
			*ret_problem =
				"error while converting precision to integer: strconv.Atoi: parsing \"\": invalid "
				"syntax";
		else if (n > MAX_PRECISION)
			*ret_problem = "precision is too large";
		if (*ret_problem) {
			*ret_problem = arena_printf(arena, "error while parsing precision: %s", *ret_problem);
			return 0;
		}
		ret->precision = (int)n;
	}
	ret->letter = *p;
	if (clause_index(*p) >= 0)
		return (size_t)(p + 1 - begin);
	*ret_problem = arena_printf(arena, "unrecognized formatting clause \"%c\"", *p);
	return 0;
}

/* Values */

static const char *plain_text(struct arena *arena, struct cel_value v, const char **ret_problem);

static const char *shown_text(struct arena *arena, struct cel_value v, const char **ret_problem)
{
	switch (v.kind) {
	case CEL_STRING:
		return cel_quoted(arena, plain_text(arena, v, ret_problem));
	case CEL_BYTES:
		return arena_printf(arena, "b%s", cel_quoted(arena, plain_text(arena, v, ret_problem)));
	case CEL_DOUBLE:
		return isfinite(v.number) ? arena_printf(arena, "%.6f", v.number)
					  : cel_quoted(arena, cel_double_text(arena, v.number));
	case CEL_TIMESTAMP:
		return arena_printf(arena, "timestamp(\"%s\")", plain_text(arena, v, ret_problem));
	case CEL_DURATION:
		return arena_printf(arena, "duration(\"%s\")", plain_text(arena, v, ret_problem));
	case CEL_OBJECT:
	case CEL_OPAQUE:
		*ret_problem = arena_printf(arena, "no formatting function for %s", cel_type_name(v));
		return "";
	default:
		return plain_text(arena, v, ret_problem);
	}
}

static const char *list_text(struct arena *arena, const struct cel_list *list, const char **ret_problem)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_addc(&out, '[');
	for (size_t i = 0; i < list->n_items && !*ret_problem && out.len <= MAX_TEXT; i++) {
		strbuf_adds(&out, i ? ", " : "");
		strbuf_adds(&out, shown_text(arena, cel_item(arena, list, i), ret_problem));
	}
	strbuf_addc(&out, ']');
	return arena_strdup(arena, out.buf);
}

static const char *map_text(struct arena *arena, const struct cel_map *map, const char **ret_problem)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	char **entries = ARENA_ARRAY(arena, char *, map->n_entries + 1);
	for (size_t i = 0; i < map->n_entries && !*ret_problem; i++) {
		struct cel_value key = cel_key(arena, map, i), value = CEL_NULL_VALUE;
		cel_find(arena, map, key, &value);
		const char *text = shown_text(arena, key, ret_problem);
		entries[i] = arena_printf(arena, "%s:%s", text, shown_text(arena, value, ret_problem));
	}
	if (*ret_problem)
		return "";
	qsort(entries, map->n_entries, sizeof(*entries), str_cmp_qsort);
	strbuf_addc(&out, '{');
	for (size_t i = 0; i < map->n_entries && out.len <= MAX_TEXT; i++)
		strbuf_printf(&out, "%s%s", i ? ", " : "", entries[i]);
	strbuf_addc(&out, '}');
	return arena_strdup(arena, out.buf);
}

static const char *plain_text(struct arena *arena, struct cel_value v, const char **ret_problem)
{
	switch (v.kind) {
	case CEL_NULL:
		return "null";
	case CEL_BOOL:
		return v.boolean ? "true" : "false";
	case CEL_INT:
		return arena_printf(arena, "%lld", (long long)v.integer);
	case CEL_UINT:
		return arena_printf(arena, "%llu", (unsigned long long)v.natural);
	case CEL_DOUBLE:
		return cel_double_text(arena, v.number);
	case CEL_TIMESTAMP:
		return cel_timestamp_text(arena, v.time);
	case CEL_DURATION:
		return cel_duration_text(arena, v.integer);
	case CEL_TYPE:
		return v.type->name;
	case CEL_LIST:
		return list_text(arena, v.list, ret_problem);
	case CEL_MAP:
		return map_text(arena, v.map, ret_problem);
	default:
		return arena_strndup(arena, v.text.data, v.text.size);
	}
}

/* An integer in another base, with its sign. */
static const char *based(struct arena *arena, struct cel_value v, unsigned base, bool upper)
{
	static const char low[] = "0123456789abcdef", high[] = "0123456789ABCDEF";
	char digits[66], *p = digits + sizeof(digits) - 1;
	bool negative = v.kind == CEL_INT && v.integer < 0;
	uint64_t n = negative ? -(uint64_t)v.integer : v.natural;
	*p = 0;
	do {
		*--p = (upper ? high : low)[n % base];
	} while (n /= base);
	if (negative)
		*--p = '-';
	return arena_strdup(arena, p);
}

static const char *hex_text(struct arena *arena, struct cel_value v, bool upper)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (v.kind != CEL_STRING && v.kind != CEL_BYTES)
		return based(arena, v, 16, upper);
	for (size_t i = 0; i < v.text.size; i++)
		strbuf_printf(&out, upper ? "%02X" : "%02x", (unsigned char)v.text.data[i]);
	return arena_strdup(arena, out.buf);
}

/* Digits in groups of three, as the original writes them for its one language. */
static const char *grouped(struct arena *arena, const char *text)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	size_t sign = *text == '-', n = strspn(text + sign, "0123456789");
	strbuf_add(&out, text, sign);
	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			strbuf_addc(&out, ',');
		strbuf_addc(&out, text[sign + i]);
	}
	strbuf_adds(&out, text + sign + n);
	return arena_strdup(arena, out.buf);
}

/* "1.5e+03" is written 1.5×10⁰³. */
static const char *powered(struct arena *arena, const char *text)
{
	static const char *const raised[] = {"\xe2\x81\xb0", "\xc2\xb9", "\xc2\xb2", "\xc2\xb3", "\xe2\x81\xb4",
		"\xe2\x81\xb5", "\xe2\x81\xb6", "\xe2\x81\xb7", "\xe2\x81\xb8", "\xe2\x81\xb9"};
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *e = strchr(text, 'e');
	strbuf_add(&out, text, (size_t)(e - text));
	strbuf_adds(&out, "\xc3\x97"
			  "10");
	if (e[1] == '-')
		strbuf_adds(&out, "\xe2\x81\xbb");
	for (const char *p = e + 2; *p; p++)
		strbuf_adds(&out, raised[*p - '0']);
	return arena_strdup(arena, out.buf);
}

static const char *special_text(struct cel_value v)
{
	bool nan = v.kind == CEL_STRING ? v.text.size == 3 : isnan(v.number);
	bool minus = v.kind == CEL_STRING ? *v.text.data == '-' : v.number < 0;
	return nan ? "NaN" : minus ? "-\xe2\x88\x9e" : "\xe2\x88\x9e";
}

/* Of the scientific form, what stands for the precision is the width, as in the original. */
static const char *double_text(struct arena *arena, struct cel_value v, const struct clause *clause)
{
	bool finite = v.kind == CEL_DOUBLE && isfinite(v.number);
	if (clause->letter == 'f')
		return finite ? grouped(arena, arena_printf(arena, "%.*f", clause->precision, v.number))
			      : special_text(v);
	const char *text =
		finite ? powered(arena, arena_printf(arena, "%.*e", DEFAULT_PRECISION, v.number)) : special_text(v);
	size_t n = cel_points(text, strlen(text)), width = (size_t)clause->precision;
	return arena_printf(arena, "%*s%s", (int)(n < width ? width - n : 0), "", text);
}

static bool is_special(struct cel_value v)
{
	static const char *const special[] = {"NaN", "Infinity", "-Infinity"};
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		if (v.text.size == strlen(special[i]) && !memcmp(v.text.data, special[i], v.text.size))
			return true;
	return false;
}

static const char *clause_text(
	struct arena *arena, struct cel_value v, const struct clause *clause, const char **ret_problem)
{
	int i = clause_index(clause->letter);
	bool fits = clauses[i].kinds & 1u << v.kind;
	if (clause->letter == 'f' || clause->letter == 'e')
		fits = v.kind == CEL_DOUBLE || (v.kind == CEL_STRING && is_special(v));
	if (!fits) {
		*ret_problem = arena_printf(arena, "%s, was given %s", clauses[i].wrong, cel_type_name(v));
		return "";
	}
	switch (clause->letter) {
	case 'f':
	case 'e':
		return double_text(arena, v, clause);
	case 'b':
		return v.kind == CEL_BOOL ? (v.boolean ? "1" : "0") : based(arena, v, 2, false);
	case 'o':
		return based(arena, v, 8, false);
	case 'x':
	case 'X':
		return hex_text(arena, v, clause->letter == 'X');
	default:
		return plain_text(arena, v, ret_problem);
	}
}

struct cel_value cel_format_text(struct arena *arena, struct cel_text format, const struct cel_list *args)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *p = format.data, *end = p + format.size, *problem = NULL;
	size_t n = 0;
	while (p < end && out.len <= MAX_TEXT) {
		struct clause clause;
		if (*p != '%' || (p + 1 < end && p[1] == '%')) {
			strbuf_addc(&out, *p);
			p += *p == '%' ? 2 : 1;
			continue;
		}
		if (n >= args->n_items)
			return cel_error(arena, "index %zu out of range", n);
		if (++p >= end)
			return cel_error(arena, "unexpected end of string");
		p += read_clause(arena, p, end, &clause, &problem);
		if (problem)
			return cel_error(arena, "could not parse formatting clause: %s", problem);
		strbuf_adds(&out, clause_text(arena, cel_item(arena, args, n++), &clause, &problem));
		if (problem)
			return cel_error(arena, "error during formatting: %s", problem);
	}
	if (out.len > MAX_TEXT)
		return cel_error(arena, "text is too large");
	return CEL_TEXT_VALUE(arena_strndup(arena, out.buf, out.len), out.len);
}

/* Types */

/* What of an expression cannot be put in, or NULL. */
static const struct expr *unfit(const struct expr *e, unsigned kinds)
{
	const struct expr *found = NULL;
	if (e->type->kind == CEL_DYN)
		return NULL;
	if (!(kinds & 1u << e->type->kind))
		return e;
	if (kinds != clauses[0].kinds)
		return NULL;
	for (size_t i = 0; !found && e->kind == EXPR_LIST && i < e->list.n_items; i++)
		found = unfit(e->list.items[i], kinds);
	for (size_t i = 0; !found && e->kind == EXPR_MAP && i < e->map.n_entries; i++) {
		found = unfit(e->map.entries[i].key, kinds);
		found = found ? found : unfit(e->map.entries[i].value, kinds);
	}
	return found;
}

void cel_check_format(struct cel_source *source, const struct expr *call)
{
	struct cel_text format = call->call.target->literal.text;
	const struct expr *args = call->call.args[0];
	const char *p = format.data, *end = p + format.size, *problem;
	size_t n = 0;
	while (p < end) {
		struct clause clause;
		if (*p != '%' || (p + 1 < end && p[1] == '%')) {
			p += *p == '%' ? 2 : 1;
			continue;
		}
		if (++p >= end) {
			cel_issue(source, call->at, "unexpected end of string");
			return;
		}
		if (n >= args->list.n_items) {
			cel_issue(source, call->at, "index %zu out of range", n);
			return;
		}
		p += read_clause(source->arena, p, end, &clause, &problem);
		if (problem) {
			cel_issue(source, call->at, "could not parse formatting clause: %s", problem);
			return;
		}
		int i = clause_index(clause.letter);
		const struct expr *wrong = unfit(args->list.items[n++], clauses[i].kinds);
		if (wrong) {
			cel_issue(source, wrong->at, "error during formatting: %s, was given %s", clauses[i].wrong,
				cel_type_full_name(wrong->type));
			return;
		}
	}
	if (n < args->list.n_items)
		cel_issue(source, call->at, "too many arguments supplied to string.format (expected %zu, got %zu)", n,
			args->list.n_items);
}
