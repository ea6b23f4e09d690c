#include "api/tree.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/go_text.h"
#include "api/internal.h"
#include "api/tree_index.h"
#include "base/mem.h"

#define MAX_TREE_DEPTH 2000

static cJSON *new_node(struct arena *arena, int type)
{
	cJSON *node = ARENA_NEW(arena, cJSON);

	node->type = type;
	return node;
}

cJSON *tree_new_object(struct arena *arena)
{
	return new_node(arena, cJSON_Object);
}

cJSON *tree_new_array(struct arena *arena)
{
	return new_node(arena, cJSON_Array);
}

cJSON *tree_new_null(struct arena *arena)
{
	return new_node(arena, cJSON_NULL);
}

cJSON *tree_new_bool(struct arena *arena, bool value)
{
	return new_node(arena, value ? cJSON_True : cJSON_False);
}

cJSON *tree_new_number(struct arena *arena, const char *text, size_t size)
{
	cJSON *node = new_node(arena, cJSON_Number);
	int64_t exact;

	node->valuestring = arena_strndup(arena, text, size);
	json_number_double(text, size, &node->valuedouble);
	if (json_number_int64(text, size, &exact))
		node->valueint = exact > INT32_MAX ? INT32_MAX : exact < INT32_MIN ? INT32_MIN : (int)exact;
	return node;
}

cJSON *tree_new_int(struct arena *arena, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	return tree_new_number(arena, text, (size_t)n);
}

cJSON *tree_new_double(struct arena *arena, double value)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;

	json_add_double(&text, value);
	return tree_new_number(arena, text.buf, text.len);
}

cJSON *tree_new_string(struct arena *arena, const char *s)
{
	cJSON *node = new_node(arena, cJSON_String);

	node->valuestring = arena_strdup(arena, str_or_empty(s));
	return node;
}

/* The first child's prev is the last child, as cJSON keeps it: appending takes no walk. */
static void append(cJSON *parent, cJSON *child)
{
	child->next = NULL;
	if (!parent->child) {
		parent->child = child;
		child->prev = child;
		return;
	}
	cJSON *last = parent->child->prev;
	last->next = child;
	child->prev = last;
	parent->child->prev = child;
}

void tree_unlink(cJSON *parent, cJSON *child)
{
	struct tree_index *index = tree_index_of(parent);
	if (index)
		tree_index_remove(index, child);
	if (child == parent->child) {
		parent->child = child->next;
		if (parent->child)
			parent->child->prev = child->prev;
	} else {
		child->prev->next = child->next;
		if (child->next)
			child->next->prev = child->prev;
		else
			parent->child->prev = child->prev;
	}
	child->next = child->prev = NULL;
}

static void replace_child(cJSON *parent, cJSON *old, cJSON *value)
{
	value->next = old->next;
	value->prev = old->prev == old ? value : old->prev;
	if (parent->child == old)
		parent->child = value;
	else
		old->prev->next = value;
	if (value->next)
		value->next->prev = value;
	else
		parent->child->prev = value;
	old->next = old->prev = NULL;
}

struct parser {
	struct json_reader r;
	struct arena *arena;
	struct json_strict *strict;
};

struct place {
	const struct place *up;
	const char *name;
	size_t index;
};

static void add_place(struct strbuf *out, const struct place *at)
{
	if (!at)
		return;
	add_place(out, at->up);
	if (!at->name) {
		strbuf_printf(out, "[%zu]", at->index);
		return;
	}
	if (out->len)
		strbuf_addc(out, '.');
	strbuf_adds(out, at->name);
}

static void duplicate(struct parser *p, const struct place *at)
{
	CLEANUP(strbuf_done) struct strbuf path = STRBUF_INIT;

	if (!p->strict || p->strict->n_errors >= 100)
		return;
	add_place(&path, at);
	char *error = arena_printf(p->arena, "duplicate field %s", go_quote(p->arena, path.buf));
	if (!str_in_n(error, p->strict->errors, p->strict->n_errors))
		ARENA_PUSH(p->arena, p->strict->errors, p->strict->n_errors) = error;
}

