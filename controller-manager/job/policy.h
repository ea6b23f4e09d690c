/*
 * What a Job's policies say of its pods, and facts about pods of Jobs: pure.
 *
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_JOB_POLICY_H
#define CONTROLLER_MANAGER_JOB_POLICY_H

#include "controller-manager/job/indexes.h"
#include "controller-manager/support/object.h"

#define JOB_FINALIZER "batch.kubernetes.io/job-tracking"
#define JOB_INDEX "batch.kubernetes.io/job-completion-index"
#define JOB_INDEX_FAILURES "batch.kubernetes.io/job-index-failure-count"
#define JOB_INDEX_IGNORED "batch.kubernetes.io/job-index-ignored-failure-count"

enum job_failure { FAILURE_COUNTS, FAILURE_IGNORED, FAILURE_FAILS_INDEX, FAILURE_FAILS_JOB };

bool job_is_indexed(const BatchV1Job *job);
bool job_is_suspended(const BatchV1Job *job);
/* Pods are replaced only once they have failed, not while they end. */
bool job_replaces_failed_only(const BatchV1Job *job);
const BatchV1JobCondition *job_condition(const BatchV1JobStatus *status, const char *type);
/* Complete or Failed. */
bool job_is_finished(const BatchV1Job *job);
bool job_pod_has_failed(const BatchV1Job *job, const CoreV1Pod *pod);
/* What the failure policy says of a failed pod; *ret_message is set for FAILURE_FAILS_JOB. */
enum job_failure job_judge_failure(
	struct arena *arena, const BatchV1Job *job, const CoreV1Pod *pod, const char **ret_message);
/* The success policy's rule that holds; -1: none. */
int job_success_rule(struct arena *arena, const BatchV1Job *job, const struct index_set *succeeded);
/* -1: it has none. */
int32_t pod_completion_index(const CoreV1Pod *pod);
int32_t pod_annotation_count(const CoreV1Pod *pod, const char *annotation);
/* When it ended, in nanoseconds. */
int64_t pod_finished_ns(const CoreV1Pod *pod);

#endif
