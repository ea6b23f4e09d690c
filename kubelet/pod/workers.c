#include "kubelet/pod/workers.h"

#include <pthread.h>
#include "base/cond.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/runtime/runtime.h"

#define RETRY_MS 10000
#define RETRY_NETWORK_MS 1000
#define RETRY_MOUNT_MS 500
#define RETRY_MOUNT_MAX_SHIFT 8
#define DEFAULT_GRACE_S 30
#define MIN_WAIT_S 10

struct worker {
	struct pod_workers *w;
	char *uid;
	char *full_name;
	struct pod *pod; /* the newest wanted; NULL: only the runtime knows it */
	bool is_static;
	enum pod_phase phase;
	bool pending;	       /* something to do now */
	bool busy;	       /* inside a step */
	struct cancel *cancel; /* ends the waits of the step that it is in */
	bool finished;	       /* the thread has ended */
	bool started;	       /* a static pod has waited for its turn */
	bool deleted;	       /* the apiserver or the manifest let it go */
	bool restart_requested;
	unsigned n_mount_failures; /* one after another */
	int64_t grace_seconds;	   /* of the termination; 0: not decided */
	struct pod_eviction eviction;
	char **after; /* uids of pods that must have ended before it begins */
	size_t n_after;
	int64_t after_until_ms;
	int64_t next_ms;   /* when the next sync is due without news */
	int64_t synced_ms; /* when the last step began reading */
	pthread_cond_t wake;
	pthread_t thread;
};

struct pod_workers {
	struct kubelet *k;
	pthread_mutex_t lock;
	struct strmap *workers;
	struct strmap *static_running; /* full name → uid of the static pod that runs under it */
	bool seen_all;		       /* a cleanup has been told of all wanted pods */
	bool stopping;
};

static struct pod_eviction eviction_copy(const struct pod_eviction *e)
{
	return (struct pod_eviction){mem_strdup(e->reason), mem_strdup(e->message), mem_strdup(e->disruption)};
}

static void eviction_free(struct pod_eviction *e)
{
	free((char *)e->reason);
	free((char *)e->message);
	free((char *)e->disruption);
}

static void forget_after(struct worker *worker)
{
	for (size_t i = 0; i < worker->n_after; i++)
		free(worker->after[i]);
	free(worker->after);
	worker->after = NULL;
	worker->n_after = 0;
}

static void worker_free(void *p)
{
	struct worker *worker = p;
	pod_unref(worker->pod);
	pthread_cond_destroy(&worker->wake);
	free(worker->uid);
	free(worker->full_name);
	cancel_free(worker->cancel);
	eviction_free(&worker->eviction);
	forget_after(worker);
	free(worker);
}

struct pod_workers *pod_workers_new(struct kubelet *k)
{
	struct pod_workers *w = mem_zalloc(sizeof(*w));
	w->k = k;
	pthread_mutex_init(&w->lock, NULL);
	w->workers = strmap_new(NULL);
	w->static_running = strmap_new(free);
	return w;
}

static int64_t jitter(int64_t ms)
{
	return ms + random_below((uint32_t)(ms / 2) + 1);
}

/* The pods whose place it takes have the time that they need to end, and half of it again. */
static bool others_ended(struct worker *worker)
{
	bool ended = worker->phase != POD_SYNCING || clock_mono_ms(worker->w->k->clock) >= worker->after_until_ms;
	bool all = true;
	for (size_t i = 0; i < worker->n_after && !ended; i++) {
		const struct worker *other = strmap_get(worker->w->workers, worker->after[i]);
		all &= !other || other->phase == POD_TERMINATED;
	}
	if (ended || all)
		forget_after(worker);
	return ended || all;
}

/* Lock held. */
static void begin_after(struct worker *worker, char *const *uids, size_t n)
{
	int64_t seconds = MIN_WAIT_S;
	worker->after = mem_calloc(n + 1, sizeof(worker->after[0]));
	for (size_t i = 0; i < n; i++) {
		const struct worker *other = strmap_get(worker->w->workers, uids[i]);
		const CoreV1PodSpec *spec = other && other->pod ? pod_spec(other->pod) : NULL;
		int64_t grace =
			spec && spec->has_termination_grace_period_seconds ? spec->termination_grace_period_seconds : 0;
		if (grace + grace / 2 > seconds)
			seconds = grace + grace / 2;
		worker->after[worker->n_after++] = mem_strdup(uids[i]);
	}
	worker->after_until_ms = clock_mono_ms(worker->w->k->clock) + seconds * 1000;
}

