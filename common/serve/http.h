/*
 * HTTP(S) server for what daemons serve: health, metrics, and the kubelet's API. On libmicrohttpd: one epoll thread,
 *and a bounded pool of workers on which handlers run as straight-line code that may block.
 *
 *	static const struct http_route routes[] = {
 *		{"GET", "/healthz", healthz},
 *		{"GET", "/containerLogs/{namespace}/{pod}/{container}", container_logs},
 *		{NULL},
 *	};
 *	struct http_server_config config = {.address = "0.0.0.0", .port = 10250, .routes = routes, .data = kubelet, …};
 *	TRY(http_server_new(&config, &server));
 *
 * A handler answers once: http_respond(), or http_begin() + http_write()… (streamed, chunked), or
 *http_upgrade_request(). When it returns without an answer the client gets 500. The request and all its strings live
 *until the handler returns. Threads: handlers run on worker threads, at most max_workers at once; more wait, and beyond
 *max_queued get 429.
 */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "net/http1.h"
#include "net/stream.h"
#include "net/url.h"

struct http_server;

/* Who asks: filled in by authentication; "" and n_groups 0 for nobody known. */
struct http_user {
	const char *name;
	const char *uid;
	const char *const *groups;
	size_t n_groups;
};

struct http_request {
	struct arena *arena;
	const char *method;
	const char *path; /* unescaped; the raw form is in raw_path */
	const char *raw_path;
	const char *raw_query;
	const struct query_param *query;
	size_t n_query;
	const struct http_header *headers;
	size_t n_headers;
	const void *body;
	size_t body_size;
	const struct http_user *user;
	const char *remote_address;
	const void *peer_cert; /* DER of the client's certificate, verified or not; NULL: none was sent */
	size_t peer_cert_size;
	void *data; /* of the server's config */
	/* private */
	const struct query_param *captures;
	size_t n_captures;
	struct http_exchange *exchange;
};

typedef void http_handler(struct http_request *request);

struct http_route {
	const char *method;  /* NULL in the last entry; "*": any */
	const char *pattern; /* "{name}" captures one segment; a trailing "{name...}" the rest; a trailing '/' is a
				prefix */
	http_handler *handler;
};

struct http_server_config {
	const char *address; /* NULL or "": all; IPv4 or IPv6 text */
	uint16_t port;	     /* 0: any free one */
	/* TLS: files are read again when they change; with neither files nor PEM texts it is plain HTTP.
	 */
	const char *cert_file;
	const char *key_file;
	const char *cert_pem; /* instead of files; copied */
	const char *key_pem;
	bool ask_client_cert;
	const struct http_route *routes;
	void *data;
	/*
	 * Runs before the handler, on the worker: fills in *ret_user (its strings in the request's arena), or refuses
	 * with a status that is sent. NULL: everybody may.
	 */
	struct status *(*authorize)(struct http_request *request, struct http_user *ret_user);
	size_t max_body_bytes; /* 0: 1 MiB */
	unsigned max_workers;  /* 0: 4 */
	unsigned max_queued;   /* 0: 256 */
};

/* Binds and starts. Error: "listen on …: address already in use" and the like. */
struct status *http_server_new(const struct http_server_config *config, struct http_server **ret) MUST_USE;
/* Stops accepting, waits for running handlers (upgraded streams are their handlers' own). */
void http_server_free(struct http_server *server);
DEFINE_CLEANUP(struct http_server *, http_server_free)
uint16_t http_server_port(const struct http_server *server);

/* What the pattern captured, or NULL. */
const char *http_capture(const struct http_request *request, const char *name);
/* A query parameter, or NULL. */
const char *http_query(const struct http_request *request, const char *key);
bool http_query_bool(const struct http_request *request, const char *key);
const char *http_request_header(const struct http_request *request, const char *name);

/* A whole answer. content_type NULL: text/plain; charset=utf-8. */
void http_respond(struct http_request *request, int code, const char *content_type, const void *body, size_t size);
void http_respond_with(struct http_request *request, int code, const struct http_header *headers, size_t n_headers,
	const void *body, size_t size);
void http_respondf(struct http_request *request, int code, const char *format, ...) PRINTF(3, 4);
/* A metav1.Status as JSON. Frees the status. */
void http_respond_status(struct http_request *request, struct status *status);

/* A streamed answer: begin, write as often as wanted; the handler's return ends it. */
void http_begin(struct http_request *request, int code, const char *content_type);
/* False: the client has gone. Blocks while the client is slow. */
bool http_write(struct http_request *request, const void *data, size_t size);
/* Whether the client has gone: for streams that are quiet. */
bool http_client_gone(struct http_request *request);

/*
 * Answers 101 with these headers (Connection: Upgrade and Upgrade: protocol are added) and hands out the stream, to be
 * freed before the handler returns: the connection ends then.
 */
struct status *http_upgrade_request(struct http_request *request, const char *protocol,
	const struct http_header *headers, size_t n_headers, struct stream **ret_stream) MUST_USE;

#endif
