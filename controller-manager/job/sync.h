/*
 * One sync of a Job, in the order of its steps: count the pods, judge whether the Job ends, make or remove pods, and
 * account for each pod that ended exactly once.
 *
 * Ownership: a job_sync is its sync's; all it refers to lives in its arena or, until the sync ends, in the informers.
 * Threads: a sync is one worker's; what it remembers for the next (struct jobs) is behind that one's lock.
 */
#ifndef CONTROLLER_MANAGER_JOB_SYNC_H
#define CONTROLLER_MANAGER_JOB_SYNC_H

#include <pthread.h>
#include "controller-manager/controller.h"
#include "controller-manager/job/policy.h"
#include "controller-manager/support/expectations.h"
#include "controller-manager/support/pods.h"

/* How often pods failed since one last succeeded. */
struct failures {
	int32_t n;
	int64_t last_ns;
};

struct jobs {
	struct controller_context *ctx;
	struct informer *jobs, *pods;
	struct workqueue *queue, *orphans;
	struct expectations *expectations;
	pthread_mutex_t lock;	 /* guards the maps */
	struct strmap *failures; /* by job key */
	struct strmap *released; /* uids of pods whose finalizer is gone and not yet seen to be gone */
	struct strmap *finished; /* uids of jobs that were marked finished */
};

/* One sync. */
struct job_sync {
	struct jobs *c;
	struct arena *arena;
	const char *key;
	BatchV1Job *job; /* a copy of our own */
	const CoreV1Pod **pods;
	size_t n_pods;
	const CoreV1Pod **active;
	size_t n_active;
	int32_t succeeded, failed, ready, terminating;
	struct index_set succeeded_indexes, failed_indexes;
	bool per_index; /* backoffLimitPerIndex */
	struct failures failures;
	BatchV1JobCondition *finished; /* the condition that ends it */
	bool flush;		       /* the status is to be written */
	/* of creation */
	int32_t *indexes;
	CoreV1PodTemplateSpec *template;
	const CoreV1Pod **doomed;
};

/* memory.c: what is remembered between syncs. A pod is released when its finalizer is known to be gone, seen so or not.
 */
bool job_is_released(struct jobs *c, const char *uid);
void job_set_released(struct jobs *c, const char *uid, bool released);
/* A job that was marked finished, though its informer may not show it yet. */
bool job_is_marked(struct jobs *c, const char *uid);
void job_set_marked(struct jobs *c, const char *uid, bool marked);
struct failures job_load_failures(struct jobs *c, const char *key);
/* NULL, or none: forgets them. */
void job_store_failures(struct jobs *c, const char *key, const struct failures *f);

/* count.c: fills in what the pods say: active, ready, terminating, succeeded, failed, indexes, failures. */
void job_count_pods(struct job_sync *s);
bool job_pod_is_held(const CoreV1Pod *pod);
/* Held by the finalizer, and not released by us. */
bool job_pod_is_tracked(const struct job_sync *s, const CoreV1Pod *pod);
bool job_pod_has_index(const struct job_sync *s, const CoreV1Pod *pod);
enum job_failure job_pod_verdict(struct job_sync *s, const CoreV1Pod *pod);
/* The failed pod that the next one of an index takes the place of: it carries the counts. NULL: none. */
const CoreV1Pod *job_predecessor(struct job_sync *s, int32_t index);

/* finish.c: sets s->finished to the condition that ends the job, if one does. */
void job_judge_end(struct job_sync *s);
/* The same when all is done, after pods were managed; else notes whether it is suspended. */
void job_judge_completion(struct job_sync *s, bool managed);
/* Puts FailureTarget or SuccessCriteriaMet into the status; Failed or Complete is for when no pod is left. */
void job_announce_end(struct job_sync *s);
/* Writes s->finished into the status, to be flushed. */
void job_set_finished(struct job_sync *s);
/* Records the event of the end. */
void job_tell_end(struct job_sync *s);

/* pods.c: as many pods as there should be. */
struct status *job_manage_pods(struct job_sync *s) __attribute__((warn_unused_result));
/* Deletes n of the active pods; what is gone is active no more. */
struct status *job_delete_active(struct job_sync *s, const CoreV1Pod **pods, size_t n, size_t *ret_deleted)
	__attribute__((warn_unused_result));
/* Removes the finalizer from a pod; one that is gone needs none. */
struct status *job_release_pod(struct jobs *c, struct arena *arena, const CoreV1Pod *pod)
	__attribute__((warn_unused_result));

/*
 * track.c: a pod that ended is noted in the status, then loses the finalizer, then counts; when the last one has, the
 * job is finished. Each step can be the last one before a crash: the next sync goes on from the status and the
 * finalizers that it finds.
 */
struct status *job_track_pods(struct job_sync *s) __attribute__((warn_unused_result));

#endif
