/* What the files of this library share. */
#ifndef RPC_PRIVATE_H
#define RPC_PRIVATE_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include "rpc/rpc.h"

#define RPC_MAX_IDLE_QUEUES 16

/*
 * gRPC is not built with ThreadSanitizer: what its threads wrote before they handed it over, and that the hand-over was
 * one, cannot be seen. Between these two lines gRPC's memory is touched or given back, and nothing of ours.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RPC_SEEN_BY_TSAN 1
#endif
#endif
#ifdef RPC_SEEN_BY_TSAN
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void __tsan_write_range(void *at, unsigned long size);
#define rpc_foreign_begin() AnnotateIgnoreReadsBegin(__FILE__, __LINE__)
#define rpc_foreign_end() AnnotateIgnoreReadsEnd(__FILE__, __LINE__)
#define rpc_written(at, size) __tsan_write_range(at, size)
#else
#define rpc_foreign_begin() ((void)0)
#define rpc_foreign_end() ((void)0)
#define rpc_written(at, size) ((void)0)
#endif

/* One gRPC channel for each target: the first that answers stays current until it does not. */
struct rpc_channel {
	grpc_channel **channels;
	size_t n_channels;
	atomic_size_t current;
	pthread_mutex_t lock;
	grpc_completion_queue *idle[RPC_MAX_IDLE_QUEUES];
	size_t n_idle;
};

/* A completion queue that one call at a time plucks from. */
grpc_completion_queue *rpc_queue_take(struct rpc_channel *channel);
void rpc_queue_give(struct rpc_channel *channel, grpc_completion_queue *queue);
/* A call to the current target; *ret_index is which. */
grpc_call *rpc_call_begin(struct rpc_channel *channel, grpc_completion_queue *queue, const char *path,
	gpr_timespec deadline, size_t *ret_index);
/* NULL for GRPC_STATUS_OK. A peer that is away makes the next target current. */
struct status *rpc_status_from(struct rpc_channel *channel, size_t index, grpc_status_code code, grpc_slice details);

const ProtobufCMethodDescriptor *rpc_method_find(const ProtobufCServiceDescriptor *service, const char *method);
grpc_byte_buffer *rpc_pack(const ProtobufCMessage *message);
/* Copies what came from gRPC: our side of the copy is checked for races, theirs cannot be. */
void rpc_copy_received(void *to, grpc_slice from);
/* Copies a buffer into the arena and destroys it. */
uint8_t *rpc_buffer_take(struct arena *arena, grpc_byte_buffer *buffer, size_t *ret_size);
struct status *rpc_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size,
	void *ret_message);

#endif
