/*
 * One thread's wish that another gives up what it is waiting for. The waiting one has a token; whoever holds it
 *cancels.
 *
 *	struct cancel *c = cancel_new();
 *	cancel_now(c);                        any thread: what waits by c returns, and what is begun with it returns at
 *once if (cancel_sleep_ms(c, 5000)) …       it was cut short cancel_reset(c);                      before the next
 *piece of work
 *
 * A wait of another kind is ended by a hook: cancel_add() before it, cancel_remove() after it. NULL is a token that
 *nobody cancels. Threads: any; reset only while nothing waits.
 */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

#include <stdbool.h>
#include <stdint.h>

struct cancel;

/* Owned by the caller. fn may take locks, but must not be called by one who holds them: it runs inside cancel_now(), or
 * inside cancel_add() where the wish came first. */
struct cancel_hook {
	void (*fn)(void *data);
	void *data;
	struct cancel_hook *next;
};

struct cancel *cancel_new(void);
void cancel_free(struct cancel *c);
void cancel_now(struct cancel *c);
void cancel_reset(struct cancel *c);
bool cancel_requested(const struct cancel *c);
void cancel_add(struct cancel *c, struct cancel_hook *hook);
void cancel_remove(struct cancel *c, struct cancel_hook *hook);
/* Returns whether it was cut short. */
bool cancel_sleep_ms(struct cancel *c, int64_t ms);

#endif
