#include <errno.h>
#include "api/meta.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/cgroup/cgroup.h"
#include "kubelet/config/config.h"
#include "kubelet/node/node.h"
#include "kubelet/objects.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/pod/workers.h"
#include "kubelet/probe/probe.h"
#include "kubelet/status/conditions.h"
#include "kubelet/status/status.h"
#include "kubelet/volume/volume.h"

struct reason_lookup {
	struct kubelet *k;
	struct arena *arena;
	const char *uid;
};

static const struct sync_result *lookup_reason(void *data, const char *container)
{
	struct reason_lookup *l = data;
	return reason_cache_get(l->k->reasons, l->arena, l->uid, container);
}

static void fill_probes(void *data, const struct pod *pod, CoreV1PodStatus *status)
{
	prober_fill_status(data, pod, status);
}

int64_t pod_deadline_left_ms(struct kubelet *k, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const CoreV1PodSpec *spec = pod_spec(pod);
	if (!spec->has_active_deadline_seconds)
		return -1;
	const CoreV1PodStatus *known = status_manager_get(k->statuses, arena, pod->uid);
	const MetaV1Time *start = known && known->start_time ? known->start_time : pod->api->status->start_time;
	if (!start)
		return -1;
	int64_t left = (start->seconds + spec->active_deadline_seconds) * 1000 - clock_wall_ns(k->clock) / 1000000;
	return left > 0 ? left : 0;
}

static CoreV1PodStatus *generate(
	struct kubelet *k, struct arena *arena, const struct pod *pod, const struct pod_status *status, bool terminal)
{
	struct reason_lookup lookup = {k, arena, pod->uid};
	struct resize_conditions *resizes = allocation_conditions(k->allocation);
	/* What is over is resized no more. */
	if (terminal)
		resize_conditions_remove(resizes, pod->uid);
	const CoreV1PodStatus *old = status_manager_get(k->statuses, arena, pod->uid);
	struct status_input in = {
		.pod = pod,
		.runtime = status,
		.old = old ? old : pod->api->status,
		.terminal = terminal,
		.past_deadline = pod_deadline_left_ms(k, pod) == 0,
		.runtime_name = str_or(cri_runtime_name(k->cri), "containerd"),
		.host_ip = k->client ? node_ip(k->node) : NULL,
		.reason = lookup_reason,
		.reason_data = &lookup,
		.actuated = allocation_actuated(k->allocation),
		.fill_probes = fill_probes,
		.probe_data = k->prober,
	};
	in.resize = resize_conditions_get(resizes, arena, pod->uid, &in.n_resize);
	return status_generate(arena, &in);
}

static struct status *make_dirs(struct kubelet *k, struct arena *arena, const struct pod *pod)
{
	char *dir = pod_dir(arena, k, pod->uid);
	TRY(io_mkdirs(dir, 0750));
	TRY(io_mkdirs(arena_printf(arena, "%s/volumes", dir), 0750));
	return io_mkdirs(arena_printf(arena, "%s/plugins", dir), 0750);
}

static struct status *ensure_cgroup(
	struct kubelet *k, const struct pod *pod, const struct pod_status *status, const CoreV1PodStatus *api_status)
{
	if (cgroups_pod_exists(k->cgroups, pod))
		return NULL;
	/* Containers that run outside of a group were started under other settings: they begin anew. */
	for (size_t i = 0; i < api_status->n_container_statuses; i++) {
		const CoreV1ContainerState *state = api_status->container_statuses[i]->state;
		if (!state || !state->running)
			continue;
		log_status(runtime_kill_pod(k, pod, status, NULL), "pod %s: kill", pod->ref);
		if (!pod_restarts_on_failure(pod))
			return NULL;
		break;
	}
	struct status *s = cgroups_pod_create(k->cgroups, pod);
	if (s)
		kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "FailedCreatePodContainer",
			"unable to ensure pod container exists: %s", s->message);
	return status_wrap(s, "failed to ensure that the pod: %s cgroups exist and are correctly applied", pod->uid);
}

static struct status *mount_volumes(struct kubelet *k, const struct pod *pod)
{
	struct status *s = volumes_mount_pod(k->volumes, pod);
	return status_wrap(s, "pod %s: mount volumes", pod->ref);
}

/* A status whose addresses are those that were reported: the runtime may not tell them any more. */
static struct pod_status *with_reported_ips(const struct pod_status *status, const CoreV1PodStatus *api_status)
{
	struct pod_status *copy = pod_status_new(status->uid, status->name, status->namespace);
	/* Shares the lists of the original, which the caller holds; only the addresses are its own. */
	copy->sandboxes = status->sandboxes;
	copy->n_sandboxes = status->n_sandboxes;
	copy->containers = status->containers;
	copy->n_containers = status->n_containers;
	copy->active_sandbox = status->active_sandbox;
	for (size_t i = 0; i < api_status->n_pod_ips; i++)
		ARENA_PUSH(copy->arena, copy->ips, copy->n_ips) = arena_strdup(copy->arena, api_status->pod_ips[i]->ip);
	return copy;
}

