#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/encode.h"
#include "base/mem.h"
#include "base/str.h"
#include "pki/internal.h"
#include "pki/names.h"

struct pki_pool {
	X509_STORE *store;
};

static struct pki_cert *wrap(X509 *x509)
{
	struct pki_cert *cert = mem_zalloc(sizeof(*cert));
	cert->x509 = x509;
	return cert;
}

void pki_cert_free(struct pki_cert *cert)
{
	if (!cert)
		return;
	X509_free(cert->x509);
	free(cert);
}

static void set_random_serial(X509 *x509)
{
	unsigned char serial[16];
	random_bytes(serial, sizeof(serial));
	serial[0] &= 0x7f;
	BIGNUM *bn = BN_bin2bn(serial, sizeof(serial), NULL);
	BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x509));
	BN_free(bn);
}

/* A certificate with everything but its signature. issuer NULL: itself. */
static struct status *build(X509 *x509, EVP_PKEY *pkey, const struct pki_subject *subject, X509 *issuer,
	int64_t not_before_s, int64_t not_after_s)
{
	X509_set_version(x509, X509_VERSION_3);
	set_random_serial(x509);
	ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)not_before_s);
	ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)not_after_s);
	X509_NAME *name = pki_name_new(subject);
	X509_set_subject_name(x509, name);
	X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer) : name);
	X509_NAME_free(name);
	X509_set_pubkey(x509, pkey);
	return pki_extensions_add(x509, issuer ? issuer : x509, subject);
}

static struct status *make(EVP_PKEY *pkey, const struct pki_subject *subject, X509 *issuer, EVP_PKEY *signer,
	int64_t not_before_s, int64_t not_after_s, struct pki_cert **ret_cert)
{
	struct pki_cert *cert = wrap(X509_new());
	struct status *s = build(cert->x509, pkey, subject, issuer, not_before_s, not_after_s);
	if (!s && !X509_sign(cert->x509, signer, EVP_sha256()))
		s = pki_openssl_error("sign certificate");
	if (s) {
		pki_cert_free(cert);
		return s;
	}
	*ret_cert = cert;
	return NULL;
}

struct status *pki_cert_self_signed_ca(const struct pki_key *key, const char *common_name, int64_t not_before_s,
	int64_t not_after_s, struct pki_cert **ret_cert)
{
	char *dns[] = {(char *)common_name};
	struct pki_subject subject = {
		.common_name = common_name,
		.dns_names = dns,
		.n_dns_names = 1,
		.is_ca = true,
		.usages = PKI_DIGITAL_SIGNATURE | PKI_KEY_ENCIPHERMENT | PKI_CERT_SIGN,
	};
	return make(key->pkey, &subject, NULL, key->pkey, not_before_s, not_after_s, ret_cert);
}

struct status *pki_cert_self_signed(const struct pki_key *key, const struct pki_subject *subject, int64_t not_before_s,
	int64_t not_after_s, struct pki_cert **ret_cert)
{
	return make(key->pkey, subject, NULL, key->pkey, not_before_s, not_after_s, ret_cert);
}

struct status *pki_cert_sign(const struct pki_cert *ca, const struct pki_key *ca_key, const struct pki_key *key,
	const struct pki_subject *subject, int64_t not_before_s, int64_t not_after_s, struct pki_cert **ret_cert)
{
	return make(key->pkey, subject, ca->x509, ca_key->pkey, not_before_s, not_after_s, ret_cert);
}

struct status *pki_csr_sign(const struct pki_cert *ca, const struct pki_key *ca_key, const struct pki_csr *csr,
	unsigned usages, int64_t not_before_s, int64_t not_after_s, struct pki_cert **ret_cert)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct pki_subject subject;
	pki_csr_subject(arena, csr, &subject);
	subject.usages = usages;
	subject.is_ca = false;
	EVP_PKEY *pkey = X509_REQ_get_pubkey(csr->req);
	if (!pkey)
		return pki_openssl_error("the request's key");
	struct status *s = make(pkey, &subject, ca->x509, ca_key->pkey, not_before_s, not_after_s, ret_cert);
	EVP_PKEY_free(pkey);
	return s;
}

struct status *pki_certs_parse(const char *pem, size_t size, struct pki_cert ***ret_certs, size_t *ret_n)
{
	struct pki_cert **certs = NULL;
	size_t n = 0, cap = 0;
	struct status *s = NULL;
	BIO *bio = BIO_new_mem_buf(pem, size > INT32_MAX ? INT32_MAX : (int)size);
	char *name;
	unsigned char *der;
	long der_size;
	while (!s && pki_pem_next(bio, &name, &der, &der_size)) {
		if (str_eq(name, "CERTIFICATE")) {
			mem_grow(&certs, &cap, n + 1, sizeof(struct pki_cert *));
			s = pki_cert_parse_der(der, (size_t)der_size, &certs[n]);
			n += !s;
		}
		OPENSSL_free(name);
		OPENSSL_free(der);
	}
	BIO_free(bio);
	if (!s && !n)
		s = status_bad_request("no PEM-encoded certificate found");
	if (s) {
		for (size_t i = 0; i < n; i++)
			pki_cert_free(certs[i]);
		free(certs);
		return s;
	}
	*ret_certs = certs;
	*ret_n = n;
	return NULL;
}

