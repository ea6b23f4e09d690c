#include <stdlib.h>
#include <string.h>
#include "api/meta.h"
#include "api/selector.h"
#include "base/str.h"

#define MAX_REQUIREMENTS 1000

enum token {
	T_END,
	T_IDENTIFIER,
	T_IN,
	T_NOTIN,
	T_COMMA,
	T_OPEN,
	T_CLOSE,
	T_NOT,
	T_EQUAL,
	T_DOUBLE_EQUAL,
	T_NOT_EQUAL,
	T_GREATER,
	T_LESS,
	T_ERROR
};

struct parser {
	struct arena *arena;
	const char *at;
	enum token token; /* the one that comes next */
	char *text;
};

static bool is_special(char c)
{
	return c && strchr("=!(),><", c);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum token special_token(struct parser *p)
{
	static const struct {
		const char *text;
		enum token token;
	} specials[] = {{"==", T_DOUBLE_EQUAL}, {"!=", T_NOT_EQUAL}, {"=", T_EQUAL}, {"!", T_NOT}, {"(", T_OPEN},
		{")", T_CLOSE}, {",", T_COMMA}, {">", T_GREATER}, {"<", T_LESS}};

	for (size_t i = 0; i < ARRAY_SIZE(specials); i++) {
		if (!str_starts_with(p->at, specials[i].text))
			continue;
		p->text = (char *)(uintptr_t)specials[i].text;
		p->at += strlen(specials[i].text);
		return specials[i].token;
	}
	return T_ERROR;
}

/* Moves to the next token. */
static void advance(struct parser *p)
{
	const char *start;

	while (is_space(*p->at))
		p->at++;
	p->text = (char *)(uintptr_t) "";
	if (!*p->at) {
		p->token = T_END;
		return;
	}
	if (is_special(*p->at)) {
		p->token = special_token(p);
		return;
	}
	start = p->at;
	while (*p->at && !is_special(*p->at) && !is_space(*p->at))
		p->at++;
	p->text = arena_strndup(p->arena, start, (size_t)(p->at - start));
	p->token = str_eq(p->text, "in") ? T_IN : str_eq(p->text, "notin") ? T_NOTIN : T_IDENTIFIER;
}

/* Where a value stands, the words in and notin are names like others. */
static enum token as_value(const struct parser *p)
{
	return p->token == T_IN || p->token == T_NOTIN ? T_IDENTIFIER : p->token;
}

static struct status *found(const struct parser *p, const char *expected)
{
	return status_bad_request("found '%s', expected: %s", p->text, expected);
}

static void add_value(struct arena *arena, struct selector_requirement *r, char *value)
{
	ARENA_PUSH(arena, r->values, r->n_values) = value;
}

/* Each once, in order. */
static void sort_values(struct selector_requirement *r)
{
	size_t n = 0;
	if (r->n_values > 1)
		qsort(r->values, r->n_values, sizeof(*r->values), str_cmp_qsort);
	for (size_t i = 0; i < r->n_values; i++)
		if (!n || strcmp(r->values[n - 1], r->values[i]))
			r->values[n++] = r->values[i];
	r->n_values = n;
}

static struct status *check_value_count(const struct selector_requirement *r)
{
	int64_t number;

	switch (r->op) {
	case SELECTOR_IN:
	case SELECTOR_NOT_IN:
		if (!r->n_values)
			return status_bad_request(
				"values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
		break;
	case SELECTOR_EXISTS:
	case SELECTOR_NOT_EXISTS:
		if (r->n_values)
			return status_bad_request(
				"values: Invalid value: values set must be empty for exists and does not exist");
		break;
	case SELECTOR_GREATER:
	case SELECTOR_LESS:
		if (r->n_values != 1)
			return status_bad_request(
				"values: Invalid value: for 'Gt', 'Lt' operators, exactly one value is required");
		if (!str_to_int64(r->values[0], INT64_MIN, INT64_MAX, &number))
			return status_bad_request("values[0]: Invalid value: \"%s\": for 'Gt', 'Lt' operators, the "
						  "value must be an integer",
				r->values[0]);
		break;
	default:
		break;
	}
	return NULL;
}

static struct status *check_requirement(struct arena *arena, const struct selector_requirement *r)
{
	const char *error = label_key_error(arena, r->key);

	if (error)
		return status_bad_request("key: Invalid value: \"%s\": %s", r->key, error);
	TRY(check_value_count(r));
	for (size_t i = 0; i < r->n_values; i++) {
		error = label_value_error(arena, r->values[i]);
		if (error)
			return status_bad_request(
				"values[%zu][%s]: Invalid value: \"%s\": %s", i, r->key, r->values[i], error);
	}
	return NULL;
}

static struct status *parse_set(struct parser *p, struct selector_requirement *r)
{
	if (p->token != T_OPEN)
		return status_bad_request("found '%s' expected: '('", p->text);
	advance(p);
	bool empty_before = true; /* nothing stands since the bracket or the last comma */
	while (p->token != T_CLOSE) {
		if (as_value(p) == T_IDENTIFIER) {
			if (!empty_before)
				return found(p, "',' or ')'");
			add_value(p->arena, r, p->text);
			empty_before = false;
		} else if (p->token == T_COMMA) {
			if (empty_before)
				add_value(p->arena, r, (char *)(uintptr_t) "");
			empty_before = true;
		} else {
			return found(p, empty_before ? "',', ')' or identifier" : "',' or ')'");
		}
		advance(p);
	}
	if (empty_before)
		add_value(p->arena, r, (char *)(uintptr_t) "");
	advance(p);
	return NULL;
}

static struct status *parse_exact(struct parser *p, struct selector_requirement *r)
{
	if (p->token == T_END || p->token == T_COMMA) {
		add_value(p->arena, r, (char *)(uintptr_t) "");
		return NULL;
	}
	if (as_value(p) != T_IDENTIFIER)
		return found(p, "identifier");
	add_value(p->arena, r, p->text);
	advance(p);
	return NULL;
}

static struct status *parse_operator(struct parser *p, struct selector_requirement *r)
{
	static const struct {
		enum token token;
		enum selector_operator op;
	} operators[] = {{T_IN, SELECTOR_IN}, {T_NOTIN, SELECTOR_NOT_IN}, {T_EQUAL, SELECTOR_EQUALS},
		{T_DOUBLE_EQUAL, SELECTOR_EQUALS}, {T_NOT_EQUAL, SELECTOR_NOT_EQUALS}, {T_GREATER, SELECTOR_GREATER},
		{T_LESS, SELECTOR_LESS}};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (operators[i].token != p->token)
			continue;
		r->op = operators[i].op;
		advance(p);
		return r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN ? parse_set(p, r) : parse_exact(p, r);
	}
	return found(p, "in, notin, =, ==, !=, gt, lt");
}

static struct status *parse_requirement(struct parser *p, struct selector_requirement *r)
{
	bool negated = p->token == T_NOT;

	if (negated)
		advance(p);
	if (as_value(p) != T_IDENTIFIER)
		return found(p, "identifier");
	r->key = p->text;
	const char *error = label_key_error(p->arena, r->key);
	if (error)
		return status_bad_request("<nil>: Invalid value: \"%s\": %s", r->key, error);
	advance(p);
	r->op = negated ? SELECTOR_NOT_EXISTS : SELECTOR_EXISTS;
	if (!negated && p->token != T_END && p->token != T_COMMA)
		TRY(parse_operator(p, r));
	sort_values(r);
	return check_requirement(p->arena, r);
}

static int compare_requirements(const void *a, const void *b)
{
	const struct selector_requirement *x = *(const struct selector_requirement *const *)a;
	const struct selector_requirement *y = *(const struct selector_requirement *const *)b;
	const int by_key = strcmp(x->key, y->key);
	return by_key ? by_key : (x > y) - (x < y);
}

/* By key; requirements on one key keep their order, which is that of their places in the array. */
static void sort_requirements(struct arena *arena, struct label_selector *s)
{
	const size_t n = s->n_requirements;
	if (n < 2)
		return;
	const struct selector_requirement **by_key = ARENA_ARRAY(arena, const struct selector_requirement *, n);
	struct selector_requirement *sorted = ARENA_ARRAY(arena, struct selector_requirement, n);
	for (size_t i = 0; i < n; i++)
		by_key[i] = &s->requirements[i];
	qsort(by_key, n, sizeof(*by_key), compare_requirements);
	for (size_t i = 0; i < n; i++)
		sorted[i] = *by_key[i];
	s->requirements = sorted;
}

struct status *label_selector_parse(struct arena *arena, const char *text, struct label_selector **ret_selector)
{
	struct label_selector *s = ARENA_NEW(arena, struct label_selector);
	struct parser p = {.arena = arena, .at = str_or_empty(text)};

	advance(&p);
	while (p.token != T_END) {
		struct selector_requirement r = {0};
		if (as_value(&p) != T_IDENTIFIER && p.token != T_NOT)
			return found(&p, "!, identifier, or 'end of string'");
		TRY(status_wrap(parse_requirement(&p, &r), "unable to parse requirement"));
		if (s->n_requirements == MAX_REQUIREMENTS)
			return status_bad_request("a selector of more than %d requirements", MAX_REQUIREMENTS);
		ARENA_PUSH(arena, s->requirements, s->n_requirements) = r;
		if (p.token == T_END)
			break;
		if (p.token != T_COMMA)
			return found(&p, "',' or 'end of string'");
		advance(&p);
		if (as_value(&p) != T_IDENTIFIER && p.token != T_NOT)
			return found(&p, "identifier after ','");
	}
	sort_requirements(arena, s);
	*ret_selector = s;
	return NULL;
}

static struct status *expression_operator(const char *name, enum selector_operator *ret_op)
{
	static const char *const names[] = {[SELECTOR_IN] = "In",
		[SELECTOR_NOT_IN] = "NotIn",
		[SELECTOR_EXISTS] = "Exists",
		[SELECTOR_NOT_EXISTS] = "DoesNotExist"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_eq(names[i], name)) {
			*ret_op = (enum selector_operator)i;
			return NULL;
		}
	}
	return status_bad_request("\"%s\" is not a valid label selector operator", str_or_empty(name));
}

