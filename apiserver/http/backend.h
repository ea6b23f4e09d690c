/*
 * Passing requests on: to kubelets for logs and streams, to whatever a proxy subresource names.
 */
#ifndef APISERVER_HTTP_BACKEND_H
#define APISERVER_HTTP_BACKEND_H

#include "apiserver/app.h"
#include "apiserver/http/server.h"
#include "apiserver/registry/request.h"
#include "net/http1.h"
#include "net/stream.h"

struct backend {
	const char *host;
	uint16_t port;
	struct tls_context *tls; /* NULL: plain */
	const char *target;	 /* path and query, escaped */
	const char *prefix; /* of a proxy: what stands before the path for the client; links in answers get it. NULL:
			       none */
	bool as_messages;   /* the answer's body comes as those of a WebSocket: logs for browsers */
	const char *about;  /* what a refusal is told about, in a Status ("pods/log NAME"). NULL: it passes as it is */
};

/* The kubelet of a node: address and port out of its status. */
struct status *backend_kubelet(
	struct app *app, struct request *request, const char *node, struct backend *ret_backend) MUST_USE;
struct status *backend_dial(const struct backend *backend, struct stream **ret_stream) MUST_USE;

/* Sends the request on and streams the answer back. method NULL: the request's own, with its body and headers. */
struct status *backend_forward(struct exchange *exchange, const struct backend *backend, const char *method) MUST_USE;
/* The client's upgrade is the backend's: bytes are tunnelled in both directions. */
struct status *backend_tunnel(struct exchange *exchange, const struct backend *backend) MUST_USE;
/* Channels of a client's WebSocket become streams of SPDY at the backend; also a WebSocket that carries SPDY itself. */
struct status *backend_translate(struct exchange *exchange, const struct backend *backend, bool port_forward) MUST_USE;

/* The client's headers, for those that look at them as a list. */
void backend_client_headers(struct exchange *exchange, struct http_header **ret_headers, size_t *ret_n);

#endif
