#include "kubelet/runtime/restart_backoff.h"

#include <pthread.h>
#include "base/map.h"
#include "base/mem.h"

struct entry {
	int64_t delay_ms;
	int64_t updated_ns;
};

struct restart_backoff {
	pthread_mutex_t lock;
	const struct clock *clock;
	int64_t initial_ms;
	int64_t max_ms;
	struct strmap *entries;
};

struct restart_backoff *restart_backoff_new(const struct clock *clock, int64_t initial_ms, int64_t max_ms)
{
	struct restart_backoff *b = mem_zalloc(sizeof(*b));
	pthread_mutex_init(&b->lock, NULL);
	b->clock = clock;
	b->initial_ms = initial_ms < max_ms ? initial_ms : max_ms;
	b->max_ms = max_ms;
	b->entries = strmap_new(free);
	return b;
}

void restart_backoff_free(struct restart_backoff *b)
{
	strmap_free(b->entries);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* An event so long after the last update that the container had been well. */
static bool expired(const struct restart_backoff *b, const struct entry *e, int64_t event_ns)
{
	return event_ns - e->updated_ns > 2 * b->max_ms * 1000000;
}

int64_t restart_backoff_get(struct restart_backoff *b, const char *key)
{
	pthread_mutex_lock(&b->lock);
	const struct entry *e = strmap_get(b->entries, key);
	int64_t delay = e ? e->delay_ms : 0;
	pthread_mutex_unlock(&b->lock);
	return delay;
}

bool restart_backoff_active_since(struct restart_backoff *b, const char *key, int64_t event_ns)
{
	pthread_mutex_lock(&b->lock);
	const struct entry *e = strmap_get(b->entries, key);
	bool active = e && !expired(b, e, event_ns) && clock_wall_ns(b->clock) - event_ns < e->delay_ms * 1000000;
	pthread_mutex_unlock(&b->lock);
	return active;
}

bool restart_backoff_active(struct restart_backoff *b, const char *key)
{
	pthread_mutex_lock(&b->lock);
	const struct entry *e = strmap_get(b->entries, key);
	int64_t now = clock_wall_ns(b->clock);
	bool active = e && !expired(b, e, now) && now - e->updated_ns < e->delay_ms * 1000000;
	pthread_mutex_unlock(&b->lock);
	return active;
}

void restart_backoff_next(struct restart_backoff *b, const char *key, int64_t event_ns)
{
	pthread_mutex_lock(&b->lock);
	struct entry *e = strmap_get(b->entries, key);
	if (!e) {
		e = mem_zalloc(sizeof(*e));
		e->delay_ms = b->initial_ms;
		strmap_put(b->entries, key, e);
	} else if (expired(b, e, event_ns)) {
		e->delay_ms = b->initial_ms;
	} else {
		e->delay_ms = e->delay_ms * 2 < b->max_ms ? e->delay_ms * 2 : b->max_ms;
	}
	e->updated_ns = clock_wall_ns(b->clock);
	pthread_mutex_unlock(&b->lock);
}

void restart_backoff_gc(struct restart_backoff *b)
{
	pthread_mutex_lock(&b->lock);
	int64_t now = clock_wall_ns(b->clock);
	STRMAP_FOREACH (b->entries, it)
		if (expired(b, it.value, now))
			strmap_remove(b->entries, it.key);
	pthread_mutex_unlock(&b->lock);
}
