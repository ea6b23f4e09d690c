/*
 * Files and descriptors: whole reads and writes, atomic replacement, bounded sizes.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/status.h"

/* The whole file, NUL-terminated, on the heap. NotFound, or an error naming the path; larger than max_bytes is
 * TooLarge. */
struct status *io_read_file(const char *path, size_t max_bytes, char **ret_data, size_t *ret_size) MUST_USE;
/* Reads a descriptor to its end, the same way. */
struct status *io_read_all(int fd, size_t max_bytes, char **ret_data, size_t *ret_size) MUST_USE;
/* Writes all or says why not. */
struct status *io_write_all(int fd, const void *data, size_t size) MUST_USE;
/* Replaces path with the data in one step (temporary file, fsync, rename): a reader sees the old or the new, never a
 * part. */
struct status *io_write_file(const char *path, const void *data, size_t size, mode_t mode) MUST_USE;
/* mkdir -p. */
struct status *io_mkdirs(const char *path, mode_t mode) MUST_USE;
/* rm -rf that never leaves the file system of path and never follows a link. A missing path is success. */
struct status *io_remove_tree(const char *path) MUST_USE;
bool io_exists(const char *path);
void io_set_nonblocking(int fd, bool on);

#endif
