/* What a write through one door sets back to what it was, and so never owns. */
#include "apiserver/managed/managed.h"
#include "base/str.h"

#define STATUS           \
	{                \
		"status" \
	}
#define SPEC           \
	{              \
		"spec" \
	}
#define METADATA           \
	{                  \
		"metadata" \
	}

/* Where a resource differs from the rest, of which the object's own door sets back the status, and the status' the
 * spec.
 */
static const struct {
	const char *group, *resource, *subresource;
	field_path paths[4];
} exceptions[] = {
	{"", "namespaces", "finalize", {STATUS}},
	{"", "pods", "status", {SPEC, {"metadata", "deletionTimestamp"}, {"metadata", "ownerReferences"}}},
	{"apps", "deployments", "status", {SPEC, {"metadata", "labels"}}},
	{"admissionregistration.k8s.io", "validatingadmissionpolicies", "status", {SPEC, METADATA}},
	{"apiextensions.k8s.io", "customresourcedefinitions", "status", {SPEC, METADATA}},
	{"apiregistration.k8s.io", "apiservices", "status", {SPEC, METADATA}},
	{"certificates.k8s.io", "certificatesigningrequests", "", {SPEC, STATUS}},
	{"certificates.k8s.io", "certificatesigningrequests", "status", {SPEC, {"status", "conditions"}}},
	{"certificates.k8s.io", "certificatesigningrequests", "approval", {SPEC, {"status", "certificate"}}},
	{"flowcontrol.apiserver.k8s.io", "flowschemas", "status", {SPEC, METADATA}},
	{"flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "status", {SPEC, METADATA}},
	{"networking.k8s.io", "servicecidrs", "", {{NULL}}},
	{"networking.k8s.io", "servicecidrs", "status", {{NULL}}},
	{"storage.k8s.io", "volumeattachments", "status", {SPEC, METADATA}},
};

const struct fieldset *managed_reset_fields(struct request *request)
{
	static const char *const status[] = {"status", NULL}, *const spec[] = {"spec", NULL};
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		if (!str_eq(exceptions[i].resource, request->resource) ||
			!str_eq(exceptions[i].subresource, request->subresource) ||
			!str_eq(exceptions[i].group, request->group))
			continue;
		size_t n = 0;
		while (n < ARRAY_SIZE(exceptions[i].paths) && exceptions[i].paths[n][0])
			n++;
		return fieldset_of_paths(request->arena, exceptions[i].paths, n);
	}
	if (!schema_find_subresource(request->schema, "status"))
		return NULL;
	if (str_empty(request->subresource))
		return fieldset_of_path(request->arena, status);
	return str_eq(request->subresource, "status") ? fieldset_of_path(request->arena, spec) : NULL;
}
