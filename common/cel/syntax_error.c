/*
 * What is wrong with tokens that are no expression, in the words of the original, whose parser ANTLR makes out of a
 * grammar. Each rule of it is a function here that does what ANTLR's does where a token does not fit: one too many is
 * dropped, one that is missing is supplied, and else the rule ends and tokens are skipped up to one that may follow it.
 * Nothing is built: this runs only when it is known that there is an error.
 */
#include <ctype.h>
#include "cel/ast.h"
#include "base/str.h"

#define BIT(kind) (UINT64_C(1) << (kind))
#define LITERALS                                                                                                       \
	(BIT(TOKEN_MINUS) | BIT(TOKEN_TRUE) | BIT(TOKEN_FALSE) | BIT(TOKEN_NULL) | BIT(TOKEN_FLOAT) | BIT(TOKEN_INT) | \
		BIT(TOKEN_UINT) | BIT(TOKEN_STRING) | BIT(TOKEN_BYTES))
#define MEMBERS                                                                                                \
	(LITERALS | BIT(TOKEN_LEFT_BRACKET) | BIT(TOKEN_LEFT_BRACE) | BIT(TOKEN_LEFT_PAREN) | BIT(TOKEN_DOT) | \
		BIT(TOKEN_IDENT))
#define EXPRS (MEMBERS | BIT(TOKEN_NOT))
#define IDENTS (BIT(TOKEN_IDENT) | BIT(TOKEN_QUOTED_IDENT))
#define RELATIONS                                                                                            \
	(BIT(TOKEN_EQUAL) | BIT(TOKEN_NOT_EQUAL) | BIT(TOKEN_IN) | BIT(TOKEN_LESS) | BIT(TOKEN_LESS_EQUAL) | \
		BIT(TOKEN_GREATER_EQUAL) | BIT(TOKEN_GREATER))
#define PRODUCTS (BIT(TOKEN_STAR) | BIT(TOKEN_SLASH) | BIT(TOKEN_PERCENT))
#define SUMS (BIT(TOKEN_PLUS) | BIT(TOKEN_MINUS))

enum { MAX_ATTEMPTS = 30, MAX_SKIPPED = 256, MAX_STATES = 64 };

/* Tokens that may come next; ends: or the rule is over, and what follows it comes. */
struct next {
	uint64_t tokens;
	bool ends;
};

/* A rule that is at work, and what may follow it where it was called. */
struct context {
	const struct context *outer;
	struct next follow;
};

struct machine {
	struct cel_source *source;
	const struct cel_token *tokens;
	size_t n, at;
	const struct context *context;
	struct next here; /* what may come at the present place */
	int place;
	bool stopped;
	bool recovering; /* since an error no token fitted: no other is told */
	bool failed;	 /* the rule cannot go on */
	bool no_way;	 /* because no alternative fits, from first to last; else because one token does not */
	size_t first, last;
	size_t error_at; /* where the last error was, and in which places since */
	int places[MAX_STATES];
	size_t n_places;
	int n_attempts;
};

#define HERE __LINE__

static enum cel_token_kind la(const struct machine *m, size_t k)
{
	size_t i = m->at + k - 1;
	return i < m->n ? m->tokens[i].kind : TOKEN_END;
}

static bool next_is(const struct machine *m, uint64_t tokens)
{
	return tokens & BIT(la(m, 1));
}

static void consume(struct machine *m)
{
	if (m->at + 1 < m->n)
		m->at++;
}

static uint64_t resolve(struct next next, const struct context *context)
{
	uint64_t tokens = next.tokens;
	for (; next.ends && context; context = context->outer) {
		next = context->follow;
		tokens |= next.tokens;
	}
	return next.ends ? tokens | BIT(TOKEN_END) : tokens;
}

static uint64_t expected(const struct machine *m)
{
	return resolve(m->here, m->context);
}

