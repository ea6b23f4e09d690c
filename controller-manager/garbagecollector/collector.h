/*
 * What the garbage collector does to one object: asks the server what is true, then deletes, waits, or lets go.
 *
 * Threads: many at once, each with an arena of its own.
 */
#ifndef CONTROLLER_MANAGER_GC_COLLECTOR_H
#define CONTROLLER_MANAGER_GC_COLLECTOR_H

#include <pthread.h>
#include "client/discovery.h"
#include "controller-manager/controller.h"
#include "controller-manager/garbagecollector/absent.h"
#include "controller-manager/garbagecollector/graph.h"

struct collector {
	struct controller_context *ctx;
	struct graph *graph;
	struct absent_owners *absent;
	struct workqueue *deletes, *orphans;
	pthread_mutex_t lock; /* guards discovery */
	struct discovery *discovery;
	int64_t refreshed_ms; /* when an unknown kind last made us ask anew */
	struct monitor *monitors;
};

/* Syncs of the two queues; the key is a uid. */
struct status *collect(void *data, struct arena *arena, const char *uid);
struct status *orphan_dependents(void *data, struct arena *arena, const char *uid);
/* Where a kind is served; NULL if the server does not know it. The answer lives in the arena. */
struct client_resource *collector_resource(
	struct collector *c, struct arena *arena, const char *api_version, const char *kind);

#endif
