/*
 * The grammar of CEL by recursive descent, a function a rule. It bounds how deep rules and operators nest, as the
 * original does: 250.
 */
#include <errno.h>
#include <stdlib.h>
#include "cel/ast.h"
#include "base/str.h"

enum { MAX_DEPTH = 250, MAX_POINTS = 100000 };

struct parser {
	struct cel_source *source;
	struct arena *arena;
	const struct cel_token *token;
	unsigned flags;
	bool failed;   /* no expression: the grammar does not go on like this */
	bool too_deep; /* and this is why */
	bool rejected; /* an issue was told */
	int expr_depth, relation_depth, calc_depth;
};

static struct expr *parse_expr(struct parser *p);

struct expr *expr_new(struct arena *arena, enum expr_kind kind, int32_t at)
{
	struct expr *e = ARENA_NEW(arena, struct expr);
	e->kind = kind;
	e->at = at;
	return e;
}

struct expr *expr_call(
	struct arena *arena, int32_t at, const char *function, struct expr *target, struct expr **args, size_t n_args)
{
	struct expr *e = expr_new(arena, EXPR_CALL, at);
	e->call.function = function;
	e->call.target = target;
	e->call.args = args;
	e->call.n_args = n_args;
	return e;
}

struct expr *expr_call_of(struct arena *arena, int32_t at, const char *function, size_t n_args, ...)
{
	struct expr **args = ARENA_ARRAY(arena, struct expr *, n_args);
	va_list list;
	va_start(list, n_args);
	for (size_t i = 0; i < n_args; i++)
		args[i] = va_arg(list, struct expr *);
	va_end(list);
	return expr_call(arena, at, function, NULL, args, n_args);
}

static bool is(const struct parser *p, enum cel_token_kind kind)
{
	return p->token->kind == kind && !p->failed;
}

static const struct cel_token *next(struct parser *p)
{
	const struct cel_token *t = p->token;
	if (t->kind != TOKEN_END)
		p->token++;
	return t;
}

static bool accept(struct parser *p, enum cel_token_kind kind)
{
	if (!is(p, kind))
		return false;
	p->token++;
	return true;
}

static const struct cel_token *expect(struct parser *p, enum cel_token_kind kind)
{
	if (p->token->kind != kind)
		p->failed = true;
	return next(p);
}

static char *text_of(struct parser *p, const struct cel_token *token)
{
	return arena_strndup(p->arena, token->text, token->size);
}

static struct expr *reject(struct parser *p, int32_t at, const char *message)
{
	cel_issue(p->source, at, "%s", message);
	p->rejected = true;
	return expr_new(p->arena, EXPR_NONE, at);
}

/* One level above its parts; too many are an issue. */
static struct expr *above(struct parser *p, struct expr *e, const struct expr *a, const struct expr *b)
{
	uint16_t depth = a ? a->depth : 0;
	if (b && b->depth > depth)
		depth = b->depth;
	e->depth = (uint16_t)(depth + 1);
	if (e->depth > MAX_DEPTH && !p->failed) {
		cel_issue(p->source, CEL_NOWHERE, "max recursion depth exceeded");
		p->rejected = p->failed = p->too_deep = true;
	}
	return e;
}

/* Whether to go on a level deeper. After a failure nobody does: each level that tried its parts once more would double
 * the work. */
static bool enter(struct parser *p, int *depth)
{
	if (p->failed)
		return false;
	if (++*depth <= MAX_DEPTH)
		return true;
	cel_issue(p->source, CEL_NOWHERE, "expression recursion limit exceeded: %d", MAX_DEPTH);
	p->rejected = p->failed = p->too_deep = true;
	return false;
}

/* A call or what the macro of its name makes of it. */
static struct expr *finish_call(struct parser *p, struct expr *call)
{
	bool failed = false;
	struct expr *e = cel_expand(p->source, p->flags, call, &failed);
	p->rejected |= failed;
	if (!e)
		return call;
	e->depth = call->depth;
	return e;
}

static uint16_t deepest(struct expr *const *args, size_t n)
{
	uint16_t depth = 0;
	for (size_t i = 0; i < n; i++)
		if (args[i]->depth > depth)
			depth = args[i]->depth;
	return depth;
}

/* Lists of parts, up to and with the token that ends them */

