#include "apiserver/http/drain.h"
#include "base/cond.h"

void drain_init(struct drain *drain)
{
	pthread_mutex_init(&drain->lock, NULL);
	cond_init(&drain->less);
}

void drain_done(struct drain *drain)
{
	pthread_cond_destroy(&drain->less);
	pthread_mutex_destroy(&drain->lock);
}

/* Counted before it is looked whether it is late: whoever says that it ends, and then counts, misses none that is not.
 */
bool drain_begins(struct drain *drain)
{
	atomic_fetch_add(&drain->open[EXCHANGE_BRIEF], 1);
	return atomic_load(&drain->ending);
}

static void count_down(struct drain *drain, enum exchange_length length)
{
	atomic_fetch_sub(&drain->open[length], 1);
	if (!atomic_load(&drain->ending))
		return;
	pthread_mutex_lock(&drain->lock);
	pthread_cond_broadcast(&drain->less);
	pthread_mutex_unlock(&drain->lock);
}

void drain_lasts(struct drain *drain, enum exchange_length length)
{
	atomic_fetch_add(&drain->open[length], 1);
	count_down(drain, EXCHANGE_BRIEF);
}

void drain_ends(struct drain *drain, enum exchange_length length)
{
	count_down(drain, length);
}

bool drain_wait(struct drain *drain, enum exchange_length length, int64_t deadline_ms)
{
	bool in_time = true;
	pthread_mutex_lock(&drain->lock);
	while (atomic_load(&drain->open[length]) && in_time)
		in_time = cond_wait_until(&drain->less, &drain->lock, deadline_ms);
	pthread_mutex_unlock(&drain->lock);
	return !atomic_load(&drain->open[length]);
}
