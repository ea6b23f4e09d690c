/* Words of an expression. */
#ifndef CEL_LEX_H
#define CEL_LEX_H

#include <stdbool.h>
#include "cel/source.h"

enum cel_token_kind {
	TOKEN_END,
	TOKEN_EQUAL,
	TOKEN_NOT_EQUAL,
	TOKEN_IN,
	TOKEN_LESS,
	TOKEN_LESS_EQUAL,
	TOKEN_GREATER_EQUAL,
	TOKEN_GREATER,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_LEFT_BRACKET,
	TOKEN_RIGHT_BRACKET,
	TOKEN_LEFT_BRACE,
	TOKEN_RIGHT_BRACE,
	TOKEN_LEFT_PAREN,
	TOKEN_RIGHT_PAREN,
	TOKEN_DOT,
	TOKEN_COMMA,
	TOKEN_MINUS,
	TOKEN_NOT,
	TOKEN_QUESTION,
	TOKEN_COLON,
	TOKEN_PLUS,
	TOKEN_STAR,
	TOKEN_SLASH,
	TOKEN_PERCENT,
	TOKEN_TRUE,
	TOKEN_FALSE,
	TOKEN_NULL,
	TOKEN_FLOAT,
	TOKEN_INT,
	TOKEN_UINT,
	TOKEN_STRING,
	TOKEN_BYTES,
	TOKEN_IDENT,
	TOKEN_QUOTED_IDENT,
	TOKEN_N_KINDS,
};

struct cel_token {
	enum cel_token_kind kind;
	int32_t at;
	const char *text;
	size_t size;
};

/* All tokens, ended by TOKEN_END. What is none becomes an issue of the source. */
struct cel_token *cel_lex(struct cel_source *source, size_t *ret_n);
/* As the token stands in messages: '<=', IDENTIFIER. */
const char *cel_token_name(enum cel_token_kind kind);

/* What a literal of a text or of bytes (without its b) says; NULL, and why, if it is malformed. */
char *cel_unquote(
	struct arena *arena, const char *text, size_t size, bool bytes, size_t *ret_size, const char **ret_problem);

#endif
