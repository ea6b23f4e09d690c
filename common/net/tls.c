#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_PEM_BYTES = 4 << 20 };

struct tls_context {
	SSL_CTX *ctx;
	char *server_name;
	char *cert_file; /* of a pair that is read again; NULL: none is */
	char *key_file;
	bool insecure;
	unsigned char *alpn;
	unsigned alpn_size;
	atomic_uint refs;
};

/* The last error of OpenSSL as a status; its queue is emptied. */
static struct status *openssl_error(const char *what)
{
	char text[256] = "unknown error";
	unsigned long code = ERR_peek_last_error();
	if (code)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return status_bad_request("%s: %s", what, text);
}

/* A PEM text from data or file as a memory BIO; *ret is NULL if neither is given. *ret_data is the file's text, to be
 * cleansed. */
struct pem {
	BIO *bio;
	char *text;
	size_t size;
};

static void pem_done(struct pem *pem)
{
	BIO_free(pem->bio);
	mem_cleanse_free(pem->text, pem->size);
}

static struct status *pem_open(const char *file, const void *data, size_t size, struct pem *ret)
{
	*ret = (struct pem){0};
	if (size) {
		ret->bio = BIO_new_mem_buf(data, (int)size);
	} else if (!str_empty(file)) {
		TRY(io_read_file(file, MAX_PEM_BYTES, &ret->text, &ret->size));
		ret->bio = BIO_new_mem_buf(ret->text, (int)ret->size);
	}
	return NULL;
}

static struct status *load_ca(SSL_CTX *ctx, const struct tls_config *c, enum tls_side side)
{
	CLEANUP(pem_done) struct pem pem;
	TRY(pem_open(c->ca_file, c->ca_data, c->ca_size, &pem));
	if (!pem.bio) {
		if (side == TLS_CLIENT && !c->insecure)
			SSL_CTX_set_default_verify_paths(ctx);
		return NULL;
	}
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	int n = 0;
	for (X509 *cert; (cert = PEM_read_bio_X509(pem.bio, NULL, NULL, NULL)); n++) {
		X509_STORE_add_cert(store, cert);
		if (side == TLS_SERVER)
			SSL_CTX_add_client_CA(ctx, cert);
		X509_free(cert);
	}
	ERR_clear_error();
	if (!n)
		return status_bad_request("unable to load root certificates: no certificate in %s",
			c->ca_size ? "certificate-authority-data" : c->ca_file);
	return NULL;
}

/* A certificate with those that follow it in its file, and its key. */
struct pair {
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
};

static void pair_done(struct pair *pair)
{
	X509_free(pair->leaf);
	sk_X509_pop_free(pair->chain, X509_free);
	EVP_PKEY_free(pair->key);
}

static struct status *read_chain(BIO *bio, const char *what, struct pair *pair)
{
	pair->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (!pair->leaf)
		return openssl_error(what);
	pair->chain = sk_X509_new_null();
	for (X509 *cert; (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL));)
		sk_X509_push(pair->chain, cert);
	ERR_clear_error();
	return NULL;
}

/* Nothing without a certificate; *ret_key_name is what errors of the key name. */
static struct status *read_pair(const struct tls_config *c, struct pair *pair, const char **ret_key_name)
{
	CLEANUP(pem_done) struct pem cert = {0};
	CLEANUP(pem_done) struct pem key = {0};
	TRY(pem_open(c->cert_file, c->cert_data, c->cert_size, &cert));
	if (!cert.bio)
		return NULL;
	const char *cert_name = c->cert_size ? "client-certificate-data" : c->cert_file;
	TRY(read_chain(cert.bio, cert_name, pair));
	/* A file of a rotating certificate holds both. */
	bool has_key = c->key_size || !str_empty(c->key_file);
	TRY(pem_open(has_key ? c->key_file : c->cert_file, has_key ? c->key_data : c->cert_data,
		has_key ? c->key_size : c->cert_size, &key));
	*ret_key_name = !has_key ? cert_name : c->key_size ? "client-key-data" : c->key_file;
	pair->key = PEM_read_bio_PrivateKey(key.bio, NULL, NULL, NULL);
	return pair->key ? NULL : openssl_error(*ret_key_name);
}

static struct status *load_pair(SSL_CTX *ctx, const struct tls_config *c)
{
	CLEANUP(pair_done) struct pair pair = {0};
	const char *key_name = "";
	TRY(read_pair(c, &pair, &key_name));
	if (!pair.leaf || SSL_CTX_use_cert_and_key(ctx, pair.leaf, pair.key, pair.chain, 1) == 1)
		return NULL;
	return openssl_error(key_name);
}

/* A client is asked for its certificate: the one that its files hold now. */
static int show_fresh_pair(SSL *ssl, void *arg)
{
	const struct tls_context *tls = arg;
	const struct tls_config config = {.cert_file = tls->cert_file, .key_file = tls->key_file};
	CLEANUP(pair_done) struct pair pair = {0};
	const char *key_name = "";
	struct status *error = read_pair(&config, &pair, &key_name);
	if (error) {
		log_status(error, "client certificate changed but cannot be loaded yet");
		return 0;
	}
	return SSL_use_cert_and_key(ssl, pair.leaf, pair.key, pair.chain, 1);
}

