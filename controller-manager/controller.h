/*
 * A controller: one record in the table of controllers.c, one file, one loop that compares what is wanted with what is.
 *
 *	static struct status *start(struct controller_context *ctx)
 *	{
 *		struct things *t = controller_state(ctx, sizeof(*t));
 *		t->things = controller_informer(ctx, &CoreV1Thing_schema);
 *		t->queue = controller_queue(ctx, "thing", 2, sync_thing, t);
 *		informer_add_handler(t->things, &enqueue_self, t->queue);
 *		return NULL;
 *	}
 *	const struct controller thing_controller = {.name = "thing-controller", .start = start};
 *
 * start() runs once, before any informer has listed; its queues' workers begin when all informers that it has asked for
 * are synced. A controller owns nothing but what it can read back: it may be killed at any instruction.
 *
 * Threads: start() on the main thread; handlers on the informers' thread; syncs on the queues' threads.
 */
#ifndef CONTROLLER_MANAGER_CONTROLLER_H
#define CONTROLLER_MANAGER_CONTROLLER_H

#include <stdatomic.h>
#include "client/client.h"
#include "client/events.h"
#include "client/informer.h"
#include "client/workqueue.h"
#include "controller-manager/options.h"
#include "controller-manager/support/object.h"
#include "serve/metrics.h"

struct manager;
struct controller_context;

struct controller {
	const char *name;	     /* "deployment-controller": what --controllers takes */
	const char *alias;	     /* the older name that --controllers takes too; NULL: none */
	const char *service_account; /* as whom it speaks; NULL: its name; "": as the manager itself */
	const char *event_source;    /* NULL: its name */
	bool off_by_default;
	int qps_times, burst_times; /* --kube-api-qps and -burst, so many times; 0: once */
	int64_t patience_ms;	    /* runs after that long although not everything is synced; 0: waits for all of it */
	/* Whether it makes sense under these options; NULL: always. False is logged and the controller is left out. */
	bool (*wanted)(const struct options *options);
	struct status *(*start)(struct controller_context *ctx);
};

struct controller_context {
	const struct controller *controller;
	const struct options *options;
	struct client *client;		 /* speaks as the controller's service account */
	struct event_recorder *recorder; /* source: the controller's name */
	struct informers *informers;	 /* shared by all */
	const struct clock *clock;
	struct workers *workers; /* for batches; shared by all */
	struct metrics *metrics; /* for figures of its own; NULL: nobody asks */
	struct manager *manager;
	struct informer **awaited; /* what the controller has asked for; the manager's */
	size_t n_awaited;
	bool runs; /* its workers have begun; the manager's */
};

/* NULL-terminated. */
extern const struct controller *const controllers[];

/* Zeroed state that lives until all controllers have stopped. */
void *controller_state(struct controller_context *ctx, size_t size);
/* Runs fn(data) when all controllers have stopped, last registered first: frees what a state holds beside its own
 * memory. */
void controller_defer(struct controller_context *ctx, void (*fn)(void *data), void *data);
#define CONTROLLER_OWNS(ctx, free_fn, p) controller_defer((ctx), (void (*)(void *))(free_fn), (p))
/* A small file as text that lives as long as the state; ret_size may be NULL. */
struct status *controller_read_file(
	struct controller_context *ctx, const char *path, char **ret_text, size_t *ret_size) MUST_USE;
/* The shared informer of a kind, its objects trimmed and complete (object_trim). */
struct informer *controller_informer(struct controller_context *ctx, const struct schema_type *type);
/* The shared informer of a resource's metadata: who it is, who owns it and what holds it; no labels, no annotations. */
struct informer *controller_metadata_informer(struct controller_context *ctx, const struct client_resource *resource);
/* Whether a controller that started before has asked for that informer. */
bool controller_informer_exists(const struct controller_context *ctx, const struct schema_type *type);
/* A queue whose n workers start when what the controller has asked for is synced. Freed by the manager. */
struct workqueue *controller_queue(
	struct controller_context *ctx, const char *name, int64_t n, workqueue_sync *sync, void *data);
/* Calls fn every period, first when what it has asked for is synced, on a thread of its own. The arena is new for each
 * call. */
void controller_every(struct controller_context *ctx, const char *name, int64_t period_ms,
	void (*fn)(void *data, struct arena *arena), void *data);
/* True once the manager is going down: long work ends early. */
const atomic_bool *controller_stopping(const struct controller_context *ctx);

/* A handler whose data is a queue: adds the key of whatever comes, changes or goes. */
extern const struct informer_handler enqueue_self;
/* The indexes of the shared pod informer. */
#define PODS_BY_NODE "node"
/* By the uid of the controller; those without one under "orphan/<namespace>". Replica sets and controller revisions
 * have it, too. */
#define BY_CONTROLLER "controller"
/* The objects under an owner's uid, and the namespace's orphans if asked for. */
const void **controller_dependents(struct informer *informer, struct arena *arena, const char *namespace,
	const char *uid, bool orphans, size_t *ret_n);

#endif
