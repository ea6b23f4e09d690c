#include <ctype.h>
#include "cel/lex.h"
#include "base/str.h"

static const struct {
	const char *text; /* NULL: not always the same */
	const char *name;
} kinds[TOKEN_N_KINDS] = {
	[TOKEN_END] = {NULL, "<EOF>"},
	[TOKEN_EQUAL] = {"==", "'=='"},
	[TOKEN_NOT_EQUAL] = {"!=", "'!='"},
	[TOKEN_IN] = {NULL, "'in'"},
	[TOKEN_LESS] = {"<", "'<'"},
	[TOKEN_LESS_EQUAL] = {"<=", "'<='"},
	[TOKEN_GREATER_EQUAL] = {">=", "'>='"},
	[TOKEN_GREATER] = {">", "'>'"},
	[TOKEN_AND] = {"&&", "'&&'"},
	[TOKEN_OR] = {"||", "'||'"},
	[TOKEN_LEFT_BRACKET] = {"[", "'['"},
	[TOKEN_RIGHT_BRACKET] = {"]", "']'"},
	[TOKEN_LEFT_BRACE] = {"{", "'{'"},
	[TOKEN_RIGHT_BRACE] = {"}", "'}'"},
	[TOKEN_LEFT_PAREN] = {"(", "'('"},
	[TOKEN_RIGHT_PAREN] = {")", "')'"},
	[TOKEN_DOT] = {".", "'.'"},
	[TOKEN_COMMA] = {",", "','"},
	[TOKEN_MINUS] = {"-", "'-'"},
	[TOKEN_NOT] = {"!", "'!'"},
	[TOKEN_QUESTION] = {"?", "'?'"},
	[TOKEN_COLON] = {":", "':'"},
	[TOKEN_PLUS] = {"+", "'+'"},
	[TOKEN_STAR] = {"*", "'*'"},
	[TOKEN_SLASH] = {"/", "'/'"},
	[TOKEN_PERCENT] = {"%", "'%'"},
	[TOKEN_TRUE] = {NULL, "'true'"},
	[TOKEN_FALSE] = {NULL, "'false'"},
	[TOKEN_NULL] = {NULL, "'null'"},
	[TOKEN_FLOAT] = {NULL, "NUM_FLOAT"},
	[TOKEN_INT] = {NULL, "NUM_INT"},
	[TOKEN_UINT] = {NULL, "NUM_UINT"},
	[TOKEN_STRING] = {NULL, "STRING"},
	[TOKEN_BYTES] = {NULL, "BYTES"},
	[TOKEN_IDENT] = {NULL, "IDENTIFIER"},
	[TOKEN_QUOTED_IDENT] = {NULL, "ESC_IDENTIFIER"},
};

const char *cel_token_name(enum cel_token_kind kind)
{
	return kinds[kind].name;
}

static bool is_word(char c)
{
	return c == '_' || isalnum((unsigned char)c);
}

static size_t word_size(const char *p, const char *end)
{
	size_t n = 0;
	while (p + n < end && is_word(p[n]))
		n++;
	return n;
}

static size_t digits(const char *p, const char *end, bool hex)
{
	size_t n = 0;
	while (p + n < end && (hex ? isxdigit((unsigned char)p[n]) : isdigit((unsigned char)p[n])))
		n++;
	return n;
}

/* The exponent of a number, 0 if there is none. */
static size_t exponent_size(const char *p, const char *end)
{
	if (p >= end || (*p != 'e' && *p != 'E'))
		return 0;
	size_t sign = p + 1 < end && (p[1] == '+' || p[1] == '-'), n = digits(p + 1 + sign, end, false);
	return n ? 1 + sign + n : 0;
}

static size_t number_size(const char *p, const char *end, enum cel_token_kind *ret_kind)
{
	size_t hex = end - p > 2 && p[0] == '0' && p[1] == 'x' ? digits(p + 2, end, true) : 0;
	size_t n = hex ? 2 + hex : digits(p, end, false), fraction = 0;
	*ret_kind = TOKEN_INT;
	if (!hex && p + n + 1 < end && p[n] == '.')
		fraction = digits(p + n + 1, end, false);
	if (fraction)
		n += 1 + fraction;
	size_t exponent = hex ? 0 : exponent_size(p + n, end);
	if (fraction || exponent) {
		*ret_kind = TOKEN_FLOAT;
		return n + exponent;
	}
	if (p + n < end && (p[n] == 'u' || p[n] == 'U')) {
		*ret_kind = TOKEN_UINT;
		n++;
	}
	return n;
}

/* The size of an escape at p (a backslash), 0 if it is none; *ret_good: how much of it was as it has to be. */
static size_t escape_size(const char *p, const char *end, size_t *ret_good)
{
	char c = p + 1 < end ? p[1] : 0;
	size_t n_digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
	*ret_good = 1;
	if (c && strchr("abfnrtv\"'\\?`", c))
		return 2;
	if (c >= '0' && c <= '3') {
		*ret_good = 2;
		while (*ret_good < 4 && p + *ret_good < end && p[*ret_good] >= '0' && p[*ret_good] <= '7')
			++*ret_good;
		return *ret_good == 4 ? 4 : 0;
	}
	if (!n_digits)
		return 0;
	*ret_good = 2;
	while (*ret_good < 2 + n_digits && p + *ret_good < end && isxdigit((unsigned char)p[*ret_good]))
		++*ret_good;
	return *ret_good == 2 + n_digits ? *ret_good : 0;
}

/*
 * The size of a quoted text at p, which begins with a quote or an r and a quote; 0 if it does not end, and then
 * *ret_good is how far it could have been one.
 */
