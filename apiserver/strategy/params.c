#include "apiserver/strategy/params.h"
#include "api/meta.h"
#include "apiserver/strategy/context.h"
#include "base/str.h"

/* What a kind is asked for as: the parts that are not known are all there are. */
struct asked {
	const char *group, *version, *resource;
	bool resolved;
};

static bool is_trusted(const struct request *request)
{
	return !request->context || !request->context->authz || user_in_group(request->user, GROUP_MASTERS);
}

static struct asked resolve(struct arena *arena, const AdmissionregistrationV1ParamKind *kind)
{
	const char *slash = strchr(kind->api_version, '/');
	struct asked asked = {
		.group = slash ? arena_strndup(arena, kind->api_version, (size_t)(slash - kind->api_version)) : "",
		.version = slash ? slash + 1 : kind->api_version,
		.resource = "*"};
	SCHEMA_FOREACH_RESOURCE(r)
	if (str_eq(r->type->group, asked.group) && str_eq(r->type->version, asked.version) &&
		str_eq(r->type->kind, kind->kind)) {
		asked.resource = r->plural;
		asked.resolved = true;
		break;
	}
	return asked;
}

static bool may(
	struct request *request, const char *verb, const struct asked *asked, const char *namespace, const char *name)
{
	const struct authz_attributes a = {.user = request->user,
		.verb = verb,
		.resource_request = true,
		.group = asked->group,
		.version = asked->version,
		.resource = asked->resource,
		.namespace = namespace,
		.name = name};
	const char *reason;
	return authz_authorize(request->context->authz, request->arena, &a, &reason) == AUTHZ_ALLOW;
}

/* As Go prints one. */
static const char *user_text(struct arena *arena, const struct user *user)
{
	char **extra = NULL;
	size_t n = 0;
	for (size_t i = 0; i < user->n_extra; i++)
		ARENA_PUSH(arena, extra, n) = arena_printf(arena, "%s:[%s]", user->extra[i].key,
			str_join(arena, user->extra[i].values, user->extra[i].n_values, " "));
	if (n)
		qsort(extra, n, sizeof(*extra), str_cmp_qsort);
	return arena_printf(arena, "&{%s %s [%s] map[%s]}", user->name, user->uid,
		str_join(arena, user->groups, user->n_groups, " "), str_join(arena, extra, n, " "));
}

void check_policy_params(struct request *request, const AdmissionregistrationV1ValidatingAdmissionPolicy *policy,
	const AdmissionregistrationV1ValidatingAdmissionPolicy *old, struct field_errors *errors)
{
	const AdmissionregistrationV1ParamKind *kind = policy->spec ? policy->spec->param_kind : NULL;
	const AdmissionregistrationV1ParamKind *before = old && old->spec ? old->spec->param_kind : NULL;
	if (errors->n_items || !kind || is_trusted(request))
		return;
	if (before && str_eq(before->api_version, kind->api_version) && str_eq(before->kind, kind->kind))
		return;
	const struct asked asked = resolve(request->arena, kind);
	if (may(request, "get", &asked, "*", "*"))
		return;
	field_forbidden(errors, FIELD(FIELD(NULL, "spec"), "paramKind"),
		arena_printf(request->arena,
			"user %s must have \"get\" permission on all objects of the referenced paramKind (kind=%s, "
			"apiVersion=%s)",
			user_text(request->arena, request->user), kind->kind, kind->api_version));
}

void check_binding_params(struct request *request,
	const AdmissionregistrationV1ValidatingAdmissionPolicyBinding *binding, struct field_errors *errors)
{
	const AdmissionregistrationV1ParamRef *ref = binding->spec ? binding->spec->param_ref : NULL;
	if (errors->n_items || !ref || is_trusted(request))
		return;
	struct asked asked = {"*", "*", "*", false};
	const AdmissionregistrationV1ParamKind *kind = NULL;
	const ProtobufCMessage *object = NULL;
	struct status *missing = objects_get_live(request->objects, request->arena,
		&AdmissionregistrationV1ValidatingAdmissionPolicy_schema, "", binding->spec->policy_name, &object);
	const AdmissionregistrationV1ValidatingAdmissionPolicy *policy =
		(const AdmissionregistrationV1ValidatingAdmissionPolicy *)object;
	if (!missing && policy->spec && policy->spec->param_kind) {
		kind = policy->spec->param_kind;
		asked = resolve(request->arena, kind);
	}
	const char *verb = str_empty(ref->name) ? "list" : "get", *user = user_text(request->arena, request->user),
		   *why;
	if (missing)
		why = arena_printf(request->arena,
			"unable to get policy %s to determine minimum required permissions and user %s does not have "
			"\"%s\" "
			"permission for all groups, versions and resources",
			binding->spec->policy_name, user, verb);
	else if (kind && !asked.resolved)
		why = arena_printf(request->arena,
			"unable to resolve paramKind &{%s %s} to determine minimum required permissions and user %s "
			"does not "
			"have \"%s\" permission for all groups, versions and resources",
			kind->api_version, kind->kind, user, verb);
	else
		why = arena_printf(request->arena,
			"user %s does not have \"%s\" permission on the object referenced by paramRef", user, verb);
	status_drop(missing, "told if it matters");
	if (!may(request, verb, &asked, str_or_empty(ref->namespace), str_or_empty(ref->name)))
		field_forbidden(errors, FIELD(FIELD(NULL, "spec"), "paramRef"), why);
}
