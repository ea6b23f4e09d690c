#include "api/fieldset.h"
#include <string.h>
#include "api/fieldset_internal.h"
#include "api/internal.h"
#include "api/json.h"

#define FIRST_NODES 4 /* a power of two */

/* --- building --- */

struct fieldset *fieldset_new(struct arena *arena)
{
	return ARENA_NEW(arena, struct fieldset);
}

/* Room for another node: for some at first, then for twice as many when it is full, which it is at powers of two. */
static struct field_node *new_node(struct arena *arena, struct fieldset *set)
{
	const size_t n = set->n_nodes++;
	if (!n || (n >= FIRST_NODES && !(n & (n - 1)))) {
		struct field_node *grown = arena_alloc(arena, (n ? 2 * n : FIRST_NODES) * sizeof(*grown));
		if (n)
			memcpy(grown, set->nodes, n * sizeof(*grown));
		set->nodes = grown;
	}
	return &set->nodes[n];
}

void fieldset_add(struct arena *arena, struct fieldset *set, struct field_element element, bool member,
	const struct fieldset *below)
{
	if (member || !fieldset_empty(below))
		*new_node(arena, set) = (struct field_node){element, member, fieldset_empty(below) ? NULL : below};
}

static int compare_nodes(const struct field_node *a, const struct field_node *b)
{
	return field_element_compare(&a->element, &b->element);
}

/* Stable, and quick for what is short or nearly sorted, as fields and items are; halves first when it is long. */
static void sort_nodes(struct arena *arena, struct field_node *nodes, size_t n)
{
	if (n > 24) {
		size_t half = n / 2, i = 0, k = 0, j = half;
		sort_nodes(arena, nodes, half);
		sort_nodes(arena, nodes + half, n - half);
		if (compare_nodes(&nodes[half - 1], &nodes[half]) <= 0)
			return;
		struct field_node *left = arena_dup(arena, nodes, half * sizeof(*nodes));
		while (i < half)
			nodes[k++] = j < n && compare_nodes(&nodes[j], &left[i]) < 0 ? nodes[j++] : left[i++];
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct field_node node = nodes[i];
		size_t at = i;
		for (; at && compare_nodes(&nodes[at - 1], &node) > 0; at--)
			nodes[at] = nodes[at - 1];
		nodes[at] = node;
	}
}

const struct fieldset *fieldset_finish(struct arena *arena, struct fieldset *set)
{
	if (!set || !set->n_nodes)
		return NULL;
	/* Mostly they stand in order already. */
	size_t n = 1;
	while (n < set->n_nodes && compare_nodes(&set->nodes[n - 1], &set->nodes[n]) < 0)
		n++;
	if (n == set->n_nodes)
		return set;
	sort_nodes(arena, set->nodes, set->n_nodes);
	n = 1;
	for (size_t i = 1; i < set->n_nodes; i++) {
		struct field_node *last = &set->nodes[n - 1], *node = &set->nodes[i];
		if (compare_nodes(last, node)) {
			set->nodes[n++] = *node;
			continue;
		}
		last->member |= node->member;
		last->below = fieldset_union(arena, last->below, node->below);
	}
	set->n_nodes = n;
	return set;
}

const struct fieldset *fieldset_of_path(struct arena *arena, const char *const *path)
{
	if (!*path)
		return NULL;
	struct fieldset *set = fieldset_new(arena);
	const struct fieldset *below = fieldset_of_path(arena, path + 1);
	fieldset_add(arena, set, field_name_element(*path, strlen(*path)), !below, below);
	return set;
}

const struct fieldset *fieldset_of_paths(struct arena *arena, const field_path *paths, size_t n_paths)
{
	const struct fieldset *set = NULL;
	for (size_t i = 0; i < n_paths; i++)
		set = fieldset_union(arena, set, fieldset_of_path(arena, paths[i]));
	return set;
}

/* --- asking --- */

bool fieldset_equal(const struct fieldset *a, const struct fieldset *b)
{
	if (a == b || (fieldset_empty(a) && fieldset_empty(b)))
		return true;
	if (fieldset_empty(a) || fieldset_empty(b) || a->n_nodes != b->n_nodes)
		return false;
	for (size_t i = 0; i < a->n_nodes; i++)
		if (a->nodes[i].member != b->nodes[i].member || compare_nodes(&a->nodes[i], &b->nodes[i]) ||
			!fieldset_equal(a->nodes[i].below, b->nodes[i].below))
			return false;
	return true;
}

