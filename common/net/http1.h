/*
 * The little of HTTP/1.1 that an upgraded connection needs: a request head out, a response head in, and the reverse.
 * Ordinary requests go through client/client.h (libcurl) and serve/http.h (libmicrohttpd).
 */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/status.h"
#include "net/stream.h"

#define HTTP1_MAX_HEAD_BYTES 65536

struct http_header {
	char *name;
	char *value;
};

struct http_head {
	char *method; /* of a request; NULL in a response */
	char *target; /* of a request */
	int code;     /* of a response */
	char *reason;
	struct http_header *headers;
	size_t n_headers;
};

/* Parses one head, up to and with its empty line; *ret_used counts its bytes, 0 if it is not complete yet. */
struct status *http_head_parse(
	struct arena *arena, const char *data, size_t size, struct http_head *ret, size_t *ret_used) MUST_USE;
/* The first header of that name, any case; NULL if absent. */
const char *http_header_get(const struct http_header *headers, size_t n, const char *name);
/* Whether a comma separated header (all lines of it) has a token, any case: "Connection: keep-alive, Upgrade". */
bool http_header_has_token(const struct http_header *headers, size_t n, const char *name, const char *token);

/*
 * Sends a request that asks for an upgrade and reads the answer's head. On 101 the stream is positioned at the first
 * byte of the new protocol. On any other code the body is read (bounded to 1 MiB) into *ret_body. headers: as given,
 * plus Host and nothing else; the caller adds Connection, Upgrade and what the protocol needs.
 */
struct status *http_upgrade(struct stream *s, struct arena *arena, const char *method, const char *target,
	const char *host, const struct http_header *headers, size_t n_headers, int timeout_ms,
	struct http_head *ret_head, char **ret_body, size_t *ret_body_size) MUST_USE;

#endif
