/*
 * Checks of the kinds that extend or steer the server: admissionregistration.k8s.io, apiregistration.k8s.io and
 * flowcontrol.apiserver.k8s.io. An update's check asks all that the original asks of an update, the metadata excepted.
 * Expressions (CEL) have to compile; those that were there before may use what only this version knows.
 */
#ifndef APISERVER_VALIDATION_EXTENSION_H
#define APISERVER_VALIDATION_EXTENSION_H

#include "api/types.h"
#include "apiserver/validation/field.h"
#include "base/map.h"

void validate_validating_webhooks(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingWebhookConfiguration *config);
void validate_validating_webhooks_update(struct field_errors *errors,
	const AdmissionregistrationV1ValidatingWebhookConfiguration *config,
	const AdmissionregistrationV1ValidatingWebhookConfiguration *old);
void validate_mutating_webhooks(
	struct field_errors *errors, const AdmissionregistrationV1MutatingWebhookConfiguration *config);
void validate_mutating_webhooks_update(struct field_errors *errors,
	const AdmissionregistrationV1MutatingWebhookConfiguration *config,
	const AdmissionregistrationV1MutatingWebhookConfiguration *old);
void validate_admission_policy(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingAdmissionPolicy *policy);
void validate_admission_policy_update(struct field_errors *errors,
	const AdmissionregistrationV1ValidatingAdmissionPolicy *policy,
	const AdmissionregistrationV1ValidatingAdmissionPolicy *old);
void validate_admission_policy_status(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingAdmissionPolicy *policy);
void validate_policy_binding(
	struct field_errors *errors, const AdmissionregistrationV1ValidatingAdmissionPolicyBinding *binding);

/* There is but one name. */
const char *api_service_name_problem(
	struct arena *arena, const ApiregistrationV1APIService *service, const char *name, bool prefix);
void validate_api_service(struct field_errors *errors, const ApiregistrationV1APIService *service);
void validate_api_service_status(struct field_errors *errors, const ApiregistrationV1APIService *service);

void validate_flow_schema(struct field_errors *errors, const FlowcontrolV1FlowSchema *schema);
void validate_flow_schema_status(struct field_errors *errors, const FlowcontrolV1FlowSchema *schema);
void validate_priority_level(struct field_errors *errors, const FlowcontrolV1PriorityLevelConfiguration *level);
void validate_priority_level_status(struct field_errors *errors, const FlowcontrolV1PriorityLevelConfiguration *level);

/* Where a webhook is called: by an https URL, or through a Service (path may be NULL). */
void validate_webhook_url(struct field_errors *errors, const struct field_path *path, const char *url);
void validate_webhook_service(struct field_errors *errors, const struct field_path *path, const char *namespace,
	const char *name, const char *url_path, int32_t port);
/* The rules that webhooks and policies choose requests by. */
void validate_operations(struct field_errors *errors, const struct field_path *path,
	const AdmissionregistrationV1RuleWithOperations *rule);
/* Stored has the expressions of the conditions that were there before; NULL: there were none. */
void validate_match_conditions(struct field_errors *errors, const struct field_path *path,
	AdmissionregistrationV1MatchCondition *const *conditions, size_t n, bool params, const struct strmap *stored);
/* Whether a text has nothing but white space. */
bool is_blank(const char *text);

#endif
