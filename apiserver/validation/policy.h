/*
 * Checks of autoscaling, policy, node.k8s.io and scheduling.k8s.io, and of conditions. An update's check asks all that
 * the original asks of an update, the metadata excepted.
 */
#ifndef APISERVER_VALIDATION_POLICY_H
#define APISERVER_VALIDATION_POLICY_H

#include "api/intstr.h"
#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_disruption_budget(struct field_errors *errors, const PolicyV1PodDisruptionBudget *budget);
void validate_disruption_budget_status(struct field_errors *errors, const PolicyV1PodDisruptionBudget *budget);

void validate_autoscaler(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscaler *hpa);
void validate_autoscaler_update(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscaler *hpa,
	const AutoscalingV2HorizontalPodAutoscaler *old);
void validate_autoscaler_status(struct field_errors *errors, const AutoscalingV2HorizontalPodAutoscaler *hpa);

void validate_runtime_class(struct field_errors *errors, const NodeV1RuntimeClass *class);
void validate_runtime_class_update(
	struct field_errors *errors, const NodeV1RuntimeClass *class, const NodeV1RuntimeClass *old);
void validate_priority_class(struct field_errors *errors, const SchedulingV1PriorityClass *class);
void validate_priority_class_update(
	struct field_errors *errors, const SchedulingV1PriorityClass *class, const SchedulingV1PriorityClass *old);

void validate_conditions(
	struct field_errors *errors, const struct field_path *path, MetaV1Condition *const *conditions, size_t n);

/* A number that is not negative, or a percentage; and a percentage of at most 100. NULL is neither judged. */
void validate_int_or_percent(
	struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *value);
void validate_at_most_all(struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *value);

#endif
