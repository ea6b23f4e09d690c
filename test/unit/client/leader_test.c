/* Who may lead when, and which events are written: the rules, on explicit records and a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "api/meta.h"
#include "base/str.h"
#include "client/correlate.h"
#include "client/leaderelection.h"
#include "test/unit/client/server.h"

static void the_lease_decides(void **state)
{
	(void)state;
	static const struct {
		const char *what, *holder;
		int32_t duration_s;
		int64_t seen_ms, now_ms;
		enum leader_action wanted;
	} cases[] = {
		{"nobody holds it", "", 15, 0, 1, LEADER_ACQUIRE},
		{"released", "", 1, 0, 1, LEADER_ACQUIRE},
		{"ours", "me", 15, 0, 1, LEADER_RENEW},
		{"ours, long ago", "me", 15, 0, 100000, LEADER_RENEW},
		{"another's, fresh", "you", 15, 1000, 15999, LEADER_WAIT},
		{"another's, just over", "you", 15, 1000, 16000, LEADER_ACQUIRE},
		{"another's with a longer duration", "you", 60, 0, 30000, LEADER_WAIT},
		{"another's that names no duration", "you", 0, 0, 14999, LEADER_WAIT},
		{"another's that names no duration, over", "you", 0, 0, 15000, LEADER_ACQUIRE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct leader_observed o = {
			.record = {.holder = (char *)cases[i].holder, .lease_duration_seconds = cases[i].duration_s},
			.at_ms = cases[i].seen_ms};
		enum leader_action action = leader_decide(&o, "me", cases[i].now_ms, 15000);
		if (action != cases[i].wanted)
			print_error("%s\n", cases[i].what);
		assert_int_equal(action, cases[i].wanted);
	}
}

static void nonsense_durations_are_refused(void **state)
{
	(void)state;
	static const struct leader_config cases[] = {
		{.name = "x", .lease_duration_ms = 10000, .renew_deadline_ms = 10000},
		{.name = "x", .lease_duration_ms = 15000, .renew_deadline_ms = 2000, .retry_period_ms = 2000},
		{.name = "", .lease_duration_ms = 15000},
	};
	atomic_bool stop = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct leader_config c = cases[i];
		c.clock = clock_system();
		struct status *error = leader_run(&c, &stop);
		assert_true(status_is(error, STATUS_BAD_REQUEST));
		status_free(error);
	}
}

/* A server that gives the lease away and then never answers again. */
static bool answer_once(struct test_request *r, void *data)
{
	atomic_int *requests = data;
	switch (atomic_fetch_add(requests, 1)) {
	case 0:
		return test_respond(r, 404, NULL,
			"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"NotFound\","
			"\"code\":404}");
	case 1:
		return test_respond(r, 201, NULL, r->body);
	default:
		while (!atomic_load(&r->server->stopping))
			nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		return false;
	}
}

static void lead(void *data, const atomic_bool *lost)
{
	while (!atomic_load(lost))
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	atomic_store((atomic_bool *)data, true);
}

/* The term is over before anybody else may begin one, though the renewal still waits for its answer. */
static void a_renewal_that_hangs_ends_the_term_in_time(void **state)
{
	enum { LEASE_MS = 4000, DEADLINE_MS = 1000 };
	struct test_server server;
	atomic_int requests = 0;
	atomic_bool told = false, stop = false;
	atomic_llong ends = 0;
	test_server_start(&server, answer_once, &requests);
	struct client *client = test_client(&server);
	const struct leader_config config = {.client = client,
		.namespace = "n",
		.name = "l",
		.identity = "me",
		.lease_duration_ms = LEASE_MS,
		.renew_deadline_ms = DEADLINE_MS,
		.retry_period_ms = 100,
		.started = lead,
		.data = &told,
		.term_ends_ms = &ends};
	int64_t begun = clock_mono_ms(clock_system());
	CLEANUP_STATUS struct status *lost = leader_run(&config, &stop);
	assert_non_null(lost);
	assert_string_equal(lost->message, "leaderelection lost");
	assert_in_range(clock_mono_ms(clock_system()) - begun, DEADLINE_MS, LEASE_MS - 1);
	assert_in_range(atomic_load(&ends) - begun, DEADLINE_MS, clock_mono_ms(clock_system()) - begun);
	while (!atomic_load(&told))
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	test_server_stop(&server);
	client_free(client);
}

