/* Calls to peers that are not there, to one that misbehaves, and to none at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/cancel.h"
#include "base/clock.h"
#include "etcd/etcd.h"
#include "rpc/rpc.h"
#include "test/unit/rpc/peer.h"

static void a_channel_needs_a_target(void **state)
{
	struct rpc_channel *channel;
	const char *const empty[] = {""};
	CLEANUP_STATUS struct status *none = rpc_channel_new(&(struct rpc_options){0}, &channel);
	assert_true(status_is(none, STATUS_BAD_REQUEST));
	CLEANUP_STATUS struct status *blank =
		rpc_channel_new(&(struct rpc_options){.targets = empty, .n_targets = 1}, &channel);
	assert_true(status_is(blank, STATUS_BAD_REQUEST));
}

static void a_peer_that_is_away_is_unavailable(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(rpc_channel_freep) struct rpc_channel *channel = NULL;
	const char *const targets[] = {"unix:///nonexistent/a.sock", "127.0.0.1:1"};
	assert_null(rpc_channel_new(&(struct rpc_options){.targets = targets, .n_targets = 2}, &channel));
	/* One and then the other is tried; each says the same. */
	for (int i = 0; i < 3; i++) {
		EtcdRangeResponse *response;
		CLEANUP_STATUS struct status *status = rpc_call(
			channel, &etcd_kv_service, "Range", RPC_NEW(arena, EtcdRangeRequest), 2000, arena, &response);
		assert_true(status_is(status, STATUS_UNAVAILABLE));
		assert_int_equal(rpc_status_code(status), 14);
	}
	struct rpc_stream *stream = NULL;
	struct status *status = rpc_stream_open(channel, &etcd_watch_service, "Watch", &stream);
	if (!status) {
		EtcdWatchResponse *message;
		status = rpc_stream_recv(stream, 5000, arena, &message);
		rpc_stream_free(stream);
	}
	assert_true(status_is(status, STATUS_UNAVAILABLE));
	status_free(status);
}

static void a_method_that_the_service_lacks_is_our_mistake(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(rpc_channel_freep) struct rpc_channel *channel = NULL;
	const char *const targets[] = {"127.0.0.1:1"};
	assert_null(rpc_channel_new(&(struct rpc_options){.targets = targets, .n_targets = 1}, &channel));
	EtcdRangeResponse *response;
	CLEANUP_STATUS struct status *status = rpc_call(
		channel, &etcd_kv_service, "Rangier", RPC_NEW(arena, EtcdRangeRequest), 2000, arena, &response);
	assert_true(status_is(status, STATUS_INTERNAL));
}

static void codes_of_other_statuses_are_unknown(void **state)
{
	CLEANUP_STATUS struct status *status = status_internal("elsewhere");
	assert_int_equal(rpc_status_code(NULL), 0);
	assert_int_equal(rpc_status_code(status), 2);
}

/* --- a peer --- */

static struct rpc_channel *channel_to(const char *target)
{
	struct rpc_channel *channel;
	assert_null(rpc_channel_new(
		&(struct rpc_options){.targets = &target, .n_targets = 1, .max_message_bytes = 1 << 20}, &channel));
	return channel;
}

/* One call, whose answer is its text. */
static struct status *ask(struct rpc_channel *channel, const char *method, const char *text, int64_t timeout_ms,
	struct arena *arena, char **ret)
{
	uint8_t *data;
	size_t size;
	TRY(rpc_call_raw(
		channel, arena_printf(arena, "/t.T/%s", method), text, strlen(text), timeout_ms, arena, &data, &size));
	*ret = arena_strndup(arena, (const char *)data, size);
	return NULL;
}

/* What a client is told of every kind of answer. */
static const struct {
	const char *method;
	int code;
	const char *text;
} ends[] = {
	{"missing", 5, "no such thing: \xe2\x82\xac, 100%"},
	{"late", 4, "Deadline Exceeded"},
	{"cut", 14, "the peer closed the connection"},
	{"twice", 13, "the peer sent more than one answer"},
	{"none", 2, "/t.T/none: the peer sent no answer"}, /* of this side: no code of the peer's */
	{"large", 8, "Received message larger than max (2130706432 vs. 1048576)"},
	{"squeezed", 13, "the peer compressed a message"},
	{"half", 13, "the answer ends within a message"},
	{"silent", 2, "the answer has no status"},
	{"page", 2, "the answer is not gRPC's"},
	{"proud-page", 2, "the answer is not gRPC's"},
	{"busy", 14, "unexpected HTTP status code received from server: 503"},
	{"refuse", 14, "the peer ended the stream: REFUSED_STREAM"},
};