const char *pki_roots_problem(const char *pem, size_t size)
{
	BIO *bio = BIO_new_mem_buf(pem, size > INT_MAX ? INT_MAX : (int)size);
	bool any = false, good = false, bad = false;
	unsigned char *der;
	char *name;
	long der_size;
	while (!good && pki_pem_next(bio, &name, &der, &der_size)) {
		if (str_eq(name, "CERTIFICATE")) {
			CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
			CLEANUP_STATUS struct status *s = pki_cert_parse_der(der, (size_t)der_size, &cert);
			good = !s;
			bad |= s != NULL;
		}
		any = true;
		OPENSSL_free(name);
		OPENSSL_free(der);
	}
	BIO_free(bio);
	if (good)
		return NULL;
	return bad   ? "failed to parse certificate: x509: malformed certificate"
	       : any ? "no valid certificate authority data seen"
		     : "unable to parse bytes as PEM block";
}

struct status *pki_cert_parse(const char *pem, size_t size, struct pki_cert **ret_cert)
{
	struct pki_cert **certs;
	size_t n;
	TRY(pki_certs_parse(pem, size, &certs, &n));
	*ret_cert = certs[0];
	for (size_t i = 1; i < n; i++)
		pki_cert_free(certs[i]);
	free(certs);
	return NULL;
}

struct status *pki_cert_parse_der(const void *der, size_t size, struct pki_cert **ret_cert)
{
	const unsigned char *p = der;
	X509 *x509 = size <= INT32_MAX ? d2i_X509(NULL, &p, (long)size) : NULL;
	ERR_clear_error();
	if (!x509)
		return status_bad_request("malformed certificate");
	*ret_cert = wrap(x509);
	return NULL;
}

char *pki_cert_pem(struct arena *arena, const struct pki_cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, cert->x509);
	return pki_bio_text(arena, bio);
}

void pki_cert_subject(struct arena *arena, const struct pki_cert *cert, struct pki_subject *ret_subject)
{
	pki_subject_read(arena, X509_get_subject_name(cert->x509), X509_get0_extensions(cert->x509), ret_subject);
}

char *pki_cert_issuer(struct arena *arena, const struct pki_cert *cert)
{
	struct pki_subject issuer;
	pki_subject_read(arena, X509_get_issuer_name(cert->x509), NULL, &issuer);
	return arena_strdup(arena, issuer.common_name);
}

static int64_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;
	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

int64_t pki_cert_not_before_s(const struct pki_cert *cert)
{
	return seconds_of(X509_get0_notBefore(cert->x509));
}

int64_t pki_cert_not_after_s(const struct pki_cert *cert)
{
	return seconds_of(X509_get0_notAfter(cert->x509));
}

bool pki_cert_matches_key(const struct pki_cert *cert, const struct pki_key *key)
{
	EVP_PKEY *pkey = X509_get0_pubkey(cert->x509);
	bool same = pkey && EVP_PKEY_eq(pkey, key->pkey) == 1;
	ERR_clear_error();
	return same;
}

static char *hex_digest(struct arena *arena, unsigned char *der, int size)
{
	uint8_t digest[32];
	pki_sha256(der, size > 0 ? (size_t)size : 0, digest);
	OPENSSL_free(der);
	return hex_encode(arena, digest, sizeof(digest));
}

char *pki_cert_public_key_hash(struct arena *arena, const struct pki_cert *cert)
{
	unsigned char *der = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &der);
	return arena_printf(arena, "sha256:%s", hex_digest(arena, der, size));
}

char *pki_cert_fingerprint(struct arena *arena, const struct pki_cert *cert)
{
	unsigned char *der = NULL;
	int size = i2d_X509(cert->x509, &der);
	return hex_digest(arena, der, size);
}

struct status *pki_pool_parse(const char *pem, size_t size, struct pki_pool **ret_pool)
{
	struct pki_cert **certs;
	size_t n;
	TRY(pki_certs_parse(pem, size, &certs, &n));
	struct pki_pool *pool = mem_zalloc(sizeof(*pool));
	pool->store = X509_STORE_new();
	for (size_t i = 0; i < n; i++) {
		/* OpenSSL reads the extensions when they are first asked for: now, and not by the first threads of
		 * many. */
		X509_check_purpose(certs[i]->x509, -1, 0);
		X509_STORE_add_cert(pool->store, certs[i]->x509);
		pki_cert_free(certs[i]);
	}
	ERR_clear_error();
	free(certs);
	*ret_pool = pool;
	return NULL;
}

void pki_pool_free(struct pki_pool *pool)
{
	if (!pool)
		return;
	X509_STORE_free(pool->store);
	free(pool);
}

/* OpenSSL wants the chain and the time in its own form. */
static struct status *verify_with(X509_STORE_CTX *ctx, const struct pki_pool *pool, struct pki_cert *const *certs,
	STACK_OF(X509) * chain, unsigned usage, int64_t now_s)
{
	if (!X509_STORE_CTX_init(ctx, pool->store, certs[0]->x509, chain))
		return pki_openssl_error("verify certificate");
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_purpose(
		param, usage == PKI_SERVER_AUTH ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
	if (X509_verify_cert(ctx) == 1)
		return NULL;
	ERR_clear_error();
	return status_new(STATUS_UNAUTHORIZED, "certificate is not valid: %s",
		X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

struct status *pki_verify(
	const struct pki_pool *pool, struct pki_cert *const *certs, size_t n_certs, unsigned usage, int64_t now_s)
{
	if (!n_certs)
		return status_new(STATUS_UNAUTHORIZED, "no certificate");
	STACK_OF(X509) *chain = sk_X509_new_null();
	for (size_t i = 1; i < n_certs; i++)
		sk_X509_push(chain, certs[i]->x509);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	struct status *s = verify_with(ctx, pool, certs, chain, usage, now_s);
	X509_STORE_CTX_free(ctx);
	sk_X509_free(chain);
	return s;
}
