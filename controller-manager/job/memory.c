/* What the Job controller remembers between syncs. */
#include "base/map.h"
#include "base/mem.h"
#include "controller-manager/job/sync.h"

bool job_is_released(struct jobs *c, const char *uid)
{
	pthread_mutex_lock(&c->lock);
	bool released = strmap_has(c->released, uid);
	pthread_mutex_unlock(&c->lock);
	return released;
}

void job_set_released(struct jobs *c, const char *uid, bool released)
{
	pthread_mutex_lock(&c->lock);
	if (released)
		strmap_put(c->released, uid, c);
	else
		strmap_remove(c->released, uid);
	pthread_mutex_unlock(&c->lock);
}

struct failures job_load_failures(struct jobs *c, const char *key)
{
	pthread_mutex_lock(&c->lock);
	const struct failures *f = strmap_get(c->failures, key);
	struct failures copy = f ? *f : (struct failures){0};
	pthread_mutex_unlock(&c->lock);
	return copy;
}

void job_store_failures(struct jobs *c, const char *key, const struct failures *f)
{
	pthread_mutex_lock(&c->lock);
	if (f && f->n)
		strmap_put(c->failures, key, mem_dup(f, sizeof(*f)));
	else
		strmap_remove(c->failures, key);
	pthread_mutex_unlock(&c->lock);
}

bool job_is_marked(struct jobs *c, const char *uid)
{
	pthread_mutex_lock(&c->lock);
	bool marked = strmap_has(c->finished, uid);
	pthread_mutex_unlock(&c->lock);
	return marked;
}

void job_set_marked(struct jobs *c, const char *uid, bool marked)
{
	pthread_mutex_lock(&c->lock);
	if (marked)
		strmap_put(c->finished, uid, c);
	else
		strmap_remove(c->finished, uid);
	pthread_mutex_unlock(&c->lock);
}
