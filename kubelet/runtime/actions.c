#include "kubelet/runtime/actions.h"

#include "base/str.h"
#include "kubelet/runtime/names.h"

bool pod_sandbox_changed(
	const struct pod *pod, const struct pod_status *status, uint32_t *ret_attempt, const char **ret_id)
{
	*ret_attempt = 0;
	*ret_id = "";
	if (!status->n_sandboxes)
		return true;
	const struct sandbox_status *newest = &status->sandboxes[0];
	size_t n_ready = 0;
	for (size_t i = 0; i < status->n_sandboxes; i++)
		n_ready += status->sandboxes[i].ready;
	*ret_attempt = newest->attempt + 1;
	*ret_id = newest->id;
	if (n_ready > 1 || !newest->ready)
		return true;
	if (newest->host_network != pod->host_network) {
		*ret_id = "";
		return true;
	}
	if (!pod->host_network && newest->has_network && !newest->n_ips)
		return true;
	*ret_attempt = newest->attempt;
	return false;
}

static bool succeeded(const CoreV1Container *c, const struct pod_status *status)
{
	const struct container_status *s = pod_status_find(status, c->name);
	return s && s->state == CONTAINER_EXITED && s->exit_code == 0;
}

bool container_should_restart(const struct pod *pod, const CoreV1Container *c, const struct pod_status *status)
{
	if (pod_deleting(pod))
		return false;
	const struct container_status *s = pod_status_find(status, c->name);
	if (!s)
		return true;
	if (s->state != CONTAINER_EXITED)
		return s->state != CONTAINER_RUNNING;
	const char *policy = pod_spec(pod)->restart_policy;
	if (str_eq(policy, "Never"))
		return false;
	return !(str_eq(policy, "OnFailure") && s->exit_code == 0);
}

static bool any_regular_created(const struct pod *pod, const struct pod_status *status)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_containers; i++) {
		const struct container_status *s = pod_status_find(status, spec->containers[i]->name);
		if (s && s->state != CONTAINER_UNKNOWN)
			return true;
	}
	return false;
}

static void start(struct arena *arena, struct pod_actions *a, size_t i)
{
	ARENA_PUSH(arena, a->to_start, a->n_to_start) = i;
}

static void start_init(struct arena *arena, struct pod_actions *a, size_t i)
{
	ARENA_PUSH(arena, a->init_to_start, a->n_init_to_start) = i;
}

static void kill_container(struct arena *arena, struct pod_actions *a, const struct container_status *status,
	const CoreV1Container *c, const char *message, enum kill_reason reason)
{
	struct container_kill k = {status, c, message, reason};
	ARENA_PUSH(arena, a->to_kill, a->n_to_kill) = k;
}

/* A new sandbox means that everything starts anew, unless there is nothing left to run. */
static void from_scratch(
	struct arena *arena, const struct pod *pod, const struct pod_status *status, struct pod_actions *a)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	if (!pod_restarts_on_failure(pod) && a->attempt && status->n_containers) {
		a->create_sandbox = false;
		return;
	}
	for (size_t i = 0; i < spec->n_containers; i++)
		if (!str_eq(spec->restart_policy, "OnFailure") || !succeeded(spec->containers[i], status))
			start(arena, a, i);
	if (!a->n_to_start && any_regular_created(pod, status)) {
		a->create_sandbox = false;
		return;
	}
	if (spec->n_init_containers) {
		a->n_to_start = 0;
		start_init(arena, a, 0);
	}
}

static bool changed(const CoreV1Container *c, const struct container_status *status)
{
	return status->hash != container_hash(c);
}

/* --- resizing --- */

static void push_update(struct arena *arena, struct pod_actions *a, enum resize_kind kind,
	const struct container_update *update, bool shrinks)
{
	ARENA_PUSH(arena, a->to_update[kind], a->n_to_update[kind]) = *update;
	if (!shrinks)
		return;
	struct container_update *list = a->to_update[kind];
	memmove(list + 1, list, (a->n_to_update[kind] - 1) * sizeof(list[0]));
	list[0] = *update;
}

/* By the container's policy for the resource; without one nothing is restarted. */
static bool restarts_for(const CoreV1Container *c, const char *resource)
{
	for (size_t i = 0; i < c->n_resize_policy; i++)
		if (str_eq(c->resize_policy[i]->resource_name, resource))
			return str_eq(c->resize_policy[i]->restart_policy, "RestartContainer");
	return false;
}