static void every_end_of_a_call_has_its_code_and_its_words(void **state)
{
	struct peer peer;
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		char *text;
		CLEANUP_STATUS struct status *status = ask(channel, ends[i].method, "x", 300, arena, &text);
		assert_non_null(status);
		assert_string_equal(status->message, ends[i].text);
		assert_int_equal(rpc_status_code(status), ends[i].code);
		/* The channel is as good as before. */
		assert_null(ask(channel, "echo", "again", 2000, arena, &text));
		assert_string_equal(text, "again");
	}
	assert_int_equal(atomic_load(&peer.n_connections), 2); /* only the one that was cut was made anew */
	rpc_channel_free(channel);
	peer_stop(&peer);
}

static void the_peer_is_told_how_long_he_has(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer peer;
	char *text;
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	assert_null(ask(channel, "timeout", "", 2500, arena, &text));
	assert_string_equal(text, "2500m");
	assert_null(ask(channel, "timeout", "", INT64_C(200) * 3600 * 1000, arena, &text));
	assert_string_equal(text, "720000S");
	assert_null(ask(channel, "timeout", "", 0, arena, &text));
	assert_string_equal(text, "");
	rpc_channel_free(channel);
	peer_stop(&peer);
}

static void large_messages_go_both_ways(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer peer;
	const size_t sizes[] = {0, 1, 16379, 16384, 65535, 65536, 300000, 1 << 20};
	uint8_t *data, *sent = arena_zalloc(arena, (1 << 20) + 1);
	size_t size;
	for (size_t i = 0; i < 1 << 20; i++)
		sent[i] = (uint8_t)(i * 31 >> 3);
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_null(rpc_call_raw(channel, "/t.T/echo", sent, sizes[i], 5000, arena, &data, &size));
		assert_int_equal(size, sizes[i]);
		assert_memory_equal(data, sent, size);
	}
	CLEANUP_STATUS struct status *status =
		rpc_call_raw(channel, "/t.T/echo", sent, (1 << 20) + 1, 5000, arena, &data, &size);
	assert_int_equal(rpc_status_code(status), 8);
	rpc_channel_free(channel);
	peer_stop(&peer);
}

static void a_connection_that_is_left_serves_what_it_has(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer peer;
	char *text;
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	for (int i = 1; i <= 3; i++) {
		assert_null(ask(channel, "leave", "bye", 2000, arena, &text));
		assert_string_equal(text, "bye");
		assert_int_equal(atomic_load(&peer.n_connections), i);
	}
	rpc_channel_free(channel);
	peer_stop(&peer);
}

struct caller {
	struct rpc_channel *channel;
	const char *method;
	int number, n;
	pthread_t thread;
};

static void *call_often(void *data)
{
	struct caller *c = data;
	for (int i = 0; i < c->n; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const char *sent = arena_printf(arena, "%d of %d", i, c->number);
		char *text;
		assert_null(ask(c->channel, c->method, sent, 20000, arena, &text));
		assert_string_equal(text, sent);
	}
	return NULL;
}

/* Whoever drives hands out what is others', and the driving when he has his own: nobody is left waiting. */
static void calls_of_many_threads_share_a_connection(void **state)
{
	struct caller callers[12] = {0};
	struct peer peer;
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	for (int i = 0; i < 12; i++) {
		callers[i] = (struct caller){channel, i < 4 ? "gather" : "echo", i, 200};
		callers[i].thread = thread_start("caller", call_often, &callers[i]);
	}
	for (int i = 0; i < 12; i++)
		pthread_join(callers[i].thread, NULL);
	assert_int_equal(atomic_load(&peer.n_connections), 1);
	rpc_channel_free(channel);
	peer_stop(&peer);
}

static void *call_late(void *data)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct caller *c = data;
	char *text;
	CLEANUP_STATUS struct status *status = ask(c->channel, "late", "", c->n, arena, &text);
	assert_int_equal(rpc_status_code(status), c->number);
	return NULL;
}

/* One who gives up leaves the driving to another. */
static void who_gives_up_holds_nobody_up(void **state)
{
	struct caller late[4] = {0}, often = {.method = "echo", .n = 300};
	struct peer peer;
	peer_start(&peer, false);
	often.channel = channel_to(peer.target);
	for (int i = 0; i < 4; i++) {
		late[i] = (struct caller){.channel = often.channel, .n = 10 + i * 10, .number = 4};
		late[i].thread = thread_start("late", call_late, &late[i]);
	}
	call_often(&often);
	for (int i = 0; i < 4; i++)
		pthread_join(late[i].thread, NULL);
	rpc_channel_free(often.channel);
	peer_stop(&peer);
}

