#include "controller-manager/support/expectations.h"

#include <pthread.h>
#include "base/map.h"
#include "base/mem.h"

enum { EXPIRY_MS = 5 * 60 * 1000 };

struct expectation {
	int creations;
	struct strmap *deletions;
	int64_t set_ms;
};

struct expectations {
	const struct clock *clock;
	pthread_mutex_t lock;
	struct strmap *by_key; /* struct expectation * */
};

static void expectation_free(void *p)
{
	struct expectation *x = p;
	strmap_free(x->deletions);
	free(x);
}

struct expectations *expectations_new(const struct clock *clock)
{
	struct expectations *e = mem_zalloc(sizeof(*e));
	e->clock = clock;
	pthread_mutex_init(&e->lock, NULL);
	e->by_key = strmap_new(expectation_free);
	return e;
}

void expectations_free(struct expectations *e)
{
	strmap_free(e->by_key);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

bool expectations_satisfied(struct expectations *e, const char *key)
{
	pthread_mutex_lock(&e->lock);
	const struct expectation *x = strmap_get(e->by_key, key);
	bool satisfied = !x || (x->creations <= 0 && strmap_count(x->deletions) == 0) ||
			 clock_mono_ms(e->clock) - x->set_ms > EXPIRY_MS;
	pthread_mutex_unlock(&e->lock);
	return satisfied;
}

void expectations_expect(
	struct expectations *e, const char *key, int n_creations, const char *const *deletions, size_t n_deletions)
{
	struct expectation *x = mem_zalloc(sizeof(*x));
	x->creations = n_creations;
	x->deletions = strmap_new(NULL);
	for (size_t i = 0; i < n_deletions; i++)
		strmap_put(x->deletions, deletions[i], x);
	x->set_ms = clock_mono_ms(e->clock);
	pthread_mutex_lock(&e->lock);
	strmap_put(e->by_key, key, x);
	pthread_mutex_unlock(&e->lock);
}

void expectations_expect_creations(struct expectations *e, const char *key, int n)
{
	expectations_expect(e, key, n, NULL, 0);
}

void expectations_expect_deletions(struct expectations *e, const char *key, const char *const *keys, size_t n)
{
	expectations_expect(e, key, 0, keys, n);
}

void expectations_creation_observed(struct expectations *e, const char *key)
{
	pthread_mutex_lock(&e->lock);
	struct expectation *x = strmap_get(e->by_key, key);
	if (x)
		x->creations--;
	pthread_mutex_unlock(&e->lock);
}

void expectations_deletion_observed(struct expectations *e, const char *key, const char *deleted_key)
{
	pthread_mutex_lock(&e->lock);
	struct expectation *x = strmap_get(e->by_key, key);
	if (x)
		strmap_remove(x->deletions, deleted_key);
	pthread_mutex_unlock(&e->lock);
}

void expectations_forget(struct expectations *e, const char *key)
{
	pthread_mutex_lock(&e->lock);
	strmap_remove(e->by_key, key);
	pthread_mutex_unlock(&e->lock);
}
