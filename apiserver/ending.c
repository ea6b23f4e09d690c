#include "apiserver/ending.h"
#include <semaphore.h>
#include <time.h>
#include "apiserver/app.h"
#include "base/log.h"
#include "base/workers.h"

enum {
	TICK_MS = 1000,
	PACE_MS = 20,		/* watches are ended by the pace of so long */
	WATCHES_A_SECOND = 200, /* at least */
	LAST_MS = 2000,		/* for farewells */
};

struct ending {
	struct app *app;
	const struct ending_options *options;
	int64_t ticked_ms;
	sem_t left; /* the other servers and the cluster's clients know */
};

static int64_t now_ms(const struct ending *e)
{
	return clock_mono_ms(e->app->clock);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void tick(struct ending *e)
{
	if (now_ms(e) < e->ticked_ms + TICK_MS)
		return;
	e->ticked_ms = now_ms(e);
	e->options->tick(e->options->data);
}

static struct timespec timespec_of(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

static void pass_delay(struct ending *e)
{
	const int64_t until = now_ms(e) + e->options->delay_ms;
	for (int64_t now; (now = now_ms(e)) < until; tick(e)) {
		const struct timespec rest = timespec_of(least(until - now, TICK_MS));
		nanosleep(&rest, NULL);
	}
}

static void *leave(void *data)
{
	struct ending *e = data;
	boot_stop(e->app->boot);
	sem_post(&e->left);
	return NULL;
}

static void wait_until_left(struct ending *e)
{
	struct timespec until;
	do {
		tick(e);
		until = timespec_of(now_ms(e) + TICK_MS);
	} while (sem_clockwait(&e->left, CLOCK_MONOTONIC, &until) != 0);
}

/* False: it is over, and some are still there. */
static bool wait_for(struct ending *e, enum exchange_length length, int64_t until)
{
	for (;;) {
		const int64_t now = now_ms(e);
		if (server_wait(e->app->server, length, least(until, now + TICK_MS)))
			return true;
		if (now >= until)
			return false;
		tick(e);
	}
}

/* Their clients go to other servers: not all at once. */
static void end_watches_slowly(struct ending *e)
{
	const int64_t grace_ms = e->options->watch_grace_ms, begin = now_ms(e), until = begin + grace_ms;
	const int64_t n = (int64_t)server_open(e->app->server, EXCHANGE_WATCH);
	const int64_t needed = n * 1000 / grace_ms, a_second = needed > WATCHES_A_SECOND ? needed : WATCHES_A_SECOND;
	int64_t done = 0, due, now;
	while ((now = now_ms(e)) < until) {
		due = (now - begin + PACE_MS) * a_second / 1000;
		server_end_watches(e->app->server, (size_t)(due - done));
		done = due;
		if (server_wait(e->app->server, EXCHANGE_WATCH, least(until, now + PACE_MS)))
			return;
		tick(e);
	}
}

static void answer_those_in_progress(struct ending *e)
{
	struct server *server = e->app->server;
	const int64_t until = now_ms(e) + e->options->request_ms;
	const size_t n = server_open(server, EXCHANGE_BRIEF);
	if (n)
		log_info("stopping: %zu requests are in progress", n);
	if (e->options->watch_grace_ms > 0)
		end_watches_slowly(e);
	if (!wait_for(e, EXCHANGE_BRIEF, until))
		log_warn("stopping: %zu requests were not answered in time", server_open(server, EXCHANGE_BRIEF));
}

/* What is left of them is ended in order, and each client that reads hears of it. */
static void say_farewell(struct ending *e)
{
	struct server *server = e->app->server;
	const int64_t until = now_ms(e) + LAST_MS;
	int64_t now;
	if (e->options->send_retry_after)
		(void)wait_for(e, EXCHANGE_BRIEF, until);
	while ((now = now_ms(e)) < until) {
		server_end_watches(server, server_open(server, EXCHANGE_WATCH));
		if (server_wait(server, EXCHANGE_WATCH, least(until, now + PACE_MS)))
			break;
	}
}

void ending_run(struct app *app, const struct ending_options *options)
{
	struct ending e = {.app = app, .options = options};
	sem_init(&e.left, 0, 0);
	e.ticked_ms = now_ms(&e);
	atomic_store(&app->stopping, true);
	pthread_t leaving = thread_start("leave", leave, &e);
	pass_delay(&e);
	wait_until_left(&e);
	pthread_join(leaving, NULL);
	sem_destroy(&e.left);
	server_end(app->server);
	if (!options->send_retry_after)
		server_close(app->server);
	answer_those_in_progress(&e);
	if (options->send_retry_after)
		server_close(app->server);
	say_farewell(&e);
	server_abandon(app->server);
}
