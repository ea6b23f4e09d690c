/* What the files of this library share. */
#ifndef RPC_PRIVATE_H
#define RPC_PRIVATE_H

#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include "base/str.h"
#include "net/stream.h"
#include "rpc/rpc.h"

/* gRPC's codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
enum rpc_code {
	RPC_OK = 0,
	RPC_CANCELLED = 1,
	RPC_UNKNOWN = 2,
	RPC_INVALID_ARGUMENT = 3,
	RPC_DEADLINE_EXCEEDED = 4,
	RPC_NOT_FOUND = 5,
	RPC_ALREADY_EXISTS = 6,
	RPC_PERMISSION_DENIED = 7,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_FAILED_PRECONDITION = 9,
	RPC_ABORTED = 10,
	RPC_OUT_OF_RANGE = 11,
	RPC_UNIMPLEMENTED = 12,
	RPC_INTERNAL = 13,
	RPC_UNAVAILABLE = 14,
	RPC_UNAUTHENTICATED = 16,
};
/* An error of that code; the reason is the code's. */
struct status *rpc_status(int code, const char *message) MUST_USE;

/* --- messages --- */

#define RPC_PREFIX 5 /* before a message: whether it is compressed, and its size */

/* A message as it came in. */
struct rpc_message {
	struct rpc_message *next;
	size_t size;
	uint8_t data[];
};

void rpc_prefix(uint8_t prefix[static RPC_PREFIX], size_t size);
/* A message and its prefix, in the arena. */
uint8_t *rpc_pack(struct arena *arena, const ProtobufCMessage *message, size_t *ret_size);
struct status *rpc_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type, const struct rpc_message *from,
	void *ret_message) MUST_USE;
const ProtobufCMethodDescriptor *rpc_method_find(const ProtobufCServiceDescriptor *service, const char *method);

/* --- exchanges --- */

/*
 * One request and what is answered, on an HTTP/2 stream of its connection, whose lock guards it from
 * rpc_exchange_begin() until it is over.
 */
struct rpc_exchange {
	struct rpc_conn *conn;
	struct rpc_exchange *next, *prev; /* of those that are not over */
	int32_t id;
	/* what is sent: prefixed messages */
	const uint8_t *out; /* borrowed, or of the queue */
	size_t out_size, out_sent;
	bool out_ends; /* after that nothing will be sent */
	struct strbuf queue;
	/* what has come */
	bool single; /* one message at most is answered */
	bool is_grpc;
	int http_status;
	int told_code; /* in the trailers; -1: none */
	char *told_text;
	uint8_t prefix[RPC_PREFIX];
	size_t n_prefix, n_partial;
	struct rpc_message *partial;
	struct rpc_message *first, **last;
	/* how it ended */
	atomic_bool over;
	int code;
	char *text;
	/* who waits for it */
	struct rpc_exchange *next_asleep, *prev_asleep, *next_wake;
	bool any; /* a message will do */
	bool asleep;
	atomic_bool has_turn; /* it was woken to drive */
	atomic_bool posted;   /* goes with the semaphore, of whose timed waits ThreadSanitizer knows nothing */
	sem_t wake;
};

/*
 * Begins the exchange with a request of zero or more messages, borrowed until it is over. False when the connection
 * takes no more: nothing was sent then, and the exchange can be begun on another. timeout_ms is told to the peer; <= 0:
 * none.
 */
struct rpc_request {
	const char *path;
	int64_t timeout_ms;
	const uint8_t *out;
	size_t size;
	bool ends;   /* no more will be sent */
	bool single; /* one message at most is to be answered */
};
void rpc_exchange_init(struct rpc_exchange *x);
bool rpc_exchange_begin(struct rpc_exchange *x, struct rpc_conn *conn, const struct rpc_request *request) MUST_USE;
/* Sends more, of an exchange that was begun with nothing; copied. False when it is over, or more waits to be sent than
 * one message may have. */
bool rpc_exchange_send(struct rpc_exchange *x, const uint8_t *data, size_t size, bool ends) MUST_USE;
/* Waits until it is over or, where any message will do, one has come. False when the time (of the monotonic clock; < 0:
 * never) has passed. */
