#include "api/print/print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/print/internal.h"
#include "base/mem.h"

static const struct kind_printer *const tables[] = {print_pod_kinds, print_core_kinds, print_network_kinds,
	print_workload_kinds, print_access_kinds, print_storage_kinds, print_extension_kinds, print_autoscaling_kinds};

static struct print_cell *add_cell(struct printer *p)
{
	struct print_cell *cell = &ARENA_PUSH(p->arena, p->cells, p->n_cells);

	*cell = (struct print_cell){.text = ""};
	return cell;
}

void cell_text(struct printer *p, const char *s)
{
	add_cell(p)->text = arena_strdup(p->arena, str_or_empty(s));
}

void cell_printf(struct printer *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *text = arena_vprintf(p->arena, format, args);
	va_end(args);
	add_cell(p)->text = text;
}

void cell_number(struct printer *p, int64_t number)
{
	struct print_cell *cell = add_cell(p);

	cell->number = number;
	cell->is_number = true;
}

void cell_bool(struct printer *p, bool value)
{
	struct print_cell *cell = add_cell(p);

	cell->number = value;
	cell->is_bool = true;
}

void cell_or_none(struct printer *p, const char *s)
{
	cell_text(p, str_or(s, "<none>"));
}

void cell_name(struct printer *p, const void *msg)
{
	cell_text(p, object_name(msg));
}

void cell_since(struct printer *p, const char *before, int64_t since, const char *after)
{
	struct print_cell *cell = add_cell(p);

	*cell = (struct print_cell){.text = before, .number = since, .after = after, .is_age = true};
}

void cell_time(struct printer *p, const MetaV1Time *t)
{
	if (time_is_zero(t))
		cell_text(p, "<unknown>");
	else
		cell_since(p, "", t->seconds, "");
}

void cell_age(struct printer *p, const void *msg)
{
	const MetaV1ObjectMeta *meta = object_meta(msg);

	cell_time(p, meta ? meta->creation_timestamp : NULL);
}

char *join(struct printer *p, char *const *items, size_t n, const char *separator)
{
	return n ? str_join(p->arena, items, n, separator) : arena_strdup(p->arena, "");
}

void cell_containers(struct printer *p, const CoreV1PodTemplateSpec *template)
{
	const CoreV1PodSpec *spec = template ? template->spec : NULL;
	char **names = NULL, **images = NULL;
	size_t n_names = 0, n_images = 0;

	for (size_t i = 0; spec && i < spec->n_containers; i++) {
		ARENA_PUSH(p->arena, names, n_names) = spec->containers[i]->name;
		ARENA_PUSH(p->arena, images, n_images) = spec->containers[i]->image;
	}
	cell_text(p, join(p, names, n_names, ","));
	cell_text(p, join(p, images, n_images, ","));
}

void cell_labels(struct printer *p, MapStringEntry *const *entries, size_t n)
{
	char **items = NULL;
	size_t n_items = 0;

	for (size_t i = 0; i < n; i++)
		ARENA_PUSH(p->arena, items, n_items) =
			arena_printf(p->arena, "%s=%s", entries[i]->key, str_or_empty(entries[i]->value));
	if (n_items > 1)
		qsort(items, n_items, sizeof(*items), str_cmp_qsort);
	cell_or_none(p, join(p, items, n_items, ","));
}

static const struct schema_column default_columns[] = {
	{.name = "Name", .type = "string", .format = "name"}, {.name = "Created At", .type = "date", .format = ""}};

/* A Scale is no resource of its own. */
static const struct schema_column scale_columns[] = {
	{.name = "Name", .type = "string", .format = "", .of = "metadata.name"},
	{.name = "Desired", .type = "integer", .format = "", .of = "spec.replicas"},
	{.name = "Available", .type = "integer", .format = "", .of = "status.replicas"},
	{.name = "Age", .type = "string", .format = ""}};

size_t print_columns(const struct schema_type *type, const struct schema_column **ret_columns)
{
	const struct schema_resource *r = type->resource;

	if (type == &AutoscalingV1Scale_schema) {
		*ret_columns = scale_columns;
		return ARRAY_SIZE(scale_columns);
	}
	*ret_columns = r && r->n_columns ? r->columns : default_columns;
	return r && r->n_columns ? r->n_columns : ARRAY_SIZE(default_columns);
}

