#include "kubelet/probe/probe.h"

#include <pthread.h>
#include "base/cond.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "kubelet/pod/workers.h"
#include "kubelet/probe/step.h"
#include "kubelet/status/status.h"

#define MAX_RUNNERS 16
#define MAX_QUEUED 4096
#define MAX_WAIT_MS 1000

static const char *const type_names[] = {"Liveness", "Readiness", "Startup"};

/* One probe of one container. */
struct probe_worker {
	struct prober *p;
	struct pod *pod;
	const CoreV1Container *container;
	const CoreV1Probe *spec;
	struct probe_step step;
	int64_t due_ms;
	bool running; /* handed to a runner */
	bool gone;    /* removed while it was running: the runner frees it */
};

struct prober {
	struct kubelet *k;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct strmap *workers;		       /* uid/container/type */
	struct strmap *results[PROBE_N_TYPES]; /* container id → enum probe_result as a pointer */
	struct workers *runners;
	int64_t started_ms;
	bool stopping;
	pthread_t thread;
};

static char *key_of(struct arena *arena, const char *uid, const char *container, enum probe_type type)
{
	return arena_printf(arena, "%s/%s/%d", uid, container, type);
}

static void worker_free(struct probe_worker *w)
{
	pod_unref(w->pod);
	free(w->step.container_id);
	free(w);
}

static enum probe_result get_result(struct prober *p, enum probe_type type, const char *id)
{
	pthread_mutex_lock(&p->lock);
	enum probe_result r = (enum probe_result)(uintptr_t)strmap_get(p->results[type], id);
	pthread_mutex_unlock(&p->lock);
	return r;
}

static enum probe_result liveness_result(void *data, const char *id)
{
	return get_result(data, PROBE_LIVENESS, id);
}
static enum probe_result startup_result(void *data, const char *id)
{
	return get_result(data, PROBE_STARTUP, id);
}

struct probe_results prober_results(struct prober *p)
{
	return (struct probe_results){liveness_result, startup_result, p};
}

/* Keeps a result and lets those know whom it concerns. Called without the lock. */
static void set_result(struct probe_worker *w, enum probe_result result)
{
	struct prober *p = w->p;
	enum probe_type type = w->step.type;
	const char *id = w->step.container_id;
	pthread_mutex_lock(&p->lock);
	bool changed = (enum probe_result)(uintptr_t)strmap_get(p->results[type], id) != result;
	if (!w->gone)
		strmap_put(p->results[type], id, (void *)(uintptr_t)result);
	pthread_mutex_unlock(&p->lock);
	if (!changed || w->gone)
		return;
	if (type == PROBE_READINESS)
		status_manager_set_readiness(p->k->statuses, w->pod->uid, id, result == PROBE_SUCCESS);
	else if (type == PROBE_STARTUP)
		status_manager_set_startup(p->k->statuses, w->pod->uid, id, result == PROBE_SUCCESS);
	if (type == PROBE_READINESS || result != PROBE_SUCCESS || type == PROBE_STARTUP)
		pod_workers_kick(p->k->workers, w->pod->uid);
}

static void drop_result(struct prober *p, struct probe_worker *w)
{
	if (w->step.container_id)
		strmap_remove(p->results[w->step.type], w->step.container_id);
}

static const CoreV1ContainerStatus *find_status(const CoreV1PodStatus *status, const char *name)
{
	for (size_t i = 0; i < status->n_container_statuses; i++)
		if (str_eq(status->container_statuses[i]->name, name))
			return status->container_statuses[i];
	for (size_t i = 0; i < status->n_init_container_statuses; i++)
		if (str_eq(status->init_container_statuses[i]->name, name))
			return status->init_container_statuses[i];
	return NULL;
}

