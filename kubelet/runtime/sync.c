#include "base/io.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/pod/workers.h"
#include "kubelet/probe/probe.h"
#include "kubelet/runtime/resize.h"
#include "kubelet/runtime/restart_backoff.h"
#include "kubelet/runtime/runtime.h"

#define SANDBOX_TIMEOUT_MS (4 * 60 * 1000)

static void add_result(struct arena *arena, struct sync_results *results, struct sync_result r)
{
	ARENA_PUSH(arena, results->items, results->n_items) = r;
}

/* Old instances of init containers: all of them before a new sandbox, else all but the last that ended. */
static void remove_init_containers(struct kubelet *k, const struct pod *pod, const struct pod_status *status, bool all)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		size_t seen = 0;
		for (size_t j = 0; j < status->n_containers; j++) {
			const struct container_status *c = &status->containers[j];
			if (!str_eq(c->name, spec->init_containers[i]->name))
				continue;
			if (!all && c->state != CONTAINER_EXITED && c->state != CONTAINER_UNKNOWN)
				continue;
			if (!all && ++seen == 1)
				continue;
			log_status(cri_remove_container(k->cri, c->id), "pod %s: remove %s", pod->ref, c->name);
		}
	}
}

/* The runtime's own name for the pod's runtime class; "" for the default. */
static struct status *runtime_handler(struct kubelet *k, struct arena *arena, const struct pod *pod, char **ret)
{
	const char *name = pod_spec(pod)->runtime_class_name;
	NodeV1RuntimeClass *class;
	*ret = arena_strdup(arena, "");
	if (str_empty(name))
		return NULL;
	if (!k->client)
		return status_new(STATUS_UNAVAILABLE, "RuntimeClass \"%s\": no apiserver to ask", name);
	TRY(status_wrap(client_get(k->client, arena, &NodeV1RuntimeClass_schema, NULL, name, &class),
		"failed to get RuntimeClass \"%s\"", name));
	*ret = class->handler;
	return NULL;
}

static struct status *create_sandbox(struct kubelet *k, struct arena *arena, const struct pod *pod, uint32_t attempt,
	const char **ret_id, const char ***ret_ips, size_t *ret_n_ips)
{
	CriRunPodSandboxRequest *run = RPC_NEW(arena, CriRunPodSandboxRequest);
	TRY(sandbox_config(k, arena, pod, attempt, &run->config));
	TRY(runtime_handler(k, arena, pod, &run->runtime_handler));
	TRY(io_mkdirs(run->config->log_directory, 0755));
	CriRunPodSandboxResponse *created;
	struct status *s = cri_call_for(k->cri, "RunPodSandbox", run, SANDBOX_TIMEOUT_MS, arena, &created);
	if (s) {
		char *text = cri_error_text(arena, s);
		status_free(s);
		return status_internal("%s", text);
	}
	TRY(fail_try("sandbox.after-run"));
	*ret_id = created->pod_sandbox_id;
	if (pod->host_network)
		return NULL;
	CriPodSandboxStatusRequest *ask = RPC_NEW(arena, CriPodSandboxStatusRequest);
	ask->pod_sandbox_id = created->pod_sandbox_id;
	CriPodSandboxStatusResponse *answer;
	TRY(cri_call(k->cri, "PodSandboxStatus", ask, arena, &answer));
	*ret_ips = NULL;
	*ret_n_ips = 0;
	const CriPodSandboxNetworkStatus *network = answer->status ? answer->status->network : NULL;
	if (network && !str_empty(network->ip))
		ARENA_PUSH(arena, *ret_ips, *ret_n_ips) = network->ip;
	for (size_t i = 0; network && i < network->n_additional_ips; i++)
		ARENA_PUSH(arena, *ret_ips, *ret_n_ips) = network->additional_ips[i]->ip;
	return NULL;
}

/* What the back-off is counted by: another image or another container begins anew. */
static char *backoff_key(struct arena *arena, const struct pod *pod, const CoreV1Container *c)
{
	return arena_printf(arena, "%s_%s_%s_%s_%llx", pod->name, pod->namespace, pod->uid, c->name,
		(unsigned long long)container_hash(c));
}

/* Whether the container failed so shortly ago that it must wait. */
static bool must_wait(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const struct pod_status *status, struct sync_result *ret)
{
	const struct container_status *last = NULL;
	for (size_t i = 0; i < status->n_containers && !last; i++)
		if (str_eq(status->containers[i].name, c->name) && status->containers[i].state == CONTAINER_EXITED)
			last = &status->containers[i];
	if (!last)
		return false;
	char *key = backoff_key(arena, pod, c);
	if (!restart_backoff_active_since(k->crash_backoff, key, last->finished_at)) {
		restart_backoff_next(k->crash_backoff, key, last->finished_at);
		return false;
	}
	char delay[40];
	duration_format(restart_backoff_get(k->crash_backoff, key) * 1000000, delay);
	kubelet_pod_event(k, pod, c->name, EVENT_WARNING, "BackOff",
		"Back-off restarting failed container %s in pod %s", c->name, pod_format(arena, pod));
	*ret = (struct sync_result){c->name, "CrashLoopBackOff",
		arena_printf(arena, "back-off %s restarting failed container=%s pod=%s", delay, c->name,
			pod_format(arena, pod))};
	return true;
}

struct sync {
	struct kubelet *k;
	struct arena *arena;
	const struct pod *pod;
	const struct pod_status *status;
	struct container_start start;
	struct sync_results *results;
};

