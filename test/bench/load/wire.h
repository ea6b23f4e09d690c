/*
 * HTTP/1.1 over TLS as a load generator wants it: one connection kept alive, a request as bytes made beforehand, the
 *answer counted rather than kept. (client/client.h does far more for each request than the server that is measured.)
 *
 *	struct target target;
 *	TRY(target_init(&target, arena, "admin.kubeconfig"));
 *	struct wire *wire;
 *	TRY(wire_dial(&target, &wire));
 *	TRY(wire_send(wire, &target, "GET", "/version", NULL, NULL, 0));
 *	TRY(wire_receive(wire, false, &answer));
 *
 * Threads: a target is shared; a wire belongs to one thread.
 */
#ifndef TEST_BENCH_LOAD_WIRE_H
#define TEST_BENCH_LOAD_WIRE_H

#include "base/status.h"
#include "net/stream.h"

struct target {
	const char *host;
	uint16_t port;
	struct tls_context *tls;
};
struct status *target_init(struct target *target, struct arena *arena, const char *kubeconfig) MUST_USE;

struct wire;
struct answer {
	int code;
	size_t size;	  /* of the body as it came: compressed, if it was */
	const char *body; /* if kept: NUL-terminated, valid until the next request */
};

struct status *wire_dial(const struct target *target, struct wire **ret_wire) MUST_USE;
void wire_free(struct wire *wire);
DEFINE_CLEANUP(struct wire *, wire_free)
struct stream *wire_stream(struct wire *wire);

/* headers: whole lines, each ended by \r\n, or NULL. size 0: no body. */
struct status *wire_send(struct wire *wire, const struct target *target, const char *method, const char *path,
	const char *headers, const void *body, size_t size) MUST_USE;
/* The answer's head and body. A code of 300 and above is no error here; wire_expect() makes it one. */
struct status *wire_receive(struct wire *wire, bool keep, struct answer *ret) MUST_USE;
/* Send and receive; an answer of 300 or above is an error that quotes the server. */
struct status *wire_ask(struct wire *wire, const struct target *target, const char *method, const char *path,
	const char *headers, const void *body, size_t size, bool keep, struct answer *ret) MUST_USE;
/* The head of an answer without end (a watch), which then comes through wire_poll(). */
struct status *wire_receive_head(struct wire *wire, int *ret_code) MUST_USE;
#define WIRE_BUFFER 65536
/* Whatever has arrived, without waiting: fn gets the bytes of the body, chunks taken apart. False: the peer ended.
 * buffer, of WIRE_BUFFER bytes, is the caller's and may serve thousands in turn, which keeps it in the processor's
 * caches. */
bool wire_poll(struct wire *wire, char *buffer, void (*fn)(void *data, const char *bytes, size_t size), void *data);

#endif
