/* Path elements: their order, and how they are read, printed and told to people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "api/fieldset.h"
#include "api/fieldset_internal.h"
#include "api/json.h"

/* One JSON value of a key, as text. */
struct token {
	enum json_type type;
	const char *text; /* of a string: between its quotes, escapes as they stand */
	size_t size;
};

static const char *end_of_string(const char *p, const char *end)
{
	while (p < end && *p != '"')
		p += *p == '\\' && p + 1 < end ? 2 : 1;
	return p;
}

/* Canonical text only (field_element_parse has made it so): no space, all brackets closed. */
static const char *next_token(const char *p, const char *end, struct token *ret)
{
	*ret = (struct token){.type = JSON_END, .text = p};
	if (p >= end)
		return p;
	if (*p == '"') {
		const char *close = end_of_string(p + 1, end);
		*ret = (struct token){JSON_STRING, p + 1, (size_t)(close - p - 1)};
		return close < end ? close + 1 : end;
	}
	ret->type = *p == '[' ? JSON_ARRAY : *p == '{' ? JSON_OBJECT : *p == 'n' ? JSON_NULL : JSON_NUMBER;
	if (*p == 't' || *p == 'f')
		ret->type = JSON_TRUE;
	size_t depth = 0;
	for (; p < end && (depth || (*p != ',' && *p != '}')); p++) {
		if (*p == '"')
			p = end_of_string(p + 1, end);
		else if (*p == '[' || *p == '{')
			depth++;
		else if (*p == ']' || *p == '}')
			depth--;
	}
	ret->size = (size_t)(p - ret->text);
	return p;
}

/* A character of a string with escapes, in the order of what it stands for. */
static uint32_t next_unit(const char **p, const char *end)
{
	static const char plain[] = "n\nt\tr\rb\bf\f";
	unsigned char c = (unsigned char)*(*p)++;
	if (c != '\\' || *p >= end)
		return c;
	c = (unsigned char)*(*p)++;
	if (c == 'u' && end - *p >= 4) {
		const char hex[5] = {(*p)[0], (*p)[1], (*p)[2], (*p)[3], 0};
		*p += 4;
		uint32_t code = (uint32_t)strtoul(hex, NULL, 16);
		return code < 0x80 ? code : 0xe0 | code >> 12;
	}
	for (size_t i = 0; i + 1 < sizeof(plain); i += 2)
		if ((unsigned char)plain[i] == c)
			return (unsigned char)plain[i + 1];
	return c;
}

