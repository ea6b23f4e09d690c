#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "api/qos.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

static bool is_sub(const struct request *request, const char *name)
{
	return !strcmp(request->subresource, name);
}

/* What the original's conversion does with whatever it reads of old clients. */
static void forget_old_ways(CoreV1Pod *pod)
{
	static const char *const annotations[] = {"pod.beta.kubernetes.io/init-containers",
		"pod.alpha.kubernetes.io/init-containers", "pod.beta.kubernetes.io/init-container-statuses",
		"pod.alpha.kubernetes.io/init-container-statuses"};
	for (size_t i = 0; i < ARRAY_SIZE(annotations); i++)
		meta_remove_annotation(pod->metadata, annotations[i]);
	if (pod->spec->has_termination_grace_period_seconds && pod->spec->termination_grace_period_seconds < 0)
		pod->spec->termination_grace_period_seconds = 1;
}

/* podIP is the first of podIPs under its old name, and hostIP of hostIPs; where they differ, the old name counts. */
static void align_ips(struct arena *arena, CoreV1PodStatus *status)
{
	if (!str_empty(status->pod_ip) && (!status->n_pod_ips || !str_eq(status->pod_ips[0]->ip, status->pod_ip))) {
		CoreV1PodIP *first = API_NEW(arena, CoreV1PodIP);
		first->ip = status->pod_ip;
		status->pod_ips = NULL;
		status->n_pod_ips = 0;
		ARENA_PUSH(arena, status->pod_ips, status->n_pod_ips) = first;
	}
	if (status->n_pod_ips)
		status->pod_ip = status->pod_ips[0]->ip;
}

static void complete(struct request *request, ProtobufCMessage *object)
{
	CoreV1Pod *pod = (CoreV1Pod *)object;
	if (pod->status)
		align_ips(request->arena, pod->status);
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
	condition->last_transition_time = time_new(request->arena, clock_wall_s(request->clock));
	ARENA_PUSH(request->arena, pod->status->conditions, pod->status->n_conditions) = condition;
}

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	CoreV1Pod *pod = (CoreV1Pod *)object;
	(void)ENSURE(request->arena, pod->spec, CoreV1PodSpec);
	forget_old_ways(pod);
	generic_first_generation(request, object);
	/* A class that the client names stays, as in the original. */
	char *class = pod->status ? pod->status->qos_class : NULL;
	pod->status = API_NEW(request->arena, CoreV1PodStatus);
	pod->status->phase = (char *)"Pending";
	pod->status->qos_class = str_empty(class) ? (char *)pod_qos_class(pod->spec) : class;
	pod_drop_disabled(request->arena, pod->spec, NULL);
	add_gated_condition(request, pod);
	pod_add_label_keys(request->arena, pod);
	pod_app_armor_fields(request, pod);
}

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_pod_create(errors, (const CoreV1Pod *)object);
}

static void drop_device_health(CoreV1ContainerStatus *const *statuses, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		statuses[i]->n_allocated_resources_status = 0;
		statuses[i]->allocated_resources_status = NULL;
	}
}

/* What is of features that are not enabled. */
static void drop_disabled_status(CoreV1PodStatus *status)
{
	status->extended_resource_claim_status = NULL;
	drop_device_health(status->container_statuses, status->n_container_statuses);
	drop_device_health(status->init_container_statuses, status->n_init_container_statuses);
	drop_device_health(status->ephemeral_container_statuses, status->n_ephemeral_container_statuses);
}

/* Of several conditions of one type, the first stands for the first, and so on. */
static void keep_generations(struct arena *arena, CoreV1PodStatus *status, const CoreV1PodStatus *was)
{
	struct nameset types = {.arena = arena};
	const char **names = ARENA_ARRAY(arena, const char *, was->n_conditions + 1);
	size_t *at = ARENA_ARRAY(arena, size_t, was->n_conditions + 1); /* by the first of a type: whose turn it is */
	for (size_t i = 0; i < was->n_conditions; i++) {
		names[i] = was->conditions[i]->type;
		at[i] = i;
	}
	const size_t *next = nameset_chain(&types, names, was->n_conditions);
	for (size_t i = 0; i < status->n_conditions; i++) {
		CoreV1PodCondition *c = status->conditions[i];
		const size_t first = nameset_find(&types, c->type);
		if (first == SIZE_MAX || at[first] == SIZE_MAX)
			continue;
		if (!c->observed_generation)
			c->observed_generation = was->conditions[at[first]]->observed_generation;
		at[first] = next[at[first]];
	}
}

/* What a kubelet leaves out of a status stays as it is. */
static void keep_status_parts(struct request *request, CoreV1Pod *pod, const CoreV1Pod *old)
{
	const CoreV1PodStatus *was = old->status ? old->status : API_NEW(request->arena, CoreV1PodStatus);
	CoreV1PodStatus *status = ENSURE(request->arena, pod->status, CoreV1PodStatus);
	align_ips(request->arena, status);
	if (str_empty(status->qos_class))
		status->qos_class = was->qos_class;
	if (!status->observed_generation)
		status->observed_generation = was->observed_generation;
	keep_generations(request->arena, status, was);
	pod->metadata->owner_references = old->metadata->owner_references;
	pod->metadata->n_owner_references = old->metadata->n_owner_references;
	pod->metadata->deletion_timestamp = old->metadata->deletion_timestamp;
	drop_disabled_status(status);
}

