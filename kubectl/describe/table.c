#include "kubectl/describe/describe.h"

static const struct describer describers[] = {
	{"", "Pod", describe_pod},
	{"", "Node", describe_node},
	{"", "Namespace", describe_namespace},
	{"", "Service", describe_service},
	{"", "ReplicationController", describe_replication_controller},
	{"", "Endpoints", describe_endpoints},
	{"", "ConfigMap", describe_config_map},
	{"", "Secret", describe_secret},
	{"", "ServiceAccount", describe_service_account},
	{"", "ResourceQuota", describe_resource_quota},
	{"", "PersistentVolumeClaim", describe_claim},
	{"scheduling.k8s.io", "PriorityClass", describe_priority_class},
	{"certificates.k8s.io", "CertificateSigningRequest", describe_signing_request},
	{"apps", "Deployment", describe_deployment},
	{"apps", "ReplicaSet", describe_replica_set},
	{"apps", "DaemonSet", describe_daemon_set},
	{"apps", "StatefulSet", describe_stateful_set},
	{"batch", "Job", describe_job},
	{"batch", "CronJob", describe_cron_job},
	{"rbac.authorization.k8s.io", "Role", describe_role},
	{"rbac.authorization.k8s.io", "ClusterRole", describe_role},
	{"rbac.authorization.k8s.io", "RoleBinding", describe_role_binding},
	{"rbac.authorization.k8s.io", "ClusterRoleBinding", describe_role_binding},
};

const struct describer *describer_find(const char *group, const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(describers); i++)
		if (str_eq(describers[i].group, group) && str_eq(describers[i].kind, kind))
			return &describers[i];
	return NULL;
}
