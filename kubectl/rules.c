#include "kubectl/rules.h"

#include <stdlib.h>

static bool has_verb(const char *verbs, const char *verb)
{
	size_t size = strlen(verb);
	for (const char *at = verbs; (at = strstr(at, verb)); at += size)
		if ((at == verbs || at[-1] == ' ') && (!at[size] || at[size] == ' '))
			return true;
	return false;
}

static void add_verbs(struct arena *arena, struct rule_row *row, const cJSON *verbs)
{
	TREE_FOREACH (verb, verbs) {
		const char *text = str_or_empty(tree_string(verb));
		if (!has_verb(row->verbs, text))
			row->verbs = arena_printf(arena, "%s%s%s", row->verbs, *row->verbs ? " " : "", text);
	}
}

static void add_row(struct arena *arena, struct rule_row **rows, size_t *n, struct rule_row row, const cJSON *verbs)
{
	for (size_t i = 0; i < *n && !*row.url; i++) {
		struct rule_row *r = &(*rows)[i];
		if (str_eq(r->group, row.group) && str_eq(r->resource, row.resource) && str_eq(r->name, row.name) &&
			!*r->url) {
			add_verbs(arena, r, verbs);
			return;
		}
	}
	row.verbs = arena_strdup(arena, "");
	add_verbs(arena, &row, verbs);
	ARENA_PUSH(arena, *rows, *n) = row;
}

void rules_add(struct arena *arena, const cJSON *rules, struct rule_row **rows, size_t *n)
{
	char *none = arena_strdup(arena, "");
	TREE_FOREACH (rule, rules) {
		const cJSON *verbs = tree_get(rule, "verbs"), *names = tree_get(rule, "resourceNames");
		TREE_FOREACH (url, tree_get(rule, "nonResourceURLs")) {
			struct rule_row row = {none, none, obj_text(arena, url), none, NULL};
			add_row(arena, rows, n, row, verbs);
		}
		TREE_FOREACH (group, tree_get(rule, "apiGroups"))
			TREE_FOREACH (resource, tree_get(rule, "resources")) {
				struct rule_row row = {
					obj_text(arena, group), obj_text(arena, resource), none, none, NULL};
				if (!tree_size(names))
					add_row(arena, rows, n, row, verbs);
				TREE_FOREACH (name, names) {
					row.name = obj_text(arena, name);
					add_row(arena, rows, n, row, verbs);
				}
			}
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

void rules_sort(struct arena *arena, struct rule_row *rows, size_t n)
{
	struct keyed *items = ARENA_ARRAY(arena, struct keyed, n + 1);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct keyed){rows[i],
			arena_printf(arena, "%s],[%s],[%s],[%s],[%s]", rows[i].verbs, rows[i].group, rows[i].resource,
				rows[i].name, rows[i].url),
			i};
	if (n)
		qsort(items, n, sizeof(*items), by_key);
	for (size_t i = 0; i < n; i++)
		rows[i] = items[i].row;
}

void rules_print(struct tabwriter *w, const char *indent, const struct rule_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rule_row *r = &rows[i];
		const char *slash = strchrnul(r->resource, '/');
		tabwriter_printf(w, "%s%.*s%s%s%s\t[%s]\t[%s]\t[%s]\n", indent, (int)(slash - r->resource), r->resource,
			*r->group ? "." : "", r->group, slash, r->url, r->name, r->verbs);
	}
}
