/*
 * The scheduling queue: which pod next, and when to try again one that did not fit.
 *
 *	queue_add(queue, profile, pod);
 *	struct queued_pod *next = queue_pop(queue);          // now in flight
 *	queue_requeue(queue, next, NULL, failed_plugins, 0);   // or queue_done(queue, next)
 *
 * A waiting pod is in one of three sets: active (a heap in the order of the queue-sort plugin), backing off (a heap by
 * the time its back-off ends: 1 s, doubling to 10 s), or unschedulable (until a cluster event that one of the plugins
 * that rejected it finds helpful, five minutes at the most). A pod in flight is in none; events that come meanwhile are
 * kept, so that none that would have helped it is lost.
 *
 * Threads: the scheduler's own thread.
 */
#ifndef SCHEDULER_QUEUE_H
#define SCHEDULER_QUEUE_H

#include "scheduler/framework.h"

struct queue;

enum queue_place {
	QUEUE_ACTIVE,
	QUEUE_BACKOFF,
	QUEUE_ERROR_BACKOFF,
	QUEUE_UNSCHEDULABLE,
	QUEUE_IN_FLIGHT,
	QUEUE_N_PLACES
};

struct queued_pod {
	struct pod_info *pod;
	const struct profile *profile;
	enum queue_place place;
	size_t index; /* in its heap */
	int64_t queued_ms;
	int64_t first_attempt_ms; /* 0: never tried */
	int64_t backoff_until_ms; /* 0: not computed */
	int attempts;
	int unschedulable_count;
	int consecutive_errors;
	plugin_set unschedulable, pending; /* who rejected it last */
	int gate;			   /* the pre-enqueue plugin that holds it, or -1 */
	uint64_t since_event;		   /* in flight: the first event to look at afterwards */
	bool deleted;			   /* in flight: the pod is gone */
	uint64_t number;		   /* ties are broken in the order of arrival */
};

struct queue_config {
	int64_t initial_backoff_ms, max_backoff_ms, max_unschedulable_ms;
	const struct clock *clock;
};

/* Something that keeps the objects of an event alive while the event is remembered. */
struct event_keep {
	int refs;
	void (*release)(void *data);
	void *data;
};

struct queue *queue_new(const struct queue_config *config);
void queue_free(struct queue *q);
DEFINE_CLEANUP(struct queue *, queue_free)

void queue_add(struct queue *q, const struct profile *profile, struct pod_info *pod);
/* The pod changed: replaces its facts and, if the change may help, moves it. Unknown pods are added. */
void queue_update(struct queue *q, const struct profile *profile, const struct pod_info *old_pod, struct pod_info *pod);
void queue_delete(struct queue *q, const char *uid);
/* The first active pod; if there is none, the first that is backing off not after an error. NULL: nothing to do now. */
struct queued_pod *queue_pop(struct queue *q);
/* The attempt of an in-flight pod is over for good; frees it. */
void queue_done(struct queue *q, struct queued_pod *item);
/*
 * The attempt failed: back to waiting. pod: its present facts (NULL: unchanged). No plugins: an error, so it backs off.
 * Takes the item; its memory stays the queue's.
 */
void queue_requeue(
	struct queue *q, struct queued_pod *item, struct pod_info *pod, plugin_set unschedulable, plugin_set pending);
/* A cluster event: moves those it may help. may_help (or NULL) limits which are considered. keep may be NULL. */
void queue_event(struct queue *q, const struct cluster_event *event, struct event_keep *keep,
	bool (*may_help)(void *data, const struct pod_info *pod), void *data);
/* Makes a waiting pod active, whatever it waits for. */
void queue_activate(struct queue *q, const char *uid);
/* Moves what has backed off long enough, and what has waited unschedulable for too long. Returns ms until the next call
 * is worthwhile, -1: no need. */
int64_t queue_flush(struct queue *q);

size_t queue_count(const struct queue *q, enum queue_place place);
struct queued_pod *queue_find(const struct queue *q, const char *uid);
/* How long a pod waits after its n-th failure. */
int64_t queue_backoff_ms(const struct queue_config *config, int count);

#endif
