#include "test/api-cases/cases.h"

/* One part of a path: up to the next slash, ~1 and ~0 read as / and ~. */
static char *next_part(struct arena *arena, const char **path)
{
	size_t len = strcspn(*path, "/");
	char *part = arena_strndup(arena, *path, len), *to = part;
	for (const char *p = part; *p; p++) {
		if (p[0] == '~' && (p[1] == '0' || p[1] == '1'))
			*to++ = *++p == '0' ? '~' : '/';
		else
			*to++ = *p;
	}
	*to = '\0';
	*path += len + ((*path)[len] == '/');
	return part;
}

static cJSON *child_of(const cJSON *node, const char *part)
{
	int64_t index;
	if (cJSON_IsArray(node))
		return str_to_int64(part, 0, INT32_MAX, &index) ? tree_at(node, (size_t)index) : NULL;
	return cJSON_IsObject(node) ? tree_get(node, part) : NULL;
}

cJSON *tree_at_path(const cJSON *tree, const char *path)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const cJSON *node = tree;
	while (node && *path)
		node = child_of(node, next_part(arena, &path));
	return (cJSON *)node;
}

/* "<x*300>" is 300 times x. */
static cJSON *expand(struct arena *arena, const cJSON *value)
{
	const char *s = tree_string(value), *star = s ? strrchr(s, '*') : NULL;
	cJSON *copy = tree_copy(arena, value);
	int64_t n;
	size_t size = s ? strlen(s) : 0;
	if (cJSON_IsObject(copy) || cJSON_IsArray(copy)) {
		cJSON *fresh = cJSON_IsObject(copy) ? tree_new_object(arena) : tree_new_array(arena);
		TREE_FOREACH (item, copy) {
			if (cJSON_IsObject(copy))
				tree_set(arena, fresh, item->string, expand(arena, item));
			else
				tree_append(fresh, expand(arena, item));
		}
		return fresh;
	}
	if (!star || size < 5 || s[0] != '<' || s[size - 1] != '>' ||
		!str_to_int64(arena_strndup(arena, star + 1, size - (size_t)(star - s) - 2), 1, 4 << 20, &n))
		return copy;
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	for (int64_t i = 0; i < n; i++)
		strbuf_add(&text, s + 1, (size_t)(star - s) - 1);
	return tree_new_string(arena, text.buf);
}

static void put_member(struct arena *arena, cJSON *node, const char *part, const cJSON *value)
{
	if (cJSON_IsNull(value))
		tree_remove(node, part);
	else
		tree_set(arena, node, part, expand(arena, value));
}

static bool put_element(struct arena *arena, cJSON *node, const char *part, const cJSON *value)
{
	int64_t index;
	if (!strcmp(part, "-")) {
		tree_append(node, expand(arena, value));
		return true;
	}
	if (!str_to_int64(part, 0, (int64_t)tree_size(node) - 1, &index))
		return false;
	tree_remove_at(node, (size_t)index);
	if (!cJSON_IsNull(value))
		tree_insert(node, (size_t)index, expand(arena, value));
	return true;
}

static struct status *put(struct arena *arena, cJSON *node, const char *path, const cJSON *value)
{
	const char *rest = path;
	char *part = next_part(arena, &rest);
	while (*rest) {
		cJSON *below = child_of(node, part);
		if (!below && cJSON_IsObject(node)) {
			below = tree_new_object(arena);
			tree_set(arena, node, part, below);
		}
		if (!below)
			return status_bad_request("there is no %s in the object", path);
		node = below;
		part = next_part(arena, &rest);
	}
	if (cJSON_IsObject(node))
		put_member(arena, node, part, value);
	else if (!cJSON_IsArray(node) || !put_element(arena, node, part, value))
		return status_bad_request("there is no %s in the object", path);
	return NULL;
}

struct status *mutate(struct arena *arena, const cJSON *object, const cJSON *changes, cJSON **ret_object)
{
	*ret_object = tree_copy(arena, object);
	TREE_FOREACH (change, changes)
		TRY(put(arena, *ret_object, change->string, change));
	return NULL;
}

static void add(struct mutations *m, const cJSON *changes)
{
	CLEANUP(strbuf_done) struct strbuf label = STRBUF_INIT;
	TREE_FOREACH (change, changes) {
		strbuf_printf(&label, "%s%s=", label.len ? " " : "", change->string);
		tree_print(&label, change, JSON_NO_HTML_ESCAPE);
	}
	ARENA_PUSH(m->arena, m->items, m->n_items) =
		(struct mutation){.label = arena_strdup(m->arena, label.buf), .changes = changes};
}

/* The member that stands for several values, if there is one. */
static cJSON *several(const cJSON *entry)
{
	TREE_FOREACH (change, entry)
		if (str_ends_with(change->string, "*") && cJSON_IsArray(change))
			return change;
	return NULL;
}

struct status *mutations_read(struct mutations *m, const cJSON *list)
{
	TREE_FOREACH (entry, list) {
		if (!cJSON_IsObject(entry))
			return status_bad_request("a case is a mapping of paths to values");
		const cJSON *values = several(entry);
		if (!values) {
			add(m, entry);
			continue;
		}
		TREE_FOREACH (value, values) {
			cJSON *changes = tree_new_object(m->arena);
			TREE_FOREACH (change, entry)
				tree_set(m->arena, changes,
					change != values
						? change->string
						: arena_strndup(m->arena, change->string, strlen(change->string) - 1),
					tree_copy(m->arena, change != values ? change : value));
			add(m, changes);
		}
	}
	return NULL;
}
