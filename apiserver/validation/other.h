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

void validate_network_policy(struct field_errors *errors, const NetworkingV1NetworkPolicy *policy);
void validate_ip_address(struct field_errors *errors, const NetworkingV1IPAddress *address);
void validate_service_cidr(struct field_errors *errors, const NetworkingV1ServiceCIDR *range);
void validate_ingress(struct field_errors *errors, const NetworkingV1Ingress *ingress);

void validate_claim(struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim);
void validate_claim_update(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old);
void validate_volume(struct field_errors *errors, const CoreV1PersistentVolume *volume);

void validate_runtime_class(struct field_errors *errors, const NodeV1RuntimeClass *class);
void validate_runtime_class_update(
	struct field_errors *errors, const NodeV1RuntimeClass *class, const NodeV1RuntimeClass *old);
void validate_disruption_budget(struct field_errors *errors, const PolicyV1PodDisruptionBudget *budget);
void validate_autoscaler(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscaler *hpa);
void validate_priority_class(struct field_errors *errors, const SchedulingV1PriorityClass *class);
void validate_priority_class_update(
	struct field_errors *errors, const SchedulingV1PriorityClass *class, const SchedulingV1PriorityClass *old);
void validate_limit_range(struct field_errors *errors, const CoreV1LimitRange *range);
void validate_resource_quota(struct field_errors *errors, const CoreV1ResourceQuota *quota);

#endif
