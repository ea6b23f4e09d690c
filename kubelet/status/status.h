/*
 * Pod statuses: computed out of the spec and the runtime's state, kept, and patched into the apiserver.
 *
 * status_generate() computes; status_manager_set() keeps it and wakes the thread that patches. Once a pod is terminated
 * the manager also deletes it from the apiserver (grace period 0), which is what ends a graceful deletion.
 *
 * Threads: any; one lock. Calls to the apiserver are made by the manager's own thread alone.
 */
#ifndef KUBELET_STATUS_STATUS_H
#define KUBELET_STATUS_STATUS_H

#include "base/map.h"
#include "kubelet/kubelet.h"
#include "kubelet/runtime/runtime.h"
#include "kubelet/runtime/types.h"

struct status_manager;

struct status_manager *status_manager_new(struct kubelet *k);
void status_manager_start(struct status_manager *m);
/* Stops and waits. */
void status_manager_free(struct status_manager *m);
/* A copy in the arena; NULL if the manager has none. */
CoreV1PodStatus *status_manager_get(struct status_manager *m, struct arena *arena, const char *uid);
/* Keeps a copy; the transition times of conditions are filled in. */
void status_manager_set(struct status_manager *m, const struct pod *pod, const CoreV1PodStatus *status);
void status_manager_set_readiness(struct status_manager *m, const char *uid, const char *container_id, bool ready);
void status_manager_set_startup(struct status_manager *m, const char *uid, const char *container_id, bool started);
/* Nothing of the pod runs or will run: unfinished containers are reported as lost, the pod may be deleted. */
void status_manager_terminate(struct status_manager *m, const struct pod *pod);
/* Forgets pods that are neither wanted nor mirrored. */
void status_manager_keep_only(struct status_manager *m, const struct strmap *uids);
/* A pod's object has changed: compare and patch again. */
void status_manager_kick(struct status_manager *m);

/* --- status/generate.c: pure, but for the times --- */

#define STATUS_REASON_DEADLINE "DeadlineExceeded"

struct status_input {
	const struct pod *pod;
	const struct pod_status *runtime;
	const CoreV1PodStatus *old; /* the kept one, or the API's */
	bool terminal;		    /* the pod will not run any more */
	bool past_deadline;	    /* it has been active for longer than its activeDeadlineSeconds */
	const char *runtime_name;   /* "containerd" */
	const char *host_ip;	    /* NULL: unknown */
	/* What the last sync said of a container; NULL: nothing. */
	const struct sync_result *(*reason)(void *data, const char *container);
	void *reason_data;
	/* What the runtime was told a container may use. */
	struct actuated_resources actuated;
	/* Where the resizing of the pod stands. */
	CoreV1PodCondition *const *resize;
	size_t n_resize;
	/* Fills in started and ready. */
	void (*fill_probes)(void *data, const struct pod *pod, CoreV1PodStatus *status);
	void *probe_data;
};
/* The whole status; lives in the arena. */
CoreV1PodStatus *status_generate(struct arena *arena, const struct status_input *in);
const char *status_phase(
	const struct pod *pod, CoreV1ContainerStatus *const *statuses, size_t n, bool terminal, bool initialized);
/* Adds ContainersReady and Ready anew after a container's readiness has changed. */
void status_update_readiness(struct arena *arena, const struct pod *pod, CoreV1PodStatus *status);
/* What the kubelet owns in it is equal. */
bool status_equal(const CoreV1PodStatus *a, const CoreV1PodStatus *b);
bool status_condition_is_ours(const char *type);
CoreV1PodCondition *status_condition(const CoreV1PodStatus *status, const char *type);

/* --- status/reasons.c: what the last sync said of each container --- */

struct reason_cache;
struct reason_cache *reason_cache_new(void);
void reason_cache_free(struct reason_cache *c);
void reason_cache_update(struct reason_cache *c, const char *uid, const struct sync_results *results);
/* In the arena; NULL if there is none. */
const struct sync_result *reason_cache_get(
	struct reason_cache *c, struct arena *arena, const char *uid, const char *container);
void reason_cache_forget(struct reason_cache *c, const char *uid);

#endif
