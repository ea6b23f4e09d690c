/*
 * What the server is busy with, for its end: how many exchanges are open, by how long they last, and waiting until they
 * are done.
 *
 * Threads: any; counting takes no lock until somebody waits.
 */
#ifndef APISERVER_HTTP_DRAIN_H
#define APISERVER_HTTP_DRAIN_H

#include <pthread.h>
#include <stdatomic.h>
#include "apiserver/http/server.h"

struct drain {
	atomic_bool ending; /* who begins from here on comes late */
	atomic_bool closed; /* nobody else is let in, and who is there is told to go */
	atomic_size_t open[EXCHANGE_LENGTHS];
	pthread_mutex_t lock; /* of the condition alone */
	pthread_cond_t less;
};

void drain_init(struct drain *drain);
void drain_done(struct drain *drain);
/* True: it comes too late to be served. */
bool drain_begins(struct drain *drain);
void drain_lasts(struct drain *drain, enum exchange_length length);
void drain_ends(struct drain *drain, enum exchange_length length);
/* Waits until no exchange of that length is open; false: the time came first. */
bool drain_wait(struct drain *drain, enum exchange_length length, int64_t deadline_ms);

#endif
