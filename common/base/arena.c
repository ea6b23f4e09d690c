#include "base/arena.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

enum { FIRST_BYTES = 1024, MAX_BLOCK_BYTES = 256 * 1024, ALIGNMENT = 16 };

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(16) char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *data;
};

struct arena {
	struct block *blocks; /* the one in use first */
	struct deferred *deferred;
	size_t next_bytes;
	size_t total_bytes;
};

/*
 * Blocks that arenas have given back, of the sizes that arenas grow by: a request takes what the last one has left,
 * warm, and threads that take and give back all day need not meet in the allocator.
 */
#define MAX_SPARE_BYTES (MEM_EXACT ? 0 : 1u << 20)

enum { N_SPARE_SIZES = 7 }; /* FIRST_BYTES and twice that, up to 64 KiB */

static struct {
	pthread_mutex_t lock;
	struct block *blocks[N_SPARE_SIZES];
	size_t bytes;
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Which of the sizes that is; N_SPARE_SIZES: none. */
static size_t spare_index(size_t size)
{
	size_t index = (size_t)__builtin_ctzl(size | 1ul << 63) - (size_t)__builtin_ctzl(FIRST_BYTES);
	return size & (size - 1) || index >= N_SPARE_SIZES ? N_SPARE_SIZES : index;
}

static struct block *take_spare(size_t size)
{
	const size_t index = spare_index(size);
	if (index == N_SPARE_SIZES)
		return NULL;
	pthread_mutex_lock(&spare.lock);
	struct block *b = spare.blocks[index];
	if (b) {
		spare.blocks[index] = b->next;
		spare.bytes -= size;
	}
	pthread_mutex_unlock(&spare.lock);
	return b;
}

static void block_free(struct block *b)
{
	const size_t index = spare_index(b->size);
	bool kept = false;
	if (index < N_SPARE_SIZES) {
		pthread_mutex_lock(&spare.lock);
		kept = spare.bytes + b->size <= MAX_SPARE_BYTES;
		if (kept) {
			b->next = spare.blocks[index];
			spare.blocks[index] = b;
			spare.bytes += b->size;
		}
		pthread_mutex_unlock(&spare.lock);
	}
	if (!kept)
		free(b);
}

void arena_drop_spare(void)
{
	pthread_mutex_lock(&spare.lock);
	for (size_t i = 0; i < N_SPARE_SIZES; i++)
		for (struct block *b = STEAL(spare.blocks[i]), *next; b; b = next) {
			next = b->next;
			free(b);
		}
	spare.bytes = 0;
	pthread_mutex_unlock(&spare.lock);
}

static struct block *block_new(struct arena *arena, size_t size)
{
	struct block *b = take_spare(size);
	if (!b)
		b = mem_alloc(sizeof(*b) + size);
	b->next = NULL;
	b->size = size;
	b->used = 0;
	arena->total_bytes += sizeof(*b) + size;
	return b;
}

struct arena *arena_new(void)
{
	return arena_new_sized(FIRST_BYTES);
}

struct arena *arena_new_sized(size_t first_bytes)
{
	struct arena *arena = mem_zalloc(sizeof(*arena));
	arena->next_bytes = first_bytes < 64 ? 64 : first_bytes;
	return arena;
}

static void run_deferred(struct arena *arena)
{
	while (arena->deferred) {
		struct deferred *d = arena->deferred;
		arena->deferred = d->next;
		d->fn(d->data);
	}
}

static void free_blocks(struct arena *arena, struct block *keep)
{
	struct block *b = arena->blocks;
	while (b) {
		struct block *next = b->next;
		if (b != keep) {
			arena->total_bytes -= sizeof(*b) + b->size;
			block_free(b);
		}
		b = next;
	}
	arena->blocks = keep;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	run_deferred(arena);
	free_blocks(arena, NULL);
	free(arena);
}

void arena_reset(struct arena *arena)
{
	run_deferred(arena);
	struct block *keep = arena->blocks;
	if (keep && keep->size > MAX_BLOCK_BYTES)
		keep = NULL;
	free_blocks(arena, keep);
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
	}
}

size_t arena_size_bytes(const struct arena *arena)
{
	return sizeof(*arena) + arena->total_bytes;
}

