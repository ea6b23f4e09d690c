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

const struct defaulter defaults_extension[] = {
	{&AdmissionregistrationV1ValidatingWebhook_schema, set_validating_webhook},
	{&AdmissionregistrationV1MutatingWebhook_schema, set_mutating_webhook},
	{&AdmissionregistrationV1Rule_schema, set_rule},
	{&AdmissionregistrationV1ServiceReference_schema, set_service_reference},
	{&AdmissionregistrationV1ValidatingAdmissionPolicySpec_schema, set_policy_spec},
	{&AdmissionregistrationV1MatchResources_schema, set_match_resources},
	{&ApiextensionsV1ServiceReference_schema, set_crd_service_reference},
	{&ApiregistrationV1ServiceReference_schema, set_aggregated_service_reference},
	{&ApiextensionsV1CustomResourceDefinition_schema, set_crd},
	{NULL, NULL},
};
