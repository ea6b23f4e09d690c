/*
 * The HTTPS listener: libmicrohttpd with a few epoll threads. A request is read whole, then handled on a worker as
 * straight-line code while its connection is suspended; what can be answered from memory may be handled at once.
 *
 *	struct server *server;
 *	TRY(server_new(&options, &server));
 *
 * A handler fills in the exchange's reply and returns; then the connection is resumed and the reply goes out.
 * Ownership: the exchange and its arena belong to the server and end with the reply's last byte.
 * Threads: an exchange is with one thread at a time.
 */
#ifndef APISERVER_HTTP_SERVER_H
#define APISERVER_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "apiserver/store/entry.h"
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "net/stream.h"
#include "net/url.h"
#include "serve/outlet.h"

struct server;
struct exchange;

/* For how long an exchange may be expected to be there: until it is answered; until the server ends it; until others
 * end it. */
enum exchange_length { EXCHANGE_BRIEF, EXCHANGE_WATCH, EXCHANGE_ENDLESS, EXCHANGE_LENGTHS };

struct server_options {
	const char *address; /* "0.0.0.0" or "::": all */
	uint16_t port;
	const char *cert_file; /* followed, with its key; NULL: plain HTTP, for tests */
	const char *key_file;
	const char *priorities;	   /* of versions and ciphers (http/priorities.h); outlives the start */
	const char *client_ca_pem; /* client certificates are asked for, naming these; "" or NULL: none */
	/* Whether clients are to be asked without naming any, as others are accepted by now. May be NULL. */
	bool (*authorities_changed)(void *data);
	size_t max_body_bytes;
	int64_t body_ms; /* for a whole body to arrive */
	unsigned n_threads;
	unsigned max_workers;
	unsigned max_queued;
	/* On a worker. */
	void (*handle)(struct exchange *exchange, void *data);
	/* On the listener's thread, first: true if the exchange has been answered without blocking, or put off by
	 * exchange_put_off(). May be NULL. */
	bool (*handle_at_once)(struct exchange *exchange, void *data);
	/* After the last byte, or when the client is gone. */
	void (*done)(struct exchange *exchange, void *data);
	void *data;
};

/* Error: "listen on …" naming address and reason; a certificate that cannot be used. */
struct status *server_new(const struct server_options *options, struct server **ret_server) MUST_USE;
/*
 * The end, in steps, of which some may be left out. First who comes from now on is late (struct exchange); what was
 * begun before is answered.
 */
void server_end(struct server *server);
/* Nobody new is let in, and each answer is the last on its connection. */
void server_close(struct server *server);
size_t server_open(const struct server *server, enum exchange_length length);
/* Waits until none of that length is open; false: the time came first. */
bool server_wait(struct server *server, enum exchange_length length, int64_t deadline_ms);
/* Ends so many watches in order, each after what it has to tell. */
void server_end_watches(struct server *server, size_t n);
/* The process is about to end, and what is left ends with it. */
void server_abandon(struct server *server);
uint16_t server_port(const struct server *server);
/* How many connections ended in their TLS handshake. */
uint64_t server_failed_handshakes(const struct server *server);
/* In handle_at_once: the exchange waits, without a thread, until somebody (any thread, once) lets it go on; then handle
 * is called for it on the listener's thread, where it must not block. */
void exchange_put_off(struct exchange *exchange);
void exchange_go_on(struct exchange *exchange);

/* --- what was asked --- */
struct exchange {
	struct arena *arena;
	const char *method;
	const char *raw_path;
	const char *path; /* unescaped */
	const char *raw_query;
	struct query_param *query;
	size_t n_query;
	const char *body;
	size_t body_size;
	const char *client_address;
	int64_t started_ms;
	bool late;  /* it came after server_end() */
	void *user; /* of the handler's */
	void *data; /* of the server's options */
};

/* An exchange is brief unless its handler, before it replies, says otherwise; once. */
void exchange_lasts(struct exchange *exchange, enum exchange_length length);

/* First value of a header (any case), or NULL. */
const char *exchange_header(struct exchange *exchange, const char *name);
const char *exchange_header_nth(struct exchange *exchange, const char *name, size_t nth);
void exchange_each_header(
	struct exchange *exchange, void (*each)(void *data, const char *name, const char *value), void *data);
/* A query parameter, or NULL. */
const char *exchange_query(const struct exchange *exchange, const char *key);
/* The client's certificates as DER; the nth, false past the last. */
bool exchange_certificate(struct exchange *exchange, size_t nth, const uint8_t **ret_der, size_t *ret_size);

/* --- the reply: one of these, once --- */
void reply_header(struct exchange *exchange, const char *name, const char *value);
/* data is copied. */
void reply_bytes(struct exchange *exchange, int code, const char *content_type, const void *data, size_t size);
/* Takes over the buffer's contents. */
void reply_strbuf(struct exchange *exchange, int code, const char *content_type, struct strbuf *body);

/* A body gathered from pieces: added bytes are copied (small) or borrowed from entries that are kept alive. */
struct gather;
struct gather *gather_new(void);
void gather_free(struct gather *g);
void gather_copy(struct gather *g, const void *data, size_t size);
/* Bytes that belong to the entry; takes a reference when hold is given. */
void gather_borrow(struct gather *g, const void *data, size_t size, struct entry *hold);
/* Keeps entries until all is sent: takes the array and its references. Once. */
void gather_hold(struct gather *g, struct entry **entries, size_t n);
/* Entries that are held, in a form, one after the other as a list has them: nothing is kept for each. */
void gather_entries(struct gather *g, struct entry *const *entries, size_t n, enum entry_form form);
/* The same as rows of a Table, with ages as they are at a time in seconds since 1970. */
void gather_rows(struct gather *g, struct entry *const *entries, size_t n, int64_t now);
/* Takes the gather. */
void reply_gather(struct exchange *exchange, int code, const char *content_type, struct gather *g);

/* Deflates a large reply for a client that takes it; on a worker, after the reply was made. */
void reply_compress(struct exchange *exchange);

/*
 * A streamed reply. next is called on a sender's thread and never blocks: it adds pieces, REPLY_PIECES at most, which
 * stay as they are until it is called again, and returns 1; 0 when there is nothing yet (the stream is then asleep
 * until reply_wake()); -1 at the end. done comes last, once; soon, when the client has gone.
 */
#define REPLY_PIECES (OUTLET_PIECES - 2)
struct reply_stream {
	int (*next)(void *data, struct outlet_pieces *pieces);
	void (*done)(void *data);
	void *data;
};
void reply_stream(struct exchange *exchange, int code, const char *content_type, const struct reply_stream *stream);
/* From any thread, as often as wanted, until done has been called. */
void reply_wake(struct exchange *exchange);

/* 101: serve runs on a thread of its own, with the stream, which it frees. */
void reply_upgrade(
	struct exchange *exchange, const char *protocol, void (*serve)(void *data, struct stream *stream), void *data);
/* Instead of a stream's: called once, when the exchange is over, however it ended. */
void exchange_at_end(struct exchange *exchange, void (*done)(void *data), void *data);

bool exchange_replied(const struct exchange *exchange);
int exchange_code(const struct exchange *exchange);
size_t exchange_reply_size(const struct exchange *exchange);

#endif
