#include <stdlib.h>
#include "base/clock.h"
#include "base/mem.h"
#include "rpc/private.h"

#define BEGIN_ATTEMPTS 3

struct call {
	struct rpc_channel *channel;
	const char *path;
	const uint8_t *request; /* with its prefix */
	size_t size;
	int64_t timeout_ms;
	struct cancel *cancel;
};

static void cancel_call(void *x)
{
	rpc_exchange_cancel(x, RPC_CANCELLED, "context canceled");
}

/* A connection that has ended takes nothing; then it is another's turn. */
static struct status *begin(const struct call *call, int64_t deadline_ms, struct rpc_exchange *x)
{
	const struct rpc_request request = {.path = call->path,
		.timeout_ms = call->timeout_ms,
		.out = call->request,
		.size = call->size,
		.ends = true,
		.single = true};
	for (int i = 0; i < BEGIN_ATTEMPTS; i++) {
		CLEANUP(rpc_conn_unrefp) struct rpc_conn *conn = NULL;
		TRY(rpc_channel_connect(call->channel, deadline_ms, false, &conn));
		if (rpc_exchange_begin(x, conn, &request))
			return NULL;
	}
	return rpc_status(RPC_UNAVAILABLE, "the peer ends every connection");
}

static struct status *run(const struct call *call, struct rpc_exchange *x)
{
	const int64_t deadline_ms = call->timeout_ms > 0 ? clock_mono_ms(clock_system()) + call->timeout_ms : -1;
	if (call->size - RPC_PREFIX > rpc_channel_max_message(call->channel))
		return rpc_status(RPC_RESOURCE_EXHAUSTED, "Sent message larger than max");
	TRY(begin(call, deadline_ms, x));
	struct cancel_hook hook = {.fn = cancel_call, .data = x};
	cancel_add(call->cancel, &hook);
	if (!rpc_exchange_wait(x, false, deadline_ms))
		rpc_exchange_cancel(x, RPC_DEADLINE_EXCEEDED, "Deadline Exceeded");
	cancel_remove(call->cancel, &hook);
	TRY(rpc_channel_outcome(call->channel, x));
	return x->first ? NULL : status_internal("%s: the peer sent no answer", call->path);
}

/* The answer is the caller's to free. */
static struct status *exchange(const struct call *call, struct rpc_message **ret_answer)
{
	struct rpc_exchange x;
	rpc_exchange_init(&x);
	rpc_channel_tell(call->channel, RPC_EVENT_STARTED, call->path, 0);
	rpc_channel_tell(call->channel, RPC_EVENT_SENT, call->path, 0);
	struct status *status = run(call, &x);
	rpc_channel_tell(call->channel, RPC_EVENT_ENDED, call->path, rpc_status_code(status));
	if (!status)
		*ret_answer = STEAL(x.first);
	rpc_exchange_done(&x);
	return status;
}

struct status *rpc_call_raw(struct rpc_channel *channel, const char *path, const void *request, size_t size,
	int64_t timeout_ms, struct arena *arena, uint8_t **ret_response, size_t *ret_size)
{
	uint8_t *packed = arena_alloc(arena, RPC_PREFIX + size);
	rpc_prefix(packed, size);
	if (size)
		memcpy(packed + RPC_PREFIX, request, size);
	const struct call call = {channel, path, packed, RPC_PREFIX + size, timeout_ms, NULL};
	struct rpc_message *answer;
	TRY(exchange(&call, &answer));
	arena_defer(arena, free, answer);
	*ret_response = answer->data;
	*ret_size = answer->size;
	return NULL;
}

struct status *rpc_call(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service, const char *method,
	const void *request, int64_t timeout_ms, struct arena *arena, void *ret_response)
{
	return rpc_call_until(channel, service, method, request, timeout_ms, NULL, arena, ret_response);
}

struct status *rpc_call_until(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service,
	const char *method, const void *request, int64_t timeout_ms, struct cancel *cancel, struct arena *arena,
	void *ret_response)
{
	const ProtobufCMethodDescriptor *m = rpc_method_find(service, method);
	if (!m)
		return status_internal("%s has no method %s", service->name, method);
	struct call call = {.channel = channel,
		.path = arena_printf(arena, "/%s/%s", service->name, method),
		.timeout_ms = timeout_ms,
		.cancel = cancel};
	call.request = rpc_pack(arena, request, &call.size);
	CLEANUP_FREE struct rpc_message *answer = NULL;
	TRY(exchange(&call, &answer));
	return rpc_unpack(arena, m->output, answer, ret_response);
}
