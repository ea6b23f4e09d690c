#include "base/cancel.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include "base/cond.h"
#include "base/mem.h"

struct cancel {
	atomic_bool requested;
	pthread_mutex_t lock; /* guards hooks */
	pthread_cond_t changed;
	struct cancel_hook *hooks;
};

struct cancel *cancel_new(void)
{
	struct cancel *c = mem_zalloc(sizeof(*c));
	cond_init(&c->changed);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void cancel_free(struct cancel *c)
{
	if (!c)
		return;
	assert(!c->hooks);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void cancel_now(struct cancel *c)
{
	pthread_mutex_lock(&c->lock);
	if (!atomic_exchange(&c->requested, true))
		for (struct cancel_hook *hook = c->hooks; hook; hook = hook->next)
			hook->fn(hook->data);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void cancel_reset(struct cancel *c)
{
	atomic_store(&c->requested, false);
}

bool cancel_requested(const struct cancel *c)
{
	return c && atomic_load(&c->requested);
}

void cancel_add(struct cancel *c, struct cancel_hook *hook)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	hook->next = c->hooks;
	c->hooks = hook;
	if (atomic_load(&c->requested))
		hook->fn(hook->data);
	pthread_mutex_unlock(&c->lock);
}

void cancel_remove(struct cancel *c, struct cancel_hook *hook)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	struct cancel_hook **at = &c->hooks;
	while (*at != hook)
		at = &(*at)->next;
	*at = hook->next;
	pthread_mutex_unlock(&c->lock);
}

bool cancel_sleep_ms(struct cancel *c, int64_t ms)
{
	const int64_t deadline_ms = cond_deadline_ms(ms);
	if (!c) {
		const struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
			;
		return false;
	}
	pthread_mutex_lock(&c->lock);
	while (!atomic_load(&c->requested) && cond_wait_until(&c->changed, &c->lock, deadline_ms))
		;
	pthread_mutex_unlock(&c->lock);
	return cancel_requested(c);
}
