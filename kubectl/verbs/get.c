#include "kubectl/builder.h"
#include "kubectl/printer.h"
#include "kubectl/table.h"
#include "kubectl/verbs/verbs.h"
#include "net/url.h"

struct get_options {
	struct print_options print;
	struct filename_options files;
	char *selector, *field_selector, *raw, *sort_by, *subresource;
	struct flag_list label_columns;
	bool all_namespaces, ignore_not_found, no_headers, server_print, show_kind, show_labels, watch, watch_only,
		events;
	int64_t chunk_size;
};

#define G(...) OPT(struct get_options, __VA_ARGS__)
static const struct option get_flags[] = {
	OPT_GROUP(struct get_options, print, print_flags),
	OPT_GROUP(struct get_options, files, filename_flags),
	G(all_namespaces, 'A', "all-namespaces", FLAG_BOOL, "false", "Show the objects of all namespaces"),
	G(chunk_size, 0, "chunk-size", FLAG_INT, "500",
		"Fetch long lists in pieces of this size; 0 fetches all at once"),
	G(field_selector, 0, "field-selector", FLAG_STRING, "", "Select by fields (key=value, !=, joined by commas)"),
	G(ignore_not_found, 0, "ignore-not-found", FLAG_BOOL, "false", "Objects that do not exist are no error"),
	G(label_columns, 'L', "label-columns", FLAG_STRINGS, "", "Labels to show as columns of their own"),
	G(no_headers, 0, "no-headers", FLAG_BOOL, "false", "Leave the column headers out"),
	G(events, 0, "output-watch-events", FLAG_BOOL, "false", "With --watch: show the type of each event"),
	G(raw, 0, "raw", FLAG_STRING, "", "Path on the server whose answer is shown as it is"),
	G(selector, 'l', "selector", FLAG_STRING, "", "Select by labels"),
	G(server_print, 0, "server-print", FLAG_BOOL, "true", "Let the server choose the columns"),
	G(show_kind, 0, "show-kind", FLAG_BOOL, "false", "Put the kind before each name"),
	G(show_labels, 0, "show-labels", FLAG_BOOL, "false", "Show all labels in the last column"),
	G(sort_by, 0, "sort-by", FLAG_STRING, "", "JSONPath of the field to sort by"),
	G(subresource, 0, "subresource", FLAG_STRING, "", "Subresource to read: status, scale, resize"),
	G(watch, 'w', "watch", FLAG_BOOL, "false", "Show the objects, then every change"),
	G(watch_only, 0, "watch-only", FLAG_BOOL, "false", "Show changes only"),
	OPT_END,
};

struct getter {
	struct kubectl *k;
	const struct get_options *o;
	struct printer *printer; /* NULL for tables */
	struct table_printer tables;
	struct table_options table;
	struct tabwriter writer;
	struct status *error;
	FILE *out;
};

static bool is_human(const struct get_options *o)
{
	return (str_empty(o->print.output) && str_empty(o->print.template)) || str_eq(o->print.output, "wide");
}

static struct status *check(const struct get_options *o, struct call *call)
{
	if (!str_empty(o->raw)) {
		if (call->n_args)
			return user_error("arguments may not be passed when --raw is specified");
		if (o->watch || o->watch_only || !str_empty(o->selector))
			return user_error(
				"--raw may not be specified with other flags that filter the server request or "
				"alter the "
				"output");
		if (!str_empty(o->print.output))
			return user_error("--raw and --output are mutually exclusive");
		return NULL;
	}
	if (!o->watch && !o->watch_only && !call->n_args && !has_files(&o->files)) {
		fputs("You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list "
		      "of "
		      "supported resources.\n\n",
			stderr);
		return usage_error(call, "Required resource not specified.\nUse \"kubectl explain <resource>\" for a "
					 "detailed description of that resource (e.g. kubectl explain pods).");
	}
	if (o->show_labels && !is_human(o))
		return user_error("--show-labels option cannot be used with %s printer", o->print.output);
	if (o->events && !o->watch && !o->watch_only)
		return user_error("--output-watch-events option can only be used with --watch or --watch-only");
	return NULL;
}

static struct status *get_raw(struct kubectl *k, const char *path)
{
	char *copy = arena_strdup(k->arena, path), *query = strchr(copy, '?'), *text;
	size_t size;
	if (*path != '/')
		return user_error("--raw must be a valid URL path: parse \"%s\": invalid URI for request", path);
	if (query)
		*query++ = 0;
	struct rest request = {.path = copy, .query = query};
	TRY(rest_text(k, k->arena, &request, &text, &size));
	fwrite(text, 1, size, stdout);
	return NULL;
}

static struct selection selection_of(const struct get_options *o, struct call *call)
{
	struct selection s = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.selector = o->selector,
		.field_selector = o->field_selector,
		.all_namespaces = o->all_namespaces,
		.list_without_selector = true,
		.flatten = true,
		.latest = true,
		.chunk_size = str_empty(o->sort_by) ? o->chunk_size : 0,
		.subresource = o->subresource,
		.ignore_not_found = o->ignore_not_found};
	if (is_human(o)) {
		s.accept = o->server_print ? ACCEPT_TABLE : NULL;
		s.query = str_empty(o->sort_by) ? NULL : "includeObject=Object";
	}
	return s;
}

