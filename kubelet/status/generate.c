#include "api/copy.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/str.h"
#include "kubelet/pod/resources.h"
#include "kubelet/status/conditions.h"
#include "kubelet/status/status.h"

#define LOST_EXIT_CODE 137
#define LOST_REASON "ContainerStatusUnknown"
#define LOST_AT_END "The container could not be located when the pod was terminated"
#define LOST_RUNNING "The container could not be located when the pod was deleted.  The container used to be Running"

static MetaV1Time *time_of_ns(struct arena *arena, int64_t ns)
{
	MetaV1Time *t = API_NEW(arena, MetaV1Time);
	t->seconds = ns / 1000000000;
	return t;
}

static char *container_id(struct arena *arena, const struct status_input *in, const struct container_status *cs)
{
	return arena_printf(arena, "%s://%s", in->runtime_name, cs->id);
}

static CoreV1ContainerStateTerminated *terminated_lost(struct arena *arena, const char *message)
{
	CoreV1ContainerStateTerminated *t = API_NEW(arena, CoreV1ContainerStateTerminated);
	t->reason = arena_strdup(arena, LOST_REASON);
	t->message = arena_strdup(arena, message);
	t->exit_code = LOST_EXIT_CODE;
	return t;
}

static CoreV1ContainerState *waiting_state(struct arena *arena, const char *reason, const char *message)
{
	CoreV1ContainerState *state = API_NEW(arena, CoreV1ContainerState);
	state->waiting = API_NEW(arena, CoreV1ContainerStateWaiting);
	state->waiting->reason = arena_strdup(arena, str_or_empty(reason));
	state->waiting->message = arena_strdup(arena, str_or_empty(message));
	return state;
}

static bool is_terminated(const CoreV1ContainerState *state)
{
	return state && state->terminated;
}
static bool is_running(const CoreV1ContainerState *state)
{
	return state && state->running;
}

static CoreV1ContainerState *state_of(struct arena *arena, const struct status_input *in,
	const struct container_status *cs, const CoreV1ContainerStatus *old, CoreV1ContainerStatus *status)
{
	CoreV1ContainerState *state = API_NEW(arena, CoreV1ContainerState);
	switch (cs->state) {
	case CONTAINER_RUNNING:
		state->running = API_NEW(arena, CoreV1ContainerStateRunning);
		state->running->started_at = time_of_ns(arena, cs->started_at);
		return state;
	case CONTAINER_EXITED:
		state->terminated = API_NEW(arena, CoreV1ContainerStateTerminated);
		state->terminated->exit_code = cs->exit_code;
		state->terminated->reason = arena_strdup(arena, cs->reason);
		state->terminated->message = arena_strdup(arena, cs->message);
		state->terminated->started_at = time_of_ns(arena, cs->started_at);
		state->terminated->finished_at = time_of_ns(arena, cs->finished_at);
		state->terminated->container_id = container_id(arena, in, cs);
		return state;
	case CONTAINER_UNKNOWN:
		if (old && is_running(old->state)) {
			state->terminated = terminated_lost(arena, LOST_AT_END);
			status->restart_count = old->restart_count + 1;
			return state;
		}
		break;
	case CONTAINER_CREATED:
		break;
	}
	return waiting_state(arena, NULL, NULL);
}

static void set_amount(struct arena *arena, MapQuantityEntry ***list, size_t *n, const char *name, int64_t amount)
{
	bool cpu = str_eq(name, "cpu");
	struct quantity q =
		cpu ? quantity_from_milli(amount, QUANTITY_DECIMAL_SI) : quantity_from_int(amount, QUANTITY_BINARY_SI);
	int64_t old;
	/* An equal amount stays as it was written. */
	if ((cpu ? resource_milli : resource_value)(*list, *n, name, &old) && old == amount)
		return;
	quantity_map_set(arena, list, n, name, quantity_format(arena, &q));
}

/*
 * What a running container may use: as the runtime tells; what it does not tell is what it was told last. The least
 * amounts of a cgroup stand for whatever was asked for below them.
 */
