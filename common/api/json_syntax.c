/* Why a text is no JSON, in the words of Go's encoding/json, whose users know them. */
#include "api/json.h"

struct scan {
	const char *at, *end;
	struct arena *arena;
	char *problem;
	char *open; /* what is open: braces and brackets */
	size_t n_open;
};

/* The character as Go quotes a byte. */
static void add_quoted(struct strbuf *out, unsigned char c)
{
	static const char plain[] = "\aa\bb\ff\nn\rr\tt\vv\\\\''";
	for (const char *p = plain; *p; p += 2)
		if ((unsigned char)*p == c) {
			strbuf_printf(out, "'\\%c'", p[1]);
			return;
		}
	if (c < ' ' || c == 0x7f)
		strbuf_printf(out, "'\\x%02x'", c);
	else if (c < 0x7f)
		strbuf_printf(out, "'%c'", c);
	else if (c <= 0xa0 || c == 0xad)
		strbuf_printf(out, "'\\u%04x'", c);
	else
		strbuf_printf(out, "'%c%c'", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
}

/* The text ends there. Go takes the end for a space, where that may stand; inside a word, a number or an escape it may
 * not. */
static bool stop(struct scan *s, const char *where)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	bool inside = strstr(where, "literal") || strstr(where, "escape");
	if (s->at == s->end && (!inside || !strcmp(where, "in string literal"))) {
		strbuf_adds(&out, "unexpected end of JSON input");
	} else {
		strbuf_adds(&out, "invalid character ");
		add_quoted(&out, s->at < s->end ? (unsigned char)*s->at : ' ');
		strbuf_printf(&out, " %s", where);
	}
	s->problem = arena_strdup(s->arena, out.buf);
	return false;
}

static bool is_next(const struct scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static bool take(struct scan *s, char c)
{
	if (!is_next(s, c))
		return false;
	s->at++;
	return true;
}

static void skip_space(struct scan *s)
{
	while (is_next(s, ' ') || is_next(s, '\t') || is_next(s, '\r') || is_next(s, '\n'))
		s->at++;
}

static bool is_digit(const struct scan *s)
{
	return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static void skip_digits(struct scan *s)
{
	while (is_digit(s))
		s->at++;
}

static bool scan_escape(struct scan *s)
{
	static const char single[] = "bfnrt\\/\"";
	if (s->at == s->end || (*s->at != 'u' && !memchr(single, *s->at, sizeof(single) - 1)))
		return stop(s, "in string escape code");
	if (*s->at++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, s->at++)
		if (s->at == s->end || !memchr("0123456789abcdefABCDEF", *s->at, 22))
			return stop(s, "in \\u hexadecimal character escape");
	return true;
}

static bool scan_string(struct scan *s)
{
	s->at++;
	while (!take(s, '"')) {
		if (s->at == s->end || (unsigned char)*s->at < ' ')
			return stop(s, "in string literal");
		if (take(s, '\\')) {
			if (!scan_escape(s))
				return false;
		} else {
			s->at++;
		}
	}
	return true;
}

static bool scan_number(struct scan *s)
{
	take(s, '-');
	if (!is_digit(s))
		return stop(s, "in numeric literal");
	if (!take(s, '0'))
		skip_digits(s);
	if (take(s, '.')) {
		if (!is_digit(s))
			return stop(s, "after decimal point in numeric literal");
		skip_digits(s);
	}
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		if (!is_digit(s))
			return stop(s, "in exponent of numeric literal");
		skip_digits(s);
	}
	return true;
}

static bool scan_word(struct scan *s, const char *word)
{
	for (const char *p = word; *p; p++)
		if (!take(s, *p))
			return stop(s, arena_printf(s->arena, "in literal %s (expecting '%c')", word, *p));
	return true;
}

static bool scan_key(struct scan *s)
{
	skip_space(s);
	if (!is_next(s, '"'))
		return stop(s, "looking for beginning of object key string");
	if (!scan_string(s))
		return false;
	skip_space(s);
	return take(s, ':') || stop(s, "after object key");
}

/* A value, or the beginning of one that holds others. */
static bool scan_begin(struct scan *s, bool *ret_inside)
{
	skip_space(s);
	char c = s->at < s->end ? *s->at : 0;
	*ret_inside = false;
	if (c == '{' || c == '[') {
		if (s->n_open == JSON_MAX_DEPTH)
			return stop(s, "exceeded max depth");
		s->open[s->n_open++] = c;
		s->at++;
		skip_space(s);
		if (take(s, c == '{' ? '}' : ']')) {
			s->n_open--;
			return true;
		}
		*ret_inside = true;
		return c == '[' || scan_key(s);
	}
	return c == '"'			 ? scan_string(s)
	       : c == '-' || is_digit(s) ? scan_number(s)
	       : c == 't'		 ? scan_word(s, "true")
	       : c == 'f'		 ? scan_word(s, "false")
	       : c == 'n'		 ? scan_word(s, "null")
					 : stop(s, "looking for beginning of value");
}

/* What follows a value, until another must come. */
static bool scan_end(struct scan *s, bool *ret_done)
{
	*ret_done = false;
	for (;;) {
		skip_space(s);
		*ret_done = !s->n_open;
		if (!s->n_open)
			return s->at == s->end || stop(s, "after top-level value");
		bool object = s->open[s->n_open - 1] == '{';
		if (take(s, ','))
			return !object || scan_key(s);
		if (!take(s, object ? '}' : ']'))
			return stop(s, object ? "after object key:value pair" : "after array element");
		s->n_open--;
	}
}

char *json_problem(struct arena *arena, const char *data, size_t size)
{
	struct scan s = {.at = data, .end = data + size, .arena = arena, .open = arena_alloc(arena, JSON_MAX_DEPTH)};
	bool inside, done = false;
	while (!done && scan_begin(&s, &inside) && (inside || scan_end(&s, &done)))
		;
	return s.problem;
}
