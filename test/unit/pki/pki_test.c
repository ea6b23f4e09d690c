/* Certificates are made, parsed and verified; tokens are signed and checked; forgeries fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/str.h"
#include "pki/jwt.h"
#include "pki/pki.h"

enum { NOW = 1800000000, YEAR = 365 * 86400 };

struct fixture {
	struct arena *arena;
	struct pki_key *ca_key, *key;
	struct pki_cert *ca, *cert;
	struct pki_pool *pool;
};

static char *names[] = {"node1", "node1.example"}, *ips[] = {"10.0.0.1", "::1"}, *orgs[] = {"system:nodes", "b"};
static const struct pki_subject subject = {
	.common_name = "system:node:node1",
	.organizations = orgs,
	.n_organizations = 2,
	.dns_names = names,
	.n_dns_names = 2,
	.ip_addresses = ips,
	.n_ip_addresses = 2,
	.usages = PKI_CLIENT_AUTH | PKI_DIGITAL_SIGNATURE | PKI_KEY_ENCIPHERMENT,
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->arena = arena_new();
	assert_null(pki_key_generate(PKI_RSA_2048, &f->ca_key));
	assert_null(pki_key_generate(PKI_ECDSA_P256, &f->key));
	assert_null(pki_cert_self_signed_ca(f->ca_key, "kubernetes", NOW, NOW + 10 * YEAR, &f->ca));
	assert_null(pki_cert_sign(f->ca, f->ca_key, f->key, &subject, NOW, NOW + YEAR, &f->cert));
	char *pem = pki_cert_pem(f->arena, f->ca);
	assert_null(pki_pool_parse(pem, strlen(pem), &f->pool));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	pki_pool_free(f->pool);
	pki_cert_free(f->cert);
	pki_cert_free(f->ca);
	pki_key_free(f->key);
	pki_key_free(f->ca_key);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void check_subject(const struct pki_subject *s)
{
	assert_string_equal(s->common_name, "system:node:node1");
	assert_int_equal(s->n_organizations, 2);
	assert_string_equal(s->organizations[0], "system:nodes");
	assert_int_equal(s->n_dns_names, 2);
	assert_string_equal(s->dns_names[1], "node1.example");
	assert_int_equal(s->n_ip_addresses, 2);
	assert_string_equal(s->ip_addresses[0], "10.0.0.1");
	assert_string_equal(s->ip_addresses[1], "::1");
}

static void a_certificate_keeps_what_it_was_given(void **state)
{
	struct fixture *f = *state;
	struct pki_cert *again;
	struct pki_subject s;
	char *pem = pki_cert_pem(f->arena, f->cert);
	assert_null(pki_cert_parse(pem, strlen(pem), &again));
	pki_cert_subject(f->arena, again, &s);
	check_subject(&s);
	assert_int_equal(s.usages, subject.usages);
	assert_false(s.is_ca);
	assert_int_equal(pki_cert_not_after_s(again), NOW + YEAR);
	assert_string_equal(pki_cert_issuer(f->arena, again), "kubernetes");
	assert_true(pki_cert_matches_key(again, f->key));
	assert_false(pki_cert_matches_key(again, f->ca_key));
	pki_cert_free(again);
}

static void verification_knows_time_usage_and_issuer(void **state)
{
	struct fixture *f = *state;
	static const struct {
		unsigned usage;
		int64_t now;
		bool ok;
	} rows[] = {
		{PKI_CLIENT_AUTH, NOW + 1, true},
		{PKI_SERVER_AUTH, NOW + 1, false},
		{PKI_CLIENT_AUTH, NOW - 1, false},
		{PKI_CLIENT_AUTH, NOW + YEAR + 1, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_STATUS struct status *s = pki_verify(f->pool, &f->cert, 1, rows[i].usage, rows[i].now);
		if (!s != rows[i].ok)
			fail_msg("row %zu: %s", i, s ? s->message : "passed");
	}
	struct pki_cert *stranger;
	assert_null(pki_cert_self_signed(f->key, &subject, NOW, NOW + YEAR, &stranger));
	CLEANUP_STATUS struct status *s = pki_verify(f->pool, &stranger, 1, PKI_CLIENT_AUTH, NOW + 1);
	assert_true(status_is(s, STATUS_UNAUTHORIZED));
	pki_cert_free(stranger);
}

static void a_request_becomes_a_certificate(void **state)
{
	struct fixture *f = *state;
	struct pki_csr *csr, *parsed;
	struct pki_subject s;
	assert_null(pki_csr_create(f->key, &subject, &csr));
	char *pem = pki_csr_pem(f->arena, csr);
	assert_null(pki_csr_parse(pem, strlen(pem), &parsed));
	pki_csr_subject(f->arena, parsed, &s);
	check_subject(&s);
	struct pki_cert *cert;
	assert_null(pki_csr_sign(f->ca, f->ca_key, parsed, PKI_SERVER_AUTH, NOW, NOW + YEAR, &cert));
	CLEANUP_STATUS struct status *e = pki_verify(f->pool, &cert, 1, PKI_SERVER_AUTH, NOW + 1);
	assert_null(e);
	pki_cert_free(cert);
	pki_csr_free(parsed);
	pki_csr_free(csr);
	CLEANUP_STATUS struct status *bad = pki_csr_parse("junk", 4, &parsed);
	CLEANUP_STATUS struct status *none = pki_csr_parse(NULL, 0, &parsed);
	assert_true(status_is(none, STATUS_BAD_REQUEST));
	assert_true(status_is(bad, STATUS_BAD_REQUEST));
}

static void tokens_are_signed_and_forgeries_refused(void **state)
{
	struct fixture *f = *state;
	struct pki_key *const signers[] = {f->ca_key, f->key};
	for (size_t i = 0; i < 2; i++) {
		struct pki_key *signer = signers[i], *other = signers[1 - i];
		struct jwt *jwt;
		char *token;
		assert_null(jwt_sign(f->arena, signer, "{\"sub\":\"x\"}", &token));
		assert_null(jwt_parse(f->arena, token, &jwt));
		assert_string_equal(jwt->claims, "{\"sub\":\"x\"}");
		assert_null(jwt_verify(jwt, signers, 2));
		CLEANUP_STATUS struct status *s = jwt_verify(jwt, &other, 1);
		assert_true(status_is(s, STATUS_UNAUTHORIZED));
		token[strlen(token) / 2] ^= 1;
		struct jwt *forged;
		CLEANUP_STATUS struct status *p = jwt_parse(f->arena, token, &forged);
		CLEANUP_STATUS struct status *v = p ? status_copy(p) : jwt_verify(forged, signers, 2);
		assert_non_null(v);
	}
	static const char *const bad[] = {"", "a.b", "a.b.c.d", "e30.e30.", "!.e30.e30", "eyJhbGciOiJub25lIn0.e30."};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct jwt *jwt;
		CLEANUP_STATUS struct status *p = jwt_parse(f->arena, bad[i], &jwt);
		CLEANUP_STATUS struct status *v = p ? NULL : jwt_verify(jwt, signers, 2);
		assert_true(p || v);
	}
}

static void keys_survive_pem(void **state)
{
	struct fixture *f = *state;
	struct pki_key *const keys[] = {f->ca_key, f->key};
	for (size_t i = 0; i < 2; i++) {
		char *private = pki_key_pem(f->arena, keys[i]), *public = pki_key_public_pem(f->arena, keys[i]);
		struct pki_key *a, *b;
		assert_null(pki_key_parse(private, strlen(private), &a));
		assert_null(pki_key_parse(public, strlen(public), &b));
		assert_true(pki_key_is_private(a));
		assert_false(pki_key_is_private(b));
		assert_string_equal(pki_key_id(f->arena, a), pki_key_id(f->arena, b));
		pki_key_free(a);
		pki_key_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_certificate_keeps_what_it_was_given, set_up, tear_down),
		cmocka_unit_test_setup_teardown(verification_knows_time_usage_and_issuer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_request_becomes_a_certificate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tokens_are_signed_and_forgeries_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_survive_pem, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
