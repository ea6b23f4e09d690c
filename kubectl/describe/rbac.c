#include "kubectl/describe/describe.h"

struct row {
	char *resource, *urls, *names, *verbs;
};

static int by_row(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->resource, ((const struct row *)b)->resource);
}

static char *bracketed(struct desc *d, const cJSON *list)
{
	return arena_printf(d->arena, "[%s]", join_strings(d->arena, list, " "));
}

/* Rules for the same resource and names are shown as one, with the verbs of all. */
static void add_row(struct desc *d, struct row **rows, size_t *n, char *resource, char *names, const cJSON *verbs)
{
	for (size_t i = 0; i < *n; i++) {
		struct row *row = &(*rows)[i];
		if (!str_eq(row->resource, resource) || !str_eq(row->names, names))
			continue;
		row->verbs = arena_printf(d->arena, "[%.*s %s]", (int)strlen(row->verbs) - 2, row->verbs + 1,
			join_strings(d->arena, verbs, " "));
		return;
	}
	ARENA_PUSH(d->arena, *rows, *n) =
		(struct row){resource, arena_strdup(d->arena, "[]"), names, bracketed(d, verbs)};
}

struct status *describe_role(struct desc *d, const cJSON *o)
{
	struct row *rows = NULL;
	size_t n = 0;
	line(d, 0, "Name:\t%s\n", obj_name(o));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	TREE_FOREACH (rule, tree_get(o, "rules")) {
		const cJSON *verbs = tree_get(rule, "verbs");
		TREE_FOREACH (url, tree_get(rule, "nonResourceURLs"))
			ARENA_PUSH(d->arena, rows, n) = (struct row){arena_strdup(d->arena, ""),
				arena_printf(d->arena, "[%s]", obj_text(d->arena, url)), arena_strdup(d->arena, "[]"),
				bracketed(d, verbs)};
		TREE_FOREACH (resource, tree_get(rule, "resources"))
			TREE_FOREACH (group, tree_get(rule, "apiGroups")) {
				const char *g = str_or_empty(tree_string(group)),
					   *r = str_or_empty(tree_string(resource));
				const char *slash = strchr(r, '/');
				int plural = slash ? (int)(slash - r) : (int)strlen(r);
				char *full = arena_printf(
					d->arena, "%.*s%s%s%s", plural, r, *g ? "." : "", g, slash ? slash : "");
				add_row(d, &rows, &n, full, bracketed(d, tree_get(rule, "resourceNames")), verbs);
			}
	}
	if (n)
		qsort(rows, n, sizeof(*rows), by_row);
	line(d, 0, "PolicyRule:\n");
	line(d, 1, "Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
	line(d, 1, "---------\t-----------------\t--------------\t-----\n");
	for (size_t i = 0; i < n; i++)
		line(d, 1, "%s\t%s\t%s\t%s\n", rows[i].resource, rows[i].urls, rows[i].names, rows[i].verbs);
	return NULL;
}

struct status *describe_role_binding(struct desc *d, const cJSON *o)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	line(d, 0, "Role:\n");
	line(d, 1, "Kind:\t%s\n", obj_string(o, "roleRef.kind"));
	line(d, 1, "Name:\t%s\n", obj_string(o, "roleRef.name"));
	line(d, 0, "Subjects:\n");
	line(d, 1, "Kind\tName\tNamespace\n");
	line(d, 1, "----\t----\t---------\n");
	TREE_FOREACH (s, tree_get(o, "subjects"))
		line(d, 1, "%s\t%s\t%s\n", obj_string(s, "kind"), obj_string(s, "name"), obj_string(s, "namespace"));
	return NULL;
}