const struct field_node *fieldset_find(const struct fieldset *set, const struct field_element *element)
{
	size_t low = 0, high = set ? set->n_nodes : 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int c = field_element_compare(element, &set->nodes[middle].element);
		if (!c)
			return &set->nodes[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool fieldset_has_path(const struct fieldset *set, const char *const *path)
{
	const struct field_node *node = NULL;
	for (; *path; path++) {
		const struct field_element element = field_name_element(*path, strlen(*path));
		node = fieldset_find(node ? node->below : set, &element);
		if (!node)
			return false;
	}
	return node && node->member;
}

/* --- algebra --- */

/* A set that grows by nodes in order; nothing is made as long as it is the beginning of another. */
struct output {
	struct arena *arena;
	const struct fieldset *source;
	struct fieldset *set;
	size_t n; /* nodes taken, while they are the source's first */
};

static bool same_node(const struct field_node *a, const struct field_node *b)
{
	return a->member == b->member && a->below == b->below && a->element.text == b->element.text;
}

static void emit(struct output *out, struct field_node node)
{
	if (!node.member && fieldset_empty(node.below))
		return;
	if (!out->set && out->n < out->source->n_nodes && same_node(&out->source->nodes[out->n], &node)) {
		out->n++;
		return;
	}
	if (!out->set) {
		out->set = fieldset_new(out->arena);
		for (size_t i = 0; i < out->n; i++)
			ARENA_PUSH(out->arena, out->set->nodes, out->set->n_nodes) = out->source->nodes[i];
	}
	ARENA_PUSH(out->arena, out->set->nodes, out->set->n_nodes) = node;
}

static const struct fieldset *emitted(struct output *out)
{
	if (!out->set && out->n == out->source->n_nodes)
		return out->source;
	if (!out->set && out->n) {
		out->set = fieldset_new(out->arena);
		out->set->nodes = out->source->nodes;
		out->set->n_nodes = out->n;
	}
	return out->set;
}

const struct fieldset *fieldset_union(struct arena *arena, const struct fieldset *a, const struct fieldset *b)
{
	if (fieldset_empty(a) || a == b)
		return b;
	if (fieldset_empty(b))
		return a;
	struct output out = {.arena = arena, .source = a};
	size_t i = 0, j = 0;
	while (i < a->n_nodes || j < b->n_nodes) {
		int c = i == a->n_nodes ? 1 : j == b->n_nodes ? -1 : compare_nodes(&a->nodes[i], &b->nodes[j]);
		if (c < 0) {
			emit(&out, a->nodes[i++]);
		} else if (c > 0) {
			emit(&out, b->nodes[j++]);
		} else {
			const struct field_node *x = &a->nodes[i++], *y = &b->nodes[j++];
			emit(&out, (struct field_node){x->element, x->member || y->member,
					   fieldset_union(arena, x->below, y->below)});
		}
	}
	return emitted(&out);
}

const struct fieldset *fieldset_intersection(struct arena *arena, const struct fieldset *a, const struct fieldset *b)
{
	if (fieldset_empty(a) || fieldset_empty(b))
		return NULL;
	struct output out = {.arena = arena, .source = a};
	for (size_t i = 0, j = 0; i < a->n_nodes && j < b->n_nodes;) {
		int c = compare_nodes(&a->nodes[i], &b->nodes[j]);
		if (!c)
			emit(&out, (struct field_node){a->nodes[i].element, a->nodes[i].member && b->nodes[j].member,
					   fieldset_intersection(arena, a->nodes[i].below, b->nodes[j].below)});
		i += c <= 0;
		j += c >= 0;
	}
	return emitted(&out);
}

static const struct fieldset *subtract(
	struct arena *arena, const struct fieldset *a, const struct fieldset *b, bool with_below)
{
	if (fieldset_empty(a) || fieldset_empty(b))
		return a;
	struct output out = {.arena = arena, .source = a};
	for (size_t i = 0, j = 0; i < a->n_nodes;) {
		const struct field_node *x = &a->nodes[i];
		int c = j == b->n_nodes ? -1 : compare_nodes(x, &b->nodes[j]);
		if (c > 0) {
			j++;
			continue;
		}
		i++;
		if (c < 0) {
			emit(&out, *x);
			continue;
		}
		const struct field_node *y = &b->nodes[j++];
		if (!with_below || !y->member)
			emit(&out, (struct field_node){x->element, x->member && !y->member,
					   subtract(arena, x->below, y->below, with_below)});
	}
	return emitted(&out);
}

const struct fieldset *fieldset_difference(struct arena *arena, const struct fieldset *a, const struct fieldset *b)
{
	return subtract(arena, a, b, false);
}

const struct fieldset *fieldset_without(struct arena *arena, const struct fieldset *a, const struct fieldset *b)
{
	return subtract(arena, a, b, true);
}

/* --- text --- */

static bool parse_node(struct arena *arena, struct json_reader *r, const struct fieldset **ret_below, bool *ret_member);

static bool parse_member(
	struct arena *arena, struct json_reader *r, struct fieldset *set, const char *name, size_t size, bool *member)
{
	struct field_element element;
	if (size == 1 && *name == '.') {
		*member = true;
		return json_skip(r, NULL, NULL);
	}
	switch (field_element_parse(arena, name, size, &element)) {
	case FIELD_PARSE_BAD:
		r->error = "a path element is expected";
		return false;
	case FIELD_PARSE_UNKNOWN:
		return json_skip(r, NULL, NULL);
	case FIELD_PARSE_OK:
		break;
	}
	const struct fieldset *below;
	bool is_member;
	if (!parse_node(arena, r, &below, &is_member))
		return false;
	fieldset_add(arena, set, element, is_member, below);
	return true;
}

/* What holds nothing is a member itself. */
static bool parse_node(struct arena *arena, struct json_reader *r, const struct fieldset **ret_below, bool *ret_member)
{
	const char *name;
	size_t size;
	bool first = true;
	*ret_below = NULL;
	*ret_member = true;
	if (json_peek(r) == JSON_NULL)
		return json_read_literal(r);
	if (json_peek(r) != JSON_OBJECT)
		return false;
	struct fieldset set = {0};
	bool member = false;
	if (!json_enter(r))
		return false;
	while (json_next_member(r, &first, &name, &size))
		if (!parse_member(arena, r, &set, name, size, &member))
			return false;
	if (r->error)
		return false;
	if (set.n_nodes) {
		*ret_below = fieldset_finish(arena, arena_dup(arena, &set, sizeof(set)));
		*ret_member = member;
	}
	return true;
}

/*
 * Sets as servers write them: objects of objects without a space, names in which only quotes and backslashes are
 * escaped. Whatever is not so is left to the reader of any JSON above.
 */
#define PLAIN_DEPTH 64

struct plain_text {
	const char *at, *end;
	struct arena *arena;
	size_t depth;
};

static bool take_char(struct plain_text *t, char c)
{
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

/* The rest of a name that has escapes, from its first one on. */
static bool unescape_name(struct plain_text *t, const char *start, const char **ret_name, size_t *ret_size)
{
	const char *p = t->at, *quote = p;
	while (quote < t->end && *quote != '"')
		quote += *quote == '\\' ? 2 : 1;
	if (quote >= t->end)
		return false;
	char *name = arena_alloc(t->arena, (size_t)(quote - start) + 1),
	     *to = mempcpy(name, start, (size_t)(p - start));
	while (p < quote) {
		if (*p != '\\' || (p[1] != '"' && p[1] != '\\'))
			return false;
		*to++ = p[1];
		const char *run = p += 2;
		p = json_skip_plain(p, quote, false);
		to = mempcpy(to, run, (size_t)(p - run));
	}
	t->at = quote + 1;
	*ret_name = name;
	*ret_size = (size_t)(to - name);
	return true;
}

static bool take_name(struct plain_text *t, const char **ret_name, size_t *ret_size)
{
	if (!take_char(t, '"'))
		return false;
	const char *start = t->at;
	t->at = json_skip_plain(start, t->end, false);
	if (t->at < t->end && *t->at == '\\')
		return unescape_name(t, start, ret_name, ret_size);
	*ret_name = start;
	*ret_size = (size_t)(t->at - start);
	return take_char(t, '"');
}

static bool parse_plain(struct plain_text *t, const struct fieldset **ret_below, bool *ret_member);

static bool parse_plain_member(struct plain_text *t, struct fieldset *set, bool *member)
{
	const char *name;
	size_t size;
	struct field_element element;
	const struct fieldset *below;
	bool is_member;
	if (!take_name(t, &name, &size) || !take_char(t, ':'))
		return false;
	bool self = size == 1 && *name == '.';
	if (!self && field_element_parse(t->arena, name, size, &element) != FIELD_PARSE_OK)
		return false;
	if (!parse_plain(t, &below, &is_member))
		return false;
	if (self)
		*member = true;
	else
		fieldset_add(t->arena, set, element, is_member, below);
	return true;
}

static bool parse_plain(struct plain_text *t, const struct fieldset **ret_below, bool *ret_member)
{
	struct fieldset set = {0};
	bool member = false;
	*ret_below = NULL;
	*ret_member = true;
	if (!take_char(t, '{'))
		return false;
	if (take_char(t, '}'))
		return true;
	if (++t->depth > PLAIN_DEPTH)
		return false;
	do {
		if (!parse_plain_member(t, &set, &member))
			return false;
	} while (take_char(t, ','));
	t->depth--;
	if (set.n_nodes) {
		*ret_below = fieldset_finish(t->arena, arena_dup(t->arena, &set, sizeof(set)));
		*ret_member = member;
	}
	return take_char(t, '}');
}

struct status *fieldset_parse(struct arena *arena, const void *text, size_t size, const struct fieldset **ret_set)
{
	struct json_reader r;
	const struct fieldset *set;
	bool member;
	struct plain_text plain = {.at = text, .end = (const char *)text + size, .arena = arena};
	if (parse_plain(&plain, &set, &member) && plain.at == plain.end) {
		*ret_set = set;
		return NULL;
	}
	json_reader_init(&r, arena, text, size, FIELDSET_MAX_DEPTH);
	if (!parse_node(arena, &r, &set, &member) || !json_at_end(&r))
		return status_bad_request("error decoding set: %s", r.error ? r.error : "an object is expected");
	*ret_set = set;
	return NULL;
}

/* Of printable text only quotes and backslashes are escaped, of which keys are full. */
void fieldset_print_element(struct strbuf *out, const struct field_element *element)
{
	static const char prefixes[] = {'f', 'k', 'v', 'i'};
	size_t before = out->len;
	strbuf_grow(out, 2 * (size_t)element->size + 8);
	char *to = out->buf + before;
	*to++ = '"';
	*to++ = prefixes[element->kind];
	*to++ = ':';
	for (const char *p = element->text, *end = p + element->size; p < end; p++) {
		const char *run = p;
		p = json_skip_plain(p, end, false);
		to = mempcpy(to, run, (size_t)(p - run));
		if (p == end)
			break;
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f) {
			CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
			strbuf_add(&text, out->buf + before + 1, 2);
			strbuf_add(&text, element->text, element->size);
			json_add_string(out, text.buf, text.len, false);
			strbuf_adds(out, ":{");
			return;
		}
		if (*p == '"' || *p == '\\')
			*to++ = '\\';
		*to++ = *p;
	}
	memcpy(to, "\":{", 3);
	out->len = (size_t)(to + 3 - out->buf);
	out->buf[out->len] = '\0';
}

static void print_nodes(struct strbuf *out, const struct fieldset *set, bool self)
{
	if (self)
		strbuf_adds(out, "\".\":{}");
	for (size_t i = 0; i < set->n_nodes; i++) {
		const struct field_node *node = &set->nodes[i];
		if (i || self)
			strbuf_addc(out, ',');
		fieldset_print_element(out, &node->element);
		if (node->below)
			print_nodes(out, node->below, node->member);
		strbuf_addc(out, '}');
	}
}

void fieldset_print_nodes(struct strbuf *out, const struct fieldset *set)
{
	print_nodes(out, set, false);
}

void fieldset_print(struct strbuf *out, const struct fieldset *set)
{
	strbuf_addc(out, '{');
	if (!fieldset_empty(set))
		fieldset_print_nodes(out, set);
	strbuf_addc(out, '}');
}

static void each(const struct fieldset *set, struct strbuf *path, void (*fn)(void *data, const char *path), void *data)
{
	size_t length = path->len;
	for (int pass = 0; set && pass < 2; pass++)
		for (size_t i = 0; i < set->n_nodes; i++) {
			const struct field_node *node = &set->nodes[i];
			if (pass ? !node->below : !node->member)
				continue;
			field_element_describe(path, &node->element);
			if (pass)
				each(node->below, path, fn, data);
			else
				fn(data, path->buf);
			strbuf_truncate(path, length);
		}
}

void fieldset_each(const struct fieldset *set, void (*fn)(void *data, const char *path), void *data)
{
	CLEANUP(strbuf_done) struct strbuf path = STRBUF_INIT;
	each(set, &path, fn, data);
}