static void running_resources(struct arena *arena, const struct status_input *in, const struct container_status *cs,
	const CoreV1Container *c, CoreV1ResourceRequirements *r)
{
	const CoreV1ResourceRequirements *told_message =
		in->actuated.of ? in->actuated.of(in->actuated.data, arena, in->pod->uid, c->name) : NULL;
	struct resizable asked = resizable_of(c->resources), told = told_message ? resizable_of(told_message) : asked;
	int64_t limit = cs->cpu_period > 0 && cs->cpu_quota > 0 ? cs->cpu_quota * 1000 / cs->cpu_period : 0;
	int64_t request = cs->cpu_shares >= CPU_MIN_SHARES ? (cs->cpu_shares * 1000 + 1023) / 1024 : 0;
	if (r->n_limits && limit > 0 && (limit > CPU_MIN_LIMIT_MILLI || asked.cpu_limit > CPU_MIN_LIMIT_MILLI))
		set_amount(arena, &r->limits, &r->n_limits, "cpu", limit);
	else if (limit <= 0 && asked.cpu_limit && told.cpu_limit)
		set_amount(arena, &r->limits, &r->n_limits, "cpu", told.cpu_limit);
	if (r->n_limits && cs->memory_limit > 0)
		set_amount(arena, &r->limits, &r->n_limits, "memory", cs->memory_limit);
	else if (asked.memory_limit && told.memory_limit)
		set_amount(arena, &r->limits, &r->n_limits, "memory", told.memory_limit);
	if (r->n_requests && request > 0 && (request > CPU_MIN_SHARES || asked.cpu_request > CPU_MIN_SHARES))
		set_amount(arena, &r->requests, &r->n_requests, "cpu", request);
	else if (request <= 0 && asked.cpu_request && told.cpu_request)
		set_amount(arena, &r->requests, &r->n_requests, "cpu", told.cpu_request);
	if (asked.memory_request)
		set_amount(arena, &r->requests, &r->n_requests, "memory", told.memory_request);
}

static void fill_resources(struct arena *arena, const struct status_input *in, const struct container_status *cs,
	const CoreV1Container *c, CoreV1ContainerStatus *status)
{
	status->resources = c->resources ? api_copy(arena, c->resources) : API_NEW(arena, CoreV1ResourceRequirements);
	if (cs->state == CONTAINER_RUNNING)
		running_resources(arena, in, cs, c, status->resources);
	for (size_t i = 0; c->resources && i < c->resources->n_requests; i++)
		ARENA_PUSH(arena, status->allocated_resources, status->n_allocated_resources) =
			api_copy(arena, c->resources->requests[i]);
}

static CoreV1ContainerStatus *convert(struct arena *arena, const struct status_input *in,
	const struct container_status *cs, const CoreV1Container *c, const CoreV1ContainerStatus *old)
{
	CoreV1ContainerStatus *status = API_NEW(arena, CoreV1ContainerStatus);
	status->name = arena_strdup(arena, cs->name);
	status->restart_count = cs->restart_count;
	status->image = arena_strdup(arena, cs->image);
	status->image_id = arena_strdup(arena, cs->image_ref);
	status->container_id = container_id(arena, in, cs);
	status->state = state_of(arena, in, cs, old, status);
	fill_resources(arena, in, cs, c, status);
	return status;
}

static void fill_volume_mounts(struct arena *arena, const CoreV1Container *c, CoreV1ContainerStatus *status)
{
	for (size_t i = 0; i < c->n_volume_mounts; i++) {
		CoreV1VolumeMountStatus *m = API_NEW(arena, CoreV1VolumeMountStatus);
		m->name = arena_strdup(arena, c->volume_mounts[i]->name);
		m->mount_path = arena_strdup(arena, c->volume_mounts[i]->mount_path);
		m->read_only = c->volume_mounts[i]->read_only;
		if (m->read_only)
			m->recursive_read_only = arena_strdup(arena, "Disabled");
		ARENA_PUSH(arena, status->volume_mounts, status->n_volume_mounts) = m;
	}
}

static const CoreV1ContainerStatus *find_status(CoreV1ContainerStatus *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i]->name, name))
			return list[i];
	return NULL;
}