/* A write of a part of the spec leaves the metadata alone. */
/* Of the whole pod only the list of ephemeral containers is taken. */
static void keep_all_but_ephemeral(struct request *request, CoreV1Pod *pod, const CoreV1Pod *old)
{
	CoreV1PodSpec *spec = api_copy(request->arena, old->spec);
	spec->ephemeral_containers = pod->spec ? pod->spec->ephemeral_containers : NULL;
	spec->n_ephemeral_containers = pod->spec ? pod->spec->n_ephemeral_containers : 0;
	pod->spec = spec;
	pod->status = old->status;
	generic_keep_meta(&pod->base, &old->base);
}

/* The old containers with the resources of the new; the new ones as they are when their names differ. */
static void keep_containers(struct arena *arena, CoreV1Container **now, CoreV1Container *const *before, size_t n)
{
	CoreV1Container **merged = ARENA_ARRAY(arena, CoreV1Container *, n + 1);
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(now[i]->name, before[i]->name))
			return;
		merged[i] = api_copy(arena, before[i]);
		merged[i]->resources = now[i]->resources;
		merged[i]->resize_policy = now[i]->resize_policy;
		merged[i]->n_resize_policy = now[i]->n_resize_policy;
	}
	if (n)
		memcpy(now, merged, n * sizeof(*merged));
}

/* Of a resize, only the resources of the containers; one that changes their number is refused later. */
static void keep_all_but_resources(struct request *request, CoreV1Pod *pod, const CoreV1Pod *old)
{
	CoreV1PodSpec *spec = api_copy(request->arena, old->spec), *new = pod->spec;
	if (new->n_containers != spec->n_containers || new->n_init_containers != spec->n_init_containers)
		return;
	keep_containers(request->arena, new->containers, spec->containers, spec->n_containers);
	keep_containers(request->arena, new->init_containers, spec->init_containers, spec->n_init_containers);
	spec->containers = new->containers;
	spec->init_containers = new->init_containers;
	pod->spec = spec;
	pod->status = old->status;
	generic_keep_meta(&pod->base, &old->base);
}

/* An eviction writes why the pod goes into its status. */
static bool writes_status(const struct request *request)
{
	return is_sub(request, "status") || is_sub(request, "eviction");
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	CoreV1Pod *pod = (CoreV1Pod *)object;
	const CoreV1Pod *old = (const CoreV1Pod *)before;
	if (is_sub(request, "binding"))
		return;
	(void)ENSURE(request->arena, pod->spec, CoreV1PodSpec);
	forget_old_ways(pod);
	if (writes_status(request)) {
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
	pod_drop_disabled(request->arena, pod->spec, old->spec);
	pod->metadata->generation = old->metadata->generation + !api_equal(pod->spec, old->spec);
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	const CoreV1Pod *pod = (const CoreV1Pod *)object, *before = (const CoreV1Pod *)old;
	if (is_sub(request, ""))
		validate_pod_update(errors, pod, before);
	else if (writes_status(request))
		validate_pod_status_update(errors, pod, before);
	else if (is_sub(request, "ephemeralcontainers"))
		validate_pod_ephemeral_update(errors, pod, before);
	else if (is_sub(request, "resize"))
		validate_pod_resize(errors, pod, before);
}

static void warn(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const CoreV1Pod *pod = (const CoreV1Pod *)object;
	const struct field_path *status = FIELD(NULL, "status");
	if (!old) {
		const char *problem = check_dns_label(request->arena, pod->metadata->name);
		const char *more = problem ? strstr(problem, "; ") : NULL;
		if (problem)
			request_warn_at(request, FIELD(FIELD(NULL, "metadata"), "name"),
				arena_printf(request->arena,
					"this is used in the Pod's hostname, which can result in surprising behavior; "
					"a "
					"DNS label is recommended: [%.*s%s%s]",
					more ? (int)(more - problem) : (int)strlen(problem), problem, more ? " " : "",
					more ? more + 2 : ""));
		pod_warn(request, NULL, pod->spec, pod->metadata);
	} else if (is_sub(request, "status") && pod->status) {
		for (size_t i = 0; i < pod->status->n_pod_ips; i++)
			address_warn(request, FIELD(FIELD_INDEX(FIELD(status, "podIPs"), i), "ip"),
				pod->status->pod_ips[i]->ip);
		for (size_t i = 0; i < pod->status->n_host_ips; i++)
			address_warn(request, FIELD(FIELD_INDEX(FIELD(status, "hostIPs"), i), "ip"),
				pod->status->host_ips[i]->ip);
	}
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
	.complete = complete,
	.update_checks = {CHECK_META_CHANGE, CHECK_META, CHECK_CHANGE},
	.prepare_create = prepare_create,
	.validate_create = validate_create,
	.prepare_update = prepare_update,
	.validate_update = validate_update,
	.warn = warn,
	.graceful = graceful,
	.subresources = subresources,
	.n_subresources = ARRAY_SIZE(subresources),
};