/* A pod that did not run and does now. It was first seen at its startTime, which the manager of statuses keeps. */
static void count_start(struct kubelet *k, const struct pod *pod, const CoreV1PodStatus *status)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (!k->figures.start_seconds || !str_eq(status->phase, "Running"))
		return;
	const CoreV1PodStatus *was = status_manager_get(k->statuses, arena, pod->uid);
	if (was && str_eq(was->phase, "Pending") && was->start_time && was->start_time->seconds)
		metric_observe(k->figures.start_seconds, (double)(clock_wall_s(k->clock) - was->start_time->seconds));
}

struct status *pod_sync(
	struct kubelet *k, const struct pod *pod, const struct pod_status *status, struct pod_step_outcome *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	allocation_check_progress(k->allocation, pod, status);
	CoreV1PodStatus *api_status = generate(k, arena, pod, status, false);
	if (str_eq(api_status->reason, STATUS_REASON_DEADLINE))
		kubelet_pod_event(k, pod, NULL, EVENT_NORMAL, STATUS_REASON_DEADLINE, "%s", api_status->message);
	count_start(k, pod, api_status);
	status_manager_set(k->statuses, pod, api_status);
	ret->terminal = pod_phase_terminal(api_status->phase);
	if (ret->terminal)
		return NULL;
	if (!k->network_ready && !pod->host_network) {
		kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "NetworkNotReady",
			"network is not ready: container runtime network not ready");
		return status_new(STATUS_UNAVAILABLE, "network is not ready: container runtime network not ready");
	}
	if (!pod_workers_terminating(k->workers, pod->uid))
		TRY(ensure_cgroup(k, pod, status, api_status));
	if (pod->is_static)
		config_reconcile_mirror(k->config, pod);
	struct status *s = make_dirs(k, arena, pod);
	if (s) {
		kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "FailedToMakePodDataDirectories",
			"error making pod data directories: %s", s->message);
		return s;
	}
	TRY(mount_volumes(k, pod));
	prober_add_pod(k->prober, pod);
	CLEANUP(pod_status_unrefp) struct pod_status *seen = with_reported_ips(status, api_status);
	struct sync_results results;
	s = runtime_sync_pod(k, arena, pod, seen, &results);
	ret->changed = results.changed || results.resized;
	reason_cache_update(k->reasons, pod->uid, &results);
	if (results.resize_error) {
		allocation_failed(k->allocation, pod, results.resize_error);
		status_manager_set(k->statuses, pod, generate(k, arena, pod, status, false));
	}
	/* The runtime's list shows nothing of it: the next sync does. */
	if (results.resized)
		pod_workers_kick(k->workers, pod->uid);
	return s;
}

struct status *pod_sync_terminating(struct kubelet *k, const struct pod *pod, const struct pod_status *status,
	int64_t grace_seconds, const struct pod_eviction *eviction)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1PodStatus *api_status = generate(k, arena, pod, status, false);
	if (eviction->reason) {
		api_status->phase = arena_strdup(arena, "Failed");
		api_status->reason = arena_strdup(arena, eviction->reason);
		api_status->message = arena_strdup(arena, str_or_empty(eviction->message));
	}
	if (eviction->disruption) {
		condition_add(
			arena, api_status, "DisruptionTarget", true, "TerminationByKubelet", eviction->disruption);
		status_condition(api_status, "DisruptionTarget")->observed_generation = pod->api->metadata->generation;
	}
	status_manager_set(k->statuses, pod, api_status);
	prober_stop_liveness(k->prober, pod->uid);
	struct status *s = runtime_kill_pod(k, pod, status, &grace_seconds);
	if (s) {
		kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "FailedKillPod", "error killing pod: %s", s->message);
		return s;
	}
	prober_remove_pod(k->prober, pod->uid);
	CLEANUP(pod_status_unrefp) struct pod_status *stopped = NULL;
	TRY(runtime_pod_status(k->cri, pod->uid, pod->name, pod->namespace, &stopped));
	for (size_t i = 0; i < stopped->n_containers; i++)
		if (stopped->containers[i].state == CONTAINER_RUNNING)
			return status_internal(
				"detected running containers after a successful KillPod, CRI violation: [%s]",
				stopped->containers[i].id);
	if (!stopped->n_ips)
		for (size_t i = 0; i < status->n_ips; i++)
			ARENA_PUSH(stopped->arena, stopped->ips, stopped->n_ips) =
				arena_strdup(stopped->arena, status->ips[i]);
	status_manager_set(k->statuses, pod, generate(k, arena, pod, stopped, true));
	return NULL;
}

struct status *pod_sync_terminated(struct kubelet *k, const struct pod *pod, const struct pod_status *status)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	status_manager_set(k->statuses, pod, generate(k, arena, pod, status, true));
	TRY(volumes_unmount_pod(k->volumes, pod->uid));
	TRY(cgroups_pod_destroy(k->cgroups, pod->uid));
	objects_forget_pod(k->objects, pod->uid);
	reason_cache_forget(k->reasons, pod->uid);
	status_manager_terminate(k->statuses, pod);
	return NULL;
}
