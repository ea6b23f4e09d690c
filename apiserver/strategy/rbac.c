#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/context.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/rbac.h"
#include "base/str.h"

#define GROUP "rbac.authorization.k8s.io"

/* A grant as the checks see it: of a role's own rules, or of those a binding refers to. */
struct grant {
	const char *role_kind; /* the kind of the role that is granted */
	const char *role_name;
	RbacV1PolicyRule **rules;
	size_t n_rules;
};

static bool may(struct request *request, const char *verb, const char *resource, const char *name)
{
	struct authz_attributes a = {.user = request->user,
		.verb = verb,
		.resource_request = true,
		.group = GROUP,
		.version = "v1",
		.resource = resource,
		.namespace = request->namespace,
		.name = name};
	const char *reason;
	return authz_authorize(request->context->authz, request->arena, &a, &reason) == AUTHZ_ALLOW;
}

static bool is_master(const struct request *request)
{
	return !request->context || !request->context->authz || user_in_group(request->user, GROUP_MASTERS);
}

static struct status *forbid(struct request *request, const char *name, struct status *why)
{
	const char *quoted = *name ? arena_printf(request->arena, " \"%s\"", name) : "";
	struct status *s = status_details(status_new(STATUS_FORBIDDEN, "%s." GROUP "%s is forbidden: %s",
						  request->resource, quoted, why->message),
		GROUP, request->resource, name);
	status_free(why);
	return s;
}

static struct status *check_grant(struct request *request, const char *object_name_, const struct grant *grant)
{
	struct status *why = authz_check_escalation(request->context->authz, request->arena, request->user,
		request->namespace, grant->rules, grant->n_rules);
	return why ? forbid(request, object_name_, why) : NULL;
}

/* Whether nothing changed but what lets an object go with its owners: nobody needs leave for that. */
static bool only_gc_changes(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before)
{
	ProtobufCMessage *copy = api_copy_msg(request->arena, object);
	MetaV1ObjectMeta *meta = object_meta(copy);
	const MetaV1ObjectMeta *old = object_meta(before);
	meta->owner_references = old->owner_references;
	meta->n_owner_references = old->n_owner_references;
	meta->finalizers = old->finalizers;
	meta->n_finalizers = old->n_finalizers;
	meta->managed_fields = old->managed_fields;
	meta->n_managed_fields = old->n_managed_fields;
	meta->self_link = old->self_link;
	return api_equal(copy, before);
}

static struct status *check_binding(struct request *request, const char *name, const RbacV1RoleRef *ref)
{
	static const char *const kinds[] = {"ClusterRole", "Role", NULL};
	if (is_master(request))
		return NULL;
	/* The validation, which says more, comes later. */
	if (!ref || !str_in(ref->kind, kinds))
		return status_with_code(status_new(STATUS_UNKNOWN, "unsupported role reference kind: %s",
						field_quote(request->arena, ref ? ref->kind : "")),
			500);
	const char *resource = str_eq(ref->kind, "ClusterRole") ? "clusterroles" : "roles";
	if (may(request, "bind", resource, str_or_empty(ref->name)))
		return NULL;
	struct grant grant = {ref->kind, ref->name, NULL, 0};
	struct status *missing = authz_role_rules(
		request->context->authz, request->arena, request->namespace, ref, &grant.rules, &grant.n_rules);
	if (status_is(missing, STATUS_NOT_FOUND)) {
		/* The original calls the role by what it is asked for. */
		status_drop(missing, "told in other words");
		return request_not_found(request, ref->name);
	}
	return missing ? missing : check_grant(request, name, &grant);
}

/* Roles */

static bool aggregates(const ProtobufCMessage *role)
{
	return API_IS(role, RbacV1ClusterRole) && ((const RbacV1ClusterRole *)role)->aggregation_rule &&
	       ((const RbacV1ClusterRole *)role)->aggregation_rule->n_cluster_role_selectors;
}

/* What an aggregated role will hold is not known yet: only who has everything may write one. */
static struct status *check_aggregation(struct request *request, const char *name)
{
	static char *all[] = {(char *)"*"};
	RbacV1PolicyRule *resources = API_NEW(request->arena, RbacV1PolicyRule),
			 *urls = API_NEW(request->arena, RbacV1PolicyRule);
	resources->verbs = resources->api_groups = resources->resources = urls->verbs = urls->non_resource_urls = all;
	resources->n_verbs = resources->n_api_groups = resources->n_resources = urls->n_verbs =
		urls->n_non_resource_urls = 1;
	RbacV1PolicyRule *rules[] = {resources, urls};
	struct status *why = authz_check_escalation(
		request->context->authz, request->arena, request->user, request->namespace, rules, ARRAY_SIZE(rules));
	if (!why)
		return NULL;
	status_drop(why, "told in other words");
	return forbid(request, name,
		status_new(STATUS_FORBIDDEN, "must have cluster-admin privileges to use the aggregationRule"));
}