static uint64_t recovery_set(const struct machine *m)
{
	uint64_t tokens = 0;
	for (const struct context *c = m->context; c; c = c->outer)
		tokens |= c->follow.tokens;
	return tokens;
}

/* Messages */

static const char *names(struct machine *m, uint64_t tokens)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	size_t n = 0;
	for (enum cel_token_kind k = 0; k < TOKEN_N_KINDS; k++)
		if (tokens & BIT(k))
			strbuf_printf(&out, "%s%s", n++ ? ", " : "", cel_token_name(k));
	return arena_printf(m->source->arena, n == 1 ? "%s" : "{%s}", out.buf);
}

static const char *shown(struct machine *m, const char *text, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < size; i++)
		if (text[i] == '\n' || text[i] == '\t' || text[i] == '\r')
			strbuf_adds(&out, text[i] == '\n' ? "\\n" : text[i] == '\t' ? "\\t" : "\\r");
		else
			strbuf_addc(&out, text[i]);
	return arena_strdup(m->source->arena, out.buf);
}

static const char *present(struct machine *m)
{
	const struct cel_token *t = &m->tokens[m->at];
	return t->kind == TOKEN_END ? "<EOF>" : shown(m, t->text, t->size);
}

static int32_t place_of(const struct machine *m, size_t index)
{
	return m->tokens[index < m->n ? index : m->n - 1].at;
}

static void begin_error(struct machine *m)
{
	m->recovering = true;
}

static void matched(struct machine *m)
{
	m->recovering = false;
	m->n_places = 0;
	m->error_at = SIZE_MAX;
}

static void report_unwanted(struct machine *m)
{
	if (m->recovering)
		return;
	begin_error(m);
	cel_issue(m->source, place_of(m, m->at), "Syntax error: extraneous input '%s' expecting %s", present(m),
		names(m, expected(m)));
}

static void report_missing(struct machine *m)
{
	if (m->recovering)
		return;
	begin_error(m);
	cel_issue(m->source, place_of(m, m->at), "Syntax error: missing %s at '%s'", names(m, expected(m)), present(m));
}

/* The text of tokens, with the blanks between them but without what is no token. */
static const char *text_between(struct machine *m, const struct cel_token *first, const struct cel_token *last)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (const struct cel_token *t = first; t <= last; t++) {
		for (const char *gap = t > first ? t[-1].text + t[-1].size : t->text; gap < t->text; gap++)
			if (isspace((unsigned char)*gap))
				strbuf_addc(&out, *gap);
		strbuf_add(&out, t->text, t->size);
	}
	return shown(m, out.buf, out.len);
}

static void report_no_way(struct machine *m)
{
	const struct cel_token *first = &m->tokens[m->first];
	const struct cel_token *last = &m->tokens[m->last < m->n ? m->last : m->n - 1];
	const char *text = first->kind == TOKEN_END ? "<EOF>" : text_between(m, first, last);
	bool word = last->kind == TOKEN_TRUE || last->kind == TOKEN_FALSE || last->kind == TOKEN_NULL;
	/* A word after a dot could have been a name. */
	if (word && strlen(text) == last->size + 1)
		cel_issue(m->source, last->at, "Syntax error: mismatched input '%s' expecting IDENTIFIER", text + 1);
	else
		cel_issue(m->source, last->at, "Syntax error: no viable alternative at input '%s'", text);
}

static void report(struct machine *m)
{
	if (m->recovering)
		return;
	begin_error(m);
	if (m->no_way)
		report_no_way(m);
	else
		cel_issue(m->source, place_of(m, m->at), "Syntax error: mismatched input '%s' expecting %s", present(m),
			names(m, expected(m)));
}

/* Recovery */

static bool attempt(struct machine *m)
{
	if (m->n_attempts++ < MAX_ATTEMPTS)
		return true;
	cel_issue(
		m->source, place_of(m, m->at), "Syntax error: error recovery attempt limit exceeded: %d", MAX_ATTEMPTS);
	m->stopped = true;
	return false;
}

