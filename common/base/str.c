#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "base/mem.h"

bool str_eq_nocase(const char *a, const char *b)
{
	return !strcasecmp(str_or_empty(a), str_or_empty(b));
}

bool str_starts_with(const char *s, const char *prefix)
{
	return !strncmp(str_or_empty(s), prefix, strlen(prefix));
}

bool str_ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(str_or_empty(s)), n = strlen(suffix);
	return len >= n && !memcmp(s + len - n, suffix, n);
}

bool str_in(const char *s, const char *const *list)
{
	s = str_or_empty(s);
	for (; *list; list++)
		if (**list == *s && !strcmp(*list, s))
			return true;
	return false;
}

bool str_in_n(const char *s, char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(s, list[i]))
			return true;
	return false;
}

bool str_to_int64(const char *s, int64_t min, int64_t max, int64_t *ret_value)
{
	if (str_empty(s) || isspace((unsigned char)*s))
		return false;
	char *end;
	errno = 0;
	long long v = strtoll(s, &end, 10);
	if (errno || *end || v < min || v > max)
		return false;
	*ret_value = v;
	return true;
}

bool str_to_uint64(const char *s, uint64_t max, uint64_t *ret_value)
{
	if (str_empty(s) || !isdigit((unsigned char)*s))
		return false;
	char *end;
	errno = 0;
	unsigned long long v = strtoull(s, &end, 10);
	if (errno || *end || v > max)
		return false;
	*ret_value = v;
	return true;
}

bool str_to_bool(const char *s, bool *ret_value)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True", NULL};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False", NULL};
	if (str_empty(s))
		return false;
	bool v = str_in(s, yes);
	if (!v && !str_in(s, no))
		return false;
	*ret_value = v;
	return true;
}

size_t str_split(struct arena *arena, const char *s, char separator, char ***ret_parts)
{
	size_t n = 0;
	char **parts = NULL;
	for (const char *p = s; !str_empty(s); p++) {
		const char *end = strchrnul(p, separator);
		ARENA_PUSH(arena, parts, n) = arena_strndup(arena, p, (size_t)(end - p));
		p = end;
		if (!*p)
			break;
	}
	size_t count = n;
	ARENA_PUSH(arena, parts, n) = NULL;
	*ret_parts = parts;
	return count;
}

char *str_join(struct arena *arena, char *const *parts, size_t n_parts, const char *separator)
{
	size_t size = 1, sep = strlen(separator);
	for (size_t i = 0; i < n_parts; i++)
		size += strlen(str_or_empty(parts[i])) + sep;
	char *out = arena_alloc(arena, size), *p = out;
	for (size_t i = 0; i < n_parts; i++) {
		if (i)
			p = mempcpy(p, separator, sep);
		p = mempcpy(p, str_or_empty(parts[i]), strlen(str_or_empty(parts[i])));
	}
	*p = '\0';
	return out;
}

/* How long the space is that begins here: Unicode's, in UTF-8; 0: it is none. */
static size_t space_size(const char *s)
{
	static const char *const wide[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
		"\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
		"\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
		"\xe2\x81\x9f", "\xe3\x80\x80"};
	if (isspace((unsigned char)*s))
		return 1;
	for (size_t i = 0; (unsigned char)*s >= 0x80 && i < ARRAY_SIZE(wide); i++)
		if (str_starts_with(s, wide[i]))
			return strlen(wide[i]);
	return 0;
}

char *str_trim(struct arena *arena, const char *s)
{
	size_t n;
	s = str_or_empty(s);
	while ((n = space_size(s)))
		s += n;
	size_t len = 0;
	for (size_t at = 0; s[at]; at += n ? n : 1) {
		n = space_size(s + at);
		len = n ? len : at + 1;
	}
	return arena_strndup(arena, s, len);
}

char *str_lower(struct arena *arena, const char *s)
{
	char *out = arena_strdup(arena, str_or_empty(s));
	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

const char *str_skip_runes(const char *s, size_t n)
{
	for (; *s && n; n--)
		do
			s++;
		while (((unsigned char)*s & 0xc0) == 0x80);
	return s;
}

size_t str_runes(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

int str_cmp_qsort(const void *a, const void *b)
{
	return str_cmp(*(char *const *)a, *(char *const *)b);
}

char strbuf_empty[1];

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_done(struct strbuf *sb)
{
	if (sb->cap)
		free(sb->buf);
	strbuf_init(sb);
}

void strbuf_reset(struct strbuf *sb)
{
	strbuf_truncate(sb, 0);
}

void strbuf_grow(struct strbuf *sb, size_t extra)
{
	size_t wanted = sb->len + extra + 1;
	if (wanted <= sb->cap)
		return;
	char *owned = sb->cap ? sb->buf : NULL;
	size_t cap = sb->cap;
	mem_grow(&owned, &cap, wanted < 64 ? 64 : wanted, 1);
	sb->buf = owned;
	sb->cap = cap;
	sb->buf[sb->len] = '\0';
}

void strbuf_vprintf(struct strbuf *sb, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	strbuf_grow(sb, 64);
	int len = vsnprintf(sb->buf + sb->len, sb->cap - sb->len, format, args);
	if (len > 0 && (size_t)len >= sb->cap - sb->len) {
		strbuf_grow(sb, (size_t)len);
		vsnprintf(sb->buf + sb->len, sb->cap - sb->len, format, again);
	}
	if (len > 0)
		sb->len += (size_t)len;
	va_end(again);
}

void strbuf_printf(struct strbuf *sb, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	strbuf_vprintf(sb, format, args);
	va_end(args);
}

void strbuf_truncate(struct strbuf *sb, size_t len)
{
	if (len >= sb->len)
		return;
	sb->len = len;
	sb->buf[len] = '\0';
}

void strbuf_consume(struct strbuf *sb, size_t n)
{
	if (n > sb->len)
		n = sb->len;
	if (!n)
		return;
	memmove(sb->buf, sb->buf + n, sb->len - n + 1);
	sb->len -= n;
}

char *strbuf_steal(struct strbuf *sb)
{
	strbuf_grow(sb, 0);
	char *out = sb->buf;
	strbuf_init(sb);
	return out;
}
