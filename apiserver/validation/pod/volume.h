/*
 * The volumes of a pod: each source is checked by a function of its own, found in one table (volume.c).
 */
#ifndef APISERVER_VALIDATION_VOLUME_H
#define APISERVER_VALIDATION_VOLUME_H

#include "api/types.h"
#include "apiserver/validation/field.h"

typedef void volume_check_fn(struct field_errors *errors, const struct field_path *path, const void *source);

/* Sources made of objects of the API (volume_files.c). */
volume_check_fn volume_check_host_path, volume_check_secret, volume_check_config_map, volume_check_downward,
	volume_check_projected;
/* Sources of storage systems (volume_storage.c). */
volume_check_fn volume_check_git, volume_check_gce, volume_check_aws, volume_check_nfs, volume_check_iscsi,
	volume_check_flocker, volume_check_rbd, volume_check_cinder, volume_check_cephfs, volume_check_quobyte,
	volume_check_fc, volume_check_flex, volume_check_azure_disk, volume_check_storage_os, volume_check_csi;

/* How one source is checked. at and again: where the original's paths are not the field's, alone and beside another. */
struct volume_rule {
	const char *name;
	size_t offset; /* in the message of sources */
	const char *at, *again;
	volume_check_fn *check;
	const char *const *required;
};
#define VOLUME_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The next source that is set, from *at on, in the order of the rules, in which a volume of several is blamed; NULL:
 * none is left. The message of sources may be NULL. */
const struct volume_rule *volume_next_source(
	const void *sources, const struct volume_rule *rules, size_t n_rules, size_t *at, const void **ret_source);
void volume_check_source(
	struct field_errors *errors, const struct field_path *path, const struct volume_rule *rule, const void *source);
/* It is one more than there may be. */
void volume_forbid_source(struct field_errors *errors, const struct field_path *path, const struct volume_rule *rule);
/* Required strings of any message, by JSON name; NULL-terminated. */
void volume_require(
	struct field_errors *errors, const struct field_path *path, const void *source, const char *const *names);

/* Paths: no ".." within; relative too; and not named with two dots either, as what the node makes for itself is. */
void check_no_backsteps(struct field_errors *errors, const struct field_path *path, const char *value);
void check_descending_path(struct field_errors *errors, const struct field_path *path, const char *value);
void check_free_path(struct field_errors *errors, const struct field_path *path, const char *value);
void check_file_mode(struct field_errors *errors, const struct field_path *path, bool has, int32_t mode);
void check_csi_driver_name(struct field_errors *errors, const struct field_path *path, const char *name);
void check_range(struct field_errors *errors, const struct field_path *path, int64_t value, int64_t min, int64_t max);
void check_storage_os(
	struct field_errors *errors, const struct field_path *path, const char *volume, const char *namespace);
void check_partition(struct field_errors *errors, const struct field_path *path, int32_t partition);
void check_iscsi_target(struct field_errors *errors, const struct field_path *path, const char *portal, const char *iqn,
	int32_t lun, bool chap, bool has_secret, const char *initiator, bool of_cluster);

#endif
