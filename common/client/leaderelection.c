#include "client/leaderelection.h"

#include <pthread.h>
#include "api/meta.h"
#include "base/encode.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"

enum { LEASE_MS = 15000, RENEW_MS = 10000, RETRY_MS = 2000, SLICE_MS = 50 };

enum leader_action leader_decide(
	const struct leader_observed *observed, const char *identity, int64_t now_ms, int64_t lease_duration_ms)
{
	const struct leader_record *r = &observed->record;
	if (!str_empty(r->holder) && str_eq(r->holder, identity))
		return LEADER_RENEW;
	/* The clocks of others do not count: the lease is over when it has stood unchanged for its duration as we saw
	 * it. */
	int64_t duration_ms =
		r->lease_duration_seconds > 0 ? (int64_t)r->lease_duration_seconds * 1000 : lease_duration_ms;
	if (!str_empty(r->holder) && now_ms < observed->at_ms + duration_ms)
		return LEADER_WAIT;
	return LEADER_ACQUIRE;
}

/* What leads, and whether it still may: it can outlive the election, for after a loss nobody waits for it. */
struct term {
	void (*started)(void *data, const atomic_bool *lost);
	void *data;
	atomic_bool lost;
	atomic_int n_users;
};

struct election {
	const struct leader_config *config;
	struct leader_config c; /* with its defaults filled in */
	char *identity;
	struct leader_observed observed; /* holder on the heap */
	char *reported;			 /* the holder last told to new_leader */
	struct arena *lease_arena;
	CoordinationV1Lease *lease; /* as last read or written */
	struct term *term;
	const atomic_bool *stop;
	/* When the last renewal that succeeded was begun; the watch over it. */
	atomic_llong renewed_ms;
	atomic_bool expired, over;
	pthread_t watch;
};

static int64_t micros(const MetaV1MicroTime *t)
{
	return t ? t->seconds * 1000000 + t->nanos / 1000 : 0;
}

static MetaV1MicroTime *micro_time(struct arena *arena, int64_t us)
{
	MetaV1MicroTime *t = API_NEW(arena, MetaV1MicroTime);
	t->seconds = us / 1000000;
	t->nanos = (int32_t)(us % 1000000 * 1000);
	return t;
}

static bool record_equal(const struct leader_record *a, const struct leader_record *b)
{
	return str_eq(a->holder, b->holder) && a->lease_duration_seconds == b->lease_duration_seconds &&
	       a->acquire_us == b->acquire_us && a->renew_us == b->renew_us && a->transitions == b->transitions;
}

static struct leader_record record_of(const CoordinationV1Lease *lease)
{
	const CoordinationV1LeaseSpec *s = lease->spec;
	if (!s)
		return (struct leader_record){.holder = ""};
	return (struct leader_record){(char *)str_or_empty(s->holder_identity), s->lease_duration_seconds,
		micros(s->acquire_time), micros(s->renew_time), s->lease_transitions};
}

/* Notes what the lease says; when it says something new, notes when. The lease stays in its arena, which is taken. */
static void observe(struct election *e, struct arena *arena, CoordinationV1Lease *lease)
{
	struct leader_record now = record_of(lease);
	if (!record_equal(&now, &e->observed.record) || !e->observed.record.holder) {
		free(e->observed.record.holder);
		e->observed.record = now;
		e->observed.record.holder = mem_strdup(now.holder);
		e->observed.at_ms = clock_mono_ms(e->c.clock);
	}
	arena_free(e->lease_arena);
	e->lease_arena = arena;
	e->lease = lease;
	if (str_eq(e->reported, now.holder))
		return;
	free(e->reported);
	e->reported = mem_strdup(now.holder);
	if (e->c.new_leader && !str_empty(now.holder))
		e->c.new_leader(e->c.data, e->reported);
}

static void fill(
	struct election *e, struct arena *arena, CoordinationV1Lease *lease, const struct leader_record *record)
{
	CoordinationV1LeaseSpec *s = ENSURE(arena, lease->spec, CoordinationV1LeaseSpec);
	(void)e;
	s->holder_identity = arena_strdup(arena, record->holder);
	s->has_lease_duration_seconds = true;
	s->lease_duration_seconds = record->lease_duration_seconds;
	s->has_lease_transitions = true;
	s->lease_transitions = record->transitions;
	s->acquire_time = micro_time(arena, record->acquire_us);
	s->renew_time = micro_time(arena, record->renew_us);
}