/* Two static pods of one name follow each other: the second waits until the first has ended. */
static bool may_start(struct worker *worker)
{
	if (!others_ended(worker))
		return false;
	if (worker->started || !worker->is_static)
		return true;
	const char *holder = strmap_get(worker->w->static_running, worker->full_name);
	if (holder && !str_eq(holder, worker->uid))
		return false;
	strmap_put(worker->w->static_running, worker->full_name, mem_strdup(worker->uid));
	worker->started = true;
	return true;
}

struct step {
	struct pod *pod;
	enum pod_phase phase;
	int64_t grace;
	int64_t newer_than;
	struct pod_eviction eviction;
};

static struct status *runtime_only_step(struct worker *worker, const struct step *step)
{
	CLEANUP(pod_status_unrefp) struct pod_status *status = NULL;
	struct kubelet *k = worker->w->k;
	TRY(pleg_pod_status(k->pleg, worker->uid, step->newer_than, &status));
	return runtime_kill_runtime_pod(k, status, &step->grace);
}

static struct status *run_step(struct worker *worker, const struct step *step, struct pod_step_outcome *ret)
{
	struct kubelet *k = worker->w->k;
	*ret = (struct pod_step_outcome){0};
	if (!step->pod)
		return runtime_only_step(worker, step);
	CLEANUP(pod_status_unrefp) struct pod_status *status = NULL;
	TRY(pleg_pod_status(k->pleg, worker->uid, step->newer_than, &status));
	switch (step->phase) {
	case POD_SYNCING:
		return pod_sync(k, step->pod, status, ret);
	case POD_TERMINATING:
		ret->changed = true;
		return pod_sync_terminating(k, step->pod, status, step->grace, &step->eviction);
	case POD_TERMINATED:
		return pod_sync_terminated(k, step->pod, status);
	}
	return NULL;
}

/* What a pod waits for is often about to appear, so volumes are tried again soon, then less and less often. */
static int64_t retry_delay(struct worker *worker, const struct status *error)
{
	if (strstr(error->message, "network is not ready"))
		return jitter(RETRY_NETWORK_MS);
	if (!strstr(error->message, "mount volumes"))
		return jitter(RETRY_MS);
	unsigned shift =
		worker->n_mount_failures < RETRY_MOUNT_MAX_SHIFT ? worker->n_mount_failures++ : RETRY_MOUNT_MAX_SHIFT;
	return (int64_t)RETRY_MOUNT_MS << shift;
}

/* What follows from a step; returns whether the worker is done for good. Called with the lock held. */
static bool after_step(struct worker *worker, const struct step *step, struct status *error, bool terminal)
{
	int64_t now = clock_mono_ms(worker->w->k->clock);
	if (error && worker->w->stopping) {
		status_drop(error, "the kubelet stops");
		return false;
	}
	if (error) {
		worker->next_ms = now + retry_delay(worker, error);
		log_status(error, "sync of pod %s", step->pod ? step->pod->ref : worker->uid);
		return false;
	}
	worker->n_mount_failures = 0;
	worker->next_ms = now + jitter(worker->w->k->settings->sync_ms);
	if (!step->pod || step->phase == POD_TERMINATED)
		return true;
	if (step->phase == POD_TERMINATING) {
		worker->phase = POD_TERMINATED;
		worker->pending = true;
	} else if (terminal && worker->phase == POD_SYNCING) {
		worker->phase = POD_TERMINATING;
		worker->pending = true;
	}
	return false;
}

static int64_t decide_grace(struct worker *worker)
{
	if (worker->grace_seconds <= 0 && worker->pod) {
		const CoreV1Pod *api = worker->pod->api;
		if (api->metadata->has_deletion_grace_period_seconds)
			worker->grace_seconds = api->metadata->deletion_grace_period_seconds;
		else if (api->spec->has_termination_grace_period_seconds)
			worker->grace_seconds = api->spec->termination_grace_period_seconds;
		else
			worker->grace_seconds = DEFAULT_GRACE_S;
	}
	if (worker->grace_seconds < 1)
		worker->grace_seconds = 1;
	return worker->grace_seconds;
}

