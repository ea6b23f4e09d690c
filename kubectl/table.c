#include "kubectl/table.h"

#include <ctype.h>

bool is_table(const cJSON *object)
{
	return str_eq(obj_kind(object), "Table") && str_starts_with(obj_string(object, "apiVersion"), "meta.k8s.io/");
}

static void add_cell(struct tabwriter *w, bool *first, const char *text)
{
	if (!*first)
		tabwriter_adds(w, "\t");
	*first = false;
	tabwriter_adds(w, text);
}

static char *upper(struct arena *arena, const char *s)
{
	char *copy = arena_strdup(arena, s);
	for (char *c = copy; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return copy;
}

static bool column_shown(const cJSON *column, const struct table_options *o)
{
	return o->wide || !obj_int(column, "priority", 0);
}

static void print_header(struct arena *arena, const cJSON *columns, const struct table_options *o, struct tabwriter *w)
{
	bool first = true;
	if (o->event)
		add_cell(w, &first, "EVENT");
	if (o->with_namespace)
		add_cell(w, &first, "NAMESPACE");
	TREE_FOREACH (column, columns)
		if (column_shown(column, o))
			add_cell(w, &first, upper(arena, obj_string(column, "name")));
	for (size_t i = 0; i < o->label_columns.n_items; i++) {
		const char *slash = strrchr(o->label_columns.items[i], '/');
		add_cell(w, &first, upper(arena, slash ? slash + 1 : o->label_columns.items[i]));
	}
	if (o->show_labels)
		add_cell(w, &first, "LABELS");
	tabwriter_adds(w, "\n");
}

/* Text up to the first line break, with a mark that there is more. */
static char *cell_text(struct arena *arena, const cJSON *cell)
{
	if (!cell || cJSON_IsNull(cell))
		return arena_strdup(arena, "");
	char *text = obj_text(arena, cell);
	size_t size = strcspn(text, "\f\n\r");
	if (text[size])
		return arena_printf(arena, "%.*s...", (int)size, text);
	return text;
}

static void print_row(
	struct arena *arena, const cJSON *columns, const cJSON *row, const struct table_options *o, struct tabwriter *w)
{
	bool first = true, named = !o->kind;
	const cJSON *object = tree_get(row, "object"), *cell = obj_at(row, "cells.0");
	if (o->event)
		add_cell(w, &first, arena_printf(arena, "%-8s", o->event));
	if (o->with_namespace)
		add_cell(w, &first, obj_namespace(object));
	TREE_FOREACH (column, columns) {
		const cJSON *value = cell;
		bool is_name = !named && str_eq(obj_string(column, "format"), "name") &&
			       str_eq(obj_string(column, "type"), "string");
		named |= is_name;
		if (cell)
			cell = cell->next;
		if (!column_shown(column, o))
			continue;
		char *text = value ? cell_text(arena, value) : arena_strdup(arena, "");
		add_cell(w, &first, is_name ? arena_printf(arena, "%s/%s", o->kind, text) : text);
	}
	for (size_t i = 0; i < o->label_columns.n_items; i++)
		add_cell(w, &first, obj_label(object, o->label_columns.items[i]));
	if (o->show_labels)
		add_cell(w, &first, obj_format_map(arena, obj_at(object, "metadata.labels"), "<none>"));
	tabwriter_adds(w, "\n");
}

void table_print(struct table_printer *p, const cJSON *table, const struct table_options *options, struct tabwriter *w)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const cJSON *columns = tree_get(table, "columnDefinitions"), *rows = tree_get(table, "rows");
	if (!tree_size(columns)) {
		columns = p->columns;
	} else if (!tree_equal(columns, p->columns)) {
		p->columns = tree_copy(p->arena, columns);
		p->headers_done = false;
	}
	if (!options->no_headers && !p->headers_done && tree_size(rows))
		print_header(arena, columns, options, w);
	if (tree_size(rows))
		p->headers_done = true;
	TREE_FOREACH (row, rows)
		print_row(arena, columns, row, options, w);
}