static struct expr **parse_args(struct parser *p, size_t *ret_n)
{
	struct expr **args = NULL;
	size_t n = 0;
	if (!is(p, TOKEN_RIGHT_PAREN))
		do {
			struct expr *e = parse_expr(p);
			ARENA_PUSH(p->arena, args, n) = e;
		} while (accept(p, TOKEN_COMMA));
	expect(p, TOKEN_RIGHT_PAREN);
	*ret_n = n;
	return args;
}

static struct expr *parse_list(struct parser *p)
{
	struct expr *e = expr_new(p->arena, EXPR_LIST, next(p)->at);
	size_t n_optional = 0;
	while (!is(p, TOKEN_RIGHT_BRACKET) && !is(p, TOKEN_COMMA)) {
		bool optional = accept(p, TOKEN_QUESTION);
		struct expr *item = parse_expr(p);
		ARENA_PUSH(p->arena, e->list.items, e->list.n_items) = item;
		ARENA_PUSH(p->arena, e->list.optional, n_optional) = optional;
		if (p->failed || !is(p, TOKEN_COMMA) || p->token[1].kind == TOKEN_RIGHT_BRACKET)
			break;
		next(p);
	}
	accept(p, TOKEN_COMMA);
	expect(p, TOKEN_RIGHT_BRACKET);
	e->depth = deepest(e->list.items, e->list.n_items);
	return e;
}

static const char *parse_escape_ident(struct parser *p)
{
	const struct cel_token *t = p->token;
	if (!is(p, TOKEN_QUOTED_IDENT))
		return text_of(p, expect(p, TOKEN_IDENT));
	next(p);
	reject(p, t->at, "unsupported syntax: '`'");
	return arena_strndup(p->arena, t->text + 1, t->size - 2);
}

/* The entries of a map or an object, from the brace on. */
static void parse_entries(struct parser *p, struct expr *e)
{
	bool object = e->kind == EXPR_OBJECT;
	while (!is(p, TOKEN_RIGHT_BRACE) && !is(p, TOKEN_COMMA)) {
		struct entry entry = {.optional = accept(p, TOKEN_QUESTION)};
		if (object)
			entry.field = parse_escape_ident(p);
		else
			entry.key = parse_expr(p);
		entry.at = expect(p, TOKEN_COLON)->at;
		entry.value = parse_expr(p);
		ARENA_PUSH(p->arena, e->map.entries, e->map.n_entries) = entry;
		if (entry.key && entry.key->depth > e->depth)
			e->depth = entry.key->depth;
		if (entry.value->depth > e->depth)
			e->depth = entry.value->depth;
		if (p->failed || !is(p, TOKEN_COMMA) || p->token[1].kind == TOKEN_RIGHT_BRACE)
			break;
		next(p);
	}
	accept(p, TOKEN_COMMA);
	expect(p, TOKEN_RIGHT_BRACE);
}

/* Literals */

static struct expr *literal(struct parser *p, int32_t at, struct cel_value value)
{
	struct expr *e = expr_new(p->arena, EXPR_LITERAL, at);
	e->literal = value;
	return e;
}

static struct expr *parse_number(struct parser *p, int32_t at, bool negative)
{
	const struct cel_token *t = next(p);
	char *text = arena_printf(p->arena, "%s%.*s", negative ? "-" : "", (int)t->size, t->text);
	char *digits = text + negative;
	int base = digits[0] == '0' && digits[1] == 'x' ? 16 : 10;
	struct cel_value v = {0};
	errno = 0;
	if (t->kind == TOKEN_FLOAT) {
		v.kind = CEL_DOUBLE;
		v.number = strtod(text, NULL);
		/* What is too small is zero, what is too large is none. */
		if (errno == ERANGE && (v.number > 1 || v.number < -1))
			return reject(p, at, "invalid double literal");
	} else if (t->kind == TOKEN_UINT) {
		v.kind = CEL_UINT;
		v.natural = strtoull(digits, NULL, base);
		if (errno)
			return reject(p, at, "invalid uint literal");
	} else {
		v.kind = CEL_INT;
		v.integer = strtoll(text, NULL, base);
		if (errno)
			return reject(p, at, "invalid int literal");
	}
	return literal(p, at, v);
}