static void skip_to(struct machine *m, uint64_t tokens)
{
	for (int n = 0; la(m, 1) != TOKEN_END && !next_is(m, tokens); n++) {
		if (n >= MAX_SKIPPED) {
			cel_issue(m->source, CEL_NOWHERE, "error recovery token lookahead limit exceeded: %d",
				MAX_SKIPPED);
			m->stopped = true;
			return;
		}
		consume(m);
	}
}

static void recover(struct machine *m)
{
	bool again = false;
	if (!attempt(m))
		return;
	for (size_t i = 0; i < m->n_places; i++)
		again |= m->places[i] == m->place;
	if (m->error_at == m->at && again)
		consume(m);
	m->error_at = m->at;
	if (m->n_places < MAX_STATES)
		m->places[m->n_places++] = m->place;
	skip_to(m, recovery_set(m));
}

static bool fail(struct machine *m)
{
	m->failed = true;
	m->no_way = false;
	return false;
}

static bool fail_no_way(struct machine *m, size_t n_tokens)
{
	m->failed = m->no_way = true;
	m->first = m->at;
	m->last = m->at + n_tokens - 1;
	return false;
}

static bool drop_token(struct machine *m)
{
	if (!(expected(m) & BIT(la(m, 2))))
		return false;
	report_unwanted(m);
	consume(m);
	matched(m);
	return true;
}

/* Before a choice: a token that is none of the alternatives may be one too many. */
static bool choose(struct machine *m, int place, uint64_t tokens, bool ends)
{
	m->place = place;
	m->here = (struct next){tokens, ends};
	if (m->stopped)
		return false;
	if (m->recovering || ends || next_is(m, tokens) || drop_token(m))
		return true;
	return fail(m);
}

/* Before one more turn of what has to come at least once. */
static bool choose_again(struct machine *m, int place, uint64_t tokens)
{
	m->place = place;
	m->here = (struct next){tokens, false};
	if (m->stopped)
		return false;
	if (!m->recovering && !next_is(m, tokens)) {
		report_unwanted(m);
		skip_to(m, expected(m) | recovery_set(m));
	}
	return !m->stopped;
}

static bool match(struct machine *m, int place, enum cel_token_kind kind, uint64_t then, bool ends)
{
	m->place = place;
	m->here = (struct next){BIT(kind), false};
	if (m->stopped)
		return false;
	if (la(m, 1) == kind) {
		matched(m);
		consume(m);
		return true;
	}
	if (!attempt(m))
		return false;
	if (drop_token(m)) {
		consume(m);
		return true;
	}
	if (resolve((struct next){then, ends}, m->context) & BIT(la(m, 1))) {
		report_missing(m);
		return true;
	}
	return fail(m);
}

/* Calls a rule; what may follow it here. */
static void call(struct machine *m, void (*rule)(struct machine *m), uint64_t follow, bool ends)
{
	const struct context context = {m->context, {follow, ends}};
	if (m->stopped)
		return;
	m->context = &context;
	rule(m);
	if (m->failed && !m->stopped) {
		report(m);
		recover(m);
	}
	m->failed = false;
	m->context = context.outer;
}

/* The rules */

static void expr(struct machine *m);
static void member(struct machine *m);

static void escape_ident(struct machine *m)
{
	if (!choose(m, HERE, IDENTS, false))
		return;
	if (next_is(m, IDENTS))
		match(m, HERE, la(m, 1), 0, true);
	else
		fail_no_way(m, 1);
}

static void expr_list(struct machine *m)
{
	call(m, expr, BIT(TOKEN_COMMA), true);
	while (!m->stopped && la(m, 1) == TOKEN_COMMA) {
		match(m, HERE, TOKEN_COMMA, EXPRS, false);
		call(m, expr, BIT(TOKEN_COMMA), true);
	}
}

