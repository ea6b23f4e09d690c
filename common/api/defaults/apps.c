#include "api/defaults/table.h"

static IntstrIntOrString *text(struct arena *arena, const char *s)
{
	IntstrIntOrString *value = API_NEW(arena, IntstrIntOrString);
	value->type = 1;
	value->str_val = (char *)s;
	return value;
}

static IntstrIntOrString *number(struct arena *arena, int32_t n)
{
	IntstrIntOrString *value = API_NEW(arena, IntstrIntOrString);
	value->int_val = n;
	return value;
}

static void set_deployment(struct arena *arena, void *msg)
{
	AppsV1Deployment *deployment = msg;
	DEFAULT_MESSAGE(arena, deployment, spec, AppsV1DeploymentSpec);
	AppsV1DeploymentSpec *spec = deployment->spec;
	DEFAULT_MESSAGE(arena, spec, template, CoreV1PodTemplateSpec);
	DEFAULT_MESSAGE(arena, spec, strategy, AppsV1DeploymentStrategy);
	DEFAULT_SCALAR(spec, replicas, 1);
	DEFAULT_STRING(spec->strategy, type, "RollingUpdate");
	if (str_eq(spec->strategy->type, "RollingUpdate")) {
		DEFAULT_MESSAGE(arena, spec->strategy, rolling_update, AppsV1RollingUpdateDeployment);
		AppsV1RollingUpdateDeployment *rolling = spec->strategy->rolling_update;
		if (!rolling->max_unavailable)
			rolling->max_unavailable = text(arena, "25%");
		if (!rolling->max_surge)
			rolling->max_surge = text(arena, "25%");
	}
	DEFAULT_SCALAR(spec, revision_history_limit, 10);
	DEFAULT_SCALAR(spec, progress_deadline_seconds, 600);
}

static void set_daemon_set(struct arena *arena, void *msg)
{
	AppsV1DaemonSet *set = msg;
	DEFAULT_MESSAGE(arena, set, spec, AppsV1DaemonSetSpec);
	DEFAULT_MESSAGE(arena, set->spec, template, CoreV1PodTemplateSpec);
	DEFAULT_MESSAGE(arena, set->spec, update_strategy, AppsV1DaemonSetUpdateStrategy);
	AppsV1DaemonSetUpdateStrategy *strategy = set->spec->update_strategy;
	DEFAULT_STRING(strategy, type, "RollingUpdate");
	if (str_eq(strategy->type, "RollingUpdate")) {
		DEFAULT_MESSAGE(arena, strategy, rolling_update, AppsV1RollingUpdateDaemonSet);
		if (!strategy->rolling_update->max_unavailable)
			strategy->rolling_update->max_unavailable = number(arena, 1);
		if (!strategy->rolling_update->max_surge)
			strategy->rolling_update->max_surge = number(arena, 0);
	}
	DEFAULT_SCALAR(set->spec, revision_history_limit, 10);
}

static void set_stateful_set(struct arena *arena, void *msg)
{
	AppsV1StatefulSet *set = msg;
	DEFAULT_MESSAGE(arena, set, spec, AppsV1StatefulSetSpec);
	AppsV1StatefulSetSpec *spec = set->spec;
	DEFAULT_MESSAGE(arena, spec, template, CoreV1PodTemplateSpec);
	DEFAULT_STRING(spec, pod_management_policy, "OrderedReady");
	DEFAULT_MESSAGE(arena, spec, update_strategy, AppsV1StatefulSetUpdateStrategy);
	if (str_empty(spec->update_strategy->type)) {
		spec->update_strategy->type = (char *)"RollingUpdate";
		DEFAULT_MESSAGE(arena, spec->update_strategy, rolling_update, AppsV1RollingUpdateStatefulSetStrategy);
	}
	if (str_eq(spec->update_strategy->type, "RollingUpdate") && spec->update_strategy->rolling_update)
		DEFAULT_SCALAR(spec->update_strategy->rolling_update, partition, 0);
	DEFAULT_MESSAGE(arena, spec, persistent_volume_claim_retention_policy,
		AppsV1StatefulSetPersistentVolumeClaimRetentionPolicy);
	DEFAULT_STRING(spec->persistent_volume_claim_retention_policy, when_deleted, "Retain");
	DEFAULT_STRING(spec->persistent_volume_claim_retention_policy, when_scaled, "Retain");
	DEFAULT_SCALAR(spec, replicas, 1);
	DEFAULT_SCALAR(spec, revision_history_limit, 10);
}

static void set_replica_set(struct arena *arena, void *msg)
{
	AppsV1ReplicaSet *set = msg;
	DEFAULT_MESSAGE(arena, set, spec, AppsV1ReplicaSetSpec);
	DEFAULT_MESSAGE(arena, set->spec, template, CoreV1PodTemplateSpec);
	DEFAULT_SCALAR(set->spec, replicas, 1);
}

const struct defaulter defaults_apps[] = {
	{&AppsV1Deployment_schema, set_deployment},
	{&AppsV1DaemonSet_schema, set_daemon_set},
	{&AppsV1StatefulSet_schema, set_stateful_set},
	{&AppsV1ReplicaSet_schema, set_replica_set},
	{NULL, NULL},
};
