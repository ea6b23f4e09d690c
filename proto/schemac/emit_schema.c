/* Emits the schema tables: fields, JSON names, resources, and the index of all types. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "schemac/model.h"

static const char *const schema_kind_names[K_N] = {
	"BOOL", "INT32", "INT64", "UINT32", "UINT64", "FLOAT", "DOUBLE", "STRING", "BYTES", "MESSAGE"};
static const char *const shape_names[] = {"SINGLE", "LIST", "MAP"};
static const char *const form_names[] = {"OBJECT", "TIME", "MICRO_TIME", "DURATION", "QUANTITY", "INT_OR_STRING", "RAW",
	"LIST", "SCHEMA_OR_BOOL", "SCHEMA_OR_ARRAY", "SCHEMA_OR_STRING_ARRAY"};

void emit_string(FILE *out, const char *s)
{
	if (!s) {
		fputs("NULL", out);
		return;
	}
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c == '?')
			fprintf(out, "\\%03o", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/* A compound literal holding the parts of a text, NULL-terminated; NULL for no text. */
static void emit_split(FILE *out, const char *text, char separator)
{
	if (!text || !*text) {
		fputs("NULL", out);
		return;
	}
	fputs("(const char *const[]){", out);
	for (const char *at = text;;) {
		const char *end = strchrnul(at, separator);
		char *part = format("%.*s", (int)(end - at), at);
		emit_string(out, part);
		fputs(", ", out);
		free(part);
		if (!*end)
			break;
		at = end + 1;
	}
	fputs("NULL}", out);
}

static void emit_list(FILE *out, char **items, size_t n)
{
	fputs("(const char *const[]){", out);
	for (size_t i = 0; i < n; i++) {
		emit_string(out, items[i]);
		fputs(", ", out);
	}
	fputs("NULL}", out);
}

static void emit_flags(FILE *out, const struct field *field)
{
	const char *strategy = field->patch_strategy ? field->patch_strategy : "";

	fputs("0", out);
	if (field->inline_)
		fputs(" | SCHEMA_INLINE", out);
	if (field->keep_empty)
		fputs(" | SCHEMA_KEEP_EMPTY", out);
	if (field->by_value)
		fputs(" | SCHEMA_BY_VALUE", out);
	if (field->omit_zero)
		fputs(" | SCHEMA_OMIT_ZERO", out);
	if (field->required)
		fputs(" | SCHEMA_REQUIRED", out);
	if (field->presence)
		fputs(" | SCHEMA_PRESENCE", out);
	if (strstr(strategy, "merge"))
		fputs(" | SCHEMA_PATCH_MERGE", out);
	if (strstr(strategy, "replace"))
		fputs(" | SCHEMA_PATCH_REPLACE", out);
	if (strstr(strategy, "retainKeys"))
		fputs(" | SCHEMA_PATCH_RETAIN_KEYS", out);
}

static void emit_schema_field(FILE *out, const struct type *type, const struct field *field)
{
	fputs("\t{.json_name = ", out);
	emit_string(out, field->json_name);
	fprintf(out, ", .name = \"%s\", ", field->name);
	if (field->type)
		fprintf(out, ".type = &%s_schema, ", field->type->c_name);
	fprintf(out, ".number = %u, .offset = offsetof(%s, %s), ", field->number, type->c_name, field->c_name);
	if (field->shape != SINGLE)
		fprintf(out, ".quantifier_offset = offsetof(%s, n_%s), ", type->c_name, field->name);
	else if (field->presence && field->kind < K_STRING)
		fprintf(out, ".quantifier_offset = offsetof(%s, has_%s), ", type->c_name, field->name);
	fputs(".flags = ", out);
	emit_flags(out, field);
	fprintf(out, ", .kind = SCHEMA_%s, .shape = SCHEMA_%s, .list_type = %d, .map_type = %d, .json_size = %zu",
		schema_kind_names[field->kind], shape_names[field->shape], field->list_type, field->map_type,
		strlen(field->json_name));
	fputs(", .merge_key = ", out);
	emit_string(out, field->merge_key);
	fputs(", .list_keys = ", out);
	emit_split(out, field->list_keys, ',');
	fputs(", .default_json = ", out);
	emit_string(out, field->default_json);
	fputs(", .values = ", out);
	emit_split(out, field->values, '|');
	fputs(", .format = ", out);
	emit_string(out, field->format);
	fputs(", .doc = ", out);
	emit_string(out, field->doc);
	fputs("},\n", out);
}