/* Before the runtime is asked: waiting, or what was known last. */
static CoreV1ContainerStatus *initial_status(
	struct arena *arena, const struct status_input *in, const CoreV1Container *c, const CoreV1ContainerStatus *old)
{
	const char *reason = pod_spec(in->pod)->n_init_containers ? "PodInitializing" : "ContainerCreating";
	if (old && is_terminated(old->state))
		return api_copy(arena, (CoreV1ContainerStatus *)old);
	CoreV1ContainerStatus *status = API_NEW(arena, CoreV1ContainerStatus);
	status->name = arena_strdup(arena, c->name);
	status->image = arena_strdup(arena, c->image);
	status->state = waiting_state(arena, reason, NULL);
	fill_volume_mounts(arena, c, status);
	if (!old)
		return status;
	status->restart_count = old->restart_count;
	if (old->last_state)
		status->last_state = api_copy(arena, old->last_state);
	/* It ran when last seen and the runtime knows nothing of it. */
	if (is_running(old->state) && !pod_status_find(in->runtime, c->name) && !is_terminated(status->last_state)) {
		status->last_state = API_NEW(arena, CoreV1ContainerState);
		status->last_state->terminated = terminated_lost(arena, LOST_RUNNING);
		if (!pod_deleting(in->pod))
			status->restart_count++;
	}
	return status;
}

/* The two newest instances of the container: the state, and the last state. */
static CoreV1ContainerStatus *from_runtime(struct arena *arena, const struct status_input *in, const CoreV1Container *c,
	const CoreV1ContainerStatus *old, CoreV1ContainerStatus *status)
{
	int seen = 0;
	for (size_t i = 0; i < in->runtime->n_containers && seen < 2; i++) {
		const struct container_status *cs = &in->runtime->containers[i];
		if (!str_eq(cs->name, c->name))
			continue;
		CoreV1ContainerStatus *converted = convert(arena, in, cs, c, old);
		if (seen++ == 0) {
			if (old && old->n_volume_mounts) {
				converted->volume_mounts =
					((CoreV1ContainerStatus *)api_copy_msg(arena, old))->volume_mounts;
				converted->n_volume_mounts = old->n_volume_mounts;
			} else {
				converted->volume_mounts = status->volume_mounts;
				converted->n_volume_mounts = status->n_volume_mounts;
			}
			status = converted;
		} else {
			status->last_state = converted->state;
		}
	}
	return status;
}

/* A container that should run and does not shows why: the last sync's answer. */
static void apply_reason(struct arena *arena, const struct status_input *in, const CoreV1Container *c, bool is_init,
	CoreV1ContainerStatus *status)
{
	const struct container_status *cs = pod_status_find(in->runtime, c->name);
	if (is_init && cs && cs->state == CONTAINER_EXITED && cs->exit_code == 0)
		return;
	if (!container_should_restart(in->pod, c, in->runtime))
		return;
	const struct sync_result *r = in->reason ? in->reason(in->reason_data, c->name) : NULL;
	if (!r)
		return;
	if (is_terminated(status->state))
		status->last_state = status->state;
	status->state = waiting_state(arena, r->reason, r->message);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(CoreV1ContainerStatus *const *)a)->name, (*(CoreV1ContainerStatus *const *)b)->name);
}

static CoreV1ContainerStatus **container_statuses(struct arena *arena, const struct status_input *in,
	CoreV1Container *const *containers, size_t n, CoreV1ContainerStatus *const *old, size_t n_old, bool is_init)
{
	CoreV1ContainerStatus **list = ARENA_ARRAY(arena, CoreV1ContainerStatus *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const CoreV1ContainerStatus *before = find_status(old, n_old, containers[i]->name);
		list[i] = initial_status(arena, in, containers[i], before);
		list[i] = from_runtime(arena, in, containers[i], before, list[i]);
		apply_reason(arena, in, containers[i], is_init, list[i]);
	}
	if (n && !is_init)
		qsort(list, n, sizeof(list[0]), by_name);
	return list;
}

struct phase_counts {
	int pending_init, pending_sidecars, failed_init;
	int unknown, running, waiting, stopped, succeeded;
};

static void count_init(struct phase_counts *n, const CoreV1ContainerStatus *s)
{
	const CoreV1ContainerState *state = s ? s->state : NULL;
	if (is_terminated(state))
		n->failed_init += state->terminated->exit_code != 0;
	else if (state && state->waiting && is_terminated(s->last_state))
		n->failed_init += s->last_state->terminated->exit_code != 0;
	else
		n->pending_init++;
}

