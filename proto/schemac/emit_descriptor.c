/* Emits the protobuf-c descriptors of one schema file, so that protobuf-c's runtime can pack and unpack our structs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "schemac/model.h"

static const char *const pb_types[K_N] = {
	"BOOL", "INT32", "INT64", "UINT32", "UINT64", "FLOAT", "DOUBLE", "STRING", "BYTES", "MESSAGE"};

static int by_number(const void *a, const void *b)
{
	const struct field *x = *(const struct field *const *)a, *y = *(const struct field *const *)b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct field *const *)a)->name, (*(const struct field *const *)b)->name);
}

static const struct field **sorted(const struct type *type, int (*compare)(const void *, const void *))
{
	const struct field **fields = calloc(type->n_fields + 1, sizeof(*fields));

	if (!fields)
		die("out of memory");
	for (size_t i = 0; i < type->n_fields; i++)
		fields[i] = &type->fields[i];
	qsort(fields, type->n_fields, sizeof(*fields), compare);
	return fields;
}

static bool plain_string(const struct field *field)
{
	return field->kind == K_STRING && field->shape == SINGLE && !field->presence;
}

static void emit_field(FILE *out, const struct type *type, const struct field *field)
{
	const char *label = field->shape != SINGLE			  ? "REPEATED"
			    : field->presence || field->kind == K_MESSAGE ? "OPTIONAL"
									  : "NONE";

	fprintf(out, "\t{\"%s\", %u, PROTOBUF_C_LABEL_%s, PROTOBUF_C_TYPE_%s, ", field->name, field->number, label,
		pb_types[field->kind]);
	if (field->shape != SINGLE)
		fprintf(out, "offsetof(%s, n_%s), ", type->c_name, field->name);
	else if (field->presence && field->kind < K_STRING)
		fprintf(out, "offsetof(%s, has_%s), ", type->c_name, field->name);
	else
		fputs("0, ", out);
	fprintf(out, "offsetof(%s, %s), ", type->c_name, field->c_name);
	if (field->type)
		fprintf(out, "&%s_schema, ", field->type->c_name);
	else
		fputs("NULL, ", out);
	fprintf(out, "%s, 0, 0, NULL, NULL},\n", plain_string(field) ? "schema_empty_string" : "NULL");
}

/* The same for our own reader and writer, in a third of the room. */
static void emit_wire(FILE *out, const struct type *type, const struct field **fields)
{
	static const unsigned wire_types[K_N] = {
		[K_FLOAT] = 5, [K_DOUBLE] = 1, [K_STRING] = 2, [K_BYTES] = 2, [K_MESSAGE] = 2};

	fprintf(out, "static const struct schema_wire %s_wire[] = {\n", type->c_name);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = fields[i];
		const bool bit = field->shape == SINGLE && field->presence && field->kind < K_STRING;
		fprintf(out, "\t{");
		if (field->type)
			fprintf(out, ".type = &%s_schema, ", field->type->c_name);
		fprintf(out, ".tag = %u, .offset = offsetof(%s, %s), ", field->number << 3 | wire_types[field->kind],
			type->c_name, field->c_name);
		if (field->shape != SINGLE || bit)
			fprintf(out, ".quantifier_offset = offsetof(%s, %s%s), ", type->c_name, bit ? "has_" : "n_",
				field->name);
		fprintf(out, ".kind = SCHEMA_%s, .there = SCHEMA_WIRE_%s},\n", pb_types[field->kind],
			field->shape != SINGLE	   ? "LIST"
			: bit			   ? "BIT"
			: field->kind == K_MESSAGE ? "POINTER"
			: field->kind != K_STRING  ? "NUMBER"
			: field->presence	   ? "POINTER"
						   : "TEXT");
	}
	fputs("\t{.tag = UINT32_MAX}};\n", out);
}

static void emit_ranges(FILE *out, const struct type *type, const struct field **fields, size_t *ret_n)
{
	size_t n = 0;

	fprintf(out, "static const ProtobufCIntRange %s_ranges[] = {", type->c_name);
	for (size_t i = 0; i < type->n_fields; i++) {
		if (i > 0 && fields[i]->number == fields[i - 1]->number + 1)
			continue;
		fprintf(out, "{%u, %zu}, ", fields[i]->number, i);
		n++;
	}
	fprintf(out, "{0, %zu}};\n", type->n_fields);
	*ret_n = n;
}

static void emit_zero(FILE *out, const struct type *type)
{
	fprintf(out, "static const %s %s_zero = {.base = {&%s_schema.base, 0, NULL}", type->c_name, type->c_name,
		type->c_name);
	for (size_t i = 0; i < type->n_fields; i++)
		if (plain_string(&type->fields[i]))
			fprintf(out, ", .%s = (char *)schema_empty_string", type->fields[i].c_name);
	fprintf(out,
		"};\nstatic void %s_init(ProtobufCMessage *message)\n{\n\tmemcpy(message, &%s_zero, "
		"sizeof(%s_zero));\n}\n",
		type->c_name, type->c_name, type->c_name);
}

static void emit_descriptor(FILE *out, const struct type *type, size_t n_ranges)
{
	fprintf(out,
		"\t.base = {PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC, \"%s\", \"%s\", \"%s\", \"%s\", sizeof(%s), %zu, ",
		type->full_name, type->kind, type->c_name, type->file->package, type->c_name, type->n_fields);
	if (type->n_fields)
		fprintf(out, "%s_pb, %s_by_name, %zu, %s_ranges, ", type->c_name, type->c_name, n_ranges, type->c_name);
	else
		fputs("NULL, NULL, 0, NULL, ", out);
	fprintf(out, "%s_init, NULL, NULL, NULL},\n", type->c_name);
}

static void emit_type(FILE *out, const struct type *type)
{
	const struct field **fields = sorted(type, by_number), **names = sorted(type, by_name);
	size_t n_ranges = 0;

	fputc('\n', out);
	emit_zero(out, type);
	if (type->n_fields) {
		fprintf(out, "static const ProtobufCFieldDescriptor %s_pb[] = {\n", type->c_name);
		for (size_t i = 0; i < type->n_fields; i++)
			emit_field(out, type, fields[i]);
		fprintf(out, "};\nstatic const unsigned %s_by_name[] = {", type->c_name);
		for (size_t i = 0; i < type->n_fields; i++) {
			size_t at = 0;
			while (fields[at] != names[i])
				at++;
			fprintf(out, "%zu, ", at);
		}
		fputs("};\n", out);
		emit_ranges(out, type, fields, &n_ranges);
	}
	emit_wire(out, type, fields);
	emit_schema(out, type);
	fprintf(out, "const struct schema_type %s_schema = {\n", type->c_name);
	emit_descriptor(out, type, n_ranges);
	fprintf(out,
		"\t.name = \"%s\", .kind = \"%s\", .group = \"%s\", .version = \"%s\", .zero = &%s_zero, "
		".wire = %s_wire,\n",
		type->full_name, type->kind, type->file->group, type->file->version, type->c_name, type->c_name);
	fprintf(out, "\t%s_TABLES\n};\n", type->c_name);
	free(fields);
	free(names);
}

void emit_source(FILE *out, const struct file *file)
{
	fprintf(out,
		"/* Made by schemac out of proto/api. */\n#include <stddef.h>\n#include <string.h>\n#include "
		"\"api/%s.gen.h\"\n",
		file->base);
	if (!strcmp(file->base, "map"))
		fputs("#include \"api/resource.gen.h\"\n", out);
	for (size_t i = 0; i < file->n_types; i++)
		emit_type(out, file->types[i]);
}
