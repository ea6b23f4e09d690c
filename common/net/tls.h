/*
 * TLS settings for both sides, as an OpenSSL context that any number of streams share.
 *
 *	struct tls_config config = {.ca_file = ca, .cert_file = cert, .key_file = key};
 *	struct tls_context *tls;
 *	TRY(tls_context_new(&config, TLS_CLIENT, &tls));
 *
 * Ownership: the context copies what it needs; reference counted (a stream holds one).
 * Threads: a context is immutable once made; any thread may use it.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

struct tls_context;

/* Each of the three may be given as PEM data (size > 0) or as a file; data wins. All may be absent. */
struct tls_config {
	const char *ca_file;
	const void *ca_data;
	size_t ca_size;
	const char *cert_file;
	const void *cert_data;
	size_t cert_size;
	const char *key_file;
	const void *key_data;
	size_t key_size;
	const char *server_name; /* client: name to verify and to send as SNI instead of the host */
	bool rereads_pair;	 /* client: certificate and key are read from their files for each connection */
	bool insecure;		 /* client: do not verify the server */
	bool want_client_cert;	 /* server: ask for a client certificate and verify it against the CA if one is sent */
	const char *alpn;	 /* comma separated protocols; NULL: none */
};

enum tls_side { TLS_CLIENT, TLS_SERVER };

/* Error: STATUS_BAD_REQUEST naming the file or the PEM that is unusable. A client without a CA trusts the system's. */
struct status *tls_context_new(const struct tls_config *config, enum tls_side side, struct tls_context **ret) MUST_USE;
struct tls_context *tls_context_ref(struct tls_context *tls);
void tls_context_unref(struct tls_context *tls);
DEFINE_CLEANUP(struct tls_context *, tls_context_unref)
/* The OpenSSL context (SSL_CTX *), borrowed. */
void *tls_context_ssl(struct tls_context *tls);
/* The name to verify instead of the host dialled; NULL: none. */
const char *tls_context_server_name(const struct tls_context *tls);
bool tls_context_insecure(const struct tls_context *tls);
/* Why a peer's certificate was not accepted (X509_V_ERR_…), in Go's words where users and scripts look for them. */
const char *tls_verify_reason(long code);
/* What the peer's alert was, in Go's words, if this thread's last call of OpenSSL failed by one; else NULL. */
const char *tls_alert_reason(void);

#endif
