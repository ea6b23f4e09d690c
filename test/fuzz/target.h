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

#endif
