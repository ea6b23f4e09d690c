#include "kubelet/volume/files.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "base/io.h"
#include "base/str.h"
#include "kubelet/objects.h"
#include "kubelet/runtime/env.h"

#define TMPFS_MAGIC_NUMBER 0x01021994

struct status *volume_files_dir(const struct volume_mount *m, bool in_memory)
{
	struct statfs fs;
	TRY(io_mkdirs(m->dir, 0755));
	if (chmod(m->dir, 01777))
		return status_errno(errno, "chmod %s", m->dir);
	if (!in_memory || (!statfs(m->dir, &fs) && fs.f_type == TMPFS_MAGIC_NUMBER))
		return NULL;
	if (mount("tmpfs", m->dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"))
		return status_errno(errno, "mount tmpfs at %s", m->dir);
	return NULL;
}

static const struct volume_key *find_key(const struct volume_key *keys, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(keys[i].key, key))
			return &keys[i];
	return NULL;
}

struct status *volume_files_pick(const struct volume_mount *m, const struct volume_key *keys, size_t n_keys,
	CoreV1KeyToPath *const *items, size_t n_items, int32_t default_mode, bool optional, struct atomic_files *files)
{
	mode_t mode = (mode_t)(default_mode ? default_mode : VOLUME_DEFAULT_MODE);
	for (size_t i = 0; !n_items && i < n_keys; i++)
		atomic_files_add(m->arena, files,
			(struct atomic_file){
				.path = keys[i].key, .data = keys[i].data, .size = keys[i].size, .mode = mode});
	for (size_t i = 0; i < n_items; i++) {
		const struct volume_key *k = find_key(keys, n_keys, items[i]->key);
		if (!k && optional)
			continue;
		if (!k)
			return status_bad_request("references non-existent config key: %s", items[i]->key);
		atomic_files_add(m->arena, files,
			(struct atomic_file){.path = items[i]->path,
				.data = k->data,
				.size = k->size,
				.mode = items[i]->has_mode ? (mode_t)items[i]->mode : mode});
	}
	return NULL;
}

struct status *volume_files_config_map(const struct volume_mount *m, const char *name, CoreV1KeyToPath *const *items,
	size_t n_items, int32_t default_mode, bool optional, struct atomic_files *files)
{
	const CoreV1ConfigMap *map = NULL;
	struct volume_key *keys = NULL;
	size_t n = 0;
	struct status *s = objects_config_map(m->k->objects, m->arena, m->pod->namespace, name, &map);
	if (status_is(s, STATUS_NOT_FOUND) && optional) {
		status_drop(s, "optional");
		return NULL;
	}
	if (s)
		return s;
	for (size_t i = 0; i < map->n_data; i++) {
		struct volume_key k = {map->data[i]->key, map->data[i]->value, strlen(map->data[i]->value)};
		ARENA_PUSH(m->arena, keys, n) = k;
	}
	for (size_t i = 0; i < map->n_binary_data; i++) {
		const ProtobufCBinaryData *v = &map->binary_data[i]->value;
		struct volume_key k = {map->binary_data[i]->key, v->data, v->len};
		ARENA_PUSH(m->arena, keys, n) = k;
	}
	return volume_files_pick(m, keys, n, items, n_items, default_mode, optional, files);
}

struct status *volume_files_secret(const struct volume_mount *m, const char *name, CoreV1KeyToPath *const *items,
	size_t n_items, int32_t default_mode, bool optional, struct atomic_files *files)
{
	const CoreV1Secret *secret = NULL;
	struct volume_key *keys = NULL;
	size_t n = 0;
	struct status *s = objects_secret(m->k->objects, m->arena, m->pod->namespace, name, &secret);
	if (status_is(s, STATUS_NOT_FOUND) && optional) {
		status_drop(s, "optional");
		return NULL;
	}
	if (s)
		return s;
	for (size_t i = 0; i < secret->n_data; i++) {
		const ProtobufCBinaryData *v = &secret->data[i]->value;
		struct volume_key k = {secret->data[i]->key, v->data, v->len};
		ARENA_PUSH(m->arena, keys, n) = k;
	}
	return volume_files_pick(m, keys, n, items, n_items, default_mode, optional, files);
}

struct status *volume_files_downward(const struct volume_mount *m, CoreV1DownwardAPIVolumeFile *const *items,
	size_t n_items, int32_t default_mode, struct atomic_files *files)
{
	for (size_t i = 0; i < n_items; i++) {
		char *value = arena_strdup(m->arena, "");
		if (items[i]->field_ref)
			TRY(env_pod_field(m->k, m->arena, m->pod, items[i]->field_ref->field_path, NULL, 0, &value));
		else if (items[i]->resource_field_ref) {
			const CoreV1ResourceFieldSelector *ref = items[i]->resource_field_ref;
			const CoreV1Container *c = pod_container(m->pod, ref->container_name);
			if (!c)
				return status_bad_request("container %s not found", ref->container_name);
			TRY(env_resource_field(m->k, m->arena, m->pod, c, ref, &value));
		}
		mode_t mode = (mode_t)(default_mode ? default_mode : VOLUME_DEFAULT_MODE);
		atomic_files_add(m->arena, files,
			(struct atomic_file){.path = items[i]->path,
				.data = value,
				.size = strlen(value),
				.mode = items[i]->has_mode ? (mode_t)items[i]->mode : mode});
	}
	return NULL;
}

struct status *volume_files_write(const struct volume_mount *m, const struct atomic_files *files)
{
	if (m->has_fs_group && chown(m->dir, (uid_t)-1, (gid_t)m->fs_group))
		return status_errno(errno, "chown %s", m->dir);
	return atomic_write(m->dir, files, m->has_fs_group, (gid_t)m->fs_group);
}
