/*
 * Keys, certificates, signing requests: everything in PEM at the border, OpenSSL inside.
 *
 *	struct pki_key *key;
 *	TRY(pki_key_generate(PKI_ECDSA_P256, &key));
 *	struct pki_cert *cert;
 *	TRY(pki_cert_self_signed_ca(key, "kubernetes", 10 * 365 * 86400, now, &cert));
 *
 * Ownership: x_free() what is returned; strings and PEM texts come from the arena that is passed.
 * Threads: keys and certificates are immutable and may be shared.
 * Private keys are cleansed when freed.
 */
#ifndef PKI_PKI_H
#define PKI_PKI_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

struct pki_key;	 /* a private key, or only the public half */
struct pki_cert; /* one certificate */
struct pki_pool; /* the trusted roots of a verification */
struct pki_csr;

enum pki_algorithm { PKI_RSA_2048, PKI_ECDSA_P256 };

struct status *pki_key_generate(enum pki_algorithm algorithm, struct pki_key **ret_key) MUST_USE;
/* From PEM: PKCS#8, PKCS#1 or SEC1 private keys, PKIX public keys, or the public key of a certificate. The first that
 * is found. */
struct status *pki_key_parse(const char *pem, size_t size, struct pki_key **ret_key) MUST_USE;
/* All public keys of a PEM text (of private keys their public half); *ret_keys is on the heap, each to be freed. */
struct status *pki_keys_parse(const char *pem, size_t size, struct pki_key ***ret_keys, size_t *ret_n) MUST_USE;
void pki_key_free(struct pki_key *key);
DEFINE_CLEANUP(struct pki_key *, pki_key_free)
bool pki_key_is_private(const struct pki_key *key);
/* PKCS#1 for RSA and SEC1 for ECDSA, as kubeadm writes them. */
char *pki_key_pem(struct arena *arena, const struct pki_key *key);
char *pki_key_public_pem(struct arena *arena, const struct pki_key *key);
/* base64url(sha256(PKIX public key)): the key id of service account tokens. */
char *pki_key_id(struct arena *arena, const struct pki_key *key);
/* The key as a JWK object's JSON text (kty, kid, alg, use and the key's numbers), for the JWKS document. */
char *pki_key_jwk(struct arena *arena, const struct pki_key *key);
/* "RS256" or "ES256"; NULL for any other kind of key. */
const char *pki_key_jws_algorithm(const struct pki_key *key);
/* Signs with the key's JWS algorithm (ES256: r||s). */
struct status *pki_key_sign(struct arena *arena, const struct pki_key *key, const void *data, size_t size,
	uint8_t **ret_sig, size_t *ret_size) MUST_USE;
bool pki_key_verify(const struct pki_key *key, const char *jws_algorithm, const void *data, size_t size,
	const uint8_t *sig, size_t sig_size);

/* Extended key usages and key usages, as bits. */
enum {
	PKI_SERVER_AUTH = 1,
	PKI_CLIENT_AUTH = 2,
	PKI_DIGITAL_SIGNATURE = 4,
	PKI_KEY_ENCIPHERMENT = 8,
	PKI_CERT_SIGN = 16,
	PKI_CODE_SIGNING = 32,
	PKI_DATA_ENCIPHERMENT = 64,
	PKI_KEY_AGREEMENT = 128,
	PKI_CRL_SIGN = 256,
	PKI_CONTENT_COMMITMENT = 512,
	PKI_EMAIL_PROTECTION = 1024,
	PKI_OTHER_USAGE = 2048, /* one that is none of the above */
};

/* What a certificate or a request says. Lists may be NULL with a count of 0. */
struct pki_subject {
	const char *common_name;
	char **organizations;
	size_t n_organizations;
	char **dns_names;
	size_t n_dns_names;
	char **ip_addresses; /* as text */
	size_t n_ip_addresses;
	size_t n_emails, n_uris; /* only counted: set when parsed, ignored when written */
	unsigned usages;
	bool is_ca;
};

struct status *pki_cert_self_signed_ca(const struct pki_key *key, const char *common_name, int64_t not_before_s,
	int64_t not_after_s, struct pki_cert **ret_cert) MUST_USE;
/* A certificate for the public half of key, signed by the CA. Serial: 63 random bits or more. */
struct status *pki_cert_sign(const struct pki_cert *ca, const struct pki_key *ca_key, const struct pki_key *key,
	const struct pki_subject *subject, int64_t not_before_s, int64_t not_after_s,
	struct pki_cert **ret_cert) MUST_USE;
