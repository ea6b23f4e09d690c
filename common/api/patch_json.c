/* JSON patch (RFC 6902) and merge patch (RFC 7386). */
#include <inttypes.h>
#include <string.h>
#include "api/patch_internal.h"

/* A copy without the members that are null, at any depth: of what takes nobody's place they say nothing. */
static cJSON *copy_without_nulls(struct arena *arena, const cJSON *value)
{
	if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
		return tree_copy(arena, value);
	cJSON *copy = cJSON_IsObject(value) ? tree_new_object(arena) : tree_new_array(arena);
	TREE_FOREACH (child, value) {
		if (cJSON_IsArray(value))
			tree_append(copy, copy_without_nulls(arena, child));
		else if (!cJSON_IsNull(child))
			tree_set(arena, copy, child->string, copy_without_nulls(arena, child));
	}
	return copy;
}

static struct status *merge(struct arena *arena, cJSON *target, const cJSON *patch)
{
	tree_prepare(arena, target);
	TREE_FOREACH (child, patch) {
		cJSON *old = tree_get(target, child->string);
		if (cJSON_IsNull(child)) {
			if (old)
				tree_remove(target, child->string);
		} else if (cJSON_IsObject(old) && cJSON_IsObject(child)) {
			TRY(merge(arena, old, child));
		} else {
			/* The original leaves the nulls of what is no object in the place of one. */
			tree_set(arena, target, child->string,
				cJSON_IsObject(old) ? tree_copy(arena, child) : copy_without_nulls(arena, child));
		}
	}
	return NULL;
}

struct status *patch_merge(struct arena *arena, const cJSON *original, const cJSON *patch, cJSON **ret_tree)
{
	if (!cJSON_IsObject(patch)) {
		*ret_tree = tree_copy(arena, patch);
		return NULL;
	}
	cJSON *target = cJSON_IsObject(original) ? tree_copy(arena, original) : tree_new_object(arena);
	TRY(merge(arena, target, patch));
	*ret_tree = target;
	return NULL;
}

struct operation {
	const char *op, *path, *from;
	const cJSON *value;
};

/* Where a pointer leads: the container and the name or index in it. An empty pointer leads to the document: parent
 * NULL. */
struct target {
	cJSON *parent;
	char *key;
};

static struct status *missing(const struct operation *o, const char *what, const char *path)
{
	return status_new(STATUS_INVALID, "%s operation does not apply: %s: %s: missing value", o->op, what, path);
}

static struct status *missing_quoted(const struct operation *o, const char *path)
{
	return status_new(
		STATUS_INVALID, "%s operation does not apply: doc is missing path: \"%s\": missing value", o->op, path);
}

/* An index into n elements; negative ones count from the end. */
static struct status *array_index(const char *key, size_t n, size_t *ret_index)
{
	int64_t index;

	if (!str_to_int64(key, INT32_MIN, INT32_MAX, &index))
		return status_new(STATUS_INVALID, "strconv.Atoi: parsing \"%s\": invalid syntax", key);
	if (index < -(int64_t)n || index >= (int64_t)n)
		return status_new(STATUS_INVALID, "Unable to access invalid index: %s: invalid index referenced", key);
	*ret_index = index < 0 ? n - (size_t)-index : (size_t)index;
	return NULL;
}

/* What stands there: NULL when an object lacks the name; an array without such an element is an error. */
static struct status *get(const struct target *t, cJSON **ret_node)
{
	size_t index = 0;

	if (cJSON_IsObject(t->parent)) {
		*ret_node = tree_get(t->parent, t->key);
		return NULL;
	}
	TRY(array_index(t->key, tree_size(t->parent), &index));
	*ret_node = tree_at(t->parent, index);
	return NULL;
}

static char *unescape(struct arena *arena, const char *s, size_t size)
{
	char *out = arena_strndup(arena, s, size), *to = out;

	for (const char *p = out; *p; p++) {
		bool escape = *p == '~' && (p[1] == '0' || p[1] == '1');
		*to++ = escape ? (p[1] == '0' ? '~' : '/') : *p;
		p += escape;
	}
	*to = '\0';
	return out;
}

/* The container that a pointer leads into; false when there is none, as for the document itself. What stands before the
 * first slash is passed over, as the original does. */
