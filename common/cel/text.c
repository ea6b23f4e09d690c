/* Functions of texts. Places in texts count code points. */
#include <ctype.h>
#include "base/regex.h"
#include "base/str.h"
#include "cel/eval.h"

enum { MAX_TEXT = 16 << 20 };

static struct cel_value out_of_range(struct cel_call *call, int64_t index)
{
	return cel_error(call->arena, "index out of range: %lld", (long long)index);
}

static struct cel_value copy(struct cel_call *call, const char *data, size_t size)
{
	char *text = arena_strndup(call->arena, data, size);
	return CEL_TEXT_VALUE(text, size);
}

static struct cel_value too_large(struct cel_call *call)
{
	return cel_error(call->arena, "text is too large");
}

static struct cel_value take(struct cel_call *call, const struct strbuf *out)
{
	return out->len > MAX_TEXT ? too_large(call) : copy(call, out->buf, out->len);
}

/* Where the code point of an index begins. */
static size_t offset_of(struct cel_text text, int64_t index)
{
	const char *p = text.data, *end = text.data + text.size;
	for (; index > 0 && p < end; index--)
		p += cel_point_size(p, end);
	return (size_t)(p - text.data);
}

static const char *find_text(const char *p, const char *end, struct cel_text what)
{
	return what.size ? memmem(p, (size_t)(end - p), what.data, what.size) : p;
}

static struct cel_value contains(struct cel_call *call)
{
	struct cel_text a = call->args[0].text;
	return CEL_BOOL_VALUE(find_text(a.data, a.data + a.size, call->args[1].text) != NULL);
}

static struct cel_value starts_with(struct cel_call *call)
{
	struct cel_text a = call->args[0].text, b = call->args[1].text;
	return CEL_BOOL_VALUE(a.size >= b.size && !memcmp(a.data, b.data, b.size));
}

static struct cel_value ends_with(struct cel_call *call)
{
	struct cel_text a = call->args[0].text, b = call->args[1].text;
	return CEL_BOOL_VALUE(a.size >= b.size && !memcmp(a.data + a.size - b.size, b.data, b.size));
}

static struct cel_value char_at(struct cel_call *call)
{
	struct cel_text a = call->args[0].text;
	int64_t i = call->args[1].integer, n = (int64_t)cel_points(a.data, a.size);
	if (i < 0 || i > n)
		return out_of_range(call, i);
	size_t at = offset_of(a, i);
	return copy(call, a.data + at, i == n ? 0 : cel_point_size(a.data + at, a.data + a.size));
}

static struct cel_value index_of(struct cel_call *call)
{
	struct cel_text a = call->args[0].text, b = call->args[1].text;
	int64_t from = call->n_args > 2 ? call->args[2].integer : 0;
	if (!b.size)
		return CEL_INT_VALUE(from);
	if (from < 0)
		return out_of_range(call, from);
	if (from >= (int64_t)cel_points(a.data, a.size))
		return CEL_INT_VALUE(-1);
	size_t at = offset_of(a, from);
	const char *found = find_text(a.data + at, a.data + a.size, b);
	return CEL_INT_VALUE(found ? (int64_t)cel_points(a.data, (size_t)(found - a.data)) : -1);
}

static struct cel_value last_index_of(struct cel_call *call)
{
	struct cel_text a = call->args[0].text, b = call->args[1].text;
	int64_t n = (int64_t)cel_points(a.data, a.size), from = call->n_args > 2 ? call->args[2].integer : n - 1;
	if (!b.size)
		return CEL_INT_VALUE(call->n_args > 2 ? from : n);
	if (call->n_args == 2 && a.size < b.size)
		return CEL_INT_VALUE(-1);
	if (from < 0)
		return out_of_range(call, from);
	if (from >= n)
		return CEL_INT_VALUE(-1);
	int64_t last = -1;
	const char *p = a.data, *end = a.data + a.size;
	for (int64_t i = 0; i <= from && p < end; i++, p += cel_point_size(p, end))
		if ((size_t)(end - p) >= b.size && !memcmp(p, b.data, b.size))
			last = i;
	return CEL_INT_VALUE(last);
}

static struct cel_value map_letters(struct cel_call *call, int (*map)(int))
{
	struct cel_text a = call->args[0].text;
	char *text = arena_strndup(call->arena, a.data, a.size);
	for (size_t i = 0; i < a.size; i++)
		if ((unsigned char)text[i] < 128)
			text[i] = (char)map((unsigned char)text[i]);
	return CEL_TEXT_VALUE(text, a.size);
}

