/* The reader beneath the decoders: one pass over a text in memory, bounded in depth and number of values. */
#include "api/json.h"

#include <errno.h>
#include <string.h>
#include "api/internal.h"
#include "base/mem.h"

void json_reader_init(struct json_reader *r, struct arena *arena, const char *data, size_t size, size_t max_depth)
{
	*r = (struct json_reader){.data = data,
		.at = data,
		.end = data + size,
		.arena = arena,
		.max_depth = max_depth < JSON_MAX_DEPTH ? max_depth : JSON_MAX_DEPTH};
}

static bool fail(struct json_reader *r, const char *error)
{
	if (!r->error) {
		r->error = error;
		r->error_at = r->at;
	}
	return false;
}

static void skip_some_space(struct json_reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
}

/* Machines write none. */
static inline void skip_space(struct json_reader *r)
{
	if (r->at < r->end && (unsigned char)*r->at <= ' ')
		skip_some_space(r);
}

const uint8_t json_begins[256] = {['{'] = JSON_OBJECT,
	['['] = JSON_ARRAY,
	['"'] = JSON_STRING,
	['n'] = JSON_NULL,
	['t'] = JSON_TRUE,
	['f'] = JSON_FALSE,
	['-'] = JSON_NUMBER,
	['0' ... '9'] = JSON_NUMBER};
_Static_assert(JSON_END == 0, "what begins no value");

enum json_type json_peek_on(struct json_reader *r)
{
	if (r->error)
		return JSON_END;
	skip_space(r);
	if (r->at >= r->end) {
		fail(r, "unexpected end of JSON input");
		return JSON_END;
	}
	enum json_type type = json_begins[(unsigned char)*r->at];
	if (type == JSON_END)
		fail(r, "invalid character looking for beginning of value");
	return type;
}

static inline bool count_value(struct json_reader *r)
{
	return ++r->n_values <= JSON_MAX_VALUES || fail(r, "too many values");
}

bool json_read_literal(struct json_reader *r)
{
	static const struct {
		enum json_type type;
		const char *text;
		size_t size;
	} literals[] = {{JSON_NULL, "null", 4}, {JSON_TRUE, "true", 4}, {JSON_FALSE, "false", 5}};
	enum json_type type = json_peek(r);

	if (!count_value(r))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
		if (literals[i].type != type)
			continue;
		if ((size_t)(r->end - r->at) < literals[i].size || memcmp(r->at, literals[i].text, literals[i].size))
			return fail(r, "invalid character in literal");
		r->at += literals[i].size;
		return true;
	}
	return fail(r, "a literal is expected");
}

static bool is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static const char *skip_digits(const char *p, const char *end)
{
	while (is_digit(p, end))
		p++;
	return p;
}

