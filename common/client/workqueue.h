/*
 * Work queue: keys to be synced, each at most once at a time and at most once in the queue.
 *
 *	struct workqueue *q = workqueue_new("deployment", clock_system());
 *	struct workqueue_run *run = workqueue_run(q, 5, sync_deployment, controller);
 *	…handlers: workqueue_add(q, key);
 *	workqueue_shutdown(q); workqueue_join(run); workqueue_free(q);
 *
 * A key added while it is being processed is processed again afterwards. Failures are added again with a back-off of
 * 5 ms · 2^n up to 1000 s and an overall 10 a second (burst 100), as the default controller rate limiter of the
 * original.
 *
 * Threads: any thread may call anything. Keys are copied.
 */
#ifndef CLIENT_WORKQUEUE_H
#define CLIENT_WORKQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"

struct workqueue;
struct workqueue_run;

struct workqueue_options {
	int64_t base_delay_ms; /* 0: 5 */
	int64_t max_delay_ms;  /* 0: 1,000,000 */
	double qps;	       /* 0: 10; negative: no overall limit */
	int burst;	       /* 0: 100 */
};

struct workqueue *workqueue_new(const char *name, const struct clock *clock);
struct workqueue *workqueue_new_with(
	const char *name, const struct clock *clock, const struct workqueue_options *options);
/* Shut down and joined before. */
void workqueue_free(struct workqueue *q);
DEFINE_CLEANUP(struct workqueue *, workqueue_free)
const char *workqueue_name(const struct workqueue *q);

/* Adds now; ignored after shutdown. */
void workqueue_add(struct workqueue *q, const char *key);
/* Adds when the delay has passed; the earlier of two delays of one key counts. delay <= 0: now. */
void workqueue_add_after(struct workqueue *q, const char *key, int64_t delay_ms);
/* Adds after the key's back-off, which grows. */
void workqueue_add_rate_limited(struct workqueue *q, const char *key);
/* Forgets the key's failures: call it when a sync has succeeded (workqueue_run does). */
void workqueue_forget(struct workqueue *q, const char *key);
int workqueue_requeues(struct workqueue *q, const char *key);
/* Keys ready, not counting those in process or delayed. */
size_t workqueue_len(struct workqueue *q);

/* What a queue has done so far, as the metrics of the original count it. */
#define WORKQUEUE_BOUNDS 12 /* 10 ns · 10^n seconds */
struct workqueue_times {
	uint64_t counts[WORKQUEUE_BOUNDS + 1]; /* of those up to each bound, and of those above the last */
	double sum_s;
};
struct workqueue_figures {
	uint64_t depth, adds, retries;
	struct workqueue_times waits, syncs; /* from add to get; from get to done */
	double unfinished_s, longest_s;	     /* of what is in process: all together, and the oldest */
};
void workqueue_figures(struct workqueue *q, struct workqueue_figures *ret_figures);
/* The upper bounds of the times, in seconds. */
const double *workqueue_bounds(void);

/* The next key (owned by the caller: free()), waiting for one; NULL once the queue is shut down and empty. */
char *workqueue_get(struct workqueue *q);
/* The same without waiting; NULL if none is ready. */
char *workqueue_try_get(struct workqueue *q);
/* Every key taken must be given back. */
void workqueue_done(struct workqueue *q, const char *key);
/* No more adds; what is queued is still handed out; delayed keys are dropped. */
void workqueue_shutdown(struct workqueue *q);
bool workqueue_is_shut_down(struct workqueue *q);

/*
 * One sync of a key, with an arena of its own. NULL: done, the key's failures are forgotten. An error is logged and the
 * key added again with back-off (a Conflict or AlreadyExists is logged at --v=4 only: the next event brings the newer
 * object).
 */
typedef struct status *workqueue_sync(void *data, struct arena *arena, const char *key);
/* Runs sync over the queue, on as many threads at once, until it is shut down. They come with the keys, and go when
 * there are none. */
struct workqueue_run *workqueue_run(struct workqueue *q, size_t n_threads, workqueue_sync *sync, void *data);
/* Waits until the queue is shut down and the last sync has ended; frees the handle. */
void workqueue_join(struct workqueue_run *run);

#endif
