/*
 * What the volumes made of files share: picking keys, modes, memory-backed directories, ownership.
 */
#ifndef KUBELET_VOLUME_FILES_H
#define KUBELET_VOLUME_FILES_H

#include "kubelet/volume/atomic.h"
#include "kubelet/volume/volume.h"

/* The directory, on a tmpfs of its own if it is to hold secrets. */
struct status *volume_files_dir(const struct volume_mount *m, bool in_memory) MUST_USE;
/* One key of a map: its bytes. */
struct volume_key {
	const char *key;
	const void *data;
	size_t size;
};
/*
 * Adds all keys, or those that the items name, under the path each gives. Error: an item's key that is missing and not
 * optional.
 */
struct status *volume_files_pick(const struct volume_mount *m, const struct volume_key *keys, size_t n_keys,
	CoreV1KeyToPath *const *items, size_t n_items, int32_t default_mode, bool optional,
	struct atomic_files *files) MUST_USE;
struct status *volume_files_config_map(const struct volume_mount *m, const char *name, CoreV1KeyToPath *const *items,
	size_t n_items, int32_t default_mode, bool optional, struct atomic_files *files) MUST_USE;
struct status *volume_files_secret(const struct volume_mount *m, const char *name, CoreV1KeyToPath *const *items,
	size_t n_items, int32_t default_mode, bool optional, struct atomic_files *files) MUST_USE;
struct status *volume_files_downward(const struct volume_mount *m, CoreV1DownwardAPIVolumeFile *const *items,
	size_t n_items, int32_t default_mode, struct atomic_files *files) MUST_USE;
struct status *volume_files_write(const struct volume_mount *m, const struct atomic_files *files) MUST_USE;

#define VOLUME_DEFAULT_MODE 0644

#endif
