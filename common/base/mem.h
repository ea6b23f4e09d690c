/*
 * Heap allocation that cannot fail: running out of memory aborts the process, here and nowhere else.
 * Every size that comes from outside is bounded by the caller before it reaches these functions.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Whether a sanitizer is to see the end of each piece of memory: then none is kept for the next, and none shares a
 * block. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_EXACT 1
#endif
#endif
#ifndef MEM_EXACT
#define MEM_EXACT 0
#endif

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* Zeroed room for n elements of a size; aborts when the product overflows. */
void *mem_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *p, size_t size) __attribute__((returns_nonnull));
void *mem_dup(const void *p, size_t size) __attribute__((returns_nonnull));
/* A copy of s on the heap; NULL gives NULL. */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len) __attribute__((returns_nonnull));
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
/* Overwrites a secret so that the compiler cannot leave it out, then frees it. NULL is allowed. */
void mem_cleanse_free(void *p, size_t size);

/* Grows *p to hold at least n_wanted elements of a size, doubling; *cap is in elements. */
void mem_grow(void *p, size_t *cap, size_t n_wanted, size_t size);

#endif