static void add_equals(struct arena *arena, struct label_selector *s, const MapStringEntry *entry)
{
	struct selector_requirement r = {.key = arena_strdup(arena, str_or_empty(entry->key)), .op = SELECTOR_EQUALS};

	add_value(arena, &r, arena_strdup(arena, str_or_empty(entry->value)));
	ARENA_PUSH(arena, s->requirements, s->n_requirements) = r;
}

struct status *label_selector_from_api(
	struct arena *arena, const MetaV1LabelSelector *api, struct label_selector **ret_selector)
{
	struct label_selector *s = ARENA_NEW(arena, struct label_selector);

	s->nothing = !api;
	for (size_t i = 0; api && i < api->n_match_labels; i++)
		add_equals(arena, s, api->match_labels[i]);
	for (size_t i = 0; api && i < api->n_match_expressions; i++) {
		const MetaV1LabelSelectorRequirement *e = api->match_expressions[i];
		struct selector_requirement r = {.key = arena_strdup(arena, str_or_empty(e->key))};
		TRY(expression_operator(e->operator, & r.op));
		for (size_t v = 0; v < e->n_values; v++)
			ARENA_PUSH(arena, r.values, r.n_values) = arena_strdup(arena, str_or_empty(e->values[v]));
		if (r.n_values > 1)
			qsort(r.values, r.n_values, sizeof(*r.values), str_cmp_qsort);
		ARENA_PUSH(arena, s->requirements, s->n_requirements) = r;
	}
	for (size_t i = 0; i < s->n_requirements; i++)
		TRY(check_requirement(arena, &s->requirements[i]));
	sort_requirements(arena, s);
	*ret_selector = s;
	return NULL;
}

