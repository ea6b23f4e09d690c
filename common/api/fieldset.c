#include "api/fieldset.h"
#include <stdlib.h>

/* What the schema says of a place in the tree. */
enum place_kind {
	PLACE_LEAF, /* owned as a whole */
	PLACE_STRUCT,
	PLACE_MAP,
	PLACE_SET,
	PLACE_KEYED,
};

struct place {
	enum place_kind kind;
	const struct schema_type *type;	  /* of a struct */
	const struct schema_field *field; /* of a map or list */
};

static struct place leaf(void)
{
	return (struct place){.kind = PLACE_LEAF};
}

static struct place of_type(const struct schema_type *type)
{
	if (!type || type->form != SCHEMA_FORM_OBJECT)
		return leaf();
	return (struct place){.kind = PLACE_STRUCT, .type = type};
}

static struct place of_field(const struct schema_field *f)
{
	if (f->shape == SCHEMA_LIST && f->list_type == SCHEMA_LIST_SET)
		return (struct place){.kind = PLACE_SET, .field = f};
	if (f->shape == SCHEMA_LIST && f->list_type == SCHEMA_LIST_MAP && f->list_keys)
		return (struct place){.kind = PLACE_KEYED, .field = f};
	if (f->shape == SCHEMA_LIST || f->map_type == SCHEMA_LIST_ATOMIC)
		return leaf();
	if (f->shape == SCHEMA_MAP)
		return (struct place){.kind = PLACE_MAP, .field = f};
	return f->kind == SCHEMA_MESSAGE ? of_type(f->type) : leaf();
}

static struct place of_member(const struct place *p, const char *name)
{
	if (p->kind == PLACE_STRUCT) {
		const struct schema_name *found = schema_find_field(p->type, name, strlen(name));
		return found ? of_field(found->field) : leaf();
	}
	const struct schema_field *value = schema_map_value(p->field);
	return value->kind == SCHEMA_MESSAGE ? of_type(value->type) : leaf();
}

static struct place of_item(const struct place *p)
{
	return p->kind == PLACE_KEYED ? of_type(p->field->type) : leaf();
}

static bool is_object(const struct place *p, const cJSON *value)
{
	return (p->kind == PLACE_STRUCT || p->kind == PLACE_MAP) && (!value || cJSON_IsObject(value));
}

static bool is_list(const struct place *p, const cJSON *value)
{
	return (p->kind == PLACE_SET || p->kind == PLACE_KEYED) && (!value || cJSON_IsArray(value));
}

/* --- names of path elements --- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* k:{"containerPort":80,"protocol":"TCP"}: keys by name, defaults where the item leaves one out. */
static char *key_name(struct arena *arena, const struct place *p, const cJSON *item)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *keys[16];
	size_t n = 0;
	for (; n < ARRAY_SIZE(keys) && p->field->list_keys[n]; n++)
		keys[n] = p->field->list_keys[n];
	qsort(keys, n, sizeof(*keys), by_text);
	strbuf_adds(&out, "k:{");
	bool first = true;
	for (size_t i = 0; i < n; i++) {
		const cJSON *value = tree_get(item, keys[i]);
		const struct schema_name *name = schema_find_field(p->field->type, keys[i], strlen(keys[i]));
		const char *fallback = name ? name->field->default_json : NULL;
		if (!fallback && str_eq(keys[i], "protocol"))
			fallback = "\"TCP\""; /* the one key that manifests leave out, wherever it is one */
		if (!value && !fallback)
			continue;
		if (!first)
			strbuf_addc(&out, ',');
		first = false;
		json_add_string(&out, keys[i], strlen(keys[i]), false);
		strbuf_addc(&out, ':');
		if (value)
			tree_print(&out, value, 0);
		else
			strbuf_adds(&out, fallback);
	}
	strbuf_addc(&out, '}');
	return arena_strdup(arena, out.buf);
}

static char *item_name(struct arena *arena, const struct place *p, const cJSON *item)
{
	if (p->kind == PLACE_KEYED)
		return key_name(arena, p, item);
	return arena_printf(arena, "v:%s", tree_to_string(arena, item, 0));
}

static char *member_name(struct arena *arena, const char *name)
{
	return arena_printf(arena, "f:%s", name);
}