static struct expr *parse_text(struct parser *p)
{
	const struct cel_token *t = next(p);
	bool bytes = t->kind == TOKEN_BYTES;
	const char *problem = NULL;
	struct cel_value v = {.kind = bytes ? CEL_BYTES : CEL_STRING};
	v.text.data = cel_unquote(p->arena, t->text + bytes, t->size - bytes, bytes, &v.text.size, &problem);
	return v.text.data ? literal(p, t->at, v) : reject(p, t->at, problem);
}

static struct expr *parse_literal(struct parser *p)
{
	const struct cel_token *t = p->token;
	switch (t->kind) {
	case TOKEN_INT:
	case TOKEN_UINT:
	case TOKEN_FLOAT:
		return parse_number(p, t->at, false);
	case TOKEN_STRING:
	case TOKEN_BYTES:
		return parse_text(p);
	case TOKEN_TRUE:
	case TOKEN_FALSE:
		next(p);
		return literal(p, t->at, (struct cel_value){.kind = CEL_BOOL, .boolean = t->kind == TOKEN_TRUE});
	case TOKEN_NULL:
		next(p);
		return literal(p, t->at, (struct cel_value){.kind = CEL_NULL});
	default:
		p->failed = true;
		return expr_new(p->arena, EXPR_NONE, t->at);
	}
}

/* Names: of variables, functions and types of objects */

static bool is_reserved(const char *name)
{
	static const char *const words[] = {"as", "break", "const", "continue", "else", "for", "function", "if",
		"import", "let", "loop", "package", "namespace", "return", "var", "void", "while", NULL};
	return str_in(name, words);
}

/* Whether names and dots are followed by a brace: then they name a type. */
static bool at_object(const struct parser *p)
{
	const struct cel_token *t = p->token;
	t += t->kind == TOKEN_DOT;
	for (; t->kind == TOKEN_IDENT && t[1].kind == TOKEN_DOT; t += 2)
		;
	return t->kind == TOKEN_IDENT && t[1].kind == TOKEN_LEFT_BRACE;
}

static struct expr *parse_object(struct parser *p)
{
	CLEANUP(strbuf_done) struct strbuf name = STRBUF_INIT;
	while (!is(p, TOKEN_LEFT_BRACE)) {
		const struct cel_token *t = next(p);
		strbuf_add(&name, t->text, t->size);
	}
	struct expr *e = expr_new(p->arena, EXPR_OBJECT, next(p)->at);
	e->map.name = arena_strdup(p->arena, name.buf);
	parse_entries(p, e);
	return e;
}

static struct expr *parse_name(struct parser *p)
{
	const struct cel_token *first = p->token;
	if (at_object(p))
		return parse_object(p);
	bool dot = accept(p, TOKEN_DOT);
	const struct cel_token *id = expect(p, TOKEN_IDENT), *open = p->token;
	char *name = arena_printf(p->arena, "%s%.*s", dot ? "." : "", (int)id->size, id->text);
	bool call = accept(p, TOKEN_LEFT_PAREN);
	size_t n = 0;
	struct expr **args = call ? parse_args(p, &n) : NULL;
	if (p->failed || is_reserved(name + dot))
		return p->failed ? expr_new(p->arena, EXPR_NONE, first->at)
				 : reject(p, first->at, arena_printf(p->arena, "reserved identifier: %s", name + dot));
	if (!call) {
		struct expr *e = expr_new(p->arena, EXPR_IDENT, id->at);
		e->ident = name;
		return e;
	}
	struct expr *e = expr_call(p->arena, open->at, name, NULL, args, n);
	e->depth = deepest(args, n);
	return finish_call(p, e);
}

static struct expr *parse_primary(struct parser *p)
{
	struct expr *e;
	switch (p->token->kind) {
	case TOKEN_DOT:
	case TOKEN_IDENT:
		return parse_name(p);
	case TOKEN_LEFT_PAREN:
		next(p);
		e = parse_expr(p);
		expect(p, TOKEN_RIGHT_PAREN);
		return e;
	case TOKEN_LEFT_BRACKET:
		return parse_list(p);
	case TOKEN_LEFT_BRACE:
		e = expr_new(p->arena, EXPR_MAP, next(p)->at);
		parse_entries(p, e);
		return e;
	default:
		return parse_literal(p);
	}
}

/* Selections, member calls and indexes */

