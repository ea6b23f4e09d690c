/*
 * A directory of files that changes as a whole: readers see all of the old or all of the new.
 *
 * Files live in a directory with a time in its name; "..data" links to it, and the visible names link through "..data".
 * A new content is a new directory and one rename.
 */
#ifndef KUBELET_VOLUME_ATOMIC_H
#define KUBELET_VOLUME_ATOMIC_H

#include <sys/types.h>
#include "base/arena.h"
#include "base/status.h"

struct atomic_file {
	const char *path; /* relative, without ".."; may have directories */
	const void *data;
	size_t size;
	mode_t mode;
	bool has_uid;
	uid_t uid;
};

struct atomic_files {
	struct atomic_file *items;
	size_t n_items;
};

/* Replaces one of the same path. */
void atomic_files_add(struct arena *arena, struct atomic_files *files, struct atomic_file file);
/* Makes dir show just these files; does nothing if it does. gid -1: left alone. Error: a path that leads outside, or
 * the disk's. */
struct status *atomic_write(const char *dir, const struct atomic_files *files, bool has_gid, gid_t gid) MUST_USE;

#endif
