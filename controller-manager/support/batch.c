#include "controller-manager/support/batch.h"

#include <pthread.h>
#include <stdbool.h>
#include "base/mem.h"

struct batch {
	batch_fn *fn;
	void *data;
	size_t first;
	size_t next; /* not yet taken */
	size_t end;
	size_t n_running; /* helpers that have not left */
	size_t n_succeeded;
	struct status *error;
	pthread_mutex_t lock;
	pthread_cond_t left;
};

/* Takes one index after another until none is left. */
static void batch_work(struct batch *b)
{
	pthread_mutex_lock(&b->lock);
	while (b->next < b->end) {
		size_t index = b->next++;
		pthread_mutex_unlock(&b->lock);
		struct arena *arena = arena_new();
		struct status *s = b->fn(b->data, arena, index);
		arena_free(arena);
		pthread_mutex_lock(&b->lock);
		if (!s)
			b->n_succeeded++;
		else if (!b->error)
			b->error = s;
		else
			status_drop(s, "the batch's first error is reported");
	}
	pthread_mutex_unlock(&b->lock);
}

static void batch_help(void *data)
{
	struct batch *b = data;
	batch_work(b);
	pthread_mutex_lock(&b->lock);
	b->n_running--;
	pthread_cond_signal(&b->left);
	pthread_mutex_unlock(&b->lock);
}

static size_t run_range(
	struct workers *workers, size_t first, size_t n, batch_fn *fn, void *data, struct status **ret_first)
{
	struct batch b = {.fn = fn, .data = data, .first = first, .next = first, .end = first + n};
	pthread_mutex_init(&b.lock, NULL);
	pthread_cond_init(&b.left, NULL);
	for (size_t i = 1; i < n && i < 16; i++) {
		pthread_mutex_lock(&b.lock);
		b.n_running++;
		pthread_mutex_unlock(&b.lock);
		if (!workers || !workers_submit(workers, batch_help, &b)) {
			pthread_mutex_lock(&b.lock);
			b.n_running--;
			pthread_mutex_unlock(&b.lock);
			break;
		}
	}
	batch_work(&b);
	pthread_mutex_lock(&b.lock);
	while (b.n_running > 0)
		pthread_cond_wait(&b.left, &b.lock);
	pthread_mutex_unlock(&b.lock);
	pthread_cond_destroy(&b.left);
	pthread_mutex_destroy(&b.lock);
	*ret_first = b.error;
	return b.n_succeeded;
}

size_t batch_run(struct workers *workers, size_t n, batch_fn *fn, void *data, struct status **ret_first)
{
	*ret_first = NULL;
	return n ? run_range(workers, 0, n, fn, data, ret_first) : 0;
}

size_t batch_slow_start(struct workers *workers, size_t n, batch_fn *fn, void *data, struct status **ret_first)
{
	size_t succeeded = 0, done = 0;
	*ret_first = NULL;
	for (size_t size = 1; done < n && !*ret_first; size *= 2) {
		size_t now = size < n - done ? size : n - done;
		succeeded += run_range(workers, done, now, fn, data, ret_first);
		done += now;
	}
	return succeeded;
}