/* Runs the probe, three times if it cannot be run, and tells what came out. */
static enum probe_result attempt(struct probe_worker *w, struct arena *arena, const char *pod_ip, bool *ret_skip)
{
	struct kubelet *k = w->p->k;
	enum probe_outcome outcome = PROBE_OUTCOME_UNKNOWN;
	char *output = NULL;
	struct status *s = NULL;
	for (int i = 0; i < 3; i++) {
		status_free(s);
		s = probe_run(k, arena, w->pod, w->container, w->spec, w->step.container_id, pod_ip, &outcome, &output);
		if (!s)
			break;
	}
	const char *name = type_names[w->step.type];
	*ret_skip = s != NULL;
	if (s) {
		kubelet_pod_event(k, w->pod, w->container->name, EVENT_WARNING, "Unhealthy",
			"%s probe errored and resulted in unknown state: %s", name, s->message);
		status_drop(s, "told as an event");
		return PROBE_FAILURE;
	}
	if (outcome == PROBE_OUTCOME_WARNING)
		kubelet_pod_event(k, w->pod, w->container->name, EVENT_WARNING, "ProbeWarning", "%s probe warning: %s",
			name, output);
	if (outcome == PROBE_OUTCOME_FAILURE)
		kubelet_pod_event(
			k, w->pod, w->container->name, EVENT_WARNING, "Unhealthy", "%s probe failed: %s", name, output);
	return outcome == PROBE_OUTCOME_SUCCESS || outcome == PROBE_OUTCOME_WARNING ? PROBE_SUCCESS : PROBE_FAILURE;
}

/* One turn of a probe; false when it is over for good. */
static bool turn(struct probe_worker *w)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct kubelet *k = w->p->k;
	const CoreV1PodStatus *status = status_manager_get(k->statuses, arena, w->pod->uid);
	if (!status)
		return true;
	if (pod_phase_terminal(status->phase))
		return false;
	const CoreV1ContainerStatus *cs = find_status(status, w->container->name);
	if (!cs || str_empty(cs->container_id))
		return true;
	const char *id = strstr(cs->container_id, "://");
	id = id ? id + 3 : cs->container_id;
	if (!str_eq(w->step.container_id, id)) {
		pthread_mutex_lock(&w->p->lock);
		drop_result(w->p, w);
		pthread_mutex_unlock(&w->p->lock);
		probe_step_new_container(&w->step, id);
		set_result(w, w->step.initial);
	}
	struct probe_facts facts = {
		.running = cs->state && cs->state->running,
		.terminated = cs->state && cs->state->terminated,
		.started = cs->has_started && cs->started,
		.restarts = pod_restarts_on_failure(w->pod) || container_restartable_init(w->container),
		.deleting = pod_workers_terminating(k->workers, w->pod->uid),
		.age_s = cs->state && cs->state->running && cs->state->running->started_at
				 ? clock_wall_s(k->clock) - cs->state->running->started_at->seconds
				 : 0,
	};
	switch (probe_step_decide(&w->step, w->spec, &facts)) {
	case PROBE_WAIT:
		return true;
	case PROBE_END:
		return false;
	case PROBE_SET_FAILURE:
		set_result(w, PROBE_FAILURE);
		return !facts.terminated || facts.restarts;
	case PROBE_SET_SUCCESS:
		set_result(w, PROBE_SUCCESS);
		return false;
	case PROBE_ATTEMPT:
		break;
	}
	bool skip;
	enum probe_result result = attempt(w, arena, status->pod_ip, &skip);
	if (!skip && probe_step_outcome(&w->step, w->spec, result == PROBE_SUCCESS))
		set_result(w, result);
	return true;
}

static void remove_worker(struct prober *p, const char *key, struct probe_worker *w)
{
	strmap_steal(p->workers, key);
	drop_result(p, w);
	if (w->running)
		w->gone = true;
	else
		worker_free(w);
}