/* Adds what a running container needs to get the amounts of its spec; returns whether it is to be started anew. */
static bool resize(struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const struct container_status *s, const struct actuated_resources *actuated, struct pod_actions *a)
{
	if (pod->is_static || !actuated->of)
		return false;
	struct resizable told = resizable_of(actuated->of(actuated->data, arena, pod->uid, c->name));
	struct resizable *current = arena_dup(arena, &told, sizeof(told));
	struct container_update update = {c, s->id, resizable_of(c->resources), current};
	const struct resizable *wanted = &update.wanted;
	bool memory_limit = wanted->memory_limit != told.memory_limit, cpu_limit = wanted->cpu_limit != told.cpu_limit;
	bool memory = memory_limit || wanted->memory_request != told.memory_request;
	bool cpu = cpu_limit || wanted->cpu_request != told.cpu_request;
	if ((memory && restarts_for(c, "memory")) || (cpu && restarts_for(c, "cpu"))) {
		kill_container(arena, a, s, c, arena_printf(arena, "Container %s resize requires restart", c->name),
			KILL_UNKNOWN);
		a->update_pod = true;
		return true;
	}
	if (memory)
		push_update(arena, a, RESIZE_MEMORY, &update,
			memory_limit ? wanted->memory_limit < told.memory_limit
				     : wanted->memory_request < told.memory_request);
	if (cpu)
		push_update(arena, a, RESIZE_CPU, &update,
			cpu_limit ? wanted->cpu_limit < told.cpu_limit : wanted->cpu_request < told.cpu_request);
	return false;
}

struct init_walk {
	struct arena *arena;
	const struct pod *pod;
	const struct probe_results *results;
	const struct actuated_resources *actuated;
	struct pod_actions *a;
	bool previously_initialized; /* a later init container, or an ordinary one, has run */
	bool initialized;	     /* the result: the ordinary containers may start */
	bool failed;		     /* the pod is over */
};

static bool some_container_ran(const struct pod *pod, const struct pod_status *status)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_containers; i++) {
		const struct container_status *s = pod_status_find(status, spec->containers[i]->name);
		if (s && (s->state == CONTAINER_CREATED || s->state == CONTAINER_RUNNING))
			return true;
	}
	return false;
}

/* The init container has done its part for the first time: the next one, or the ordinary ones, may start. */
static void init_done(struct init_walk *w, size_t i)
{
	if (i + 1 == pod_spec(w->pod)->n_init_containers)
		w->initialized = true;
	else if (!w->previously_initialized)
		start_init(w->arena, w->a, i + 1);
}

static void running_sidecar(struct init_walk *w, size_t i, const CoreV1Container *c, const struct container_status *s)
{
	if (c->startup_probe) {
		enum probe_result r = w->results->startup(w->results->data, s->id);
		if (r == PROBE_FAILURE) {
			kill_container(w->arena, w->a, s, c,
				arena_printf(w->arena, "Init container %s failed startup probe", c->name),
				KILL_STARTUP_PROBE);
			start_init(w->arena, w->a, i);
		}
		if (r != PROBE_SUCCESS)
			return;
	}
	init_done(w, i);
	if (changed(c, s)) {
		kill_container(w->arena, w->a, s, c,
			arena_printf(w->arena, "Init container %s definition changed", c->name), KILL_UNKNOWN);
		start_init(w->arena, w->a, i);
		return;
	}
	if (c->liveness_probe && w->results->liveness(w->results->data, s->id) == PROBE_FAILURE) {
		kill_container(w->arena, w->a, s, c,
			arena_printf(w->arena, "Init container %s failed liveness probe", c->name),
			KILL_LIVENESS_PROBE);
		start_init(w->arena, w->a, i);
		return;
	}
	if (resize(w->arena, w->pod, c, s, w->actuated, w->a))
		start_init(w->arena, w->a, i);
}

/* False: the pod is over and must be killed. */
static bool ended_init(struct init_walk *w, size_t i, const CoreV1Container *c, const struct container_status *s)
{
	if (container_restartable_init(c)) {
		start_init(w->arena, w->a, i);
		return true;
	}
	if (s->state == CONTAINER_EXITED && s->exit_code == 0) {
		if (i + 1 == pod_spec(w->pod)->n_init_containers)
			w->initialized = true;
		else
			start_init(w->arena, w->a, i + 1);
		return true;
	}
	if (!pod_restarts_on_failure(w->pod)) {
		w->a->kill_pod = true;
		w->a->n_init_to_start = 0;
		w->failed = true;
		return false;
	}
	start_init(w->arena, w->a, i);
	return true;
}

static bool visit_init(struct init_walk *w, size_t i, const CoreV1Container *c, const struct container_status *s)
{
	switch (s->state) {
	case CONTAINER_CREATED:
		/* Created and started are one step; a container left between them failed to start. */
		start_init(w->arena, w->a, i);
		return true;
	case CONTAINER_RUNNING:
		if (container_restartable_init(c))
			running_sidecar(w, i, c, s);
		return true;
	case CONTAINER_UNKNOWN:
		if (container_restartable_init(c) || pod_restarts_on_failure(w->pod))
			kill_container(w->arena, w->a, s, c,
				"Init container is in \"unknown\" state, try killing it before restart", KILL_UNKNOWN);
		return ended_init(w, i, c, s);
	case CONTAINER_EXITED:
		return ended_init(w, i, c, s);
	}
	return true;
}

