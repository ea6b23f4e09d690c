/*
 * The scheduler's inside, shared by its own files.
 *
 * Threads: everything in struct scheduler belongs to the thread of its loop, save what is marked. Informer handlers and
 * workers come in through loop_post() only.
 */
#ifndef SCHEDULER_INTERNAL_H
#define SCHEDULER_INTERNAL_H

#include <stdatomic.h>
#include "base/loop.h"
#include "base/workers.h"
#include "client/informer.h"
#include "scheduler/config.h"
#include "scheduler/nominator.h"
#include "scheduler/queue.h"
#include "scheduler/schedule.h"
#include "serve/daemon.h"

/* A pod that is on a node, as far as we know. */
struct placed_pod {
	struct pod_info *pod;
	char *node;
	bool assumed; /* our own decision, not yet seen from the apiserver */
};

struct scheduler_metrics {
	struct metric *attempts;	 /* result, profile */
	struct metric *attempt_duration; /* result, profile */
	struct metric *algorithm_duration;
	struct metric *pending;	 /* queue */
	struct metric *incoming; /* queue, event */
	struct metric *preemption_victims, *preemption_attempts;
	struct metric *pod_attempts, *pod_seconds;
	struct metric *cache_size; /* type */
};

struct scheduler {
	/* set before the loop runs */
	struct daemon *daemon;
	struct client *client;		 /* any thread */
	struct event_recorder *recorder; /* any thread */
	struct arena *config_arena;
	struct profiles profiles;
	struct event_recorder **recorders; /* of the profiles, in their order: events come from the profile's name */
	struct scheduler_handle handle;
	struct scheduler_metrics metrics;
	struct loop *loop;
	pthread_t thread;
	struct workers *workers;
	struct informers *informers;
	struct informer *pod_informer, *node_informer, *namespace_informer, *budget_informer, *service_informer,
		*controller_informer, *replica_set_informer, *stateful_set_informer, *claim_informer, *volume_informer,
		*class_informer;
	/* the loop's */
	struct intern *resource_names;
	struct nodes *nodes;
	struct queue *queue;
	struct nominator *nominator;
	struct strmap *placed;	   /* uid -> struct placed_pod */
	struct strmap *preempting; /* uid -> itself */
	struct schedule_cursor cursor;
	struct arena *scratch; /* what informers hand out during one attempt */
	struct loop_timer *flush_timer;
	uint64_t random_state;
	bool leading, turn_posted;
	int n_unsynced;
	atomic_bool stopping; /* any thread */
};

/* events.c: informers in, columns and queue updated. */
void scheduler_watch(struct scheduler *s);
/* run.c: attempts. */
void scheduler_wake(struct scheduler *s);
void scheduler_forget(struct scheduler *s, const char *uid, bool requeue_others);
void scheduler_assume(struct scheduler *s, struct pod_info *pod, const char *node);
struct placed_pod *scheduler_placed(struct scheduler *s, const char *uid);
void scheduler_unplace(struct scheduler *s, const char *uid);
struct event_recorder *scheduler_recorder(const struct scheduler *s, const struct profile *profile);
/* bind.c: what goes to the apiserver, from workers. */
struct queued_pod;
void scheduler_bind(
	struct scheduler *s, struct cycle *cycle, struct queued_pod *item, const char *node, int64_t start_ms);
void scheduler_fail(struct scheduler *s, struct queued_pod *item, const struct profile *profile, enum verdict_code code,
	const char *message, const struct diagnosis *diagnosis, const char *nominate);
void scheduler_preempt(
	void *data, struct cycle *cycle, const char *node, struct pod_info *const *victims, size_t n_victims);
struct status *scheduler_post_binding(void *data, struct cycle *cycle, const char *node);
/* handle.c: answers to plugins. */
void scheduler_handle_init(struct scheduler *s);
/* metrics.c */
void scheduler_metrics_init(struct scheduler *s, struct metrics *metrics);

#endif