static cJSON *parse_value(struct parser *p, const struct place *at);

struct member {
	cJSON *node;
	size_t position;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = strcmp(x->node->string, y->node->string);

	return c ? c : x->position < y->position ? -1 : 1;
}

/* Of members with one name the last stays. Small objects are searched, large ones sorted. */
static void settle_members(struct parser *p, cJSON *object, size_t n, const struct place *at)
{
	struct member *all = ARENA_ARRAY(p->arena, struct member, n);
	size_t i = 0;

	TREE_FOREACH (child, object) {
		all[i] = (struct member){child, i};
		i++;
	}
	qsort(all, n, sizeof(*all), compare_members);
	for (i = 0; i + 1 < n; i++) {
		if (strcmp(all[i].node->string, all[i + 1].node->string))
			continue;
		struct place here = {.up = at, .name = all[i].node->string};
		duplicate(p, &here);
		tree_unlink(object, all[i].node);
	}
}

static bool has_duplicates(const cJSON *object, size_t n)
{
	if (n > 32)
		return true; /* not known: sorting finds out */
	TREE_FOREACH (a, object)
		for (const cJSON *b = a->next; b; b = b->next)
			if (!strcmp(a->string, b->string))
				return true;
	return false;
}

static cJSON *parse_object(struct parser *p, const struct place *at)
{
	cJSON *object = tree_new_object(p->arena);
	const char *name;
	size_t size, n = 0;
	bool first = true;

	if (!json_enter(&p->r))
		return NULL;
	for (; json_next_member(&p->r, &first, &name, &size); n++) {
		struct place here = {.up = at, .name = arena_strndup(p->arena, name, size)};
		cJSON *child = parse_value(p, &here);
		if (!child)
			return NULL;
		child->string = (char *)(uintptr_t)here.name;
		append(object, child);
	}
	if (p->r.error)
		return NULL;
	if (n > 1 && has_duplicates(object, n))
		settle_members(p, object, n, at);
	return object;
}

static cJSON *parse_array(struct parser *p, const struct place *at)
{
	cJSON *array = tree_new_array(p->arena);
	struct place here = {.up = at};
	bool first = true;

	if (!json_enter(&p->r))
		return NULL;
	for (; json_next_element(&p->r, &first); here.index++) {
		cJSON *child = parse_value(p, &here);
		if (!child)
			return NULL;
		append(array, child);
	}
	return p->r.error ? NULL : array;
}

/* What no float64 holds is refused, as the original's decoder does, lest it be something else to the next reader. */
static cJSON *parse_number(struct parser *p)
{
	const char *text;
	size_t size;

	if (!json_read_number(&p->r, &text, &size))
		return NULL;
	cJSON *node = tree_new_number(p->arena, text, size);
	if (!isinf(node->valuedouble))
		return node;
	p->r.error = arena_printf(
		p->arena, "json: cannot unmarshal number %.*s into Go value of type float64", (int)size, text);
	p->r.error_at = text;
	return NULL;
}

static cJSON *parse_value(struct parser *p, const struct place *at)
{
	enum json_type type = json_peek(&p->r);
	const char *text;
	size_t size;

	switch (type) {
	case JSON_END:
		return NULL;
	case JSON_NULL:
		return json_read_literal(&p->r) ? tree_new_null(p->arena) : NULL;
	case JSON_TRUE:
	case JSON_FALSE:
		return json_read_literal(&p->r) ? tree_new_bool(p->arena, type == JSON_TRUE) : NULL;
	case JSON_NUMBER:
		return parse_number(p);
	case JSON_ARRAY:
		return parse_array(p, at);
	case JSON_OBJECT:
		return parse_object(p, at);
	case JSON_STRING:
		break;
	}
	if (!json_read_string(&p->r, &text, &size))
		return NULL;
	cJSON *node = new_node(p->arena, cJSON_String);
	node->valuestring = arena_strndup(p->arena, text, size);
	return node;
}

