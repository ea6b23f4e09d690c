/*
 * Go templates over trees: {{.a.b}}, variables, pipelines, if, with and range with else, and the functions that users
 * of kubectl write (index, len, eq and its kin, and, or, not, print, printf, println, exists, base64decode).
 *
 * A template is parsed into a list of nodes; a value is a tree node, NULL where a key is missing.
 */
#include "base/encode.h"
#include "kubectl/printer.h"

#define MAX_ARGS 16
#define MAX_VARIABLES 64
#define MAX_DEPTH 200

enum node_type { NODE_TEXT, NODE_PIPE, NODE_IF, NODE_WITH, NODE_RANGE };

struct node {
	enum node_type type;
	const char *text; /* of NODE_TEXT, or the pipeline */
	struct node *body, *otherwise;
	struct node *next;
};

struct template
{
	struct node *nodes;
};

/* --- parsing --- */

struct parser {
	struct arena *arena;
	const char *at;
	char *pending; /* the action that ended a body: "end", "else" or "else if ..." */
	int depth;
};

static struct status *parse_nodes(struct parser *p, bool nested, struct node **ret);

static bool is_word(const char *text, const char *word)
{
	size_t size = strlen(word);
	return !strncmp(text, word, size) && (!text[size] || text[size] == ' ' || text[size] == '\t' ||
						     text[size] == '(' || text[size] == '.' || text[size] == '$');
}

/* The text up to the next action, with the action's own trim marks applied. */
static char *take_text(struct parser *p)
{
	const char *open = strstr(p->at, "{{");
	size_t size = open ? (size_t)(open - p->at) : strlen(p->at);
	char *text = arena_strndup(p->arena, p->at, size);
	if (open && open[2] == '-' && strchr(" \t\n", open[3]))
		while (size && strchr(" \t\r\n", text[size - 1]))
			text[--size] = 0;
	p->at = open ? open : p->at + strlen(p->at);
	return text;
}

/* The end of an action, outside quotes; NULL if there is none. */
static const char *action_end(const char *at)
{
	char quote = 0;
	for (; *at; at++) {
		if (quote) {
			if (*at == '\\' && quote == '"' && at[1])
				at++;
			else if (*at == quote)
				quote = 0;
		} else if (*at == '"' || *at == '`' || *at == '\'') {
			quote = *at;
		} else if (at[0] == '}' && at[1] == '}') {
			return at;
		}
	}
	return NULL;
}

static struct status *take_action(struct parser *p, char **ret)
{
	const char *start = p->at + 2, *end;
	if (!strncmp(start, "/*", 2) || !strncmp(start, "- /*", 4)) {
		end = strstr(start, "*/");
		end = end ? strstr(end, "}}") : NULL;
	} else {
		end = action_end(start);
	}
	if (!end)
		return user_error("template: output:1: unclosed action");
	if (*start == '-' && strchr(" \t\n", start[1]))
		start++;
	bool trim = end > start && end[-1] == '-' && end - 1 > start && strchr(" \t\n", end[-2]);
	*ret = str_trim(p->arena, arena_strndup(p->arena, start, (size_t)(end - start) - trim));
	p->at = end + 2;
	if (trim)
		p->at += strspn(p->at, " \t\r\n");
	return NULL;
}

static struct status *parse_block(struct parser *p, struct node *node)
{
	if (++p->depth > MAX_DEPTH)
		return user_error("template: output:1: nested too deeply");
	TRY(parse_nodes(p, true, &node->body));
	char *ending = p->pending;
	if (is_word(ending, "else")) {
		char *rest = ending + 4 + strspn(ending + 4, " \t");
		if (is_word(rest, "if")) {
			struct node *inner = ARENA_NEW(p->arena, struct node);
			*inner = (struct node){.type = NODE_IF, .text = rest + 2};
			TRY(parse_block(p, inner)); /* takes the end that closes both */
			node->otherwise = inner;
		} else {
			TRY(parse_nodes(p, true, &node->otherwise));
			if (!str_eq(p->pending, "end"))
				return user_error("template: output:1: expected end; found {{%s}}", p->pending);
		}
	}
	p->depth--;
	return NULL;
}

static bool ends_body(const char *action)
{
	return str_eq(action, "end") || is_word(action, "else");
}

