/* What the files of this library share. */
#ifndef SERVE_INTERNAL_H
#define SERVE_INTERNAL_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/workers.h"
#include "serve/http.h"
#include "serve/tls.h"

enum {
	HTTP_DEFAULT_BODY_BYTES = 1 << 20,
	HTTP_DEFAULT_WORKERS = 4,
	HTTP_DEFAULT_QUEUED = 256,
	HTTP_STREAM_BYTES = 64 * 1024, /* what a stream may hold before its writer waits */
	HTTP_MAX_CONNECTIONS = 1000,
	HTTP_IDLE_S = 120,
};

struct http_server {
	struct MHD_Daemon *mhd;
	struct workers *workers;
	struct http_tls *tls;
	struct handshakes *handshakes;	  /* with tls */
	struct http_server_config config; /* strings in the arena */
	struct arena *arena;
	uint16_t port;
	atomic_bool stopping;
};

enum answer_kind { ANSWER_NONE, ANSWER_BODY, ANSWER_STREAM, ANSWER_UPGRADE };

/*
 * One request on its way. The epoll thread fills it in, suspends the connection and gives it to a worker; the worker
 * resumes the connection when there is something to send. `suspended` says which side may touch the connection: see
 * suspend() and resume().
 */
struct http_exchange {
	unsigned magic;
	atomic_uint refs; /* the connection's and the worker's */
	struct http_server *server;
	struct MHD_Connection *connection;
	struct arena *arena;
	struct http_request request;
	http_handler *handler;
	char *uri;
	struct strbuf body;
	bool started, submitted, body_too_large;
	atomic_bool gone; /* the connection is over */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	enum answer_kind kind;
	bool suspended, ended;
	int code;
	struct http_header *headers;
	size_t n_headers;
	struct strbuf out; /* the body, or what a stream has not sent yet */
	size_t out_pos;
};

/* route.c */
/* NULL if no pattern fits; *ret_method_mismatch: one does, with another method. Captures go into the request. */
http_handler *http_route_find(const struct http_route *routes, struct http_request *request, bool *ret_method_mismatch);

#endif