bool print_is_plain(const struct schema_type *type)
{
	const struct schema_column *columns;
	return print_columns(type, &columns) == 2 && str_eq(columns[1].name, "Created At");
}

/* Kinds without a printer: what metadata can say. */
static void print_generic(struct printer *p, const void *msg, const struct schema_column *columns, size_t n)
{
	const MetaV1ObjectMeta *meta = object_meta(msg);

	for (size_t i = 0; i < n; i++) {
		if (str_eq(columns[i].format, "name"))
			cell_name(p, msg);
		else if (str_eq(columns[i].name, "Age"))
			cell_age(p, msg);
		else if (str_eq(columns[i].type, "date") && meta && !time_is_zero(meta->creation_timestamp))
			cell_text(p, time_format(p->arena, meta->creation_timestamp->seconds));
		else
			cell_text(p, "<unknown>");
	}
}

static const struct kind_printer *find_printer(const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct kind_printer *k = tables[i]; k->type; k++)
			if (k->type == type)
				return k;
	return NULL;
}

static size_t cells_of(struct arena *arena, const void *msg, struct print_cell **ret_cells)
{
	struct printer p = {.arena = arena};
	const struct kind_printer *kind = find_printer(schema_of(msg));
	const struct schema_column *columns;
	size_t n = print_columns(schema_of(msg), &columns);

	if (kind)
		kind->print(&p, msg);
	else
		print_generic(&p, msg, columns, n);
	*ret_cells = p.cells;
	return p.n_cells;
}

size_t print_cells(struct arena *arena, const void *msg, int64_t now, struct print_cell **ret_cells)
{
	size_t n = cells_of(arena, msg, ret_cells);

	for (struct print_cell *c = *ret_cells; c < *ret_cells + n; c++)
		if (c->is_age)
			*c = (struct print_cell){.text = arena_printf(arena, "%s%s%s", c->text,
							 duration_human(arena, now - c->number), c->after)};
	return n;
}

static RuntimeRawExtension *new_raw(struct arena *arena, const struct strbuf *text)
{
	RuntimeRawExtension *raw = API_NEW(arena, RuntimeRawExtension);

	raw->raw.data = arena_dup(arena, text->buf, text->len);
	raw->raw.len = text->len;
	return raw;
}

static void encode_cell(struct strbuf *out, const struct print_cell *cell)
{
	if (cell->is_number)
		strbuf_printf(out, "%" PRId64, cell->number);
	else if (cell->is_bool)
		strbuf_adds(out, cell->number ? "true" : "false");
	else
		json_add_string(out, cell->text, strlen(cell->text), true);
}

static RuntimeRawExtension *raw_cell(struct arena *arena, const struct print_cell *cell)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;

	encode_cell(&text, cell);
	return new_raw(arena, &text);
}

/* Annotations that are fields of their own within the original: its metadata alone has them not. */
static const struct hidden {
	const struct schema_type *type;
	const char *annotations[5];
} hidden[] = {
	{&AppsV1DaemonSet_schema, {"deprecated.daemonset.template.generation"}},
	{&AppsV1Deployment_schema, {"deprecated.deployment.rollback.to"}},
	{&AutoscalingV1HorizontalPodAutoscaler_schema,
		{"autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/current-metrics",
			"autoscaling.alpha.kubernetes.io/conditions", "autoscaling.alpha.kubernetes.io/behavior"}},
};

static const struct hidden *hidden_of(const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (hidden[i].type == type)
			return &hidden[i];
	return NULL;
}

bool print_metadata_is_part(const struct schema_type *type)
{
	return !hidden_of(type);
}

