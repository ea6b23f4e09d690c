#include <pthread.h>
#include "api/json.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "kubelet/pod/workers.h"
#include "kubelet/runtime/runtime.h"

#define MIN_GRACE_S 2
#define DEFAULT_GRACE_S 30

/* The probe that failed may have a period of its own; a pod being deleted has the one asked for; else the spec's. */
static int64_t grace_period(const struct pod *pod, const CoreV1Container *c, enum kill_reason reason)
{
	const MetaV1ObjectMeta *meta = pod->api->metadata;
	const CoreV1PodSpec *spec = pod_spec(pod);
	const CoreV1Probe *probe = NULL;
	if (meta->has_deletion_grace_period_seconds)
		return meta->deletion_grace_period_seconds;
	if (reason == KILL_STARTUP_PROBE)
		probe = c->startup_probe;
	else if (reason == KILL_LIVENESS_PROBE)
		probe = c->liveness_probe;
	if (probe && probe->has_termination_grace_period_seconds)
		return probe->termination_grace_period_seconds;
	if (spec->has_termination_grace_period_seconds)
		return spec->termination_grace_period_seconds;
	return DEFAULT_GRACE_S;
}

/* Returns the seconds that it took. */
static int64_t run_pre_stop(
	struct kubelet *k, const struct pod *pod, const CoreV1Container *c, const char *id, int64_t grace)
{
	int64_t start = clock_mono_ms(k->clock);
	struct status *s = hook_run(k, pod, c, id, c->lifecycle->pre_stop, grace * 1000);
	if (s) {
		log_status(s, "pod %s: preStop of %s", pod->ref, c->name);
		kubelet_pod_event(k, pod, c->name, EVENT_WARNING, "FailedPreStopHook", "PreStopHook failed");
	}
	return (clock_mono_ms(k->clock) - start) / 1000;
}

static struct status *stop(struct kubelet *k, const struct pod *pod, const CoreV1Container *c, const char *id,
	const char *message, int64_t grace)
{
	if (str_empty(message))
		kubelet_pod_event(k, pod, c->name, EVENT_NORMAL, "Killing", "Stopping container %s", c->name);
	else
		kubelet_pod_event(k, pod, c->name, EVENT_NORMAL, "Killing", "%s", message);
	if (c->lifecycle && c->lifecycle->pre_stop && grace > 0)
		grace -= run_pre_stop(k, pod, c, id, grace);
	return cri_stop_container(
		k->cri, id, grace < MIN_GRACE_S ? MIN_GRACE_S : grace, pod_workers_cancel(k->workers, pod->uid));
}

struct status *runtime_kill_container(struct kubelet *k, const struct pod *pod, const struct container_status *status,
	const char *message, enum kill_reason reason, const int64_t *grace_override)
{
	const CoreV1Container *c = pod_container(pod, status->name);
	if (!c)
		return cri_stop_container(k->cri, status->id, grace_override ? *grace_override : MIN_GRACE_S,
			pod_workers_cancel(k->workers, pod->uid));
	int64_t grace = grace_override ? *grace_override : grace_period(pod, c, reason);
	return status_wrap(stop(k, pod, c, status->id, message, grace), "container %s", status->name);
}

/* Order among containers that end together: sidecars outlive the ordinary ones, and the one started first ends last. */
struct kill_order {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t n_ordinary; /* still running */
	bool *sidecar_done;
	size_t n_sidecars; /* of the spec's init containers, by index */
};

struct kill_task {
	struct kubelet *k;
	const struct pod *pod;
	const struct container_status *status;
	const int64_t *grace_override;
	struct kill_order *order;
	bool is_sidecar;
	size_t index; /* of a sidecar */
	struct status *error;
	pthread_t thread;
};

static bool may_go(const struct kill_task *t)
{
	if (t->order->n_ordinary)
		return false;
	for (size_t i = t->index + 1; i < t->order->n_sidecars; i++)
		if (!t->order->sidecar_done[i])
			return false;
	return true;
}

