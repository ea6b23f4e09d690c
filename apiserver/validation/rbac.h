/*
 * Checks of roles and bindings.
 */
#ifndef APISERVER_VALIDATION_RBAC_H
#define APISERVER_VALIDATION_RBAC_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_rules(struct field_errors *errors, RbacV1PolicyRule *const *rules, size_t n, bool namespaced);
void validate_cluster_role(struct field_errors *errors, const RbacV1ClusterRole *role);
void validate_binding(struct field_errors *errors, RbacV1Subject *const *subjects, size_t n, const RbacV1RoleRef *ref,
	bool namespaced);

#endif
