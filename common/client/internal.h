/* What the files of this library share. */
#ifndef CLIENT_INTERNAL_H
#define CLIENT_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/arena.h"
#include "base/follow.h"
#include "base/map.h"
#include "base/str.h"
#include "client/backoff.h"
#include "client/client.h"
#include "net/tls.h"
#include "net/url.h"

enum {
	/* Connections kept for the next requests, and for how long: what the original keeps for a host over HTTP/1.1.
	 */
	CLIENT_MAX_IDLE = 25,
	CLIENT_MAX_IDLE_MS = 90 * 1000,
	CLIENT_MAX_RETRIES = 10,
	CLIENT_PAGE_ITEMS = 500,
	CLIENT_CONNECT_TIMEOUT_MS = 30000,
	CLIENT_CREDENTIALS_CHECK_MS = 10000, /* how often files are looked at */
};
#define CLIENT_MAX_BODY_BYTES ((size_t)256 << 20)
#define CLIENT_MAX_FRAME_BYTES ((size_t)64 << 20)

/* A reusable curl handle with its connection. */
struct handle {
	CURL *easy;
	unsigned generation;
	struct tls_context *tls;
	int64_t idle_since_ms;
	struct handle *next;
};

struct client {
	struct arena *arena;
	struct client_config config; /* strings in the arena */
	struct url url;
	char *base; /* scheme://host:port/prefix without a trailing slash */
	char *user_agent;
	const struct clock *clock;
	struct rate_limiter *limiter; /* NULL: none */
	atomic_bool cancelled;

	pthread_mutex_t lock; /* guards what follows */
	struct handle *idle;  /* the last used first */
	size_t n_idle;
	struct strmap *resources; /* what client_resource_of() has handed out, by type */
	unsigned generation;	  /* of the TLS material; rises with each reload */
	struct tls_context *tls;
	struct follow tls_files;

	pthread_mutex_t token_lock; /* guards what follows; held while a token is fetched */
	char *token;		    /* heap; NULL: none held */
	int64_t token_expires_s;    /* 0: never */
	int64_t token_got_s;
	int64_t token_checked_ms;
	bool token_valid;
	char *exec_cert, *exec_key; /* PEM, from an exec plugin */
};

/* auth.c */
/* The present TLS context (a reference), reloaded if its files have changed; NULL for plain http. */
struct status *client_tls(struct client *client, struct tls_context **ret, unsigned *ret_generation) MUST_USE;
/* Appends Authorization and Impersonate headers. */
struct status *client_auth_headers(
	struct client *client, struct arena *arena, struct http_header **headers, size_t *n) MUST_USE;
/* After a 401: what is held is asked for anew. True if that can help. */
bool client_auth_rejected(struct client *client);

/* exec.c: runs a credential plugin. Results on the heap, NULL where it gave none. */
struct exec_credential {
	char *token, *cert, *key;
	int64_t expires_s;
};
struct status *client_exec_run(const struct client_exec *exec, struct exec_credential *ret) MUST_USE;

/* transfer.c: one exchange over curl, blocking or in a multi. */
struct transfer {
	struct client *client;
	struct arena *arena;
	const char *method;
	const char *path;
	char *url;
	struct handle *handle;
	struct curl_slist *curl_headers;
	char error[CURL_ERROR_SIZE];
	size_t max_body_bytes;
	/* the answer */
	int code;
	struct http_header *headers;
	size_t n_headers;
	struct strbuf body;
	bool too_large, stopped, pooled;
	int64_t begun_ns; /* 0: it has not begun, or has been counted */
	/* streaming of 2xx bodies */
	bool (*on_data)(void *data, const void *bytes, size_t size);
	void *data;
	bool (*cancelled)(void *data);
	const atomic_bool *stop; /* NULL, or ends the transfer */
};

/* pooled: over a connection of the client's pool; otherwise the handle is new and goes with the transfer (multi). */
struct status *transfer_init(struct transfer *t, struct client *client, struct arena *arena,
	const struct client_request *request, bool pooled) MUST_USE;
/* Blocks until it is over. */
struct status *transfer_perform(struct transfer *t) MUST_USE;
/* What a curl result means. NULL for CURLE_OK and for streams that were stopped on purpose. */
struct status *transfer_result(struct transfer *t, CURLcode code) MUST_USE;
/* reuse: the connection may serve the next request. */
void transfer_done(struct transfer *t, bool reuse);
/* Ends the connections of a list. */
void handles_free(struct handle *h);
int64_t transfer_retry_after_ms(const struct transfer *t); /* -1: not asked for */

/* watch.c: splits a watch stream into events. */
struct watch_reader {
	struct strbuf in;
	size_t scanned; /* JSON: bytes of the present value looked at */
	int depth;
	bool in_string, escaped;
};
void watch_reader_init(struct watch_reader *r);
void watch_reader_done(struct watch_reader *r);
void watch_reader_reset(struct watch_reader *r);
/*
 * Feeds bytes; on_frame is called with each whole event: its type and the object's own encoding (protobuf envelope or
 * JSON). False from it stops.
 */
struct watch_frame {
	const char *type;
	size_t type_size;
	const void *object;
	size_t object_size;
	bool protobuf;
};
struct status *watch_reader_feed(struct watch_reader *r, bool protobuf, const void *bytes, size_t size,
	bool (*on_frame)(void *data, const struct watch_frame *frame), void *data, bool *ret_stopped) MUST_USE;
/* By the first byte of a stream: the high byte of a length that is bounded, or the beginning of a JSON text. */
static inline bool watch_is_protobuf(const void *bytes)
{
	return *(const uint8_t *)bytes < (CLIENT_MAX_FRAME_BYTES >> 24) + 1;
}
bool watch_frame_type(const struct watch_frame *frame, enum watch_event_type *ret);
/* The Status object of an ERROR frame. */
struct status *watch_frame_error(struct arena *arena, const struct watch_frame *frame) MUST_USE;
struct status *watch_frame_decode(
	struct arena *arena, const struct schema_type *type, const struct watch_frame *frame, void *ret_msg) MUST_USE;

/* typed.c */
/* The Accept header for a resource read as type. */
char *client_accept(struct client *client, struct arena *arena, const struct client_resource *resource,
	const struct schema_type *type, bool list);
struct status *client_decode(struct arena *arena, const struct schema_type *type, const char *content_type,
	const void *body, size_t size, void *ret_msg) MUST_USE;
void client_list_query(struct strbuf *query, const struct client_list_options *options);

/* raw.c */
void client_sleep(struct client *client, int64_t ms);

#endif
