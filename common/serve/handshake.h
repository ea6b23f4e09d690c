/*
 * TLS handshakes that wait without a processor. Under epoll libmicrohttpd 0.9.75 asks for the rest of a handshake over
 *and over until it has come: a client that stops in the middle would cost a whole thread. Here a connection whose
 *handshake needs its peer is suspended, and its socket watched by a thread of our own.
 *
 *	struct handshakes *h = handshakes_new();
 *	MHD_start_daemon(… MHD_OPTION_NOTIFY_CONNECTION, handshakes_notify, h, …);
 *	handshakes_stop(h);                      // nobody is suspended from here on
 *	MHD_stop_daemon(daemon);
 *	handshakes_free(h);
 *
 * Threads: handshakes_notify on the listener's, the rest on one.
 */
#ifndef SERVE_HANDSHAKE_H
#define SERVE_HANDSHAKE_H

#include <stdint.h>
#include <microhttpd.h>

struct handshakes;

struct handshakes *handshakes_new(void);
/* Of the daemon's connections; the socket's context is ours. */
void handshakes_notify(
	void *handshakes, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code);
/* Of how many connections the handshake did not come to its end. */
uint64_t handshakes_failed(const struct handshakes *h);
void handshakes_stop(struct handshakes *h);
void handshakes_free(struct handshakes *h);

#endif