static void set_alpn(struct tls_context *tls, const char *list)
{
	size_t len = strlen(list);
	tls->alpn = mem_alloc(len + 1);
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		if (n && n < 256) {
			tls->alpn[tls->alpn_size++] = (unsigned char)n;
			memcpy(tls->alpn + tls->alpn_size, p, n);
			tls->alpn_size += (unsigned)n;
		}
		p += n + (p[n] == ',');
	}
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *in,
	unsigned in_size, void *arg)
{
	const struct tls_context *tls = arg;
	unsigned char *chosen;
	if (SSL_select_next_proto(&chosen, out_size, tls->alpn, tls->alpn_size, in, in_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static void configure(struct tls_context *tls, const struct tls_config *c, enum tls_side side)
{
	SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(tls->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (side == TLS_CLIENT)
		SSL_CTX_set_verify(tls->ctx, c->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	else if (c->want_client_cert)
		SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	if (c->rereads_pair && !str_empty(c->cert_file)) {
		tls->cert_file = mem_strdup(c->cert_file);
		tls->key_file = mem_strdup(c->key_file);
		SSL_CTX_set_cert_cb(tls->ctx, show_fresh_pair, tls);
	}
	if (!c->alpn)
		return;
	set_alpn(tls, c->alpn);
	if (side == TLS_CLIENT)
		SSL_CTX_set_alpn_protos(tls->ctx, tls->alpn, tls->alpn_size);
	else
		SSL_CTX_set_alpn_select_cb(tls->ctx, choose_alpn, tls);
}

struct status *tls_context_new(const struct tls_config *config, enum tls_side side, struct tls_context **ret)
{
	CLEANUP(tls_context_unrefp) struct tls_context *tls = mem_zalloc(sizeof(*tls));
	atomic_init(&tls->refs, 1);
	tls->ctx = SSL_CTX_new(side == TLS_CLIENT ? TLS_client_method() : TLS_server_method());
	if (!tls->ctx)
		return openssl_error("TLS context");
	tls->server_name = mem_strdup(config->server_name);
	tls->insecure = config->insecure;
	configure(tls, config, side);
	TRY(load_ca(tls->ctx, config, side));
	TRY(load_pair(tls->ctx, config));
	*ret = STEAL(tls);
	return NULL;
}

struct tls_context *tls_context_ref(struct tls_context *tls)
{
	if (tls)
		atomic_fetch_add(&tls->refs, 1);
	return tls;
}

void tls_context_unref(struct tls_context *tls)
{
	if (!tls || atomic_fetch_sub(&tls->refs, 1) != 1)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls->server_name);
	free(tls->cert_file);
	free(tls->key_file);
	free(tls->alpn);
	free(tls);
}

void *tls_context_ssl(struct tls_context *tls)
{
	return tls->ctx;
}

const char *tls_context_server_name(const struct tls_context *tls)
{
	return tls->server_name;
}

bool tls_context_insecure(const struct tls_context *tls)
{
	return tls->insecure;
}

const char *tls_verify_reason(long code)
{
	switch (code) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return "certificate signed by unknown authority";
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "certificate has expired or is not yet valid";
	default:
		return X509_verify_cert_error_string(code);
	}
}

const char *tls_alert_reason(void)
{
	static const char *const reasons[] = {
		[SSL_AD_UNEXPECTED_MESSAGE] = "unexpected message",
		[SSL_AD_BAD_RECORD_MAC] = "bad record MAC",
		[SSL_AD_RECORD_OVERFLOW] = "record overflow",
		[SSL_AD_HANDSHAKE_FAILURE] = "handshake failure",
		[SSL_AD_BAD_CERTIFICATE] = "bad certificate",
		[SSL_AD_UNSUPPORTED_CERTIFICATE] = "unsupported certificate",
		[SSL_AD_CERTIFICATE_REVOKED] = "revoked certificate",
		[SSL_AD_CERTIFICATE_EXPIRED] = "expired certificate",
		[SSL_AD_CERTIFICATE_UNKNOWN] = "unknown certificate",
		[SSL_AD_ILLEGAL_PARAMETER] = "illegal parameter",
		[SSL_AD_UNKNOWN_CA] = "unknown certificate authority",
		[SSL_AD_ACCESS_DENIED] = "access denied",
		[SSL_AD_DECODE_ERROR] = "error decoding message",
		[SSL_AD_DECRYPT_ERROR] = "error decrypting message",
		[SSL_AD_PROTOCOL_VERSION] = "protocol version not supported",
		[SSL_AD_INSUFFICIENT_SECURITY] = "insufficient security level",
		[SSL_AD_INTERNAL_ERROR] = "internal error",
		[SSL_AD_USER_CANCELLED] = "user canceled",
		[SSL_AD_MISSING_EXTENSION] = "missing extension",
		[SSL_AD_UNSUPPORTED_EXTENSION] = "unsupported extension",
		[SSL_AD_UNRECOGNIZED_NAME] = "unrecognized name",
		[SSL_AD_CERTIFICATE_REQUIRED] = "certificate required",
		[SSL_AD_NO_APPLICATION_PROTOCOL] = "no application protocol",
	};
	unsigned long code = ERR_peek_last_error();
	int alert = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET;
	if (!code || ERR_GET_LIB(code) != ERR_LIB_SSL || alert < 0 || alert >= (int)ARRAY_SIZE(reasons))
		return NULL;
	return reasons[alert];
}