bool json_read_number(struct json_reader *r, const char **ret_text, size_t *ret_size)
{
	if (json_peek(r) != JSON_NUMBER)
		return fail(r, "a number is expected");
	const char *start = r->at, *p = start, *end = r->end;
	if (!count_value(r))
		return false;
	p += *p == '-';
	if (!is_digit(p, end))
		return fail(r, "invalid character in numeric literal");
	p = *p == '0' ? p + 1 : skip_digits(p, end);
	if (p < end && *p == '.') {
		if (!is_digit(++p, end))
			return fail(r, "invalid character after decimal point in numeric literal");
		p = skip_digits(p, end);
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		if (!is_digit(p, end))
			return fail(r, "invalid character in exponent of numeric literal");
		p = skip_digits(p, end);
	}
	r->at = p;
	*ret_text = start;
	*ret_size = (size_t)(p - start);
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hex digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
	int32_t value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_value(p[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The length of a valid UTF-8 sequence at p, 0 if it is none. */
size_t json_utf8_len(const char *p, const char *end)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t left = (size_t)(end - p), n = s[0] < 0x80   ? 1
					     : s[0] < 0xc2 ? 0
					     : s[0] < 0xe0 ? 2
					     : s[0] < 0xf0 ? 3
					     : s[0] < 0xf5 ? 4
							   : 0;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
		return 0;
	if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
		return 0;
	return n;
}

/* One escape behind its backslash; *p moves past it. Returns the bytes written, 0 on an error. */
static size_t unescape(struct json_reader *r, const char **p, const char *end, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *which = *p < end ? memchr(from, **p, sizeof(from) - 1) : NULL;

	if (which) {
		(*p)++;
		*out = to[which - from];
		return 1;
	}
	int32_t c = *p < end && **p == 'u' ? hex4(*p + 1, end) : -1;
	if (c < 0) {
		fail(r, "invalid character in string escape code");
		return 0;
	}
	*p += 5;
	if (c == 0) {
		fail(r, "a string holds a NUL character, which is not supported");
		return 0;
	}
	if (c >= 0xd800 && c < 0xe000) {
		int32_t low = c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' ? hex4(*p + 2, end) : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return put_utf8(out, 0xfffd);
		*p += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	return put_utf8(out, (uint32_t)c);
}

/* The end of a string: its closing quote. p is within it. Tells whether it can be taken as it is. */
static const char *find_quote(struct json_reader *r, const char *p, bool *ret_plain)
{
	*ret_plain = true;
	for (;;) {
		p = json_skip_plain(p, r->end, false);
		if (p >= r->end || *p == '"')
			break;
		unsigned char c = (unsigned char)*p;
		if (c < 0x20) {
			r->at = p;
			fail(r, c ? "invalid control character in string literal" : "a string holds a NUL character");
			return NULL;
		}
		if (c == '\\') {
			*ret_plain = false;
			p += 2;
			continue;
		}
		size_t n = json_utf8_len(p, r->end);
		if (!n)
			*ret_plain = false;
		p += n ? n : 1;
	}
	if (p < r->end)
		return p;
	fail(r, "unexpected end of JSON input");
	return NULL;
}

/* A string between its quotes, with what has to be escaped or mended in the arena. */
static bool read_escaped(
	struct json_reader *r, const char *start, const char *quote, const char **ret_s, size_t *ret_size)
{
	char *out = arena_alloc(r->arena, (size_t)(quote - start) * 3 + 4), *to = out;
	for (const char *p = start; p < quote;) {
		if (*p == '\\') {
			p++;
			size_t n = unescape(r, &p, quote, to);
			if (!n)
				return false;
			to += n;
			continue;
		}
		size_t n = json_utf8_len(p, quote);
		if (n)
			memcpy(to, p, n);
		to += n ? n : put_utf8(to, 0xfffd);
		p += n ? n : 1;
	}
	*ret_s = out;
	*ret_size = (size_t)(to - out);
	return true;
}

/* The rest of a string that begins at start, of which all before p stands for itself. */
static __attribute__((noinline)) bool read_on(
	struct json_reader *r, const char *start, const char *p, const char **ret_s, size_t *ret_size)
{
	bool plain;
	const char *quote = find_quote(r, p, &plain);
	if (!quote || (!plain && !read_escaped(r, start, quote, ret_s, ret_size)))
		return false;
	if (plain) {
		*ret_s = start;
		*ret_size = (size_t)(quote - start);
	}
	r->at = quote + 1;
	return true;
}

bool json_read_string(struct json_reader *r, const char **ret_s, size_t *ret_size)
{
	if (json_peek(r) != JSON_STRING)
		return fail(r, "a string is expected");
	if (!count_value(r))
		return false;
	const char *start = r->at + 1, *p = json_skip_plain(start, r->end, false);
	if (p >= r->end || *p != '"')
		return read_on(r, start, p, ret_s, ret_size);
	*ret_s = start;
	*ret_size = (size_t)(p - start);
	r->at = p + 1;
	return true;
}

/* A string that nobody wants to see: its syntax is checked, nothing is copied. */
static bool skip_string(struct json_reader *r)
{
	bool plain;
	const char *start = r->at + 1, *quote = find_quote(r, start, &plain);
	char scratch[8];

	if (!quote || !count_value(r))
		return false;
	for (const char *p = start; !plain && p < quote;) {
		if (*p++ == '\\' && !unescape(r, &p, quote, scratch))
			return false;
	}
	r->at = quote + 1;
	return true;
}

bool json_enter(struct json_reader *r)
{
	enum json_type type = json_peek(r);

	if (type != JSON_OBJECT && type != JSON_ARRAY)
		return fail(r, "an object or array is expected");
	if (!count_value(r))
		return false;
	if (++r->depth > r->max_depth)
		return fail(r, "exceeded max depth");
	r->at++;
	return true;
}

/* At the next member or element, or past the closing bracket. */
static inline bool next(struct json_reader *r, bool *first, char close)
{
	if (r->error)
		return false;
	skip_space(r);
	if (r->at >= r->end)
		return fail(r, "unexpected end of JSON input");
	if (*r->at == close) {
		r->at++;
		r->depth--;
		return false;
	}
	if (*first) {
		*first = false;
		return true;
	}
	if (*r->at != ',')
		return fail(r, close == '}' ? "invalid character after object key:value pair"
					    : "invalid character after array element");
	r->at++;
	return true;
}

bool json_next_element(struct json_reader *r, bool *first)
{
	return next(r, first, ']');
}

static inline bool after_name(struct json_reader *r)
{
	skip_space(r);
	if (r->at >= r->end)
		return fail(r, "unexpected end of JSON input");
	if (*r->at != ':')
		return fail(r, "invalid character after object key");
	r->at++;
	return true;
}

bool json_next_member(struct json_reader *r, bool *first, const char **ret_name, size_t *ret_size)
{
	if (!next(r, first, '}'))
		return false;
	if (json_peek(r) != JSON_STRING)
		return fail(r, "invalid character looking for beginning of object key string");
	return json_read_string(r, ret_name, ret_size) && after_name(r);
}

static bool skip_scalar(struct json_reader *r, enum json_type type)
{
	const char *text;
	size_t size;

	if (type == JSON_STRING)
		return skip_string(r);
	return type == JSON_NUMBER ? json_read_number(r, &text, &size) : json_read_literal(r);
}

/* Values of any depth without recursion: one bit a level says whether it is an object. */
bool json_skip(struct json_reader *r, const char **ret_text, size_t *ret_size)
{
	uint8_t objects[JSON_MAX_DEPTH / 8 + 1];
	size_t base = r->depth;
	bool first = true;

	enum json_type type = json_peek(r);
	const char *start = r->at;
	for (;;) {
		if (type == JSON_END)
			return false;
		if (type == JSON_OBJECT || type == JSON_ARRAY) {
			if (!json_enter(r))
				return false;
			size_t level = r->depth - 1;
			if (type == JSON_OBJECT)
				objects[level / 8] |= (uint8_t)(1 << level % 8);
			else
				objects[level / 8] &= (uint8_t) ~(1 << level % 8);
			first = true;
		} else if (!skip_scalar(r, type)) {
			return false;
		}
		while (r->depth > base) {
			size_t level = r->depth - 1;
			bool object = objects[level / 8] >> level % 8 & 1;
			if (next(r, &first, object ? '}' : ']')) {
				if (object && (json_peek(r) != JSON_STRING || !skip_string(r) || !after_name(r)))
					return fail(r, "invalid character looking for beginning of object key string");
				break;
			}
			if (r->error)
				return false;
			first = false;
		}
		if (r->depth == base)
			break;
		type = json_peek(r);
	}
	if (ret_text) {
		*ret_text = start;
		*ret_size = (size_t)(r->at - start);
	}
	return true;
}

bool json_at_end(struct json_reader *r)
{
	if (r->error)
		return false;
	skip_space(r);
	return r->at == r->end || fail(r, "invalid character after top-level value");
}

struct status *json_reader_error(const struct json_reader *r)
{
	if (!r->error)
		return NULL;
	const char *problem = str_or(json_problem(r->arena, r->data, (size_t)(r->end - r->data)), r->error);
	if (r->no_place)
		return status_bad_request("%s", problem);
	return status_bad_request("%s (at byte %zu)", problem, (size_t)(r->error_at - r->data));
}

bool json_number_int64(const char *text, size_t size, int64_t *ret_value)
{
	bool negative = size && *text == '-';
	uint64_t value = 0, limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

	if (size == negative)
		return false;
	for (size_t i = negative; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(text[i] - '0');
		if (value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

bool json_number_double(const char *text, size_t size, double *ret_value)
{
	char small[64];
	CLEANUP_FREE char *large = size < sizeof(small) ? NULL : mem_strndup(text, size);
	char *s = large ? large : small, *end;

	if (!large) {
		memcpy(small, text, size);
		small[size] = '\0';
	}
	errno = 0;
	*ret_value = strtod(s, &end);
	return !*end && size && !(errno == ERANGE && (*ret_value > 1 || *ret_value < -1));
}
