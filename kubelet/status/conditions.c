#include "kubelet/status/conditions.h"

#include "base/str.h"
#include "kubelet/allocation/conditions.h"
#include "kubelet/status/status.h"

/* DisruptionTarget is shared with others; these are the kubelet's alone. */
static const char *const ours[] = {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady",
	"PodScheduled", CONDITION_RESIZE_PENDING, CONDITION_RESIZE_IN_PROGRESS, NULL};

bool status_condition_is_ours(const char *type)
{
	/* PodScheduled is set by the scheduler; the kubelet repeats it, for static pods have no other. */
	return str_in(type, ours);
}

CoreV1PodCondition *status_condition(const CoreV1PodStatus *status, const char *type)
{
	for (size_t i = 0; i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, type))
			return status->conditions[i];
	return NULL;
}

void condition_add(struct arena *arena, CoreV1PodStatus *status, const char *type, bool value, const char *reason,
	const char *message)
{
	CoreV1PodCondition *c = status_condition(status, type);
	if (!c) {
		c = API_NEW(arena, CoreV1PodCondition);
		c->type = arena_strdup(arena, type);
		ARENA_PUSH(arena, status->conditions, status->n_conditions) = c;
	}
	c->status = arena_strdup(arena, value ? "True" : "False");
	c->reason = arena_strdup(arena, str_or_empty(reason));
	c->message = arena_strdup(arena, str_or_empty(message));
}

CoreV1ContainerStatus **conditions_all_statuses(struct arena *arena, const CoreV1PodStatus *status, size_t *ret_n)
{
	size_t n_init = status->n_init_container_statuses, n_main = status->n_container_statuses;
	CoreV1ContainerStatus **all = ARENA_ARRAY(arena, CoreV1ContainerStatus *, n_init + n_main + 1);
	for (size_t i = 0; i < n_init; i++)
		all[i] = status->init_container_statuses[i];
	for (size_t i = 0; i < n_main; i++)
		all[n_init + i] = status->container_statuses[i];
	*ret_n = n_init + n_main;
	return all;
}

struct names {
	struct strbuf unknown;
	struct strbuf bad;
};

static void names_add(struct strbuf *list, const char *name)
{
	strbuf_printf(list, "%s%s", list->len ? " " : "", name);
}

/* "containers with unknown status: [a b], containers with unready status: [c]"; NULL if both are empty. */
static char *names_message(struct arena *arena, struct names *n, const char *kind)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (n->unknown.len)
		strbuf_printf(&out, "containers with unknown status: [%s]", n->unknown.buf);
	if (n->bad.len)
		strbuf_printf(&out, "%scontainers with %s status: [%s]", out.len ? ", " : "", kind, n->bad.buf);
	return out.len ? arena_strdup(arena, out.buf) : NULL;
}

static const CoreV1ContainerStatus *find(CoreV1ContainerStatus *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i]->name, name))
			return list[i];
	return NULL;
}

static bool any_regular_started(const struct pod *pod, CoreV1ContainerStatus *const *list, size_t n)
{
	for (size_t i = 0; i < pod_spec(pod)->n_containers; i++) {
		const CoreV1ContainerStatus *s = find(list, n, pod_spec(pod)->containers[i]->name);
		if (!s)
			continue;
		if (s->state && (s->state->running || s->state->terminated))
			return true;
		if (s->last_state && s->last_state->terminated)
			return true;
	}
	return false;
}

void conditions_add_initialized(struct arena *arena, const struct pod *pod, CoreV1PodStatus *status,
	CoreV1ContainerStatus *const *statuses, size_t n)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	struct names names = {STRBUF_INIT, STRBUF_INIT};
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		const CoreV1Container *c = spec->init_containers[i];
		const CoreV1ContainerStatus *s = find(statuses, n, c->name);
		if (!s)
			names_add(&names.unknown, c->name);
		else if (container_restartable_init(c) ? !(s->has_started && s->started) : !s->ready)
			names_add(&names.bad, c->name);
	}
	char *message = names_message(arena, &names, "incomplete");
	if (str_eq(status->phase, "Succeeded") && !names.unknown.len)
		condition_add(arena, status, "Initialized", true, "PodCompleted", NULL);
	else if (any_regular_started(pod, statuses, n) || !message)
		condition_add(arena, status, "Initialized", true, NULL, NULL);
	else
		condition_add(arena, status, "Initialized", false, "ContainersNotInitialized", message);
	strbuf_done(&names.unknown);
	strbuf_done(&names.bad);
}

static char *gates_message(struct arena *arena, const struct pod *pod, const CoreV1PodStatus *status)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_readiness_gates; i++) {
		const char *type = spec->readiness_gates[i]->condition_type;
		const CoreV1PodCondition *c = status_condition(status, type);
		const char *separator = out.len ? ", " : "";
		if (!c)
			strbuf_printf(&out, "%scorresponding condition of pod readiness gate \"%s\" does not exist.",
				separator, type);
		else if (!str_eq(c->status, "True"))
			strbuf_printf(&out, "%sthe status of pod readiness gate \"%s\" is not \"True\", but %s",
				separator, type, c->status);
	}
	return out.len ? arena_strdup(arena, out.buf) : NULL;
}

static void collect_unready(
	const struct pod *pod, CoreV1ContainerStatus *const *statuses, size_t n, struct names *names)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_init_containers + spec->n_containers; i++) {
		bool is_init = i < spec->n_init_containers;
		const CoreV1Container *c =
			is_init ? spec->init_containers[i] : spec->containers[i - spec->n_init_containers];
		if (is_init && !container_restartable_init(c))
			continue;
		const CoreV1ContainerStatus *s = find(statuses, n, c->name);
		if (!s)
			names_add(&names->unknown, c->name);
		else if (!s->ready)
			names_add(&names->bad, c->name);
	}
}

void conditions_add_ready(struct arena *arena, const struct pod *pod, CoreV1PodStatus *status,
	CoreV1ContainerStatus *const *statuses, size_t n)
{
	struct names names = {STRBUF_INIT, STRBUF_INIT};
	collect_unready(pod, statuses, n, &names);
	bool ready = false;
	const char *reason = NULL, *message = NULL;
	if (str_eq(status->phase, "Succeeded") && !names.unknown.len) {
		reason = "PodCompleted";
	} else if (str_eq(status->phase, "Failed")) {
		reason = "PodFailed";
	} else {
		message = names_message(arena, &names, "unready");
		ready = !message;
		reason = ready ? NULL : "ContainersNotReady";
	}
	const char *gates = ready ? gates_message(arena, pod, status) : NULL;
	if (gates)
		condition_add(arena, status, "Ready", false, "ReadinessGatesNotReady", gates);
	else
		condition_add(arena, status, "Ready", ready, reason, message);
	condition_add(arena, status, "ContainersReady", ready, reason, message);
	strbuf_done(&names.unknown);
	strbuf_done(&names.bad);
}

void status_update_readiness(struct arena *arena, const struct pod *pod, CoreV1PodStatus *status)
{
	size_t n;
	CoreV1ContainerStatus **all = conditions_all_statuses(arena, status, &n);
	conditions_add_ready(arena, pod, status, all, n);
}
