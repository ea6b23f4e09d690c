/*
 * A streamed reply as the messages of a WebSocket, for clients that cannot read an answer while it comes: browsers.
 *
 *	w->messages = messages_wanted(exchange) ? messages_new() : NULL;
 *	…                       // from here on somebody may call messages_wake()
 *	TRY(messages_reply(exchange, w->messages, WEBSOCKET_TEXT, &stream));
 *
 * What one call of the stream's `next` gives is one message; what the client says is passed over. The session has a
 * thread of its own (serve/takeover.h).
 */
#ifndef APISERVER_HTTP_MESSAGES_H
#define APISERVER_HTTP_MESSAGES_H

#include "apiserver/http/server.h"
#include "net/websocket.h"

struct messages;

bool messages_wanted(struct exchange *exchange);
struct messages *messages_new(void);
/* Not before the exchange is over, and nobody wakes it any more: in the stream's `done`. */
void messages_free(struct messages *messages);
/* The answer is the 101, or 403 without an Origin; the stream's `done` comes last, once, but for an error: of the
 * handshake. */
struct status *messages_reply(struct exchange *exchange, struct messages *messages, enum websocket_opcode opcode,
	const struct reply_stream *stream) MUST_USE;
/* There may be more to send. From any thread. */
void messages_wake(struct messages *messages);

#endif