static struct cel_value lower(struct cel_call *call)
{
	return map_letters(call, tolower);
}

static struct cel_value upper(struct cel_call *call)
{
	return map_letters(call, toupper);
}

static struct cel_value replace(struct cel_call *call)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct cel_text a = call->args[0].text, from = call->args[1].text, to = call->args[2].text;
	int64_t left = call->n_args > 3 ? call->args[3].integer : -1;
	const char *p = a.data, *end = a.data + a.size;
	while (left && out.len <= MAX_TEXT) {
		const char *found = find_text(p, end, from);
		if (!found)
			break;
		strbuf_add(&out, p, (size_t)(found - p));
		strbuf_add(&out, to.data, to.size);
		p = found + from.size;
		left--;
		if (from.size)
			continue;
		if (p >= end) /* Nothing stands before, between and behind all letters. */
			break;
		size_t size = cel_point_size(p, end);
		strbuf_add(&out, p, size);
		p += size;
	}
	strbuf_add(&out, p, (size_t)(end - p));
	return take(call, &out);
}

static struct cel_value split(struct cel_call *call)
{
	struct cel_text a = call->args[0].text, by = call->args[1].text;
	int64_t left = call->n_args > 2 ? call->args[2].integer : -1;
	const char *p = a.data, *end = a.data + a.size;
	struct cel_value *parts = NULL;
	size_t n = 0;
	if (left == 0 || (!by.size && !a.size))
		return cel_list_of(call->arena, NULL, 0);
	for (; left != 1; left--) {
		const char *found = by.size ? find_text(p, end, by) : p + cel_point_size(p, end);
		if (!found || (!by.size && found >= end))
			break;
		struct cel_value part = copy(call, p, (size_t)(found - p));
		ARENA_PUSH(call->arena, parts, n) = part;
		p = found + by.size;
	}
	struct cel_value rest = copy(call, p, (size_t)(end - p));
	ARENA_PUSH(call->arena, parts, n) = rest;
	return cel_list_of(call->arena, parts, n);
}

static struct cel_value substring(struct cel_call *call)
{
	struct cel_text a = call->args[0].text;
	int64_t n = (int64_t)cel_points(a.data, a.size), from = call->args[1].integer;
	int64_t to = call->n_args > 2 ? call->args[2].integer : n;
	if (call->n_args > 2 && from > to)
		return cel_error(
			call->arena, "invalid substring range. start: %lld, end: %lld", (long long)from, (long long)to);
	if (from < 0 || from > n)
		return out_of_range(call, from);
	if (to < 0 || to > n)
		return out_of_range(call, to);
	size_t begin = offset_of(a, from), end = offset_of(a, to);
	return copy(call, a.data + begin, end - begin);
}

/* The size of white space at p, 0 if there is none. */
static size_t space_size(const char *p, const char *end)
{
	static const char *const spaces[] = {" ", "\t", "\n", "\v", "\f", "\r", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80",
		"\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85",
		"\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		size_t n = strlen(spaces[i]);
		if ((size_t)(end - p) >= n && !memcmp(p, spaces[i], n))
			return n;
	}
	return 0;
}

static struct cel_value trim(struct cel_call *call)
{
	struct cel_text a = call->args[0].text;
	const char *p = a.data, *end = a.data + a.size, *last;
	for (size_t n; p < end && (n = space_size(p, end));)
		p += n;
	last = p;
	for (const char *q = p; q < end;) {
		size_t n = space_size(q, end);
		q += n ? n : cel_point_size(q, end);
		last = n ? last : q;
	}
	return copy(call, p, (size_t)(last - p));
}

static struct cel_value quote(struct cel_call *call)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct cel_text a = call->args[0].text;
	strbuf_addc(&out, '"');
	for (size_t i = 0; i < a.size; i++) {
		const char *known = a.data[i] ? strchr(from, a.data[i]) : NULL;
		if (known)
			strbuf_addc(&out, '\\');
		strbuf_addc(&out, known ? to[known - from] : a.data[i]);
	}
	strbuf_addc(&out, '"');
	return take(call, &out);
}

