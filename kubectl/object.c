#include "kubectl/object.h"

#include "base/arena.h"

static cJSON *step(const cJSON *node, const char *name, size_t size)
{
	char key[256];
	if (!node || size >= sizeof(key))
		return NULL;
	memcpy(key, name, size);
	key[size] = 0;
	uint64_t index;
	if (cJSON_IsArray(node))
		return str_to_uint64(key, SIZE_MAX, &index) ? tree_at(node, index) : NULL;
	return cJSON_IsObject(node) ? tree_get(node, key) : NULL;
}

cJSON *obj_at(const cJSON *object, const char *path)
{
	const cJSON *node = object;
	while (*path && node) {
		size_t size = strcspn(path, ".");
		node = step(node, path, size);
		path += size + (path[size] == '.');
	}
	return (cJSON *)(uintptr_t)node;
}

const char *obj_string(const cJSON *object, const char *path)
{
	return str_or_empty(tree_string(obj_at(object, path)));
}

int64_t obj_int(const cJSON *object, const char *path, int64_t missing)
{
	int64_t value;
	return tree_int(obj_at(object, path), &value) ? value : missing;
}

bool obj_bool(const cJSON *object, const char *path)
{
	return cJSON_IsTrue(obj_at(object, path));
}

bool obj_has(const cJSON *object, const char *path)
{
	const cJSON *node = obj_at(object, path);
	return node && !cJSON_IsNull(node);
}

/* The parent of path's last name, made where it lacks; *ret_name is that name. */
static cJSON *parent_of(struct arena *arena, cJSON *object, const char *path, const char **ret_name)
{
	cJSON *node = object;
	const char *dot;
	while ((dot = strchr(path, '.'))) {
		cJSON *next = step(node, path, (size_t)(dot - path));
		if (!next || cJSON_IsNull(next)) {
			next = tree_new_object(arena);
			tree_set(arena, node, arena_strndup(arena, path, (size_t)(dot - path)), next);
		}
		node = next;
		path = dot + 1;
	}
	*ret_name = path;
	return node;
}

void obj_set(struct arena *arena, cJSON *object, const char *path, cJSON *value)
{
	const char *name;
	cJSON *parent = parent_of(arena, object, path, &name);
	tree_set(arena, parent, name, value);
}

void obj_set_string(struct arena *arena, cJSON *object, const char *path, const char *value)
{
	obj_set(arena, object, path, tree_new_string(arena, value));
}

void obj_set_int(struct arena *arena, cJSON *object, const char *path, int64_t value)
{
	obj_set(arena, object, path, tree_new_int(arena, value));
}

void obj_set_bool(struct arena *arena, cJSON *object, const char *path, bool value)
{
	obj_set(arena, object, path, tree_new_bool(arena, value));
}

cJSON *obj_object(struct arena *arena, cJSON *object, const char *path)
{
	cJSON *node = obj_at(object, path);
	if (!cJSON_IsObject(node)) {
		node = tree_new_object(arena);
		obj_set(arena, object, path, node);
	}
	return node;
}

cJSON *obj_array(struct arena *arena, cJSON *object, const char *path)
{
	cJSON *node = obj_at(object, path);
	if (!cJSON_IsArray(node)) {
		node = tree_new_array(arena);
		obj_set(arena, object, path, node);
	}
	return node;
}

void obj_remove(cJSON *object, const char *path)
{
	const char *dot = strrchr(path, '.');
	cJSON *parent = object;
	if (dot) {
		char prefix[256];
		if ((size_t)(dot - path) >= sizeof(prefix))
			return;
		memcpy(prefix, path, (size_t)(dot - path));
		prefix[dot - path] = 0;
		parent = obj_at(object, prefix);
	}
	if (cJSON_IsObject(parent))
		(void)tree_remove(parent, dot ? dot + 1 : path);
}

const char *obj_name(const cJSON *object)
{
	return obj_string(object, "metadata.name");
}

const char *obj_namespace(const cJSON *object)
{
	return obj_string(object, "metadata.namespace");
}

const char *obj_kind(const cJSON *object)
{
	return obj_string(object, "kind");
}

const char *obj_label(const cJSON *object, const char *key)
{
	return str_or_empty(tree_string(tree_get(obj_at(object, "metadata.labels"), key)));
}

const char *obj_annotation(const cJSON *object, const char *key)
{
	return str_or_empty(tree_string(tree_get(obj_at(object, "metadata.annotations"), key)));
}

cJSON *obj_new(struct arena *arena, const char *api_version, const char *kind, const char *name)
{
	cJSON *object = tree_new_object(arena);
	tree_set_string(arena, object, "kind", kind);
	tree_set_string(arena, object, "apiVersion", api_version);
	if (name)
		obj_set_string(arena, object, "metadata.name", name);
	return object;
}