/* One JSON name of a type: the field and the inlined fields that lead to it. */
struct name {
	const struct type *owner;
	const struct field *field;
	const struct field *via[2];
	const struct type *via_owner[2];
};

struct names {
	struct name *items;
	size_t n;
};

static void collect_names(struct names *names, const struct type *type, const struct name *above, size_t depth)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		struct name name = above ? *above : (struct name){0};
		name.owner = type;
		name.field = &type->fields[i];
		if (!name.field->inline_) {
			names->items = grow(names->items, names->n, sizeof(name));
			names->items[names->n++] = name;
			continue;
		}
		if (depth == 2)
			die("%s.%s: structs are inlined more than twice", type->full_name, name.field->name);
		name.via[depth] = name.field;
		name.via_owner[depth] = type;
		collect_names(names, name.field->type, &name, depth + 1);
	}
}

static int by_size_and_name(const void *a, const void *b)
{
	const char *x = ((const struct name *)a)->field->json_name, *y = ((const struct name *)b)->field->json_name;
	size_t x_size = strlen(x), y_size = strlen(y);

	if (x_size != y_size)
		return x_size < y_size ? -1 : 1;
	return strcmp(x, y);
}

static int by_name(const void *a, const void *b)
{
	const struct name *const *x = a, *const *y = b;

	return strcmp((*x)->field->json_name, (*y)->field->json_name);
}

/* Where to look whether JSON leaves a field of a type's own out. */
static void emit_look(FILE *out, const struct type *type, const struct field *field, size_t at)
{
	static const bool halves[K_N] = {[K_BOOL] = true, [K_INT32] = true, [K_UINT32] = true, [K_FLOAT] = true};
	const bool counted = field->shape != SINGLE, bit = !counted && field->presence && field->kind < K_STRING;
	const char *prefix = counted ? "n_" : bit ? "has_" : "", *name = *prefix ? field->name : field->c_name;

	if (field->keep_empty || field->by_value || field->inline_)
		fprintf(out, "{0, SCHEMA_LOOK_NOWHERE, %zu}, ", at);
	else if (!counted && (bit || halves[field->kind]))
		fprintf(out,
			"{offsetof(%s, %s%s) & ~7u, offsetof(%s, %s%s) & 4 ? SCHEMA_LOOK_SECOND_HALF : "
			"SCHEMA_LOOK_FIRST_HALF, %zu}, ",
			type->c_name, prefix, name, type->c_name, prefix, name, at);
	else
		fprintf(out, "{offsetof(%s, %s%s), SCHEMA_LOOK_%s, %zu}, ", type->c_name, prefix, name,
			!counted && field->kind == K_STRING && !field->presence ? "TEXT" : "WORD", at);
}

static void emit_looks(FILE *out, const struct type *type)
{
	fprintf(out, "static const struct schema_look %s_looks[] = {", type->c_name);
	for (size_t i = 0; i < type->n_fields; i++)
		emit_look(out, type, &type->fields[i], i);
	fputs("{0}};\n", out);
}

static void emit_by_name(FILE *out, const struct type *type, const struct names *names)
{
	const struct name **sorted = NULL;

	if (names->n > UINT8_MAX)
		die("%s has too many fields", type->full_name);
	for (size_t i = 0; i < names->n; i++) {
		sorted = grow(sorted, i, sizeof(*sorted));
		sorted[i] = &names->items[i];
	}
	qsort(sorted, names->n, sizeof(*sorted), by_name);
	fprintf(out, "static const struct schema_look %s_names_by_name[] = {", type->c_name);
	for (size_t i = 0; i < names->n; i++) {
		const size_t at = (size_t)(sorted[i] - names->items);
		if (sorted[i]->owner == type)
			emit_look(out, type, sorted[i]->field, at);
		else
			fprintf(out, "{0, SCHEMA_LOOK_NOWHERE, %zu}, ", at);
	}
	fputs("};\n", out);
	free(sorted);
}

/* Sorted by size, the names of one begin where those that are shorter end. Returns the longest one's. */
static size_t emit_by_size(FILE *out, const struct type *type, const struct names *names)
{
	const size_t longest = strlen(names->items[names->n - 1].field->json_name);
	size_t at = 0;

	fprintf(out, "static const uint8_t %s_by_size[] = {", type->c_name);
	for (size_t size = 0; size <= longest + 1; size++) {
		while (at < names->n && strlen(names->items[at].field->json_name) < size)
			at++;
		fprintf(out, "%zu, ", at);
	}
	fputs("};\n", out);
	return longest;
}