static bool compare_integers(bool greater, const char *value, const char *bound)
{
	int64_t x, y;

	if (!str_to_int64(value, INT64_MIN, INT64_MAX, &x) || !str_to_int64(bound, INT64_MIN, INT64_MAX, &y))
		return false;
	return greater ? x > y : x < y;
}

static bool requirement_matches(
	enum selector_operator op, const char *value, bool listed, char *const *values, size_t n_values)
{
	switch (op) {
	case SELECTOR_IN:
	case SELECTOR_EQUALS:
		return listed;
	case SELECTOR_NOT_IN:
	case SELECTOR_NOT_EQUALS:
		return !listed;
	case SELECTOR_EXISTS:
		return value;
	case SELECTOR_NOT_EXISTS:
		return !value;
	case SELECTOR_GREATER:
	case SELECTOR_LESS:
		return value && n_values == 1 && compare_integers(op == SELECTOR_GREATER, value, values[0]);
	}
	return false;
}

bool label_selector_matches(const struct label_selector *s, MapStringEntry *const *labels, size_t n_labels)
{
	size_t at = 0; /* requirements are in the order of their keys */
	if (s->nothing)
		return false;
	for (size_t i = 0; i < s->n_requirements; i++) {
		const struct selector_requirement *r = &s->requirements[i];
		const char *value = map_get_near(labels, n_labels, r->key, &at);
		const bool listed =
			value && r->n_values && bsearch(&value, r->values, r->n_values, sizeof(value), str_cmp_qsort);
		if (!requirement_matches(r->op, value, listed, r->values, r->n_values))
			return false;
	}
	return true;
}

