#include "kubelet/runtime/resize.h"

#include "api/copy.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/cgroup/cgroup.h"
#include "kubelet/runtime/names.h"

struct resize {
	struct kubelet *k;
	struct arena *arena;
	const struct pod *pod;
	const struct pod_actions *actions;
	struct cgroup_amounts current, wanted; /* of the pod's group */
};

/* --- may memory shrink? --- */

static int64_t container_usage(const struct resize *r, const char *id)
{
	CriContainerStatsRequest *ask = RPC_NEW(r->arena, CriContainerStatsRequest);
	CriContainerStatsResponse *answer;
	ask->container_id = arena_strdup(r->arena, id);
	struct status *error = cri_call(r->k->cri, "ContainerStats", ask, r->arena, &answer);
	if (error) {
		log_status(error, "container %s: stats", id);
		return -1;
	}
	const CriMemoryUsage *memory = answer->stats ? answer->stats->memory : NULL;
	const CriUInt64Value *bytes = memory ? memory->usage_bytes : NULL;
	if (!bytes && memory)
		bytes = memory->working_set_bytes; /* older runtimes tell no other */
	return bytes ? (int64_t)bytes->value : -1;
}

static void add_reason(struct strbuf *out, const char *text)
{
	strbuf_printf(out, "%s%s", out->len ? ", " : "", text);
}

static size_t check_pod(const struct resize *r, struct strbuf *why)
{
	int64_t usage;
	struct status *error = cgroups_pod_memory_usage(r->k->cgroups, r->pod, &usage);
	if (error) {
		log_status(error, "pod %s: memory usage", r->pod->ref);
		add_reason(why, "missing pod memory usage");
		return 1;
	}
	if (usage < r->wanted.memory)
		return 0;
	add_reason(why, arena_printf(r->arena, "attempting to set pod memory limit (%lld) below current usage (%lld)",
				(long long)r->wanted.memory, (long long)usage));
	return 1;
}

static size_t check_container(const struct resize *r, const struct container_update *u, struct strbuf *why)
{
	int64_t usage = container_usage(r, u->id);
	if (usage >= 0 && usage < u->wanted.memory_limit)
		return 0;
	if (usage < 0)
		add_reason(why, arena_printf(r->arena, "missing container \"%s\" memory usage", u->container->name));
	else
		add_reason(why,
			arena_printf(r->arena,
				"attempting to set container \"%s\" memory limit (%lld) below current usage (%lld)",
				u->container->name, (long long)u->wanted.memory_limit, (long long)usage));
	return 1;
}

/* A limit below what is in use would have the kernel kill somebody. */
static struct status *check_memory(const struct resize *r)
{
	CLEANUP(strbuf_done) struct strbuf why = STRBUF_INIT;
	size_t n = 0;
	if (r->wanted.memory < r->current.memory)
		n += check_pod(r, &why);
	for (size_t i = 0; i < r->actions->n_to_update[RESIZE_MEMORY]; i++) {
		const struct container_update *u = &r->actions->to_update[RESIZE_MEMORY][i];
		int64_t wanted = u->wanted.memory_limit, current = u->current->memory_limit;
		if (wanted && (!current || wanted < current))
			n += check_container(r, u, &why);
	}
	if (!n)
		return NULL;
	return status_internal("cannot decrease memory limits: %s%s%s", n > 1 ? "[" : "", why.buf, n > 1 ? "]" : "");
}

/* --- doing it --- */

/* One kind at a time: the other keeps what the container has. */
static struct status *update_container(const struct resize *r, enum resize_kind kind, const struct container_update *u)
{
	struct resizable amounts = *u->current;
	if (kind == RESIZE_MEMORY) {
		amounts.memory_limit = u->wanted.memory_limit;
		amounts.memory_request = u->wanted.memory_request;
	} else {
		amounts.cpu_limit = u->wanted.cpu_limit;
		amounts.cpu_request = u->wanted.cpu_request;
	}
	CoreV1Container *c = api_copy_msg(r->arena, u->container);
	c->resources = resizable_message(r->arena, &amounts);
	CriUpdateContainerResourcesRequest *request = RPC_NEW(r->arena, CriUpdateContainerResourcesRequest);
	CriUpdateContainerResourcesResponse *response;
	request->container_id = arena_strdup(r->arena, u->id);
	request->linux = container_resources(r->k, r->arena, r->pod, c);
	fail_at("container.before-resize");
	struct status *error = cri_call(r->k->cri, "UpdateContainerResources", request, r->arena, &response);
	if (error) {
		char *text = cri_error_text(r->arena, error);
		status_free(error);
		return status_internal("%s", text);
	}
	TRY(allocation_set_actuated(r->k->allocation, r->pod->uid, c->name, c->resources));
	*u->current = amounts;
	return NULL;
}

static struct status *update_containers(const struct resize *r, enum resize_kind kind)
{
	for (size_t i = 0; i < r->actions->n_to_update[kind]; i++)
		TRY(update_container(r, kind, &r->actions->to_update[kind][i]));
	return NULL;
}

static struct status *resize_memory(const struct resize *r)
{
	if (r->wanted.memory > r->current.memory)
		TRY(cgroups_pod_set_memory(r->k->cgroups, r->pod, r->wanted.memory));
	TRY(update_containers(r, RESIZE_MEMORY));
	if (r->wanted.memory < r->current.memory)
		TRY(cgroups_pod_set_memory(r->k->cgroups, r->pod, r->wanted.memory));
	return NULL;
}

/* A limit grows before the request and shrinks after it. */
static struct status *resize_cpu(const struct resize *r)
{
	struct cgroups *c = r->k->cgroups;
	if (r->wanted.cpu_quota > r->current.cpu_quota)
		TRY(cgroups_pod_set_quota(c, r->pod, r->wanted.cpu_quota));
	if (r->wanted.cpu_shares > r->current.cpu_shares)
		TRY(cgroups_pod_set_shares(c, r->pod, r->wanted.cpu_shares));
	TRY(update_containers(r, RESIZE_CPU));
	if (r->wanted.cpu_shares < r->current.cpu_shares)
		TRY(cgroups_pod_set_shares(c, r->pod, r->wanted.cpu_shares));
	if (r->wanted.cpu_quota < r->current.cpu_quota)
		TRY(cgroups_pod_set_quota(c, r->pod, r->wanted.cpu_quota));
	return NULL;
}

struct status *runtime_resize_pod(struct kubelet *k, const struct pod *pod, const struct pod_actions *actions)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct resize r = {.k = k, .arena = arena, .pod = pod, .actions = actions};
	bool memory = actions->n_to_update[RESIZE_MEMORY] || actions->update_pod;
	bool cpu = actions->n_to_update[RESIZE_CPU] || actions->update_pod;
	if (cgroups_managed(k->cgroups)) {
		TRY(status_wrap(cgroups_pod_read(k->cgroups, pod, &r.current),
			"unable to get pod cgroup config for pod \"%s\"", pod_format(arena, pod)));
		r.wanted = cgroups_pod_wanted(k->cgroups, pod, &r.current);
	}
	if (memory)
		TRY(check_memory(&r));
	if (memory)
		TRY(resize_memory(&r));
	return cpu ? resize_cpu(&r) : NULL;
}