static void set_table(struct getter *g, const struct api_resource *mapping, bool with_kind)
{
	const struct get_options *o = g->o;
	g->table = (struct table_options){.wide = str_eq(o->print.output, "wide"),
		.no_headers = o->no_headers,
		.with_namespace = o->all_namespaces && mapping && mapping->rest.namespaced,
		.show_labels = o->show_labels,
		.kind = with_kind && mapping ? mapping_kind_group(g->k->arena, mapping) : NULL,
		.label_columns = o->label_columns};
	g->tables = (struct table_printer){.arena = g->k->arena};
}

/* Objects of a server that knows no tables, in the two columns that all objects have. */
static cJSON *make_table(struct arena *arena, const cJSON *object)
{
	cJSON *table = obj_new(arena, "meta.k8s.io/v1", "Table", NULL), *rows = obj_array(arena, table, "rows");
	const char *names[] = {"Name", "Age"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cJSON *column = tree_new_object(arena);
		tree_set_string(arena, column, "name", names[i]);
		tree_set_string(arena, column, "type", "string");
		tree_set_string(arena, column, "format", i ? "" : "name");
		tree_append(obj_array(arena, table, "columnDefinitions"), column);
	}
	const cJSON *items = obj_is_list(object) ? tree_get(object, "items") : NULL;
	for (const cJSON *item = items ? items->child : object; item; item = items ? item->next : NULL) {
		cJSON *row = tree_new_object(arena), *cells = obj_array(arena, row, "cells");
		tree_append(cells, tree_new_string(arena, obj_name(item)));
		tree_append(cells,
			tree_new_string(arena, human_age(arena, obj_string(item, "metadata.creationTimestamp"))));
		tree_set(arena, row, "object", tree_copy(arena, item));
		tree_append(rows, row);
	}
	return table;
}

static void print_table(struct getter *g, struct arena *arena, const cJSON *object)
{
	table_print(&g->tables, is_table(object) ? object : make_table(arena, object), &g->table, &g->writer);
}

static bool several_kinds(const struct infos *infos)
{
	for (size_t i = 1; i < infos->n_items; i++)
		if (infos->items[i].mapping != infos->items[0].mapping)
			return true;
	return false;
}

static struct status *print_human(struct getter *g, struct infos *infos)
{
	const struct get_options *o = g->o;
	bool with_kind = several_kinds(infos) || o->show_kind, namespaced = !o->all_namespaces, separate = false;
	const struct api_resource *last = NULL;
	for (size_t i = 0; i < infos->n_items; i++) {
		struct info *info = &infos->items[i];
		namespaced = namespaced && info->mapping && info->mapping->rest.namespaced;
		if (!str_empty(o->sort_by) && is_table(info->object)) {
			struct status *s = sort_objects(
				g->k->arena, obj_array(g->k->arena, info->object, "rows"), o->sort_by, "object");
			if (s)
				return s;
		}
		if (!i || info->mapping != last) {
			tabwriter_flush(&g->writer);
			tabwriter_forget(&g->writer);
			separate = separate || (i && !o->no_headers && g->writer.n_written > 0);
			set_table(g, info->mapping, with_kind);
			last = info->mapping;
		}
		print_table(g, g->k->arena, info->object);
		if (separate && g->writer.text.len) {
			fputc('\n', g->out);
			separate = false;
		}
	}
	tabwriter_flush(&g->writer);
	if (g->writer.n_written || o->ignore_not_found)
		return NULL;
	const char *namespace;
	TRY(kubectl_namespace(g->k, &namespace));
	if (namespaced)
		fprintf(stderr, "No resources found in %s namespace.\n", namespace);
	else
		fputs("No resources found\n", stderr);
	return NULL;
}

static struct status *print_generic(struct getter *g, struct infos *infos, bool any_error)
{
	struct arena *arena = g->k->arena;
	if (infos->single_item_implied && (any_error || infos->n_items == 1))
		return infos->n_items ? printer_print(g->printer, infos->items[0].object, g->out) : NULL;
	if (!infos->n_items && g->o->ignore_not_found)
		return NULL;
	cJSON *list = obj_new(arena, "v1", "List", NULL), *items = obj_array(arena, list, "items");
	obj_set_string(arena, list, "metadata.resourceVersion", "");
	for (size_t i = 0; i < infos->n_items; i++)
		tree_append(items, tree_copy(arena, infos->items[i].object));
	if (!str_empty(g->o->sort_by))
		TRY(sort_objects(arena, items, g->o->sort_by, ""));
	return printer_print(g->printer, list, g->out);
}

static const char *const event_names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};

