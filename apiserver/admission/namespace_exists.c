#include "apiserver/admission/plugins.h"
#include "api/meta.h"
#include "base/str.h"

/* What a namespace that is not there is to a write into it: a reason to refuse, or to make it. */

static bool is_in_namespace(const struct admission_attributes *a)
{
	return !str_empty(a->namespace) && !(str_empty(a->group) && str_eq(a->kind, "Namespace"));
}

static struct status *check(const struct admission_context *context, const struct admission_attributes *a)
{
	const CoreV1Namespace *ns;
	return is_in_namespace(a) ? admission_namespace(context, a, &ns) : NULL;
}

const struct admission_plugin namespace_exists_plugin = {
	.name = "NamespaceExists",
	.operations = ON_CREATE | ON_UPDATE | ON_DELETE,
	.validate = check,
};

static struct status *provide(const struct admission_context *context, const struct admission_attributes *a)
{
	const ProtobufCMessage *there;
	if (a->dry_run || !is_in_namespace(a))
		return NULL;
	struct status *s = objects_get(context->objects, a->arena, &CoreV1Namespace_schema, "", a->namespace, &there);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "it is made");
		CoreV1Namespace *ns = API_NEW(a->arena, CoreV1Namespace);
		object_meta_ensure(a->arena, ns)->name = arena_strdup(a->arena, a->namespace);
		s = objects_create(context->objects, a->arena, &ns->base, NULL);
	}
	if (status_is(s, STATUS_ALREADY_EXISTS)) {
		status_drop(s, "another has made it");
		return NULL;
	}
	if (!s || status_is(s, STATUS_FORBIDDEN))
		return s;
	const char *why = arena_strdup(a->arena, s->message);
	status_drop(s, "told of the write");
	return admission_forbidden(a, "%s", why);
}

const struct admission_plugin namespace_auto_provision_plugin = {
	.name = "NamespaceAutoProvision",
	.operations = ON_CREATE,
	.mutate = provide,
};
