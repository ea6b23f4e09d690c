#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *mem_zalloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_calloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *mem_realloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

void *mem_dup(const void *p, size_t size)
{
	void *copy = mem_alloc(size);
	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *mem_strdup(const char *s)
{
	return s ? mem_dup(s, strlen(s) + 1) : NULL;
}

char *mem_strndup(const char *s, size_t len)
{
	char *copy = mem_alloc(len + 1);
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *mem_printf(const char *format, ...)
{
	char *out = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&out, format, args);
	va_end(args);
	return checked(len < 0 ? NULL : out);
}

void mem_cleanse_free(void *p, size_t size)
{
	if (!p)
		return;
	explicit_bzero(p, size);
	free(p);
}

void mem_grow(void *p, size_t *cap, size_t n_wanted, size_t size)
{
	if (n_wanted <= *cap)
		return;
	size_t n = *cap ? *cap : 8, bytes;
	while (n < n_wanted)
		n = n > SIZE_MAX / 2 ? n_wanted : n * 2;
	if (__builtin_mul_overflow(n, size, &bytes))
		checked(NULL);
	void **items = p;
	*items = mem_realloc(*items, bytes);
	*cap = n;
}
