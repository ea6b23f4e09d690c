/*
 * Emits the struct declarations of one schema file, and the header that holds them all. Documentation stays out of
 * them, so that a better sentence does not rebuild the world.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "schemac/model.h"

static const char *const c_types[K_N] = {"protobuf_c_boolean ", "int32_t ", "int64_t ", "uint32_t ", "uint64_t ",
	"float ", "double ", "char *", "ProtobufCBinaryData ", NULL};

static void emit_member(FILE *out, const struct field *field)
{
	char *element =
		field->kind == K_MESSAGE ? format("%s *", field->type->c_name) : format("%s", c_types[field->kind]);

	if (field->shape != SINGLE)
		fprintf(out, "\tsize_t n_%s;\n\t%s*%s;\n", field->name, element, field->c_name);
	else if (field->presence && field->kind < K_STRING)
		fprintf(out, "\tprotobuf_c_boolean has_%s;\n\t%s%s;\n", field->name, element, field->c_name);
	else
		fprintf(out, "\t%s%s;\n", element, field->c_name);
	free(element);
}

static void emit_struct(FILE *out, const struct type *type)
{
	fputc('\n', out);
	fprintf(out, "struct %s {\n\tProtobufCMessage base;\n", type->c_name);
	for (size_t i = 0; i < type->n_fields; i++)
		emit_member(out, &type->fields[i]);
	fprintf(out, "};\nextern const struct schema_type %s_schema;\n", type->c_name);
}

void emit_header(FILE *out, const struct file *file)
{
	fprintf(out, "/* Made by schemac. */\n#ifndef API_GEN_%s\n#define API_GEN_%s\n\n#include \"api/schema.h\"\n",
		file->base, file->base);
	if (strcmp(file->base, "map"))
		fputs("#include \"api/map.gen.h\"\n", out);
	for (size_t i = 0; i < file->n_imports; i++)
		fprintf(out, "#include \"api/%s.gen.h\"\n", file->imports[i]);
	fputc('\n', out);
	if (!strcmp(file->base, "map"))
		fputs("typedef struct ResourceQuantity ResourceQuantity;\n", out);
	for (size_t i = 0; i < file->n_types; i++)
		fprintf(out, "typedef struct %s %s;\n", file->types[i]->c_name, file->types[i]->c_name);
	for (size_t i = 0; i < file->n_types; i++)
		emit_struct(out, file->types[i]);
	fputs("\n#endif\n", out);
}

void emit_types_header(FILE *out, const struct model *model)
{
	fputs("/* Made by schemac: all API types. */\n#ifndef API_TYPES_H\n#define API_TYPES_H\n\n", out);
	for (size_t i = 0; i < model->n_files; i++)
		fprintf(out, "#include \"api/%s.gen.h\"\n", model->files[i]->base);
	fputs("\n#endif\n", out);
}
