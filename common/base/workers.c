#include "base/workers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

enum { STACK_BYTES = 512 * 1024 };

struct job {
	void (*fn)(void *);
	void *data;
};

struct workers {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	char name[16];
	struct job *ring;
	size_t cap, head, n_queued, n_idle, n_started, n_max;
	bool stopping;
	pthread_t *threads;
};

static void *run(void *data)
{
	struct workers *w = data;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->n_queued && !w->stopping) {
			w->n_idle++;
			pthread_cond_wait(&w->wake, &w->lock);
			w->n_idle--;
		}
		if (!w->n_queued)
			break;
		struct job job = w->ring[w->head];
		w->head = (w->head + 1) % w->cap;
		w->n_queued--;
		pthread_mutex_unlock(&w->lock);
		job.fn(job.data);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct workers *workers_new(const char *name, size_t n_threads, size_t max_queued)
{
	struct workers *w = mem_zalloc(sizeof(*w));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->cap = max_queued ? max_queued : 1;
	w->ring = mem_calloc(w->cap, sizeof(*w->ring));
	w->n_max = n_threads ? n_threads : 1;
	w->threads = mem_calloc(w->n_max, sizeof(*w->threads));
	return w;
}

void workers_free(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->n_started; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w->ring);
	free(w);
}

bool workers_submit(struct workers *w, void (*fn)(void *data), void *data)
{
	pthread_mutex_lock(&w->lock);
	bool room = w->n_queued < w->cap && !w->stopping;
	if (room) {
		w->ring[(w->head + w->n_queued++) % w->cap] = (struct job){fn, data};
		if (w->n_queued > w->n_idle && w->n_started < w->n_max) {
			w->threads[w->n_started] = thread_start(w->name, run, w);
			w->n_started++;
		}
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	return room;
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
