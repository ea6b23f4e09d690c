#include <stdlib.h>
#include <string.h>
#include "api/jsonpath_internal.h"

#define MAX_PATH_DEPTH 50

struct parser {
	struct arena *arena;
	const char *at;
	int depth;
};

static struct status *parse_steps(struct parser *p, const char *stop, struct path_nodes *ret_steps);

static struct path_node *new_node(struct parser *p, enum path_kind kind, struct path_nodes *to)
{
	struct path_node *node = ARENA_NEW(p->arena, struct path_node);

	node->kind = kind;
	if (to)
		ARENA_PUSH(p->arena, to->items, to->n) = node;
	return node;
}

static void skip_space(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')
		p->at++;
}

static bool is_terminator(char c)
{
	return !c || strchr(".,[]$@{} \t\r\n()=!<>&|", c);
}

/* A quoted text with Go's simple escapes. */
static struct status *parse_quoted(struct parser *p, char **ret_text)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	char quote = *p->at++;

	for (; *p->at && *p->at != quote; p->at++) {
		if (*p->at != '\\' || !p->at[1]) {
			strbuf_addc(&out, *p->at);
			continue;
		}
		static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
		const char *which = strchr(from, *++p->at);
		strbuf_addc(&out, which ? to[which - from] : *p->at);
	}
	if (*p->at != quote)
		return status_bad_request("unterminated quoted string");
	p->at++;
	*ret_text = arena_strndup(p->arena, out.buf, out.len);
	return NULL;
}

/* A name, with backslashes before what would end it. */
static char *parse_name(struct parser *p)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	while (!is_terminator(*p->at)) {
		if (*p->at == '\\' && p->at[1])
			p->at++;
		strbuf_addc(&out, *p->at++);
	}
	return arena_strndup(p->arena, out.buf, out.len);
}

static void add_field(struct parser *p, const char *name, struct path_nodes *to)
{
	struct path_node *node = new_node(p, strcmp(name, "*") ? PATH_FIELD : PATH_WILDCARD, to);

	node->text = name;
}

static struct status *parse_dot(struct parser *p, struct path_nodes *to)
{
	p->at++;
	if (*p->at == '.') {
		p->at++;
		new_node(p, PATH_RECURSIVE, to);
		if (is_terminator(*p->at))
			return NULL;
	}
	char *name = parse_name(p);
	if (*name)
		add_field(p, name, to);
	return NULL;
}

static const char *read_operator(struct parser *p)
{
	static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">", NULL};

	skip_space(p);
	for (size_t i = 0; operators[i]; i++) {
		if (str_starts_with(p->at, operators[i])) {
			p->at += strlen(operators[i]);
			return operators[i];
		}
	}
	return "exists";
}

/* [?(left op right)], the bracket and question mark being behind. */
static struct status *parse_filter(struct parser *p, struct path_nodes *to)
{
	struct path_node *node = new_node(p, PATH_FILTER, to);

	if (*p->at++ != '(')
		return status_bad_request("unterminated filter: a filter begins with ?(");
	TRY(parse_steps(p, "=!<>)", &node->steps));
	node->text = read_operator(p);
	if (strcmp(node->text, "exists"))
		TRY(parse_steps(p, ")", &node->body));
	skip_space(p);
	if (*p->at != ')')
		return status_bad_request("unterminated filter");
	p->at++;
	skip_space(p);
	if (*p->at++ != ']')
		return status_bad_request("unclosed array expect ]");
	return NULL;
}

static bool read_number(struct parser *p, int64_t *ret_value)
{
	char *end;

	skip_space(p);
	*ret_value = strtoll(p->at, &end, 10);
	if (end == p->at || *ret_value > INT32_MAX || *ret_value < INT32_MIN)
		return false;
	p->at = end;
	skip_space(p);
	return true;
}

static struct status *bad_index(const char *subscript)
{
	size_t size = strcspn(subscript, ",]");
	while (size && subscript[size - 1] == ' ')
		size--;
	return status_bad_request("invalid array index %.*s", (int)size, subscript);
}

/* a, a:b, a:b:c, each part optional. */
static struct status *parse_slice(struct parser *p, struct path_nodes *to)
{
	const char *start = p->at;
	struct path_node *node = new_node(p, PATH_SLICE, to);
	size_t part = 0;

	for (;; part++) {
		node->known[part] = read_number(p, &node->bounds[part]);
		skip_space(p);
		if (*p->at != ':' || part == 2)
			break;
		p->at++;
	}
	if (*p->at != ',' && *p->at != ']')
		return bad_index(start);
	if (!part) {
		if (!node->known[0])
			return bad_index(start);
		node->single = true;
		node->bounds[1] = node->bounds[0] + 1;
		node->known[1] = true;
	}
	return NULL;
}

static struct status *parse_subscript(struct parser *p, struct path_nodes *to)
{
	char *name;

	skip_space(p);
	if (*p->at == '*') {
		p->at++;
		new_node(p, PATH_WILDCARD, to);
	} else if (*p->at == '\'' || *p->at == '"') {
		TRY(parse_quoted(p, &name));
		new_node(p, PATH_FIELD, to)->text = name;
	} else {
		TRY(parse_slice(p, to));
	}
	skip_space(p);
	return NULL;
}

