#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"

/* Nothing new in a namespace that is not there, or that is going. The first namespaces are never deleted. */

static struct status *refuse_terminating(const struct admission_attributes *a)
{
	struct status *s = admission_forbidden(
		a, "unable to create new content in namespace %s because it is being terminated", a->namespace);
	status_add_cause(
		s, "NamespaceTerminating", "metadata.namespace", "namespace %s is being terminated", a->namespace);
	return s;
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	static const char *const immortal[] = {"default", "kube-system", "kube-public", NULL};
	bool is_namespace = admission_is(a, "", "namespaces", "");
	if (a->operation == ADMISSION_DELETE) {
		if (is_namespace && str_in(a->name, immortal))
			return admission_forbidden(a, "this namespace may not be deleted");
		return NULL;
	}
	if (str_empty(a->namespace) || str_eq(a->resource, "namespaces") ||
		admission_is(a, "authorization.k8s.io", "localsubjectaccessreviews", ""))
		return NULL;
	const CoreV1Namespace *ns;
	TRY(admission_namespace(context, a, &ns));
	bool going = meta_is_deleting(ns->metadata) || (ns->status && str_eq(ns->status->phase, "Terminating"));
	return a->operation == ADMISSION_CREATE && going ? refuse_terminating(a) : NULL;
}

const struct admission_plugin namespace_lifecycle_plugin = {
	.name = "NamespaceLifecycle",
	.on_by_default = true,
	.operations = ON_CREATE | ON_UPDATE | ON_DELETE,
	.mutate = validate,
};
