#include <stdlib.h>
#include "base/clock.h"
#include "base/mem.h"
#include "rpc/private.h"

/* A stream has a connection of its own: who receives reads it himself, and what is not received yet is the peer's to
 * keep. */
struct rpc_stream {
	struct rpc_channel *channel;
	const ProtobufCMethodDescriptor *method;
	char *path;
	bool told; /* that it has ended */
	struct rpc_exchange exchange;
};

static void tell_end(struct rpc_stream *s, int code)
{
	if (!s->told)
		rpc_channel_tell(s->channel, RPC_EVENT_ENDED, s->path, code);
	s->told = true;
}

struct status *rpc_stream_open(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service,
	const char *method, struct rpc_stream **ret_stream)
{
	const ProtobufCMethodDescriptor *m = rpc_method_find(service, method);
	if (!m)
		return status_internal("%s has no method %s", service->name, method);
	CLEANUP(rpc_conn_unrefp) struct rpc_conn *conn = NULL;
	TRY(rpc_channel_connect(channel, -1, true, &conn));
	struct rpc_stream *s = mem_zalloc(sizeof(*s));
	s->channel = channel;
	s->method = m;
	s->path = mem_printf("/%s/%s", service->name, method);
	rpc_channel_tell(channel, RPC_EVENT_STARTED, s->path, 0);
	const struct rpc_request request = {.path = s->path};
	rpc_exchange_init(&s->exchange);
	if (!rpc_exchange_begin(&s->exchange, conn, &request)) {
		tell_end(s, RPC_UNAVAILABLE);
		rpc_stream_free(s);
		return rpc_status(RPC_UNAVAILABLE, "the peer ended the connection");
	}
	*ret_stream = s;
	return NULL;
}

struct status *rpc_stream_send(struct rpc_stream *s, const void *message)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	size_t size;
	const uint8_t *packed = rpc_pack(arena, message, &size);
	rpc_channel_tell(s->channel, RPC_EVENT_SENT, s->path, 0);
	if (rpc_exchange_send(&s->exchange, packed, size, false))
		return NULL;
	return status_new(STATUS_UNAVAILABLE, "the stream %s has ended", s->method->name);
}

struct status *rpc_stream_send_done(struct rpc_stream *s)
{
	if (rpc_exchange_send(&s->exchange, NULL, 0, true))
		return NULL;
	return status_new(STATUS_UNAVAILABLE, "the stream %s has ended", s->method->name);
}

struct status *rpc_stream_recv(struct rpc_stream *s, int64_t timeout_ms, struct arena *arena, void *ret_message)
{
	const int64_t deadline_ms = timeout_ms < 0 ? -1 : clock_mono_ms(clock_system()) + timeout_ms;
	if (!rpc_exchange_wait(&s->exchange, true, deadline_ms))
		return status_new(STATUS_TIMEOUT, "the stream %s is quiet", s->method->name);
	CLEANUP_FREE struct rpc_message *message = rpc_exchange_take(&s->exchange);
	if (message) {
		rpc_channel_tell(s->channel, RPC_EVENT_RECEIVED, s->path, 0);
		return rpc_unpack(arena, s->method->output, message, ret_message);
	}
	*(ProtobufCMessage **)ret_message = NULL;
	struct status *outcome = rpc_channel_outcome(s->channel, &s->exchange);
	tell_end(s, rpc_status_code(outcome));
	return outcome;
}

void rpc_stream_cancel(struct rpc_stream *s)
{
	rpc_exchange_cancel(&s->exchange, RPC_CANCELLED, "CANCELLED");
}

void rpc_stream_free(struct rpc_stream *s)
{
	if (!s)
		return;
	if (s->exchange.conn)
		rpc_stream_cancel(s);
	tell_end(s, RPC_CANCELLED);
	rpc_exchange_done(&s->exchange);
	free(s->path);
	free(s);
}
