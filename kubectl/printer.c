#include "kubectl/printer.h"

#include "api/jsonpath.h"
#include "api/yaml.h"
#include "base/io.h"

const struct option print_flags[] = {
	OPT(struct print_options, output, 'o', "output", FLAG_STRING, "",
		"Output format: json, yaml, name, jsonpath, jsonpath-as-json, jsonpath-file, go-template, "
		"go-template-file"),
	OPT(struct print_options, template, 0, "template", FLAG_STRING, "",
		"Template text or file for the template formats"),
	OPT(struct print_options, show_managed_fields, 0, "show-managed-fields", FLAG_BOOL, "false",
		"Keep metadata.managedFields in JSON and YAML output"),
	OPT(struct print_options, allow_missing, 0, "allow-missing-template-keys", FLAG_BOOL, "true",
		"Missing fields in templates print nothing instead of being an error"),
	OPT_END,
};

enum format {
	FORMAT_NAME,
	FORMAT_JSON,
	FORMAT_YAML,
	FORMAT_JSONPATH,
	FORMAT_JSONPATH_AS_JSON,
	FORMAT_COLUMNS,
	FORMAT_TEMPLATE
};

struct column {
	const char *header;
	struct jsonpath *path;
};

struct printer {
	struct kubectl *k;
	const struct print_options *options;
	enum format format;
	const char *operation;
	const char *text; /* of the template */
	struct jsonpath *path;
	struct template *template;
	struct column *columns;
	size_t n_columns;
	size_t n_printed;
};

void print_json(const cJSON *tree, bool in_order, FILE *out)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	tree_print(&text, tree, (in_order ? 0 : TREE_SORTED) | JSON_PRETTY);
	fprintf(out, "%s\n", text.buf);
}

void print_yaml(const cJSON *tree, FILE *out)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	yaml_print_tree(&text, tree);
	fwrite(text.buf, 1, text.len, out);
}

static const struct {
	const char *name;
	enum format format;
	bool file, columns;
} formats[] = {
	{"custom-columns", FORMAT_COLUMNS, false, true},
	{"custom-columns-file", FORMAT_COLUMNS, true, true},
	{"go-template", FORMAT_TEMPLATE, false, false},
	{"go-template-file", FORMAT_TEMPLATE, true, false},
	{"json", FORMAT_JSON, false, false},
	{"jsonpath", FORMAT_JSONPATH, false, false},
	{"jsonpath-as-json", FORMAT_JSONPATH_AS_JSON, false, false},
	{"jsonpath-file", FORMAT_JSONPATH, true, false},
	{"name", FORMAT_NAME, false, false},
	{"template", FORMAT_TEMPLATE, false, false},
	{"templatefile", FORMAT_TEMPLATE, true, false},
	{"yaml", FORMAT_YAML, false, false},
};

static struct status *unknown_format(const struct print_options *o)
{
	CLEANUP(strbuf_done) struct strbuf list = STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i].columns && !o->columns)
			continue;
		if (o->columns && str_eq(formats[i].name, "yaml"))
			strbuf_adds(&list, ",wide");
		strbuf_printf(&list, "%s%s", list.len ? "," : "", formats[i].name);
	}
	return user_error("unable to match a printer suitable for the output format \"%s\", allowed formats are: %s",
		o->output, list.buf);
}

/* "{.a.b}" for the forms that users write. */
static struct status *relaxed(struct arena *arena, const char *text, struct jsonpath **ret)
{
	char *full;
	TRY(jsonpath_relax(arena, text, &full));
	TRY(jsonpath_parse(arena, full, ret));
	jsonpath_allow_missing(*ret, true);
	return NULL;
}

static struct status *parse_columns(struct printer *p, char *spec)
{
	char **parts;
	size_t n = str_split(p->k->arena, spec, ',', &parts);
	if (!n)
		return user_error("custom-columns format specified but no custom columns given");
	for (size_t i = 0; i < n; i++) {
		char *colon = strchr(parts[i], ':');
		if (!colon)
			return user_error(
				"unexpected custom-columns spec: %s, expected <header>:<json-path-expr>", parts[i]);
		struct column column = {.header = arena_strndup(p->k->arena, parts[i], (size_t)(colon - parts[i]))};
		TRY(relaxed(p->k->arena, colon + 1, &column.path));
		ARENA_PUSH(p->k->arena, p->columns, p->n_columns) = column;
	}
	return NULL;
}

static size_t split_words(struct arena *arena, const char *line, char ***ret)
{
	size_t n = 0;
	for (line += strspn(line, " \t\r"); *line && *line != '\n'; line += strspn(line, " \t\r")) {
		size_t size = strcspn(line, " \t\r\n");
		ARENA_PUSH(arena, *ret, n) = arena_strndup(arena, line, size);
		line += size;
	}
	return n;
}