static struct status *parse_nodes(struct parser *p, bool nested, struct node **ret)
{
	struct node **tail = ret;
	static const struct {
		const char *word;
		enum node_type type;
	} blocks[] = {{"if", NODE_IF}, {"with", NODE_WITH}, {"range", NODE_RANGE}};
	*ret = NULL;
	while (*p->at) {
		struct node *node = ARENA_NEW(p->arena, struct node);
		*node = (struct node){.type = NODE_TEXT, .text = take_text(p)};
		*tail = node;
		tail = &node->next;
		if (!*p->at)
			break;
		char *action = NULL;
		TRY(take_action(p, &action));
		if (!strncmp(action, "/*", 2))
			continue;
		if (ends_body(action)) {
			if (!nested)
				return user_error("template: output:1: unexpected {{%s}}", action);
			p->pending = action;
			return NULL;
		}
		node = ARENA_NEW(p->arena, struct node);
		*node = (struct node){.type = NODE_PIPE, .text = action};
		*tail = node;
		tail = &node->next;
		for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
			if (!is_word(action, blocks[i].word))
				continue;
			node->type = blocks[i].type;
			node->text = action + strlen(blocks[i].word);
			TRY(parse_block(p, node));
			break;
		}
	}
	return nested ? user_error("template: output:1: unexpected EOF") : NULL;
}

struct status *template_parse(struct arena *arena, const char *text, struct template **ret)
{
	struct parser p = {.arena = arena, .at = text};
	*ret = ARENA_NEW(arena, struct template);
	return parse_nodes(&p, false, &(*ret)->nodes);
}

/* --- evaluating --- */

struct variable {
	const char *name;
	const cJSON *value;
};

struct run {
	struct arena *arena;
	struct strbuf *out;
	bool allow_missing;
	const cJSON *root;
	struct variable variables[MAX_VARIABLES];
	size_t n_variables;
	int depth;
};

struct scanner {
	struct run *run;
	const cJSON *dot;
	const char *at;
};

static struct status *eval_pipeline(struct scanner *s, const cJSON **ret);

static void skip_space(struct scanner *s)
{
	s->at += strspn(s->at, " \t\r\n");
}

static bool truthy(const cJSON *v)
{
	if (!v || cJSON_IsNull(v) || cJSON_IsFalse(v))
		return false;
	if (cJSON_IsString(v))
		return *v->valuestring != 0;
	if (cJSON_IsNumber(v))
		return v->valuedouble != 0;
	return cJSON_IsTrue(v) || v->child;
}

static const cJSON *boolean(struct run *r, bool value)
{
	return tree_new_bool(r->arena, value);
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Follows ".a.b" from a value; a key that is missing reads as NULL. */
static struct status *eval_fields(struct scanner *s, const cJSON *value, const cJSON **ret)
{
	while (*s->at == '.' && is_name_char(s->at[1])) {
		size_t size = 0;
		s->at++;
		while (is_name_char(s->at[size]) || s->at[size] == '-')
			size++;
		char *name = arena_strndup(s->run->arena, s->at, size);
		s->at += size;
		if (value && !cJSON_IsObject(value) && !cJSON_IsNull(value))
			return user_error("template: output:1: can't evaluate field %s in type interface {}", name);
		const cJSON *next = tree_get(value, name);
		if (!next && !s->run->allow_missing)
			return user_error("template: output:1: map has no entry for key \"%s\"", name);
		value = next;
	}
	*ret = value;
	return NULL;
}

static struct status *eval_string(struct scanner *s, const cJSON **ret)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	char quote = *s->at++;
	while (*s->at && *s->at != quote) {
		char c = *s->at++;
		if (c == '\\' && quote == '"') {
			c = *s->at++;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
		}
		strbuf_addc(&text, c);
	}
	if (!*s->at)
		return user_error("template: output:1: unterminated quoted string");
	s->at++;
	*ret = tree_new_string(s->run->arena, text.buf);
	return NULL;
}

static struct status *eval_variable(struct scanner *s, const cJSON **ret)
{
	size_t size = 0;
	s->at++;
	while (is_name_char(s->at[size]))
		size++;
	char *name = arena_strndup(s->run->arena, s->at, size);
	s->at += size;
	if (!size)
		return eval_fields(s, s->run->root, ret);
	for (size_t i = s->run->n_variables; i-- > 0;)
		if (str_eq(s->run->variables[i].name, name))
			return eval_fields(s, s->run->variables[i].value, ret);
	return user_error("template: output:1: undefined variable \"$%s\"", name);
}

