/*
 * Pod workers: a thread for each pod, which takes it through its life: syncing while it is wanted, terminating once it
 *is deleted, evicted or finished, terminated once nothing runs any more. A pod never goes back.
 *
 *	pod_workers_update(k->workers, &(struct pod_update){.pod = pod, .type = POD_UPDATE_SYNC});
 *
 * Updates coalesce: a busy worker sees only the last. Threads: any.
 */
#ifndef KUBELET_POD_WORKERS_H
#define KUBELET_POD_WORKERS_H

#include "base/cancel.h"
#include "base/map.h"
#include "kubelet/kubelet.h"
#include "kubelet/runtime/types.h"

struct pod_workers;

enum pod_update_type { POD_UPDATE_SYNC, POD_UPDATE_CREATE, POD_UPDATE_KILL };
enum pod_phase { POD_SYNCING, POD_TERMINATING, POD_TERMINATED };

/* A pod that the kubelet ends of itself fails with this. All NULL: it does not. */
struct pod_eviction {
	const char *reason;
	const char *message;
	const char *disruption; /* message of the condition DisruptionTarget; NULL: without it */
};

struct pod_update {
	enum pod_update_type type;
	const struct pod *pod;		       /* a reference is taken; NULL: */
	const struct runtime_pod *runtime_pod; /* one that only the runtime knows, to be killed */
	bool has_grace;
	int64_t grace_seconds; /* of a kill */
	struct pod_eviction eviction;
	/* Of a new pod: those that have to end first, for a time; it takes their place. */
	char *const *after;
	size_t n_after;
};

struct pod_workers *pod_workers_new(struct kubelet *k);
/* Waits for the workers, which stop at their next step. */
void pod_workers_free(struct pod_workers *w);
void pod_workers_update(struct pod_workers *w, const struct pod_update *update);
/*
 * What ends the waits of the pod's step that is under way: cancelled when the pod is to end, or to end sooner. For the
 * worker and threads that its step waits for; NULL where nobody works for the pod.
 */
struct cancel *pod_workers_cancel(struct pod_workers *w, const char *uid);
/* Runs the pod's next sync now instead of at its time. */
void pod_workers_kick(struct pod_workers *w, const char *uid);

/* Whether it is ending to make room for a critical pod. */
bool pod_workers_preempted(struct pod_workers *w, const char *uid);
/* False: nobody works for the pod. */
bool pod_workers_phase(struct pod_workers *w, const char *uid, enum pod_phase *ret);
/* Whether it is to end: its containers must not be started any more. */
bool pod_workers_terminating(struct pod_workers *w, const char *uid);
/* Whether containers of it may still run. Unknown pods: true until the first cleanup has seen all pods. */
bool pod_workers_could_run(struct pod_workers *w, const char *uid);
/* Whether its volumes and groups may go: the worker has finished with it, or never knew it. */
bool pod_workers_may_clean(struct pod_workers *w, const char *uid);
/* Whether a static pod of that full name is still ending. */
bool pod_workers_full_name_terminating(struct pod_workers *w, const char *full_name);

struct pod_worker_state {
	enum pod_phase phase;
	bool orphan;
};
/*
 * Forgets finished workers of pods that are not wanted any more, and says which remain: a map from uid to
 * struct pod_worker_state *, owned by the caller.
 */
struct strmap *pod_workers_sync_known(struct pod_workers *w, const struct strmap *wanted_uids);

/* --- pod/sync.c: the steps of a worker --- */

struct pod_step_outcome {
	bool terminal; /* the pod has reached its last phase */
	bool changed;  /* what runs of it is not what the status said, for the step has changed it */
};
struct status *pod_sync(struct kubelet *k, const struct pod *pod, const struct pod_status *status,
	struct pod_step_outcome *ret) MUST_USE;
struct status *pod_sync_terminating(struct kubelet *k, const struct pod *pod, const struct pod_status *status,
	int64_t grace_seconds, const struct pod_eviction *eviction) MUST_USE;
struct status *pod_sync_terminated(struct kubelet *k, const struct pod *pod, const struct pod_status *status) MUST_USE;

/* Until the pod's activeDeadlineSeconds have passed; -1 if it has none or has not begun. */
int64_t pod_deadline_left_ms(struct kubelet *k, const struct pod *pod);

/* --- pod/cleanup.c --- */

/* What remains of pods that are gone: workers, containers, directories, groups, mirror pods, statuses. Every two
 * seconds. */
struct status *pod_cleanup(struct kubelet *k) MUST_USE;

#endif
