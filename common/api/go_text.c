#include "api/go_text.h"
#include "base/str.h"

/* Spaces but " ", controls, formats and what is nobody's: Go prints these as escapes. */
static bool is_unseen(uint32_t rune)
{
	static const struct {
		uint32_t first, last;
	} unseen[] = {{0x7f, 0xa0}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c}, {0x6dd, 0x6dd}, {0x70f, 0x70f},
		{0x890, 0x891}, {0x8e2, 0x8e2}, {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f},
		{0x205f, 0x206f}, {0x3000, 0x3000}, {0xd800, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff},
		{0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff}};
	for (size_t i = 0; i < ARRAY_SIZE(unseen); i++)
		if (rune <= unseen[i].last)
			return rune >= unseen[i].first;
	return false;
}

/* The character that begins here and its length: 1 and what it is for a byte that is none in UTF-8. */
static size_t read_rune(const unsigned char *p, uint32_t *ret_rune)
{
	size_t len = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	*ret_rune = len == 1 ? *p : *p & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*ret_rune = *p;
			return 1;
		}
		*ret_rune = *ret_rune << 6 | (p[i] & 0x3f);
	}
	return len;
}

/* The character that begins here, of two bytes or more, as it is or as an escape; its length. Bodies are UTF-8. */
static size_t add_rune(struct strbuf *out, const unsigned char *p)
{
	uint32_t rune;
	size_t len = read_rune(p, &rune);
	if (len == 1)
		strbuf_printf(out, "\\x%02x", rune);
	else if (is_unseen(rune))
		strbuf_printf(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
	else
		strbuf_add(out, p, len);
	return len;
}

size_t go_first_unprinted(const char *s)
{
	uint32_t rune;
	size_t at = 0;
	for (size_t len; s[at]; at += len) {
		len = read_rune((const unsigned char *)s + at, &rune);
		if (rune < 0x20 || is_unseen(rune))
			break;
	}
	return at;
}

char *go_quote(struct arena *arena, const char *s)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_addc(&out, '"');
	for (const unsigned char *p = (const unsigned char *)str_or_empty(s); *p;) {
		if (*p >= 0x80) {
			p += add_rune(&out, p);
			continue;
		}
		static const char escapes[] = "\aa\bb\ff\nn\rr\tt\vv\"\"\\\\";
		const char *e = escapes;
		while (*e && (unsigned char)*e != *p)
			e += 2;
		if (*e)
			strbuf_printf(&out, "\\%c", e[1]);
		else if (*p < 0x20 || *p == 0x7f)
			strbuf_printf(&out, "\\x%02x", *p);
		else
			strbuf_addc(&out, (char)*p);
		p++;
	}
	strbuf_addc(&out, '"');
	return arena_strdup(arena, out.buf);
}