static size_t string_size(const char *p, const char *end, size_t *ret_good)
{
	const char *s = p;
	bool raw = *s == 'r' || *s == 'R';
	s += raw;
	char quote = *s;
	bool triple = end - s >= 3 && s[1] == quote && s[2] == quote;
	size_t n_quotes = triple ? 3 : 1, good;
	for (s += n_quotes; s < end;) {
		if (*s == quote && (!triple || (end - s >= 3 && s[1] == quote && s[2] == quote)))
			return (size_t)(s - p) + n_quotes;
		if (!triple && (*s == '\n' || *s == '\r'))
			break;
		if (*s != '\\' || raw) {
			s += cel_point_size(s, end);
			continue;
		}
		size_t n = escape_size(s, end, &good);
		if (!n) {
			s += good;
			break;
		}
		s += n;
	}
	/* An empty text is one, whatever follows. */
	if (triple) {
		*ret_good = (size_t)(s - p);
		return 2 + (size_t)raw;
	}
	*ret_good = (size_t)(s - p);
	return 0;
}

static size_t quoted_ident_size(const char *p, const char *end, size_t *ret_good)
{
	size_t n = 1;
	while (p + n < end && (is_word(p[n]) || strchr(".-/ ", p[n])))
		n++;
	*ret_good = n;
	return n > 1 && p + n < end && p[n] == '`' ? n + 1 : 0;
}

static size_t symbol_size(const char *p, const char *end, enum cel_token_kind *ret_kind)
{
	size_t size = 0;
	for (enum cel_token_kind k = 0; k < TOKEN_N_KINDS; k++) {
		size_t n = kinds[k].text ? strlen(kinds[k].text) : 0;
		if (n > size && (size_t)(end - p) >= n && !memcmp(p, kinds[k].text, n)) {
			size = n;
			*ret_kind = k;
		}
	}
	return size;
}

static enum cel_token_kind word_kind(const char *p, size_t size)
{
	static const enum cel_token_kind words[] = {TOKEN_IN, TOKEN_TRUE, TOKEN_FALSE, TOKEN_NULL};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *name = kinds[words[i]].name;
		if (size == strlen(name) - 2 && !memcmp(p, name + 1, size))
			return words[i];
	}
	return TOKEN_IDENT;
}

/* The token at p; 0 if there is none, and then *ret_good is how far there could have been one. */
static size_t token_size(const char *p, const char *end, enum cel_token_kind *ret_kind, size_t *ret_good)
{
	bool quote = *p == '"' || *p == '\'';
	size_t prefix = 0;
	*ret_good = 0;
	if ((*p == 'b' || *p == 'B') && p + 1 < end)
		prefix = 1;
	const char *q = p + prefix;
	bool raw = (*q == 'r' || *q == 'R') && q + 1 < end && (q[1] == '"' || q[1] == '\'');
	if (raw || *q == '"' || *q == '\'') {
		size_t n = string_size(q, end, ret_good);
		*ret_kind = prefix ? TOKEN_BYTES : TOKEN_STRING;
		*ret_good += prefix;
		if (n)
			return n + prefix;
		/* The letters before the quote are a word of their own. */
		if (!quote) {
			*ret_kind = TOKEN_IDENT;
			return (size_t)(q - p) + raw;
		}
		return 0;
	}
	if (isdigit((unsigned char)*p) || (*p == '.' && p + 1 < end && isdigit((unsigned char)p[1])))
		return number_size(p, end, ret_kind);
	if (is_word(*p)) {
		size_t n = word_size(p, end);
		*ret_kind = word_kind(p, n);
		return n;
	}
	if (*p == '`') {
		*ret_kind = TOKEN_QUOTED_IDENT;
		return quoted_ident_size(p, end, ret_good);
	}
	*ret_good = *p == '&' || *p == '|' || *p == '=';
	return symbol_size(p, end, ret_kind);
}

static const char *skip_blank(const char *p, const char *end)
{
	for (;;) {
		while (p < end && strchr("\t \r\n\f", *p) && *p)
			p++;
		if (end - p < 2 || p[0] != '/' || p[1] != '/')
			return p;
		while (p < end && *p != '\n')
			p++;
	}
}

static const char *escape_blank(struct arena *arena, const char *text, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < size; i++)
		if (text[i] == '\n' || text[i] == '\t' || text[i] == '\r')
			strbuf_adds(&out, text[i] == '\n' ? "\\n" : text[i] == '\t' ? "\\t" : "\\r");
		else
			strbuf_addc(&out, text[i]);
	return arena_strdup(arena, out.buf);
}

struct cel_token *cel_lex(struct cel_source *source, size_t *ret_n)
{
	struct cel_token *tokens = NULL;
	const char *p = source->text, *end = p + source->size;
	int32_t at = 0;
	size_t n = 0;
	for (;;) {
		const char *begin = skip_blank(p, end);
		at += (int32_t)cel_points(p, (size_t)(begin - p));
		p = begin;
		if (p >= end)
			break;
		enum cel_token_kind kind = TOKEN_END;
		size_t good, size = token_size(p, end, &kind, &good);
		if (size) {
			ARENA_PUSH(source->arena, tokens, n) = (struct cel_token){kind, at, p, size};
		} else {
			/* The letter that broke it goes with it. */
			size = good + (p + good < end ? cel_point_size(p + good, end) : 0);
			cel_issue(source, at, "Syntax error: token recognition error at: '%s'",
				escape_blank(source->arena, p, size));
		}
		at += (int32_t)cel_points(p, size);
		p += size;
	}
	ARENA_PUSH(source->arena, tokens, n) = (struct cel_token){TOKEN_END, at, end, 0};
	*ret_n = n;
	return tokens;
}