/* A file of two lines: headers, and the paths below them. */
static struct status *parse_columns_file(struct printer *p, const char *text)
{
	char **headers = NULL, **specs = NULL;
	const char *second = strchr(text, '\n');
	size_t n = split_words(p->k->arena, text, &headers);
	size_t n_specs = second ? split_words(p->k->arena, second + 1, &specs) : 0;
	if (!second || !second[1])
		return user_error("invalid template, missing spec line. Expected format is one line of space separated "
				  "headers, one "
				  "line of space separated column specs.");
	if (n != n_specs)
		return user_error("number of headers (%zu) and field specifications (%zu) don't match", n, n_specs);
	for (size_t i = 0; i < n; i++) {
		struct column column = {.header = headers[i]};
		TRY(relaxed(p->k->arena, specs[i], &column.path));
		ARENA_PUSH(p->k->arena, p->columns, p->n_columns) = column;
	}
	return NULL;
}

static struct status *parse_template(struct printer *p, bool file, char *text)
{
	struct arena *arena = p->k->arena;
	const bool columns = p->format == FORMAT_COLUMNS;
	if (str_empty(text) && columns)
		return user_error("custom-columns format specified but no custom columns given");
	if (str_empty(text))
		return user_error("template format specified but no template given");
	if (file) {
		char *data;
		size_t size;
		struct status *s = io_read_file(text, 1 << 20, &data, &size);
		if (s) {
			status_free(s);
			return user_error(
				"error reading --template %s, open %s: no such file or directory\n", text, text);
		}
		text = arena_strndup(arena, data, size);
		free(data);
	}
	p->text = text;
	struct status *s;
	if (columns)
		return file ? parse_columns_file(p, text) : parse_columns(p, text);
	if (p->format == FORMAT_TEMPLATE) {
		s = template_parse(arena, text, &p->template);
		if (!s)
			return NULL;
		struct status *named = user_error("error parsing template %s, %s", text, s->message);
		status_free(s);
		return named;
	}
	s = jsonpath_parse(arena, text, &p->path);
	if (s) {
		struct status *named = user_error("error parsing jsonpath %s, %s", text, s->message);
		status_free(s);
		return named;
	}
	jsonpath_allow_missing(p->path, p->options->allow_missing);
	return NULL;
}

struct status *printer_new(
	struct kubectl *k, const struct print_options *options, const char *operation, struct printer **ret)
{
	struct printer *p = ARENA_NEW(k->arena, struct printer);
	*p = (struct printer){.k = k, .options = options, .operation = operation};
	const char *output = options->output;
	*ret = p;
	if (str_empty(output) && !str_empty(options->template))
		output = "go-template";
	if (str_empty(output))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		size_t size = strlen(formats[i].name);
		if (strncmp(output, formats[i].name, size) || (output[size] && output[size] != '=') ||
			(formats[i].columns && !options->columns))
			continue;
		p->format = formats[i].format;
		if (p->format == FORMAT_NAME)
			p->operation = NULL;
		if (p->format <= FORMAT_YAML)
			return output[size] ? unknown_format(options) : NULL;
		return parse_template(p, formats[i].file,
			output[size] ? arena_strdup(k->arena, output + size + 1) : options->template);
	}
	return unknown_format(options);
}

bool print_wants_object(const struct print_options *options)
{
	return (!str_empty(options->output) && !str_eq(options->output, "name") && !str_eq(options->output, "wide")) ||
	       !str_empty(options->template);
}

static struct status *print_name(struct printer *p, const cJSON *object, FILE *out)
{
	if (obj_is_list(object)) {
		TREE_FOREACH (item, tree_get(object, "items"))
			TRY(print_name(p, item, out));
		return NULL;
	}
	const char *version = obj_string(object, "apiVersion"), *slash = strchr(version, '/');
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *kind = str_lower(arena, obj_kind(object));
	fprintf(out, "%s%s%.*s/%s%s%s\n", kind, slash ? "." : "", slash ? (int)(slash - version) : 0, version,
		str_or(obj_name(object), "<unknown>"), p->operation ? " " : "", str_or_empty(p->operation));
	return NULL;
}

static struct status *print_jsonpath(struct printer *p, struct arena *arena, const cJSON *object, FILE *out)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	struct status *s;
	if (p->format == FORMAT_JSONPATH_AS_JSON) {
		cJSON **nodes, *list = tree_new_array(arena);
		size_t n = 0;
		s = jsonpath_find(arena, p->path, object, &nodes, &n);
		for (size_t i = 0; !s && i < n; i++)
			tree_append(list, tree_copy(arena, nodes[i]));
		if (!s)
			print_json(list, false, out);
	} else {
		s = jsonpath_print(p->path, object, &text);
		fwrite(text.buf, 1, text.len, out);
	}
	if (!s)
		return NULL;
	struct status *full =
		user_error("error executing jsonpath \"%s\": Error executing template: %s. Printing more information "
			   "for debugging the template:\n\ttemplate was:\n\t\t%s\n\tobject given to jsonpath engine "
			   "was:\n\t\t%s\n\n",
			p->text, s->message, p->text, tree_to_string(arena, object, TREE_SORTED));
	status_free(s);
	return full;
}