static void one_step(struct worker *worker, bool *ret_done)
{
	struct pod_workers *w = worker->w;
	worker->pending = false;
	worker->busy = true;
	cancel_reset(worker->cancel);
	struct step step = {
		pod_ref(worker->pod), worker->phase, 0, worker->synced_ms, eviction_copy(&worker->eviction)};
	if (worker->phase != POD_SYNCING || !worker->pod)
		step.grace = decide_grace(worker);
	pthread_mutex_unlock(&w->lock);
	struct pod_step_outcome outcome;
	if (step.pod) {
		CLEANUP(pod_unrefp) struct pod *wanted = step.pod;
		step.pod = allocation_apply(w->k->allocation, wanted);
	}
	int64_t begin_ns = clock_mono_ns(w->k->clock);
	struct status *error = run_step(worker, &step, &outcome);
	metric_observe(w->k->figures.sync_seconds, (double)(clock_mono_ns(w->k->clock) - begin_ns) / 1e9,
		step.phase != POD_SYNCING ? "kill"
		: step.newer_than	  ? "sync"
					  : "create");
	int64_t deadline = step.pod && step.phase == POD_SYNCING ? pod_deadline_left_ms(w->k, step.pod) : -1;
	pthread_mutex_lock(&w->lock);
	worker->synced_ms = clock_mono_ms(w->k->clock);
	worker->busy = false;
	bool look = outcome.changed && !error && !w->stopping, calm = !error && !outcome.terminal;
	*ret_done = after_step(worker, &step, error, outcome.terminal);
	/* A pod whose time is limited is looked at when the time is over, at once if that was during this step. */
	if ((deadline > 0 || (!deadline && calm)) && worker->next_ms > worker->synced_ms + deadline)
		worker->next_ms = worker->synced_ms + deadline;
	if (look) {
		pthread_mutex_unlock(&w->lock);
		pleg_look(w->k->pleg, worker->uid, step.pod->name, step.pod->namespace);
		pthread_mutex_lock(&w->lock);
	}
	pod_unref(step.pod);
	eviction_free(&step.eviction);
}

static void *worker_thread(void *data)
{
	struct worker *worker = data;
	struct pod_workers *w = worker->w;
	bool done = false;
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && !done) {
		bool due = worker->pending || clock_mono_ms(w->k->clock) >= worker->next_ms;
		if (!due) {
			cond_wait_for(&worker->wake, &w->lock, worker->next_ms - clock_mono_ms(w->k->clock));
			continue;
		}
		if (!may_start(worker)) {
			/* A pod that must end before it began has nothing to stop. */
			if (worker->phase != POD_SYNCING)
				break;
			worker->pending = false;
			worker->next_ms = clock_mono_ms(w->k->clock) + RETRY_NETWORK_MS;
			continue;
		}
		one_step(worker, &done);
	}
	const char *holder = strmap_get(w->static_running, worker->full_name);
	if (holder && str_eq(holder, worker->uid))
		strmap_remove(w->static_running, worker->full_name);
	worker->finished = true;
	worker->phase = w->stopping ? worker->phase : POD_TERMINATED;
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static struct worker *worker_new(struct pod_workers *w, const char *uid, const char *name, const char *namespace)
{
	struct worker *worker = mem_zalloc(sizeof(*worker));
	worker->w = w;
	worker->uid = mem_strdup(uid);
	worker->cancel = cancel_new();
	worker->full_name = mem_printf("%s_%s", name, namespace);
	cond_init(&worker->wake);
	strmap_put(w->workers, uid, worker);
	return worker;
}

static bool shorten_grace(struct worker *worker, int64_t seconds)
{
	if (seconds < 1)
		seconds = 1;
	if (worker->grace_seconds && seconds >= worker->grace_seconds)
		return false;
	worker->grace_seconds = seconds;
	return true;
}

/* Moves a pod that is not ending yet to its end, if the update says so. */
static void consider_end(struct worker *worker, const struct pod_update *update)
{
	const struct pod *pod = worker->pod;
	bool sooner = worker->phase == POD_SYNCING;
	if (sooner) {
		if (!pod || pod_deleting(pod))
			worker->deleted = true;
		else if (!pod_terminal(pod) && update->type != POD_UPDATE_KILL)
			return;
		worker->phase = POD_TERMINATING;
		if (update->eviction.reason)
			worker->eviction = eviction_copy(&update->eviction);
	}
	if (pod && pod->api->metadata->has_deletion_grace_period_seconds)
		sooner |= shorten_grace(worker, pod->api->metadata->deletion_grace_period_seconds);
	if (update->has_grace)
		sooner |= shorten_grace(worker, update->grace_seconds);
	if (sooner && worker->busy && worker->phase != POD_TERMINATED)
		cancel_now(worker->cancel);
}

void pod_workers_update(struct pod_workers *w, const struct pod_update *update)
{
	const struct pod *pod = update->pod;
	const char *uid = pod ? pod->uid : update->runtime_pod->uid;
	pthread_mutex_lock(&w->lock);
	struct worker *worker = strmap_get(w->workers, uid);
	bool is_new = !worker;
	if (!worker) {
		if (pod)
			worker = worker_new(w, uid, pod->name, pod->namespace);
		else
			worker = worker_new(w, uid, update->runtime_pod->name, update->runtime_pod->namespace);
		worker->is_static = pod && pod->is_static;
		if (update->n_after)
			begin_after(worker, update->after, update->n_after);
	} else if (update->type == POD_UPDATE_CREATE && worker->phase != POD_SYNCING) {
		worker->restart_requested = true;
		pthread_mutex_unlock(&w->lock);
		return;
	}
	if (worker->finished || w->stopping) {
		pthread_mutex_unlock(&w->lock);
		return;
	}
	if (pod) {
		pod_unref(worker->pod);
		worker->pod = pod_ref(pod);
	}
	consider_end(worker, update);
	worker->pending = true;
	if (is_new) {
		worker->thread = thread_start("pod", worker_thread, worker);
		pthread_detach(worker->thread);
	}
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&w->lock);
}