MetaV1PartialObjectMetadata *print_metadata(struct arena *arena, const void *msg)
{
	MetaV1PartialObjectMetadata *partial = API_NEW(arena, MetaV1PartialObjectMetadata);
	const struct hidden *h = hidden_of(schema_of(msg));
	partial->metadata = object_meta(msg);
	if (h && partial->metadata) {
		partial->metadata = (MetaV1ObjectMeta *)api_copy_msg(arena, &partial->metadata->base);
		for (size_t i = 0; h->annotations[i]; i++)
			meta_remove_annotation(partial->metadata, h->annotations[i]);
	}
	return partial;
}

static RuntimeRawExtension *raw_object(struct arena *arena, const void *msg, const struct print_table_options *options)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	const struct schema_type *type = &MetaV1PartialObjectMetadata_schema;

	if (str_eq(options->include, "None"))
		return NULL;
	if (str_eq(options->include, "Object")) {
		json_encode(&text, msg, 0);
		return new_raw(arena, &text);
	}
	json_encode_as(
		&text, print_metadata(arena, msg), str_or(options->metadata_version, type->api_version), type->kind, 0);
	return new_raw(arena, &text);
}

/* A finished pod's row says so, for clients that hide it. */
static void add_conditions(struct arena *arena, MetaV1TableRow *row, const void *msg)
{
	const CoreV1Pod *pod = msg;
	const char *phase = API_IS(msg, CoreV1Pod) && pod->status ? pod->status->phase : "";

	if (!str_eq(phase, "Succeeded") && !str_eq(phase, "Failed"))
		return;
	MetaV1TableRowCondition *condition = API_NEW(arena, MetaV1TableRowCondition);
	condition->type = arena_strdup(arena, "Completed");
	condition->status = arena_strdup(arena, "True");
	condition->reason = arena_strdup(arena, phase);
	condition->message = arena_strdup(
		arena, str_eq(phase, "Failed") ? "The pod failed." : "The pod has completed successfully.");
	ARENA_PUSH(arena, row->conditions, row->n_conditions) = condition;
}

static void add_row(struct arena *arena, MetaV1Table *table, const void *msg, const struct print_table_options *options)
{
	MetaV1TableRow *row = API_NEW(arena, MetaV1TableRow);
	struct print_cell *cells;
	size_t n = print_cells(arena, msg, options->now, &cells);

	for (size_t i = 0; i < n; i++)
		ARENA_PUSH(arena, row->cells, row->n_cells) = raw_cell(arena, &cells[i]);
	add_conditions(arena, row, msg);
	row->object = raw_object(arena, msg, options);
	ARENA_PUSH(arena, table->rows, table->n_rows) = row;
}

/* --- rows that are kept --- */

struct age {
	int64_t since;
	size_t at; /* in text */
};

struct print_row {
	size_t size; /* of the block */
	size_t n_ages;
	size_t text_size;
	const char *text; /* behind the ages */
	struct age ages[];
};

/* What stands between the quotes of a string. */
static void add_unquoted(struct strbuf *out, const char *text)
{
	const size_t at = out->len;

	json_add_string(out, text, strlen(text), true);
	const size_t size = out->len - at - 2;
	memmove(out->buf + at, out->buf + at + 1, size);
	strbuf_truncate(out, at + size);
}

static void encode_row(
	struct strbuf *out, struct arena *arena, const void *msg, struct age **ret_ages, size_t *ret_n_ages)
{
	struct print_cell *cells;
	size_t n = cells_of(arena, msg, &cells);

	strbuf_adds(out, "{\"cells\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(out, ',');
		if (!cells[i].is_age) {
			encode_cell(out, &cells[i]);
			continue;
		}
		strbuf_addc(out, '"');
		add_unquoted(out, cells[i].text);
		ARENA_PUSH(arena, *ret_ages, *ret_n_ages) = (struct age){.since = cells[i].number, .at = out->len};
		add_unquoted(out, cells[i].after);
		strbuf_addc(out, '"');
	}
	strbuf_addc(out, ']');
}

static void encode_conditions(struct strbuf *out, struct arena *arena, const void *msg)
{
	MetaV1TableRow *row = API_NEW(arena, MetaV1TableRow);

	add_conditions(arena, row, msg);
	for (size_t i = 0; i < row->n_conditions; i++) {
		strbuf_adds(out, i ? "," : ",\"conditions\":[");
		json_encode(out, row->conditions[i], 0);
	}
	if (row->n_conditions)
		strbuf_addc(out, ']');
}