static void all_who_wait_learn_that_the_connection_is_gone(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct caller late[4] = {0};
	struct peer peer;
	char *text;
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	for (int i = 0; i < 4; i++) {
		late[i] = (struct caller){.channel = channel, .n = 20000, .number = 14};
		late[i].thread = thread_start("late", call_late, &late[i]);
	}
	while (atomic_load(&peer.n_asked) < 4)
		cancel_sleep_ms(NULL, 1);
	CLEANUP_STATUS struct status *status = ask(channel, "cut", "", 2000, arena, &text);
	assert_int_equal(rpc_status_code(status), 14);
	for (int i = 0; i < 4; i++)
		pthread_join(late[i].thread, NULL);
	assert_int_equal(atomic_load(&peer.n_connections), 1);
	rpc_channel_free(channel);
	peer_stop(&peer);
}

static void *cancel_soon(void *cancel)
{
	cancel_sleep_ms(NULL, 30);
	cancel_now(cancel);
	return NULL;
}

static void a_call_can_be_cancelled(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer peer;
	struct cancel *cancel = cancel_new();
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	pthread_t thread = thread_start("cancel", cancel_soon, cancel);
	EtcdRangeResponse *response;
	struct status *status = rpc_call_until(
		channel, &etcd_kv_service, "Range", RPC_NEW(arena, EtcdRangeRequest), 0, cancel, arena, &response);
	assert_int_equal(rpc_status_code(status), 1);
	status_free(status);
	pthread_join(thread, NULL);
	status = rpc_call_until(
		channel, &etcd_kv_service, "Range", RPC_NEW(arena, EtcdRangeRequest), 0, cancel, arena, &response);
	assert_int_equal(rpc_status_code(status), 1);
	status_free(status);
	cancel_free(cancel);
	rpc_channel_free(channel);
	peer_stop(&peer);
}

static void a_peer_without_a_word_is_none(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer peer;
	char *text;
	peer_start(&peer, true);
	struct rpc_channel *channel = channel_to(peer.target);
	CLEANUP_STATUS struct status *status = ask(channel, "echo", "", 200, arena, &text);
	assert_int_equal(rpc_status_code(status), 14);
	assert_string_equal(status->message,
		"failed to connect to all addresses; last error: the peer has sent no settings of HTTP/2");
	rpc_channel_free(channel);
	peer_stop(&peer);
}

static void another_target_answers_for_one_that_is_away(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer first, second;
	char *text;
	peer_start(&first, false);
	peer_start(&second, false);
	const char *const targets[] = {first.target, second.target};
	struct rpc_channel *channel;
	assert_null(rpc_channel_new(&(struct rpc_options){.targets = targets, .n_targets = 2}, &channel));
	assert_null(ask(channel, "echo", "a", 2000, arena, &text));
	assert_int_equal(atomic_load(&second.n_connections), 0);
	peer_stop(&first);
	/* It may be in the very moment of going. */
	struct status *status = ask(channel, "echo", "b", 2000, arena, &text);
	if (status)
		assert_int_equal(rpc_status_code(status), 14);
	status_free(status);
	assert_null(ask(channel, "echo", "c", 2000, arena, &text));
	assert_int_equal(atomic_load(&second.n_connections), 1);
	/* One who says that he cannot is not asked again at once. */
	peer_start(&first, false);
	rpc_channel_free(channel);
	const char *const both[] = {first.target, second.target};
	assert_null(rpc_channel_new(&(struct rpc_options){.targets = both, .n_targets = 2}, &channel));
	status = ask(channel, "busy", "", 2000, arena, &text);
	assert_int_equal(rpc_status_code(status), 14);
	status_free(status);
	assert_null(ask(channel, "echo", "d", 2000, arena, &text));
	assert_int_equal(atomic_load(&second.n_connections), 2);
	rpc_channel_free(channel);
	peer_stop(&first);
	peer_stop(&second);
}

