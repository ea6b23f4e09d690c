/*
 * Sends what takes long, or goes on and on: streams, and answers that are large. When the head of such a reply is out,
 * its connection is suspended and a sender's thread has it, with socket and TLS session, until the reply's end
 * (decisions/0011); then the library closes the body and goes on with the connection.
 *
 *	struct sender *sender = sender_new(2);
 *	sender_take(sender, x);         // on the listener's thread, out of the reply's first read
 *	sender_wake(outgoing);          // there is something to send again
 *
 * Threads: a few of its own, each with its own connections; sender_wake from any.
 */
#ifndef APISERVER_HTTP_SENDER_H
#define APISERVER_HTTP_SENDER_H

struct exchange_private;
struct sender;
struct outgoing; /* a reply on its way */

struct sender *sender_new(unsigned n_threads);
/* Ends what is on its way, and the threads. */
void sender_free(struct sender *sender);
/* Ends so many of the watches that have not been told so yet, each after what it has to tell. */
void sender_end_watches(struct sender *sender, size_t n);
/* Suspends the exchange's connection. When it is resumed, the exchange's `outcome` says how the reply ended. */
void sender_take(struct sender *sender, struct exchange_private *x);
void sender_wake(struct outgoing *outgoing);

#endif