bool obj_is_list(const cJSON *object)
{
	return str_ends_with(obj_kind(object), "List") && cJSON_IsArray(tree_get(object, "items"));
}

char *obj_text(struct arena *arena, const cJSON *node)
{
	if (!node || cJSON_IsNull(node))
		return arena_strdup(arena, "<nil>");
	if (cJSON_IsString(node))
		return arena_strdup(arena, node->valuestring);
	return tree_to_string(arena, node, TREE_SORTED | JSON_NO_HTML_ESCAPE);
}

cJSON *obj_pod_template(const cJSON *object)
{
	const char *kind = obj_kind(object);
	if (str_eq(kind, "Pod"))
		return (cJSON *)(uintptr_t)object;
	if (str_eq(kind, "PodTemplate"))
		return tree_get(object, "template");
	return obj_at(object, str_eq(kind, "CronJob") ? "spec.jobTemplate.spec.template" : "spec.template");
}

cJSON *obj_pod_spec(const cJSON *object)
{
	return tree_get(obj_pod_template(object), "spec");
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

cJSON **obj_sorted(struct arena *arena, const cJSON *object, size_t *ret_n)
{
	cJSON **items = NULL;
	*ret_n = 0;
	if (!cJSON_IsObject(object))
		return NULL;
	TREE_FOREACH (member, object)
		ARENA_PUSH(arena, items, *ret_n) = member;
	if (*ret_n)
		qsort(items, *ret_n, sizeof(*items), by_name);
	return items;
}

char *obj_format_map(struct arena *arena, const cJSON *map, const char *none)
{
	size_t n;
	cJSON **items = obj_sorted(arena, map, &n);
	char *text = NULL;
	for (size_t i = 0; i < n; i++)
		text = arena_printf(arena, "%s%s%s=%s", str_or_empty(text), i ? "," : "", items[i]->string,
			obj_text(arena, items[i]));
	return text ? text : arena_strdup(arena, none);
}

static char *format_expression(struct arena *arena, const cJSON *expression)
{
	const char *key = obj_string(expression, "key"), *operator= obj_string(expression, "operator");
	char **values = NULL;
	size_t n = 0;
	TREE_FOREACH (value, tree_get(expression, "values"))
		ARENA_PUSH(arena, values, n) = obj_text(arena, value);
	if (n)
		qsort(values, n, sizeof(*values), str_cmp_qsort);
	if (str_eq(operator, "Exists"))
		return arena_strdup(arena, key);
	if (str_eq(operator, "DoesNotExist"))
		return arena_printf(arena, "!%s", key);
	return arena_printf(
		arena, "%s %s (%s)", key, str_eq(operator, "In") ? "in" : "notin", str_join(arena, values, n, ","));
}

char *obj_format_selector(struct arena *arena, const cJSON *selector, const char *none)
{
	if (!tree_get(selector, "matchLabels") && !tree_get(selector, "matchExpressions"))
		return obj_format_map(arena, selector, none);
	char **parts = NULL;
	size_t n = 0, n_labels;
	cJSON **labels = obj_sorted(arena, tree_get(selector, "matchLabels"), &n_labels);
	for (size_t i = 0; i < n_labels; i++)
		ARENA_PUSH(arena, parts, n) =
			arena_printf(arena, "%s=%s", labels[i]->string, obj_text(arena, labels[i]));
	TREE_FOREACH (expression, tree_get(selector, "matchExpressions"))
		ARENA_PUSH(arena, parts, n) = format_expression(arena, expression);
	if (!n)
		return arena_strdup(arena, none);
	qsort(parts, n, sizeof(*parts), str_cmp_qsort);
	return str_join(arena, parts, n, ",");
}

void obj_print_go(struct arena *arena, struct strbuf *out, const cJSON *node)
{
	if (cJSON_IsObject(node)) {
		size_t n;
		cJSON **members = obj_sorted(arena, node, &n);
		strbuf_adds(out, "map[");
		for (size_t i = 0; i < n; i++) {
			strbuf_printf(out, "%s%s:", i ? " " : "", members[i]->string);
			obj_print_go(arena, out, members[i]);
		}
		strbuf_addc(out, ']');
	} else if (cJSON_IsArray(node)) {
		strbuf_addc(out, '[');
		TREE_FOREACH (item, node) {
			strbuf_adds(out, item == node->child ? "" : " ");
			obj_print_go(arena, out, item);
		}
		strbuf_addc(out, ']');
	} else {
		strbuf_adds(out, obj_text(arena, node));
	}
}
