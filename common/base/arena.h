/*
 * Arena: memory that is taken piece by piece and given back at once. One per request, per object, per sync.
 *
 *	CLEANUP(arena_freep) struct arena *arena = arena_new();
 *	char *key = arena_printf(arena, "%s/%s", namespace, name);
 *
 * Ownership: what comes out of an arena dies with it and is never freed alone.
 * Threads: an arena belongs to one thread at a time; once filled, its contents may be read by any.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include "base/cleanup.h"

struct arena;

struct arena *arena_new(void);
/* The same with a first block of a given size: for arenas of a known, small content. */
struct arena *arena_new_sized(size_t first_bytes);
/* Frees the arena and all it holds. */
void arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena *, arena_free)
/* Forgets the contents but keeps one block for reuse. */
void arena_reset(struct arena *arena);
/* A process keeps some of the blocks that arenas gave back, for others; this frees them. From any thread. */
void arena_drop_spare(void);
/* Bytes that the arena holds from the heap. */
size_t arena_size_bytes(const struct arena *arena);
/* Bytes handed out: an arena whose first block has this size holds a copy of the contents without waste. */
size_t arena_used_bytes(const struct arena *arena);

/* Room for size bytes, aligned for any type, not zeroed (arena_zalloc: zeroed). Never NULL. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_zalloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_calloc(struct arena *arena, size_t n, size_t size) __attribute__((returns_nonnull));
void *arena_dup(struct arena *arena, const void *p, size_t size) __attribute__((returns_nonnull));
/* Copies; a NULL string gives NULL. */
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF(2, 3) __attribute__((returns_nonnull));
char *arena_vprintf(struct arena *arena, const char *format, va_list args) PRINTF(2, 0)
	__attribute__((returns_nonnull));

/* Runs fn(data) when the arena is freed or reset, last registered first: ties what is not memory to the arena's life.
 */
void arena_defer(struct arena *arena, void (*fn)(void *data), void *data);

#define ARENA_NEW(arena, T) ((T *)arena_zalloc((arena), sizeof(T)))
#define ARENA_ARRAY(arena, T, n) ((T *)arena_calloc((arena), (n), sizeof(T)))

/*
 * Appends one element to a pointer-and-count array that lives in an arena:
 *	ARENA_PUSH(arena, spec->containers, spec->n_containers) = container;
 * Capacity is the next power of two, so no third field is needed.
 */
#define ARENA_PUSH(arena, items, n) \
	(*(__typeof__(&*(items)))arena_push((arena), (void **)&(items), &(n), sizeof(*(items))))
void *arena_push(struct arena *arena, void **items, size_t *n, size_t size);

#endif
