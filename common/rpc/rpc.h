/*
 * gRPC as calls and streams that block: for etcd, the container runtime, and every other gRPC peer.
 * Messages are protobuf-c structs, named plainly by the generated headers cri/cri.h and etcd/etcd.h.
 *
 *	struct rpc_channel *channel;
 *	TRY(rpc_channel_new(&(struct rpc_options){.targets = (const char *[]){"unix:///run/containerd/containerd.sock"},
 *		.n_targets = 1}, &channel));
 *	CriVersionRequest *request = RPC_NEW(arena, CriVersionRequest);
 *	CriVersionResponse *response;
 *	TRY(rpc_call(channel, &cri_runtime_service, "Version", request, 2000, arena, &response));
 *
 * Ownership: responses live in the arena given. Channels and streams are freed by whoever made them; a channel outlives
 * its calls. Threads: a channel may be used from any number of threads at once. A stream has one receiver at a time;
 * rpc_stream_send() and rpc_stream_cancel() may be called from any thread. These functions block: call them on workers
 *or on threads of one's own, never on a loop. None has a thread of its own: who waits reads, for all who wait.
 */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>
#include "base/arena.h"
#include "base/cancel.h"
#include "base/status.h"

struct rpc_channel;
struct rpc_stream;

/* Certificates and keys are PEM text; ca_pem alone verifies the server, all three present a client certificate too. */
struct rpc_tls {
	const char *ca_pem;
	const char *cert_pem;
	const char *key_pem;
	const char *server_name; /* the name to verify instead of the target's host; NULL: the target's */
};

/* What happens to a call or a stream. */
enum rpc_event { RPC_EVENT_STARTED, RPC_EVENT_SENT, RPC_EVENT_RECEIVED, RPC_EVENT_ENDED };
/* path: "/service/Method". Messages that are received are told of streams; code (gRPC's) of the end. */
typedef void rpc_observe_fn(void *data, enum rpc_event event, const char *path, int code);

struct rpc_options {
	/* host:port, or unix:///path; several: the first that answers is used, and another when it goes away. */
	const char *const *targets;
	size_t n_targets;
	const struct rpc_tls *tls; /* NULL: plain text */
	size_t max_message_bytes;  /* of one received message; 0: 16 MiB */
	int64_t keepalive_ms;	   /* ping when quiet for so long; 0: no pings */
	int64_t keepalive_timeout_ms;
	rpc_observe_fn *observe; /* from whatever thread calls; NULL: nobody wants to know */
	void *observe_data;
};

/* Connects lazily; fails only for malformed options. */
struct status *rpc_channel_new(const struct rpc_options *options, struct rpc_channel **ret_channel) MUST_USE;
void rpc_channel_free(struct rpc_channel *channel);
DEFINE_CLEANUP(struct rpc_channel *, rpc_channel_free)

/*
 * One call, one answer. timeout_ms <= 0: no deadline. The request may be any message struct of the method's request
 * type; *ret_response (a pointer to a pointer to the response's struct) is unpacked into the arena. Errors carry the
 * peer's message and: Unavailable for a peer that is not there, Timeout past the deadline, NotFound, AlreadyExists,
 * Conflict (Aborted, FailedPrecondition), Expired (OutOfRange), TooManyRequests (ResourceExhausted), BadRequest
 * (InvalidArgument), MethodNotAllowed (Unimplemented), Forbidden, Unauthorized, Internal for the rest.
 */
struct status *rpc_call(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service, const char *method,
	const void *request, int64_t timeout_ms, struct arena *arena, void *ret_response) MUST_USE;
/* The same, ended with Canceled when the token is cancelled. */
struct status *rpc_call_until(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service,
	const char *method, const void *request, int64_t timeout_ms, struct cancel *cancel, struct arena *arena,
	void *ret_response) MUST_USE;
/* The code that the peer (or this side) ended a call with, as gRPC numbers them: 5 NotFound, 12 Unimplemented, 14
 * Unavailable. 0 for NULL; 2 (Unknown) for a status that is from elsewhere. */
int rpc_status_code(const struct status *status);
/* The same with a request ready packed: for hot paths and tests. */
struct status *rpc_call_raw(struct rpc_channel *channel, const char *path, const void *request, size_t size,
	int64_t timeout_ms, struct arena *arena, uint8_t **ret_response, size_t *ret_size) MUST_USE;

/* Opens a stream (any of the three kinds). It has no deadline; end it with rpc_stream_cancel(). */
struct status *rpc_stream_open(struct rpc_channel *channel, const ProtobufCServiceDescriptor *service,
	const char *method, struct rpc_stream **ret_stream) MUST_USE;
/* Sends one message, as far as the peer takes it now; the rest goes when the stream is received from. */
struct status *rpc_stream_send(struct rpc_stream *stream, const void *message) MUST_USE;
/* Says that no more will be sent. */
struct status *rpc_stream_send_done(struct rpc_stream *stream) MUST_USE;
/*
 * Waits for the next message: into the arena. NULL message and no error: the peer ended the stream with success.
 * timeout_ms < 0 waits for ever; when it passes, the status is Timeout and the stream can be received from again.
 */
struct status *rpc_stream_recv(
	struct rpc_stream *stream, int64_t timeout_ms, struct arena *arena, void *ret_message) MUST_USE;
/* Makes every pending and later operation of the stream fail soon. From any thread, any number of times. */
void rpc_stream_cancel(struct rpc_stream *stream);
/* Cancels what is left and frees. No other thread may be inside the stream. */
void rpc_stream_free(struct rpc_stream *stream);
DEFINE_CLEANUP(struct rpc_stream *, rpc_stream_free)

/* A zeroed, initialized message in an arena. */
#define RPC_NEW(arena, T) ((T *)rpc_message_new((arena), &T##_descriptor))
void *rpc_message_new(struct arena *arena, const ProtobufCMessageDescriptor *type) __attribute__((returns_nonnull));

#endif