static int compare_strings(const struct token *a, const struct token *b)
{
	const char *p = a->text, *q = b->text, *p_end = p + a->size, *q_end = q + b->size;
	while (p < p_end && q < q_end) {
		uint32_t x = next_unit(&p, p_end), y = next_unit(&q, q_end);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (p < p_end) - (q < q_end);
}

static int compare_numbers(const struct token *a, const struct token *b)
{
	int64_t i, j;
	double x = 0, y = 0;
	if (json_number_int64(a->text, a->size, &i) && json_number_int64(b->text, b->size, &j))
		return (i > j) - (i < j);
	json_number_double(a->text, a->size, &x);
	json_number_double(b->text, b->size, &y);
	return (x > y) - (x < y);
}

/* Numbers, strings, booleans, lists, objects, null. */
static int rank(enum json_type type)
{
	static const int ranks[] = {[JSON_NUMBER] = 0,
		[JSON_STRING] = 1,
		[JSON_TRUE] = 2,
		[JSON_FALSE] = 2,
		[JSON_ARRAY] = 3,
		[JSON_OBJECT] = 4,
		[JSON_NULL] = 5,
		[JSON_END] = 6};
	return ranks[type];
}

static int compare_bytes(const char *a, size_t n, const char *b, size_t m)
{
	int c = memcmp(a, b, n < m ? n : m);
	return c ? c : (n > m) - (n < m);
}

static int compare_tokens(const struct token *a, const struct token *b)
{
	if (rank(a->type) != rank(b->type))
		return rank(a->type) - rank(b->type);
	if (a->type == JSON_NUMBER)
		return compare_numbers(a, b);
	if (a->type == JSON_STRING)
		return compare_strings(a, b);
	return compare_bytes(a->text, a->size, b->text, b->size);
}

/* How far two texts of at least n bytes agree. */
static size_t common_bytes(const char *a, const char *b, size_t n)
{
	size_t i = 0;
	uint64_t x, y;
	for (; i + sizeof(x) <= n; i += sizeof(x)) {
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		if (x != y)
			break;
	}
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* Keys that first differ within a text, before which nothing is escaped, stand as their bytes do there. */
static bool compare_plain(const struct field_element *a, const struct field_element *b, int *ret_order)
{
	size_t n = a->size < b->size ? a->size : b->size, i = common_bytes(a->text, b->text, n);
	bool in_text = false;
	if (i == n || a->text[i] == '\\' || b->text[i] == '\\' || memchr(a->text, '\\', i))
		return false;
	for (const char *p = a->text, *end = p + i; (p = memchr(p, '"', (size_t)(end - p))); p++)
		in_text = !in_text;
	if (!in_text)
		return false;
	int x = a->text[i] == '"' ? -1 : (unsigned char)a->text[i],
	    y = b->text[i] == '"' ? -1 : (unsigned char)b->text[i];
	*ret_order = x - y;
	return true;
}

/* {"a":1,"b":2}: by name and value, pair by pair; the shorter is first. */
static int compare_keys(const struct field_element *a, const struct field_element *b)
{
	int order;
	if (compare_plain(a, b, &order))
		return order;
	const char *p = a->text + 1, *q = b->text + 1, *p_end = a->text + a->size, *q_end = b->text + b->size;
	while (p < p_end && q < q_end && *p == '"' && *q == '"') {
		struct token x, y;
		for (int value = 0; value < 2; value++) {
			p = next_token(p, p_end, &x) + 1;
			q = next_token(q, q_end, &y) + 1;
			int c = compare_tokens(&x, &y);
			if (c)
				return c;
		}
	}
	return (p < p_end && *p == '"') - (q < q_end && *q == '"');
}

int field_element_compare(const struct field_element *a, const struct field_element *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == FIELD_NAME)
		return compare_bytes(a->text, a->size, b->text, b->size);
	if (a->size == b->size && (a->text == b->text || !memcmp(a->text, b->text, a->size)))
		return 0;
	if (a->kind == FIELD_KEY)
		return compare_keys(a, b);
	struct token x, y;
	next_token(a->text, a->text + a->size, &x);
	next_token(b->text, b->text + b->size, &y);
	return compare_tokens(&x, &y);
}

/* --- reading --- */

struct pair {
	const char *name;
	size_t size;
	const char *value;
	size_t value_size;
};

static int by_name(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	return compare_bytes(x->name, x->size, y->name, y->size);
}

static bool add_canonical(struct arena *arena, struct json_reader *r, struct strbuf *out);

/* Members by name. */
static bool add_members(struct arena *arena, struct json_reader *r, bool nested, struct strbuf *out)
{
	struct pair *pairs = NULL;
	size_t n = 0;
	bool first = true;
	struct pair pair = {0};
	if (json_peek(r) != JSON_OBJECT || !json_enter(r))
		return false;
	while (json_next_member(r, &first, &pair.name, &pair.size)) {
		CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
		if (!add_canonical(arena, r, &value))
			return false;
		pair.value = arena_dup(arena, value.buf, value.len);
		pair.value_size = value.len;
		ARENA_PUSH(arena, pairs, n) = pair;
	}
	if (n)
		qsort(pairs, n, sizeof(*pairs), by_name);
	strbuf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(out, ',');
		json_add_string(out, pairs[i].name, pairs[i].size, nested);
		strbuf_addc(out, ':');
		strbuf_add(out, pairs[i].value, pairs[i].value_size);
	}
	strbuf_addc(out, '}');
	return true;
}

