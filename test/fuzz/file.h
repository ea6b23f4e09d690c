/*
 * Bytes as a file, for code that reads files: in memory, under a name that opens it.
 *
 *	const char *path = fuzz_file(arena, data, size);
 */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include <sys/mman.h>
#include <unistd.h>
#include "test/fuzz/target.h"

/* The same name each time; what it held before is gone. */
static inline const char *fuzz_file(struct arena *arena, const void *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	assert(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
	return arena_printf(arena, "/proc/self/fd/%d", fd);
}

#endif
