/* Any bytes as certificates, a signing request and keys, in PEM and in DER: read or refused; what is read can be
 * written and read again, and nobody trusts it. */
#include "pki/pki.h"
#include "test/fuzz/target.h"

static void subject_is_whole(const struct pki_subject *subject)
{
	assert(subject->n_organizations < 10000 && subject->n_dns_names < 100000 && subject->n_ip_addresses < 100000);
}

static void as_certificate(struct arena *arena, struct pki_cert *cert, const struct pki_pool *pool)
{
	CLEANUP(pki_cert_freep) struct pki_cert *again = NULL;
	struct pki_subject subject = {0};

	pki_cert_subject(arena, cert, &subject);
	subject_is_whole(&subject);
	pki_cert_issuer(arena, cert);
	pki_cert_not_before_s(cert);
	pki_cert_not_after_s(cert);
	pki_cert_public_key_hash(arena, cert);
	char *print = pki_cert_fingerprint(arena, cert), *pem = pki_cert_pem(arena, cert);
	fuzz_ok(pem, pki_cert_parse(pem, strlen(pem), &again));
	fuzz_same_text("fingerprint", print, pki_cert_fingerprint(arena, again));
	struct status *s = pki_verify(pool, &cert, 1, PKI_CLIENT_AUTH, 1700000000);
	assert(s);
	status_free(s);
}

static const struct pki_pool *pool_of_ours(void)
{
	static struct pki_pool *pool; /* made once */

	if (!pool) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(pki_key_freep) struct pki_key *key = NULL;
		CLEANUP(pki_cert_freep) struct pki_cert *ca = NULL;
		fuzz_ok("key", pki_key_generate(PKI_ECDSA_P256, &key));
		fuzz_ok("ca", pki_cert_self_signed_ca(key, "ours", 1690000000, 1790000000, &ca));
		char *pem = pki_cert_pem(arena, ca);
		fuzz_ok("pool", pki_pool_parse(pem, strlen(pem), &pool));
	}
	return pool;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pki_cert_freep) struct pki_cert *der = NULL;
	CLEANUP(pki_csr_freep) struct pki_csr *csr = NULL;
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	CLEANUP(pki_pool_freep) struct pki_pool *pool = NULL;
	struct pki_cert **certs = NULL;
	struct pki_subject subject = {0};
	const char *text = (const char *)data;
	size_t n = 0;

	if (size > FUZZ_MAX_SIZE)
		return 0;
	struct status *s = pki_cert_parse_der(data, size, &der);
	if (!s)
		as_certificate(arena, der, pool_of_ours());
	status_free(s);
	status_free(pki_certs_parse(text, size, &certs, &n));
	for (size_t i = 0; i < n; i++) {
		as_certificate(arena, certs[i], pool_of_ours());
		pki_cert_free(certs[i]);
	}
	free(certs);
	s = pki_csr_parse(text, size, &csr);
	if (!s) {
		pki_csr_subject(arena, csr, &subject);
		subject_is_whole(&subject);
		pki_csr_pem(arena, csr);
	}
	status_free(s);
	s = pki_key_parse(text, size, &key);
	if (!s && pki_key_jws_algorithm(key)) {
		pki_key_id(arena, key);
		pki_key_jwk(arena, key);
	}
	status_free(s);
	status_free(pki_pool_parse(text, size, &pool));
	return 0;
}
