/* Questions to the authorizer: who may do what. */
#include "base/str.h"
#include "cel/access.h"
#include "cel/eval.h"

struct access {
	const struct cel_authorizer *authorizer;
	struct cel_question question;
};

struct decision {
	bool allowed;
	const char *reason, *error;
};

struct cel_value cel_authorizer_of(struct arena *arena, const struct cel_authorizer *authorizer)
{
	struct access *a = ARENA_NEW(arena, struct access);
	a->authorizer = authorizer;
	return cel_opaque_of(arena, &cel_authorizer, a);
}

struct cel_value cel_resource_check_of(
	struct arena *arena, const struct cel_authorizer *authorizer, const struct cel_question *question)
{
	struct access *a = ARENA_NEW(arena, struct access);
	a->authorizer = authorizer;
	a->question = *question;
	return cel_opaque_of(arena, &cel_resource_check, a);
}

static const char *text_arg(struct cel_call *call, size_t i)
{
	return arena_strndup(call->arena, call->args[i].text.data, call->args[i].text.size);
}

static struct access *changed(struct cel_call *call)
{
	return arena_dup(call->arena, call->args[0].opaque->data, sizeof(struct access));
}

#define ASK(name, type, field)                               \
	static struct cel_value name(struct cel_call *call)  \
	{                                                    \
		struct access *a = changed(call);            \
		a->question.field = text_arg(call, 1);       \
		return cel_opaque_of(call->arena, &type, a); \
	}

ASK(path, cel_path_check, path)
ASK(group, cel_group_check, group)
ASK(resource, cel_resource_check, resource)
ASK(subresource, cel_resource_check, subresource)
ASK(namespace, cel_resource_check, namespace)
ASK(name, cel_resource_check, name)
ASK(field_selector, cel_resource_check, field_selector)
ASK(label_selector, cel_resource_check, label_selector)

static struct cel_value service_account(struct cel_call *call)
{
	struct access *a = changed(call);
	a->question.account_namespace = text_arg(call, 1);
	a->question.account_name = text_arg(call, 2);
	return cel_opaque_of(call->arena, &cel_authorizer, a);
}

static struct cel_value check(struct cel_call *call)
{
	struct access *a = changed(call);
	struct decision *d = ARENA_NEW(call->arena, struct decision);
	a->question.verb = text_arg(call, 1);
	d->allowed = a->authorizer->check(a->authorizer->data, call->arena, &a->question, &d->reason, &d->error);
	return cel_opaque_of(call->arena, &cel_decision, d);
}

static const struct decision *decision(struct cel_call *call)
{
	return call->args[0].opaque->data;
}

static struct cel_value errored(struct cel_call *call)
{
	return CEL_BOOL_VALUE(decision(call)->error != NULL);
}

static struct cel_value error_text(struct cel_call *call)
{
	return cel_text_of(decision(call)->error);
}

static struct cel_value allowed(struct cel_call *call)
{
	return CEL_BOOL_VALUE(decision(call)->allowed);
}

static struct cel_value reason(struct cel_call *call)
{
	return cel_text_of(decision(call)->reason);
}

static const struct cel_overload authorizations_rows[] = {
	{"path", "authorizer_path", "Authorizer.(string) -> PathCheck", path},
	{"group", "authorizer_group", "Authorizer.(string) -> GroupCheck", group},
	{"serviceAccount", "authorizer_serviceaccount", "Authorizer.(string, string) -> Authorizer", service_account},
	{"resource", "groupcheck_resource", "GroupCheck.(string) -> ResourceCheck", resource},
	{"subresource", "resourcecheck_subresource", "ResourceCheck.(string) -> ResourceCheck", subresource},
	{"namespace", "resourcecheck_namespace", "ResourceCheck.(string) -> ResourceCheck", namespace},
	{"name", "resourcecheck_name", "ResourceCheck.(string) -> ResourceCheck", name},
	{"check", "pathcheck_check", "PathCheck.(string) -> Decision", check},
	{"check", "resourcecheck_check", "ResourceCheck.(string) -> Decision", check},
	{"errored", "decision_errored", "Decision.() -> bool", errored},
	{"error", "decision_error", "Decision.() -> string", error_text},
	{"allowed", "decision_allowed", "Decision.() -> bool", allowed},
	{"reason", "decision_reason", "Decision.() -> string", reason},
	{"fieldSelector", "authorizer_fieldselector", "ResourceCheck.(string) -> ResourceCheck", field_selector},
	{"labelSelector", "authorizer_labelselector", "ResourceCheck.(string) -> ResourceCheck", label_selector},
};
const struct cel_library cel_authorizations = {authorizations_rows, ARRAY_SIZE(authorizations_rows), 0};
