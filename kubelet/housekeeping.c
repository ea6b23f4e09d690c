#include "kubelet/housekeeping.h"

#include <pthread.h>
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/eviction/eviction.h"
#include "kubelet/gc/gc.h"
#include "kubelet/image/image.h"
#include "kubelet/pod/workers.h"

#define TICK_MS 2000
#define CONTAINERS_MS (60 * 1000)
#define EVICTION_MS (10 * 1000)
#define IMAGES_MS (5 * 60 * 1000)
#define RESIZES_FIRST_MS (30 * 1000)
#define RESIZES_MS (3 * 60 * 1000)

struct housekeeping {
	struct kubelet *k;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	pthread_t thread;
};

static struct status *collect_images(struct kubelet *k)
{
	return image_gc_run(k->image_gc);
}

static struct status *retry_resizes(struct kubelet *k)
{
	allocation_retry(k->allocation);
	return NULL;
}

struct chore {
	const char *name;
	struct status *(*run)(struct kubelet *k);
	int64_t every_ms;
	int64_t next_ms;
};

static void *housekeeping_thread(void *data)
{
	struct housekeeping *h = data;
	int64_t now = clock_mono_ms(h->k->clock);
	struct chore chores[] = {
		{"pod cleanup", pod_cleanup, TICK_MS, now},
		{"eviction", eviction_check, EVICTION_MS, now},
		{"container garbage collection", gc_containers, CONTAINERS_MS, now + CONTAINERS_MS},
		{"image garbage collection", collect_images, IMAGES_MS, now},
		{"pending resizes", retry_resizes, RESIZES_MS, now + RESIZES_FIRST_MS},
		{"log rotation", gc_rotate_logs, h->k->settings->log_check_ms, now + h->k->settings->log_check_ms},
	};
	pthread_mutex_lock(&h->lock);
	while (!h->stopping) {
		pthread_mutex_unlock(&h->lock);
		for (size_t i = 0; i < ARRAY_SIZE(chores); i++) {
			now = clock_mono_ms(h->k->clock);
			if (now < chores[i].next_ms || !h->k->runtime_ready)
				continue;
			log_status(chores[i].run(h->k), "%s", chores[i].name);
			chores[i].next_ms = clock_mono_ms(h->k->clock) + chores[i].every_ms;
		}
		pthread_mutex_lock(&h->lock);
		if (!h->stopping)
			cond_wait_for(&h->wake, &h->lock, TICK_MS);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct housekeeping *housekeeping_start(struct kubelet *k)
{
	struct housekeeping *h = mem_zalloc(sizeof(*h));
	h->k = k;
	pthread_mutex_init(&h->lock, NULL);
	cond_init(&h->wake);
	h->thread = thread_start("housekeeping", housekeeping_thread, h);
	return h;
}

void housekeeping_free(struct housekeeping *h)
{
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
