#include "base/workers.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/cleanup.h"
#include "base/mem.h"

/* A thread that has nothing to do for so long ends: its stack and what malloc keeps for it are given back. In a test
 * build they come and go all the time, and a sanitizer's frames are several times as large. */
#ifdef KUBEC_FAIL_POINTS
enum { STACK_BYTES = 4 * 1024 * 1024, IDLE_MS = 20 };
#else
enum { STACK_BYTES = 512 * 1024, IDLE_MS = 5000 };
#endif

#define HEAP_LOOK_BYTES (64u << 10)

struct job {
	void (*fn)(void *);
	void *data;
};

/* A thread. One that is idle is handed its next job where it sleeps, and so needs no lock when it wakes. */
struct worker {
	struct workers *pool;
	struct worker *next_idle;
	struct job job; /* fn NULL: end */
	sem_t wake;
	pthread_t thread;
	bool started; /* there is such a thread, which is to be joined */
};

struct workers {
	pthread_mutex_t lock; /* guards all below */
	char name[16];
	struct job *ring;
	size_t cap, head, n_queued, n_running, n_max;
	struct worker *idle; /* who slept last comes first: what it works with is still warm */
	bool stopping;
	struct worker *all; /* n_max of them */
	pthread_t left;	    /* who ended last for want of work, and may be in the lock still: joined when all end */
	bool has_left, abandoned;
};

static bool take_queued(struct workers *w, struct job *ret_job)
{
	if (!w->n_queued)
		return false;
	*ret_job = w->ring[w->head];
	w->head = (w->head + 1) % w->cap;
	w->n_queued--;
	return true;
}

/*
 * The free end of the heap that a thread allocates from is kept for the next burst, and malloc_trim() gives back that
 * of the main heap alone. Freeing so large a piece makes glibc look at the end of the heap it was in (_int_free,
 * FASTBIN_CONSOLIDATION_THRESHOLD).
 */
static void give_back_end_of_heap(void)
{
	void *volatile piece = mem_alloc(HEAP_LOOK_BYTES);
	free(piece);
}

/* Who has not been handed anything meanwhile is taken off the list, and ends: its place is free. */
static bool leave(struct worker *worker)
{
	struct workers *w = worker->pool;
	pthread_mutex_lock(&w->lock);
	struct worker **at = &w->idle;
	while (*at && *at != worker)
		at = &(*at)->next_idle;
	const bool found = *at;
	if (found) {
		*at = worker->next_idle;
		worker->started = false;
		w->n_running--;
		sem_destroy(&worker->wake);
		/* Who left before is through with the lock. */
		if (w->has_left)
			pthread_detach(w->left);
		w->left = pthread_self();
		w->has_left = !w->abandoned;
		if (w->abandoned)
			pthread_detach(w->left);
	}
	pthread_mutex_unlock(&w->lock);
	if (found)
		give_back_end_of_heap();
	return found;
}

/* False: it was idle for too long. */
static bool sleep_for_job(struct worker *worker)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	const int64_t ns = until.tv_nsec + IDLE_MS * INT64_C(1000000);
	until.tv_sec += ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	while (sem_timedwait(&worker->wake, &until) != 0) {
		assert(errno == EINTR || errno == ETIMEDOUT);
		if (errno == ETIMEDOUT && leave(worker))
			return false;
		/* Time is over, but a job is on its way. */
	}
	return true;
}

/* The next job; false: there will be none. */
static bool next_job(struct worker *worker)
{
	struct workers *w = worker->pool;
	pthread_mutex_lock(&w->lock);
	bool sleeps = !take_queued(w, &worker->job) && !w->stopping;
	bool found = worker->job.fn;
	if (sleeps) {
		worker->next_idle = w->idle;
		w->idle = worker;
	}
	pthread_mutex_unlock(&w->lock);
	if (!sleeps)
		return found;
	return sleep_for_job(worker) && worker->job.fn;
}

static void *run(void *data)
{
	struct worker *worker = data;
	do {
		struct job job = worker->job;
		worker->job = (struct job){0};
		job.fn(job.data);
	} while (next_job(worker));
	return NULL;
}

struct workers *workers_new(const char *name, size_t n_threads, size_t max_queued)
{
	struct workers *w = mem_zalloc(sizeof(*w));
	pthread_mutex_init(&w->lock, NULL);
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->cap = max_queued ? max_queued : 1;
	w->ring = mem_calloc(w->cap, sizeof(*w->ring));
	w->n_max = n_threads ? n_threads : 1;
	w->all = mem_calloc(w->n_max, sizeof(*w->all));
	return w;
}

void workers_free(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	struct worker *idle = STEAL(w->idle);
	pthread_mutex_unlock(&w->lock);
	for (struct worker *next; idle; idle = next) {
		next = idle->next_idle;
		sem_post(&idle->wake);
	}
	for (size_t i = 0; i < w->n_max; i++) {
		if (!w->all[i].started)
			continue;
		pthread_join(w->all[i].thread, NULL);
		sem_destroy(&w->all[i].wake);
	}
	if (w->has_left)
		pthread_join(w->left, NULL);
	pthread_mutex_destroy(&w->lock);
	free(w->all);
	free(w->ring);
	free(w);
}

void workers_abandon(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	w->abandoned = true;
	if (w->has_left)
		pthread_detach(w->left);
	w->has_left = false;
	pthread_mutex_unlock(&w->lock);
}

static void start(struct workers *w, struct job job)
{
	struct worker *worker = w->all;
	while (worker->started)
		worker++;
	*worker = (struct worker){.pool = w, .job = job, .started = true};
	w->n_running++;
	sem_init(&worker->wake, 0, 0);
	worker->thread = thread_start(w->name, run, worker);
}

bool workers_submit(struct workers *w, void (*fn)(void *data), void *data)
{
	const struct job job = {fn, data};
	struct worker *idle = NULL;
	bool taken = true;
	pthread_mutex_lock(&w->lock);
	if (w->stopping) {
		taken = false;
	} else if (w->idle) {
		idle = w->idle;
		w->idle = idle->next_idle;
		idle->job = job;
	} else if (w->n_running < w->n_max) {
		start(w, job);
	} else if (w->n_queued < w->cap) {
		w->ring[(w->head + w->n_queued++) % w->cap] = job;
	} else {
		taken = false;
	}
	pthread_mutex_unlock(&w->lock);
	if (idle)
		sem_post(&idle->wake);
	return taken;
}

pthread_t thread_start(const char *name, void *(*fn)(void *), void *data)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	char short_name[16];
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&thread, &attr, fn, data);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (error) {
		fprintf(stderr, "cannot start thread %s: %s\n", name, strerrordesc_np(error));
		abort();
	}
	snprintf(short_name, sizeof(short_name), "%s", name);
	pthread_setname_np(thread, short_name);
	return thread;
}