/*
 * Walks backwards, because of finished init containers only the last is certain to be still known to the runtime.
 * Returns whether initialization is complete.
 */
static bool init_actions(struct arena *arena, const struct pod *pod, const struct pod_status *status,
	const struct probe_results *results, const struct actuated_resources *actuated, struct pod_actions *a)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	if (!spec->n_init_containers)
		return true;
	struct init_walk w = {arena, pod, results, actuated, a, .initialized = some_container_ran(pod, status)};
	w.previously_initialized = w.initialized;
	for (size_t i = spec->n_init_containers; i-- > 0;) {
		const CoreV1Container *c = spec->init_containers[i];
		const struct container_status *s = pod_status_find(status, c->name);
		if (!s) {
			if (w.previously_initialized && container_restartable_init(c))
				start_init(arena, a, i);
			continue;
		}
		if (w.previously_initialized && !container_restartable_init(c))
			continue;
		if (!visit_init(&w, i, c, s))
			return false;
		w.previously_initialized = true;
	}
	if (!w.previously_initialized)
		start_init(arena, a, 0);
	for (size_t i = 0; i < a->n_init_to_start / 2; i++) {
		size_t other = a->n_init_to_start - 1 - i, saved = a->init_to_start[i];
		a->init_to_start[i] = a->init_to_start[other];
		a->init_to_start[other] = saved;
	}
	return w.initialized;
}

/* Why a running container must be stopped; NULL to keep it. */
static const char *stop_reason(struct arena *arena, const CoreV1Container *c, const struct container_status *s,
	const struct probe_results *results, bool *restart, enum kill_reason *reason)
{
	if (changed(c, s)) {
		*restart = true;
		return arena_printf(arena, "Container %s definition changed", c->name);
	}
	if (results->liveness(results->data, s->id) == PROBE_FAILURE) {
		*reason = KILL_LIVENESS_PROBE;
		return arena_printf(arena, "Container %s failed liveness probe", c->name);
	}
	if (results->startup(results->data, s->id) == PROBE_FAILURE) {
		*reason = KILL_STARTUP_PROBE;
		return arena_printf(arena, "Container %s failed startup probe", c->name);
	}
	return NULL;
}

/* Returns whether the container stays as it is. */
static bool visit_container(struct arena *arena, const struct pod *pod, const struct pod_status *status,
	const struct probe_results *results, const struct actuated_resources *actuated, size_t i, struct pod_actions *a)
{
	const CoreV1Container *c = pod_spec(pod)->containers[i];
	const struct container_status *s = pod_status_find(status, c->name);
	if (!s || s->state != CONTAINER_RUNNING) {
		if (container_should_restart(pod, c, status)) {
			start(arena, a, i);
			if (s && s->state == CONTAINER_UNKNOWN)
				kill_container(arena, a, s, c,
					"Container is in \"unknown\" state, try killing it before restart",
					KILL_UNKNOWN);
		}
		return false;
	}
	bool restart = pod_restarts_on_failure(pod);
	enum kill_reason reason = KILL_UNKNOWN;
	const char *message = stop_reason(arena, c, s, results, &restart, &reason);
	if (!message) {
		if (!resize(arena, pod, c, s, actuated, a))
			return true;
		start(arena, a, i);
		return false;
	}
	if (restart) {
		message = arena_printf(arena, "%s, will be restarted", message);
		start(arena, a, i);
	}
	kill_container(arena, a, s, c, message, reason);
	return false;
}

void pod_actions_compute(struct arena *arena, const struct pod *pod, const struct pod_status *status,
	const struct probe_results *results, const struct actuated_resources *actuated, struct pod_actions *ret)
{
	*ret = (struct pod_actions){0};
	ret->create_sandbox = pod_sandbox_changed(pod, status, &ret->attempt, &ret->sandbox_id);
	ret->kill_pod = ret->create_sandbox;
	if (ret->create_sandbox) {
		from_scratch(arena, pod, status, ret);
		return;
	}
	for (size_t i = 0; i < pod->n_ephemeral; i++)
		if (!pod_status_find(status, pod->ephemeral[i]->name))
			ARENA_PUSH(arena, ret->ephemeral_to_start, ret->n_ephemeral_to_start) = i;
	bool initialized = init_actions(arena, pod, status, results, actuated, ret);
	if (ret->kill_pod || !initialized)
		return;
	size_t n_kept = 0;
	for (size_t i = 0; i < pod_spec(pod)->n_containers; i++)
		n_kept += visit_container(arena, pod, status, results, actuated, i, ret);
	if (!n_kept && !ret->n_to_start) {
		ret->kill_pod = true;
		ret->n_init_to_start = 0;
	}
}