static CoreV1Event *event_of(struct arena *arena, const char *name, const char *reason, const char *message)
{
	CoreV1Event *e = API_NEW(arena, CoreV1Event);
	e->involved_object = API_NEW(arena, CoreV1ObjectReference);
	e->involved_object->kind = "Pod";
	e->involved_object->name = arena_strdup(arena, name);
	e->source = API_NEW(arena, CoreV1EventSource);
	e->source->component = "kubelet";
	e->reason = arena_strdup(arena, reason);
	e->message = arena_strdup(arena, message);
	e->last_timestamp = time_new(arena, 0);
	return e;
}

struct world {
	struct arena *arena;
	struct clock *clock;
	struct correlator *correlator;
};

static void world_init(struct world *w)
{
	w->arena = arena_new();
	w->clock = clock_fake_new((int64_t)1700000000 * 1000000000);
	w->correlator = correlator_new(w->clock);
}

static void world_done(struct world *w)
{
	correlator_free(w->correlator);
	clock_fake_free(w->clock);
	arena_free(w->arena);
}

/* Observes and, if it is to be sent, says that it was. */
static bool send_event(
	struct world *w, const char *pod, const char *reason, const char *message, struct correlated *ret)
{
	CoreV1Event *e = event_of(w->arena, pod, reason, message);
	if (!correlator_observe(w->correlator, w->arena, e, ret))
		return false;
	correlator_sent(w->correlator, ret, ret->name ? ret->name : arena_printf(w->arena, "%s.first", message));
	return true;
}

static void the_same_event_counts(void **state)
{
	(void)state;
	struct world w;
	struct correlated c;
	world_init(&w);
	assert_true(send_event(&w, "a", "BackOff", "m", &c));
	assert_int_equal(c.count, 1);
	assert_true(send_event(&w, "a", "BackOff", "m", &c));
	assert_int_equal(c.count, 2);
	assert_string_equal(c.name, "m.first");
	CoreV1Event *e = event_of(w.arena, "a", "BackOff", "m");
	assert_string_equal(correlated_patch(w.arena, e, &c),
		"{\"count\":2,\"lastTimestamp\":\"1970-01-01T00:00:00Z\",\"message\":\"m\"}");
	/* Another object, another reason: events of their own. */
	assert_true(send_event(&w, "b", "BackOff", "m", &c));
	assert_int_equal(c.count, 1);
	assert_true(send_event(&w, "a", "Killing", "m", &c));
	assert_int_equal(c.count, 1);
	world_done(&w);
}

static void similar_events_are_combined(void **state)
{
	(void)state;
	struct world w;
	struct correlated c;
	char message[32];
	world_init(&w);
	for (int i = 0; i < 9; i++) {
		snprintf(message, sizeof(message), "message %d", i);
		assert_true(send_event(&w, "a", "Failed", message, &c));
		assert_string_equal(c.message, message);
	}
	assert_true(send_event(&w, "a", "Failed", "message 9", &c));
	assert_string_equal(c.message, "(combined from similar events): message 9");
	assert_int_equal(c.count, 1);
	assert_true(send_event(&w, "a", "Failed", "message 10", &c));
	assert_string_equal(c.message, "(combined from similar events): message 10");
	assert_int_equal(c.count, 2);
	/* After a quiet time they stand alone again. */
	clock_fake_advance(w.clock, 601 * 1000);
	assert_true(send_event(&w, "a", "Failed", "message 11", &c));
	assert_string_equal(c.message, "message 11");
	world_done(&w);
}

static void a_source_may_send_25_and_then_one_in_five_minutes(void **state)
{
	(void)state;
	struct world w;
	struct correlated c;
	world_init(&w);
	for (int i = 0; i < 25; i++)
		assert_true(send_event(&w, "a", "Failed", "m", &c));
	assert_false(send_event(&w, "a", "Failed", "m", &c));
	assert_true(send_event(&w, "b", "Failed", "m", &c));
	clock_fake_advance(w.clock, 299 * 1000);
	assert_false(send_event(&w, "a", "Failed", "m", &c));
	clock_fake_advance(w.clock, 2 * 1000);
	assert_true(send_event(&w, "a", "Failed", "m", &c));
	assert_false(send_event(&w, "a", "Failed", "m", &c));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lease_decides),
		cmocka_unit_test(nonsense_durations_are_refused),
		cmocka_unit_test(a_renewal_that_hangs_ends_the_term_in_time),
		cmocka_unit_test(the_same_event_counts),
		cmocka_unit_test(similar_events_are_combined),
		cmocka_unit_test(a_source_may_send_25_and_then_one_in_five_minutes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