static const cJSON *find_item(struct arena *arena, const struct place *p, const cJSON *list, const char *name)
{
	TREE_FOREACH (item, list)
		if (str_eq(item_name(arena, p, item), name))
			return item;
	return NULL;
}

/* --- sets --- */

static cJSON *mark(struct arena *arena, cJSON *set)
{
	if (!set)
		set = tree_new_object(arena);
	if (!tree_get(set, "."))
		tree_set(arena, set, ".", tree_new_object(arena));
	return set;
}

static cJSON *put(struct arena *arena, cJSON *set, const char *name, cJSON *child)
{
	if (fieldset_empty(child))
		return set;
	if (!set)
		set = tree_new_object(arena);
	tree_set(arena, set, name, child);
	return set;
}

bool fieldset_empty(const cJSON *set)
{
	return !set || !set->child;
}

static bool is_marked(const cJSON *set)
{
	return tree_get(set, ".") != NULL;
}

cJSON *fieldset_union(struct arena *arena, const cJSON *a, const cJSON *b)
{
	if (fieldset_empty(a) || fieldset_empty(b))
		return tree_copy(arena, fieldset_empty(a) ? b : a);
	cJSON *out = tree_copy(arena, a);
	TREE_FOREACH (child, b) {
		const cJSON *mine = tree_get(a, child->string);
		tree_set(arena, out, child->string,
			mine && strcmp(child->string, ".") != 0 ? fieldset_union(arena, mine, child)
								: tree_copy(arena, child));
	}
	return out;
}

cJSON *fieldset_difference(struct arena *arena, const cJSON *a, const cJSON *b)
{
	cJSON *out = NULL;
	TREE_FOREACH (child, a) {
		const cJSON *other = tree_get(b, child->string);
		if (str_eq(child->string, ".")) {
			if (!other)
				out = mark(arena, out);
		} else {
			out = put(arena, out, child->string,
				other ? fieldset_difference(arena, child, other) : tree_copy(arena, child));
		}
	}
	return out;
}

cJSON *fieldset_intersection(struct arena *arena, const cJSON *a, const cJSON *b)
{
	cJSON *out = NULL;
	TREE_FOREACH (child, a) {
		const cJSON *other = tree_get(b, child->string);
		if (!other)
			continue;
		if (str_eq(child->string, "."))
			out = mark(arena, out);
		else
			out = put(arena, out, child->string, fieldset_intersection(arena, child, other));
	}
	return out;
}

bool fieldset_equal(const cJSON *a, const cJSON *b)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return fieldset_empty(fieldset_difference(arena, a, b)) && fieldset_empty(fieldset_difference(arena, b, a));
}

cJSON *fieldset_without(struct arena *arena, const cJSON *set, const char *member)
{
	if (fieldset_empty(set))
		return NULL;
	cJSON *out = tree_copy(arena, set);
	tree_remove(out, member_name(arena, member));
	return out;
}

cJSON *fieldset_only(struct arena *arena, const cJSON *set, const char *member)
{
	char *name = member_name(arena, member);
	const cJSON *child = tree_get(set, name);
	return child ? put(arena, NULL, name, tree_copy(arena, child)) : NULL;
}

cJSON *fieldset_strip(struct arena *arena, const cJSON *set)
{
	static const char *const system[] = {"f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid",
		"f:generation", "f:managedFields", "f:resourceVersion", "."};
	if (fieldset_empty(set))
		return NULL;
	cJSON *out = tree_copy(arena, set);
	tree_remove(out, "f:apiVersion");
	tree_remove(out, "f:kind");
	tree_remove(out, ".");
	cJSON *meta = tree_get(out, "f:metadata");
	for (size_t i = 0; meta && i < ARRAY_SIZE(system); i++)
		tree_remove(meta, system[i]);
	if (meta && !meta->child)
		tree_remove(out, "f:metadata");
	return out;
}

/* --- of trees --- */

static cJSON *set_of(struct arena *arena, const struct place *p, const cJSON *value)
{
	cJSON *out = NULL;
	if (is_object(p, value)) {
		TREE_FOREACH (member, value) {
			struct place place = of_member(p, member->string);
			cJSON *child = set_of(arena, &place, member);
			if (cJSON_IsNull(member) || (cJSON_IsObject(member) && !member->child) || p->kind == PLACE_MAP)
				child = mark(arena, child);
			out = put(arena, out, member_name(arena, member->string), child);
		}
		return out;
	}
	if (!is_list(p, value))
		return mark(arena, NULL);
	struct place place = of_item(p);
	TREE_FOREACH (item, value)
		out = put(arena, out, item_name(arena, p, item), mark(arena, set_of(arena, &place, item)));
	return out;
}

