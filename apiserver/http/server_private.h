#ifndef APISERVER_HTTP_SERVER_PRIVATE_H
#define APISERVER_HTTP_SERVER_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include "apiserver/http/drain.h"
#include "apiserver/http/sender.h"
#include "apiserver/http/server.h"
#include "base/workers.h"
#include "serve/handshake.h"

#define EXCHANGE_MAGIC 0x45584348u

/* Bytes, or entries one after the other, in a form of theirs: as it is, deflated, or as rows of a Table. */
enum part_kind { PART_BYTES, PART_ITEMS, PART_DEFLATED_ITEMS, PART_ROWS };

struct part {
	enum part_kind kind;
	enum entry_form form; /* of items */
	const char *data;     /* of bytes, as is the size */
	size_t size;
	struct entry *const *entries;
	size_t n;
	int64_t now; /* rows tell ages */
};

struct gather {
	struct arena *arena;
	struct part *parts;
	size_t n_parts, cap_parts;
	struct entry **held;
	size_t n_held, cap_held;
	char *pen;
	size_t room;
	size_t size;
	/* where reading is */
	size_t part, item;
	struct strbuf heads[REPLY_PIECES / 2]; /* of the items last read */
	struct outlet_pieces reading;
};

/* An entry of a part: what stands before it replaces what is in head, and its own bytes are kept by the entry. */
struct iovec gather_item(const struct part *part, size_t item, struct strbuf *head);
/* Of a length of up to 65535 bytes, as a block of deflate that holds them as they are. */
void gather_add_stored(struct strbuf *out, const char *data, size_t size);
/* A part of the entries of another. */
void gather_add(struct gather *g, const struct part *part, size_t size);
size_t gather_read(struct gather *g, char *buf, size_t max);
/* The next pieces of a large one; false at its end. */
bool gather_next(struct gather *g, struct outlet_pieces *pieces);

struct server {
	struct server_options options;
	struct MHD_Daemon *daemon;
	struct workers *workers;
	struct sender *sender;
	struct handshakes *handshakes;
	struct http_tls *tls; /* NULL: plain HTTP */
	struct drain drain;
	uint16_t port;
};

enum reply_kind { REPLY_NONE, REPLY_GATHER, REPLY_STREAM, REPLY_UPGRADE };

struct reply_head {
	char *name;
	char *value;
};

/* How a reply that the sender had has ended. */
enum outcome { OUTCOME_NONE, OUTCOME_ENDED, OUTCOME_BROKEN };

struct exchange_private {
	struct exchange pub; /* first */
	uint32_t magic;
	struct server *server;
	struct MHD_Connection *connection;
	struct strbuf received;
	bool too_large;
	bool bad_path;	    /* an escape in it is malformed */
	size_t passed_over; /* of a body that is too large */
	bool begun;	    /* the headers have been looked at; counted in the drain */
	enum exchange_length length;
	bool dispatched; /* handed to a worker */
	bool later;	 /* put off: handled on the listener's thread when it goes on */
	/* certificates */
	const void *chain;
	unsigned n_chain;
	/* the reply */
	enum reply_kind kind;
	int code;
	const char *content_type;
	struct reply_head *headers;
	size_t n_headers;
	struct gather *gather;
	struct reply_stream stream;
	const char *protocol;
	void (*serve)(void *data, struct stream *stream);
	void *serve_data;
	bool taken;  /* the upgraded session has been run */
	bool corked; /* the TLS session keeps the answer until it is whole */
	size_t sent;
	/* while the sender has it */
	bool chunked;
	pthread_mutex_t lock; /* of these */
	struct outgoing *outgoing;
	enum outcome outcome;
};

static inline struct exchange_private *private_of(struct exchange *exchange)
{
	return (struct exchange_private *)exchange;
}

enum MHD_Result exchange_send(struct exchange_private *x);
/* When the library has written the answer. */
void exchange_uncork(struct exchange_private *x);
int exchange_fd(const struct exchange_private *x);
/* NULL: plain. */
gnutls_session_t exchange_session(const struct exchange_private *x);
/* The next pieces of a long reply: 1, 0 when there are none yet, -1 at the end. */
int exchange_next(struct exchange_private *x, struct outlet_pieces *pieces);

#endif