size_t arena_used_bytes(const struct arena *arena)
{
	size_t used = 0;
	for (const struct block *b = arena->blocks; b; b = b->next)
		used += b->used;
	return used;
}

static size_t power_of_two_over(size_t size)
{
	return (size_t)1 << (64 - __builtin_clzl(size));
}

static void *alloc_from_new_block(struct arena *arena, size_t size)
{
	if (size > arena->next_bytes / 4 && arena->blocks && size > 4096) {
		/* A large piece gets a block of its own behind the current one, which keeps serving small pieces. */
		struct block *own = block_new(arena, size);
		own->used = size;
		own->next = arena->blocks->next;
		arena->blocks->next = own;
		return own->data;
	}
	struct block *b = block_new(arena, size > arena->next_bytes ? size : arena->next_bytes);
	b->next = arena->blocks;
	arena->blocks = b;
	if (arena->next_bytes < MAX_BLOCK_BYTES)
		arena->next_bytes = power_of_two_over(arena->next_bytes);
	b->used = size;
	return b->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (rounded < size)
		return mem_alloc(SIZE_MAX);
	struct block *b = arena->blocks;
	if (b && b->size - b->used >= rounded) {
		void *p = b->data + b->used;
		b->used += rounded;
		return p;
	}
	return alloc_from_new_block(arena, rounded);
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

void *arena_calloc(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX;
	return arena_zalloc(arena, bytes);
}

void *arena_dup(struct arena *arena, const void *p, size_t size)
{
	void *copy = arena_alloc(arena, size);
	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return s ? arena_dup(arena, s, strlen(s) + 1) : NULL;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

enum { MAX_TEXTS = 8 };

/* Of a format that only puts texts together, which most do: its pieces, in their order. False: it does more. */
static bool split_format(const char *format, va_list args, const char *pieces[], size_t sizes[], size_t *ret_n)
{
	size_t n = 0;
	for (const char *p = format; *p;) {
		const bool text = p[0] == '%' && p[1] == 's';
		const char *end = text ? p + 2 : strchrnul(p, '%');
		if (end == p || n == MAX_TEXTS)
			return false;
		pieces[n] = text ? va_arg(args, const char *) : p;
		if (!pieces[n])
			return false;
		sizes[n] = text ? strlen(pieces[n]) : (size_t)(end - p);
		n++;
		p = end;
	}
	*ret_n = n;
	return true;
}

static char *join(struct arena *arena, const char *const pieces[], const size_t sizes[], size_t n)
{
	size_t size = 1;
	for (size_t i = 0; i < n; i++)
		size += sizes[i];
	char *out = arena_alloc(arena, size), *to = out;
	for (size_t i = 0; i < n; i++)
		to = mempcpy(to, pieces[i], sizes[i]);
	*to = '\0';
	return out;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	const char *pieces[MAX_TEXTS];
	size_t sizes[MAX_TEXTS], n;
	va_list texts;
	va_copy(texts, args);
	const bool only_texts = split_format(format, texts, pieces, sizes, &n);
	va_end(texts);
	if (only_texts)
		return join(arena, pieces, sizes, n);
	char small[256];
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(small, sizeof(small), format, args);
	if (len < 0)
		len = 0;
	char *out = arena_alloc(arena, (size_t)len + 1);
	if ((size_t)len < sizeof(small))
		memcpy(out, small, (size_t)len + 1);
	else
		vsnprintf(out, (size_t)len + 1, format, again);
	va_end(again);
	out[len] = '\0';
	return out;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *out = arena_vprintf(arena, format, args);
	va_end(args);
	return out;
}

void arena_defer(struct arena *arena, void (*fn)(void *data), void *data)
{
	struct deferred *d = ARENA_NEW(arena, struct deferred);
	d->next = arena->deferred;
	d->fn = fn;
	d->data = data;
	arena->deferred = d;
}

void *arena_push(struct arena *arena, void **items, size_t *n, size_t size)
{
	/* Full when n is a power of two (or zero): the room is then doubled. */
	if ((*n & (*n - 1)) == 0) {
		size_t cap = *n ? *n * 2 : 1;
		char *grown = arena_calloc(arena, cap, size);
		if (*n)
			memcpy(grown, *items, *n * size);
		*items = grown;
	}
	return (char *)*items + (*n)++ * size;
}