static bool resolve(struct arena *arena, cJSON *doc, const char *path, struct target *ret_target)
{
	const char *p = strchr(path, '/');

	if (!p)
		return false;
	for (cJSON *at = doc;;) {
		size_t size = strcspn(++p, "/");
		struct target t = {at, unescape(arena, p, size)};
		p += size;
		if (!cJSON_IsObject(at) && !cJSON_IsArray(at))
			return false;
		tree_prepare(arena, at);
		if (!*p) {
			*ret_target = t;
			return true;
		}
		at = NULL;
		struct status *status = get(&t, &at);
		if (status)
			status_drop(status, "the path is told to lead nowhere");
		if (!at)
			return false;
	}
}

static struct status *put(struct arena *arena, const struct target *t, cJSON *value)
{
	size_t index = 0;

	value->string = NULL;
	if (cJSON_IsObject(t->parent)) {
		tree_set(arena, t->parent, t->key, value);
		return NULL;
	}
	if (str_eq(t->key, "-")) {
		tree_append(t->parent, value);
		return NULL;
	}
	TRY(array_index(t->key, tree_size(t->parent) + 1, &index));
	tree_insert(t->parent, index, value);
	return NULL;
}

static struct status *take_out(const struct target *t, cJSON **ret_node)
{
	size_t index = 0;

	if (cJSON_IsObject(t->parent)) {
		*ret_node = tree_remove(t->parent, t->key);
		if (*ret_node)
			return NULL;
		return status_new(STATUS_INVALID, "Unable to remove nonexistent key: %s: missing value", t->key);
	}
	TRY(array_index(t->key, tree_size(t->parent), &index));
	*ret_node = tree_remove_at(t->parent, index);
	return NULL;
}

static struct status *op_add(struct arena *arena, cJSON **doc, const struct operation *o)
{
	struct target t;

	if (!resolve(arena, *doc, o->path, &t))
		return missing_quoted(o, o->path);
	return status_wrap(put(arena, &t, tree_copy(arena, o->value)), "error in add for path: '%s'", o->path);
}

static struct status *op_remove(struct arena *arena, cJSON **doc, const struct operation *o)
{
	struct target t;
	cJSON *node;

	if (!resolve(arena, *doc, o->path, &t))
		return missing_quoted(o, o->path);
	return status_wrap(take_out(&t, &node), "error in remove for path: '%s'", o->path);
}

static struct status *op_replace(struct arena *arena, cJSON **doc, const struct operation *o)
{
	cJSON *value = tree_copy(arena, o->value), *old = NULL;
	struct target t;

	if (!*o->path) {
		if (cJSON_IsObject(value) || cJSON_IsArray(value))
			*doc = value;
		return NULL;
	}
	if (!resolve(arena, *doc, o->path, &t))
		return missing(o, "doc is missing path", o->path);
	struct status *status = get(&t, &old);
	if (status) {
		status_drop(status, "the original tells only that the key is missing");
		return missing(o, "doc is missing key", o->path);
	}
	if (cJSON_IsArray(t.parent)) {
		TRY(take_out(&t, &old));
		size_t size = tree_size(t.parent), index = 0;
		TRY(array_index(t.key, size + 1, &index));
		value->string = NULL;
		tree_insert(t.parent, index, value);
		return NULL;
	}
	return put(arena, &t, value);
}

static struct status *op_test(struct arena *arena, cJSON **doc, const struct operation *o)
{
	cJSON *found = *doc;
	struct target t;

	if (*o->path) {
		if (!resolve(arena, *doc, o->path, &t))
			return missing(o, "is missing path", o->path);
		found = NULL;
		TRY(status_wrap(get(&t, &found), "error in test for path: '%s'", o->path));
	}
	if (!found && (!o->value || cJSON_IsNull(o->value)))
		return NULL;
	if (found && o->value && tree_equal(found, o->value))
		return NULL;
	return status_new(STATUS_INVALID, "testing value %s failed: test failed", o->path);
}

static struct status *op_move(struct arena *arena, cJSON **doc, const struct operation *o)
{
	struct target from, to;
	cJSON *node = NULL;

