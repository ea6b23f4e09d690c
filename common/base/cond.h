/*
 * Condition variables whose timed waits go by the monotonic clock: when the machine's time is set, they wait neither
 * longer nor shorter.
 *
 *	cond_init(&q->wake);
 *	const int64_t deadline_ms = cond_deadline_ms(1000);
 *	while (!q->n_items && cond_wait_until(&q->wake, &q->lock, deadline_ms))
 *		;
 */
#ifndef BASE_COND_H
#define BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void cond_init(pthread_cond_t *cond);
/* That many milliseconds from now, on the clock of clock_mono_ms(clock_system()). */
int64_t cond_deadline_ms(int64_t ms);
/* Waits to be woken (or for nothing: the caller looks again), at most until then; < 0: for ever. False: it is past. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms);
/* The same, at most for so long; <= 0 does not wait. */
bool cond_wait_for(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);

#endif
