/*
 * Checks of a Job's rules on when it has failed and when it has succeeded.
 */
#ifndef APISERVER_VALIDATION_JOB_POLICY_H
#define APISERVER_VALIDATION_JOB_POLICY_H

#include "api/types.h"
#include "apiserver/validation/field.h"

/* path: of the policy; an absent one is good. */
void validate_failure_policy(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec);
void validate_success_policy(struct field_errors *errors, const struct field_path *path, const BatchV1JobSpec *spec);

#endif
