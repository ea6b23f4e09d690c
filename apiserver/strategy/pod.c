#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "api/qos.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

static bool is_sub(const struct request *request, const char *name)
{
	return !strcmp(request->subresource, name);
}

static void add_gated_condition(struct request *request, CoreV1Pod *pod)
{
	if (!pod->spec->n_scheduling_gates)
		return;
	CoreV1PodCondition *condition = API_NEW(request->arena, CoreV1PodCondition);
	condition->type = (char *)"PodScheduled";
	condition->status = (char *)"False";
	condition->reason = (char *)"SchedulingGated";
	condition->message = (char *)"Scheduling is blocked due to non-empty scheduling gates";
	ARENA_PUSH(request->arena, pod->status->conditions, pod->status->n_conditions) = condition;
}

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	CoreV1Pod *pod = (CoreV1Pod *)object;
	(void)ENSURE(request->arena, pod->spec, CoreV1PodSpec);
	generic_first_generation(request, object);
	pod->status = API_NEW(request->arena, CoreV1PodStatus);
	pod->status->phase = (char *)"Pending";
	pod->status->qos_class = (char *)pod_qos_class(pod->spec);
	add_gated_condition(request, pod);
}

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_pod_create(errors, (const CoreV1Pod *)object);
}

static CoreV1PodCondition *find_condition(CoreV1PodStatus *status, const char *type)
{
	for (size_t i = 0; status && i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, type))
			return status->conditions[i];
	return NULL;
}

/* What a kubelet leaves out of a status stays as it is. */
static void keep_status_parts(struct request *request, CoreV1Pod *pod, const CoreV1Pod *old)
{
	(void)ENSURE(request->arena, pod->status, CoreV1PodStatus);
	if (old->status && str_empty(pod->status->qos_class))
		pod->status->qos_class = old->status->qos_class;
	if (old->status && !pod->status->observed_generation)
		pod->status->observed_generation = old->status->observed_generation;
	for (size_t i = 0; i < pod->status->n_conditions; i++) {
		CoreV1PodCondition *now = pod->status->conditions[i], *before = find_condition(old->status, now->type);
		if (before && !now->observed_generation)
			now->observed_generation = before->observed_generation;
	}
	if (pod->metadata && old->metadata) {
		pod->metadata->owner_references = old->metadata->owner_references;
		pod->metadata->n_owner_references = old->metadata->n_owner_references;
	}
}

/* Of the whole pod only the list of ephemeral containers is taken. */
static void keep_all_but_ephemeral(struct request *request, CoreV1Pod *pod, const CoreV1Pod *old)
{
	CoreV1PodSpec *spec = api_copy(request->arena, old->spec);
	spec->ephemeral_containers = pod->spec ? pod->spec->ephemeral_containers : NULL;
	spec->n_ephemeral_containers = pod->spec ? pod->spec->n_ephemeral_containers : 0;
	pod->spec = spec;
	pod->status = old->status;
}

/* Of a resize, only the resources of containers that are there. */
static void take_resources(CoreV1Container *const *to, size_t n_to, CoreV1Container *const *from, size_t n_from)
{
	for (size_t i = 0; i < n_to; i++)
		for (size_t k = 0; k < n_from; k++)
			if (str_eq(to[i]->name, from[k]->name))
				to[i]->resources = from[k]->resources;
}

static void keep_all_but_resources(struct request *request, CoreV1Pod *pod, const CoreV1Pod *old)
{
	CoreV1PodSpec *spec = api_copy(request->arena, old->spec);
	if (pod->spec) {
		take_resources(spec->containers, spec->n_containers, pod->spec->containers, pod->spec->n_containers);
		take_resources(spec->init_containers, spec->n_init_containers, pod->spec->init_containers,
			pod->spec->n_init_containers);
	}
	pod->spec = spec;
	pod->status = old->status;
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	CoreV1Pod *pod = (CoreV1Pod *)object;
	const CoreV1Pod *old = (const CoreV1Pod *)before;
	if (is_sub(request, "binding"))
		return;
	if (is_sub(request, "status")) {
		pod->spec = old->spec;
		keep_status_parts(request, pod, old);
		return;
	}
	if (is_sub(request, "ephemeralcontainers"))
		keep_all_but_ephemeral(request, pod, old);
	else if (is_sub(request, "resize"))
		keep_all_but_resources(request, pod, old);
	else
		pod->status = old->status;
	generic_next_generation(request, object, before);
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	const CoreV1Pod *pod = (const CoreV1Pod *)object, *before = (const CoreV1Pod *)old;
	if (is_sub(request, ""))
		validate_pod_update(errors, pod, before);
	else if (is_sub(request, "status"))
		validate_pod_status_update(errors, pod, before);
	else if (is_sub(request, "ephemeralcontainers"))
		validate_pod_ephemeral_update(errors, pod, before);
	else if (is_sub(request, "resize"))
		validate_pod_resize(errors, pod, before);
}

/* A pod that no node has, or that is finished, goes at once. */
static bool graceful(struct request *request, const ProtobufCMessage *object, MetaV1DeleteOptions *options)
{
	const CoreV1Pod *pod = (const CoreV1Pod *)object;
	int64_t period_s = 0;
	if (options->has_grace_period_seconds)
		period_s = options->grace_period_seconds;
	else if (pod->spec && pod->spec->has_termination_grace_period_seconds)
		period_s = pod->spec->termination_grace_period_seconds;
	const char *phase = pod->status ? pod->status->phase : "";
	if (!pod->spec || str_empty(pod->spec->node_name) || str_eq(phase, "Failed") || str_eq(phase, "Succeeded"))
		period_s = 0;
	if (period_s < 0)
		period_s = 1;
	options->has_grace_period_seconds = true;
	options->grace_period_seconds = period_s;
	return true;
}

static const struct subresource_handler subresources[] = {
	{.name = "binding", .create = pod_bind},
	{.name = "eviction", .create = pod_evict},
};

const struct strategy pod_strategy = {
	.group = "",
	.resource = "pods",
	.prepare_create = prepare_create,
	.validate_create = validate_create,
	.prepare_update = prepare_update,
	.validate_update = validate_update,
	.graceful = graceful,
	.subresources = subresources,
	.n_subresources = ARRAY_SIZE(subresources),
};