bool rpc_exchange_wait(struct rpc_exchange *x, bool any, int64_t deadline_ms) MUST_USE;
/* Ends it, if it is not over, with that code and text. From any thread. */
void rpc_exchange_cancel(struct rpc_exchange *x, int code, const char *text);
/* The next message that has come; NULL: none. */
struct rpc_message *rpc_exchange_take(struct rpc_exchange *x);
/* Of one that is over, or was never begun. */
void rpc_exchange_done(struct rpc_exchange *x);

/* --- connections --- */

struct rpc_conn_options {
	const char *authority;
	bool tls;
	size_t max_message_bytes;
	int64_t keepalive_ms; /* 0: no pings */
	int64_t keepalive_timeout_ms;
};

/*
 * An HTTP/2 connection. It has no thread: of those who wait for an answer, one (who finds it not driven) polls, reads
 * and hands out what has come to all of them, until he has his own; then another who waits gets the turn.
 */
struct rpc_conn {
	atomic_uint refs;
	struct rpc_conn_options options;
	char *authority;
	struct stream *stream;
	int wake_fd;	      /* an event descriptor that interrupts who polls */
	pthread_mutex_t io;   /* a TLS session is used by one thread at a time */
	pthread_mutex_t lock; /* guards what follows */
	nghttp2_session *session;
	struct rpc_exchange *exchanges; /* those that are not over */
	struct rpc_exchange *asleep, *to_wake;
	bool driven;
	bool writing; /* somebody has out, and will send what else there is to send */
	bool blocked; /* the socket takes no more: who drives goes on with it */
	bool settled; /* the peer's settings have come */
	bool pending; /* more may have come than was read */
	bool closed;  /* nothing can be begun */
	bool broken;  /* nothing more can be sent or will come */
	struct strbuf out;
	size_t out_sent;
	int64_t heard_ms, pinged_ms; /* pinged 0: no ping is out */
	uint8_t *in;
};

/* Takes the stream, which is connected, and waits for the peer's settings. */
struct status *rpc_conn_new(struct stream *stream, const struct rpc_conn_options *options, int64_t deadline_ms,
	struct rpc_conn **ret_conn) MUST_USE;
struct rpc_conn *rpc_conn_ref(struct rpc_conn *conn);
void rpc_conn_unref(struct rpc_conn *conn);
DEFINE_CLEANUP(struct rpc_conn *, rpc_conn_unref)
/* Whether an exchange can be begun. */
bool rpc_conn_is_open(struct rpc_conn *conn);

/* What follows is for who holds the lock. */
void rpc_conn_lock(struct rpc_conn *c);
/* Wakes those whose turn has come, or whose exchange is over, when the lock is free. */
void rpc_conn_unlock(struct rpc_conn *c);
/* Sends what there is to send, unless somebody is at it. Gives up the lock meanwhile. */
void rpc_conn_flush(struct rpc_conn *c);
/* Takes in what has come already, waiting for nothing. */
void rpc_conn_look(struct rpc_conn *c);
/* Waits for bytes, or the time, or rpc_conn_rouse(), and takes in what has come. Only where nobody drives. */
void rpc_conn_drive(struct rpc_conn *c, int64_t deadline_ms);
/* Makes who drives look around. */
void rpc_conn_rouse(struct rpc_conn *c);
/* Whoever waits for the exchange goes on. */
void rpc_exchange_rouse(struct rpc_exchange *x);
/* It is over. */
void rpc_exchange_end(struct rpc_exchange *x, int code, const char *text);
nghttp2_session *rpc_session_new(struct rpc_conn *c);

/* --- channels --- */

/* A connection to the current target, shared (for calls) or of one's own (for a stream). */
struct status *rpc_channel_connect(
	struct rpc_channel *channel, int64_t deadline_ms, bool own, struct rpc_conn **ret_conn) MUST_USE;
/* How an exchange ended; a peer that is away makes the next target current. */
struct status *rpc_channel_outcome(struct rpc_channel *channel, const struct rpc_exchange *x) MUST_USE;
size_t rpc_channel_max_message(const struct rpc_channel *channel);

/* Tells who observes the channel. */
void rpc_channel_tell(const struct rpc_channel *channel, enum rpc_event event, const char *path, int code);

#endif
