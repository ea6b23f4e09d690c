#include <pthread.h>
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/status/status.h"

struct reason {
	char *reason;
	char *message;
};

struct reason_cache {
	pthread_mutex_t lock;
	struct strmap *reasons; /* uid/container → struct reason */
};

static void reason_free(void *p)
{
	struct reason *r = p;
	free(r->reason);
	free(r->message);
	free(r);
}

struct reason_cache *reason_cache_new(void)
{
	struct reason_cache *c = mem_zalloc(sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	c->reasons = strmap_new(reason_free);
	return c;
}

void reason_cache_free(struct reason_cache *c)
{
	strmap_free(c->reasons);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void reason_cache_update(struct reason_cache *c, const char *uid, const struct sync_results *results)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < results->n_items; i++) {
		const struct sync_result *r = &results->items[i];
		if (!r->container)
			continue;
		CLEANUP_FREE char *key = mem_printf("%s/%s", uid, r->container);
		if (!r->reason) {
			strmap_remove(c->reasons, key);
			continue;
		}
		struct reason *kept = mem_zalloc(sizeof(*kept));
		kept->reason = mem_strdup(r->reason);
		kept->message = mem_strdup(str_or_empty(r->message));
		strmap_put(c->reasons, key, kept);
	}
	pthread_mutex_unlock(&c->lock);
}

const struct sync_result *reason_cache_get(
	struct reason_cache *c, struct arena *arena, const char *uid, const char *container)
{
	struct sync_result *out = NULL;
	char *key = arena_printf(arena, "%s/%s", uid, container);
	pthread_mutex_lock(&c->lock);
	const struct reason *r = strmap_get(c->reasons, key);
	if (r) {
		out = ARENA_NEW(arena, struct sync_result);
		out->container = container;
		out->reason = arena_strdup(arena, r->reason);
		out->message = arena_strdup(arena, r->message);
	}
	pthread_mutex_unlock(&c->lock);
	return out;
}

void reason_cache_forget(struct reason_cache *c, const char *uid)
{
	CLEANUP_FREE char *prefix = mem_printf("%s/", uid);
	pthread_mutex_lock(&c->lock);
	STRMAP_FOREACH (c->reasons, it)
		if (str_starts_with(it.key, prefix))
			strmap_remove(c->reasons, it.key);
	pthread_mutex_unlock(&c->lock);
}