struct status *tree_parse(
	struct arena *arena, const char *data, size_t size, const struct json_options *options, cJSON **ret_tree)
{
	static const struct json_options lenient = JSON_LENIENT;
	struct parser p = {.arena = arena};

	options = options ? options : &lenient;
	size_t max_size = options->max_size ? options->max_size : JSON_MAX_SIZE;
	size_t max_depth =
		options->max_depth && options->max_depth < MAX_TREE_DEPTH ? options->max_depth : MAX_TREE_DEPTH;
	if (size > max_size)
		return status_new(
			STATUS_TOO_LARGE, "the text of %zu bytes is larger than the limit of %zu", size, max_size);
	p.strict = options->strict;
	json_reader_init(&p.r, arena, data, size, max_depth);
	p.r.no_place = options->no_place;
	cJSON *tree = parse_value(&p, NULL);
	if (!tree || !json_at_end(&p.r))
		return json_reader_error(&p.r);
	*ret_tree = tree;
	return NULL;
}

struct printer {
	struct strbuf *out;
	bool sorted, html_escape;
};

static int compare_nodes(const void *a, const void *b)
{
	return str_cmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

static void print_node(struct printer *p, const cJSON *node, int depth);

static void print_member(struct printer *p, const cJSON *child, bool first, int depth)
{
	if (!first)
		strbuf_addc(p->out, ',');
	json_add_string(p->out, str_or_empty(child->string), strlen(str_or_empty(child->string)), p->html_escape);
	strbuf_addc(p->out, ':');
	print_node(p, child, depth + 1);
}

static void print_object(struct printer *p, const cJSON *node, int depth)
{
	size_t n = tree_size(node), i = 0;

	strbuf_addc(p->out, '{');
	if (p->sorted && n > 1) {
		CLEANUP(arena_freep) struct arena *arena = arena_new_sized(n * sizeof(cJSON *) + 64);
		const cJSON **children = ARENA_ARRAY(arena, const cJSON *, n);
		TREE_FOREACH (child, node)
			children[i++] = child;
		qsort(children, n, sizeof(*children), compare_nodes);
		for (i = 0; i < n; i++)
			print_member(p, children[i], i == 0, depth);
	} else {
		TREE_FOREACH (child, node)
			print_member(p, child, child == node->child, depth);
	}
	strbuf_addc(p->out, '}');
}

static void print_node(struct printer *p, const cJSON *node, int depth)
{
	switch (node->type & 0xff) {
	case cJSON_False:
		strbuf_adds(p->out, "false");
		break;
	case cJSON_True:
		strbuf_adds(p->out, "true");
		break;
	case cJSON_Number:
		if (node->valuestring)
			strbuf_adds(p->out, node->valuestring);
		else
			json_add_double(p->out, node->valuedouble);
		break;
	case cJSON_String:
		json_add_string(p->out, str_or_empty(node->valuestring), strlen(str_or_empty(node->valuestring)),
			p->html_escape);
		break;
	case cJSON_Array:
		strbuf_addc(p->out, '[');
		TREE_FOREACH (child, node) {
			if (child != node->child)
				strbuf_addc(p->out, ',');
			print_node(p, child, depth + 1);
		}
		strbuf_addc(p->out, ']');
		break;
	case cJSON_Object:
		print_object(p, node, depth);
		break;
	default:
		strbuf_adds(p->out, "null");
	}
}

void tree_print(struct strbuf *out, const cJSON *tree, unsigned flags)
{
	CLEANUP(strbuf_done) struct strbuf compact = STRBUF_INIT;
	struct printer p = {flags & JSON_PRETTY ? &compact : out, flags & TREE_SORTED, !(flags & JSON_NO_HTML_ESCAPE)};

	print_node(&p, tree, 0);
	if (flags & JSON_PRETTY)
		json_add_indented(out, compact.buf, compact.len, flags & JSON_INDENT2 ? 2 : 4);
	if (flags & JSON_NEWLINE)
		strbuf_addc(out, '\n');
}

char *tree_to_string(struct arena *arena, const cJSON *tree, unsigned flags)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	tree_print(&out, tree, flags);
	return arena_strndup(arena, out.buf, out.len);
}

