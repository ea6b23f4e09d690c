/*
 * What the fuzz targets share. A target is test/fuzz/LIBRARY/NAME.c: it takes any bytes, asserts what must hold of
 * them, and returns 0. Its corpus is test/fuzz/corpus/NAME, its dictionary, where one helps, test/fuzz/dict/NAME.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/status.h"
#include "base/str.h"

#define FUZZ_MAX_SIZE (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what differs and ends the run. */
#define FUZZ_FAIL(...)                        \
	do {                                  \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr);          \
		abort();                      \
	} while (0)

/* Two texts that must be the same. */
static inline void fuzz_same_text(const char *what, const char *a, const char *b)
{
	if (strcmp(a, b))
		FUZZ_FAIL("%s:\n%s\n%s", what, a, b);
}

/* A call that must succeed; takes the status. */
static inline void fuzz_ok(const char *what, struct status *s)
{
	if (s)
		FUZZ_FAIL("%s: %s", what, s->message);
}

/* Bytes that decide what is made of them; when they run out, each is 0. */
struct fuzz_bytes {
	const uint8_t *at, *end;
};

static inline uint8_t fuzz_byte(struct fuzz_bytes *b)
{
	return b->at < b->end ? *b->at++ : 0;
}

static inline size_t fuzz_below(struct fuzz_bytes *b, size_t n)
{
	size_t value = fuzz_byte(b);

	if (n > 256)
		value |= (size_t)fuzz_byte(b) << 8;
	return n ? value % n : 0;
}

#define FUZZ_PICK(b, pool) ((pool)[fuzz_below((b), ARRAY_SIZE(pool))])

#endif