	if (!resolve(arena, *doc, o->from, &from))
		return missing(o, "doc is missing from path", o->from);
	TRY(status_wrap(take_out(&from, &node), "error in move for path: '%s'", from.key));
	if (!resolve(arena, *doc, o->path, &to))
		return missing(o, "doc is missing destination path", o->path);
	return status_wrap(put(arena, &to, node), "error in move for path: '%s'", o->path);
}

/* Copies of copies double: what all of them hold together, as JSON, is bounded. */
static struct status *count_copy(const cJSON *node, size_t *n_copied)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;

	if (node)
		tree_print(&text, node, 0);
	*n_copied += node ? text.len : sizeof("null") - 1;
	if (*n_copied <= PATCH_MAX_COPIED_BYTES)
		return NULL;
	return status_new(STATUS_INVALID,
		"Unable to complete the copy, the accumulated size increase of copy is %zu, exceeding the limit %u",
		*n_copied, PATCH_MAX_COPIED_BYTES);
}

static size_t count_nodes(const cJSON *node)
{
	size_t n = 1;

	TREE_FOREACH (child, node)
		n += count_nodes(child);
	return n;
}

static struct status *op_copy(struct arena *arena, cJSON **doc, const struct operation *o, size_t *n_copied)
{
	struct target from, to;
	cJSON *node = NULL;

	if (!resolve(arena, *doc, o->from, &from))
		return missing(o, "doc is missing from path", o->from);
	TRY(status_wrap(get(&from, &node), "error in copy for from: '%s'", o->from));
	if (!resolve(arena, *doc, o->path, &to))
		return missing(o, "doc is missing destination path", o->path);
	TRY(count_copy(node, n_copied));
	node = node ? tree_copy(arena, node) : tree_new_null(arena);
	return status_wrap(put(arena, &to, node), "error while adding value during copy");
}

static struct status *apply(struct arena *arena, cJSON **doc, const struct operation *o, size_t *n_copied)
{
	static const struct {
		const char *name;
		struct status *(*run)(struct arena *arena, cJSON **doc, const struct operation *o);
	} operations[] = {
		{"add", op_add}, {"remove", op_remove}, {"replace", op_replace}, {"test", op_test}, {"move", op_move}};

	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (str_eq(operations[i].name, o->op))
			return operations[i].run(arena, doc, o);
	if (str_eq(o->op, "copy"))
		return op_copy(arena, doc, o, n_copied);
	return status_bad_request("Unexpected kind: %s", o->op);
}

static struct status *read_operation(const cJSON *node, struct operation *o)
{
	static const cJSON null = {.type = cJSON_NULL};
	*o = (struct operation){.op = tree_string(tree_get(node, "op")),
		.path = tree_string(tree_get(node, "path")),
		.from = tree_string(tree_get(node, "from")),
		.value = tree_get(node, "value")};
	if (!o->op)
		return status_bad_request("a JSON patch operation lacks \"op\"");
	if (!o->path)
		return status_bad_request("the JSON patch operation \"%s\" lacks \"path\"", o->op);
	/* What is left out is null, as the original reads it. */
	if (!o->value)
		o->value = &null;
	if ((str_eq(o->op, "move") || str_eq(o->op, "copy")) && !o->from)
		return status_bad_request("the JSON patch operation \"%s\" lacks \"from\"", o->op);
	return NULL;
}

struct status *patch_json(struct arena *arena, const cJSON *original, const cJSON *patch, cJSON **ret_tree)
{
	cJSON *doc = tree_copy(arena, original);
	size_t n = tree_size(patch), n_copied = 0;

	if (!cJSON_IsArray(patch))
		return status_bad_request("a JSON patch is an array of operations");
	if (n > PATCH_MAX_OPERATIONS)
		return status_new(STATUS_TOO_LARGE,
			"Request entity too large: The allowed maximum operations in a JSON patch is %d, got %zu",
			PATCH_MAX_OPERATIONS, n);
	TRY(patch_check_work(count_nodes(doc) / 16, n));
	TREE_FOREACH (node, patch) {
		struct operation o;
		TRY(read_operation(node, &o));
		TRY(apply(arena, &doc, &o, &n_copied));
	}
	*ret_tree = doc;
	return NULL;
}
