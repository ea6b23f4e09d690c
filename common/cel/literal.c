/* What quoted literals say. */
#include <ctype.h>
#include "cel/lex.h"
#include "base/str.h"

static void add_point(struct strbuf *out, uint32_t c)
{
	if (c < 0x80) {
		strbuf_addc(out, (char)c);
	} else if (c < 0x800) {
		strbuf_addc(out, (char)(0xc0 | c >> 6));
		strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		strbuf_addc(out, (char)(0xe0 | c >> 12));
		strbuf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_addc(out, (char)(0xf0 | c >> 18));
		strbuf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

static bool read_number(const char *p, const char *end, int base, size_t n, uint32_t *ret_value)
{
	uint32_t value = 0;
	if ((size_t)(end - p) < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int c = tolower((unsigned char)p[i]), digit = isdigit(c) ? c - '0' : isxdigit(c) ? c - 'a' + 10 : 99;
		if (digit >= base)
			return false;
		value = value * (uint32_t)base + (uint32_t)digit;
	}
	*ret_value = value;
	return true;
}

static const char unable[] = "unable to unescape string";

/* One escape at p (after the backslash); returns what is left, or NULL and why. */
static const char *unescape(struct strbuf *out, const char *p, const char *end, bool bytes, const char **ret_problem)
{
	static const char from[] = "abfnrtv\\'\"`?", to[] = "\a\b\f\n\r\t\v\\'\"`?";
	char c = *p++;
	const char *known = strchr(from, c);
	bool octal = c >= '0' && c <= '3';
	size_t n = c == 'x' || c == 'X' ? 2 : c == 'u' && !bytes ? 4 : c == 'U' && !bytes ? 8 : octal ? 3 : 0;
	uint32_t value;
	*ret_problem = octal ? "unable to unescape octal sequence in string" : unable;
	if (c && known) {
		strbuf_addc(out, to[known - from]);
		return p;
	}
	p -= octal;
	if (!n || !read_number(p, end, octal ? 8 : 16, n, &value))
		return NULL;
	if (!bytes && (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))) {
		*ret_problem = "invalid unicode code point";
		return NULL;
	}
	if (bytes)
		strbuf_addc(out, (char)value);
	else
		add_point(out, value);
	return p + n;
}

char *cel_unquote(
	struct arena *arena, const char *text, size_t size, bool bytes, size_t *ret_size, const char **ret_problem)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *p = text, *end = text + size;
	bool raw = *p == 'r' || *p == 'R';
	p += raw;
	size_t quotes = end - p >= 6 && p[1] == p[0] && p[2] == p[0] ? 3 : 1;
	p += quotes;
	end -= quotes;
	while (p < end) {
		if (*p == '\r') { /* Every end of a line is a newline. */
			strbuf_addc(&out, '\n');
			p += p + 1 < end && p[1] == '\n' ? 2 : 1;
		} else if (*p != '\\' || raw) {
			strbuf_addc(&out, *p++);
		} else {
			p = unescape(&out, p + 1, end, bytes, ret_problem);
			if (!p)
				return NULL;
		}
	}
	*ret_size = out.len;
	char *copy = arena_alloc(arena, out.len + 1);
	memcpy(copy, out.buf, out.len + 1);
	return copy;
}