/* One operand; *ret_found is false where none stands (the end, a bar, a closing parenthesis). */
static struct status *eval_operand(struct scanner *s, const cJSON **ret, bool *ret_found)
{
	skip_space(s);
	*ret_found = true;
	if (!*s->at || *s->at == '|' || *s->at == ')') {
		*ret_found = false;
		return NULL;
	}
	if (*s->at == '"' || *s->at == '`')
		return eval_string(s, ret);
	if (*s->at == '$')
		return eval_variable(s, ret);
	if (*s->at == '(') {
		s->at++;
		if (++s->run->depth > MAX_DEPTH)
			return user_error("template: output:1: nested too deeply");
		TRY(eval_pipeline(s, ret));
		s->run->depth--;
		skip_space(s);
		if (*s->at != ')')
			return user_error("template: output:1: unclosed left paren");
		s->at++;
		return eval_fields(s, *ret, ret);
	}
	if (*s->at == '.' && !is_name_char(s->at[1])) {
		s->at++;
		*ret = s->dot;
		return NULL;
	}
	if (*s->at == '.')
		return eval_fields(s, s->dot, ret);
	size_t size = strcspn(s->at, " \t\r\n|()");
	char *word = arena_strndup(s->run->arena, s->at, size);
	int64_t number;
	s->at += size;
	if (str_eq(word, "true") || str_eq(word, "false"))
		*ret = boolean(s->run, *word == 't');
	else if (str_eq(word, "nil"))
		*ret = NULL;
	else if (str_to_int64(word, INT64_MIN, INT64_MAX, &number))
		*ret = tree_new_int(s->run->arena, number);
	else
		return user_error("template: output:1: function \"%s\" not defined", word);
	return NULL;
}

static char *as_text(struct run *r, const cJSON *v)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	if (!v || cJSON_IsNull(v))
		return arena_strdup(r->arena, "<no value>");
	obj_print_go(r->arena, &text, v);
	return arena_strdup(r->arena, text.buf);
}

static int compare(const cJSON *a, const cJSON *b)
{
	if (cJSON_IsNumber(a) && cJSON_IsNumber(b))
		return (a->valuedouble > b->valuedouble) - (a->valuedouble < b->valuedouble);
	return str_cmp(tree_string(a), tree_string(b));
}

static struct status *call_index(struct run *r, const cJSON **args, size_t n, const cJSON **ret)
{
	const cJSON *value = n ? args[0] : NULL;
	for (size_t i = 1; i < n; i++) {
		int64_t index;
		if (cJSON_IsArray(value)) {
			if (!tree_int(args[i], &index) || index < 0 || (size_t)index >= tree_size(value))
				return user_error("template: output:1: error calling index: index out of range: %s",
					as_text(r, args[i]));
			value = tree_at(value, (size_t)index);
		} else {
			value = tree_get(value, str_or_empty(tree_string(args[i])));
		}
	}
	*ret = value;
	return NULL;
}

static bool path_exists(const cJSON **args, size_t n)
{
	const cJSON *value = n ? args[0] : NULL;
	for (size_t i = 1; i < n && value; i++) {
		int64_t index;
		if (cJSON_IsArray(value))
			value = tree_int(args[i], &index) && index >= 0 ? tree_at(value, (size_t)index) : NULL;
		else
			value = cJSON_IsObject(value) ? tree_get(value, str_or_empty(tree_string(args[i]))) : NULL;
	}
	return value != NULL;
}

static struct status *call_printf(struct run *r, const cJSON **args, size_t n, const cJSON **ret)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	size_t used = 1;
	for (const char *f = n ? str_or_empty(tree_string(args[0])) : ""; *f; f++) {
		if (*f != '%' || !f[1]) {
			strbuf_addc(&text, *f);
			continue;
		}
		f++;
		if (*f == '%')
			strbuf_addc(&text, '%');
		else if (used < n && *f == 'q')
			strbuf_printf(&text, "\"%s\"", as_text(r, args[used++]));
		else if (used < n)
			strbuf_adds(&text, as_text(r, args[used++]));
	}
	*ret = tree_new_string(r->arena, text.buf);
	return NULL;
}

static const cJSON *call_print(struct run *r, const cJSON **args, size_t n, bool line)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&text, "%s%s", i && line ? " " : "", as_text(r, args[i]));
	if (line)
		strbuf_addc(&text, '\n');
	return tree_new_string(r->arena, text.buf);
}

