/* The writers beneath the encoder: strings, numbers, compact and indented copies of JSON text. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "api/internal.h"
#include "api/json.h"

static void add_escape(struct strbuf *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *which = memchr(from, c, sizeof(from) - 1);

	if (which) {
		strbuf_addc(out, '\\');
		strbuf_addc(out, to[which - from]);
	} else {
		strbuf_printf(out, "\\u%04x", c);
	}
}

/* Whether a text begins with U+2028 or U+2029. */
static bool is_separator(const char *p, size_t size)
{
	return size >= 3 && !memcmp(p, "\xe2\x80", 2) && ((unsigned char)p[2] & 0xfe) == 0xa8;
}

/* A sequence beyond ASCII at p; returns its length. The line separators that JavaScript dislikes are escaped, as Go
 * does. */
static size_t add_wide(struct strbuf *out, const char *p, const char *end)
{
	size_t n = json_utf8_len(p, end);

	if (!n) {
		strbuf_adds(out, "\\ufffd");
		return 1;
	}
	if (is_separator(p, n))
		strbuf_adds(out, (unsigned char)p[2] == 0xa8 ? "\\u2028" : "\\u2029");
	else
		strbuf_add(out, p, n);
	return n;
}

void json_add_string(struct strbuf *out, const char *s, size_t size, bool html_escape)
{
	const char *p = json_skip_plain(s, s + size, html_escape), *end = s + size;

	if (out->len + size + 2 >= out->cap)
		strbuf_grow(out, size + 2);
	if (p == end) {
		char *to = out->buf + out->len;
		*to++ = '"';
		to = mempcpy(to, s, size);
		memcpy(to, "\"", 2);
		out->len += size + 2;
		return;
	}
	strbuf_addc(out, '"');
	strbuf_add(out, s, (size_t)(p - s));
	while (p < end) {
		const char *run = p;
		p = json_skip_plain(p, end, html_escape);
		strbuf_add(out, run, (size_t)(p - run));
		if (p == end)
			break;
		if ((unsigned char)*p < 0x80)
			add_escape(out, (unsigned char)*p++);
		else
			p += add_wide(out, p, end);
	}
	strbuf_addc(out, '"');
}

/* Go drops the leading zero of a two-digit exponent: 1e-07 becomes 1e-7. */
static void add_exponent_form(struct strbuf *out, char *text)
{
	char *e = strchr(text, 'e');

	if (e && (e[1] == '-' || e[1] == '+') && e[2] == '0')
		memmove(e + 2, e + 3, strlen(e + 3) + 1);
	strbuf_adds(out, text);
}

void json_add_double(struct strbuf *out, double value)
{
	char text[400];
	double magnitude = fabs(value), back = 0;
	int precision = 1;

	if (!isfinite(value)) {
		strbuf_adds(out, "null");
		return;
	}
	/* The shortest text that reads back as the same number. */
	for (; precision <= 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision - 1, value);
		json_number_double(text, strlen(text), &back);
		if (back == value)
			break;
	}
	if (magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)) {
		add_exponent_form(out, text);
		return;
	}
	int exponent = magnitude != 0 ? (int)strtol(strchr(text, 'e') + 1, NULL, 10) : 0;
	int decimals = precision - 1 - exponent;
	if (decimals >= 0) {
		snprintf(text, sizeof(text), "%.*f", decimals, value);
		strbuf_adds(out, text);
		return;
	}
	/* A large number: its digits, and zeros where the digits say no more. */
	for (const char *p = text; *p != 'e'; p++)
		if (*p != '.')
			strbuf_addc(out, *p);
	strbuf_printf(out, "%0*d", -decimals, 0);
}

/* Past a string in which only quotes and backslashes are escaped; NULL when it may not be such a one. */
static const char *skip_simple_string(const char *p, const char *end)
{
	if (p == end || *p++ != '"')
		return NULL;
	for (;;) {
		p = json_skip_plain(p, end, true);
		if (p == end)
			return NULL;
		if (*p == '"')
			return p + 1;
		if (*p != '\\' || end - p < 2 || (p[1] != '"' && p[1] != '\\'))
			return NULL;
		p += 2;
	}
}

/* Whether a text is surely compact JSON: objects of objects and nothing else, as sets of fields are. */
static bool is_compact_objects(const char *p, const char *end)
{
	size_t depth = 0;

	for (;;) {
		if (p == end || *p++ != '{' || ++depth > JSON_MAX_DEPTH)
			return false;
		if (p < end && *p == '}') {
			do {
				p++;
				if (!--depth)
					return p == end;
			} while (p < end && *p == '}');
			if (p == end || *p++ != ',')
				return false;
		}
		p = skip_simple_string(p, end);
		if (!p || p == end || *p++ != ':')
			return false;
	}
}

void json_add_squeezed(struct strbuf *out, const char *data, size_t size, bool html_escape)
{
	bool in_string = false;

	if (is_compact_objects(data, data + size)) {
		strbuf_add(out, data, size);
		return;
	}
	strbuf_grow(out, size);
	for (size_t i = 0; i < size; i++) {
		const char c = data[i];
		if (in_string && c == '\\') {
			strbuf_addc(out, data[i++]);
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == ' ' || c == '\n' || c == '\t' || c == '\r')) {
			continue;
		} else if (html_escape && (c == '<' || c == '>' || c == '&')) {
			strbuf_printf(out, "\\u%04x", (unsigned)c);
			continue;
		} else if (html_escape && is_separator(data + i, size - i)) {
			strbuf_printf(out, "\\u202%x", data[i + 2] & 0xf);
			i += 2;
			continue;
		}
		strbuf_addc(out, data[i]);
	}
}

bool json_add_compact(struct strbuf *out, const char *data, size_t size, bool html_escape)
{
	if (is_compact_objects(data, data + size)) {
		strbuf_add(out, data, size);
		return true;
	}
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	struct json_reader r;

	json_reader_init(&r, arena, data, size, JSON_MAX_DEPTH);
	if (!json_skip(&r, NULL, NULL) || !json_at_end(&r))
		return false;
	json_add_squeezed(out, data, size, html_escape);
	return true;
}

static void add_line(struct strbuf *out, size_t spaces)
{
	strbuf_addc(out, '\n');
	for (size_t i = 0; i < spaces; i++)
		strbuf_addc(out, ' ');
}

/* Copies a string of valid JSON; returns the place behind it. */
static size_t add_quoted(struct strbuf *out, const char *data, size_t size, size_t at)
{
	size_t start = at++;

	while (at < size && data[at] != '"')
		at += data[at] == '\\' ? 2 : 1;
	at = at < size ? at + 1 : size;
	strbuf_add(out, data + start, at - start);
	return at;
}

void json_add_indented(struct strbuf *out, const char *data, size_t size, int width)
{
	size_t depth = 0, step = (size_t)width;

	for (size_t i = 0; i < size;) {
		char c = data[i];
		if (c == '"') {
			i = add_quoted(out, data, size, i);
			continue;
		}
		i++;
		if ((c == '{' || c == '[') && i < size && (data[i] == '}' || data[i] == ']')) {
			strbuf_addc(out, c);
			strbuf_addc(out, data[i++]);
		} else if (c == '{' || c == '[') {
			strbuf_addc(out, c);
			add_line(out, ++depth * step);
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
			add_line(out, depth * step);
			strbuf_addc(out, c);
		} else if (c == ',') {
			strbuf_addc(out, c);
			add_line(out, depth * step);
		} else {
			strbuf_addc(out, c);
			if (c == ':')
				strbuf_addc(out, ' ');
		}
	}
}
