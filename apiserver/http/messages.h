/*
 * A streamed reply as the messages of a WebSocket, for clients that cannot read an answer while it comes: browsers.
 *
 *	w->messages = messages_wanted(exchange) ? messages_new() : NULL;
 *	…                       // from here on somebody may call messages_wake()
 *	TRY(messages_reply(exchange, w->messages, MESSAGES_TEXT, &stream));
 *
 * What one call of the stream's `next` gives is one message; what the client says is passed over. The session has a
 * thread of its own (serve/takeover.h).
 */
#ifndef APISERVER_HTTP_MESSAGES_H
#define APISERVER_HTTP_MESSAGES_H

#include "apiserver/http/server.h"

struct messages;

bool messages_wanted(struct exchange *exchange);
struct messages *messages_new(void);
/* Not before the exchange is over, and nobody wakes it any more: in the stream's `done`. */
void messages_free(struct messages *messages);
/* Events are text or binary, whatever protocol the client names, and he has to say where he is from. A log is bytes, by
 * binary.k8s.io or in base64 by base64.binary.k8s.io; an empty message comes before it. */
enum messages_form { MESSAGES_TEXT, MESSAGES_BINARY, MESSAGES_LOG };
/* The answer is the 101, or 403 without an Origin; the stream's `done` comes last, once, but for an error: of the
 * handshake. */
struct status *messages_reply(struct exchange *exchange, struct messages *messages, enum messages_form form,
	const struct reply_stream *stream) MUST_USE;
/* There may be more to send. From any thread. */
void messages_wake(struct messages *messages);

#endif
