#include <stdlib.h>
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include "base/mem.h"
#include "base/str.h"
#include "rpc/private.h"

struct rpc_stream {
	struct rpc_channel *channel;
	size_t index;
	const ProtobufCMethodDescriptor *method;
	grpc_call *call;
	struct rpc_waiter send, recv, end; /* each kind of operation has at most one in flight */
	grpc_metadata_array initial, trailing;
	grpc_status_code code;
	grpc_slice details;
	grpc_byte_buffer *incoming;
	bool receiving; /* a receive was started and has not been plucked */
	bool ended;	/* the final status has been plucked */
};

static bool send_ops(struct rpc_stream *s, const grpc_op *ops, size_t n)
{
	return grpc_call_start_batch(s->call, ops, n, &s->send, NULL) == GRPC_CALL_OK && rpc_wait(&s->send);
}

static struct status *begin(struct rpc_stream *s)
{
	const grpc_op end[2] = {
		{.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &s->initial},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			.data.recv_status_on_client = {.trailing_metadata = &s->trailing,
				.status = &s->code,
				.status_details = &s->details}},
	};
	if (grpc_call_start_batch(s->call, end, 2, &s->end, NULL) != GRPC_CALL_OK) {
		s->ended = true;
		return status_internal("the stream %s could not be started", s->method->name);
	}
	const grpc_op hello = {.op = GRPC_OP_SEND_INITIAL_METADATA};
	if (send_ops(s, &hello, 1))
		return NULL;
	rpc_wait(&s->end);
	s->ended = true;
	return rpc_status_from(
		s->channel, s->index, s->code == GRPC_STATUS_OK ? GRPC_STATUS_UNAVAILABLE : s->code, s->details);
}

struct status *rpc_stream_open(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service,
	const char *method, struct rpc_stream **ret_stream)
{
	const ProtobufCMethodDescriptor *m = rpc_method_find(service, method);
	if (!m)
		return status_internal("%s has no method %s", service->name, method);
	struct rpc_stream *s = mem_zalloc(sizeof(*s));
	s->channel = channel;
	s->method = m;
	s->code = GRPC_STATUS_UNKNOWN;
	s->details = grpc_empty_slice();
	grpc_metadata_array_init(&s->initial);
	grpc_metadata_array_init(&s->trailing);
	rpc_waiter_init(&s->send);
	rpc_waiter_init(&s->recv);
	rpc_waiter_init(&s->end);
	CLEANUP_FREE char *path = mem_printf("/%s/%s", service->name, method);
	s->call = rpc_call_begin(channel, path, gpr_inf_future(GPR_CLOCK_MONOTONIC), &s->index);
	struct status *status = begin(s);
	if (status)
		rpc_stream_free(s);
	else
		*ret_stream = s;
	return status;
}

struct status *rpc_stream_send(struct rpc_stream *s, const void *message)
{
	grpc_byte_buffer *buffer = rpc_pack(message);
	const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
	bool sent = send_ops(s, &op, 1);
	grpc_byte_buffer_destroy(buffer);
	return sent ? NULL : status_new(STATUS_UNAVAILABLE, "the stream %s has ended", s->method->name);
}

struct status *rpc_stream_send_done(struct rpc_stream *s)
{
	const grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
	return send_ops(s, &op, 1) ? NULL : status_new(STATUS_UNAVAILABLE, "the stream %s has ended", s->method->name);
}

/* The peer will send no more: how it ended. */
static struct status *end_of(struct rpc_stream *s, void *ret_message)
{
	if (!s->ended)
		rpc_wait(&s->end);
	s->ended = true;
	*(ProtobufCMessage **)ret_message = NULL;
	return rpc_status_from(s->channel, s->index, s->code, s->details);
}

struct status *rpc_stream_recv(struct rpc_stream *s, int64_t timeout_ms, struct arena *arena, void *ret_message)
{
	if (s->ended)
		return end_of(s, ret_message);
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &s->incoming};
	if (!s->receiving && grpc_call_start_batch(s->call, &op, 1, &s->recv, NULL) != GRPC_CALL_OK)
		return status_internal("the stream %s cannot receive", s->method->name);
	s->receiving = true;
	bool success;
	if (timeout_ms < 0)
		success = rpc_wait(&s->recv);
	else if (!rpc_wait_for(&s->recv, timeout_ms, &success))
		return status_new(STATUS_TIMEOUT, "the stream %s is quiet", s->method->name);
	s->receiving = false;
	if (!success || !s->incoming)
		return end_of(s, ret_message);
	size_t size;
	uint8_t *data = rpc_buffer_take(arena, STEAL(s->incoming), &size);
	return rpc_unpack(arena, s->method->output, data, size, ret_message);
}

void rpc_stream_cancel(struct rpc_stream *s)
{
	grpc_call_cancel(s->call, NULL);
}

void rpc_stream_free(struct rpc_stream *s)
{
	if (!s)
		return;
	grpc_call_cancel(s->call, NULL);
	if (s->receiving)
		rpc_wait(&s->recv);
	if (!s->ended)
		rpc_wait(&s->end);
	rpc_foreign_begin();
	grpc_byte_buffer_destroy(s->incoming);
	grpc_slice_unref(s->details);
	grpc_metadata_array_destroy(&s->initial);
	grpc_metadata_array_destroy(&s->trailing);
	grpc_call_unref(s->call);
	rpc_foreign_end();
	rpc_waiter_done(&s->send);
	rpc_waiter_done(&s->recv);
	rpc_waiter_done(&s->end);
	free(s);
}
