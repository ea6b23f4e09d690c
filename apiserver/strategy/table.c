#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/other.h"

/* A check that asks the same of a new object and of a changed one. */
#define CHECKED_ALIKE(name, T, check)                                                        \
	static void name##_again(struct field_errors *errors, const T *object, const T *old) \
	{                                                                                    \
		check(errors, object);                                                       \
	}                                                                                    \
	CHECKED(name, T, check, name##_again)

#define KIND(name, group_, plural, ...) \
	static const struct strategy name = {.group = group_, .resource = plural, __VA_ARGS__}

CHECKED_ALIKE(ingress, NetworkingV1Ingress, validate_ingress)
CHECKED_ALIKE(budget, PolicyV1PodDisruptionBudget, validate_disruption_budget)
CHECKED_ALIKE(autoscaler, AutoscalingV2HorizontalPodAutoscaler, validate_autoscaler)
CHECKED_ALIKE(quota, CoreV1ResourceQuota, validate_resource_quota)
CHECKED_ALIKE(limit_range, CoreV1LimitRange, validate_limit_range)
CHECKED_ALIKE(network_policy, NetworkingV1NetworkPolicy, validate_network_policy)
CHECKED_ALIKE(volume, CoreV1PersistentVolume, validate_volume)
CHECKED_ALIKE(ip_address, NetworkingV1IPAddress, validate_ip_address)
CHECKED_ALIKE(service_cidr, NetworkingV1ServiceCIDR, validate_service_cidr)
CHECKED(runtime_class, NodeV1RuntimeClass, validate_runtime_class, validate_runtime_class_update)
CHECKED(priority_class, SchedulingV1PriorityClass, validate_priority_class, validate_priority_class_update)

KIND(ingress, "networking.k8s.io", "ingresses", SPEC_AND_STATUS, CHECKS(ingress));
KIND(service_cidr, "networking.k8s.io", "servicecidrs", STATUS_ONLY, CHECKS(service_cidr));
KIND(budget, "policy", "poddisruptionbudgets", SPEC_AND_STATUS, CHECKS(budget));
KIND(flow_schema, "flowcontrol.apiserver.k8s.io", "flowschemas", SPEC_AND_STATUS);
KIND(priority_level, "flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", SPEC_AND_STATUS);
KIND(admission_policy, "admissionregistration.k8s.io", "validatingadmissionpolicies", SPEC_AND_STATUS);
KIND(crd, "apiextensions.k8s.io", "customresourcedefinitions", SPEC_AND_STATUS);
KIND(api_service, "apiregistration.k8s.io", "apiservices", STATUS_ONLY);
KIND(autoscaler, "autoscaling", "horizontalpodautoscalers", STATUS_ONLY, CHECKS(autoscaler));
KIND(quota, "", "resourcequotas", STATUS_ONLY, CHECKS(quota));
KIND(limit_range, "", "limitranges", CHECKS(limit_range));
KIND(resource_claim, "resource.k8s.io", "resourceclaims", STATUS_ONLY);
KIND(network_policy, "networking.k8s.io", "networkpolicies", GENERATION_ONLY, CHECKS(network_policy));
KIND(ingress_class, "networking.k8s.io", "ingressclasses", GENERATION_ONLY);
KIND(ip_address, "networking.k8s.io", "ipaddresses", GENERATION_ONLY, CHECKS(ip_address), .check_name = name_is_ip);
KIND(priority_class, "scheduling.k8s.io", "priorityclasses", GENERATION_ONLY, CHECKS(priority_class));
KIND(pod_template, "", "podtemplates", GENERATION_ONLY);
KIND(validating_webhook, "admissionregistration.k8s.io", "validatingwebhookconfigurations", GENERATION_ONLY);
KIND(mutating_webhook, "admissionregistration.k8s.io", "mutatingwebhookconfigurations", GENERATION_ONLY);
KIND(policy_binding, "admissionregistration.k8s.io", "validatingadmissionpolicybindings", GENERATION_ONLY);
KIND(runtime_class, "node.k8s.io", "runtimeclasses", CHECKS(runtime_class));
KIND(volume, "", "persistentvolumes", .prepare_update = generic_keep_status, CHECKS(volume));

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
	&limit_range,
	&runtime_class,
	&storage_class_strategy,
	&csi_driver_strategy,
	&csi_node_strategy,
	&csi_capacity_strategy,
	&attachment_strategy,
	&attributes_class_strategy,
	NULL,
};
