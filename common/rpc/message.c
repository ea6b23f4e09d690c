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

void rpc_prefix(uint8_t prefix[static RPC_PREFIX], size_t size)
{
	prefix[0] = 0;
	for (int i = 1; i < RPC_PREFIX; i++)
		prefix[i] = (uint8_t)(size >> 8 * (RPC_PREFIX - 1 - i));
}

uint8_t *rpc_pack(struct arena *arena, const ProtobufCMessage *message, size_t *ret_size)
{
	const size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *packed = arena_alloc(arena, RPC_PREFIX + size);
	rpc_prefix(packed, size);
	protobuf_c_message_pack(message, packed + RPC_PREFIX);
	*ret_size = RPC_PREFIX + size;
	return packed;
}

struct status *rpc_unpack(
	struct arena *arena, const ProtobufCMessageDescriptor *type, const struct rpc_message *from, void *ret_message)
{
	ProtobufCAllocator allocator = {.alloc = alloc_in_arena, .free = free_nothing, .allocator_data = arena};
	ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, from->size, from->data);
	if (!message)
		return status_internal("the answer is no %s", type->name);
	*(ProtobufCMessage **)ret_message = message;
	return NULL;
}