static struct status *create(struct election *e, const struct leader_record *record)
{
	struct arena *arena = arena_new();
	CoordinationV1Lease *lease = API_NEW(arena, CoordinationV1Lease);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, lease);
	meta->namespace = arena_strdup(arena, e->c.namespace);
	meta->name = arena_strdup(arena, e->c.name);
	fill(e, arena, lease, record);
	struct status *error = client_create(e->c.client, arena, lease, &lease);
	if (error) {
		arena_free(arena);
		return error;
	}
	observe(e, arena, lease);
	return NULL;
}

static struct status *update(struct election *e, const struct leader_record *record)
{
	struct arena *arena = arena_new();
	CoordinationV1Lease *lease = NULL;
	fill(e, e->lease_arena, e->lease, record);
	struct status *error = client_update(e->c.client, arena, e->lease, &lease);
	if (error) {
		arena_free(arena);
		return error;
	}
	observe(e, arena, lease);
	return NULL;
}

static struct status *read_lease(struct election *e)
{
	struct arena *arena = arena_new();
	CoordinationV1Lease *lease;
	struct status *error =
		client_get(e->c.client, arena, &CoordinationV1Lease_schema, e->c.namespace, e->c.name, &lease);
	if (error) {
		arena_free(arena);
		return error;
	}
	observe(e, arena, lease);
	return NULL;
}

static bool is_leader(const struct election *e)
{
	return e->observed.record.holder && str_eq(e->observed.record.holder, e->identity);
}

/* One attempt: true when the lease is ours now. */
static bool try_once(struct election *e)
{
	int64_t now_us = clock_wall_ns(e->c.clock) / 1000;
	struct leader_record record = {.holder = e->identity,
		.lease_duration_seconds = (int32_t)(e->c.lease_duration_ms / 1000),
		.acquire_us = now_us,
		.renew_us = now_us};
	struct status *error = NULL;
	/* The holder that has seen nothing else writes at once; when that is refused it reads first. */
	if (is_leader(e) && e->lease) {
		record.acquire_us = e->observed.record.acquire_us;
		record.transitions = e->observed.record.transitions;
		error = update(e, &record);
		if (!error)
			return true;
		status_drop(STEAL(error), "read the lease and try again");
	}
	error = read_lease(e);
	if (status_is(error, STATUS_NOT_FOUND)) {
		status_free(error);
		error = create(e, &record);
	} else if (!error) {
		enum leader_action action =
			leader_decide(&e->observed, e->identity, clock_mono_ms(e->c.clock), e->c.lease_duration_ms);
		if (action == LEADER_WAIT)
			return false;
		bool renew = action == LEADER_RENEW;
		record.acquire_us = renew ? e->observed.record.acquire_us : now_us;
		record.transitions = e->observed.record.transitions + !renew;
		error = update(e, &record);
	}
	if (error)
		log_error("error retrieving or updating resource lock %s/%s: %s", e->c.namespace, e->c.name,
			error->message);
	bool ok = !error;
	status_free(error);
	return ok;
}