static void count_sidecar(struct phase_counts *n, const CoreV1ContainerStatus *s)
{
	const CoreV1ContainerState *state = s ? s->state : NULL;
	if (is_running(state)) {
		n->pending_sidecars += !(s->has_started && s->started);
		n->running++;
	} else if (state && state->waiting && !is_terminated(s->last_state)) {
		n->pending_sidecars++;
		n->waiting++;
	} else if (!s) {
		n->unknown++;
	} else if (!is_terminated(state) && !(state && state->waiting)) {
		n->pending_sidecars++;
		n->unknown++;
	}
}

static void count_container(struct phase_counts *n, const CoreV1ContainerStatus *s)
{
	const CoreV1ContainerState *state = s ? s->state : NULL;
	if (is_running(state)) {
		n->running++;
	} else if (is_terminated(state)) {
		n->stopped++;
		n->succeeded += state->terminated->exit_code == 0;
	} else if (state && state->waiting) {
		if (is_terminated(s->last_state))
			n->stopped++;
		else
			n->waiting++;
	} else {
		n->unknown++;
	}
}

const char *status_phase(const struct pod *pod, CoreV1ContainerStatus *const *statuses, size_t n_statuses,
	bool terminal, bool initialized)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	struct phase_counts n = {0};
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		const CoreV1Container *c = spec->init_containers[i];
		(container_restartable_init(c) ? count_sidecar : count_init)(
			&n, find_status(statuses, n_statuses, c->name));
	}
	for (size_t i = 0; i < spec->n_containers; i++)
		count_container(&n, find_status(statuses, n_statuses, spec->containers[i]->name));

	if (n.failed_init && str_eq(spec->restart_policy, "Never"))
		return "Failed";
	if (n.pending_init || (n.pending_sidecars && !initialized) || n.waiting)
		return "Pending";
	if (n.running && !n.unknown)
		return "Running";
	if (n.running || !n.stopped || n.unknown)
		return "Pending";
	const char *ended = n.stopped == n.succeeded ? "Succeeded" : "Failed";
	if (terminal && !pod->is_static)
		return ended;
	if (str_eq(spec->restart_policy, "Always"))
		return "Running";
	if (n.stopped == n.succeeded || str_eq(spec->restart_policy, "Never"))
		return ended;
	return "Running";
}

/* Whether an ordinary container of the present sandbox has begun. */
static bool any_active_started(const struct pod *pod, const struct pod_status *runtime)
{
	if (!runtime->active_sandbox)
		return false;
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < runtime->n_containers; i++) {
		const struct container_status *cs = &runtime->containers[i];
		if (!str_eq(cs->sandbox_id, runtime->active_sandbox))
			continue;
		if (cs->state != CONTAINER_RUNNING && cs->state != CONTAINER_EXITED)
			continue;
		for (size_t j = 0; j < spec->n_containers; j++)
			if (str_eq(spec->containers[j]->name, cs->name))
				return true;
	}
	return false;
}

static void fill_ips(struct arena *arena, const struct status_input *in, CoreV1PodStatus *s)
{
	for (size_t i = 0; i < in->runtime->n_ips; i++) {
		CoreV1PodIP *ip = API_NEW(arena, CoreV1PodIP);
		ip->ip = arena_strdup(arena, in->runtime->ips[i]);
		ARENA_PUSH(arena, s->pod_ips, s->n_pod_ips) = ip;
	}
	if (!str_empty(in->host_ip)) {
		s->host_ip = arena_strdup(arena, in->host_ip);
		CoreV1HostIP *ip = API_NEW(arena, CoreV1HostIP);
		ip->ip = s->host_ip;
		ARENA_PUSH(arena, s->host_ips, s->n_host_ips) = ip;
		if (in->pod->host_network && !s->n_pod_ips) {
			CoreV1PodIP *own = API_NEW(arena, CoreV1PodIP);
			own->ip = s->host_ip;
			ARENA_PUSH(arena, s->pod_ips, s->n_pod_ips) = own;
		}
	}
	if (s->n_pod_ips)
		s->pod_ip = s->pod_ips[0]->ip;
}

