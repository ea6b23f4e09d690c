/*
 * A bounded pool of threads for work that may block.
 *
 *	struct workers *w = workers_new("writes", 16, 1000);
 *	if (!workers_submit(w, handle, request)) … too many waiting: answer 429
 *
 * Threads: submit from anywhere. workers_free() lets queued work finish, then joins the threads.
 */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <pthread.h>

struct workers;

/* At most n_threads, started as needed, ended when idle for some seconds; max_queued bounds what waits. */
struct workers *workers_new(const char *name, size_t n_threads, size_t max_queued);
void workers_free(struct workers *w);
/* Instead of workers_free(), of a pool that ends with the process: nobody waits for its threads. */
void workers_abandon(struct workers *w);
/* False if the queue is full; then fn will not be called. */
bool workers_submit(struct workers *w, void (*fn)(void *data), void *data);

/* Starts a named thread with a small stack and all signals blocked; aborts if the system has none left. */
pthread_t thread_start(const char *name, void *(*fn)(void *), void *data);

#endif
