/*
 * Parameters of admission policies: who has a policy read objects for him must be allowed to read them himself.
 */
#ifndef APISERVER_STRATEGY_PARAMS_H
#define APISERVER_STRATEGY_PARAMS_H

#include "apiserver/strategy/strategy.h"

/* Of objects without another fault; old is NULL for a create. */
void check_policy_params(struct request *request, const AdmissionregistrationV1ValidatingAdmissionPolicy *policy,
	const AdmissionregistrationV1ValidatingAdmissionPolicy *old, struct field_errors *errors);
void check_binding_params(struct request *request,
	const AdmissionregistrationV1ValidatingAdmissionPolicyBinding *binding, struct field_errors *errors);

#endif