static struct expr *parse_select(struct parser *p, struct expr *operand)
{
	const struct cel_token *dot = next(p);
	bool optional = accept(p, TOKEN_QUESTION);
	const struct cel_token *id = p->token;
	const char *name = parse_escape_ident(p);
	const struct cel_token *open = p->token;
	struct expr *e;
	if (!optional && id->kind == TOKEN_IDENT && accept(p, TOKEN_LEFT_PAREN)) {
		size_t n;
		struct expr **args = parse_args(p, &n);
		if (p->failed)
			return operand;
		e = expr_call(p->arena, open->at, name, operand, args, n);
		e->depth = deepest(args, n);
		return finish_call(p, above(p, e, operand, e));
	}
	if (optional) {
		struct cel_value field = {.kind = CEL_STRING, .text = {name, strlen(name)}};
		e = expr_call_of(p->arena, dot->at, "_?._", 2, operand, literal(p, id->at, field));
	} else {
		e = expr_new(p->arena, EXPR_SELECT, dot->at);
		e->select.operand = operand;
		e->select.field = name;
	}
	return above(p, e, operand, NULL);
}

static struct expr *parse_index(struct parser *p, struct expr *operand)
{
	const struct cel_token *open = next(p);
	bool optional = accept(p, TOKEN_QUESTION);
	struct expr *index = parse_expr(p);
	expect(p, TOKEN_RIGHT_BRACKET);
	struct expr *e = expr_call_of(p->arena, open->at, optional ? "_[?_]" : "_[_]", 2, operand, index);
	return above(p, e, operand, index);
}

static struct expr *parse_member(struct parser *p)
{
	struct expr *e = parse_primary(p);
	while (is(p, TOKEN_DOT) || is(p, TOKEN_LEFT_BRACKET))
		e = is(p, TOKEN_DOT) ? parse_select(p, e) : parse_index(p, e);
	return e;
}

/* Operators */

static struct expr *parse_unary(struct parser *p)
{
	const struct cel_token *first = p->token;
	if (first->kind != TOKEN_NOT && first->kind != TOKEN_MINUS)
		return parse_member(p);
	if (first->kind == TOKEN_MINUS &&
		(first[1].kind == TOKEN_INT || first[1].kind == TOKEN_FLOAT)) { /* The sign belongs to the number. */
		next(p);
		struct expr *e = parse_number(p, first->at, true);
		while (is(p, TOKEN_DOT) || is(p, TOKEN_LEFT_BRACKET))
			e = is(p, TOKEN_DOT) ? parse_select(p, e) : parse_index(p, e);
		return e;
	}
	size_t n = 0;
	for (; accept(p, first->kind); n++)
		;
	struct expr *e = parse_member(p);
	if (n % 2 == 0)
		return e;
	uint16_t depth = e->depth;
	e = expr_call_of(p->arena, first->at, first->kind == TOKEN_NOT ? "!_" : "-_", 1, e);
	e->depth = depth;
	return e;
}

/* Operators between two parts, and how tight they hold. */
static const struct binary {
	enum cel_token_kind kind;
	int level;
	const char *function;
} binaries[] = {
	{TOKEN_LESS, 0, "_<_"},
	{TOKEN_LESS_EQUAL, 0, "_<=_"},
	{TOKEN_GREATER_EQUAL, 0, "_>=_"},
	{TOKEN_GREATER, 0, "_>_"},
	{TOKEN_EQUAL, 0, "_==_"},
	{TOKEN_NOT_EQUAL, 0, "_!=_"},
	{TOKEN_IN, 0, "@in"},
	{TOKEN_PLUS, 1, "_+_"},
	{TOKEN_MINUS, 1, "_-_"},
	{TOKEN_STAR, 2, "_*_"},
	{TOKEN_SLASH, 2, "_/_"},
	{TOKEN_PERCENT, 2, "_%_"},
};

static const struct binary *binary_of(const struct parser *p, int min, int max)
{
	for (size_t i = 0; i < ARRAY_SIZE(binaries); i++)
		if (is(p, binaries[i].kind) && binaries[i].level >= min && binaries[i].level <= max)
			return &binaries[i];
	return NULL;
}

static struct expr *join(struct parser *p, const struct binary *op, int32_t at, struct expr *left, struct expr *right)
{
	struct expr *e = expr_call_of(p->arena, at, op->function, 2, left, right);
	return above(p, e, left, right);
}

