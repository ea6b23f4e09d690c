/* What the files of this library share. */
#ifndef RPC_PRIVATE_H
#define RPC_PRIVATE_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include "rpc/rpc.h"

#define RPC_WAITER_MAGIC 0x57414954u

/*
 * Whoever waits for one operation; its address is the operation's tag. All completions of a channel come from one
 * queue, which one thread polls: waiting is then a semaphore and no turn at polling, which would have to be handed on
 * with every answer.
 */
struct rpc_waiter {
	_Atomic uint32_t magic; /* set last, read first: what hands a waiter from thread to thread is gRPC, which cannot
				   be seen */
	_Atomic bool success;
	sem_t done;
};

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
	grpc_completion_queue *queue;
	pthread_mutex_t lock; /* guards what follows */
	bool polled;
	pthread_t poller;
};

void rpc_waiter_init(struct rpc_waiter *waiter);
void rpc_waiter_done(struct rpc_waiter *waiter);
/* Waits for the operation that was begun with this tag; whether it succeeded. Then the waiter can serve another. */
bool rpc_wait(struct rpc_waiter *waiter);
/* False when the time has passed; the operation goes on. */
bool rpc_wait_for(struct rpc_waiter *waiter, int64_t timeout_ms, bool *ret_success);
/* A call to the current target; *ret_index is which. */
grpc_call *rpc_call_begin(struct rpc_channel *channel, const char *path, gpr_timespec deadline, size_t *ret_index);
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
