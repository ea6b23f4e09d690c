#include "kubectl/rules.h"

#include <stdlib.h>

/* The row of that key, made if there is none. */
static struct rule_row *row_of(struct rule_table *t, struct rule_row row, const char *key)
{
	size_t at = nameset_find(&t->keys, key);
	if (at < t->n_rows)
		return &t->rows[at];
	nameset_add(&t->keys, key);
	row.said.arena = t->arena;
	ARENA_PUSH(t->arena, t->rows, t->n_rows) = row;
	return &t->rows[t->n_rows - 1];
}

static void add_verb(struct arena *arena, struct rule_row *row, char *verb)
{
	if (nameset_add(&row->said, verb))
		ARENA_PUSH(arena, row->verbs, row->n_verbs) = verb;
}

/* The row of a resource, and of an object if name is not NULL, with all its verbs. */
static void add_resource(
	struct rule_table *t, const char *group, const char *resource, const char *name, const cJSON *verbs)
{
	const char *key = arena_printf(t->arena, "%s\n%s%s%s", group, resource, name ? "\n" : "", name ? name : "");
	struct rule_row *row = row_of(t, (struct rule_row){group, resource, "", name ? name : ""}, key);
	TREE_FOREACH (verb, verbs)
		add_verb(t->arena, row, obj_text(t->arena, verb));
}

/* Paths have a row for each verb, and each time that they are named. */
static void add_url(struct rule_table *t, const char *url, const cJSON *verbs)
{
	TREE_FOREACH (verb, verbs) {
		struct rule_row *row =
			row_of(t, (struct rule_row){"", "", url, ""}, arena_printf(t->arena, "%zu", t->n_rows));
		add_verb(t->arena, row, obj_text(t->arena, verb));
	}
}

void rules_add(struct rule_table *t, const cJSON *rules)
{
	TREE_FOREACH (rule, rules) {
		const cJSON *verbs = tree_get(rule, "verbs"), *names = tree_get(rule, "resourceNames");
		TREE_FOREACH (group, tree_get(rule, "apiGroups"))
			TREE_FOREACH (resource, tree_get(rule, "resources")) {
				const char *of = obj_text(t->arena, group), *what = obj_text(t->arena, resource);
				if (!tree_size(names))
					add_resource(t, of, what, NULL, verbs);
				TREE_FOREACH (name, names)
					add_resource(t, of, what, obj_text(t->arena, name), verbs);
			}
		TREE_FOREACH (url, tree_get(rule, "nonResourceURLs"))
			add_url(t, obj_text(t->arena, url), verbs);
	}
}

struct keyed {
	struct rule_row row;
	char *key;
	size_t position;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *ka = a, *kb = b;
	int order = strcmp(ka->key, kb->key);
	return order ? order : (ka->position > kb->position) - (ka->position < kb->position);
}

void rules_sort(struct rule_table *t)
{
	struct keyed *items = ARENA_ARRAY(t->arena, struct keyed, t->n_rows + 1);
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct rule_row *r = &t->rows[i];
		items[i] = (struct keyed){*r,
			arena_printf(t->arena, "%s],[%s],[%s],[%s],[%s]", str_join(t->arena, r->verbs, r->n_verbs, " "),
				r->group, r->resource, r->name, r->url),
			i};
	}
	if (t->n_rows)
		qsort(items, t->n_rows, sizeof(*items), by_key);
	for (size_t i = 0; i < t->n_rows; i++)
		t->rows[i] = items[i].row;
}

void rules_print(struct tabwriter *w, const char *indent, const struct rule_table *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct rule_row *r = &t->rows[i];
		const char *slash = strchrnul(r->resource, '/');
		tabwriter_printf(w, "%s%.*s%s%s%s\t[%s]\t[%s]\t[%s]\n", indent, (int)(slash - r->resource), r->resource,
			*r->group ? "." : "", r->group, slash, r->url, r->name,
			str_join(t->arena, r->verbs, r->n_verbs, " "));
	}
}