static void emit_field_ref(FILE *out, const struct type *owner, const struct field *field)
{
	fprintf(out, "&%s_fields[%zu]", owner->c_name, (size_t)(field - owner->fields));
}

static size_t emit_names(FILE *out, const struct type *type, size_t *ret_longest)
{
	struct names names = {0};

	collect_names(&names, type, NULL, 0);
	if (!names.n)
		return 0;
	qsort(names.items, names.n, sizeof(*names.items), by_size_and_name);
	fprintf(out, "static const struct schema_name %s_names[] = {\n", type->c_name);
	for (size_t i = 0; i < names.n; i++) {
		const struct name *name = &names.items[i];
		if (i && !by_size_and_name(name, name - 1))
			die("%s has two fields called %s", type->full_name, name->field->json_name);
		fputs("\t{", out);
		emit_string(out, name->field->json_name);
		fputs(", ", out);
		emit_field_ref(out, name->owner, name->field);
		fputs(", {", out);
		for (size_t v = 0; v < 2 && name->via[v]; v++) {
			emit_field_ref(out, name->via_owner[v], name->via[v]);
			fputs(", ", out);
		}
		fprintf(out, "}, %zu},\n", strlen(name->field->json_name));
	}
	fputs("};\n", out);
	emit_by_name(out, type, &names);
	*ret_longest = emit_by_size(out, type, &names);
	free(names.items);
	return names.n;
}

static void emit_columns(FILE *out, const Kubec__Resource *r)
{
	fputs("\t.columns = (const struct schema_column[]){", out);
	for (size_t i = 0; i < r->n_column; i++) {
		const Kubec__Column *c = r->column[i];
		fputs("{", out);
		emit_string(out, c->name);
		fputs(", ", out);
		emit_string(out, c->type);
		fputs(", ", out);
		emit_string(out, c->format ? c->format : "");
		fprintf(out, ", %d, ", c->has_priority ? c->priority : 0);
		emit_string(out, c->of);
		fputs(", ", out);
		emit_string(out, c->doc);
		fputs("}, ", out);
	}
	fprintf(out, "{0}}, .n_columns = %zu,\n", r->n_column);
}

static void emit_resource(FILE *out, const struct type *type)
{
	const Kubec__Resource *r = type->resource;

	fprintf(out, "const struct schema_resource %s_resource;\n", type->c_name);
	fprintf(out,
		"const struct schema_resource %s_resource = {.type = &%s_schema, .plural = \"%s\", .singular = \"%s\", "
		".namespaced = %d,\n",
		type->c_name, type->c_name, r->plural ? r->plural : "", r->singular ? r->singular : "",
		!r->has_scope || r->scope == KUBEC__SCOPE__NAMESPACED);
	fputs("\t.short_names = ", out);
	emit_list(out, r->short_name, r->n_short_name);
	fputs(", .categories = ", out);
	emit_list(out, r->category, r->n_category);
	fputs(", .verbs = ", out);
	emit_list(out, r->verb, r->n_verb);
	fputs(", .selectable = ", out);
	emit_list(out, r->selectable, r->n_selectable);
	fputs(",\n", out);
	emit_columns(out, r);
	fputs("\t.subresources = (const struct schema_subresource[]){", out);
	for (size_t i = 0; i < r->n_subresource; i++) {
		fputs("{", out);
		emit_string(out, r->subresource[i]->name);
		fputs(", ", out);
		emit_string(out, r->subresource[i]->kind);
		fputs(", ", out);
		emit_list(out, r->subresource[i]->verb, r->subresource[i]->n_verb);
		fputs("}, ", out);
	}
	fprintf(out, "{0}}, .n_subresources = %zu};\n", r->n_subresource);
}

/* The kinds of the meta group that every group serves are written with the apiVersion of the core group. */
static char *wire_version(const struct type *type)
{
	const char *group = type->file->group;

	if (!strcmp(group, "meta.k8s.io") && strcmp(type->kind, "Table") && strncmp(type->kind, "PartialObject", 13))
		group = "";
	return *group ? format("%s/%s", group, type->file->version) : format("%s", type->file->version);
}

