#include <inttypes.h>
#include <string.h>
#include "api/jsonpath_internal.h"

/* What a path may visit: so much in any document, and every value of a large one so many times. */
#define MIN_VISITS 100000
#define VISITS_A_VALUE 1000
#define MAX_VISITS 200000000

struct results {
	cJSON **items;
	size_t n;
};

/* Each ".." multiplies what the next one looks at. */
struct budget {
	const cJSON *document;
	int64_t left;
	bool counted; /* the values of the document */
};

struct eval {
	struct arena *arena;
	bool allow_missing;
	struct budget *budget;
};

static struct status *eval_steps(
	struct eval *e, const struct path_nodes *steps, const struct results *in, struct results *out);

static int64_t n_values(const cJSON *node)
{
	int64_t n = 1;

	TREE_FOREACH (child, node)
		n += n_values(child);
	return n;
}

/* False when there has been enough. */
static bool visit(struct budget *b, int64_t n)
{
	b->left -= n;
	if (b->left < 0 && !b->counted) {
		int64_t all = n_values(b->document) * VISITS_A_VALUE;
		b->left += (all < MAX_VISITS ? all : MAX_VISITS) - MIN_VISITS;
		b->counted = true;
	}
	return b->left >= 0;
}

static void add(struct eval *e, struct results *r, cJSON *node)
{
	if (visit(e->budget, 1))
		ARENA_PUSH(e->arena, r->items, r->n) = node;
}

static struct status *eval_field(struct eval *e, const char *name, const struct results *in, struct results *out)
{
	if (!*name) {
		*out = *in;
		return NULL;
	}
	for (size_t i = 0; i < in->n; i++) {
		cJSON *found = tree_get(in->items[i], name);
		if (found)
			add(e, out, found);
	}
	if (!out->n && !e->allow_missing)
		return status_new(STATUS_NOT_FOUND, "%s is not found", name);
	return NULL;
}

static struct status *eval_slice(struct eval *e, const struct path_node *node, cJSON *array, struct results *out)
{
	int64_t n = (int64_t)tree_size(array), start = node->known[0] ? node->bounds[0] : 0,
		end = node->known[1] ? node->bounds[1] : n;
	int64_t step = node->known[2] ? node->bounds[2] : 1, at = 0;

	if (cJSON_IsNull(array) && e->allow_missing)
		return NULL;
	if (!cJSON_IsArray(array))
		return status_bad_request("the value is not array or slice");
	visit(e->budget, n);
	start += start < 0 ? n : 0;
	end += end < 0 || (end == 0 && node->single) ? n : 0;
	if (start == end)
		return NULL;
	if (start >= n || start < 0)
		return status_bad_request("array index out of bounds: index %" PRId64 ", length %" PRId64, start, n);
	if (end > n || end < 0)
		return status_bad_request("array index out of bounds: index %" PRId64 ", length %" PRId64, end - 1, n);
	if (start > end)
		return status_bad_request(
			"starting index %" PRId64 " is greater than ending index %" PRId64, start, end);
	if (step <= 0)
		return status_bad_request("step must be > 0");
	TREE_FOREACH (child, array) {
		if (at >= start && at < end && (at - start) % step == 0)
			add(e, out, child);
		at++;
	}
	return NULL;
}

static void add_all(struct eval *e, struct results *out, cJSON *node)
{
	if ((!cJSON_IsObject(node) && !cJSON_IsArray(node)) || e->budget->left < 0)
		return;
	add(e, out, node);
	TREE_FOREACH (child, node)
		add_all(e, out, child);
}

static int compare(const cJSON *a, const cJSON *b)
{
	int64_t x, y;

	if (tree_int(a, &x) && tree_int(b, &y))
		return x < y ? -1 : x > y;
	if (cJSON_IsNumber(a) && cJSON_IsNumber(b))
		return a->valuedouble < b->valuedouble ? -1 : a->valuedouble > b->valuedouble;
	if (cJSON_IsString(a) && cJSON_IsString(b))
		return strcmp(a->valuestring, b->valuestring);
	return tree_equal(a, b) ? 0 : -1;
}

static bool holds(const char *op, const cJSON *a, const cJSON *b)
{
	int c = compare(a, b);

	if (!strcmp(op, "=="))
		return c == 0;
	if (!strcmp(op, "!="))
		return c != 0;
	if (!strcmp(op, "<"))
		return c < 0;
	if (!strcmp(op, ">"))
		return c > 0;
	return !strcmp(op, "<=") ? c <= 0 : c >= 0;
}

/* Whether one element passes; a path that leads nowhere compares with nothing. */
static struct status *passes(struct eval *e, const struct path_node *node, cJSON *element, bool *ret_passes)
{
	struct results self = {&element, 1}, left = {0}, right = {0};
	struct eval quiet = {e->arena, true, e->budget};

