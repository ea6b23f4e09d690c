#include "api/defaults/table.h"

static void set_policy_port(struct arena *arena, void *msg)
{
	NetworkingV1NetworkPolicyPort *port = msg;
	DEFAULT_OPTIONAL_STRING(port, protocol, "TCP");
}

static void set_policy(struct arena *arena, void *msg)
{
	NetworkingV1NetworkPolicy *policy = msg;
	DEFAULT_MESSAGE(arena, policy, spec, NetworkingV1NetworkPolicySpec);
	NetworkingV1NetworkPolicySpec *spec = policy->spec;
	if (spec->n_policy_types)
		return;
	ARENA_PUSH(arena, spec->policy_types, spec->n_policy_types) = (char *)"Ingress";
	if (spec->n_egress)
		ARENA_PUSH(arena, spec->policy_types, spec->n_policy_types) = (char *)"Egress";
}

static void set_ingress_class(struct arena *arena, void *msg)
{
	NetworkingV1IngressClass *class = msg;
	if (class->spec && class->spec->parameters)
		DEFAULT_OPTIONAL_STRING(class->spec->parameters, scope, "Cluster");
}

const struct defaulter defaults_networking[] = {
	{&NetworkingV1NetworkPolicyPort_schema, set_policy_port},
	{&NetworkingV1NetworkPolicy_schema, set_policy},
	{&NetworkingV1IngressClass_schema, set_ingress_class},
	{NULL, NULL},
};
