#include "api/meta.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/other.h"
#include "base/encode.h"
#include "base/str.h"

/* A check that asks the same of a new object and of a changed one. */
#define CHECKED_ALIKE(name, T, check)                                                        \
	static void name##_again(struct field_errors *errors, const T *object, const T *old) \
	{                                                                                    \
		check(errors, object);                                                       \
	}                                                                                    \
	CHECKED(name, T, check, name##_again)

#define KIND(name, group_, plural, ...) \
	static const struct strategy name = {.group = group_, .resource = plural, __VA_ARGS__}

CHECKED_STATUS(quota, CoreV1ResourceQuota, validate_resource_quota, validate_resource_quota_update,
	validate_resource_quota_status)
CHECKED_ALIKE(limit_range, CoreV1LimitRange, validate_limit_range)

KIND(quota, "", "resourcequotas", .prepare_create = generic_reset_status, CHECKS(quota));
/* One without a name gets one. */
static void name_limit_range(struct request *request, ProtobufCMessage *object)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	char uid[37];
	if (!str_empty(meta->name) || !str_empty(meta->generate_name))
		return;
	uuid_generate(uid);
	meta->name = arena_strdup(request->arena, uid);
}

KIND(limit_range, "", "limitranges", .update_checks = {CHECK_META, CHECK_CHANGE}, .prepare_create = name_limit_range,
	CHECKS(limit_range));

const struct strategy *const strategy_table[] = {
	&component_status_strategy,
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
	&ingress_strategy,
	&ingress_class_strategy,
	&network_policy_strategy,
	&ip_address_strategy,
	&service_cidr_strategy,
	&budget_strategy,
	&revision_strategy,
	&flow_schema_strategy,
	&priority_level_strategy,
	&admission_policy_strategy,
	&crd_strategy,
	&api_service_strategy,
	&autoscaler_strategy,
	&quota,
	&resource_claim_strategy,
	&resource_claim_template_strategy,
	&device_class_strategy,
	&resource_slice_strategy,
	&priority_class_strategy,
	&pod_template_strategy,
	&validating_webhook_strategy,
	&mutating_webhook_strategy,
	&policy_binding_strategy,
	&volume_strategy,
	&limit_range,
	&runtime_class_strategy,
	&storage_class_strategy,
	&csi_driver_strategy,
	&csi_node_strategy,
	&csi_capacity_strategy,
	&attachment_strategy,
	&attributes_class_strategy,
	NULL,
};
