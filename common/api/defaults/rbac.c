#include "api/defaults/table.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

static void set_subject(struct arena *arena, void *msg)
{
	RbacV1Subject *subject = msg;
	if (str_eq(subject->kind, "User") || str_eq(subject->kind, "Group"))
		DEFAULT_STRING(subject, api_group, RBAC_GROUP);
}

static void set_role_ref(struct arena *arena, void *msg)
{
	RbacV1RoleRef *ref = msg;
	DEFAULT_STRING(ref, api_group, RBAC_GROUP);
}

static void set_role_binding(struct arena *arena, void *msg)
{
	RbacV1RoleBinding *binding = msg;
	DEFAULT_MESSAGE(arena, binding, role_ref, RbacV1RoleRef);
	set_role_ref(arena, binding->role_ref);
}

static void set_cluster_role_binding(struct arena *arena, void *msg)
{
	RbacV1ClusterRoleBinding *binding = msg;
	DEFAULT_MESSAGE(arena, binding, role_ref, RbacV1RoleRef);
	set_role_ref(arena, binding->role_ref);
}

static void set_token_request(struct arena *arena, void *msg)
{
	AuthenticationV1TokenRequest *request = msg;
	DEFAULT_MESSAGE(arena, request, spec, AuthenticationV1TokenRequestSpec);
	DEFAULT_SCALAR(request->spec, expiration_seconds, 3600);
}

const struct defaulter defaults_rbac[] = {
	{&RbacV1Subject_schema, set_subject},
	{&RbacV1RoleRef_schema, set_role_ref},
	{&RbacV1RoleBinding_schema, set_role_binding},
	{&RbacV1ClusterRoleBinding_schema, set_cluster_role_binding},
	{&AuthenticationV1TokenRequest_schema, set_token_request},
	{NULL, NULL},
};
