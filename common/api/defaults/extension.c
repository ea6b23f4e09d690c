#include "api/defaults/table.h"

static void set_validating_webhook(struct arena *arena, void *msg)
{
	AdmissionregistrationV1ValidatingWebhook *hook = msg;
	DEFAULT_OPTIONAL_STRING(hook, failure_policy, "Fail");
	DEFAULT_OPTIONAL_STRING(hook, match_policy, "Equivalent");
	DEFAULT_MESSAGE(arena, hook, namespace_selector, MetaV1LabelSelector);
	DEFAULT_MESSAGE(arena, hook, object_selector, MetaV1LabelSelector);
	DEFAULT_SCALAR(hook, timeout_seconds, 10);
}

static void set_mutating_webhook(struct arena *arena, void *msg)
{
	AdmissionregistrationV1MutatingWebhook *hook = msg;
	DEFAULT_OPTIONAL_STRING(hook, failure_policy, "Fail");
	DEFAULT_OPTIONAL_STRING(hook, match_policy, "Equivalent");
	DEFAULT_MESSAGE(arena, hook, namespace_selector, MetaV1LabelSelector);
	DEFAULT_MESSAGE(arena, hook, object_selector, MetaV1LabelSelector);
	DEFAULT_SCALAR(hook, timeout_seconds, 10);
	DEFAULT_OPTIONAL_STRING(hook, reinvocation_policy, "Never");
}

static void set_rule(struct arena *arena, void *msg)
{
	AdmissionregistrationV1Rule *rule = msg;
	DEFAULT_OPTIONAL_STRING(rule, scope, "*");
}

static void set_service_reference(struct arena *arena, void *msg)
{
	AdmissionregistrationV1ServiceReference *reference = msg;
	DEFAULT_SCALAR(reference, port, 443);
}

static void set_policy_spec(struct arena *arena, void *msg)
{
	AdmissionregistrationV1ValidatingAdmissionPolicySpec *spec = msg;
	DEFAULT_OPTIONAL_STRING(spec, failure_policy, "Fail");
}

static void set_policy(struct arena *arena, void *msg)
{
	AdmissionregistrationV1ValidatingAdmissionPolicy *policy = msg;
	DEFAULT_MESSAGE(arena, policy, spec, AdmissionregistrationV1ValidatingAdmissionPolicySpec);
	set_policy_spec(arena, policy->spec);
}

static void set_match_resources(struct arena *arena, void *msg)
{
	AdmissionregistrationV1MatchResources *match = msg;
	DEFAULT_OPTIONAL_STRING(match, match_policy, "Equivalent");
	DEFAULT_MESSAGE(arena, match, namespace_selector, MetaV1LabelSelector);
	DEFAULT_MESSAGE(arena, match, object_selector, MetaV1LabelSelector);
}

static void set_crd_service_reference(struct arena *arena, void *msg)
{
	ApiextensionsV1ServiceReference *reference = msg;
	DEFAULT_SCALAR(reference, port, 443);
}

static void set_aggregated_service_reference(struct arena *arena, void *msg)
{
	ApiregistrationV1ServiceReference *reference = msg;
	DEFAULT_SCALAR(reference, port, 443);
}

static void set_crd(struct arena *arena, void *msg)
{
	ApiextensionsV1CustomResourceDefinition *crd = msg;
	DEFAULT_MESSAGE(arena, crd, spec, ApiextensionsV1CustomResourceDefinitionSpec);
	DEFAULT_MESSAGE(arena, crd->spec, names, ApiextensionsV1CustomResourceDefinitionNames);
	ApiextensionsV1CustomResourceDefinitionNames *names = crd->spec->names;
	DEFAULT_STRING(names, singular, str_lower(arena, str_or_empty(names->kind)));
	if (!str_empty(names->kind))
		DEFAULT_STRING(names, list_kind, arena_printf(arena, "%sList", names->kind));
	if (!crd->spec->conversion) {
		crd->spec->conversion = API_NEW(arena, ApiextensionsV1CustomResourceConversion);
		crd->spec->conversion->strategy = (char *)"None";
	}
	DEFAULT_MESSAGE(arena, crd, status, ApiextensionsV1CustomResourceDefinitionStatus);
	for (size_t i = 0; !crd->status->n_stored_versions && i < crd->spec->n_versions; i++)
		if (crd->spec->versions[i]->storage)
			ARENA_PUSH(arena, crd->status->stored_versions, crd->status->n_stored_versions) =
				crd->spec->versions[i]->name;
}

static void set_flow_schema(struct arena *arena, void *msg)
{
	FlowcontrolV1FlowSchema *schema = msg;
	DEFAULT_MESSAGE(arena, schema, spec, FlowcontrolV1FlowSchemaSpec);
	DEFAULT_NUMBER(schema->spec, matching_precedence, 1000);
}

static void set_exempt_level(struct arena *arena, void *msg)
{
	FlowcontrolV1ExemptPriorityLevelConfiguration *level = msg;
	DEFAULT_SCALAR(level, nominal_concurrency_shares, 0);
	DEFAULT_SCALAR(level, lendable_percent, 0);
}

static void set_limited_level(struct arena *arena, void *msg)
{
	FlowcontrolV1LimitedPriorityLevelConfiguration *level = msg;
	DEFAULT_SCALAR(level, nominal_concurrency_shares, 30);
	DEFAULT_SCALAR(level, lendable_percent, 0);
}

static void set_queuing(struct arena *arena, void *msg)
{
	FlowcontrolV1QueuingConfiguration *queuing = msg;
	DEFAULT_NUMBER(queuing, hand_size, 8);
	DEFAULT_NUMBER(queuing, queues, 64);
	DEFAULT_NUMBER(queuing, queue_length_limit, 50);
}

const struct defaulter defaults_extension[] = {
	{&AdmissionregistrationV1ValidatingWebhook_schema, set_validating_webhook},
	{&AdmissionregistrationV1MutatingWebhook_schema, set_mutating_webhook},
	{&AdmissionregistrationV1Rule_schema, set_rule},
	{&AdmissionregistrationV1ServiceReference_schema, set_service_reference},
	{&AdmissionregistrationV1ValidatingAdmissionPolicySpec_schema, set_policy_spec},
	{&AdmissionregistrationV1ValidatingAdmissionPolicy_schema, set_policy},
	{&AdmissionregistrationV1MatchResources_schema, set_match_resources},
	{&ApiextensionsV1ServiceReference_schema, set_crd_service_reference},
	{&ApiregistrationV1ServiceReference_schema, set_aggregated_service_reference},
	{&ApiextensionsV1CustomResourceDefinition_schema, set_crd},
	{&FlowcontrolV1FlowSchema_schema, set_flow_schema},
	{&FlowcontrolV1ExemptPriorityLevelConfiguration_schema, set_exempt_level},
	{&FlowcontrolV1LimitedPriorityLevelConfiguration_schema, set_limited_level},
	{&FlowcontrolV1QueuingConfiguration_schema, set_queuing},
	{NULL, NULL},
};
