#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include "base/mem.h"
#include "base/str.h"
#include "rpc/private.h"

static void *alloc_in_arena(void *data, size_t size)
{
	return arena_alloc(data, size);
}

static void free_nothing(void *data, void *p)
{
}

void *rpc_message_new(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = arena_zalloc(arena, type->sizeof_message);
	protobuf_c_message_init(type, message);
	return message;
}

const ProtobufCMethodDescriptor *rpc_method_find(const ProtobufCServiceDescriptor *service, const char *method)
{
	return protobuf_c_service_descriptor_get_method_by_name(service, method);
}

grpc_byte_buffer *rpc_pack(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}

void rpc_copy_received(void *to, grpc_slice from)
{
	rpc_foreign_begin();
	memcpy(to, GRPC_SLICE_START_PTR(from), GRPC_SLICE_LENGTH(from));
	rpc_foreign_end();
	rpc_written(to, GRPC_SLICE_LENGTH(from));
}

uint8_t *rpc_buffer_take(struct arena *arena, grpc_byte_buffer *buffer, size_t *ret_size)
{
	uint8_t *data = arena_alloc(arena, grpc_byte_buffer_length(buffer) + 1);
	size_t size = 0;
	grpc_byte_buffer_reader reader;
	grpc_slice slice;
	if (grpc_byte_buffer_reader_init(&reader, buffer)) {
		while (grpc_byte_buffer_reader_next(&reader, &slice)) {
			rpc_copy_received(data + size, slice);
			size += GRPC_SLICE_LENGTH(slice);
			rpc_foreign_begin();
			grpc_slice_unref(slice);
			rpc_foreign_end();
		}
		grpc_byte_buffer_reader_destroy(&reader);
	}
	rpc_foreign_begin();
	grpc_byte_buffer_destroy(buffer);
	rpc_foreign_end();
	*ret_size = size;
	return data;
}

struct status *rpc_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size,
	void *ret_message)
{
	ProtobufCAllocator allocator = {.alloc = alloc_in_arena, .free = free_nothing, .allocator_data = arena};
	ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, size, data);
	if (!message)
		return status_internal("the answer is no %s", type->name);
	*(ProtobufCMessage **)ret_message = message;
	return NULL;
}

static gpr_timespec deadline_in(int64_t timeout_ms)
{
	if (timeout_ms <= 0)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
}

static void cancel_call(void *call)
{
	grpc_call_cancel_with_status(call, GRPC_STATUS_CANCELLED, "context canceled", NULL);
}

/* Sends, waits, and gives the answer's bytes. Destroys the request. */
static struct status *exchange(struct rpc_channel *channel, const char *path, grpc_byte_buffer *request,
	int64_t timeout_ms, struct cancel *cancel, struct arena *arena, uint8_t **ret_data, size_t *ret_size)
{
	struct rpc_waiter waiter;
	size_t index;
	grpc_call *call = rpc_call_begin(channel, path, deadline_in(timeout_ms), &index);
	grpc_metadata_array initial, trailing;
	grpc_metadata_array_init(&initial);
	grpc_metadata_array_init(&trailing);
	grpc_byte_buffer *response = NULL;
	grpc_status_code code = GRPC_STATUS_UNKNOWN;
	grpc_slice details = grpc_empty_slice();
	grpc_op ops[6] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &initial},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &response},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			.data.recv_status_on_client = {.trailing_metadata = &trailing,
				.status = &code,
				.status_details = &details}},
	};
	struct cancel_hook hook = {.fn = cancel_call, .data = call};
	rpc_waiter_init(&waiter);
	cancel_add(cancel, &hook);
	if (grpc_call_start_batch(call, ops, ARRAY_SIZE(ops), &waiter, NULL) == GRPC_CALL_OK)
		rpc_wait(&waiter);
	cancel_remove(cancel, &hook);
	rpc_waiter_done(&waiter);
	struct status *status = rpc_status_from(channel, index, code, details);
	if (!status && !response)
		status = status_internal("%s: the peer sent no answer", path);
	if (response && !status)
		*ret_data = rpc_buffer_take(arena, STEAL(response), ret_size);
	rpc_foreign_begin();
	grpc_byte_buffer_destroy(response);
	grpc_slice_unref(details);
	grpc_metadata_array_destroy(&initial);
	grpc_metadata_array_destroy(&trailing);
	grpc_byte_buffer_destroy(request);
	grpc_call_unref(call);
	rpc_foreign_end();
	return status;
}

struct status *rpc_call_raw(struct rpc_channel *channel, const char *path, const void *request, size_t size,
	int64_t timeout_ms, struct arena *arena, uint8_t **ret_response, size_t *ret_size)
{
	grpc_slice slice = grpc_slice_from_copied_buffer(request, size);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return exchange(channel, path, buffer, timeout_ms, NULL, arena, ret_response, ret_size);
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
	char *path = arena_printf(arena, "/%s/%s", service->name, method);
	uint8_t *data;
	size_t size;
	TRY(exchange(channel, path, rpc_pack(request), timeout_ms, cancel, arena, &data, &size));
	return rpc_unpack(arena, m->output, data, size, ret_response);
}