static void fill_phase(
	struct arena *arena, const struct status_input *in, CoreV1ContainerStatus **all, size_t n, CoreV1PodStatus *s)
{
	const CoreV1PodStatus *api = in->pod->api->status;
	const char *phase = status_phase(in->pod, all, n, in->terminal, any_active_started(in->pod, in->runtime));
	/* What has ended stays ended. */
	if (!pod_phase_terminal(phase)) {
		if (pod_phase_terminal(in->old->phase))
			phase = in->old->phase;
		else if (pod_phase_terminal(api->phase))
			phase = api->phase;
	}
	if (pod_phase_terminal(api->phase))
		phase = api->phase;
	s->phase = arena_strdup(arena, phase);
	if (str_eq(s->phase, in->old->phase)) {
		s->reason = arena_strdup(arena, str_or(in->old->reason, api->reason));
		s->message = arena_strdup(arena, str_or(in->old->message, api->message));
	}
	/* A pod out of time fails, whatever its containers end with when they are stopped. */
	if (in->past_deadline && !pod_phase_terminal(api->phase)) {
		s->phase = arena_strdup(arena, "Failed");
		s->reason = arena_strdup(arena, STATUS_REASON_DEADLINE);
		s->message = arena_strdup(arena, "Pod was active on the node longer than the specified deadline");
	}
}

static void fill_conditions(
	struct arena *arena, const struct status_input *in, CoreV1ContainerStatus **all, size_t n, CoreV1PodStatus *s)
{
	const CoreV1PodStatus *api = in->pod->api->status;
	for (size_t i = 0; i < api->n_conditions; i++)
		if (!status_condition_is_ours(api->conditions[i]->type))
			ARENA_PUSH(arena, s->conditions, s->n_conditions) = api_copy(arena, api->conditions[i]);
	for (size_t i = 0; i < in->n_resize; i++)
		ARENA_PUSH(arena, s->conditions, s->n_conditions) = api_copy(arena, in->resize[i]);
	const CoreV1PodCondition *target = status_condition(in->old, "DisruptionTarget");
	if (target && !status_condition(s, "DisruptionTarget"))
		ARENA_PUSH(arena, s->conditions, s->n_conditions) = api_copy(arena, (CoreV1PodCondition *)target);
	uint32_t attempt;
	const char *id;
	bool ready_to_start = !pod_sandbox_changed(in->pod, in->runtime, &attempt, &id);
	condition_add(arena, s, "PodReadyToStartContainers", ready_to_start, NULL, NULL);
	conditions_add_initialized(arena, in->pod, s, all, n);
	conditions_add_ready(arena, in->pod, s, all, n);
	condition_add(arena, s, "PodScheduled", true, NULL, NULL);
	for (size_t i = 0; i < s->n_conditions; i++)
		if (status_condition_is_ours(s->conditions[i]->type) && !s->conditions[i]->observed_generation)
			s->conditions[i]->observed_generation = in->pod->api->metadata->generation;
}

CoreV1PodStatus *status_generate(struct arena *arena, const struct status_input *in)
{
	const CoreV1PodSpec *spec = pod_spec(in->pod);
	CoreV1PodStatus *s = API_NEW(arena, CoreV1PodStatus);
	s->qos_class = arena_strdup(arena, pod_qos_name(pod_qos(in->pod)));
	s->observed_generation = in->pod->api->metadata->generation;
	s->n_container_statuses = spec->n_containers;
	s->container_statuses = container_statuses(arena, in, spec->containers, spec->n_containers,
		in->old->container_statuses, in->old->n_container_statuses, false);
	s->n_init_container_statuses = spec->n_init_containers;
	s->init_container_statuses = container_statuses(arena, in, spec->init_containers, spec->n_init_containers,
		in->old->init_container_statuses, in->old->n_init_container_statuses, true);
	s->n_ephemeral_container_statuses = in->pod->n_ephemeral;
	s->ephemeral_container_statuses = container_statuses(arena, in, in->pod->ephemeral, in->pod->n_ephemeral,
		in->old->ephemeral_container_statuses, in->old->n_ephemeral_container_statuses, false);

	size_t n;
	CoreV1ContainerStatus **all = conditions_all_statuses(arena, s, &n);
	fill_ips(arena, in, s);
	fill_phase(arena, in, all, n, s);
	if (in->fill_probes)
		in->fill_probes(in->probe_data, in->pod, s);
	fill_conditions(arena, in, all, n, s);
	return s;
}
