#include "kubelet/volume/atomic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include "base/encode.h"
#include "base/io.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

#define DATA "..data"
#define DATA_NEW "..data_tmp"
#define MAX_PATH 4096
#define MAX_FILE_BYTES (64u << 20)

void atomic_files_add(struct arena *arena, struct atomic_files *files, struct atomic_file file)
{
	for (size_t i = 0; i < files->n_items; i++)
		if (str_eq(files->items[i].path, file.path)) {
			files->items[i] = file;
			return;
		}
	ARENA_PUSH(arena, files->items, files->n_items) = file;
}

static struct status *check_path(const char *path)
{
	if (!path[0] || path[0] == '/')
		return status_bad_request("invalid path: \"%s\" must be relative", path);
	if (strlen(path) > MAX_PATH)
		return status_bad_request("invalid path: longer than %d bytes", MAX_PATH);
	if (str_starts_with(path, ".."))
		return status_bad_request("invalid path: \"%s\" must not start with '..'", path);
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if (p > path && p[-1] == '/' && (p[2] == '/' || !p[2]))
			return status_bad_request("invalid path: \"%s\" must not contain '..'", path);
	return NULL;
}

static bool file_is(const char *dir, const struct atomic_file *f)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_FREE char *data = NULL;
	size_t size;
	char *path = arena_printf(arena, "%s/%s", dir, f->path);
	struct stat st;
	/* Bits beyond those asked for were added for the group. */
	if (stat(path, &st) || (st.st_mode & f->mode & 0777) != (f->mode & 0777))
		return false;
	struct status *s = io_read_file(path, MAX_FILE_BYTES, &data, &size);
	if (s) {
		status_drop(s, "what cannot be read is written anew");
		return false;
	}
	return size == f->size && !memcmp(data, f->data, size);
}

static size_t count_files(const char *dir)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	size_t n = 0;
	DIR *d = opendir(dir);
	if (!d)
		return 0;
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		n += e->d_type == DT_DIR ? count_files(arena_printf(arena, "%s/%s", dir, e->d_name)) : 1;
	}
	closedir(d);
	return n;
}

static bool up_to_date(const char *dir, const struct atomic_files *files)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *data = arena_printf(arena, "%s/" DATA, dir);
	struct stat st;
	if (stat(data, &st))
		return false;
	char *inside = arena_printf(arena, "%s/.", data);
	if (count_files(inside) != files->n_items)
		return false;
	for (size_t i = 0; i < files->n_items; i++)
		if (!file_is(data, &files->items[i]))
			return false;
	return true;
}

static struct status *write_one(
	struct arena *arena, const char *dir, const struct atomic_file *f, bool has_gid, gid_t gid)
{
	char *path = arena_printf(arena, "%s/%s", dir, f->path);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	TRY(io_mkdirs(path, 0755));
	if (has_gid && strchr(f->path, '/') && (chown(path, (uid_t)-1, gid) || chmod(path, 02775)))
		return status_errno(errno, "change %s", path);
	*slash = '/';
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, f->mode);
	if (fd < 0)
		return status_errno(errno, "create %s", path);
	TRY(io_write_all(fd, f->data, f->size));
	/* A group that owns the volume reads what its owner reads. */
	mode_t mode = has_gid ? f->mode | 0440 : f->mode;
	uid_t uid = f->has_uid ? f->uid : (uid_t)-1;
	if ((f->has_uid || has_gid) && fchown(fd, uid, has_gid ? gid : (gid_t)-1))
		return status_errno(errno, "chown %s", path);
	if (fchmod(fd, mode))
		return status_errno(errno, "chmod %s", path);
	return NULL;
}

static char *first_component(struct arena *arena, const char *path)
{
	return arena_strndup(arena, path, strcspn(path, "/"));
}

/* The visible names: links for all that are there, none for those that were. */
static struct status *fix_links(struct arena *arena, const char *dir, const struct atomic_files *files)
{
	CLEANUP(strmap_freep) struct strmap *wanted = strmap_new(NULL);
	for (size_t i = 0; i < files->n_items; i++) {
		char *name = first_component(arena, files->items[i].path);
		strmap_put(wanted, name, wanted);
		char *link = arena_printf(arena, "%s/%s", dir, name);
		if (symlink(arena_printf(arena, DATA "/%s", name), link) && errno != EEXIST)
			return status_errno(errno, "link %s", link);
	}
	DIR *d = opendir(dir);
	if (!d)
		return status_errno(errno, "open %s", dir);
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (!str_starts_with(e->d_name, "..") && !str_eq(e->d_name, ".") && !strmap_has(wanted, e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	return NULL;
}

struct status *atomic_write(const char *dir, const struct atomic_files *files, bool has_gid, gid_t gid)
{
	for (size_t i = 0; i < files->n_items; i++)
		TRY(check_path(files->items[i].path));
	if (up_to_date(dir, files))
		return NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	char name[64];
	strftime(name, sizeof(name), "..%Y_%m_%d_%H_%M_%S", &tm);
	char *payload = arena_printf(arena, "%s.%010u", name, random_below(UINT32_MAX));
	char *payload_path = arena_printf(arena, "%s/%s", dir, payload);
	if (mkdir(payload_path, 0755))
		return status_errno(errno, "mkdir %s", payload_path);
	if (has_gid && (chown(payload_path, (uid_t)-1, gid) || chmod(payload_path, 02775)))
		return status_errno(errno, "change %s", payload_path);
	for (size_t i = 0; i < files->n_items; i++)
		TRY(write_one(arena, payload_path, &files->items[i], has_gid, gid));
	char old[256];
	char *data = arena_printf(arena, "%s/" DATA, dir), *data_new = arena_printf(arena, "%s/" DATA_NEW, dir);
	ssize_t n = readlink(data, old, sizeof(old) - 1);
	unlink(data_new);
	if (symlink(payload, data_new))
		return status_errno(errno, "link %s", data_new);
	if (rename(data_new, data))
		return status_errno(errno, "rename %s", data_new);
	TRY(fix_links(arena, dir, files));
	if (n > 0) {
		old[n] = '\0';
		TRY(io_remove_tree(arena_printf(arena, "%s/%s", dir, old)));
	}
	return NULL;
}
