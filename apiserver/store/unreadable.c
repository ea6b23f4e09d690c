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

static void drop(void *status)
{
	status_free(status);
}

void table_set_unreadable(struct table *t, const char *key, const struct status *why)
{
	if (!why && !t->unreadable) /* only the cache's thread writes it */
		return;
	pthread_mutex_lock(&t->watchers_lock);
	pthread_rwlock_wrlock(&t->cache->lock);
	if (why)
		lose_watchers(t, key);
	if (!t->unreadable)
		t->unreadable = strmap_new(drop);
	if (why)
		strmap_put(t->unreadable, key, status_copy(why));
	else
		strmap_remove(t->unreadable, key);
	if (!strmap_count(t->unreadable))
		strmap_free(STEAL(t->unreadable));
	pthread_rwlock_unlock(&t->cache->lock);
	pthread_mutex_unlock(&t->watchers_lock);
}

struct status *table_check_key(struct table *t, const char *namespace, const char *name)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	const char *key = table_key(t, arena, namespace, name);
	pthread_rwlock_rdlock(&t->cache->lock);
	const struct status *why = t->unreadable ? strmap_get(t->unreadable, key + t->prefix_len) : NULL;
	struct status *s = why ? value_unreadable(key, why) : NULL;
	pthread_rwlock_unlock(&t->cache->lock);
	return s;
}

/* The first key that begins with the prefix, in the arena, and a copy of why it cannot be read; NULL: there is none. */
static struct status *first_unreadable(struct table *t, struct arena *arena, const char *prefix, const char **ret_key)
{
	struct status *why = NULL;
	pthread_rwlock_rdlock(&t->cache->lock);
	if (t->unreadable) {
		size_t n;
		CLEANUP_FREE const char **keys = strmap_sorted_keys(t->unreadable, &n);
		for (size_t i = 0; !why && i < n; i++)
			if (str_starts_with(keys[i], prefix)) {
				*ret_key = arena_printf(arena, "%s%s", t->prefix, keys[i]);
				why = status_copy(strmap_get(t->unreadable, keys[i]));
			}
	}
	pthread_rwlock_unlock(&t->cache->lock);
	return why;
}

struct status *table_check_prefix(struct table *t, const char *prefix)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	const char *key;
	CLEANUP_STATUS struct status *why = first_unreadable(t, arena, prefix, &key);
	return why ? value_unlistable(key, why) : NULL;
}

struct status *table_check_ready(struct table *t, const char *prefix)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	const char *key;
	CLEANUP_STATUS struct status *why = first_unreadable(t, arena, prefix, &key);
	return why ? status_initializing(value_unlistable_text(arena, t->resource->type, key, why)) : NULL;
}
