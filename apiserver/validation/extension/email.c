/*
 * Addresses of mail as RFC 5322 has them and as Go's net/mail reads them: an address, one in angle brackets behind a
 * name, or a group that holds just one; comments in between. Texts are UTF-8.
 */
#include <ctype.h>
#include "apiserver/validation/extension/text_format.h"
#include "base/encode.h"
#include "base/ip.h"
#include "base/str.h"

struct reader {
	struct arena *arena;
	const char *p;
};

static bool is_visible(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f;
}

static bool is_atom_char(char c)
{
	return is_visible(c) && !strchr("()<>[]:;@\\,\"", c);
}

static void skip_space(struct reader *r)
{
	r->p += strspn(r->p, " \t");
}

static bool take(struct reader *r, char c)
{
	bool is = *r->p == c;
	r->p += is;
	return is;
}

/* A comment whose bracket is taken; false: it has no end. */
static bool skip_comment(struct reader *r)
{
	for (size_t depth = 1; depth > 0; r->p++) {
		if (!*r->p)
			return false;
		if (*r->p == '\\' && r->p[1])
			r->p++;
		else
			depth += *r->p == '(' ? 1 : *r->p == ')' ? (size_t)-1 : 0;
	}
	return true;
}

static bool skip_comments(struct reader *r)
{
	skip_space(r);
	while (take(r, '(')) {
		if (!skip_comment(r))
			return false;
		skip_space(r);
	}
	return true;
}

/* A text in quotes, which may have to hold something. */
static bool read_quoted(struct reader *r, bool filled)
{
	const char *p = r->p + 1, *start = p;
	for (; *p != '"'; p++) {
		p += *p == '\\';
		if (!is_visible(*p) && *p != ' ' && *p != '\t')
			return false;
	}
	r->p = p + 1;
	return p > start || !filled;
}

/* strict: dots stand between letters. */
static bool read_atom(struct reader *r, bool strict)
{
	size_t n = 0;
	while (is_atom_char(r->p[n]))
		n++;
	if (strict && n && (*r->p == '.' || r->p[n - 1] == '.'))
		return false;
	for (size_t i = 1; strict && i < n; i++)
		if (r->p[i] == '.' && r->p[i - 1] == '.')
			return false;
	r->p += n;
	return n > 0;
}

static bool read_domain_literal(struct reader *r)
{
	const char *end = strchr(r->p, ']');
	struct ip ip;
	if (!end)
		return false;
	const char *text = arena_strndup(r->arena, r->p + 1, (size_t)(end - r->p - 1));
	r->p = end + 1;
	return ip_read(text, &ip) && !ip.leading_zero;
}

/* local@domain; else nothing is read. */
static bool read_address(struct reader *r)
{
	const char *before = r->p;
	skip_space(r);
	bool good = *r->p == '"' ? read_quoted(r, true) : read_atom(r, true);
	if (good && take(r, '@')) {
		skip_space(r);
		good = *r->p == '[' ? read_domain_literal(r) : read_atom(r, true);
		if (good)
			return true;
	}
	r->p = before;
	return false;
}

/* The text of an encoded word: base64, or quoted with =XX. */
static bool is_encoded_text(struct arena *arena, char encoding, const char *text, size_t n)
{
	uint8_t *data;
	size_t size;
	if (tolower((unsigned char)encoding) == 'b')
		return base64_decode(arena, text, n, &data, &size);
	if (tolower((unsigned char)encoding) != 'q')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '=')
			continue;
		if (i + 2 >= n || !isxdigit((unsigned char)text[i + 1]) || !isxdigit((unsigned char)text[i + 2]))
			return false;
		i += 2;
	}
	return true;
}

enum word { PLAIN, ENCODED, FOREIGN };

/* Whether a word of a name is encoded ("=?utf-8?q?a?="), and then in a set of characters that is known. */
static enum word kind_of_word(struct arena *arena, const char *word, size_t n)
{
	static const char *const known[] = {"utf-8", "iso-8859-1", "us-ascii", NULL};
	size_t marks = 0;
	for (size_t i = 0; i < n; i++)
		marks += word[i] == '?';
	if (n < 8 || marks != 4 || word[0] != '=' || word[1] != '?' || word[n - 2] != '?' || word[n - 1] != '=')
		return PLAIN;
	const char *set = word + 2, *encoding = strchr(set, '?') + 1, *text = encoding + 2;
	if (encoding == set + 1 || encoding[1] != '?')
		return PLAIN;
	if (!is_encoded_text(arena, *encoding, text, (size_t)(word + n - 2 - text)))
		return PLAIN;
	const char *name = str_lower(arena, arena_strndup(arena, set, (size_t)(encoding - 1 - set)));
	return str_in(name, known) ? ENCODED : FOREIGN;
}

/* The words of a name, as far as there are any. Comments stand behind words that are not encoded. */
static bool read_name(struct reader *r)
{
	bool any = false, plain = false;
	for (;;) {
		if (plain && !skip_comments(r))
			return false;
		skip_space(r);
		const char *word = r->p;
		enum word kind = PLAIN;
		if (!*word)
			return true;
		bool good = *word == '"' ? read_quoted(r, false) : read_atom(r, false);
		if (good && *word != '"')
			kind = kind_of_word(r->arena, word, (size_t)(r->p - word));
		if (!good || kind == FOREIGN)
			return any;
		any = true;
		plain |= kind == PLAIN;
	}
}

/* The comment behind an address is a name. */
static bool read_name_comment(struct reader *r)
{
	skip_space(r);
	const char *start = r->p + 1;
	if (!take(r, '('))
		return true;
	if (!skip_comment(r))
		return false;
	for (const char *p = start; p < r->p - 1;) {
		size_t n = strcspn(p, " \t)");
		if (kind_of_word(r->arena, p, n) == FOREIGN)
			return false;
		p += n + 1;
	}
	return true;
}

/* How many addresses there are at this point, -1: what is there is none. */
static int read_one(struct reader *r, bool group);

static int read_group(struct reader *r)
{
	int n = 0;
	skip_space(r);
	if (take(r, ';'))
		return skip_comments(r) ? 0 : -1;
	for (;;) {
		skip_space(r);
		if (read_one(r, false) != 1 || !skip_comments(r))
			return -1;
		n++;
		if (take(r, ';'))
			return skip_comments(r) ? n : -1;
		if (!take(r, ','))
			return -1;
	}
}

static int read_one(struct reader *r, bool group)
{
	skip_space(r);
	if (!*r->p)
		return -1;
	if (read_address(r))
		return read_name_comment(r) ? 1 : -1;
	if (*r->p != '<' && !read_name(r))
		return -1;
	skip_space(r);
	if (group && take(r, ':'))
		return read_group(r);
	return take(r, '<') && read_address(r) && take(r, '>') ? 1 : -1;
}

bool text_is_email(struct arena *arena, const char *text)
{
	struct reader r = {arena, text};
	return read_one(&r, true) == 1 && skip_comments(&r) && !*r.p;
}