/* Self-signed serving certificate: for a daemon that was given none. */
struct status *pki_cert_self_signed(const struct pki_key *key, const struct pki_subject *subject, int64_t not_before_s,
	int64_t not_after_s, struct pki_cert **ret_cert) MUST_USE;
/* The first certificate of a PEM text. */
struct status *pki_cert_parse(const char *pem, size_t size, struct pki_cert **ret_cert) MUST_USE;
/* All of them; *ret_certs is on the heap, each to be freed. */
struct status *pki_certs_parse(const char *pem, size_t size, struct pki_cert ***ret_certs, size_t *ret_n) MUST_USE;
struct status *pki_cert_parse_der(const void *der, size_t size, struct pki_cert **ret_cert) MUST_USE;
void pki_cert_free(struct pki_cert *cert);
DEFINE_CLEANUP(struct pki_cert *, pki_cert_free)
/* What keeps a chain and a key, both PEM, from serving TLS, in the words of Go's crypto/tls; NULL: nothing. */
const char *pki_pair_problem(
	struct arena *arena, const char *certs, size_t certs_size, const char *key, size_t key_size);
/* What keeps PEM from holding any certificate to trust, in the words of Go; NULL: nothing. */
const char *pki_roots_problem(const char *pem, size_t size);
/* What keeps PEM from being certificates and nothing else, in the words of Go; NULL: nothing. */
const char *pki_certificates_problem(struct arena *arena, const char *pem, size_t size);
char *pki_cert_pem(struct arena *arena, const struct pki_cert *cert);
/* Fills *ret_subject from the certificate; texts come from the arena. */
void pki_cert_subject(struct arena *arena, const struct pki_cert *cert, struct pki_subject *ret_subject);
/* The issuer's common name. */
char *pki_cert_issuer(struct arena *arena, const struct pki_cert *cert);
int64_t pki_cert_not_before_s(const struct pki_cert *cert);
int64_t pki_cert_not_after_s(const struct pki_cert *cert);
bool pki_cert_matches_key(const struct pki_cert *cert, const struct pki_key *key);
/* "sha256:<hex of the public key's digest>": what --discovery-token-ca-cert-hash takes. */
char *pki_cert_public_key_hash(struct arena *arena, const struct pki_cert *cert);
/* Hex SHA-256 of the DER form, for credential ids ("X509SHA256=…"). */
char *pki_cert_fingerprint(struct arena *arena, const struct pki_cert *cert);

/* The roots in a PEM text; an error when there is none. */
struct status *pki_pool_parse(const char *pem, size_t size, struct pki_pool **ret_pool) MUST_USE;
void pki_pool_free(struct pki_pool *pool);
DEFINE_CLEANUP(struct pki_pool *, pki_pool_free)
/* Verifies leaf (certs[0]) through the others to the pool, at a time, for a usage (PKI_CLIENT_AUTH or PKI_SERVER_AUTH).
 */
struct status *pki_verify(const struct pki_pool *pool, struct pki_cert *const *certs, size_t n_certs, unsigned usage,
	int64_t now_s) MUST_USE;

/* A request signed with key. */
struct status *pki_csr_create(
	const struct pki_key *key, const struct pki_subject *subject, struct pki_csr **ret_csr) MUST_USE;
/* Of PEM ("CERTIFICATE REQUEST"); what is wrong with it is told in Go's words. */
struct status *pki_csr_parse(const char *pem, size_t size, struct pki_csr **ret_csr) MUST_USE;
/* NULL: the request is signed with its own key. */
const char *pki_csr_signature_problem(const struct pki_csr *csr);
void pki_csr_free(struct pki_csr *csr);
DEFINE_CLEANUP(struct pki_csr *, pki_csr_free)
char *pki_csr_pem(struct arena *arena, const struct pki_csr *csr);
void pki_csr_subject(struct arena *arena, const struct pki_csr *csr, struct pki_subject *ret_subject);
/* A certificate for the request's key and names, with the usages given (not those asked for). */
struct status *pki_csr_sign(const struct pki_cert *ca, const struct pki_key *ca_key, const struct pki_csr *csr,
	unsigned usages, int64_t not_before_s, int64_t not_after_s, struct pki_cert **ret_cert) MUST_USE;

void pki_sha256(const void *data, size_t size, uint8_t ret_digest[static 32]);
void pki_sha512(const void *data, size_t size, uint8_t ret_digest[static 64]);
void pki_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t ret_digest[static 32]);

#endif
