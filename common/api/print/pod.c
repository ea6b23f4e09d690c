/* The row of a pod: readiness, the one word that says how it is, restarts. */
#include <inttypes.h>
#include "api/print/internal.h"

struct pod_view {
	char *reason;
	int64_t restarts, sidecar_restarts, ready, total;
	const MetaV1Time *last_restart, *last_sidecar_restart;
};

static bool is_sidecar(const CoreV1PodSpec *spec, const char *name)
{
	for (size_t i = 0; spec && i < spec->n_init_containers; i++)
		if (str_eq(spec->init_containers[i]->name, name))
			return str_eq(spec->init_containers[i]->restart_policy, "Always");
	return false;
}

static void note_restart(const MetaV1Time **last, const CoreV1ContainerStatus *c)
{
	const CoreV1ContainerState *state = c->last_state;

	if (state && state->terminated && time_compare(*last, state->terminated->finished_at) < 0)
		*last = state->terminated->finished_at;
}

static char *exit_reason(struct arena *arena, const char *prefix, const CoreV1ContainerStateTerminated *t)
{
	if (!str_empty(t->reason))
		return arena_printf(arena, "%s%s", prefix, t->reason);
	if (t->signal)
		return arena_printf(arena, "%sSignal:%" PRId32, prefix, t->signal);
	return arena_printf(arena, "%sExitCode:%" PRId32, prefix, t->exit_code);
}

/* Whether an init container still keeps the pod from running; then the reason says how. */
static bool init_blocks(
	struct arena *arena, struct pod_view *v, const CoreV1PodSpec *spec, const CoreV1ContainerStatus *c, size_t i)
{
	const CoreV1ContainerState *state = c->state;
	bool sidecar = is_sidecar(spec, c->name);

	v->restarts += c->restart_count;
	note_restart(&v->last_restart, c);
	if (sidecar) {
		v->sidecar_restarts += c->restart_count;
		note_restart(&v->last_sidecar_restart, c);
	}
	if (state && state->terminated && !state->terminated->exit_code)
		return false;
	if (sidecar && c->has_started && c->started) {
		v->ready += c->ready ? 1 : 0;
		return false;
	}
	if (state && state->terminated)
		v->reason = exit_reason(arena, "Init:", state->terminated);
	else if (state && state->waiting && !str_empty(state->waiting->reason) &&
		 !str_eq(state->waiting->reason, "PodInitializing"))
		v->reason = arena_printf(arena, "Init:%s", state->waiting->reason);
	else
		v->reason = arena_printf(arena, "Init:%zu/%zu", i, spec ? spec->n_init_containers : 0);
	return true;
}

/* Returns whether this container runs. */
static bool view_container(struct arena *arena, struct pod_view *v, const CoreV1ContainerStatus *c)
{
	const CoreV1ContainerState *state = c->state;

	v->restarts += c->restart_count;
	note_restart(&v->last_restart, c);
	if (state && state->waiting && !str_empty(state->waiting->reason)) {
		v->reason = arena_strdup(arena, state->waiting->reason);
	} else if (state && state->terminated) {
		v->reason = exit_reason(arena, "", state->terminated);
	} else if (c->ready && state && state->running) {
		v->ready++;
		return true;
	}
	return false;
}

static bool pod_condition_is(const CoreV1PodStatus *status, const char *type)
{
	return status && condition_is((void *const *)status->conditions, status->n_conditions, type, "True");
}

static void view_containers(struct arena *arena, struct pod_view *v, const CoreV1PodStatus *status)
{
	bool running = false;

	v->restarts = v->sidecar_restarts;
	v->last_restart = v->last_sidecar_restart;
	for (size_t i = status ? status->n_container_statuses : 0; i > 0; i--)
		running = view_container(arena, v, status->container_statuses[i - 1]) || running;
	if (str_eq(v->reason, "Completed") && running)
		v->reason = arena_strdup(arena, pod_condition_is(status, "Ready") ? "Running" : "NotReady");
}

static void view_deletion(struct arena *arena, struct pod_view *v, const CoreV1Pod *pod)
{
	const CoreV1PodStatus *status = pod->status;
	const char *phase = status ? str_or_empty(status->phase) : "";

	if (!meta_is_deleting(pod->metadata))
		return;
	if (status && str_eq(status->reason, "NodeLost"))
		v->reason = arena_strdup(arena, "Unknown");
	else if (!str_eq(phase, "Succeeded") && !str_eq(phase, "Failed"))
		v->reason = arena_strdup(arena, "Terminating");
}

static void view_pod(struct arena *arena, const CoreV1Pod *pod, struct pod_view *v)
{
	const CoreV1PodSpec *spec = pod->spec;
	const CoreV1PodStatus *status = pod->status;
	bool initializing = false;

	*v = (struct pod_view){.total = spec ? (int64_t)spec->n_containers : 0};
	v->reason = arena_strdup(arena, status ? str_or(status->reason, str_or_empty(status->phase)) : "");
	for (size_t i = 0; status && i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, "PodScheduled") &&
			str_eq(status->conditions[i]->reason, "SchedulingGated"))
			v->reason = arena_strdup(arena, "SchedulingGated");
	for (size_t i = 0; spec && i < spec->n_init_containers; i++)
		v->total += str_eq(spec->init_containers[i]->restart_policy, "Always");
	for (size_t i = 0; status && i < status->n_init_container_statuses && !initializing; i++)
		initializing = init_blocks(arena, v, spec, status->init_container_statuses[i], i);
	if (!initializing || pod_condition_is(status, "Initialized"))
		view_containers(arena, v, status);
	view_deletion(arena, v, pod);
}

char *print_pod_status(struct arena *arena, const CoreV1Pod *pod)
{
	struct pod_view v;

	view_pod(arena, pod, &v);
	return v.reason;
}

static void cell_gates(struct printer *p, const CoreV1Pod *pod)
{
	size_t n = pod->spec ? pod->spec->n_readiness_gates : 0, n_true = 0;

	for (size_t i = 0; i < n; i++)
		n_true += pod_condition_is(pod->status, pod->spec->readiness_gates[i]->condition_type);
	if (n)
		cell_printf(p, "%zu/%zu", n_true, n);
	else
		cell_text(p, "<none>");
}

static void print_pod(struct printer *p, const void *msg)
{
	const CoreV1Pod *pod = msg;
	const CoreV1PodStatus *status = pod->status;
	struct pod_view v;

	view_pod(p->arena, pod, &v);
	cell_name(p, pod);
	cell_printf(p, "%" PRId64 "/%" PRId64, v.ready, v.total);
	cell_text(p, v.reason);
	if (v.restarts && !time_is_zero(v.last_restart))
		cell_since(p, arena_printf(p->arena, "%" PRId64 " (", v.restarts), v.last_restart->seconds, " ago)");
	else
		cell_printf(p, "%" PRId64, v.restarts);
	cell_age(p, pod);
	cell_or_none(p, status && status->n_pod_ips ? status->pod_ips[0]->ip : "");
	cell_or_none(p, pod->spec ? pod->spec->node_name : "");
	cell_or_none(p, status ? status->nominated_node_name : "");
	cell_gates(p, pod);
}

const struct kind_printer print_pod_kinds[] = {{&CoreV1Pod_schema, print_pod}, {0}};
