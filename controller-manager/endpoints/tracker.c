#include "controller-manager/endpoints/tracker.h"

#include <pthread.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

enum { BELIEVE_MS = 10000 };

struct written {
	int64_t generation; /* -1: deleted */
	int64_t at_ms;
};

struct slice_tracker {
	const struct clock *clock;
	pthread_mutex_t lock;
	struct strmap *services; /* strmap of struct written by uid */
};

static void services_free(void *p)
{
	strmap_free(p);
}

struct slice_tracker *slice_tracker_new(const struct clock *clock)
{
	struct slice_tracker *t = mem_zalloc(sizeof(*t));
	t->clock = clock;
	pthread_mutex_init(&t->lock, NULL);
	t->services = strmap_new(services_free);
	return t;
}

void slice_tracker_free(struct slice_tracker *t)
{
	strmap_free(t->services);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void remember(struct slice_tracker *t, const char *service_key, const char *uid, int64_t generation)
{
	struct written *w = mem_zalloc(sizeof(*w));
	*w = (struct written){generation, clock_mono_ms(t->clock)};
	pthread_mutex_lock(&t->lock);
	struct strmap *slices = strmap_get(t->services, service_key);
	if (!slices)
		strmap_put(t->services, service_key, slices = strmap_new(free));
	strmap_put(slices, uid, w);
	pthread_mutex_unlock(&t->lock);
}

void slice_tracker_wrote(struct slice_tracker *t, const char *service_key, const MetaV1ObjectMeta *slice)
{
	remember(t, service_key, slice->uid, slice->generation);
}

void slice_tracker_deleted(struct slice_tracker *t, const char *service_key, const MetaV1ObjectMeta *slice)
{
	remember(t, service_key, slice->uid, -1);
}

static const MetaV1ObjectMeta *find_uid(const void *const *slices, size_t n, const char *uid)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(object_metadata(slices[i])->uid, uid))
			return object_metadata(slices[i]);
	return NULL;
}

bool slice_tracker_stale(struct slice_tracker *t, const char *service_key, const void *const *slices, size_t n)
{
	bool stale = false;
	int64_t now = clock_mono_ms(t->clock);
	pthread_mutex_lock(&t->lock);
	struct strmap *known = strmap_get(t->services, service_key);
	for (struct strmap_iter it = {.map = known}; known && strmap_next(&it);) {
		const struct written *w = it.value;
		const MetaV1ObjectMeta *seen = find_uid(slices, n, it.key);
		bool current = w->generation < 0 ? !seen : seen && seen->generation >= w->generation;
		if (current || now - w->at_ms > BELIEVE_MS)
			strmap_remove(known, it.key);
		else
			stale = true;
	}
	pthread_mutex_unlock(&t->lock);
	return stale;
}

void slice_tracker_forget(struct slice_tracker *t, const char *service_key)
{
	pthread_mutex_lock(&t->lock);
	strmap_remove(t->services, service_key);
	pthread_mutex_unlock(&t->lock);
}