static struct status *print_columns_row(
	struct printer *p, struct arena *arena, const cJSON *object, struct tabwriter *w)
{
	for (size_t i = 0; i < p->n_columns; i++) {
		cJSON **nodes;
		size_t n = 0;
		TRY(jsonpath_find(arena, p->columns[i].path, object, &nodes, &n));
		tabwriter_adds(w, i ? "\t" : "");
		if (!n)
			tabwriter_adds(w, "<none>");
		for (size_t j = 0; j < n; j++) {
			const cJSON *node = nodes[j];
			bool structured = cJSON_IsObject(node) || cJSON_IsArray(node);
			char *text = structured ? NULL : obj_text(arena, node);
			tabwriter_adds(w, j ? "," : "");
			if (structured) {
				CLEANUP(strbuf_done) struct strbuf go = STRBUF_INIT;
				obj_print_go(arena, &go, node);
				tabwriter_adds(w, go.buf);
			} else {
				tabwriter_adds(w, cJSON_IsNull(node) ? "<none>" : text);
			}
		}
	}
	tabwriter_adds(w, "\n");
	return NULL;
}

static struct status *print_columns_rows(
	struct printer *p, struct arena *arena, const cJSON *object, struct tabwriter *w)
{
	if (!obj_is_list(object))
		return print_columns_row(p, arena, object, w);
	TREE_FOREACH (item, tree_get(object, "items"))
		TRY(print_columns_row(p, arena, item, w));
	return NULL;
}

/* What could be printed is, before an error. */
static struct status *print_columns(struct printer *p, struct arena *arena, const cJSON *object, FILE *out)
{
	struct tabwriter w;
	tabwriter_init(&w, arena, 6, 3, false, out);
	if (!p->options->no_headers && !p->n_printed) {
		for (size_t i = 0; i < p->n_columns; i++)
			tabwriter_printf(&w, "%s%s", i ? "\t" : "", p->columns[i].header);
		tabwriter_adds(&w, "\n");
	}
	struct status *s = print_columns_rows(p, arena, object, &w);
	tabwriter_flush(&w);
	strbuf_done(&w.text);
	return s;
}

static void drop_managed_fields(cJSON *object)
{
	obj_remove(object, "metadata.managedFields");
	if (obj_is_list(object))
		TREE_FOREACH (item, tree_get(object, "items"))
			obj_remove(item, "metadata.managedFields");
}

struct status *printer_print(struct printer *p, const cJSON *object, FILE *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct status *s = NULL;
	if ((p->format == FORMAT_JSON || p->format == FORMAT_YAML) && !p->options->show_managed_fields) {
		cJSON *copy = tree_copy(arena, object);
		drop_managed_fields(copy);
		object = copy;
	}
	if (p->format == FORMAT_NAME)
		s = print_name(p, object, out);
	else if (p->format == FORMAT_JSON)
		print_json(object, p->options->in_order, out);
	else if (p->format == FORMAT_COLUMNS)
		s = print_columns(p, arena, object, out);
	else if (p->format == FORMAT_TEMPLATE) {
		CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
		s = template_print(arena, p->template, object, p->options->allow_missing, &text);
		fwrite(text.buf, 1, text.len, out);
		if (s)
			s = status_with_code(status_wrap(s, "error executing template \"%s\"", p->text), 1);
	} else if (p->format == FORMAT_YAML) {
		if (p->n_printed)
			fputs("---\n", out);
		print_yaml(object, out);
	} else {
		s = print_jsonpath(p, arena, object, out);
	}
	p->n_printed++;
	return s;
}

struct status *dry_run_parse(const char *text, enum dry_run *ret)
{
	if (str_eq(text, "unchanged")) {
		fputs("Warning: --dry-run is deprecated and can be replaced with --dry-run=client.\n", stderr);
		*ret = DRY_RUN_CLIENT;
	} else if (str_empty(text) || str_eq(text, "none")) {
		*ret = DRY_RUN_NONE;
	} else if (str_eq(text, "client")) {
		*ret = DRY_RUN_CLIENT;
	} else if (str_eq(text, "server")) {
		*ret = DRY_RUN_SERVER;
	} else {
		return user_error("Invalid dry-run value (%s). Must be \"none\", \"server\", or \"client\".", text);
	}
	return NULL;
}

const char *dry_run_operation(struct kubectl *k, enum dry_run mode, const char *operation)
{
	if (mode == DRY_RUN_NONE)
		return operation;
	return arena_printf(k->arena, "%s (%s)", operation, mode == DRY_RUN_CLIENT ? "dry run" : "server dry run");
}

struct status *print_result(struct kubectl *k, const struct print_options *print, const char *operation,
	enum dry_run dry_run, const cJSON *object)
{
	struct printer *printer;
	TRY(printer_new(k, print, dry_run_operation(k, dry_run, operation), &printer));
	return printer_print(printer, object, stdout);
}
