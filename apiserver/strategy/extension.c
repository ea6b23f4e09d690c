#include "apiserver/validation/extension/extension.h"
#include "api/meta.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/params.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

#define ADMISSION "admissionregistration.k8s.io"
#define FLOW "flowcontrol.apiserver.k8s.io"

/* check of every write but those of the status; check_status of those. */
#define ALIKE(name, T, check, check_status)                                                           \
	static void name##_create(                                                                    \
		struct request *request, const ProtobufCMessage *object, struct field_errors *errors) \
	{                                                                                             \
		check(errors, (const T *)object);                                                     \
	}                                                                                             \
	static void name##_update(struct request *request, const ProtobufCMessage *object,            \
		const ProtobufCMessage *old, struct field_errors *errors)                             \
	{                                                                                             \
		if (generic_is_status(request))                                                       \
			check_status(errors, (const T *)object);                                      \
		else                                                                                  \
			check(errors, (const T *)object);                                             \
	}

CHECKED(validating, AdmissionregistrationV1ValidatingWebhookConfiguration, validate_validating_webhooks,
	validate_validating_webhooks_update)
CHECKED(mutating, AdmissionregistrationV1MutatingWebhookConfiguration, validate_mutating_webhooks,
	validate_mutating_webhooks_update)
ALIKE(service, ApiregistrationV1APIService, validate_api_service, validate_api_service_status)
ALIKE(flow_schema, FlowcontrolV1FlowSchema, validate_flow_schema, validate_flow_schema_status)
ALIKE(level, FlowcontrolV1PriorityLevelConfiguration, validate_priority_level, validate_priority_level_status)

static void policy_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const AdmissionregistrationV1ValidatingAdmissionPolicy *policy =
		(const AdmissionregistrationV1ValidatingAdmissionPolicy *)object;
	validate_admission_policy(errors, policy);
	check_policy_params(request, policy, NULL, errors);
}

static void policy_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	const AdmissionregistrationV1ValidatingAdmissionPolicy *policy =
		(const AdmissionregistrationV1ValidatingAdmissionPolicy *)object;
	const AdmissionregistrationV1ValidatingAdmissionPolicy *before =
		(const AdmissionregistrationV1ValidatingAdmissionPolicy *)old;
	if (generic_is_status(request)) {
		validate_admission_policy_status(errors, policy);
		return;
	}
	validate_admission_policy_update(errors, policy, before);
	check_policy_params(request, policy, before, errors);
}

static void binding_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const AdmissionregistrationV1ValidatingAdmissionPolicyBinding *binding =
		(const AdmissionregistrationV1ValidatingAdmissionPolicyBinding *)object;
	validate_policy_binding(errors, binding);
	check_binding_params(request, binding, errors);
}

static void binding_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	binding_create(request, object, errors);
}

/* Writes of the status leave the metadata alone too. */
static void prepare_policy_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	generic_next_generation(request, object, old);
	if (generic_is_status(request))
		generic_keep_meta(object, old);
}

/* Those of flow control's leave all of it alone, but for who manages what. */
static void prepare_flow_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	generic_next_generation(request, object, old);
	if (!generic_is_status(request))
		return;
	MetaV1ObjectMeta *meta = object_meta(object), sent = *meta;
	*meta = *object_meta(old);
	meta->managed_fields = sent.managed_fields;
	meta->n_managed_fields = sent.n_managed_fields;
}

static const char *check_service_name(
	struct arena *arena, const ProtobufCMessage *object, const char *name, bool prefix)
{
	return api_service_name_problem(arena, (const ApiregistrationV1APIService *)object, name, prefix);
}

/* What this server serves itself is available at once. */
static void prepare_api_service(struct request *request, ProtobufCMessage *object)
{
	ApiregistrationV1APIService *service = (ApiregistrationV1APIService *)object;
	struct arena *arena = request->arena;
	generic_reset_status(request, object);
	if (service->spec && service->spec->service)
		return;
	ApiregistrationV1APIServiceCondition *available = API_NEW(arena, ApiregistrationV1APIServiceCondition);
	available->type = (char *)"Available";
	available->status = (char *)"True";
	available->reason = (char *)"Local";
	available->message = (char *)"Local APIServices are always available";
	available->last_transition_time = time_now(arena);
	service->status = API_NEW(arena, ApiregistrationV1APIServiceStatus);
	ARENA_PUSH(arena, service->status->conditions, service->status->n_conditions) = available;
}

/* In the order in which requests are held against them. */
static int by_precedence(const void *a, const void *b)
{
	const FlowcontrolV1FlowSchema *x = *(FlowcontrolV1FlowSchema *const *)a;
	const FlowcontrolV1FlowSchema *y = *(FlowcontrolV1FlowSchema *const *)b;
	int32_t p = x->spec ? x->spec->matching_precedence : 0, q = y->spec ? y->spec->matching_precedence : 0;
	return p != q ? (p < q ? -1 : 1) : str_cmp(object_name(x), object_name(y));
}

const struct strategy validating_webhook_strategy = {.group = ADMISSION,
	.resource = "validatingwebhookconfigurations",
	.update_checks = {CHECK_META, CHECK_CHANGE},
	GENERATION_ONLY,
	CHECKS(validating)};
const struct strategy mutating_webhook_strategy = {.group = ADMISSION,
	.resource = "mutatingwebhookconfigurations",
	.update_checks = {CHECK_META, CHECK_CHANGE},
	GENERATION_ONLY,
	CHECKS(mutating)};
const struct strategy admission_policy_strategy = {.group = ADMISSION,
	.resource = "validatingadmissionpolicies",
	.update_checks = {CHECK_META, CHECK_CHANGE},
	.status_checks = {CHECK_CHANGE},
	.prepare_create = generic_prepare_create,
	.prepare_update = prepare_policy_update,
	CHECKS(policy)};
const struct strategy policy_binding_strategy = {.group = ADMISSION,
	.resource = "validatingadmissionpolicybindings",
	.update_checks = {CHECK_META, CHECK_CHANGE},
	GENERATION_ONLY,
	CHECKS(binding)};
const struct strategy api_service_strategy = {.group = "apiregistration.k8s.io",
	.resource = "apiservices",
	.update_checks = {CHECK_META_CHANGE, CHECK_META, CHECK_CHANGE},
	.check_own_name = check_service_name,
	.prepare_create = prepare_api_service,
	CHECKS(service)};
const struct strategy flow_schema_strategy = {.group = FLOW,
	.resource = "flowschemas",
	.update_checks = {CHECK_META, CHECK_CHANGE},
	.status_checks = {CHECK_CHANGE},
	.compare_rows = by_precedence,
	.prepare_create = generic_prepare_create,
	.prepare_update = prepare_flow_update,
	CHECKS(flow_schema)};
const struct strategy priority_level_strategy = {.group = FLOW,
	.resource = "prioritylevelconfigurations",
	.update_checks = {CHECK_META, CHECK_CHANGE},
	.status_checks = {CHECK_CHANGE},
	.prepare_create = generic_prepare_create,
	.prepare_update = prepare_flow_update,
	CHECKS(level)};