static void wait_for_turn(struct kill_task *t)
{
	const CoreV1Container *c = pod_container(t->pod, t->status->name);
	int64_t grace = t->grace_override ? *t->grace_override : grace_period(t->pod, c, KILL_UNKNOWN);
	const int64_t deadline_ms = cond_deadline_ms((grace < INT32_MAX ? grace : INT32_MAX) * 1000);
	pthread_mutex_lock(&t->order->lock);
	while (!may_go(t) && cond_wait_until(&t->order->changed, &t->order->lock, deadline_ms))
		;
	pthread_mutex_unlock(&t->order->lock);
}

static void *kill_thread(void *data)
{
	struct kill_task *t = data;
	if (t->is_sidecar)
		wait_for_turn(t);
	t->error = runtime_kill_container(t->k, t->pod, t->status, NULL, KILL_UNKNOWN, t->grace_override);
	pthread_mutex_lock(&t->order->lock);
	if (t->is_sidecar)
		t->order->sidecar_done[t->index] = true;
	else
		t->order->n_ordinary--;
	pthread_cond_broadcast(&t->order->changed);
	pthread_mutex_unlock(&t->order->lock);
	return NULL;
}

static void classify(struct kill_task *t)
{
	const CoreV1PodSpec *spec = pod_spec(t->pod);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (str_eq(spec->init_containers[i]->name, t->status->name) &&
			container_restartable_init(spec->init_containers[i])) {
			t->is_sidecar = true;
			t->index = i;
			t->order->sidecar_done[i] = false;
			return;
		}
	t->order->n_ordinary++;
}

static struct status *kill_containers(
	struct kubelet *k, const struct pod *pod, const struct pod_status *status, const int64_t *grace_override)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct kill_order order = {.n_sidecars = pod_spec(pod)->n_init_containers};
	pthread_mutex_init(&order.lock, NULL);
	cond_init(&order.changed);
	order.sidecar_done = ARENA_ARRAY(arena, bool, order.n_sidecars + 1);
	for (size_t i = 0; i < order.n_sidecars; i++)
		order.sidecar_done[i] = true;
	struct kill_task *tasks = ARENA_ARRAY(arena, struct kill_task, status->n_containers + 1);
	size_t n = 0;
	for (size_t i = 0; i < status->n_containers; i++) {
		if (status->containers[i].state != CONTAINER_RUNNING)
			continue;
		tasks[n] = (struct kill_task){k, pod, &status->containers[i], grace_override, &order};
		classify(&tasks[n++]);
	}
	/* The last one is this thread's own, so that a pod of one container needs no other. */
	for (size_t i = 0; i + 1 < n; i++)
		tasks[i].thread = thread_start("kill", kill_thread, &tasks[i]);
	if (n)
		kill_thread(&tasks[n - 1]);
	struct status *error = NULL;
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n)
			pthread_join(tasks[i].thread, NULL);
		if (!error)
			error = tasks[i].error;
		else
			log_status(tasks[i].error, "pod %s", pod->ref);
	}
	pthread_cond_destroy(&order.changed);
	pthread_mutex_destroy(&order.lock);
	return error;
}

struct status *runtime_kill_pod(
	struct kubelet *k, const struct pod *pod, const struct pod_status *status, const int64_t *grace_override)
{
	struct status *error = kill_containers(k, pod, status, grace_override);
	/* A sandbox that ends takes its containers with it, however long they still have. */
	if (cancel_requested(pod_workers_cancel(k->workers, pod->uid)))
		return error;
	for (size_t i = 0; i < status->n_sandboxes; i++) {
		struct status *s = cri_stop_sandbox(k->cri, status->sandboxes[i].id);
		if (!error)
			error = s;
		else
			log_status(s, "pod %s: stop sandbox", pod->ref);
	}
	return error;
}

struct status *runtime_kill_runtime_pod(
	struct kubelet *k, const struct pod_status *status, const int64_t *grace_override)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Pod *api = API_NEW(arena, CoreV1Pod);
	api->metadata = API_NEW(arena, MetaV1ObjectMeta);
	api->metadata->name = arena_strdup(arena, status->name);
	api->metadata->namespace = arena_strdup(arena, status->namespace);
	api->metadata->uid = arena_strdup(arena, status->uid);
	CLEANUP(pod_unrefp) struct pod *pod = pod_new(api);
	return runtime_kill_pod(k, pod, status, grace_override);
}
