/*
 * Values that cannot be read. What is left out of a list counts as gone: its dependents would be collected, its address
 * given to another. So nothing is said of such objects but that they cannot be read, until somebody mends or removes
 * them. Who watches them would be told nothing of what they are now: such watches end, and none begins.
 */
#include <stdlib.h>
#include "apiserver/store/cache_private.h"
#include "apiserver/store/value.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

/* Both locks are held. */
static void lose_watchers(struct table *t, const char *key)
{
	for (struct watcher *w = t->watchers; w; w = w->next) {
		if (strncmp(key, w->prefix, w->prefix_len) != 0)
			continue;
		pthread_mutex_lock(&w->lock);
		w->cursor = 0;
		pthread_mutex_unlock(&w->lock);
	}
}

void table_set_unreadable(struct table *t, const char *key, const char *why)
{
	if (!why && !t->unreadable) /* only the cache's thread writes it */
		return;
	pthread_mutex_lock(&t->watchers_lock);
	pthread_rwlock_wrlock(&t->cache->lock);
	if (why)
		lose_watchers(t, key);
	if (!t->unreadable)
		t->unreadable = strmap_new(free);
	if (why)
		strmap_put(t->unreadable, key, mem_strdup(why));
	else
		strmap_remove(t->unreadable, key);
	if (!strmap_count(t->unreadable))
		strmap_free(STEAL(t->unreadable));
	pthread_rwlock_unlock(&t->cache->lock);
	pthread_mutex_unlock(&t->watchers_lock);
}

static struct status *tell(const struct table *t, const char *key, const char *why)
{
	CLEANUP_FREE char *whole = mem_printf("%s%s", t->prefix, key);
	return value_unreadable(whole, why);
}

struct status *table_check_key(struct table *t, const char *namespace, const char *name)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	const char *key = table_key(t, arena, namespace, name) + t->prefix_len;
	pthread_rwlock_rdlock(&t->cache->lock);
	const char *why = t->unreadable ? strmap_get(t->unreadable, key) : NULL;
	struct status *s = why ? tell(t, key, why) : NULL;
	pthread_rwlock_unlock(&t->cache->lock);
	return s;
}

struct status *table_check_prefix(struct table *t, const char *prefix)
{
	struct status *s = NULL;
	pthread_rwlock_rdlock(&t->cache->lock);
	if (t->unreadable) {
		size_t n;
		CLEANUP_FREE const char **keys = strmap_sorted_keys(t->unreadable, &n);
		for (size_t i = 0; !s && i < n; i++)
			if (str_starts_with(keys[i], prefix))
				s = tell(t, keys[i], strmap_get(t->unreadable, keys[i]));
	}
	pthread_rwlock_unlock(&t->cache->lock);
	return s;
}

struct status *table_check_ready(struct table *t, const char *prefix)
{
	CLEANUP_STATUS struct status *why = table_check_prefix(t, prefix);
	return why ? status_initializing(why->message) : NULL;
}
