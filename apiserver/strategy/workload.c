#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/workload.h"
#include "base/str.h"

/* The kinds that run pods from a template: they differ in their checks only. */
static bool is_plain(const struct request *request)
{
	return !generic_is_status(request);
}

#define WORKLOAD(name, T, check, check_update)                                                        \
	static void name##_validate_create(                                                           \
		struct request *request, const ProtobufCMessage *object, struct field_errors *errors) \
	{                                                                                             \
		check(errors, (const T *)object);                                                     \
	}                                                                                             \
	static void name##_validate_update(struct request *request, const ProtobufCMessage *object,   \
		const ProtobufCMessage *old, struct field_errors *errors)                             \
	{                                                                                             \
		if (is_plain(request))                                                                \
			check_update(errors, (const T *)object, (const T *)old);                      \
	}

WORKLOAD(deployment, AppsV1Deployment, validate_deployment, validate_deployment_update)
WORKLOAD(replica_set, AppsV1ReplicaSet, validate_replica_set, validate_replica_set_update)
WORKLOAD(daemon_set, AppsV1DaemonSet, validate_daemon_set, validate_daemon_set_update)
WORKLOAD(stateful_set, AppsV1StatefulSet, validate_stateful_set, validate_stateful_set_update)
WORKLOAD(controller, CoreV1ReplicationController, validate_replication_controller,
	validate_replication_controller_update)

static const struct subresource_handler scale[] = {
	{.name = "scale", .get = scale_get, .put = scale_put},
};

const struct strategy deployment_strategy = {
	.group = "apps",
	.resource = "deployments",
	.prepare_create = generic_prepare_create,
	.validate_create = deployment_validate_create,
	.prepare_update = generic_prepare_update,
	.validate_update = deployment_validate_update,
	.subresources = scale,
	.n_subresources = ARRAY_SIZE(scale),
};

const struct strategy replica_set_strategy = {
	.group = "apps",
	.resource = "replicasets",
	.prepare_create = generic_prepare_create,
	.validate_create = replica_set_validate_create,
	.prepare_update = generic_prepare_update,
	.validate_update = replica_set_validate_update,
	.subresources = scale,
	.n_subresources = ARRAY_SIZE(scale),
};

const struct strategy daemon_set_strategy = {
	.group = "apps",
	.resource = "daemonsets",
	.prepare_create = generic_prepare_create,
	.validate_create = daemon_set_validate_create,
	.prepare_update = generic_prepare_update,
	.validate_update = daemon_set_validate_update,
};

const struct strategy stateful_set_strategy = {
	.group = "apps",
	.resource = "statefulsets",
	.check_name = name_is_dns_label,
	.prepare_create = generic_prepare_create,
	.validate_create = stateful_set_validate_create,
	.prepare_update = generic_prepare_update,
	.validate_update = stateful_set_validate_update,
	.subresources = scale,
	.n_subresources = ARRAY_SIZE(scale),
};

const struct strategy replication_controller_strategy = {
	.group = "",
	.resource = "replicationcontrollers",
	.prepare_create = generic_prepare_create,
	.validate_create = controller_validate_create,
	.prepare_update = generic_prepare_update,
	.validate_update = controller_validate_update,
	.subresources = scale,
	.n_subresources = ARRAY_SIZE(scale),
	.orphan_by_default = true,
};
