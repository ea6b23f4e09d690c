/* What the files of the informer share. Private to the library. */
#ifndef CLIENT_INFORMER_INTERNAL_H
#define CLIENT_INFORMER_INTERNAL_H

#include <pthread.h>
#include "client/informer.h"
#include "client/multi.h"
#include "client/store.h"

struct handler {
	struct informer_handler fns;
	void *data;
	bool told_synced;
};

struct informers {
	struct client *client;
	struct loop *loop;
	struct multi *multi;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows and every informer's resource_version */
	pthread_cond_t changed;
	struct informer **all;
	size_t n_all, cap_all;
	bool running;
};

/* Everything but what is marked belongs to the factory's thread once that runs. */
struct informer {
	struct informers *factory;
	struct arena *arena; /* of the spec */
	struct informer_spec spec;
	struct client_resource resource;
	struct store store; /* has its own lock */
	struct handler *handlers;
	size_t n_handlers, cap_handlers;
	bool started;
	atomic_bool synced;	/* any thread reads it */
	char *resource_version; /* heap; under the factory's lock; "" before the first listing */
	bool relist;		/* the version is of no use any more */
	bool listed;		/* the first listing is in the store */
	bool from_server;	/* the next listing must be a consistent one: the cache's was too old */
	/* the request in progress */
	bool watching;
	struct transfer transfer;
	struct arena *transfer_arena;
	struct multi_entry *entry;
	struct loop_timer *retry;
	struct backoff backoff;
	struct watch_reader reader;
	int protobuf; /* of the stream: -1 not known yet */
	struct status *stream_error;
	int64_t watch_started_ms;
	size_t n_events;
	struct arena *scratch;
};

/* informer_watch.c: begins the first listing; on the factory's thread, as the others. */
void informer_begin(struct informer *inf);
/* Ends the request in progress, if there is one. */
void informer_abort(struct informer *inf);

#endif
