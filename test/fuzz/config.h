/*
 * A configuration file out of any bytes: the bytes as they are, or, where the first is 128 and above, JSON that is
 *right by the schema.
 *
 *	const char *path = fuzz_config(arena, data, size, &KubeletV1beta1KubeletConfiguration_schema);
 */
#ifndef FUZZ_CONFIG_H
#define FUZZ_CONFIG_H

#include "test/fuzz/file.h"
#include "test/fuzz/object.h"

#define FUZZ_MAX_CONFIG 8192

/* NULL: too long. */
static inline const char *fuzz_config(
	struct arena *arena, const uint8_t *data, size_t size, const struct schema_type *type)
{
	if (size > FUZZ_MAX_CONFIG)
		return NULL;
	if (!size || *data < 0x80)
		return fuzz_file(arena, data, size);
	struct fuzz_bytes bytes = {data + 1, data + size};
	const char *text = fuzz_object(arena, &bytes, type);
	return fuzz_file(arena, text, strlen(text));
}

#endif
