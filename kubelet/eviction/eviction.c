#include "kubelet/eviction/eviction_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "api/quantity.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/cgroup/cgroup.h"
#include "kubelet/eviction/signals.h"
#include "kubelet/gc/gc.h"
#include "kubelet/image/image.h"
#include "kubelet/node/machine.h"
#include "kubelet/node/node.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/resources.h"
#include "kubelet/pod/workers.h"

#define CLEANUP_WAIT_MS 30000

struct evictions {
	struct arena *arena; /* holds the thresholds */
	struct threshold *thresholds;
	size_t n_thresholds;
	struct threshold_state *states;
	int64_t seen_ms[N_CONDITIONS];
	atomic_bool pressure[N_CONDITIONS];
	char *ending; /* uid of the pod evicted last, until it has ended */
	int64_t ending_until_ms;
};

struct evictions *evictions_new(struct kubelet *k)
{
	struct evictions *e = mem_zalloc(sizeof(*e));
	e->arena = arena_new();
	e->n_thresholds = thresholds_of(e->arena, k->settings, &e->thresholds);
	e->states = ARENA_ARRAY(e->arena, struct threshold_state, e->n_thresholds + 1);
	return e;
}

void evictions_free(struct evictions *e)
{
	free(e->ending);
	arena_free(e->arena);
	free(e);
}

void eviction_pressure(const struct evictions *e, bool *ret_memory, bool *ret_disk, bool *ret_pids)
{
	*ret_memory = e->pressure[CONDITION_MEMORY];
	*ret_disk = e->pressure[CONDITION_DISK];
	*ret_pids = e->pressure[CONDITION_PIDS];
}

/* --- what there is --- */

static void observe_disk(struct observation *bytes, struct observation *inodes, const char *path)
{
	struct disk disk;
	if (!disk_read(path, &disk))
		return;
	*bytes = (struct observation){disk.capacity_bytes > 0, disk.available_bytes, disk.capacity_bytes};
	*inodes = (struct observation){disk.inodes > 0, disk.free_inodes, disk.inodes};
}

static void observe(struct kubelet *k, struct observation *o, const char *image_path)
{
	int64_t max, running;
	memset(o, 0, N_SIGNALS * sizeof(*o));
	o[SIGNAL_MEMORY] = (struct observation){true, memory_available(), node_memory_capacity(k->node)};
	observe_disk(&o[SIGNAL_NODEFS], &o[SIGNAL_NODEFS_INODES], k->settings->root_dir);
	observe_disk(&o[SIGNAL_IMAGEFS], &o[SIGNAL_IMAGEFS_INODES], image_path);
	if (processes_read(&max, &running))
		o[SIGNAL_PIDS] = (struct observation){true, max - running, max};
}

/* A condition ends only when it has not been seen for a while. */
static void judge_conditions(struct kubelet *k, struct evictions *e, int64_t now)
{
	for (size_t c = 0; c < N_CONDITIONS; c++) {
		bool seen = false, was = e->pressure[c];
		for (size_t i = 0; i < e->n_thresholds; i++)
			seen |= e->states[i].met && signal_condition(e->thresholds[i].signal) == (enum condition)c;
		if (seen)
			e->seen_ms[c] = now;
		e->pressure[c] = seen || (was && now - e->seen_ms[c] < k->settings->eviction_transition_ms);
		if (e->pressure[c] != was)
			node_status_changed(k->node);
	}
}

/* --- who goes --- */

bool eviction_candidate(struct kubelet *k, const struct pod *pod)
{
	return !pod_critical(pod) && !pod_terminal(pod) && !pod_workers_terminating(k->workers, pod->uid);
}

void evict_pod(struct kubelet *k, const struct pod *pod, int64_t grace_seconds, const char *message, bool disruption)
{
	log_warn("evicting pod %s: %s", pod->ref, message);
	kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "Evicted", "%s", message);
	pod_workers_update(k->workers, &(struct pod_update){.type = POD_UPDATE_KILL,
					       .pod = pod,
					       .has_grace = true,
					       .grace_seconds = grace_seconds,
					       .eviction = {"Evicted", message, disruption ? message : NULL}});
}

static int64_t priority_of(const struct pod *pod)
{
	return pod_spec(pod)->has_priority ? pod_spec(pod)->priority : 0;
}

int eviction_order(const void *a, const void *b)
{
	const struct eviction_candidate *x = a, *y = b;
	bool x_over = x->usage > x->request, y_over = y->usage > y->request;
	if (x_over != y_over)
		return x_over ? -1 : 1;
	int64_t px = priority_of(x->pod), py = priority_of(y->pod);
	if (px != py)
		return px < py ? -1 : 1;
	int64_t dx = x->usage - x->request, dy = y->usage - y->request;
	return (dx < dy) - (dx > dy);
}

static struct eviction_candidate candidate(
	struct kubelet *k, const struct pod *pod, const struct pod_usage *usage, const char *resource)
{
	struct eviction_candidate c = {.pod = pod, .request = pod_request_value(pod, resource)};
	if (str_eq(resource, "memory"))
		c.usage = usage->memory;
	else if (str_eq(resource, "ephemeral-storage"))
		c.usage = usage->ephemeral.bytes;
	else if (str_eq(resource, "inodes"))
		c.usage = usage->ephemeral.inodes;
	else {
		/* Nobody asks for processes, so nobody is above. */
		c.request = INT64_MAX;
		c.usage = cgroups_pod_processes(k->cgroups, pod);
	}
	return c;
}

static char *bytes_text(struct arena *arena, int64_t bytes)
{
	struct quantity q = quantity_from_int(bytes, QUANTITY_BINARY_SI);
	return quantity_format(arena, &q);
}

