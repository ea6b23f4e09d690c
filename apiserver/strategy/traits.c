#include "apiserver/registry/private.h"
#include "base/str.h"

/* The original's strategies in a table: what a kind without a strategy file does too. */
static const char *const with_generation[] = {"ingressclasses", "networkpolicies", "ingresses", "endpointslices",
	"poddisruptionbudgets", "resourceslices", "deviceclasses", "flowschemas", "prioritylevelconfigurations",
	"daemonsets", "statefulsets", "deployments", "replicasets", "jobs", "cronjobs", "pods", "podtemplates",
	"replicationcontrollers", "validatingadmissionpolicies", "mutatingwebhookconfigurations",
	"validatingwebhookconfigurations", "validatingadmissionpolicybindings", "customresourcedefinitions", NULL};
static const char *const strict[] = {
	"networkpolicies", "mutatingwebhookconfigurations", "validatingwebhookconfigurations", NULL};
static const char *const returning_deleted[] = {"persistentvolumes", "persistentvolumeclaims", "pods", "podtemplates",
	"resourcequotas", "services", "serviceaccounts", "deviceclasses", "resourceclaims", "resourceclaimtemplates",
	"resourceslices", "csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses",
	NULL};
static const char *const versioned_puts[] = {"poddisruptionbudgets", "csidrivers", "csistoragecapacities",
	"volumeattachments", "csinodes", "leases", "validatingadmissionpolicies", "mutatingwebhookconfigurations",
	"validatingwebhookconfigurations", "validatingadmissionpolicybindings", "runtimeclasses",
	"customresourcedefinitions", "apiservices", NULL};
static const char *const created_by_put[] = {"rolebindings", "clusterrolebindings", "roles", "clusterroles", "leases",
	"limitranges", "events", "services", "endpoints", "runtimeclasses", NULL};

bool delete_returns_object(const char *resource)
{
	return str_in(resource, returning_deleted);
}

struct traits traits_of(const struct request *request)
{
	const struct strategy *s = request->strategy;
	return (struct traits){.generation = str_in(request->resource, with_generation),
		.strict = str_in(request->resource, strict),
		.returns_deleted = delete_returns_object(request->resource),
		.needs_version = s->no_unconditional_update || str_in(request->resource, versioned_puts),
		.create_on_put = s->allow_create_on_update || str_in(request->resource, created_by_put)};
}