	TRY(eval_steps(&quiet, &node->steps, &self, &left));
	*ret_passes = left.n > 0;
	if (!strcmp(node->text, "exists"))
		return NULL;
	TRY(eval_steps(&quiet, &node->body, &self, &right));
	if (left.n > 1 || right.n > 1)
		return status_bad_request("can only compare one element at a time");
	*ret_passes = left.n && right.n && holds(node->text, left.items[0], right.items[0]);
	return NULL;
}

static struct status *eval_filter(struct eval *e, const struct path_node *node, cJSON *array, struct results *out)
{
	if (!cJSON_IsArray(array) && !(cJSON_IsNull(array) && e->allow_missing))
		return status_bad_request("the value is not array or slice and cannot be filtered");
	TREE_FOREACH (child, array) {
		bool pass = false;
		TRY(passes(e, node, child, &pass));
		if (pass)
			add(e, out, child);
	}
	return NULL;
}

static struct status *eval_step(
	struct eval *e, const struct path_node *node, const struct results *in, struct results *out)
{
	if (node->kind == PATH_FIELD)
		return eval_field(e, node->text, in, out);
	if (node->kind == PATH_VALUE) {
		add(e, out, node->value);
		return NULL;
	}
	if (node->kind == PATH_UNION) {
		for (size_t i = 0; i < node->steps.n; i++) {
			struct results part = {0};
			TRY(eval_step(e, node->steps.items[i], in, &part));
			for (size_t j = 0; j < part.n; j++)
				add(e, out, part.items[j]);
		}
		return NULL;
	}
	for (size_t i = 0; i < in->n; i++) {
		cJSON *node_in = in->items[i];
		if (node->kind == PATH_SLICE)
			TRY(eval_slice(e, node, node_in, out));
		else if (node->kind == PATH_FILTER)
			TRY(eval_filter(e, node, node_in, out));
		else if (node->kind == PATH_RECURSIVE)
			add_all(e, out, node_in);
		else
			TREE_FOREACH (child, node_in)
				add(e, out, child);
	}
	return NULL;
}

static struct status *eval_steps(
	struct eval *e, const struct path_nodes *steps, const struct results *in, struct results *out)
{
	struct results current = *in;

	for (size_t i = 0; i < steps->n; i++) {
		struct results next = {0};
		TRY(eval_step(e, steps->items[i], &current, &next));
		if (!visit(e->budget, (int64_t)current.n))
			return status_new(STATUS_TOO_LARGE, "the path leads to too many values");
		current = next;
	}
	*out = current;
	return NULL;
}

static void print_value(struct strbuf *out, const cJSON *node)
{
	if (cJSON_IsString(node))
		strbuf_adds(out, node->valuestring);
	else if (cJSON_IsNull(node))
		strbuf_adds(out, "null");
	else
		tree_print(out, node, TREE_SORTED);
}

static struct status *print_nodes(struct eval *e, const struct path_nodes *nodes, cJSON *tree, struct strbuf *out)
{
	struct results root = {&tree, 1};

	for (size_t i = 0; i < nodes->n; i++) {
		const struct path_node *node = nodes->items[i];
		struct results found = {0};
		if (node->kind == PATH_TEXT) {
			strbuf_add(out, node->text, node->size);
			continue;
		}
		TRY(eval_steps(e, &node->steps, &root, &found));
		for (size_t j = 0; j < found.n; j++) {
			if (node->kind == PATH_RANGE) {
				TRY(print_nodes(e, &node->body, found.items[j], out));
				continue;
			}
			if (j)
				strbuf_addc(out, ' ');
			print_value(out, found.items[j]);
		}
	}
	return NULL;
}

struct status *jsonpath_print(struct jsonpath *path, const cJSON *tree, struct strbuf *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct budget budget = {tree, MIN_VISITS, false};
	struct eval e = {arena, path->allow_missing, &budget};

	return print_nodes(&e, &path->nodes, (cJSON *)(uintptr_t)tree, out);
}

struct status *jsonpath_find(
	struct arena *arena, struct jsonpath *path, const cJSON *tree, cJSON ***ret_nodes, size_t *ret_n)
{
	struct budget budget = {tree, MIN_VISITS, false};
	struct eval e = {arena, path->allow_missing, &budget};
	cJSON *node = (cJSON *)(uintptr_t)tree;
	struct results root = {&node, 1}, found = {0};

	for (size_t i = 0; i < path->nodes.n; i++) {
		if (path->nodes.items[i]->kind != PATH_EXPRESSION)
			continue;
		found = (struct results){0};
		TRY(eval_steps(&e, &path->nodes.items[i]->steps, &root, &found));
	}
	*ret_nodes = found.items;
	*ret_n = found.n;
	return NULL;
}
