/*
 * Checks of the kinds beside the daily ones: batch, network, storage and policy.
 */
#ifndef APISERVER_VALIDATION_OTHER_H
#define APISERVER_VALIDATION_OTHER_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_claim(struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim);
void validate_claim_spec(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeClaimSpec *spec);
void validate_claim_status_update(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old);
/* The metadata of a template inside an object: labels and annotations are all that it may have. path: the template. */
void validate_template_meta(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta);
void validate_access_modes(struct field_errors *errors, const struct field_path *path, char *const *modes, size_t n);
void validate_claim_update(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old);
void validate_volume(struct field_errors *errors, const CoreV1PersistentVolume *volume);
/* One that an attachment has within itself. */
void validate_inline_volume(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec);
void validate_volume_update(
	struct field_errors *errors, const CoreV1PersistentVolume *volume, const CoreV1PersistentVolume *old);

void validate_limit_range(struct field_errors *errors, const CoreV1LimitRange *range);
void validate_resource_quota(struct field_errors *errors, const CoreV1ResourceQuota *quota);
void validate_resource_quota_update(
	struct field_errors *errors, const CoreV1ResourceQuota *quota, const CoreV1ResourceQuota *old);
void validate_resource_quota_status(
	struct field_errors *errors, const CoreV1ResourceQuota *quota, const CoreV1ResourceQuota *old);

#endif
