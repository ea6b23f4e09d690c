/* Calls to peers that are not there, and to none at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "etcd/etcd.h"
#include "rpc/rpc.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_needs_a_target),
		cmocka_unit_test(a_peer_that_is_away_is_unavailable),
		cmocka_unit_test(a_method_that_the_service_lacks_is_our_mistake),
		cmocka_unit_test(codes_of_other_statuses_are_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
