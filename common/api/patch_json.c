/* JSON patch (RFC 6902) and merge patch (RFC 7386). */
#include <inttypes.h>
#include <string.h>
#include "api/patch.h"

static void merge(struct arena *arena, cJSON *target, const cJSON *patch)
{
	TREE_FOREACH (child, patch) {
		cJSON *old = tree_get(target, child->string);
		if (cJSON_IsNull(child)) {
			if (old)
				tree_remove(target, child->string);
		} else if (!cJSON_IsObject(child)) {
			tree_set(arena, target, child->string, tree_copy(arena, child));
		} else {
			if (!cJSON_IsObject(old)) {
				old = tree_new_object(arena);
				tree_set(arena, target, child->string, old);
			}
			merge(arena, old, child);
		}
	}
}

struct status *patch_merge(struct arena *arena, const cJSON *original, const cJSON *patch, cJSON **ret_tree)
{
	if (!cJSON_IsObject(patch)) {
		*ret_tree = tree_copy(arena, patch);
		return NULL;
	}
	cJSON *target = cJSON_IsObject(original) ? tree_copy(arena, original) : tree_new_object(arena);
	merge(arena, target, patch);
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

static struct status *does_not_apply(const struct operation *o, const char *what, const char *path)
{
	return status_new(
		STATUS_INVALID, "%s operation does not apply: doc is missing %s: %s: missing value", o->op, what, path);
}

static struct status *bad_index(const struct operation *o, const char *key)
{
	return status_new(STATUS_INVALID,
		"%s operation does not apply: Unable to access invalid index: %s: invalid index referenced", o->op,
		key);
}

/* An index into n elements; negative ones count from the end. */
static bool array_index(const char *key, size_t n, size_t *ret_index)
{
	int64_t index;

	if (!str_to_int64(key, -(int64_t)n, (int64_t)n - 1, &index))
		return false;
	*ret_index = index < 0 ? n - (size_t)-index : (size_t)index;
	return true;
}

static cJSON *child_of(cJSON *parent, const char *key)
{
	size_t index;

	if (cJSON_IsObject(parent))
		return tree_get(parent, key);
	if (!cJSON_IsArray(parent) || !array_index(key, tree_size(parent), &index))
		return NULL;
	return tree_at(parent, index);
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

static struct status *resolve(
	struct arena *arena, cJSON *doc, const struct operation *o, const char *path, struct target *ret_target)
{
	const char *p = path;

	*ret_target = (struct target){0};
	if (!*path)
		return NULL;
	if (*path != '/')
		return does_not_apply(o, "path", path);
	for (cJSON *at = doc;;) {
		size_t size = strcspn(++p, "/");
		char *key = unescape(arena, p, size);
		p += size;
		if (!cJSON_IsObject(at) && !cJSON_IsArray(at))
			return does_not_apply(o, "path", path);
		if (!*p) {
			*ret_target = (struct target){at, key};
			return NULL;
		}
		at = child_of(at, key);
		if (!at)
			return does_not_apply(o, "path", path);
	}
}

static struct status *find(
	struct arena *arena, cJSON *doc, const struct operation *o, const char *path, cJSON **ret_node)
{
	struct target t;

	TRY(resolve(arena, doc, o, path, &t));
	*ret_node = t.parent ? child_of(t.parent, t.key) : doc;
	if (*ret_node)
		return NULL;
	if (cJSON_IsArray(t.parent))
		return bad_index(o, t.key);
	return does_not_apply(o, "key", path);
}

static struct status *add(struct arena *arena, cJSON **doc, const struct operation *o, cJSON *value)
{
	struct target t;
	size_t index;

	TRY(resolve(arena, *doc, o, o->path, &t));
	value->string = NULL;
	if (!t.parent) {
		*doc = value;
		return NULL;
	}
	if (cJSON_IsObject(t.parent)) {
		tree_set(arena, t.parent, t.key, value);
		return NULL;
	}
	if (str_eq(t.key, "-")) {
		tree_append(t.parent, value);
		return NULL;
	}
	if (!array_index(t.key, tree_size(t.parent) + 1, &index))
		return bad_index(o, t.key);
	tree_insert(t.parent, index, value);
	return NULL;
}

static struct status *take_out(
	struct arena *arena, cJSON *doc, const struct operation *o, const char *path, cJSON **ret_node)
{
	struct target t;
	size_t index;

	TRY(resolve(arena, doc, o, path, &t));
	if (!t.parent)
		return status_new(
			STATUS_INVALID, "%s operation does not apply: the whole document cannot be removed", o->op);
	if (cJSON_IsObject(t.parent)) {
		*ret_node = tree_remove(t.parent, t.key);
		if (!*ret_node)
			return status_new(STATUS_INVALID,
				"%s operation does not apply: Unable to remove nonexistent key: %s: missing value",
				o->op, t.key);
		return NULL;
	}
	if (!array_index(t.key, tree_size(t.parent), &index))
		return bad_index(o, t.key);
	*ret_node = tree_remove_at(t.parent, index);
	return NULL;
}

static struct status *replace(struct arena *arena, cJSON **doc, const struct operation *o, cJSON *value)
{
	struct target t;
	size_t index;
	cJSON *old;

	TRY(find(arena, *doc, o, o->path, &old));
	TRY(resolve(arena, *doc, o, o->path, &t));
	if (!t.parent) {
		*doc = value;
	} else if (cJSON_IsObject(t.parent)) {
		tree_set(arena, t.parent, t.key, value);
	} else if (array_index(t.key, tree_size(t.parent), &index)) {
		tree_remove_at(t.parent, index);
		tree_insert(t.parent, index, value);
	}
	return NULL;
}

static struct status *test(struct arena *arena, cJSON *doc, const struct operation *o)
{
	cJSON *found = NULL;
	struct status *status = find(arena, doc, o, o->path, &found);

	if (status && cJSON_IsNull(o->value)) {
		status_drop(status, "what is not there equals null");
		return NULL;
	}
	if (status)
		return status;
	if (o->value && tree_equal(found, o->value))
		return NULL;
	return status_new(STATUS_INVALID, "testing value %s failed: test failed", o->path);
}

static struct status *apply(struct arena *arena, cJSON **doc, const struct operation *o)
{
	cJSON *node = NULL;

	if (str_eq(o->op, "add"))
		return add(arena, doc, o, tree_copy(arena, o->value));
	if (str_eq(o->op, "replace"))
		return replace(arena, doc, o, tree_copy(arena, o->value));
	if (str_eq(o->op, "remove"))
		return take_out(arena, *doc, o, o->path, &node);
	if (str_eq(o->op, "test"))
		return test(arena, *doc, o);
	if (str_eq(o->op, "move")) {
		TRY(take_out(arena, *doc, o, o->from, &node));
		return add(arena, doc, o, node);
	}
	if (str_eq(o->op, "copy")) {
		TRY(find(arena, *doc, o, o->from, &node));
		return add(arena, doc, o, tree_copy(arena, node));
	}
	return status_bad_request("Unexpected kind: %s", o->op);
}

static struct status *read_operation(const cJSON *node, struct operation *o)
{
	*o = (struct operation){.op = tree_string(tree_get(node, "op")),
		.path = tree_string(tree_get(node, "path")),
		.from = tree_string(tree_get(node, "from")),
		.value = tree_get(node, "value")};
	if (!o->op)
		return status_bad_request("a JSON patch operation lacks \"op\"");
	if (!o->path)
		return status_bad_request("the JSON patch operation \"%s\" lacks \"path\"", o->op);
	if ((str_eq(o->op, "add") || str_eq(o->op, "replace") || str_eq(o->op, "test")) && !o->value)
		return status_bad_request("the JSON patch operation \"%s\" lacks \"value\"", o->op);
	if ((str_eq(o->op, "move") || str_eq(o->op, "copy")) && !o->from)
		return status_bad_request("the JSON patch operation \"%s\" lacks \"from\"", o->op);
	return NULL;
}

#define MAX_COPIED_NODES (4u << 20)

static size_t count_nodes(const cJSON *node)
{
	size_t n = 1;

	TREE_FOREACH (child, node)
		n += count_nodes(child);
	return n;
}

struct status *patch_json(struct arena *arena, const cJSON *original, const cJSON *patch, cJSON **ret_tree)
{
	cJSON *doc = tree_copy(arena, original), *copied;
	size_t n = tree_size(patch), n_copied = 0;

	if (!cJSON_IsArray(patch))
		return status_bad_request("a JSON patch is an array of operations");
	if (n > PATCH_MAX_OPERATIONS)
		return status_new(STATUS_TOO_LARGE, "The allowed maximum operations in a JSON patch is %d, got %zu",
			PATCH_MAX_OPERATIONS, n);
	TREE_FOREACH (node, patch) {
		struct operation o;
		TRY(read_operation(node, &o));
		if (str_eq(o.op, "copy")) {
			/* Copies of copies double: what all of them hold together is bounded. */
			TRY(find(arena, doc, &o, o.from, &copied));
			n_copied += count_nodes(copied);
			if (n_copied > MAX_COPIED_NODES)
				return status_new(STATUS_TOO_LARGE, "the JSON patch copies more than is allowed");
		}
		TRY(apply(arena, &doc, &o));
	}
	*ret_tree = doc;
	return NULL;
}