static struct status *print_object(struct getter *g, struct arena *arena, const cJSON *object, const char *event)
{
	if (!g->printer) {
		g->table.event = g->o->events ? event : NULL;
		print_table(g, arena, object);
		tabwriter_flush(&g->writer);
		return NULL;
	}
	struct status *s;
	if (g->o->events) {
		cJSON *wrapped = tree_new_object(arena);
		tree_set_string(arena, wrapped, "type", event);
		tree_set(arena, wrapped, "object", tree_copy(arena, object));
		s = printer_print(g->printer, wrapped, g->out);
	} else {
		s = printer_print(g->printer, object, g->out);
	}
	fflush(g->out);
	return s;
}

static bool on_event(void *data, const struct watch_event *event)
{
	struct getter *g = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *object;
	if (event->type == WATCH_BOOKMARK)
		return true;
	if (event->type == WATCH_ERROR) {
		g->error = status_from_server(status_copy(event->error));
		return false;
	}
	g->error = tree_parse(arena, event->json, event->json_size, NULL, &object);
	if (!g->error)
		g->error = print_object(g, arena, object, event_names[event->type]);
	return !g->error;
}

static struct status *follow(struct getter *g, const struct selection *sel, const struct info *info)
{
	struct client *client;
	TRY(kubectl_client(g->k, &client));
	char *field = (char *)(uintptr_t)sel->field_selector;
	if (*info->name)
		field = arena_printf(g->k->arena, "metadata.name=%s", info->name);
	struct watch_options options = {.resource_version = obj_string(info->object, "metadata.resourceVersion"),
		.label_selector = sel->selector,
		.field_selector = field,
		.accept = sel->accept,
		.timeout_seconds = kubectl_watch_seconds(g->k)};
	TRY(client_watch(client, &info->mapping->rest, NULL, info->namespace, &options, on_event, g));
	return g->error;
}

/* The items of a list say their kind only as part of the list's. */
static void set_type(struct arena *arena, const cJSON *list, cJSON *item)
{
	const char *kind = obj_kind(list);
	if (*obj_kind(item) || strlen(kind) <= strlen("List"))
		return;
	tree_set_string(arena, item, "kind", arena_strndup(arena, kind, strlen(kind) - strlen("List")));
	tree_set_string(arena, item, "apiVersion", obj_string(list, "apiVersion"));
}

static struct status *print_present(struct getter *g, const struct info *info)
{
	struct arena *arena = g->k->arena;
	if (!g->printer || !obj_is_list(info->object))
		return print_object(g, arena, info->object, "ADDED");
	TREE_FOREACH (item, tree_get(info->object, "items")) {
		set_type(arena, info->object, item);
		TRY(print_object(g, arena, item, "ADDED"));
	}
	return NULL;
}

static struct status *get_watch(struct getter *g, struct call *call)
{
	const struct get_options *o = g->o;
	struct selection sel = selection_of(o, call);
	struct infos infos;
	sel.flatten = false;
	sel.single_type = true;
	sel.query = NULL;
	if (!str_empty(o->sort_by))
		fprintf(stderr,
			o->watch ? "warning: --watch requested, --sort-by will be ignored for watch events received\n"
				 : "warning: --watch-only requested, --sort-by will be ignored\n");
	TRY(select_objects(g->k, &sel, &infos));
	if (!infos.n_items)
		return NULL;
	if (infos.n_items > 1)
		return user_error(
			"watch is only supported on individual resources and resource collections - more than 1 "
			"resource "
			"was found");
	struct info *info = &infos.items[0];
	if (!*info->name && has_files(&o->files))
		info->name = obj_name(info->object);
	set_table(g, info->mapping, o->show_kind);
	if (!o->watch_only)
		TRY(print_present(g, info));
	return follow(g, &sel, info);
}

static struct status *get_run(struct kubectl *k, struct call *call)
{
	struct get_options *o = call->options;
	struct getter g = {.k = k, .o = o, .out = stdout};
	o->print.columns = true;
	o->print.no_headers = o->no_headers;
	TRY(check(o, call));
	if (!str_empty(o->raw))
		return get_raw(k, o->raw);
	if (!is_human(o))
		TRY(printer_new(k, &o->print, NULL, &g.printer));
	tabwriter_init(&g.writer, k->arena, 6, 3, true, stdout);
	if (o->watch || o->watch_only)
		return get_watch(&g, call);
	struct selection sel = selection_of(o, call);
	struct infos infos;
	struct status *errors = select_objects(k, &sel, &infos);
	if (errors && !infos.n_items)
		return errors;
	errors_add(&errors, g.printer ? print_generic(&g, &infos, errors != NULL) : print_human(&g, &infos));
	return errors;
}

const struct command get_command = {
	.name = "get",
	.section = "Basic Commands (Intermediate):",
	.summary = "Display one or many resources",
	.usage = "(TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
	.details = "Shows objects of one or several types as a table, or whole as JSON, YAML or by a template.",
	.examples = "# all pods of the namespace, with the nodes they run on\nkubectl get pods -o wide\n\n"
		    "# one deployment as YAML\nkubectl get deployment web -o yaml\n\n"
		    "# pods and services by label, then every change\nkubectl get pods -l app=web --watch",
	.flags = get_flags,
	.options_size = sizeof(struct get_options),
	.run = get_run,
};
