/*
 * The mistakes that can be made with any value, made with each value of a populated object.
 */
#include "base/mem.h"
#include "test/api-cases/cases.h"

static void add(struct mutations *m, const char *path, cJSON *value)
{
	cJSON *changes = tree_new_object(m->arena), *list = tree_new_array(m->arena);
	tree_set(m->arena, changes, path, value);
	tree_append(list, changes);
	status_drop(mutations_read(m, list), "a mapping is a case");
}

static void of_string(struct mutations *m, const cJSON *node, const char *path)
{
	static const char *const values[] = {"", "Not/Valid ", "-x", "<x*64>", "<x*254>"};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (!str_eq(values[i], tree_string(node)))
			add(m, path, tree_new_string(m->arena, values[i]));
}

static void of_number(struct mutations *m, const cJSON *node, const char *path)
{
	static const int64_t values[] = {-1, 0, 65536, INT32_MAX};
	int64_t now = -2;
	tree_int(node, &now);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i] != now)
			add(m, path, tree_new_int(m->arena, values[i]));
}

static void walk(struct mutations *m, const cJSON *node, const char *path);

static void of_array(struct mutations *m, const cJSON *node, const char *path)
{
	if (!node->child)
		return;
	add(m, path, tree_new_array(m->arena));
	add(m, arena_printf(m->arena, "%s/-", path), tree_copy(m->arena, node->child));
	m->items[m->n_items - 1].label = arena_printf(m->arena, "%s/-=(the first again)", path);
	size_t i = 0;
	TREE_FOREACH (item, node)
		walk(m, item, arena_printf(m->arena, "%s/%zu", path, i++));
}

static char *escaped(struct arena *arena, const char *name)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (; *name; name++) {
		if (*name == '/' || *name == '~')
			strbuf_adds(&out, *name == '/' ? "~1" : "~0");
		else
			strbuf_addc(&out, *name);
	}
	return arena_strdup(arena, out.buf);
}

static void of_object(struct mutations *m, const cJSON *node, const char *path)
{
	if (!node->child)
		return;
	add(m, path, tree_new_object(m->arena));
	TREE_FOREACH (item, node)
		if (strcmp(item->string, "managedFields"))
			walk(m, item, arena_printf(m->arena, "%s/%s", path, escaped(m->arena, item->string)));
}

static void walk(struct mutations *m, const cJSON *node, const char *path)
{
	add(m, path, tree_new_null(m->arena));
	if (cJSON_IsString(node))
		of_string(m, node, path);
	else if (cJSON_IsNumber(node))
		of_number(m, node, path);
	else if (cJSON_IsBool(node))
		add(m, path, tree_new_bool(m->arena, !cJSON_IsTrue(node)));
	else if (cJSON_IsArray(node))
		of_array(m, node, path);
	else if (cJSON_IsObject(node))
		of_object(m, node, path);
}

void mutations_generate(struct mutations *m, const cJSON *object, const cJSON *paths)
{
	TREE_FOREACH (path, paths) {
		const cJSON *node = tree_at_path(object, tree_string(path));
		if (node)
			walk(m, node, tree_string(path));
	}
}
