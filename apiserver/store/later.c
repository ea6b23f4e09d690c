/*
 * Freshness for who does not wait for it on a thread: one thread asks for all.
 */
#include <stdlib.h>
#include "apiserver/store/cache_private.h"
#include "base/mem.h"
#include "base/workers.h"

#define WAIT_MS 3000

struct later {
	struct later *next;
	void (*fn)(void *data, struct status *status);
	void *data;
};

/* Everybody in the batch came before etcd is asked, which is what makes the answer fresh for them. */
static void answer(struct cache *cache, struct later *batch)
{
	struct status *status = cache_fresh(cache, WAIT_MS);
	while (batch) {
		struct later *one = batch;
		batch = one->next;
		one->fn(one->data, status ? status_copy(status) : NULL);
		free(one);
	}
	status_free(status);
}

static void *answer_all(void *data)
{
	struct cache *cache = data;
	pthread_mutex_lock(&cache->later_lock);
	while (!atomic_load(&cache->stop)) {
		if (!cache->later) {
			pthread_cond_wait(&cache->later_wake, &cache->later_lock);
			continue;
		}
		struct later *batch = STEAL(cache->later);
		pthread_mutex_unlock(&cache->later_lock);
		answer(cache, batch);
		pthread_mutex_lock(&cache->later_lock);
	}
	pthread_mutex_unlock(&cache->later_lock);
	return NULL;
}

void cache_fresh_later(struct cache *cache, void (*fn)(void *data, struct status *status), void *data)
{
	struct later *one = mem_zalloc(sizeof(*one));
	one->fn = fn;
	one->data = data;
	pthread_mutex_lock(&cache->later_lock);
	one->next = cache->later;
	cache->later = one;
	if (!cache->later_started)
		cache->later_thread = thread_start("freshness", answer_all, cache);
	cache->later_started = true;
	pthread_cond_signal(&cache->later_wake);
	pthread_mutex_unlock(&cache->later_lock);
}

void cache_later_init(struct cache *cache)
{
	pthread_mutex_init(&cache->later_lock, NULL);
	pthread_cond_init(&cache->later_wake, NULL);
}

/* After stop has been set. */
void cache_later_done(struct cache *cache)
{
	pthread_mutex_lock(&cache->later_lock);
	pthread_cond_signal(&cache->later_wake);
	pthread_mutex_unlock(&cache->later_lock);
	if (cache->later_started)
		pthread_join(cache->later_thread, NULL);
	while (cache->later) {
		struct later *one = cache->later;
		cache->later = one->next;
		free(one);
	}
	pthread_cond_destroy(&cache->later_wake);
	pthread_mutex_destroy(&cache->later_lock);
}
