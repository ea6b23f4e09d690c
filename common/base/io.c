#include "base/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/str.h"

struct status *io_read_all(int fd, size_t max_bytes, char **ret_data, size_t *ret_size)
{
	CLEANUP(strbuf_done) struct strbuf data = STRBUF_INIT;
	for (;;) {
		strbuf_grow(&data, 65536);
		ssize_t n = read(fd, data.buf + data.len, data.cap - data.len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return status_errno(errno, "read");
		if (!n)
			break;
		data.len += (size_t)n;
		if (data.len > max_bytes)
			return status_new(STATUS_TOO_LARGE, "input is larger than %zu bytes", max_bytes);
	}
	if (ret_size)
		*ret_size = data.len;
	data.buf[data.len] = '\0';
	*ret_data = strbuf_steal(&data);
	return NULL;
}

struct status *io_read_file(const char *path, size_t max_bytes, char **ret_data, size_t *ret_size)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return status_errno(errno, "open %s", path);
	return status_wrap(io_read_all(fd, max_bytes, ret_data, ret_size), "%s", path);
}

struct status *io_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	while (size) {
		ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return status_errno(errno, "write");
		p += n;
		size -= (size_t)n;
	}
	return NULL;
}

static struct status *write_and_sync(int fd, const void *data, size_t size, mode_t mode)
{
	TRY(io_write_all(fd, data, size));
	if (fchmod(fd, mode) < 0)
		return status_errno(errno, "chmod");
	if (fsync(fd) < 0)
		return status_errno(errno, "fsync");
	return NULL;
}

struct status *io_write_file(const char *path, const void *data, size_t size, mode_t mode)
{
	CLEANUP_FREE char *temporary = mem_printf("%s.XXXXXX", path);
	CLEANUP_FD int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return status_errno(errno, "create %s", temporary);
	struct status *s = write_and_sync(fd, data, size, mode);
	if (!s && rename(temporary, path) < 0)
		s = status_errno(errno, "rename");
	if (s)
		unlink(temporary);
	return status_wrap(s, "write %s", path);
}

struct status *io_mkdirs(const char *path, mode_t mode)
{
	CLEANUP_FREE char *copy = mem_strdup(path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode | 0111) < 0 && errno != EEXIST)
			return status_errno(errno, "mkdir %s", copy);
		*p = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return status_errno(errno, "mkdir %s", copy);
	return NULL;
}

static struct status *remove_at(int dir_fd, const char *name, dev_t device);

static struct status *remove_children(int fd, dev_t device)
{
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int error = errno;
		close(fd);
		return status_errno(error, "opendir");
	}
	struct status *s = NULL;
	for (struct dirent *e; !s && (e = readdir(dir));)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			s = remove_at(dirfd(dir), e->d_name, device);
	closedir(dir);
	return s;
}

static struct status *remove_at(int dir_fd, const char *name, dev_t device)
{
	struct stat st;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? NULL : status_errno(errno, "stat %s", name);
	if (st.st_dev != device)
		return status_new(STATUS_CONFLICT, "%s is on another file system (still mounted?)", name);
	if (S_ISDIR(st.st_mode)) {
		int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return status_errno(errno, "open %s", name);
		TRY(remove_children(fd, device));
	}
	if (unlinkat(dir_fd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT)
		return status_errno(errno, "remove %s", name);
	return NULL;
}

struct status *io_remove_tree(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? NULL : status_errno(errno, "stat %s", path);
	return status_wrap(remove_at(AT_FDCWD, path, st.st_dev), "remove %s", path);
}

bool io_exists(const char *path)
{
	struct stat st;
	return !stat(path, &st);
}

void io_set_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}
