/*
 * Strings: comparisons that take NULL for the empty string, and a growing buffer.
 *
 *	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
 *	strbuf_printf(&out, "%s=%s", key, value);
 *	puts(out.buf);
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/arena.h"

/* NULL and "" are the same string for all of these. */
static inline bool str_empty(const char *s)
{
	return !s || !*s;
}
static inline const char *str_or_empty(const char *s)
{
	return s ? s : "";
}
static inline const char *str_or(const char *s, const char *fallback)
{
	return str_empty(s) ? fallback : s;
}
static inline bool str_eq(const char *a, const char *b)
{
	return !strcmp(str_or_empty(a), str_or_empty(b));
}
static inline int str_cmp(const char *a, const char *b)
{
	return strcmp(str_or_empty(a), str_or_empty(b));
}
bool str_eq_nocase(const char *a, const char *b);
bool str_starts_with(const char *s, const char *prefix);
bool str_ends_with(const char *s, const char *suffix);
/* Whether s is an element of a NULL-terminated list. */
bool str_in(const char *s, const char *const *list);
/* Whether s is among the n strings of list. */
bool str_in_n(const char *s, char *const *list, size_t n);

/* The whole of s as a number within [min, max]; false for anything else. Base 10, sign allowed for the signed form. */
bool str_to_int64(const char *s, int64_t min, int64_t max, int64_t *ret_value);
bool str_to_uint64(const char *s, uint64_t max, uint64_t *ret_value);
bool str_to_bool(
	const char *s, bool *ret_value); /* 1 t T true TRUE True 0 f F false FALSE False, as strconv.ParseBool */

/* Splits at every separator; empty parts are kept; "" gives no parts. The parts live in the arena; *ret_parts is
 * NULL-terminated. */
size_t str_split(struct arena *arena, const char *s, char separator, char ***ret_parts);
char *str_join(struct arena *arena, char *const *parts, size_t n_parts, const char *separator);
/* Without the spaces around it, as Unicode has them. */
char *str_trim(struct arena *arena, const char *s);
char *str_lower(struct arena *arena, const char *s);
/* Of valid UTF-8: how many characters, and where the first n of them end (or the text does). */
size_t str_runes(const char *s);
const char *str_skip_runes(const char *s, size_t n);
/* qsort comparator for arrays of char *. */
int str_cmp_qsort(const void *a, const void *b);

struct strbuf {
	char *buf;  /* always NUL-terminated; never NULL, possibly a shared empty string */
	size_t len; /* bytes before the NUL */
	size_t cap; /* 0: buf is not owned */
};

extern char strbuf_empty[];
#define STRBUF_INIT                \
	{                          \
		strbuf_empty, 0, 0 \
	}

void strbuf_init(struct strbuf *sb);
void strbuf_done(struct strbuf *sb);
void strbuf_reset(struct strbuf *sb);
void strbuf_grow(struct strbuf *sb, size_t extra);
static inline void strbuf_add(struct strbuf *sb, const void *data, size_t size)
{
	if (!size)
		return;
	if (sb->len + size >= sb->cap)
		strbuf_grow(sb, size);
	memcpy(sb->buf + sb->len, data, size);
	sb->len += size;
	sb->buf[sb->len] = '\0';
}
static inline void strbuf_adds(struct strbuf *sb, const char *s) /* NULL adds nothing */
{
	if (s)
		strbuf_add(sb, s, strlen(s));
}
static inline void strbuf_addc(struct strbuf *sb, char c)
{
	if (sb->len + 1 >= sb->cap)
		strbuf_grow(sb, 1);
	sb->buf[sb->len++] = c;
	sb->buf[sb->len] = '\0';
}
void strbuf_printf(struct strbuf *sb, const char *format, ...) PRINTF(2, 3);
void strbuf_vprintf(struct strbuf *sb, const char *format, va_list args) PRINTF(2, 0);
void strbuf_truncate(struct strbuf *sb, size_t len);
/* Removes the first n bytes. */
void strbuf_consume(struct strbuf *sb, size_t n);
/* The contents as a heap string owned by the caller; sb is empty afterwards. */
char *strbuf_steal(struct strbuf *sb);

#endif