static struct status *check_role(struct request *request, const ProtobufCMessage *object, bool aggregated)
{
	const RbacV1Role *role = (const RbacV1Role *)object;
	const RbacV1ClusterRole *cluster_role = (const RbacV1ClusterRole *)object;
	struct grant grant = {.rules = API_IS(object, RbacV1Role) ? role->rules : cluster_role->rules,
		.n_rules = API_IS(object, RbacV1Role) ? role->n_rules : cluster_role->n_rules};
	if (is_master(request) || may(request, "escalate", request->resource, request->name))
		return NULL;
	TRY(check_grant(request, object_name(object), &grant));
	return aggregated ? check_aggregation(request, object_name(object)) : NULL;
}

/* A label may be enough to have another role take up all that it grants. */
static struct status *check_role_grant(
	struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before)
{
	if (before && only_gc_changes(request, object, before))
		return NULL;
	return check_role(request, object, aggregates(object) || (before && aggregates(before)));
}

static void validate_role_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	if (API_IS(object, RbacV1Role))
		validate_rules(
			errors, ((const RbacV1Role *)object)->rules, ((const RbacV1Role *)object)->n_rules, true);
	else
		validate_cluster_role(errors, (const RbacV1ClusterRole *)object);
}

#define ROLE(plural)                                                                                \
	{                                                                                           \
		.group = GROUP, .resource = plural, .check_name = name_is_path_segment,             \
		.update_checks = {CHECK_META, CHECK_NEW, CHECK_META, CHECK_NEW, CHECK_META_CHANGE}, \
		.validate_create = validate_role_create, .check_grant = check_role_grant,           \
		.allow_create_on_update = true,                                                     \
	}

const struct strategy role_strategy = ROLE("roles");
const struct strategy cluster_role_strategy = ROLE("clusterroles");

/* Bindings */

struct binding {
	RbacV1Subject *const *subjects;
	size_t n_subjects;
	const RbacV1RoleRef *ref;
	bool namespaced;
};

static struct binding binding_of(const ProtobufCMessage *object)
{
	if (API_IS(object, RbacV1RoleBinding)) {
		const RbacV1RoleBinding *b = (const RbacV1RoleBinding *)object;
		return (struct binding){b->subjects, b->n_subjects, b->role_ref, true};
	}
	const RbacV1ClusterRoleBinding *b = (const RbacV1ClusterRoleBinding *)object;
	return (struct binding){b->subjects, b->n_subjects, b->role_ref, false};
}

static struct status *check_binding_grant(
	struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before)
{
	if (before && only_gc_changes(request, object, before))
		return NULL;
	return check_binding(request, object_name(object), binding_of(object).ref);
}

static void validate_binding_create(
	struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	struct binding b = binding_of(object);
	validate_binding(errors, b.subjects, b.n_subjects, b.ref, b.namespaced);
}

static void validate_binding_update(struct request *request, const ProtobufCMessage *object,
	const ProtobufCMessage *before, struct field_errors *errors)
{
	struct binding now = binding_of(object), old = binding_of(before);
	if (!api_equal(now.ref, old.ref))
		field_invalid_json(errors, FIELD(NULL, "roleRef"),
			arena_printf(errors->arena, "{\"APIGroup\":%s,\"Kind\":%s,\"Name\":%s}",
				field_json(errors->arena, now.ref ? now.ref->api_group : ""),
				field_json(errors->arena, now.ref ? now.ref->kind : ""),
				field_json(errors->arena, now.ref ? now.ref->name : "")),
			"cannot change roleRef");
}

#define BINDING(plural)                                                                                           \
	{                                                                                                         \
		.group = GROUP, .resource = plural, .check_name = name_is_path_segment,                           \
		.update_checks = {CHECK_META, CHECK_NEW, CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE}, \
		.validate_create = validate_binding_create, .validate_update = validate_binding_update,           \
		.check_grant = check_binding_grant, .allow_create_on_update = true,                               \
	}

const struct strategy role_binding_strategy = BINDING("rolebindings");
const struct strategy cluster_role_binding_strategy = BINDING("clusterrolebindings");