static struct cel_value join(struct cel_call *call)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const struct cel_list *list = call->args[0].list;
	for (size_t i = 0; i < list->n_items && out.len <= MAX_TEXT; i++) {
		struct cel_value v = cel_item(call->arena, list, i);
		if (v.kind != CEL_STRING)
			return cel_error(call->arena, "join: invalid input: %s", cel_type_name(v));
		if (i && call->n_args > 1)
			strbuf_add(&out, call->args[1].text.data, call->args[1].text.size);
		strbuf_add(&out, v.text.data, v.text.size);
	}
	return take(call, &out);
}

static const struct regex *pattern_of(struct cel_call *call, struct cel_value *ret_error)
{
	const char *problem;
	if (call->regex)
		return call->regex;
	const struct regex *re = regex_new(call->arena, call->args[1].text.data, call->args[1].text.size, &problem);
	if (!re)
		*ret_error = cel_error(call->arena, "Illegal regex: %s", problem);
	return re;
}

static struct cel_value find(struct cel_call *call)
{
	struct cel_value error;
	struct cel_text a = call->args[0].text;
	const struct regex *re = pattern_of(call, &error);
	size_t start, end;
	if (!re)
		return error;
	if (!regex_find(re, a.data, a.size, 0, &start, &end))
		return cel_text_of("");
	return copy(call, a.data + start, end - start);
}

static struct cel_value find_all(struct cel_call *call)
{
	struct cel_value error, *items = NULL;
	struct cel_text a = call->args[0].text;
	int64_t left = call->n_args > 2 ? call->args[2].integer : -1;
	const struct regex *re = pattern_of(call, &error);
	size_t n = 0, start, end, last = SIZE_MAX;
	if (!re)
		return error;
	for (size_t from = 0; left && from <= a.size && regex_find(re, a.data, a.size, from, &start, &end);) {
		if (end > start || start != last) { /* An empty match right behind another does not count. */
			struct cel_value v = copy(call, a.data + start, end - start);
			ARENA_PUSH(call->arena, items, n) = v;
			left--;
		}
		last = end;
		from = end > start    ? end
		       : end < a.size ? end + cel_point_size(a.data + end, a.data + a.size)
				      : a.size + 1;
	}
	return cel_list_of(call->arena, items, n);
}

static struct cel_value format(struct cel_call *call)
{
	return cel_format_text(call->arena, call->args[0].text, call->args[1].list);
}

static const struct cel_overload texts_rows[] = {
	{"contains", "contains_string", "string.(string) -> bool", contains},
	{"endsWith", "ends_with_string", "string.(string) -> bool", ends_with},
	{"startsWith", "starts_with_string", "string.(string) -> bool", starts_with},
	{"matches", "matches", "(string, string) -> bool"},
	{"matches", "matches_string", "string.(string) -> bool"},
	{"charAt", "string_char_at_int", "string.(int) -> string", char_at},
	{"indexOf", "string_index_of_string", "string.(string) -> int", index_of},
	{"indexOf", "string_index_of_string_int", "string.(string, int) -> int", index_of},
	{"lastIndexOf", "string_last_index_of_string", "string.(string) -> int", last_index_of},
	{"lastIndexOf", "string_last_index_of_string_int", "string.(string, int) -> int", last_index_of},
	{"lowerAscii", "string_lower_ascii", "string.() -> string", lower},
	{"replace", "string_replace_string_string", "string.(string, string) -> string", replace},
	{"replace", "string_replace_string_string_int", "string.(string, string, int) -> string", replace},
	{"split", "string_split_string", "string.(string) -> list(string)", split},
	{"split", "string_split_string_int", "string.(string, int) -> list(string)", split},
	{"substring", "string_substring_int", "string.(int) -> string", substring},
	{"substring", "string_substring_int_int", "string.(int, int) -> string", substring},
	{"trim", "string_trim", "string.() -> string", trim},
	{"upperAscii", "string_upper_ascii", "string.() -> string", upper},
	{"format", "string_format", "string.(list(dyn)) -> string", format},
	{"strings.quote", "strings_quote", "(string) -> string", quote},
	{"join", "list_join", "list(string).() -> string", join},
	{"join", "list_join_string", "list(string).(string) -> string", join},
	{"find", "string_find_string", "string.(string) -> string", find},
	{"findAll", "string_find_all_string", "string.(string) -> list(string)", find_all},
	{"findAll", "string_find_all_string_int", "string.(string, int) -> list(string)", find_all},
};
const struct cel_library cel_texts = {texts_rows, ARRAY_SIZE(texts_rows), 0};