static struct status *call_base64(struct run *r, const cJSON **args, size_t n, const cJSON **ret)
{
	const char *text = n ? str_or_empty(tree_string(args[0])) : "";
	uint8_t *data;
	size_t size;
	if (!base64_decode(r->arena, text, strlen(text), &data, &size))
		return user_error(
			"template: output:1: error calling base64decode: base64 decode failed: illegal base64 data");
	*ret = tree_new_string(r->arena, arena_strndup(r->arena, (const char *)data, size));
	return NULL;
}

static const char *const functions[] = {"index", "len", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "print",
	"printf", "println", "exists", "base64decode", "html", "js", "urlquery", NULL};

static bool any_equal(const cJSON **args, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (tree_equal(args[0], args[i]))
			return true;
	return false;
}

static const cJSON *choose(const cJSON **args, size_t n, bool stop_at)
{
	for (size_t i = 0; i < n; i++)
		if (truthy(args[i]) == stop_at)
			return args[i];
	return n ? args[n - 1] : NULL;
}

static struct status *call(struct run *r, const char *name, const cJSON **args, size_t n, const cJSON **ret)
{
	int order = n >= 2 ? compare(args[0], args[1]) : 0;
	if (str_eq(name, "index"))
		return call_index(r, args, n, ret);
	if (str_eq(name, "printf"))
		return call_printf(r, args, n, ret);
	if (str_eq(name, "base64decode"))
		return call_base64(r, args, n, ret);
	if (str_eq(name, "len"))
		*ret = tree_new_int(r->arena, n && cJSON_IsString(args[0]) ? (int64_t)strlen(args[0]->valuestring)
									   : (int64_t)tree_size(n ? args[0] : NULL));
	else if (str_eq(name, "eq"))
		*ret = boolean(r, any_equal(args, n));
	else if (str_eq(name, "ne"))
		*ret = boolean(r, !any_equal(args, n));
	else if (str_eq(name, "lt") || str_eq(name, "le"))
		*ret = boolean(r, order < 0 || (name[1] == 'e' && !order));
	else if (str_eq(name, "gt") || str_eq(name, "ge"))
		*ret = boolean(r, order > 0 || (name[1] == 'e' && !order));
	else if (str_eq(name, "and"))
		*ret = choose(args, n, false);
	else if (str_eq(name, "or"))
		*ret = choose(args, n, true);
	else if (str_eq(name, "not"))
		*ret = boolean(r, !truthy(n ? args[0] : NULL));
	else if (str_eq(name, "exists"))
		*ret = boolean(r, path_exists(args, n));
	else
		*ret = call_print(r, args, n, str_eq(name, "println"));
	return NULL;
}

/* One command of a pipeline: an operand, or a function with its arguments and what came through the pipe. */
static struct status *eval_command(struct scanner *s, const cJSON *piped, bool has_piped, const cJSON **ret)
{
	const cJSON *args[MAX_ARGS];
	size_t n = 0;
	bool found;
	skip_space(s);
	size_t size = strcspn(s->at, " \t\r\n|()");
	char *word = arena_strndup(s->run->arena, s->at, size);
	bool is_function = str_in(word, functions);
	if (!is_function)
		return eval_operand(s, ret, &found);
	s->at += size;
	for (;;) {
		const cJSON *value = NULL;
		TRY(eval_operand(s, &value, &found));
		if (!found)
			break;
		if (n == MAX_ARGS - 1)
			return user_error("template: output:1: too many arguments for %s", word);
		args[n++] = value;
	}
	if (has_piped)
		args[n++] = piped;
	return call(s->run, word, args, n, ret);
}

static struct status *eval_pipeline(struct scanner *s, const cJSON **ret)
{
	const cJSON *value = NULL;
	bool piped = false;
	for (;;) {
		TRY(eval_command(s, value, piped, &value));
		skip_space(s);
		if (*s->at != '|')
			break;
		s->at++;
		piped = true;
	}
	*ret = value;
	return NULL;
}

static struct status *declare(struct run *r, const char *name, const cJSON *value)
{
	if (r->n_variables == MAX_VARIABLES)
		return user_error("template: output:1: too many variables");
	r->variables[r->n_variables++] = (struct variable){name, value};
	return NULL;
}

/* A pipeline with the variables it declares in front: "$k, $v := ...". */
struct declared {
	const char *names[2];
	size_t n_names;
	bool assign;
};

