#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "base/encode.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/runtime/env.h"
#include "kubelet/runtime/runtime.h"
#include "kubelet/volume/volume.h"

#define MAX_HOSTS_BYTES (1u << 20)
#define ETC_HOSTS "/etc/hosts"

static CriMount *new_mount(struct arena *arena, const char *host_path, const char *container_path, bool read_only)
{
	CriMount *m = RPC_NEW(arena, CriMount);
	m->host_path = arena_strdup(arena, host_path);
	m->container_path = container_path[0] == '/' ? arena_strdup(arena, container_path)
						     : arena_printf(arena, "/%s", container_path);
	m->readonly = read_only;
	return m;
}

static bool has_backsteps(const char *path)
{
	for (const char *p = path; *p; p += strcspn(p, "/"), p += *p == '/')
		if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
			return true;
	return false;
}

/* Opens sub below root component by component, following no link, making directories that are missing. */
static struct status *open_below(const char *root, const char *sub, mode_t mode, int *ret_fd)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_FD int fd = open(root, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return status_errno(errno, "open %s", root);
	char **parts;
	size_t n = str_split(arena, sub, '/', &parts);
	for (size_t i = 0; i < n; i++) {
		if (!parts[i][0] || str_eq(parts[i], "."))
			continue;
		int next = openat(fd, parts[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && errno == ENOENT) {
			if (mkdirat(fd, parts[i], mode) && errno != EEXIST)
				return status_errno(errno, "mkdir %s in %s", sub, root);
			next = openat(fd, parts[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);
		}
		struct stat st;
		if (next < 0 || fstat(next, &st))
			return status_errno(errno, "open %s in %s", sub, root);
		close(fd);
		fd = next;
		if (S_ISLNK(st.st_mode))
			return status_bad_request("%s in %s is a symbolic link", sub, root);
	}
	*ret_fd = fd;
	fd = -1;
	return NULL;
}

/*
 * A subPath is resolved here, once, and bound to a place of the kubelet's own, so that what a container does to the
 * volume cannot lead the runtime elsewhere. Links inside the volume that stay inside are followed by resolving the path
 * first.
 */
static struct status *bind_sub_path(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, const CoreV1VolumeMount *vm, size_t index, const char *root, const char *sub,
	const char **ret)
{
	struct stat st;
	if (stat(root, &st))
		return status_errno(errno, "stat %s", root);
	char *full = arena_printf(arena, "%s/%s", root, sub);
	CLEANUP_FREE char *real_root = realpath(root, NULL);
	CLEANUP_FREE char *real = realpath(full, NULL);
	if (real && real_root) {
		size_t len = strlen(real_root);
		if (strncmp(real, real_root, len) || (real[len] && real[len] != '/'))
			return status_bad_request("subpath \"%s\" not within volume path \"%s\"", real, real_root);
		sub = arena_strdup(arena, real[len] ? real + len + 1 : "");
	}
	CLEANUP_FD int fd = -1;
	TRY(open_below(real_root ? real_root : root, sub, st.st_mode & 07777, &fd));
	char *dir = arena_printf(arena, "%s/volume-subpaths/%s/%s", pod_dir(arena, k, pod->uid), vm->name, c->name);
	TRY(io_mkdirs(dir, 0750));
	char *target = arena_printf(arena, "%s/%zu", dir, index);
	struct stat target_st;
	if (fstat(fd, &st))
		return status_errno(errno, "stat %s", full);
	if (!stat(target, &target_st) && target_st.st_ino == st.st_ino && target_st.st_dev == st.st_dev) {
		*ret = target;
		return NULL;
	}
	umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (S_ISDIR(st.st_mode)) {
		if (mkdir(target, 0750) && errno != EEXIST)
			return status_errno(errno, "mkdir %s", target);
	} else {
		int file = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
		if (file < 0)
			return status_errno(errno, "create %s", target);
		close(file);
	}
	if (mount(arena_printf(arena, "/proc/self/fd/%d", fd), target, NULL, MS_BIND | MS_REC, NULL))
		return status_errno(errno, "bind %s to %s", full, target);
	*ret = target;
	return NULL;
}

static struct status *volume_mount(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, size_t index, const struct name_values *env, CriMount **ret)
{
	const CoreV1VolumeMount *vm = c->volume_mounts[index];
	bool volume_read_only = false;
	const char *path = volumes_path(arena, k, pod, vm->name, &volume_read_only);
	if (!path)
		return status_bad_request(
			"cannot find volume \"%s\" to mount into container \"%s\"", vm->name, c->name);
	char *sub = vm->sub_path;
	if (!str_empty(vm->sub_path_expr))
		TRY(env_expand_strict(arena, vm->sub_path_expr, env, &sub));
	if (!str_empty(sub)) {
		if (sub[0] == '/')
			return status_bad_request("error SubPath `%s` must not be an absolute path", sub);
		if (has_backsteps(sub))
			return status_bad_request("unable to provision SubPath `%s`: must not contain '..'", sub);
		struct status *s = bind_sub_path(k, arena, pod, c, vm, index, path, sub, &path);
		if (s) {
			log_status(s, "pod %s", pod->ref);
			return status_bad_request(
				"failed to prepare subPath for volumeMount \"%s\" of container \"%s\"", vm->name,
				c->name);
		}
	}
	CriMount *m = new_mount(arena, path, vm->mount_path, vm->read_only || volume_read_only);
	if (str_eq(vm->mount_propagation, "HostToContainer"))
		m->propagation = CRI_MOUNT_PROPAGATION_PROPAGATION_HOST_TO_CONTAINER;
	else if (str_eq(vm->mount_propagation, "Bidirectional"))
		m->propagation = CRI_MOUNT_PROPAGATION_PROPAGATION_BIDIRECTIONAL;
	*ret = m;
	return NULL;
}

static struct status *hosts_mount(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const char *const *pod_ips, size_t n_pod_ips, CriMount **ret)
{
	char *name, *domain;
	TRY(pod_hostname(k, arena, pod, &name, &domain));
	CLEANUP_FREE char *node_hosts = NULL;
	size_t size;
	if (pod->host_network) {
		struct status *s = io_read_file(ETC_HOSTS, MAX_HOSTS_BYTES, &node_hosts, &size);
		log_status(s, "the node's hosts file");
	}
	char *text = hosts_file_text(arena, pod_spec(pod), pod_ips, n_pod_ips, name, domain, str_or_empty(node_hosts));
	char *path = arena_printf(arena, "%s/etc-hosts", pod_dir(arena, k, pod->uid));
	/* Written in place: running containers have this very file mounted. */
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return status_errno(errno, "create %s", path);
	TRY(io_write_all(fd, text, strlen(text)));
	fchmod(fd, 0644);
	*ret = new_mount(arena, path, ETC_HOSTS, false);
	return NULL;
}

/* The file that the container leaves its last words in. */
static struct status *termination_mount(
	struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c, CriMount **ret)
{
	char *dir = arena_printf(arena, "%s/containers/%s", pod_dir(arena, k, pod->uid), c->name);
	TRY(io_mkdirs(dir, 0750));
	uint32_t id;
	random_bytes(&id, sizeof(id));
	char *path = arena_printf(arena, "%s/%08" PRIx32, dir, id);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return status_errno(errno, "create %s", path);
	fchmod(fd, 0666);
	*ret = new_mount(arena, path, c->termination_message_path, false);
	return NULL;
}

struct status *container_mounts(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const struct name_values *env, const char *const *pod_ips, size_t n_pod_ips, CriMount ***ret_mounts,
	size_t *ret_n)
{
	CriMount **mounts = NULL, *m = NULL;
	size_t n = 0;
	bool own_hosts = pod->host_network || n_pod_ips;
	for (size_t i = 0; i < c->n_volume_mounts; i++) {
		if (str_eq(c->volume_mounts[i]->mount_path, ETC_HOSTS))
			own_hosts = false;
		TRY(volume_mount(k, arena, pod, c, i, env, &m));
		ARENA_PUSH(arena, mounts, n) = m;
	}
	if (own_hosts) {
		TRY(hosts_mount(k, arena, pod, pod_ips, n_pod_ips, &m));
		ARENA_PUSH(arena, mounts, n) = m;
	}
	if (!str_empty(c->termination_message_path)) {
		TRY(termination_mount(k, arena, pod, c, &m));
		ARENA_PUSH(arena, mounts, n) = m;
	}
	*ret_mounts = mounts;
	*ret_n = n;
	return NULL;
}
