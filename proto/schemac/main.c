/*
 * schemac: the schema compiler.
 *	schemac DESCRIPTOR-SET DIRECTORY
 * Writes for each schema file X the struct declarations X.gen.h and the tables X.gen.c, then types.h (all of them) and
 * index.gen.c (all types, kinds and resources). A file whose text would not change is left as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "schemac/model.h"

static char *read_file(const char *path, size_t *ret_size)
{
	FILE *in = fopen(path, "rb");
	char *data = NULL;
	size_t size = 0, n;
	char chunk[16384];

	if (!in)
		return NULL;
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0) {
		data = realloc(data, size + n + 1);
		if (!data)
			die("out of memory");
		memcpy(data + size, chunk, n);
		size += n;
	}
	fclose(in);
	if (!data)
		data = calloc(1, 1);
	*ret_size = size;
	return data;
}

static void write_if_changed(const char *path, const char *text, size_t size)
{
	size_t old_size = 0;
	char *old = read_file(path, &old_size);
	bool same = old && old_size == size && !memcmp(old, text, size);

	free(old);
	if (same)
		return;
	FILE *out = fopen(path, "wb");
	if (!out || fwrite(text, 1, size, out) != size || fclose(out))
		die("cannot write %s", path);
}

typedef void (*emit_file)(FILE *out, const struct file *file);
typedef void (*emit_all)(FILE *out, const struct model *model);

static void write_one(
	char *path, emit_file of_file, const struct file *file, emit_all of_model, const struct model *model)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		die("out of memory");
	if (of_file)
		of_file(out, file);
	else
		of_model(out, model);
	fclose(out);
	write_if_changed(path, text, size);
	free(text);
	free(path);
}

int main(int argc, char **argv)
{
	size_t size = 0;

	if (argc != 3)
		die("usage: schemac DESCRIPTOR-SET DIRECTORY");
	char *data = read_file(argv[1], &size);
	if (!data)
		die("cannot read %s", argv[1]);
	struct model *model = model_load((uint8_t *)data, size);
	for (size_t i = 0; i < model->n_files; i++) {
		const struct file *file = model->files[i];
		write_one(format("%s/%s.gen.h", argv[2], file->base), emit_header, file, NULL, NULL);
		write_one(format("%s/%s.gen.c", argv[2], file->base), emit_source, file, NULL, NULL);
	}
	write_one(format("%s/types.h", argv[2]), NULL, NULL, emit_types_header, model);
	write_one(format("%s/index.gen.c", argv[2]), NULL, NULL, emit_index, model);
	return 0;
}