struct cancel *pod_workers_cancel(struct pod_workers *w, const char *uid)
{
	pthread_mutex_lock(&w->lock);
	const struct worker *worker = strmap_get(w->workers, uid);
	pthread_mutex_unlock(&w->lock);
	return worker ? worker->cancel : NULL;
}

void pod_workers_kick(struct pod_workers *w, const char *uid)
{
	pthread_mutex_lock(&w->lock);
	struct worker *worker = strmap_get(w->workers, uid);
	if (worker) {
		worker->pending = true;
		pthread_cond_signal(&worker->wake);
	}
	pthread_mutex_unlock(&w->lock);
}

void pod_workers_free(struct pod_workers *w)
{
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	STRMAP_FOREACH (w->workers, it) {
		struct worker *worker = it.value;
		pthread_cond_signal(&worker->wake);
	}
	bool all = false;
	/* A worker inside a step may wait for a container's grace period: the process does not wait so long. */
	for (int i = 0; i < 20 && !all; i++) {
		all = true;
		STRMAP_FOREACH (w->workers, it) {
			struct worker *worker = it.value;
			all &= worker->finished;
		}
		pthread_mutex_unlock(&w->lock);
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	if (!all)
		return;
	STRMAP_FOREACH (w->workers, it)
		worker_free(it.value);
	strmap_free(w->workers);
	strmap_free(w->static_running);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

bool pod_workers_preempted(struct pod_workers *w, const char *uid)
{
	pthread_mutex_lock(&w->lock);
	const struct worker *worker = strmap_get(w->workers, uid);
	bool yes = worker && str_eq(worker->eviction.reason, "Preempting");
	pthread_mutex_unlock(&w->lock);
	return yes;
}

bool pod_workers_phase(struct pod_workers *w, const char *uid, enum pod_phase *ret)
{
	pthread_mutex_lock(&w->lock);
	const struct worker *worker = strmap_get(w->workers, uid);
	if (worker)
		*ret = worker->phase;
	pthread_mutex_unlock(&w->lock);
	return worker != NULL;
}

bool pod_workers_terminating(struct pod_workers *w, const char *uid)
{
	pthread_mutex_lock(&w->lock);
	const struct worker *worker = strmap_get(w->workers, uid);
	bool yes = worker ? worker->phase != POD_SYNCING : w->seen_all;
	pthread_mutex_unlock(&w->lock);
	return yes;
}

bool pod_workers_could_run(struct pod_workers *w, const char *uid)
{
	pthread_mutex_lock(&w->lock);
	const struct worker *worker = strmap_get(w->workers, uid);
	bool yes = worker ? worker->phase != POD_TERMINATED : !w->seen_all;
	pthread_mutex_unlock(&w->lock);
	return yes;
}

bool pod_workers_may_clean(struct pod_workers *w, const char *uid)
{
	pthread_mutex_lock(&w->lock);
	const struct worker *worker = strmap_get(w->workers, uid);
	bool yes = worker ? worker->phase == POD_TERMINATED : w->seen_all;
	pthread_mutex_unlock(&w->lock);
	return yes;
}

bool pod_workers_full_name_terminating(struct pod_workers *w, const char *full_name)
{
	bool yes = false;
	pthread_mutex_lock(&w->lock);
	const char *uid = strmap_get(w->static_running, full_name);
	const struct worker *worker = uid ? strmap_get(w->workers, uid) : NULL;
	if (worker)
		yes = worker->phase != POD_SYNCING && !worker->finished;
	pthread_mutex_unlock(&w->lock);
	return yes;
}

struct strmap *pod_workers_sync_known(struct pod_workers *w, const struct strmap *wanted_uids)
{
	struct strmap *states = strmap_new(free);
	pthread_mutex_lock(&w->lock);
	w->seen_all = true;
	STRMAP_FOREACH (w->workers, it) {
		struct worker *worker = it.value;
		bool orphan = !strmap_has(wanted_uids, it.key);
		if (worker->finished && (orphan || worker->restart_requested)) {
			strmap_steal(w->workers, it.key);
			worker_free(worker);
			continue;
		}
		struct pod_worker_state *state = mem_zalloc(sizeof(*state));
		state->phase = worker->phase;
		state->orphan = orphan;
		strmap_put(states, it.key, state);
	}
	pthread_mutex_unlock(&w->lock);
	return states;
}
