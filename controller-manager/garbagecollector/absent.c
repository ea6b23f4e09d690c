#include "controller-manager/garbagecollector/absent.h"

#include <pthread.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_ABSENT = 500 };

struct absent_owners {
	pthread_mutex_t lock;
	struct strmap *keys;
	char *ring[MAX_ABSENT]; /* the keys by age, from next on */
	size_t next;
};

struct absent_owners *absent_owners_new(void)
{
	struct absent_owners *a = mem_zalloc(sizeof(*a));
	pthread_mutex_init(&a->lock, NULL);
	a->keys = strmap_new(NULL);
	return a;
}

void absent_owners_free(struct absent_owners *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < MAX_ABSENT; i++)
		free(a->ring[i]);
	strmap_free(a->keys);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static char *make_key(const struct identity *owner)
{
	struct strbuf key = STRBUF_INIT;
	strbuf_printf(&key, "%s|%s|%s|%s|%s", str_or_empty(owner->api_version), str_or_empty(owner->kind),
		str_or_empty(owner->namespace), str_or_empty(owner->name), str_or_empty(owner->uid));
	return strbuf_steal(&key);
}

bool absent_owners_has(struct absent_owners *a, const struct identity *owner)
{
	CLEANUP_FREE char *key = make_key(owner);
	pthread_mutex_lock(&a->lock);
	bool has = strmap_has(a->keys, key);
	pthread_mutex_unlock(&a->lock);
	return has;
}

void absent_owners_add(struct absent_owners *a, const struct identity *owner)
{
	char *key = make_key(owner);
	pthread_mutex_lock(&a->lock);
	if (!strmap_put(a->keys, key, a)) {
		pthread_mutex_unlock(&a->lock);
		free(key);
		return;
	}
	char *oldest = a->ring[a->next];
	a->ring[a->next] = key;
	a->next = (a->next + 1) % MAX_ABSENT;
	if (oldest)
		strmap_remove(a->keys, oldest);
	pthread_mutex_unlock(&a->lock);
	free(oldest);
}
