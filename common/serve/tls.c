#include "serve/tls.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/follow.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_CHAIN = 10, MAX_PEM_BYTES = 1 << 20, CHECK_MS = 1000 };

/* One loaded pair. Old ones stay until the server ends: a handshake may still use them, and they change once in months.
 */
struct pair {
	gnutls_pcert_st certs[MAX_CHAIN];
	unsigned n_certs;
	gnutls_privkey_t key;
	struct pair *older;
};

struct http_tls {
	char *cert_file, *key_file;
	bool ask_client_cert;
	pthread_mutex_t lock; /* guards what follows */
	struct follow follow;
	struct pair *pair;
};

static void pair_free(struct pair *p)
{
	for (unsigned i = 0; i < p->n_certs; i++)
		gnutls_pcert_deinit(&p->certs[i]);
	gnutls_privkey_deinit(p->key);
	free(p);
}

static struct status *pair_new(const char *cert, size_t cert_size, const char *key, size_t key_size, struct pair **ret)
{
	struct pair *p = mem_zalloc(sizeof(*p));
	gnutls_datum_t cert_datum = {(unsigned char *)cert, (unsigned)cert_size};
	gnutls_datum_t key_datum = {(unsigned char *)key, (unsigned)key_size};
	unsigned n = MAX_CHAIN;
	gnutls_privkey_init(&p->key);
	int r = gnutls_pcert_list_import_x509_raw(p->certs, &n, &cert_datum, GNUTLS_X509_FMT_PEM, 0);
	if (r >= 0) {
		p->n_certs = n;
		r = gnutls_privkey_import_x509_raw(p->key, &key_datum, GNUTLS_X509_FMT_PEM, NULL, 0);
	}
	if (r < 0) {
		pair_free(p);
		return status_bad_request("serving certificate: %s", gnutls_strerror(r));
	}
	*ret = p;
	return NULL;
}

static struct status *load(struct http_tls *tls, struct pair **ret)
{
	CLEANUP_FREE char *cert = NULL;
	char *key;
	size_t cert_size, key_size;
	TRY(io_read_file(tls->cert_file, MAX_PEM_BYTES, &cert, &cert_size));
	TRY(io_read_file(tls->key_file, MAX_PEM_BYTES, &key, &key_size));
	struct status *error = pair_new(cert, cert_size, key, key_size, ret);
	mem_cleanse_free(key, key_size);
	return status_wrap(error, "%s", tls->cert_file);
}

/* The lock is held. */
static void refresh(struct http_tls *tls)
{
	if (!tls->cert_file || !follow_changed(&tls->follow))
		return;
	struct pair *pair;
	struct status *error = load(tls, &pair);
	if (error) {
		log_status(error, "serving certificate changed but cannot be loaded yet");
		return;
	}
	pair->older = tls->pair;
	tls->pair = pair;
	follow_accept(&tls->follow);
}

struct status *http_tls_new(const struct http_tls_options *options, struct http_tls **ret)
{
	struct http_tls *tls = mem_zalloc(sizeof(*tls));
	struct status *error;
	pthread_mutex_init(&tls->lock, NULL);
	tls->ask_client_cert = options->ask_client_cert;
	if (options->cert_pem) {
		error = pair_new(options->cert_pem, strlen(options->cert_pem), options->key_pem,
			strlen(options->key_pem), &tls->pair);
	} else {
		tls->cert_file = mem_strdup(options->cert_file);
		tls->key_file = mem_strdup(str_empty(options->key_file) ? options->cert_file : options->key_file);
		follow_init(&tls->follow, clock_system(), CHECK_MS,
			(const char *[FOLLOW_MAX]){tls->cert_file, tls->key_file});
		error = load(tls, &tls->pair);
	}
	if (error) {
		http_tls_free(tls);
		return error;
	}
	*ret = tls;
	return NULL;
}

void http_tls_free(struct http_tls *tls)
{
	if (!tls)
		return;
	while (tls->pair) {
		struct pair *p = tls->pair;
		tls->pair = p->older;
		pair_free(p);
	}
	pthread_mutex_destroy(&tls->lock);
	free(tls->cert_file);
	free(tls->key_file);
	free(tls);
}

void http_tls_attach(struct http_tls *tls, gnutls_session_t session)
{
	gnutls_session_set_ptr(session, tls);
	if (tls->ask_client_cert)
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
}

int http_tls_retrieve(gnutls_session_t session, const gnutls_datum_t *ca_names, int n_ca_names,
	const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **ret_certs, unsigned *ret_n,
	gnutls_privkey_t *ret_key)
{
	struct http_tls *tls = gnutls_session_get_ptr(session);
	(void)ca_names, (void)n_ca_names, (void)algorithms, (void)n_algorithms;
	if (!tls)
		return -1;
	pthread_mutex_lock(&tls->lock);
	refresh(tls);
	*ret_certs = tls->pair->certs;
	*ret_n = tls->pair->n_certs;
	*ret_key = tls->pair->key;
	pthread_mutex_unlock(&tls->lock);
	return 0;
}