static const char *split_declaration(struct run *r, const char *text, struct declared *ret)
{
	const char *at = text + strspn(text, " \t");
	*ret = (struct declared){0};
	while (*at == '$' && ret->n_names < 2) {
		size_t size = 1;
		while (is_name_char(at[size]))
			size++;
		ret->names[ret->n_names++] = arena_strndup(r->arena, at + 1, size - 1);
		at += size;
		at += strspn(at, " \t");
		if (*at == ',') {
			at++;
			at += strspn(at, " \t");
			continue;
		}
		if (at[0] == ':' && at[1] == '=')
			return at + 2;
		if (at[0] == '=' && at[1] != '=') {
			ret->assign = true;
			return at + 1;
		}
		break;
	}
	ret->n_names = 0;
	return text;
}

static struct status *evaluate(
	struct run *r, const cJSON *dot, const char *text, struct declared *names, const cJSON **ret)
{
	struct scanner s = {.run = r, .dot = dot, .at = split_declaration(r, text, names)};
	*ret = NULL;
	TRY(eval_pipeline(&s, ret));
	skip_space(&s);
	return *s.at ? user_error("template: output:1: unexpected \"%s\" in operand", s.at) : NULL;
}

static struct status *execute(struct run *r, const struct node *nodes, const cJSON *dot);

static struct status *execute_range(
	struct run *r, const struct node *node, const cJSON *value, const struct declared *names)
{
	size_t kept = r->n_variables, n = 0, i = 0;
	if (!value || !value->child)
		return execute(r, node->otherwise, value);
	cJSON **members = cJSON_IsObject(value) ? obj_sorted(r->arena, value, &n) : NULL;
	n = members ? n : tree_size(value);
	for (const cJSON *item = members ? members[0] : value->child; i < n; i++) {
		const cJSON *key =
			members ? tree_new_string(r->arena, item->string) : tree_new_int(r->arena, (int64_t)i);
		if (names->n_names == 2)
			TRY(declare(r, names->names[0], key));
		if (names->n_names)
			TRY(declare(r, names->names[names->n_names - 1], item));
		TRY(execute(r, node->body, item));
		r->n_variables = kept;
		item = members ? (i + 1 < n ? members[i + 1] : NULL) : item->next;
	}
	return NULL;
}

static struct status *execute_pipe(struct run *r, const struct node *node, const cJSON *dot)
{
	struct declared names;
	const cJSON *value;
	TRY(evaluate(r, dot, node->text, &names, &value));
	if (!names.n_names) {
		strbuf_adds(r->out, as_text(r, value));
		return NULL;
	}
	if (!names.assign)
		return declare(r, names.names[0], value);
	for (size_t i = r->n_variables; i-- > 0;) {
		if (str_eq(r->variables[i].name, names.names[0])) {
			r->variables[i].value = value;
			return NULL;
		}
	}
	return user_error("template: output:1: undefined variable \"$%s\"", names.names[0]);
}

static struct status *execute_block(struct run *r, const struct node *node, const cJSON *dot)
{
	struct declared names;
	const cJSON *value;
	size_t kept = r->n_variables;
	struct status *s;
	TRY(evaluate(r, dot, node->text, &names, &value));
	if (node->type == NODE_RANGE) {
		s = execute_range(r, node, value, &names);
	} else {
		if (names.n_names)
			TRY(declare(r, names.names[0], value));
		bool yes = truthy(value);
		s = execute(r, yes ? node->body : node->otherwise, yes && node->type == NODE_WITH ? value : dot);
	}
	r->n_variables = kept;
	return s;
}

static struct status *execute(struct run *r, const struct node *nodes, const cJSON *dot)
{
	for (const struct node *node = nodes; node; node = node->next) {
		if (node->type == NODE_TEXT)
			strbuf_adds(r->out, node->text);
		else if (node->type == NODE_PIPE)
			TRY(execute_pipe(r, node, dot));
		else
			TRY(execute_block(r, node, dot));
	}
	return NULL;
}

struct status *template_print(
	struct arena *arena, const struct template *t, const cJSON *object, bool allow_missing, struct strbuf *out)
{
	struct run *r = ARENA_NEW(arena, struct run);
	r->arena = arena;
	r->out = out;
	r->allow_missing = allow_missing;
	r->root = object;
	return execute(r, t->nodes, object);
}