cJSON *fieldset_of(struct arena *arena, const struct schema_type *type, const cJSON *tree)
{
	struct place p = of_type(type);
	return set_of(arena, &p, tree);
}

static struct field_changes compare(
	struct arena *arena, const struct place *p, const cJSON *before, const cJSON *after);

static void take_changes(struct arena *arena, struct field_changes *out, const char *name, struct field_changes child)
{
	out->added = put(arena, out->added, name, child.added);
	out->modified = put(arena, out->modified, name, child.modified);
	out->removed = put(arena, out->removed, name, child.removed);
}

static void compare_members(
	struct arena *arena, const struct place *p, const cJSON *before, const cJSON *after, struct field_changes *out)
{
	TREE_FOREACH (member, before) {
		struct place place = of_member(p, member->string);
		take_changes(arena, out, member_name(arena, member->string),
			compare(arena, &place, member, tree_get(after, member->string)));
	}
	TREE_FOREACH (member, after) {
		struct place place = of_member(p, member->string);
		if (!tree_get(before, member->string))
			take_changes(
				arena, out, member_name(arena, member->string), compare(arena, &place, NULL, member));
	}
}

static void compare_items(
	struct arena *arena, const struct place *p, const cJSON *before, const cJSON *after, struct field_changes *out)
{
	struct place place = of_item(p);
	TREE_FOREACH (item, before) {
		char *name = item_name(arena, p, item);
		take_changes(arena, out, name, compare(arena, &place, item, find_item(arena, p, after, name)));
	}
	TREE_FOREACH (item, after) {
		char *name = item_name(arena, p, item);
		if (!find_item(arena, p, before, name))
			take_changes(arena, out, name, compare(arena, &place, NULL, item));
	}
}

static struct field_changes compare(struct arena *arena, const struct place *p, const cJSON *before, const cJSON *after)
{
	struct field_changes out = {0};
	if (is_object(p, before) && is_object(p, after))
		compare_members(arena, p, before, after, &out);
	else if (is_list(p, before) && is_list(p, after))
		compare_items(arena, p, before, after, &out);
	else if (before && after && !tree_equal(before, after))
		out.modified = mark(arena, NULL);
	if (!before && after)
		out.added = mark(arena, out.added);
	if (before && !after)
		out.removed = mark(arena, out.removed);
	return out;
}

struct field_changes fieldset_compare(
	struct arena *arena, const struct schema_type *type, const cJSON *before, const cJSON *after)
{
	struct place p = of_type(type);
	return compare(arena, &p, before, after);
}

/* --- text --- */

/* A lone "." is left out. */
static cJSON *to_text_form(struct arena *arena, const cJSON *set)
{
	cJSON *out = tree_new_object(arena);
	if (is_marked(set) && !set->child->next)
		return out;
	TREE_FOREACH (child, set)
		tree_set(arena, out, child->string,
			str_eq(child->string, ".") ? tree_new_object(arena) : to_text_form(arena, child));
	return out;
}

static cJSON *from_text_form(struct arena *arena, const cJSON *text)
{
	cJSON *out = tree_new_object(arena);
	if (!text->child)
		return mark(arena, out);
	TREE_FOREACH (child, text)
		tree_set(arena, out, child->string,
			str_eq(child->string, ".") ? tree_new_object(arena) : from_text_form(arena, child));
	return out;
}

char *fieldset_print(struct arena *arena, const cJSON *set)
{
	if (fieldset_empty(set))
		return arena_strdup(arena, "{}");
	return tree_to_string(arena, to_text_form(arena, set), TREE_SORTED);
}

cJSON *fieldset_parse(struct arena *arena, const char *text, size_t size)
{
	cJSON *tree = NULL;
	struct status *status = tree_parse(arena, text, size, NULL, &tree);
	status_drop(status, "what cannot be read owns nothing");
	if (status || !cJSON_IsObject(tree) || !tree->child)
		return NULL;
	return from_text_form(arena, tree);
}

