/* Checks of the questions of authorization.k8s.io. */
#ifndef APISERVER_VALIDATION_REVIEWS_H
#define APISERVER_VALIDATION_REVIEWS_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_subject_review(struct field_errors *errors, const AuthorizationV1SubjectAccessReview *review);
void validate_local_review(struct field_errors *errors, const AuthorizationV1LocalSubjectAccessReview *review);
void validate_self_review(struct field_errors *errors, const AuthorizationV1SelfSubjectAccessReview *review);

#endif