struct print_row *print_row_new(const void *msg)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	struct age *ages = NULL;
	size_t n_ages = 0;

	encode_row(&text, arena, msg, &ages, &n_ages);
	encode_conditions(&text, arena, msg);
	const size_t head = sizeof(struct print_row) + n_ages * sizeof(*ages);
	struct print_row *row = mem_alloc(head + text.len);
	*row = (struct print_row){
		.size = head + text.len, .n_ages = n_ages, .text_size = text.len, .text = (char *)row + head};
	if (n_ages)
		memcpy(row->ages, ages, n_ages * sizeof(*ages));
	memcpy((char *)row + head, text.buf, text.len);
	return row;
}

size_t print_row_size(const struct print_row *row)
{
	return row->size;
}

void print_row_add(struct strbuf *out, const struct print_row *row, int64_t now)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(64);
	size_t from = 0;

	for (size_t i = 0; i < row->n_ages; i++) {
		strbuf_add(out, row->text + from, row->ages[i].at - from);
		add_unquoted(out, duration_human(arena, now - row->ages[i].since));
		from = row->ages[i].at;
	}
	strbuf_add(out, row->text + from, row->text_size - from);
}

/* What the documentation says of the field at a path; "" for none. */
static const char *doc_at(const struct schema_type *type, const char *path)
{
	const struct schema_name *name = NULL;

	while (type && *path) {
		size_t len = strcspn(path, ".");
		name = schema_find_field(type, path, len);
		if (!name)
			return "";
		type = name->field->type;
		path += len + (path[len] == '.');
	}
	return name ? str_or_empty(name->field->doc) : "";
}

static const char *describe(const struct schema_type *type, const struct schema_column *column)
{
	if (column->doc)
		return column->doc;
	if (column->of)
		return doc_at(type, column->of);
	if (str_eq(column->format, "name"))
		return doc_at(&MetaV1ObjectMeta_schema, "name");
	if (str_eq(column->name, "Age") || str_eq(column->name, "Created At"))
		return doc_at(&MetaV1ObjectMeta_schema, "creationTimestamp");
	return "";
}

static void add_headers(struct arena *arena, MetaV1Table *table, const struct schema_type *type)
{
	const struct schema_column *columns;
	size_t n = print_columns(type, &columns);

	for (size_t i = 0; i < n; i++) {
		MetaV1TableColumnDefinition *column = API_NEW(arena, MetaV1TableColumnDefinition);
		column->name = arena_strdup(arena, columns[i].name);
		column->type = arena_strdup(arena, columns[i].type);
		column->format = arena_strdup(arena, columns[i].format);
		column->description = arena_strdup(arena, describe(type, &columns[i]));
		column->priority = columns[i].priority;
		ARENA_PUSH(arena, table->column_definitions, table->n_column_definitions) = column;
	}
}

MetaV1Table *print_table(struct arena *arena, const void *msg, const struct print_table_options *options)
{
	MetaV1Table *table = API_NEW(arena, MetaV1Table);
	const struct schema_type *item = schema_item_of(schema_of(msg));
	const MetaV1ListMeta *list = object_list_meta(msg);
	void **items;

	table->metadata = API_NEW(arena, MetaV1ListMeta);
	table->metadata->resource_version = arena_strdup(arena, object_resource_version(msg));
	if (list) {
		table->metadata->continue_ = arena_strdup(arena, str_or_empty(list->continue_));
		table->metadata->has_remaining_item_count = list->has_remaining_item_count;
		table->metadata->remaining_item_count = list->remaining_item_count;
	}
	if (options->with_headers)
		add_headers(arena, table, item ? item : schema_of(msg));
	size_t n = item ? list_items(msg, &items) : 0;
	for (size_t i = 0; i < n; i++)
		add_row(arena, table, items[i], options);
	if (!item)
		add_row(arena, table, msg, options);
	if (!table->rows)
		table->rows = ARENA_ARRAY(arena, MetaV1TableRow *, 1);
	return table;
}
