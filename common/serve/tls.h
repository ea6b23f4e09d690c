/*
 * The serving certificate, read again when its files change.
 *
 *	struct http_tls *tls;
 *	TRY(http_tls_new(&(struct http_tls_options){.cert_file = cert, .key_file = key}, &tls));
 *	MHD_start_daemon(… MHD_OPTION_HTTPS_CERT_CALLBACK, http_tls_retrieve, …);
 *	http_tls_attach(tls, session);           // of each connection, before its handshake
 *
 * Threads: any. It lives longer than the connections.
 */
#ifndef SERVE_TLS_H
#define SERVE_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include "base/status.h"

struct http_tls;

/* Files, or texts that never change. */
struct http_tls_options {
	const char *cert_file, *key_file; /* no key: it is in the certificate's file */
	const char *cert_pem, *key_pem;
	bool ask_client_cert;
};

struct status *http_tls_new(const struct http_tls_options *options, struct http_tls **ret) MUST_USE;
void http_tls_free(struct http_tls *tls);
void http_tls_attach(struct http_tls *tls, gnutls_session_t session);
int http_tls_retrieve(gnutls_session_t session, const gnutls_datum_t *ca_names, int n_ca_names,
	const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **ret_certs, unsigned *ret_n,
	gnutls_privkey_t *ret_key);

#endif
