#include <errno.h>
#include <inttypes.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "api/quantity.h"
#include "base/io.h"
#include "base/str.h"
#include "kubelet/volume/plugins.h"

#define TMPFS_MAGIC_NUMBER 0x01021994

static bool handles(const CoreV1VolumeSource *source)
{
	return source->empty_dir != NULL;
}

static struct status *mount_memory(const struct volume_mount *m)
{
	struct statfs fs;
	if (!statfs(m->dir, &fs) && fs.f_type == TMPFS_MAGIC_NUMBER)
		return NULL;
	int64_t limit = quantity_msg_value(m->source->empty_dir->size_limit);
	const char *options = limit > 0 ? arena_printf(m->arena, "size=%" PRId64, limit) : NULL;
	if (mount("tmpfs", m->dir, "tmpfs", 0, options))
		return status_errno(errno, "mount tmpfs at %s", m->dir);
	return NULL;
}

static struct status *set_up(const struct volume_mount *m)
{
	bool is_new = !io_exists(m->dir);
	const char *medium = m->source->empty_dir->medium;
	if (!str_empty(medium) && !str_eq(medium, "Memory"))
		return status_bad_request("unknown storage medium \"%s\"", medium);
	TRY(io_mkdirs(m->dir, 0777));
	if (str_eq(medium, "Memory"))
		TRY(mount_memory(m));
	if (!is_new)
		return NULL;
	if (m->has_fs_group && chown(m->dir, (uid_t)-1, (gid_t)m->fs_group))
		return status_errno(errno, "chown %s", m->dir);
	/* What is made inside belongs to the group too. */
	if (chmod(m->dir, m->has_fs_group ? 02777 : 0777))
		return status_errno(errno, "chmod %s", m->dir);
	return NULL;
}

const struct volume_plugin volume_empty_dir = {.name = "kubernetes.io/empty-dir", .handles = handles, .mount = set_up};
