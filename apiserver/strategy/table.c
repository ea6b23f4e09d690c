#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/other.h"

/* The checks of a kind, before it is made and whenever more than its status changes. */
#define CHECKED(name, T, check)                                                                       \
	static void name##_create(                                                                    \
		struct request *request, const ProtobufCMessage *object, struct field_errors *errors) \
	{                                                                                             \
		if (API_IS(object, T))                                                                \
			check(errors, (const T *)object);                                             \
	}                                                                                             \
	static void name##_update(struct request *request, const ProtobufCMessage *object,            \
		const ProtobufCMessage *old, struct field_errors *errors)                             \
	{                                                                                             \
		if (API_IS(object, T) && !generic_is_status(request))                                 \
			check(errors, (const T *)object);                                             \
	}
/* The same for kinds of which parts never change. */
#define CHECKED_UPDATE(name, T, check, check_update)                                                  \
	static void name##_create(                                                                    \
		struct request *request, const ProtobufCMessage *object, struct field_errors *errors) \
	{                                                                                             \
		check(errors, (const T *)object);                                                     \
	}                                                                                             \
	static void name##_update(struct request *request, const ProtobufCMessage *object,            \
		const ProtobufCMessage *old, struct field_errors *errors)                             \
	{                                                                                             \
		check_update(errors, (const T *)object, (const T *)old);                              \
	}

/* A status and a generation; a status alone; a generation alone. */
#define SPEC_AND_STATUS .prepare_create = generic_prepare_create, .prepare_update = generic_prepare_update
#define STATUS_ONLY .prepare_create = generic_reset_status, .prepare_update = generic_keep_status
#define GENERATION_ONLY .prepare_create = generic_first_generation, .prepare_update = generic_next_generation
#define CHECKS(name) .validate_create = name##_create, .validate_update = name##_update
#define KIND(name, group_, plural, ...) \
	static const struct strategy name = {.group = group_, .resource = plural, __VA_ARGS__}

CHECKED(ingress, NetworkingV1Ingress, validate_ingress)
CHECKED(budget, PolicyV1PodDisruptionBudget, validate_disruption_budget)
CHECKED(autoscaler, AutoscalingV2HorizontalPodAutoscaler, validate_autoscaler)
CHECKED(quota, CoreV1ResourceQuota, validate_resource_quota)
CHECKED(limit_range, CoreV1LimitRange, validate_limit_range)
CHECKED(network_policy, NetworkingV1NetworkPolicy, validate_network_policy)
CHECKED(volume, CoreV1PersistentVolume, validate_volume)
CHECKED(ip_address, NetworkingV1IPAddress, validate_ip_address)
CHECKED(service_cidr, NetworkingV1ServiceCIDR, validate_service_cidr)
CHECKED_UPDATE(storage_class, StorageV1StorageClass, validate_storage_class, validate_storage_class_update)
CHECKED_UPDATE(runtime_class, NodeV1RuntimeClass, validate_runtime_class, validate_runtime_class_update)
CHECKED_UPDATE(priority_class, SchedulingV1PriorityClass, validate_priority_class, validate_priority_class_update)

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
KIND(attachment, "storage.k8s.io", "volumeattachments", STATUS_ONLY);
KIND(storage_class, "storage.k8s.io", "storageclasses", CHECKS(storage_class));
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
	&limit_range,
	&runtime_class,
	&storage_class,
	NULL,
};