static void pings_find_a_peer_that_is_gone(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer peer;
	char *text;
	peer_start(&peer, false);
	const char *target = peer.target;
	const struct rpc_options options = {
		.targets = &target, .n_targets = 1, .keepalive_ms = 40, .keepalive_timeout_ms = 100};
	struct rpc_channel *channel;
	assert_null(rpc_channel_new(&options, &channel));
	CLEANUP_STATUS struct status *late = ask(channel, "late", "", 300, arena, &text);
	assert_int_equal(rpc_status_code(late), 4); /* pings were answered */
	assert_true(atomic_load(&peer.n_pings) > 1);
	atomic_store(&peer.mute, true);
	CLEANUP_STATUS struct status *gone = ask(channel, "late", "", 20000, arena, &text);
	assert_int_equal(rpc_status_code(gone), 14);
	assert_string_equal(gone->message, "keepalive watchdog timeout");
	rpc_channel_free(channel);
	peer_stop(&peer);
}

/* --- streams --- */

static struct rpc_stream *watch(struct rpc_channel *channel, bool endless)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct rpc_stream *stream;
	EtcdWatchRequest *request = RPC_NEW(arena, EtcdWatchRequest);
	if (!endless) {
		request->request_union_case = ETCD_WATCH_REQUEST_REQUEST_UNION_CREATE_REQUEST;
		request->create_request = RPC_NEW(arena, EtcdWatchCreateRequest);
	}
	assert_null(rpc_stream_open(channel, &etcd_watch_service, "Watch", &stream));
	assert_null(rpc_stream_send(stream, request));
	for (int64_t i = 1; i <= 5; i++) {
		EtcdWatchResponse *response;
		assert_null(rpc_stream_recv(stream, 2000, arena, &response));
		assert_non_null(response);
		assert_int_equal(response->watch_id, i);
	}
	return stream;
}

static void a_stream_gives_what_comes_and_its_end(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer peer;
	EtcdWatchResponse *response;
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	struct rpc_stream *stream = watch(channel, false);
	for (int i = 0; i < 2; i++) {
		assert_null(rpc_stream_recv(stream, 2000, arena, &response));
		assert_null(response);
	}
	CLEANUP_STATUS struct status *status = rpc_stream_send_done(stream);
	assert_true(status_is(status, STATUS_UNAVAILABLE));
	rpc_stream_free(stream);
	rpc_channel_free(channel);
	peer_stop(&peer);
}

static void *cancel_stream(void *stream)
{
	cancel_sleep_ms(NULL, 30);
	rpc_stream_cancel(stream);
	return NULL;
}

static void a_quiet_stream_can_be_waited_for_and_cancelled(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct peer peer;
	EtcdWatchResponse *response;
	peer_start(&peer, false);
	struct rpc_channel *channel = channel_to(peer.target);
	struct rpc_stream *stream = watch(channel, true);
	struct status *status = rpc_stream_recv(stream, 20, arena, &response);
	assert_true(status_is(status, STATUS_TIMEOUT));
	assert_int_equal(rpc_status_code(status), 2);
	status_free(status);
	pthread_t thread = thread_start("cancel", cancel_stream, stream);
	status = rpc_stream_recv(stream, -1, arena, &response);
	assert_int_equal(rpc_status_code(status), 1);
	status_free(status);
	pthread_join(thread, NULL);
	rpc_stream_free(stream);
	/* One that nobody has read to its end. */
	rpc_stream_free(watch(channel, true));
	rpc_channel_free(channel);
	peer_stop(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_needs_a_target),
		cmocka_unit_test(a_peer_that_is_away_is_unavailable),
		cmocka_unit_test(a_method_that_the_service_lacks_is_our_mistake),
		cmocka_unit_test(codes_of_other_statuses_are_unknown),
		cmocka_unit_test(every_end_of_a_call_has_its_code_and_its_words),
		cmocka_unit_test(the_peer_is_told_how_long_he_has),
		cmocka_unit_test(large_messages_go_both_ways),
		cmocka_unit_test(a_connection_that_is_left_serves_what_it_has),
		cmocka_unit_test(calls_of_many_threads_share_a_connection),
		cmocka_unit_test(who_gives_up_holds_nobody_up),
		cmocka_unit_test(all_who_wait_learn_that_the_connection_is_gone),
		cmocka_unit_test(a_call_can_be_cancelled),
		cmocka_unit_test(a_peer_without_a_word_is_none),
		cmocka_unit_test(another_target_answers_for_one_that_is_away),
		cmocka_unit_test(pings_find_a_peer_that_is_gone),
		cmocka_unit_test(a_stream_gives_what_comes_and_its_end),
		cmocka_unit_test(a_quiet_stream_can_be_waited_for_and_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
