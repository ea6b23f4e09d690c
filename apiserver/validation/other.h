/*
 * Checks of the kinds beside the daily ones: batch, network, storage and policy.
 */
#ifndef APISERVER_VALIDATION_OTHER_H
#define APISERVER_VALIDATION_OTHER_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_job(struct field_errors *errors, const BatchV1Job *job);
void validate_job_update(struct field_errors *errors, const BatchV1Job *job, const BatchV1Job *old);
void validate_cron_job(struct field_errors *errors, const BatchV1CronJob *job);

void validate_claim(struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim);
void validate_claim_update(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old);
void validate_volume(struct field_errors *errors, const CoreV1PersistentVolume *volume);

void validate_limit_range(struct field_errors *errors, const CoreV1LimitRange *range);
void validate_resource_quota(struct field_errors *errors, const CoreV1ResourceQuota *quota);

#endif