/* k:{"name":"c"} as [name="c"], v:"x" as [="x"]. */
static char *spell(struct arena *arena, const char *path, const char *element)
{
	if (str_starts_with(element, "f:"))
		return arena_printf(arena, "%s.%s", path, element + 2);
	if (str_starts_with(element, "v:"))
		return arena_printf(arena, "%s[=%s]", path, element + 2);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	cJSON *keys = NULL;
	struct status *status = tree_parse(arena, element + 2, strlen(element + 2), NULL, &keys);
	status_drop(status, "then the element stands for itself");
	TREE_FOREACH (key, keys)
		strbuf_printf(&out, "%s%s=%s", out.len ? "," : "", key->string, tree_to_string(arena, key, 0));
	return arena_printf(arena, "%s[%s]", path, out.buf);
}

static void each_path(struct arena *arena, const cJSON *set, const char *path,
	void (*fn)(void *data, const char *path_text), void *data)
{
	if (is_marked(set) && *path)
		fn(data, path);
	TREE_FOREACH (child, set)
		if (strcmp(child->string, ".") != 0)
			each_path(arena, child, spell(arena, path, child->string), fn, data);
}

void fieldset_each_path(struct arena *arena, const cJSON *set, void (*fn)(void *data, const char *path), void *data)
{
	each_path(arena, set, "", fn, data);
}

/* --- applying --- */

static cJSON *merge(struct arena *arena, const struct place *p, const cJSON *live, const cJSON *config);

static cJSON *merge_members(struct arena *arena, const struct place *p, const cJSON *live, const cJSON *config)
{
	cJSON *out = tree_copy(arena, live);
	TREE_FOREACH (member, config) {
		struct place place = of_member(p, member->string);
		tree_set(arena, out, member->string, merge(arena, &place, tree_get(live, member->string), member));
	}
	return out;
}

static cJSON *merge_items(struct arena *arena, const struct place *p, const cJSON *live, const cJSON *config)
{
	cJSON *out = tree_new_array(arena);
	struct place place = of_item(p);
	TREE_FOREACH (item, live) {
		const cJSON *wanted = find_item(arena, p, config, item_name(arena, p, item));
		tree_append(out, wanted ? merge(arena, &place, item, wanted) : tree_copy(arena, item));
	}
	TREE_FOREACH (item, config)
		if (!find_item(arena, p, live, item_name(arena, p, item)))
			tree_append(out, tree_copy(arena, item));
	return out;
}

static cJSON *merge(struct arena *arena, const struct place *p, const cJSON *live, const cJSON *config)
{
	if (live && is_object(p, live) && is_object(p, config))
		return merge_members(arena, p, live, config);
	if (live && is_list(p, live) && is_list(p, config))
		return merge_items(arena, p, live, config);
	return tree_copy(arena, config);
}

cJSON *apply_merge(struct arena *arena, const struct schema_type *type, const cJSON *live, const cJSON *config)
{
	struct place p = of_type(type);
	return merge(arena, &p, live, config);
}

static cJSON *take_out(
	struct arena *arena, const struct place *p, const cJSON *value, const cJSON *set, const cJSON *others)
{
	/* Owned by nobody else, here or below: it goes with all that nobody owns. */
	if (fieldset_empty(set))
		return tree_copy(arena, value);
	if (is_marked(set) && fieldset_empty(others))
		return NULL;
	if (is_object(p, value)) {
		cJSON *out = tree_new_object(arena);
		TREE_FOREACH (member, value) {
			struct place place = of_member(p, member->string);
			char *name = member_name(arena, member->string);
			cJSON *left = take_out(arena, &place, member, tree_get(set, name), tree_get(others, name));
			if (left)
				tree_set(arena, out, member->string, left);
		}
		return out;
	}
	if (is_list(p, value)) {
		cJSON *out = tree_new_array(arena);
		struct place place = of_item(p);
		TREE_FOREACH (item, value) {
			char *name = item_name(arena, p, item);
			cJSON *left = take_out(arena, &place, item, tree_get(set, name), tree_get(others, name));
			if (left)
				tree_append(out, left);
		}
		return out;
	}
	return tree_copy(arena, value);
}

cJSON *apply_remove(
	struct arena *arena, const struct schema_type *type, const cJSON *tree, const cJSON *set, const cJSON *others)
{
	struct place p = of_type(type);
	return take_out(arena, &p, tree, fieldset_strip(arena, set), others);
}