static struct status *parse_bracket(struct parser *p, struct path_nodes *to)
{
	struct path_nodes parts = {0};

	p->at++;
	skip_space(p);
	if (*p->at == '?') {
		p->at++;
		return parse_filter(p, to);
	}
	for (;;) {
		TRY(parse_subscript(p, &parts));
		if (*p->at != ',')
			break;
		p->at++;
	}
	if (*p->at != ']')
		return status_bad_request("unterminated array");
	p->at++;
	if (parts.n == 1) {
		ARENA_PUSH(p->arena, to->items, to->n) = parts.items[0];
		return NULL;
	}
	new_node(p, PATH_UNION, to)->steps = parts;
	return NULL;
}

/* What begins as a number is one as far as it goes. */
static struct status *parse_number(struct parser *p, struct path_nodes *to)
{
	size_t size = 1 + strspn(p->at + 1, "0123456789.");
	const char *text = arena_strndup(p->arena, p->at, size);
	char *end;
	int64_t whole;
	double number = strtod(text, &end);

	p->at += size;
	if (end == text || *end)
		return status_bad_request("cannot parse number %s", text);
	new_node(p, PATH_VALUE, to)->value = str_to_int64(text, INT64_MIN, INT64_MAX, &whole)
						     ? tree_new_int(p->arena, whole)
						     : tree_new_double(p->arena, number);
	return NULL;
}

static struct status *parse_literal(struct parser *p, struct path_nodes *to)
{
	if (*p->at == '+' || *p->at == '-' || (*p->at >= '0' && *p->at <= '9'))
		return parse_number(p, to);
	char *name = parse_name(p);
	if (!strcmp(name, "true") || !strcmp(name, "false"))
		new_node(p, PATH_VALUE, to)->value = tree_new_bool(p->arena, *name == 't');
	else
		return status_bad_request("unrecognized identifier %s", *name ? name : p->at);
	return NULL;
}

/* Steps up to one of the stop characters. */
static struct status *parse_steps(struct parser *p, const char *stop, struct path_nodes *ret_steps)
{
	char *text;

	if (++p->depth > MAX_PATH_DEPTH)
		return status_bad_request("the template nests too deep");
	for (;;) {
		skip_space(p);
		char c = *p->at;
		if (!c || strchr(stop, c))
			break;
		if (c == '$' || c == '@') {
			p->at++;
		} else if (c == '.') {
			TRY(parse_dot(p, ret_steps));
		} else if (c == '[') {
			TRY(parse_bracket(p, ret_steps));
		} else if (c == '"' || c == '\'') {
			TRY(parse_quoted(p, &text));
			new_node(p, PATH_VALUE, ret_steps)->value = tree_new_string(p->arena, text);
		} else {
			TRY(parse_literal(p, ret_steps));
		}
	}
	p->depth--;
	return NULL;
}

static bool take_word(struct parser *p, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(p->at, word, size) || !is_terminator(p->at[size]))
		return false;
	p->at += size;
	return true;
}

/* Texts and {…} up to the end, or up to {end} within a range. */
static struct status *parse_template(struct parser *p, bool in_range, struct path_nodes *ret_nodes)
{
	if (++p->depth > MAX_PATH_DEPTH)
		return status_bad_request("the template nests too deep");
	while (*p->at) {
		size_t size = strcspn(p->at, "{");
		if (size) {
			struct path_node *text = new_node(p, PATH_TEXT, ret_nodes);
			text->text = arena_strndup(p->arena, p->at, size);
			text->size = size;
			p->at += size;
			continue;
		}
		p->at++;
		skip_space(p);
		bool range = take_word(p, "range");
		bool end = !range && take_word(p, "end");
		struct path_nodes steps = {0};
		TRY(parse_steps(p, "}", &steps));
		if (*p->at != '}')
			return status_bad_request("unclosed action");
		p->at++;
		if (end && !in_range)
			return status_bad_request("not in range, nothing to end");
		if (end) {
			p->depth--;
			return NULL;
		}
		struct path_node *node = new_node(p, range ? PATH_RANGE : PATH_EXPRESSION, ret_nodes);
		node->steps = steps;
		if (range)
			TRY(parse_template(p, true, &node->body));
	}
	p->depth--; /* a range without {end} ends here, as the original has it */
	return NULL;
}

struct status *jsonpath_parse(struct arena *arena, const char *text, struct jsonpath **ret_path)
{
	struct jsonpath *path = ARENA_NEW(arena, struct jsonpath);
	struct parser p = {arena, str_or_empty(text), 0};

	path->arena = arena;
	TRY(parse_template(&p, false, &path->nodes));
	*ret_path = path;
	return NULL;
}

void jsonpath_allow_missing(struct jsonpath *path, bool on)
{
	path->allow_missing = on;
}

struct status *jsonpath_relax(struct arena *arena, const char *text, char **ret_text)
{
	const char *start = str_or_empty(text), *end = start + strlen(start);

	if (*start == '{' && end > start && end[-1] == '}') {
		start++;
		end--;
	}
	start += *start == '.';
	if (start >= end || strpbrk(arena_strndup(arena, start, (size_t)(end - start)), "{}"))
		return status_bad_request(
			"unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
			"'{.name1.name2}'");
	*ret_text = arena_printf(arena, "{.%.*s}", (int)(end - start), start);
	return NULL;
}