char *eviction_message(struct arena *arena, const struct pod *pod, const struct pod_usage *usage, const char *resource,
	int64_t threshold, int64_t available)
{
	char *text = arena_printf(arena, "The node was low on resource: %s. Threshold quantity: %s, available: %s. ",
		resource, bytes_text(arena, threshold), bytes_text(arena, available));
	bool memory = str_eq(resource, "memory"), disk = str_eq(resource, "ephemeral-storage");
	int64_t request = 0;
	const CoreV1ResourceRequirements *whole = pod_spec(pod)->resources;
	if (memory && whole && resource_value(whole->requests, whole->n_requests, resource, &request))
		text = arena_printf(arena, "%sPod %s was using %s, request is %s, has larger consumption of %s. ", text,
			pod->name, bytes_text(arena, usage->memory), bytes_text(arena, request), resource);
	for (size_t i = 0; (memory || disk) && i < usage->n_containers; i++) {
		const struct container_usage *u = &usage->containers[i];
		const CoreV1Container *c = pod_container(pod, u->name);
		int64_t used = memory ? u->memory : u->root.bytes + u->logs.bytes;
		request = 0;
		if (c && c->resources)
			resource_value(c->resources->requests, c->resources->n_requests, resource, &request);
		if (c && used > request)
			text = arena_printf(arena,
				"%sContainer %s was using %s, request is %s, has larger consumption of %s. ", text,
				u->name, bytes_text(arena, used), bytes_text(arena, request), resource);
	}
	return text;
}

static void begin_end(struct kubelet *k, struct evictions *e, const struct pod *pod)
{
	free(e->ending);
	e->ending = mem_strdup(pod->uid);
	e->ending_until_ms = clock_mono_ms(k->clock) + CLEANUP_WAIT_MS;
}

/* Whether the last evicted pod has yet to give back what it had. */
static bool still_ending(struct kubelet *k, struct evictions *e)
{
	enum pod_phase phase;
	if (e->ending && clock_mono_ms(k->clock) < e->ending_until_ms &&
		pod_workers_phase(k->workers, e->ending, &phase) && phase == POD_TERMINATING)
		return true;
	free(e->ending);
	e->ending = NULL;
	return false;
}

static struct status *evict_one(
	struct kubelet *k, struct evictions *e, const struct threshold *t, const struct observation *o)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *resource = signal_resource(t->signal);
	CriListContainerStatsResponse *stats;
	TRY(usage_read(k, arena, &stats));
	struct pod_list pods = pod_manager_list(k->pods);
	struct eviction_candidate *list = NULL;
	size_t n = 0;
	bool disk = signal_condition(t->signal) == CONDITION_DISK;
	for (size_t i = 0; i < pods.n_items; i++) {
		struct pod *pod = allocation_apply(k->allocation, pods.items[i]);
		pod_unref(pods.items[i]);
		pods.items[i] = pod;
		if (!eviction_candidate(k, pod))
			continue;
		struct pod_usage usage = usage_of_pod(k, arena, stats, pod, disk);
		ARENA_PUSH(arena, list, n) = candidate(k, pod, &usage, resource);
	}
	if (n) {
		qsort(list, n, sizeof(list[0]), eviction_order);
		const struct pod *pod = list[0].pod;
		struct pod_usage usage = usage_of_pod(k, arena, stats, pod, disk);
		int64_t grace = t->grace_ms ? k->settings->config->eviction_max_pod_grace_period : IMMEDIATE_GRACE_S;
		evict_pod(k, pod, grace,
			eviction_message(
				arena, pod, &usage, resource, threshold_amount(t->quantity, o->capacity), o->available),
			true);
		begin_end(k, e, pod);
	} else {
		log_warn("the node is short of %s, and there is no pod that may be evicted", resource);
	}
	pod_list_done(&pods);
	return NULL;
}

/* --- what can be had without ending anybody --- */

static bool same_disk(const char *a, const char *b)
{
	struct stat x, y;
	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev;
}

/* Dead containers and unused images may be enough. Returns whether they were. */
static bool reclaim(struct kubelet *k, struct evictions *e, const struct threshold *t, const char *image_path)
{
	struct observation o[N_SIGNALS];
	if (signal_condition(t->signal) != CONDITION_DISK)
		return false;
	bool images = t->signal == SIGNAL_IMAGEFS || t->signal == SIGNAL_IMAGEFS_INODES ||
		      same_disk(k->settings->root_dir, image_path);
	log_status(gc_containers(k), "container garbage collection");
	if (images)
		log_status(image_gc_all(k->image_gc), "image garbage collection");
	observe(k, o, image_path);
	thresholds_judge(e->thresholds, e->n_thresholds, e->states, o, clock_mono_ms(k->clock));
	return !thresholds_first(e->thresholds, e->n_thresholds, e->states);
}

struct status *eviction_check(struct kubelet *k)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct evictions *e = k->evictions;
	struct observation o[N_SIGNALS];
	bool any;
	int64_t now = clock_mono_ms(k->clock);
	const char *image_path = image_fs_path(k, arena);
	observe(k, o, image_path);
	thresholds_judge(e->thresholds, e->n_thresholds, e->states, o, now);
	judge_conditions(k, e, now);
	TRY(eviction_check_local_storage(k, &any));
	const struct threshold *t = thresholds_first(e->thresholds, e->n_thresholds, e->states);
	if (any || !t || still_ending(k, e))
		return NULL;
	node_event(
		k->node, EVENT_WARNING, "EvictionThresholdMet", "Attempting to reclaim %s", signal_resource(t->signal));
	return reclaim(k, e, t, image_path) ? NULL : evict_one(k, e, t, &o[t->signal]);
}