/* The field tables of the types inlined from other files are static there, so their own are declared first. */
static void emit_foreign_tables(FILE *out, const struct type *type, size_t depth)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		if (!field->inline_ || depth == 2)
			continue;
		fprintf(out, "extern const struct schema_field %s_fields[];\n", field->type->c_name);
		emit_foreign_tables(out, field->type, depth + 1);
	}
}

void emit_schema(FILE *out, const struct type *type)
{
	emit_foreign_tables(out, type, 0);
	fprintf(out, "extern const struct schema_field %s_fields[];\nconst struct schema_field %s_fields[] = {\n",
		type->c_name, type->c_name);
	for (size_t i = 0; i < type->n_fields; i++)
		emit_schema_field(out, type, &type->fields[i]);
	fputs("\t{0}};\n", out);
	emit_looks(out, type);
	size_t longest = 0, n_names = emit_names(out, type, &longest);
	if (type->resource)
		emit_resource(out, type);
	fprintf(out,
		"#define %s_TABLES .fields = %s_fields, .looks = %s_looks, .n_fields = %zu, .n_names = %zu, "
		".longest_name = %zu, ",
		type->c_name, type->c_name, type->c_name, type->n_fields, n_names, longest);
	if (n_names)
		fprintf(out, ".names = %s_names, .by_name = %s_names_by_name, .by_size = %s_by_size, ", type->c_name,
			type->c_name, type->c_name);
	if (type->resource)
		fprintf(out, ".resource = &%s_resource, ", type->c_name);
	if (type->root) {
		char *version = wire_version(type);
		fprintf(out, ".api_version = \"%s\", ", version);
		free(version);
	}
	fputs(".doc = ", out);
	emit_string(out, type->doc);
	if (type->form < 0 || (size_t)type->form >= sizeof(form_names) / sizeof(form_names[0]))
		die("%s has a form that schemac does not know", type->full_name);
	fprintf(out, ", .form = SCHEMA_FORM_%s, .root = %d, .map_entry = %d, .recursive = %d, .shows_empty = %d\n",
		form_names[type->form], type->root, type->map_entry, type->recursive, type->shows_empty);
}

static int by_kind(const void *a, const void *b)
{
	const struct type *x = *(const struct type *const *)a, *y = *(const struct type *const *)b;
	int c = strcmp(x->kind, y->kind);

	if (!c)
		c = strcmp(x->file->group, y->file->group);
	if (!c)
		c = strcmp(x->file->version, y->file->version);
	return c ? c : strcmp(x->full_name, y->full_name);
}

static int by_plural(const void *a, const void *b)
{
	const struct type *x = *(const struct type *const *)a, *y = *(const struct type *const *)b;
	int c = strcmp(x->resource->plural, y->resource->plural);

	return c ? c : by_kind(a, b);
}

static size_t emit_type_list(FILE *out, const char *name, struct type **types, size_t n, bool roots)
{
	size_t kept = 0;

	fprintf(out, "const struct schema_type *const %s[] = {\n", name);
	for (size_t i = 0; i < n; i++) {
		if (roots && !types[i]->root)
			continue;
		fprintf(out, "\t&%s_schema,\n", types[i]->c_name);
		kept++;
	}
	fputs("\tNULL};\n", out);
	return kept;
}

void emit_index(FILE *out, const struct model *model)
{
	struct type **types = calloc(model->n_types + 1, sizeof(*types));
	size_t n = 0;

	if (!types)
		die("out of memory");
	fputs("/* Made by schemac out of proto/api. */\n#include \"api/types.h\"\n\n", out);
	fprintf(out, "const size_t schema_n_types = %zu;\n",
		emit_type_list(out, "schema_types", model->types, model->n_types, false));
	memcpy(types, model->types, model->n_types * sizeof(*types));
	qsort(types, model->n_types, sizeof(*types), by_kind);
	fprintf(out, "const size_t schema_n_kinds = %zu;\n",
		emit_type_list(out, "schema_kinds", types, model->n_types, true));
	for (size_t i = 0; i < model->n_types; i++) {
		if (!model->types[i]->resource)
			continue;
		types[n++] = model->types[i];
		fprintf(out, "extern const struct schema_resource %s_resource;\n", model->types[i]->c_name);
	}
	qsort(types, n, sizeof(*types), by_plural);
	fputs("const struct schema_resource *const schema_resources[] = {\n", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "\t&%s_resource,\n", types[i]->c_name);
	fprintf(out, "\tNULL};\nconst size_t schema_n_resources = %zu;\n", n);
	free(types);
}