static bool add_elements(struct arena *arena, struct json_reader *r, struct strbuf *out)
{
	bool first = true;
	if (!json_enter(r))
		return false;
	strbuf_addc(out, '[');
	for (size_t i = 0; json_next_element(r, &first); i++) {
		if (i)
			strbuf_addc(out, ',');
		if (!add_canonical(arena, r, out))
			return false;
	}
	strbuf_addc(out, ']');
	return true;
}

/* A value in the form that it is printed in. */
static bool add_canonical(struct arena *arena, struct json_reader *r, struct strbuf *out)
{
	const char *text;
	size_t size;
	double number;
	switch (json_peek(r)) {
	case JSON_STRING:
		if (!json_read_string(r, &text, &size))
			return false;
		json_add_string(out, text, size, true);
		return true;
	case JSON_NUMBER:
		if (!json_read_number(r, &text, &size) || !json_number_double(text, size, &number))
			return false;
		if (memchr(text, '.', size) || memchr(text, 'e', size) || memchr(text, 'E', size))
			json_add_double(out, number);
		else
			strbuf_add(out, text, size);
		return true;
	case JSON_OBJECT:
		return add_members(arena, r, true, out);
	case JSON_ARRAY:
		return add_elements(arena, r, out);
	default:
		return json_skip(r, &text, &size) && json_add_compact(out, text, size, false);
	}
}

static const char *skip_plain(const char *p, const char *end)
{
	while (p < end && field_is_plain(*p))
		p++;
	return p;
}

/* Past a plain text or a whole number; NULL for anything else. */
static const char *skip_simple(const char *p, const char *end)
{
	if (p < end && *p == '"') {
		p = skip_plain(p + 1, end);
		return p < end && *p == '"' ? p + 1 : NULL;
	}
	const char *start = p;
	while (p < end && *p >= '0' && *p <= '9' && p - start < 15)
		p++;
	return p > start && (*start != '0' || p == start + 1) ? p : NULL;
}

/* Whether a key or value stands as it is printed, as it mostly does; false when it may not. */
static bool is_canonical(const char *p, size_t size, bool keys)
{
	const char *end = p + size, *name = NULL;
	size_t name_size = 0;
	if (!keys)
		return skip_simple(p, end) == end;
	if (p == end || *p++ != '{')
		return false;
	for (;;) {
		const char *start = p, *close;
		if (p == end || *p != '"')
			return false;
		close = skip_plain(p + 1, end);
		if (end - close < 2 || close[0] != '"' || close[1] != ':')
			return false;
		size_t length = (size_t)(close - start);
		if (name && compare_bytes(name, name_size, start, length) >= 0)
			return false;
		name = start;
		name_size = length;
		p = skip_simple(close + 2, end);
		if (!p || p == end)
			return false;
		if (*p == '}')
			return p + 1 == end;
		if (*p++ != ',')
			return false;
	}
}

/* A place in a list, which may come with a plus and with zeros before it. */
static enum field_parse parse_index(struct arena *arena, struct field_element *element)
{
	const char *text = element->text, *digits = text + (element->size && *text == '+');
	size_t size = element->size - (size_t)(digits - text);
	int64_t index;
	if (!json_number_int64(digits, size, &index) || (digits > text && *digits == '-'))
		return FIELD_PARSE_BAD;
	element->kind = FIELD_INDEX;
	if (digits > text || (*digits == '-' ? digits[1] : *digits) == '0') {
		element->text = arena_printf(arena, "%" PRId64, index);
		element->size = (uint32_t)strlen(element->text);
	}
	return FIELD_PARSE_OK;
}