static struct expr *parse_calc(struct parser *p, int min)
{
	if (!enter(p, &p->calc_depth))
		return expr_new(p->arena, EXPR_NONE, CEL_NOWHERE);
	struct expr *e = parse_unary(p);
	for (const struct binary *op; (op = binary_of(p, min, 2));) {
		int32_t at = next(p)->at;
		struct expr *right = parse_calc(p, op->level + 1);
		e = join(p, op, at, e, right);
	}
	p->calc_depth--;
	return e;
}

/* A relation, or the right side of one. */
static struct expr *parse_side(struct parser *p, bool right_side)
{
	if (!enter(p, &p->relation_depth))
		return expr_new(p->arena, EXPR_NONE, CEL_NOWHERE);
	struct expr *e = parse_calc(p, 1);
	for (const struct binary *op; !right_side && (op = binary_of(p, 0, 0));) {
		int32_t at = next(p)->at;
		struct expr *right = parse_side(p, true);
		e = join(p, op, at, e, right);
	}
	p->relation_depth--;
	return e;
}

static struct expr *parse_relation(struct parser *p)
{
	return parse_side(p, false);
}

/* Terms of one logical operator. */
struct terms {
	struct expr **terms;
	int32_t *ops;
	const char *function;
};

/* A long chain becomes a shallow tree, as in the original. */
static struct expr *balance(struct parser *p, const struct terms *t, size_t low, size_t high)
{
	size_t middle = (low + high + 1) / 2;
	struct expr *left = middle == low ? t->terms[middle] : balance(p, t, low, middle - 1);
	struct expr *right = middle == high ? t->terms[middle + 1] : balance(p, t, middle + 1, high);
	struct expr *e = expr_call_of(p->arena, t->ops[middle], t->function, 2, left, right);
	e->depth = left->depth > right->depth ? left->depth : right->depth;
	return e;
}

static struct expr *parse_chain(
	struct parser *p, enum cel_token_kind op, const char *function, struct expr *(*term)(struct parser *p))
{
	struct terms t = {.function = function};
	size_t n = 0, n_ops = 0;
	struct expr *e = term(p);
	ARENA_PUSH(p->arena, t.terms, n) = e;
	while (is(p, op)) {
		ARENA_PUSH(p->arena, t.ops, n_ops) = next(p)->at;
		e = term(p);
		ARENA_PUSH(p->arena, t.terms, n) = e;
	}
	return n_ops ? balance(p, &t, 0, n_ops - 1) : e;
}

static struct expr *parse_and(struct parser *p)
{
	return parse_chain(p, TOKEN_AND, "_&&_", parse_relation);
}

static struct expr *parse_or(struct parser *p)
{
	return parse_chain(p, TOKEN_OR, "_||_", parse_and);
}

static struct expr *parse_expr(struct parser *p)
{
	if (!enter(p, &p->expr_depth))
		return expr_new(p->arena, EXPR_NONE, CEL_NOWHERE);
	struct expr *e = parse_or(p);
	if (is(p, TOKEN_QUESTION)) {
		int32_t at = next(p)->at;
		struct expr *yes = parse_or(p);
		expect(p, TOKEN_COLON);
		struct expr *no = parse_expr(p), *condition = e;
		e = expr_call_of(p->arena, at, "_?_:_", 3, condition, yes, no);
		e->depth = condition->depth;
		above(p, e, yes->depth > e->depth ? yes : e, no);
	}
	p->expr_depth--;
	return e;
}

struct expr *cel_parse(struct cel_source *source, unsigned flags)
{
	struct parser p = {.source = source, .arena = source->arena, .flags = flags};
	size_t n;
	if (source->n_points > MAX_POINTS) {
		cel_issue(source, CEL_NOWHERE, "expression code point size exceeds limit: size: %d, limit %d",
			(int)source->n_points, MAX_POINTS);
		return NULL;
	}
	const struct cel_token *tokens = cel_lex(source, &n);
	p.token = tokens;
	bool lexed = !source->n_issues;
	struct expr *e = parse_expr(&p);
	expect(&p, TOKEN_END);
	if (p.too_deep || (lexed && !p.failed))
		return p.rejected ? NULL : e;
	if (p.failed)
		cel_explain_syntax(source, tokens, n);
	return NULL;
}
