/*
 * Scope-bound release of what is not arena memory.
 *
 *	CLEANUP_FREE char *path = mem_printf("%s/x", dir);
 *	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
 *	CLEANUP_STATUS struct status *status = something();
 *	CLEANUP(arena_freep) struct arena *arena = arena_new();
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Defines fn##p(T **), the form that CLEANUP() takes, out of fn(T *). */
#define DEFINE_CLEANUP(T, fn)                                  \
	static inline __attribute__((unused)) void fn##p(T *p) \
	{                                                      \
		if (*p)                                        \
			fn(*p);                                \
	}

static inline void cleanup_free(void *p)
{
	int saved = errno;
	free(*(void **)p);
	errno = saved;
}

static inline void cleanup_fd(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_FD CLEANUP(cleanup_fd)

/* Hands a local pointer out of its scope: returns it and sets the local to NULL. */
#define STEAL(p)                             \
	__extension__({                      \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL;                  \
		stolen_;                     \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
