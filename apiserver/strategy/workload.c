#include "api/copy.h"
#include "api/meta.h"
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

#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"

/* How often the template has changed, as an annotation: the number of the former API, which controllers still read. */
static void complete_daemon_set(struct request *request, ProtobufCMessage *object)
{
	const char *text = meta_annotation(object_meta(object), TEMPLATE_GENERATION);
	int64_t generation;
	if (!text || !str_to_int64(text, INT64_MIN, INT64_MAX, &generation))
		meta_set_annotation(
			request->arena, object_meta_ensure(request->arena, object), TEMPLATE_GENERATION, "0");
}

static void prepare_create_daemon_set(struct request *request, ProtobufCMessage *object)
{
	generic_prepare_create(request, object);
	meta_set_annotation(request->arena, object_meta(object), TEMPLATE_GENERATION, "1");
}

static void prepare_update_daemon_set(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	const AppsV1DaemonSetSpec *spec = ((AppsV1DaemonSet *)object)->spec,
				  *old = ((const AppsV1DaemonSet *)before)->spec;
	const char *text = meta_annotation(object_meta(before), TEMPLATE_GENERATION);
	int64_t generation = 0;
	generic_prepare_update(request, object, before);
	if (text && !str_to_int64(text, 0, INT64_MAX - 1, &generation))
		return;
	generation += is_plain(request) && spec && old && !api_equal(spec->template, old->template);
	meta_set_annotation(request->arena, object_meta_ensure(request->arena, object), TEMPLATE_GENERATION,
		arena_printf(request->arena, "%lld", (long long)generation));
}

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
	.complete = complete_daemon_set,
	.prepare_create = prepare_create_daemon_set,
	.validate_create = daemon_set_validate_create,
	.prepare_update = prepare_update_daemon_set,
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