bool selector_operator_matches(const char *op, const char *value, char *const *values, size_t n_values)
{
	enum selector_operator which;

	if (str_eq(op, "Gt"))
		which = SELECTOR_GREATER;
	else if (str_eq(op, "Lt"))
		which = SELECTOR_LESS;
	else {
		struct status *status = expression_operator(op, &which);
		if (status) {
			status_drop(status, "an operator that does not exist matches nothing");
			return false;
		}
	}
	return requirement_matches(which, value, value && str_in_n(value, values, n_values), values, n_values);
}

static void add_requirement(struct strbuf *out, const struct selector_requirement *r)
{
	static const char *const operators[] = {[SELECTOR_IN] = " in (",
		[SELECTOR_NOT_IN] = " notin (",
		[SELECTOR_EXISTS] = "",
		[SELECTOR_NOT_EXISTS] = "",
		[SELECTOR_EQUALS] = "=",
		[SELECTOR_NOT_EQUALS] = "!=",
		[SELECTOR_GREATER] = ">",
		[SELECTOR_LESS] = "<"};

	if (r->op == SELECTOR_NOT_EXISTS)
		strbuf_addc(out, '!');
	strbuf_adds(out, r->key);
	strbuf_adds(out, operators[r->op]);
	for (size_t i = 0; i < r->n_values; i++) {
		if (i)
			strbuf_addc(out, ',');
		strbuf_adds(out, r->values[i]);
	}
	if (r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN)
		strbuf_addc(out, ')');
}

char *label_selector_format(struct arena *arena, const struct label_selector *s)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < s->n_requirements; i++) {
		if (i)
			strbuf_addc(&out, ',');
		add_requirement(&out, &s->requirements[i]);
	}
	return arena_strndup(arena, out.buf, out.len);
}

char *label_selector_format_api(struct arena *arena, const MetaV1LabelSelector *api)
{
	struct label_selector *s = NULL;
	struct status *status = label_selector_from_api(arena, api, &s);

	if (status) {
		status_drop(status, "printers show a bad selector as such");
		return arena_strdup(arena, "<error>");
	}
	char *text = label_selector_format(arena, s);
	return *text ? text : arena_strdup(arena, "<none>");
}