static void opt_expr(struct machine *m)
{
	if (!choose(m, HERE, EXPRS | BIT(TOKEN_QUESTION), false))
		return;
	if (la(m, 1) == TOKEN_QUESTION)
		match(m, HERE, TOKEN_QUESTION, EXPRS, false);
	call(m, expr, 0, true);
}

static void opt_field(struct machine *m)
{
	if (!choose(m, HERE, IDENTS | BIT(TOKEN_QUESTION), false))
		return;
	if (la(m, 1) == TOKEN_QUESTION)
		match(m, HERE, TOKEN_QUESTION, IDENTS, false);
	call(m, escape_ident, 0, true);
}

/* A comma, and what begins one more. */
static bool at_more(const struct machine *m, uint64_t begins)
{
	return la(m, 1) == TOKEN_COMMA && begins & BIT(la(m, 2));
}

static void list_init(struct machine *m)
{
	const uint64_t begins = EXPRS | BIT(TOKEN_QUESTION);
	call(m, opt_expr, BIT(TOKEN_COMMA), true);
	while (!m->stopped && at_more(m, begins)) {
		match(m, HERE, TOKEN_COMMA, begins, false);
		call(m, opt_expr, BIT(TOKEN_COMMA), true);
	}
}

static void entries(struct machine *m, void (*key)(struct machine *m), uint64_t begins)
{
	for (;;) {
		call(m, key, BIT(TOKEN_COLON), false);
		if (!match(m, HERE, TOKEN_COLON, EXPRS, false))
			return;
		call(m, expr, BIT(TOKEN_COMMA), true);
		if (m->stopped || !at_more(m, begins))
			return;
		match(m, HERE, TOKEN_COMMA, begins, false);
	}
}

static void map_init(struct machine *m)
{
	entries(m, opt_expr, EXPRS | BIT(TOKEN_QUESTION));
}

static void field_init(struct machine *m)
{
	entries(m, opt_field, IDENTS | BIT(TOKEN_QUESTION));
}

static void literal(struct machine *m)
{
	if (!choose(m, HERE, LITERALS, false))
		return;
	if (!next_is(m, LITERALS)) {
		fail_no_way(m, 1);
		return;
	}
	if (la(m, 1) == TOKEN_MINUS) {
		if (la(m, 2) != TOKEN_INT && la(m, 2) != TOKEN_FLOAT) {
			fail_no_way(m, 2);
			return;
		}
		match(m, HERE, TOKEN_MINUS, BIT(la(m, 2)), false);
	}
	match(m, HERE, la(m, 1), 0, true);
}

/* Parts between a token and the one that closes it, with a comma behind them. */
static void parts(struct machine *m, enum cel_token_kind open, enum cel_token_kind close, uint64_t begins,
	void (*rule)(struct machine *m))
{
	const uint64_t ends = BIT(TOKEN_COMMA) | BIT(close);
	if (!match(m, HERE, open, begins | ends, false) || !choose(m, HERE, begins | ends, false))
		return;
	if (next_is(m, begins))
		call(m, rule, ends, false);
	if (!choose(m, HERE, ends, false))
		return;
	if (la(m, 1) == TOKEN_COMMA)
		match(m, HERE, TOKEN_COMMA, BIT(close), false);
	match(m, HERE, close, 0, true);
}

static void call_args(struct machine *m)
{
	const uint64_t ends = BIT(TOKEN_RIGHT_PAREN);
	if (!match(m, HERE, TOKEN_LEFT_PAREN, EXPRS | ends, false) || !choose(m, HERE, EXPRS | ends, false))
		return;
	if (next_is(m, EXPRS))
		call(m, expr_list, ends, false);
	match(m, HERE, TOKEN_RIGHT_PAREN, 0, true);
}