static void sleep_ms(int64_t ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Sleeps for that long, or until it is time to stop: then false. */
static bool pause_for(struct election *e, int64_t ms)
{
	for (; ms > 0 && !atomic_load(e->stop) && !atomic_load(&e->expired); ms -= SLICE_MS)
		sleep_ms(ms < SLICE_MS ? ms : SLICE_MS);
	return !atomic_load(e->stop);
}

static struct term *term_new(const struct leader_config *c)
{
	struct term *t = mem_zalloc(sizeof(*t));
	t->started = c->started;
	t->data = c->data;
	atomic_init(&t->n_users, 1);
	return t;
}

static struct term *term_ref(struct term *t)
{
	atomic_fetch_add(&t->n_users, 1);
	return t;
}

static void term_unref(struct term *t)
{
	if (atomic_fetch_sub(&t->n_users, 1) == 1)
		free(t);
}

static void *run_started(void *data)
{
	struct term *t = data;
	t->started(t->data, &t->lost);
	term_unref(t);
	return NULL;
}

/* A renewal that was begun then has succeeded. */
static void prolong(struct election *e, int64_t begun_ms)
{
	atomic_store(&e->renewed_ms, begun_ms);
	if (e->c.term_ends_ms)
		atomic_store(e->c.term_ends_ms, begun_ms + e->c.renew_deadline_ms);
}

static bool acquire(struct election *e)
{
	log_info("attempting to acquire leader lease %s/%s...", e->c.namespace, e->c.name);
	for (;;) {
		int64_t begun = clock_mono_ms(e->c.clock);
		if (try_once(e)) {
			prolong(e, begun);
			break;
		}
		if (!pause_for(
			    e, e->c.retry_period_ms + (int64_t)random_below((uint32_t)(e->c.retry_period_ms / 5 + 1))))
			return false;
	}
	log_info("successfully acquired lease %s/%s", e->c.namespace, e->c.name);
	if (e->c.recorder)
		event_record(e->c.recorder, e->lease, EVENT_NORMAL, "LeaderElection", "%s became leader", e->identity);
	return !atomic_load(e->stop);
}

/*
 * Ends the term on time even when an attempt hangs: others count from the renewal they saw, so ours counts from when it
 * was begun, and a request that is on its way must not come back as a leader's.
 */
static void *watch_term(void *data)
{
	struct election *e = data;
	while (!atomic_load(&e->over)) {
		if (clock_mono_ms(e->c.clock) - atomic_load(&e->renewed_ms) >= e->c.renew_deadline_ms) {
			atomic_store(&e->expired, true);
			atomic_store(&e->term->lost, true);
			client_cancel(e->c.client);
			return NULL;
		}
		sleep_ms(SLICE_MS);
	}
	return NULL;
}

/* Renews until told to stop (true) or until it could not for the deadline (false). */
static bool renew(struct election *e)
{
	bool kept = true;
	e->watch = thread_start("lease-watch", watch_term, e);
	while (kept && pause_for(e, e->c.retry_period_ms)) {
		int64_t begun = clock_mono_ms(e->c.clock);
		fail_at("leader.before-renew");
		if (try_once(e))
			prolong(e, begun);
		else
			kept = is_leader(e);
		kept = kept && !atomic_load(&e->expired);
	}
	atomic_store(&e->over, true);
	pthread_join(e->watch, NULL);
	return kept && !atomic_load(&e->expired);
}

static void release(struct election *e)
{
	int64_t now_us = clock_wall_ns(e->c.clock) / 1000;
	struct leader_record record = {.holder = "",
		.lease_duration_seconds = 1,
		.acquire_us = now_us,
		.renew_us = now_us,
		.transitions = e->observed.record.transitions};
	if (!is_leader(e) || !e->lease)
		return;
	status_drop(update(e, &record), "the lease runs out by itself");
}

static struct status *check(const struct leader_config *c)
{
	if (c->lease_duration_ms <= c->renew_deadline_ms)
		return status_bad_request("leaseDuration must be greater than renewDeadline");
	if ((double)c->renew_deadline_ms <= 1.2 * (double)c->retry_period_ms)
		return status_bad_request("renewDeadline must be greater than retryPeriod*JitterFactor");
	if (c->lease_duration_ms < 1 || c->renew_deadline_ms < 1 || c->retry_period_ms < 1)
		return status_bad_request("leader election durations must be greater than zero");
	if (!c->started || str_empty(c->name))
		return status_bad_request("leader election needs a name and something to start");
	return NULL;
}

static char *default_identity(void)
{
	char host[256] = "", uuid[37];
	gethostname(host, sizeof(host) - 1);
	uuid_generate(uuid);
	return mem_printf("%s_%s", host, uuid);
}

struct status *leader_run(const struct leader_config *config, const atomic_bool *stop)
{
	struct election e = {.config = config, .c = *config, .stop = stop};
	e.c.lease_duration_ms = e.c.lease_duration_ms ? e.c.lease_duration_ms : LEASE_MS;
	e.c.renew_deadline_ms = e.c.renew_deadline_ms ? e.c.renew_deadline_ms : RENEW_MS;
	e.c.retry_period_ms = e.c.retry_period_ms ? e.c.retry_period_ms : RETRY_MS;
	e.c.clock = e.c.clock ? e.c.clock : client_clock(e.c.client);
	TRY(check(&e.c));
	e.identity = str_empty(config->identity) ? default_identity() : mem_strdup(config->identity);
	bool kept = true;
	if (acquire(&e)) {
		fail_at("leader.after-acquire");
		e.term = term_new(&e.c);
		pthread_t thread = thread_start("leading", run_started, term_ref(e.term));
		kept = renew(&e);
		atomic_store(&e.term->lost, true);
		term_unref(e.term);
		/* After a loss nobody waits: what runs may be stuck, and the caller ends the process. */
		if (kept)
			pthread_join(thread, NULL);
		else
			pthread_detach(thread);
	}
	if (kept && e.c.release_on_cancel)
		release(&e);
	arena_free(e.lease_arena);
	free(e.observed.record.holder);
	free(e.reported);
	free(e.identity);
	return kept ? NULL : status_internal("leaderelection lost");
}