cJSON *tree_copy(struct arena *arena, const cJSON *tree)
{
	if (!tree)
		return NULL;
	cJSON *copy = new_node(arena, tree->type & 0xff);
	copy->valuedouble = tree->valuedouble;
	copy->valueint = tree->valueint;
	if (!cJSON_IsObject(tree))
		copy->valuestring = arena_strdup(arena, tree->valuestring);
	copy->string = arena_strdup(arena, tree->string);
	TREE_FOREACH (child, tree)
		append(copy, tree_copy(arena, child));
	return copy;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

void tree_sort(struct arena *arena, cJSON *tree)
{
	cJSON **members = NULL;
	size_t n = 0;
	TREE_FOREACH (child, tree) {
		tree_sort(arena, child);
		ARENA_PUSH(arena, members, n) = child;
	}
	if (!cJSON_IsObject(tree) || n < 2)
		return;
	qsort(members, n, sizeof(*members), by_name);
	tree->child = NULL;
	for (size_t i = 0; i < n; i++) {
		members[i]->next = members[i]->prev = NULL;
		append(tree, members[i]);
	}
}

cJSON *tree_get(const cJSON *object, const char *name)
{
	const struct tree_index *index = tree_index_of(object);
	if (index)
		return tree_index_get(index, name);
	if (!cJSON_IsObject(object))
		return NULL;
	TREE_FOREACH (child, object)
		if (!strcmp(child->string, name))
			return child;
	return NULL;
}

cJSON *tree_at(const cJSON *array, size_t index)
{
	if (!cJSON_IsArray(array))
		return NULL;
	TREE_FOREACH (child, array)
		if (!index--)
			return child;
	return NULL;
}

cJSON *tree_get_path(const cJSON *tree, ...)
{
	cJSON *node = (cJSON *)(uintptr_t)tree;
	const char *name;
	va_list args;

	va_start(args, tree);
	while (node && (name = va_arg(args, const char *)))
		node = tree_get(node, name);
	va_end(args);
	return node;
}

const char *tree_string(const cJSON *node)
{
	return cJSON_IsString(node) ? node->valuestring : NULL;
}

bool tree_int(const cJSON *node, int64_t *ret_value)
{
	if (!cJSON_IsNumber(node) || !node->valuestring)
		return false;
	return json_number_int64(node->valuestring, strlen(node->valuestring), ret_value);
}

size_t tree_size(const cJSON *node)
{
	size_t n = 0;

	TREE_FOREACH (child, node)
		n++;
	return n;
}

static bool equal_numbers(const cJSON *a, const cJSON *b)
{
	int64_t x, y;

	if (a->valuestring && b->valuestring && !strcmp(a->valuestring, b->valuestring))
		return true;
	if (tree_int(a, &x) && tree_int(b, &y))
		return x == y;
	return a->valuedouble == b->valuedouble;
}

enum { FEW_MEMBERS = 16 };

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static const cJSON **members_by_name(const cJSON *object, size_t n)
{
	const cJSON **all = mem_calloc(n, sizeof(*all));
	size_t i = 0;
	TREE_FOREACH (child, object)
		all[i++] = child;
	qsort(all, n, sizeof(*all), compare_names);
	return all;
}

/* Many members in different orders: each is found beside its like once both are sorted. */
static bool equal_many(const cJSON *a, const cJSON *b, size_t n)
{
	CLEANUP_FREE const cJSON **x = members_by_name(a, n);
	CLEANUP_FREE const cJSON **y = members_by_name(b, n);
	for (size_t i = 0; i < n; i++)
		if (!str_eq(x[i]->string, y[i]->string) || !tree_equal(x[i], y[i]))
			return false;
	return true;
}

static bool equal_children(const cJSON *a, const cJSON *b)
{
	const size_t n = tree_size(a);
	if (n != tree_size(b))
		return false;
	const cJSON *y = b->child;
	TREE_FOREACH (x, a) {
		const bool beside = cJSON_IsArray(a) || str_eq(x->string, y->string);
		if (!beside && n > FEW_MEMBERS)
			return equal_many(a, b, n);
		const cJSON *other = beside ? y : tree_get(b, x->string);
		if (!other || !tree_equal(x, other))
			return false;
		y = y->next;
	}
	return true;
}

bool tree_equal(const cJSON *a, const cJSON *b)
{
	if (a == b)
		return true;
	if (!a || !b || (a->type & 0xff) != (b->type & 0xff))
		return false;
	switch (a->type & 0xff) {
	case cJSON_Number:
		return equal_numbers(a, b);
	case cJSON_String:
		return str_eq(a->valuestring, b->valuestring);
	case cJSON_Array:
	case cJSON_Object:
		return equal_children(a, b);
	default:
		return true;
	}
}

/* Objects with more members than this get an index as soon as members are set. */
#define FEW_MEMBERS 64

void tree_prepare(struct arena *arena, cJSON *object)
{
	size_t n = 0;
	if (!cJSON_IsObject(object) || tree_index_of(object))
		return;
	TREE_FOREACH (child, object)
		if (++n > FEW_MEMBERS) {
			tree_index_make(arena, object);
			return;
		}
}

void tree_set(struct arena *arena, cJSON *object, const char *name, cJSON *value)
{
	tree_prepare(arena, object);
	struct tree_index *index = tree_index_of(object);
	cJSON *old = tree_get(object, name);

	if (old == value)
		return;
	value->string = arena_strdup(arena, name);
	if (old)
		replace_child(object, old, value);
	else
		append(object, value);
	if (index && old)
		tree_index_replace(index, old, value);
	else if (index)
		tree_index_add(arena, index, value);
}

void tree_set_string(struct arena *arena, cJSON *object, const char *name, const char *value)
{
	tree_set(arena, object, name, tree_new_string(arena, value));
}

cJSON *tree_remove(cJSON *object, const char *name)
{
	cJSON *child = tree_get(object, name);

	if (child)
		tree_unlink(object, child);
	return child;
}

void tree_append(cJSON *array, cJSON *value)
{
	tree_index_drop(array);
	append(array, value);
}

void tree_insert(cJSON *array, size_t index, cJSON *value)
{
	cJSON *before = tree_at(array, index);

	if (!before) {
		append(array, value);
		return;
	}
	value->next = before;
	value->prev = before->prev;
	if (array->child == before)
		array->child = value;
	else
		before->prev->next = value;
	before->prev = value;
}

cJSON *tree_remove_at(cJSON *array, size_t index)
{
	cJSON *child = tree_at(array, index);

	if (child)
		tree_unlink(array, child);
	return child;
}

struct status *tree_to_typed(struct arena *arena, const cJSON *tree, const struct schema_type *type,
	const struct json_options *options, void *ret_msg)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;

	tree_print(&text, tree, JSON_NO_HTML_ESCAPE);
	if (!type)
		return json_decode_any(arena, text.buf, text.len, options, ret_msg);
	return json_decode(arena, type, text.buf, text.len, options, ret_msg);
}

cJSON *tree_from_typed(struct arena *arena, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	cJSON *tree = NULL;

	json_encode(&text, msg, JSON_NO_HTML_ESCAPE);
	status_drop(tree_parse(arena, text.buf, text.len, NULL, &tree), "our own encoder's text is valid");
	return tree ? tree : tree_new_null(arena);
}
