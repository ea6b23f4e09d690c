#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"

/* Kinds with nothing of their own but a status and a generation. */
#define SPEC_AND_STATUS(name, group_, plural)                 \
	static const struct strategy name = {.group = group_, \
		.resource = plural,                           \
		.prepare_create = generic_prepare_create,     \
		.prepare_update = generic_prepare_update}
/* … a status, but no generation. */
#define STATUS_ONLY(name, group_, plural)                     \
	static const struct strategy name = {.group = group_, \
		.resource = plural,                           \
		.prepare_create = generic_reset_status,       \
		.prepare_update = generic_keep_status}
/* … a generation, but no status. */
#define GENERATION_ONLY(name, group_, plural)                 \
	static const struct strategy name = {.group = group_, \
		.resource = plural,                           \
		.prepare_create = generic_first_generation,   \
		.prepare_update = generic_next_generation}

SPEC_AND_STATUS(ingress, "networking.k8s.io", "ingresses");
SPEC_AND_STATUS(service_cidr, "networking.k8s.io", "servicecidrs");
SPEC_AND_STATUS(budget, "policy", "poddisruptionbudgets");
SPEC_AND_STATUS(flow_schema, "flowcontrol.apiserver.k8s.io", "flowschemas");
SPEC_AND_STATUS(priority_level, "flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations");
SPEC_AND_STATUS(admission_policy, "admissionregistration.k8s.io", "validatingadmissionpolicies");
SPEC_AND_STATUS(crd, "apiextensions.k8s.io", "customresourcedefinitions");
STATUS_ONLY(api_service, "apiregistration.k8s.io", "apiservices");
STATUS_ONLY(autoscaler, "autoscaling", "horizontalpodautoscalers");
STATUS_ONLY(quota, "", "resourcequotas");
STATUS_ONLY(attachment, "storage.k8s.io", "volumeattachments");
STATUS_ONLY(resource_claim, "resource.k8s.io", "resourceclaims");
GENERATION_ONLY(network_policy, "networking.k8s.io", "networkpolicies");
GENERATION_ONLY(ingress_class, "networking.k8s.io", "ingressclasses");
GENERATION_ONLY(ip_address, "networking.k8s.io", "ipaddresses");
GENERATION_ONLY(priority_class, "scheduling.k8s.io", "priorityclasses");
GENERATION_ONLY(pod_template, "", "podtemplates");
GENERATION_ONLY(validating_webhook, "admissionregistration.k8s.io", "validatingwebhookconfigurations");
GENERATION_ONLY(mutating_webhook, "admissionregistration.k8s.io", "mutatingwebhookconfigurations");
GENERATION_ONLY(policy_binding, "admissionregistration.k8s.io", "validatingadmissionpolicybindings");

static const struct strategy volume = {
	.group = "", .resource = "persistentvolumes", .prepare_update = generic_keep_status};

const struct strategy *const strategy_table[] = {
	&pod_strategy,
	&binding_strategy,
	&service_strategy,
	&node_strategy,
	&namespace_strategy,
	&service_account_strategy,
	&secret_strategy,
	&config_map_strategy,
	&event_strategy,
	&event_v1_strategy,
	&endpoints_strategy,
	&endpoint_slice_strategy,
	&lease_strategy,
	&deployment_strategy,
	&replica_set_strategy,
	&daemon_set_strategy,
	&stateful_set_strategy,
	&replication_controller_strategy,
	&csr_strategy,
	&role_strategy,
	&cluster_role_strategy,
	&role_binding_strategy,
	&cluster_role_binding_strategy,
	&token_review_strategy,
	&self_subject_review_strategy,
	&subject_access_review_strategy,
	&local_subject_access_review_strategy,
	&self_subject_access_review_strategy,
	&self_subject_rules_review_strategy,
	&job_strategy,
	&cron_job_strategy,
	&claim_strategy,
	&ingress,
	&service_cidr,
	&budget,
	&flow_schema,
	&priority_level,
	&admission_policy,
	&crd,
	&api_service,
	&autoscaler,
	&quota,
	&attachment,
	&resource_claim,
	&network_policy,
	&ingress_class,
	&ip_address,
	&priority_class,
	&pod_template,
	&validating_webhook,
	&mutating_webhook,
	&policy_binding,
	&volume,
	NULL,
};
