#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "base/io.h"
#include "base/str.h"
#include "kubelet/volume/plugins.h"

static bool handles(const CoreV1VolumeSource *source)
{
	return source->host_path != NULL;
}

static struct status *make_file(const char *path)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? status_errno(errno, "hostPath type check failed: create %s", path) : NULL;
}

static struct status *check(const struct volume_mount *m)
{
	const char *type = m->source->host_path->type, *path = m->source->host_path->path;
	if (str_empty(type))
		return NULL;
	if (str_eq(type, "DirectoryOrCreate") && !io_exists(path))
		return io_mkdirs(path, 0755);
	if (str_eq(type, "FileOrCreate") && !io_exists(path))
		return make_file(path);
	static const struct {
		const char *type;
		mode_t format;
		const char *what;
	} kinds[] = {
		{"DirectoryOrCreate", S_IFDIR, "a directory"},
		{"Directory", S_IFDIR, "a directory"},
		{"FileOrCreate", S_IFREG, "a file"},
		{"File", S_IFREG, "a file"},
		{"Socket", S_IFSOCK, "a socket file"},
		{"CharDevice", S_IFCHR, "a character device"},
		{"BlockDevice", S_IFBLK, "a block device"},
	};
	struct stat st;
	bool there = !stat(path, &st);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(type, kinds[i].type)) {
			if (there && (st.st_mode & S_IFMT) == kinds[i].format)
				return NULL;
			return status_bad_request("hostPath type check failed: %s is not %s", path, kinds[i].what);
		}
	return status_bad_request("%s is an invalid volume type", type);
}

static const char *path_of(const struct volume_mount *m)
{
	return m->source->host_path->path;
}

const struct volume_plugin volume_host_path = {
	.name = "kubernetes.io/host-path", .handles = handles, .mount = check, .path = path_of};