static void run_turn(void *data)
{
	struct probe_worker *w = data;
	struct prober *p = w->p;
	bool more = turn(w);
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	pthread_mutex_lock(&p->lock);
	w->running = false;
	if (w->gone)
		worker_free(w);
	else if (!more)
		remove_worker(p, key_of(arena, w->pod->uid, w->container->name, w->step.type), w);
	pthread_mutex_unlock(&p->lock);
}

static int64_t period_ms(const struct probe_worker *w)
{
	return (w->spec->period_seconds > 0 ? w->spec->period_seconds : 10) * 1000LL;
}

/* Hands out what is due; returns when the next is. */
static int64_t hand_out(struct prober *p, int64_t now)
{
	int64_t next = now + MAX_WAIT_MS;
	STRMAP_FOREACH (p->workers, it) {
		struct probe_worker *w = it.value;
		if (!w->running && w->due_ms <= now) {
			w->running = true;
			w->due_ms = now + period_ms(w);
			if (!workers_submit(p->runners, run_turn, w))
				w->running = false;
		}
		if (w->due_ms < next)
			next = w->due_ms > now ? w->due_ms : now + 1;
	}
	return next;
}

static void *schedule_thread(void *data)
{
	struct prober *p = data;
	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		int64_t now = clock_mono_ms(p->k->clock);
		int64_t left = hand_out(p, now) - now;
		if (!strmap_count(p->workers)) {
			pthread_cond_wait(&p->wake, &p->lock);
			continue;
		}
		cond_wait_for(&p->wake, &p->lock, left);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct prober *prober_new(struct kubelet *k)
{
	struct prober *p = mem_zalloc(sizeof(*p));
	p->k = k;
	pthread_mutex_init(&p->lock, NULL);
	cond_init(&p->wake);
	p->workers = strmap_new(NULL);
	for (int i = 0; i < PROBE_N_TYPES; i++)
		p->results[i] = strmap_new(NULL);
	p->runners = workers_new("probe", MAX_RUNNERS, MAX_QUEUED);
	p->started_ms = clock_mono_ms(k->clock);
	p->thread = thread_start("probes", schedule_thread, p);
	return p;
}

void prober_free(struct prober *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	workers_free(p->runners);
	STRMAP_FOREACH (p->workers, it)
		worker_free(it.value);
	strmap_free(p->workers);
	for (int i = 0; i < PROBE_N_TYPES; i++)
		strmap_free(p->results[i]);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* With the lock held. */
static void add_probe(struct prober *p, const struct pod *pod, const CoreV1Container *c, const CoreV1Probe *spec,
	enum probe_type type)
{
	static const enum probe_result initial[] = {PROBE_SUCCESS, PROBE_FAILURE, PROBE_UNKNOWN};
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	char *key = key_of(arena, pod->uid, c->name, type);
	if (!spec || strmap_has(p->workers, key))
		return;
	struct probe_worker *w = mem_zalloc(sizeof(*w));
	w->p = p;
	w->pod = pod_ref(pod);
	w->container = c;
	w->spec = spec;
	w->step.type = type;
	w->step.initial = initial[type];
	int64_t now = clock_mono_ms(p->k->clock);
	w->due_ms = now;
	/* After a restart of the kubelet all probes would come at once. */
	if (period_ms(w) > now - p->started_ms)
		w->due_ms += random_below((uint32_t)period_ms(w));
	strmap_put(p->workers, key, w);
}

static void add_container(struct prober *p, const struct pod *pod, const CoreV1Container *c)
{
	add_probe(p, pod, c, c->startup_probe, PROBE_STARTUP);
	add_probe(p, pod, c, c->readiness_probe, PROBE_READINESS);
	add_probe(p, pod, c, c->liveness_probe, PROBE_LIVENESS);
}

void prober_add_pod(struct prober *p, const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	pthread_mutex_lock(&p->lock);
	size_t before = strmap_count(p->workers);
	for (size_t i = 0; i < spec->n_containers; i++)
		add_container(p, pod, spec->containers[i]);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (container_restartable_init(spec->init_containers[i]))
			add_container(p, pod, spec->init_containers[i]);
	if (strmap_count(p->workers) != before)
		pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

static void remove_where(struct prober *p, const char *uid, bool all)
{
	CLEANUP_FREE char *prefix = mem_printf("%s/", uid);
	pthread_mutex_lock(&p->lock);
	STRMAP_FOREACH (p->workers, it) {
		struct probe_worker *w = it.value;
		if (str_starts_with(it.key, prefix) && (all || w->step.type != PROBE_READINESS))
			remove_worker(p, it.key, w);
	}
	pthread_mutex_unlock(&p->lock);
}

void prober_remove_pod(struct prober *p, const char *uid)
{
	remove_where(p, uid, true);
}

void prober_stop_liveness(struct prober *p, const char *uid)
{
	remove_where(p, uid, false);
}

void prober_keep_only(struct prober *p, const struct strmap *uids)
{
	pthread_mutex_lock(&p->lock);
	STRMAP_FOREACH (p->workers, it) {
		struct probe_worker *w = it.value;
		if (!strmap_has(uids, w->pod->uid))
			remove_worker(p, it.key, w);
	}
	pthread_mutex_unlock(&p->lock);
}

/* --- what the status says --- */

struct container_facts {
	bool has_startup_worker;
	struct probe_worker *readiness;
	enum probe_result startup_result;
	enum probe_result readiness_result;
};

/* With the lock held. */
static struct container_facts facts_of(
	struct prober *p, struct arena *arena, const char *uid, const CoreV1ContainerStatus *cs)
{
	const char *id = strstr(cs->container_id, "://");
	id = id ? id + 3 : cs->container_id;
	return (struct container_facts){
		strmap_has(p->workers, key_of(arena, uid, cs->name, PROBE_STARTUP)),
		strmap_get(p->workers, key_of(arena, uid, cs->name, PROBE_READINESS)),
		(enum probe_result)(uintptr_t)strmap_get(p->results[PROBE_STARTUP], id),
		(enum probe_result)(uintptr_t)strmap_get(p->results[PROBE_READINESS], id),
	};
}

static void fill_one(
	struct prober *p, struct arena *arena, const char *uid, CoreV1ContainerStatus *cs, bool may_be_ready)
{
	struct container_facts f = facts_of(p, arena, uid, cs);
	bool running = cs->state && cs->state->running;
	bool started = running;
	if (f.startup_result != PROBE_NONE)
		started = running && f.startup_result == PROBE_SUCCESS;
	else if (f.has_startup_worker)
		started = false;
	cs->has_started = true;
	cs->started = started;
	if (!started || !may_be_ready)
		return;
	cs->ready = f.readiness_result == PROBE_SUCCESS || !f.readiness;
	if (!cs->ready && !f.readiness->running) {
		/* It has just started: look now, not after a whole period. */
		int64_t now = clock_mono_ms(p->k->clock);
		if (f.readiness_result == PROBE_NONE && f.readiness->due_ms > now) {
			f.readiness->due_ms = now;
			pthread_cond_signal(&p->wake);
		}
	}
}

void prober_fill_status(struct prober *p, const struct pod *pod, CoreV1PodStatus *status)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < status->n_container_statuses; i++)
		fill_one(p, arena, pod->uid, status->container_statuses[i], true);
	for (size_t i = 0; i < status->n_init_container_statuses; i++) {
		CoreV1ContainerStatus *cs = status->init_container_statuses[i];
		const CoreV1Container *c = pod_container(pod, cs->name);
		bool sidecar = c && container_restartable_init(c);
		fill_one(p, arena, pod->uid, cs, sidecar);
		if (!sidecar && cs->state && cs->state->terminated && cs->state->terminated->exit_code == 0)
			cs->ready = true;
	}
	pthread_mutex_unlock(&p->lock);
}