static void name(struct machine *m)
{
	size_t k = la(m, 1) == TOKEN_DOT ? 2 : 1;
	if (la(m, k) != TOKEN_IDENT) {
		fail_no_way(m, k);
		return;
	}
	while (la(m, k) == TOKEN_IDENT && la(m, k + 1) == TOKEN_DOT && la(m, k + 2) == TOKEN_IDENT)
		k += 2;
	bool object = la(m, k + 1) == TOKEN_LEFT_BRACE;
	if (la(m, 1) == TOKEN_DOT)
		match(m, HERE, TOKEN_DOT, BIT(TOKEN_IDENT), false);
	match(m, HERE, TOKEN_IDENT, 0, true);
	while (object && la(m, 1) == TOKEN_DOT) {
		match(m, HERE, TOKEN_DOT, BIT(TOKEN_IDENT), false);
		match(m, HERE, TOKEN_IDENT, BIT(TOKEN_LEFT_BRACE), false);
	}
	if (object)
		parts(m, TOKEN_LEFT_BRACE, TOKEN_RIGHT_BRACE, IDENTS | BIT(TOKEN_QUESTION), field_init);
	else if (la(m, 1) == TOKEN_LEFT_PAREN)
		call_args(m);
}

static void primary(struct machine *m)
{
	if (!choose(m, HERE, MEMBERS, false))
		return;
	switch (la(m, 1)) {
	case TOKEN_DOT:
	case TOKEN_IDENT:
		name(m);
		break;
	case TOKEN_LEFT_PAREN:
		match(m, HERE, TOKEN_LEFT_PAREN, EXPRS, false);
		call(m, expr, BIT(TOKEN_RIGHT_PAREN), false);
		match(m, HERE, TOKEN_RIGHT_PAREN, 0, true);
		break;
	case TOKEN_LEFT_BRACKET:
		parts(m, TOKEN_LEFT_BRACKET, TOKEN_RIGHT_BRACKET, EXPRS | BIT(TOKEN_QUESTION), list_init);
		break;
	case TOKEN_LEFT_BRACE:
		parts(m, TOKEN_LEFT_BRACE, TOKEN_RIGHT_BRACE, EXPRS | BIT(TOKEN_QUESTION), map_init);
		break;
	default:
		if (next_is(m, LITERALS))
			call(m, literal, 0, true);
		else
			fail_no_way(m, 1);
	}
}

#define SELECTIONS (BIT(TOKEN_DOT) | BIT(TOKEN_LEFT_BRACKET))

static bool selection(struct machine *m)
{
	bool ident = la(m, 2) == TOKEN_IDENT;
	if (!ident && la(m, 2) != TOKEN_QUOTED_IDENT && la(m, 2) != TOKEN_QUESTION)
		return fail_no_way(m, 2);
	if (ident && la(m, 3) == TOKEN_LEFT_PAREN) {
		match(m, HERE, TOKEN_DOT, BIT(TOKEN_IDENT), false);
		match(m, HERE, TOKEN_IDENT, BIT(TOKEN_LEFT_PAREN), false);
		call_args(m);
		return !m->failed;
	}
	match(m, HERE, TOKEN_DOT, IDENTS | BIT(TOKEN_QUESTION), false);
	if (!choose(m, HERE, IDENTS | BIT(TOKEN_QUESTION), false))
		return false;
	if (la(m, 1) == TOKEN_QUESTION)
		match(m, HERE, TOKEN_QUESTION, IDENTS, false);
	bool good = next_is(m, IDENTS);
	int32_t at = place_of(m, m->at);
	call(m, escape_ident, SELECTIONS, true);
	if (!good && !m->stopped)
		cel_issue(m->source, at, "unsupported ident kind");
	return true;
}

static bool element(struct machine *m)
{
	match(m, HERE, TOKEN_LEFT_BRACKET, EXPRS | BIT(TOKEN_QUESTION), false);
	if (!choose(m, HERE, EXPRS | BIT(TOKEN_QUESTION), false))
		return false;
	if (la(m, 1) == TOKEN_QUESTION)
		match(m, HERE, TOKEN_QUESTION, EXPRS, false);
	call(m, expr, BIT(TOKEN_RIGHT_BRACKET), false);
	return match(m, HERE, TOKEN_RIGHT_BRACKET, SELECTIONS, true);
}