enum field_parse field_element_parse(
	struct arena *arena, const char *text, size_t size, struct field_element *ret_element)
{
	if (size < 2 || text[1] != ':')
		return FIELD_PARSE_BAD;
	*ret_element = (struct field_element){.text = text + 2, .size = (uint32_t)(size - 2), .kind = FIELD_NAME};
	if (*text == 'f')
		return FIELD_PARSE_OK;
	if (*text == 'i')
		return parse_index(arena, ret_element);
	if (*text != 'k' && *text != 'v')
		return FIELD_PARSE_UNKNOWN;
	ret_element->kind = *text == 'k' ? FIELD_KEY : FIELD_VALUE;
	if (is_canonical(text + 2, size - 2, *text == 'k'))
		return FIELD_PARSE_OK;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct json_reader r;
	json_reader_init(&r, arena, text + 2, size - 2, JSON_MAX_TYPED_DEPTH);
	bool ok = *text == 'k' ? add_members(arena, &r, false, &out) : add_canonical(arena, &r, &out);
	if (!ok || !json_at_end(&r))
		return FIELD_PARSE_BAD;
	/* Mostly it stands so already. */
	if (out.len != ret_element->size || memcmp(out.buf, ret_element->text, out.len)) {
		ret_element->text = arena_dup(arena, out.buf, out.len);
		ret_element->size = (uint32_t)out.len;
	}
	return FIELD_PARSE_OK;
}

/* --- telling --- */

/* A string as Go quotes it (%q): as JSON, but for what only JSON escapes. */
static void describe_string(struct strbuf *out, const struct token *t)
{
	static const char *const html[] = {"\\u003c", "<", "\\u003e", ">", "\\u0026", "&"};
	for (size_t i = 0; i < t->size; i++) {
		bool done = false;
		for (size_t k = 0; t->text[i] == '\\' && t->size - i >= 6 && !done && k < 6; k += 2)
			if (!memcmp(t->text + i, html[k], 6)) {
				strbuf_adds(out, html[k + 1]);
				i += 5;
				done = true;
			}
		if (!done)
			strbuf_addc(out, t->text[i]);
	}
}

/* As the original prints one: members of an object, which is no key that fits, without anything between them. */
static void describe_value(struct strbuf *out, const struct token *t)
{
	if (t->type == JSON_STRING) {
		strbuf_addc(out, '"');
		describe_string(out, t);
		strbuf_addc(out, '"');
		return;
	}
	if (t->type != JSON_OBJECT && t->type != JSON_ARRAY) {
		strbuf_add(out, t->text, t->size);
		return;
	}
	const bool list = t->type == JSON_ARRAY;
	const char *p = t->text + 1, *end = t->text + t->size - 1;
	struct token token;
	if (list)
		strbuf_addc(out, '[');
	while (p < end) {
		if (!list) {
			p = next_token(p, end, &token) + 1;
			describe_string(out, &token);
			strbuf_addc(out, '=');
		}
		p = next_token(p, end, &token);
		describe_value(out, &token);
		if (p++ < end && list)
			strbuf_addc(out, ',');
	}
	if (list)
		strbuf_addc(out, ']');
}

void field_element_describe(struct strbuf *out, const struct field_element *element)
{
	struct token token;
	const char *p = element->text, *end = p + element->size;
	switch ((enum field_element_kind)element->kind) {
	case FIELD_NAME:
		strbuf_addc(out, '.');
		strbuf_add(out, element->text, element->size);
		return;
	case FIELD_KEY:
		strbuf_addc(out, '[');
		for (p++; p < end && *p == '"';) {
			p = next_token(p, end, &token) + 1;
			if (token.text != element->text + 2)
				strbuf_addc(out, ',');
			strbuf_add(out, token.text, token.size);
			strbuf_addc(out, '=');
			p = next_token(p, end, &token) + 1;
			describe_value(out, &token);
		}
		strbuf_addc(out, ']');
		return;
	case FIELD_VALUE:
		strbuf_adds(out, "[=");
		next_token(p, end, &token);
		describe_value(out, &token);
		strbuf_addc(out, ']');
		return;
	case FIELD_INDEX:
		strbuf_printf(out, "[%.*s]", (int)element->size, element->text);
	}
}
