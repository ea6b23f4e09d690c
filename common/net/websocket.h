/*
 * WebSocket (RFC 6455), both sides, without I/O of its own: bytes in by websocket_feed(), bytes out by a callback,
 *messages by callback. The opening handshake is a pair of helpers over HTTP heads.
 *
 *	struct websocket *ws = websocket_new(WEBSOCKET_SERVER, &events, session);
 *	on bytes:    status = websocket_feed(ws, bytes, size);     // an error: send what was queued, then close
 *	to send:     websocket_send(ws, WEBSOCKET_BINARY, data, size);
 *
 * Client: http_upgrade() with websocket_client_headers(), then conn_new() and websocket_new(WEBSOCKET_CLIENT, …).
 *
 * The channel protocols of Kubernetes (v5.channel.k8s.io, v4.channel.k8s.io, base64 forms, portforward) are one byte
 * of channel in front of each message: websocket_send_channel(). In v5 a message {255, channel} says that the channel
 *ended.
 *
 * Ownership: the websocket owns nothing outside itself. Threads: one at a time. Free it outside its own callbacks
 * or from `closed`.
 */
#ifndef NET_WEBSOCKET_H
#define NET_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "net/http1.h"

struct websocket;

enum websocket_side { WEBSOCKET_CLIENT, WEBSOCKET_SERVER };
enum websocket_opcode {
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10
};

#define WEBSOCKET_MAX_MESSAGE_BYTES (32u << 20)

/* Protocols of Kubernetes. */
#define CHANNEL_V4 "v4.channel.k8s.io"
#define CHANNEL_V5 "v5.channel.k8s.io"
#define CHANNEL_V4_BASE64 "v4.base64.channel.k8s.io"
#define CHANNEL_PORTFORWARD_V2 "v2.portforward.k8s.io"
#define CHANNEL_PORTFORWARD_TUNNEL "SPDY/3.1+portforward.k8s.io"

enum channel { CHANNEL_STDIN, CHANNEL_STDOUT, CHANNEL_STDERR, CHANNEL_ERROR, CHANNEL_RESIZE, CHANNEL_CLOSE = 255 };

struct websocket_events {
	/* Bytes for the peer. */
	void (*output)(void *data, const void *bytes, size_t size);
	/* One whole message (fragments joined). */
	void (*message)(void *data, enum websocket_opcode opcode, const void *bytes, size_t size);
	/* A pong came in. May be NULL. */
	void (*pong)(void *data, const void *bytes, size_t size);
	/* The peer's close frame came in (code 1005 if it named none). The answer has been queued. */
	void (*closed)(void *data, unsigned code, const char *reason);
};

struct websocket *websocket_new(enum websocket_side side, const struct websocket_events *events, void *data);
void websocket_free(struct websocket *ws);
DEFINE_CLEANUP(struct websocket *, websocket_free)
/* Takes bytes from the peer. Error: a violation of the protocol; a close frame with its code has been queued. */
struct status *websocket_feed(struct websocket *ws, const void *bytes, size_t size) MUST_USE;
/* One frame. Ignored once a close has been sent. */
void websocket_send(struct websocket *ws, enum websocket_opcode opcode, const void *data, size_t size);
/* One binary frame that begins with the channel's number. */
void websocket_send_channel(struct websocket *ws, uint8_t channel, const void *data, size_t size);
/* The close frame; 1000 is the normal end. */
void websocket_close(struct websocket *ws, unsigned code, const char *reason);
bool websocket_is_closed(const struct websocket *ws); /* both directions have closed */

/*
 * Client handshake: headers Connection, Upgrade, Sec-WebSocket-{Key,Version,Protocol}; protocols is NULL-terminated.
 * The key is kept to verify the answer.
 */
void websocket_client_headers(struct arena *arena, const char *const *protocols, struct http_header **headers,
	size_t *n_headers, char **ret_key);
/* Verifies the 101; *ret_protocol is the protocol chosen, "" if none. */
struct status *websocket_client_check(
	const struct http_head *head, const char *key, struct arena *arena, char **ret_protocol) MUST_USE;

/* Whether a request asks for a WebSocket. */
bool websocket_is_request(const struct http_header *headers, size_t n);
/*
 * Server handshake (the 101 also needs Connection: Upgrade and Upgrade: websocket): the first of the client's protocols
 * that is in ours (the client's order decides); "" if it offered none; STATUS_BAD_REQUEST if it offered some and none
 * fits. The headers of the 101 are appended to *headers.
 */
struct status *websocket_server_accept(struct arena *arena, const struct http_header *request, size_t n_request,
	const char *const *protocols, struct http_header **headers, size_t *n_headers, char **ret_protocol) MUST_USE;

#endif
