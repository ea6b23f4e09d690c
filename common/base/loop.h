/*
 * Event loop: descriptors (epoll), timers, and calls posted from other threads.
 *
 *	struct loop *loop = loop_new(clock_system());
 *	loop_timer(loop, 1000, tick, state);
 *	loop_run(loop);            // until loop_stop()
 *
 * Ownership: sources belong to the loop; cancel them, or they go with loop_free().
 * Threads: everything but loop_post() and loop_stop() is called on the loop's own thread (or before loop_run()).
 * Callbacks never block.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/status.h"

struct loop;
struct loop_fd;
struct loop_timer;

struct loop *loop_new(const struct clock *clock);
void loop_free(struct loop *loop);
void loop_run(struct loop *loop);
/* One turn: waits at most timeout_ms (-1: for ever) and dispatches what is due. */
void loop_turn(struct loop *loop, int timeout_ms);
/* From any thread: loop_run() returns after the present callback. */
void loop_stop(struct loop *loop);
/* From any thread: runs fn(data) on the loop, in the order posted. The one way onto another thread's loop. */
void loop_post(struct loop *loop, void (*fn)(void *data), void *data);

#define LOOP_IN 1u
#define LOOP_OUT 4u
#define LOOP_ERR 8u
#define LOOP_GONE 0x2000u /* the peer has closed its side */
/* Watches fd (not owned) for events. The callback may cancel its own source. */
struct loop_fd *loop_watch(
	struct loop *loop, int fd, unsigned events, void (*fn)(void *data, unsigned events), void *data);
void loop_watch_change(struct loop_fd *w, unsigned events);
void loop_watch_cancel(struct loop_fd *w);

/* Calls fn once after delay_ms; the source is gone when fn is called. */
struct loop_timer *loop_timer(struct loop *loop, int64_t delay_ms, void (*fn)(void *data), void *data);
/* Cancels a timer that has not fired yet. NULL is allowed. */
void loop_timer_cancel(struct loop_timer *t);

#endif