/* Returns whether the container was started. */
static bool start_one(struct sync *s, const CoreV1Container *c, const char *target_id)
{
	struct sync_result r;
	if (cancel_requested(pod_workers_cancel(s->k->workers, s->pod->uid)))
		return false;
	s->start.container = c;
	s->start.target_id = target_id;
	if (!must_wait(s->k, s->arena, s->pod, c, s->status, &r))
		r = container_start(s->k, s->arena, s->pod, s->status, &s->start);
	add_result(s->arena, s->results, r);
	s->results->changed |= !r.reason;
	return !r.reason;
}

static void start_ephemeral(struct sync *s, size_t i)
{
	const char *target = pod_spec(s->pod)->ephemeral_containers[i]->target_container_name;
	const char *target_id = NULL;
	if (!str_empty(target)) {
		const struct container_status *c = pod_status_find(s->status, target);
		if (!c || c->state != CONTAINER_RUNNING) {
			add_result(s->arena, s->results,
				(struct sync_result){s->pod->ephemeral[i]->name, "CreateContainerConfigError",
					arena_printf(s->arena, "unable to find target container %s", target)});
			return;
		}
		target_id = c->id;
	}
	start_one(s, s->pod->ephemeral[i], target_id);
}

/* What could not be done is in the results, and holds up nothing else. */
static void resize(struct sync *s, const struct pod_actions *actions)
{
	if (!actions->n_to_update[RESIZE_MEMORY] && !actions->n_to_update[RESIZE_CPU] && !actions->update_pod)
		return;
	struct status *error = runtime_resize_pod(s->k, s->pod, actions);
	s->results->resized = !error;
	if (error)
		s->results->resize_error = arena_strdup(s->arena, error->message);
	status_free(error);
}

static void start_all(struct sync *s, const struct pod_actions *actions)
{
	const CoreV1PodSpec *spec = pod_spec(s->pod);
	for (size_t i = 0; i < actions->n_ephemeral_to_start; i++)
		start_ephemeral(s, actions->ephemeral_to_start[i]);
	for (size_t i = 0; i < actions->n_init_to_start; i++) {
		const CoreV1Container *c = spec->init_containers[actions->init_to_start[i]];
		if (!start_one(s, c, NULL) && !container_restartable_init(c))
			return;
	}
	resize(s, actions);
	for (size_t i = 0; i < actions->n_to_start; i++)
		start_one(s, spec->containers[actions->to_start[i]], NULL);
}

static struct status *stop_unwanted(
	struct kubelet *k, const struct pod *pod, const struct pod_status *status, const struct pod_actions *actions)
{
	if (actions->kill_pod) {
		TRY(runtime_kill_pod(k, pod, status, NULL));
		if (actions->create_sandbox)
			remove_init_containers(k, pod, status, true);
		return NULL;
	}
	for (size_t i = 0; i < actions->n_to_kill; i++) {
		const struct container_kill *kill = &actions->to_kill[i];
		TRY(runtime_kill_container(k, pod, kill->status, kill->message, kill->reason, NULL));
	}
	return NULL;
}

/* One error out of the results, worded as the worker's log shows it. */
static struct status *summary(const struct sync_results *results, const struct pod *pod)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < results->n_items; i++) {
		const struct sync_result *r = &results->items[i];
		if (r->reason)
			strbuf_printf(&text, "%sfailed to \"StartContainer\" for \"%s\" with %s: %s",
				text.len ? ", " : "", str_or_empty(r->container), r->reason, str_or_empty(r->message));
	}
	if (results->resize_error)
		strbuf_printf(&text, "%sfailed to \"ResizePodInPlace\" for \"%s\" with ResizePodInPlaceError: \"%s\"",
			text.len ? ", " : "", pod->ref, results->resize_error);
	return text.len ? status_internal("%s", text.buf) : NULL;
}

struct status *runtime_sync_pod(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const struct pod_status *status, struct sync_results *ret)
{
	*ret = (struct sync_results){0};
	struct pod_actions actions;
	struct probe_results results = prober_results(k->prober);
	struct actuated_resources actuated = allocation_actuated(k->allocation);
	pod_actions_compute(arena, pod, status, &results, &actuated, &actions);
	if (actions.create_sandbox && actions.sandbox_id[0])
		kubelet_pod_event(k, pod, NULL, EVENT_NORMAL, "SandboxChanged",
			"Pod sandbox changed, it will be killed and re-created.");
	ret->changed = actions.kill_pod || actions.n_to_kill || actions.create_sandbox;
	TRY(stop_unwanted(k, pod, status, &actions));
	remove_init_containers(k, pod, status, false);

	struct sync s = {.k = k, .arena = arena, .pod = pod, .status = status, .results = ret};
	s.start.sandbox_id = actions.sandbox_id;
	s.start.pod_ips = status->ips;
	s.start.n_pod_ips = status->n_ips;
	if (actions.create_sandbox) {
		metric_add(k->figures.pod_starts, 1);
		struct status *error = create_sandbox(k, arena, pod, actions.attempt, &s.start.sandbox_id,
			(const char ***)&s.start.pod_ips, &s.start.n_pod_ips);
		if (error && pod_workers_terminating(k->workers, pod->uid)) {
			status_drop(error, "the pod was deleted while its sandbox was made");
			return NULL;
		}
		if (error) {
			metric_add(k->figures.failed_pod_starts, 1);
			kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "FailedCreatePodSandBox",
				"Failed to create pod sandbox: %s", error->message);
			return status_wrap(error, "create sandbox for pod %s", pod->ref);
		}
	}
	TRY(sandbox_config(k, arena, pod, actions.attempt, &s.start.sandbox));
	start_all(&s, &actions);
	return summary(ret, pod);
}