static void member(struct machine *m)
{
	call(m, primary, SELECTIONS, true);
	while (!m->stopped && next_is(m, SELECTIONS))
		if (!(la(m, 1) == TOKEN_DOT ? selection(m) : element(m)))
			return;
}

static void unary(struct machine *m)
{
	if (!choose(m, HERE, EXPRS, false))
		return;
	enum cel_token_kind op = la(m, 1);
	bool number = la(m, 2) == TOKEN_INT || la(m, 2) == TOKEN_FLOAT;
	if (op == TOKEN_NOT || (op == TOKEN_MINUS && !number)) {
		if (op == TOKEN_MINUS && !(MEMBERS & BIT(la(m, 2)))) {
			fail_no_way(m, 2);
			return;
		}
		do {
			match(m, HERE, op, MEMBERS | BIT(op), false);
			if (!choose_again(m, HERE, MEMBERS | BIT(op)))
				return;
			if (op == TOKEN_MINUS && la(m, 1) == op && !(MEMBERS & BIT(la(m, 2)))) {
				fail_no_way(m, 2);
				return;
			}
		} while (la(m, 1) == op);
	} else if (!next_is(m, EXPRS)) {
		fail_no_way(m, 1);
		return;
	}
	call(m, member, 0, true);
}

static void calc_above(struct machine *m, uint64_t ops)
{
	call(m, unary, PRODUCTS | SUMS, true);
	while (!m->stopped && next_is(m, ops)) {
		bool product = next_is(m, PRODUCTS);
		consume(m);
		matched(m);
		const struct context context = {m->context, {PRODUCTS | SUMS, true}};
		m->context = &context;
		calc_above(m, product ? 0 : PRODUCTS);
		m->context = context.outer;
	}
}

static void calc(struct machine *m)
{
	calc_above(m, PRODUCTS | SUMS);
}

static void relation(struct machine *m)
{
	call(m, calc, RELATIONS, true);
	while (!m->stopped && next_is(m, RELATIONS)) {
		consume(m);
		matched(m);
		const struct context context = {m->context, {RELATIONS, true}};
		m->context = &context;
		call(m, calc, RELATIONS, true);
		m->context = context.outer;
	}
}

static void conditional_and(struct machine *m)
{
	call(m, relation, BIT(TOKEN_AND), true);
	while (!m->stopped && la(m, 1) == TOKEN_AND) {
		match(m, HERE, TOKEN_AND, EXPRS, false);
		call(m, relation, BIT(TOKEN_AND), true);
	}
}

static void conditional_or(struct machine *m)
{
	call(m, conditional_and, BIT(TOKEN_OR), true);
	while (!m->stopped && la(m, 1) == TOKEN_OR) {
		match(m, HERE, TOKEN_OR, EXPRS, false);
		call(m, conditional_and, BIT(TOKEN_OR), true);
	}
}

static void expr(struct machine *m)
{
	call(m, conditional_or, BIT(TOKEN_QUESTION), true);
	if (m->stopped || la(m, 1) != TOKEN_QUESTION)
		return;
	match(m, HERE, TOKEN_QUESTION, EXPRS, false);
	call(m, conditional_or, BIT(TOKEN_COLON), false);
	if (match(m, HERE, TOKEN_COLON, EXPRS, false))
		call(m, expr, 0, true);
}

static void start(struct machine *m)
{
	call(m, expr, BIT(TOKEN_END), false);
	match(m, HERE, TOKEN_END, 0, true);
}

void cel_explain_syntax(struct cel_source *source, const struct cel_token *tokens, size_t n)
{
	struct machine m = {.source = source, .tokens = tokens, .n = n, .error_at = SIZE_MAX};
	size_t before = source->n_issues;
	start(&m);
	if (m.failed && !m.stopped)
		report(&m);
	if (source->n_issues == before)
		cel_issue(source, tokens[n - 1].at, "Syntax error");
}
