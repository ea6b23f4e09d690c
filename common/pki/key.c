#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include "base/encode.h"
#include "base/mem.h"
#include "base/str.h"
#include "pki/internal.h"

struct status *pki_openssl_error(const char *what)
{
	char reason[256] = "unknown reason";
	unsigned long e = ERR_peek_last_error();
	if (e)
		ERR_error_string_n(e, reason, sizeof(reason));
	ERR_clear_error();
	return status_internal("%s: %s", what, reason);
}

struct pki_key *pki_key_wrap(EVP_PKEY *pkey, bool is_private)
{
	struct pki_key *key = mem_zalloc(sizeof(*key));
	*key = (struct pki_key){.pkey = pkey, .is_private = is_private};
	return key;
}

char *pki_bio_text(struct arena *arena, BIO *bio)
{
	char *data;
	long size = BIO_get_mem_data(bio, &data);
	char *text = arena_strndup(arena, data, size > 0 ? (size_t)size : 0);
	BIO_free(bio);
	return text;
}

bool pki_pem_next(BIO *bio, char **ret_name, unsigned char **ret_der, long *ret_size)
{
	char *header = NULL;
	bool found = PEM_read_bio(bio, ret_name, &header, ret_der, ret_size) == 1;
	OPENSSL_free(header);
	if (!found)
		ERR_clear_error();
	return found;
}

struct status *pki_key_generate(enum pki_algorithm algorithm, struct pki_key **ret_key)
{
	EVP_PKEY *pkey = algorithm == PKI_RSA_2048 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
						   : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	if (!pkey)
		return pki_openssl_error("generate key");
	*ret_key = pki_key_wrap(pkey, true);
	return NULL;
}

/* The key in one PEM block, NULL if the block holds none. */
static struct pki_key *key_of_block(const char *name, const unsigned char *der, long size)
{
	EVP_PKEY *pkey = NULL;
	const unsigned char *p = der;
	bool is_private = str_ends_with(name, "PRIVATE KEY");
	if (is_private) {
		pkey = d2i_AutoPrivateKey(NULL, &p, size);
	} else if (str_eq(name, "PUBLIC KEY")) {
		pkey = d2i_PUBKEY(NULL, &p, size);
	} else if (str_eq(name, "RSA PUBLIC KEY")) {
		pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, size);
	} else if (str_eq(name, "CERTIFICATE")) {
		X509 *x509 = d2i_X509(NULL, &p, size);
		pkey = x509 ? X509_get_pubkey(x509) : NULL;
		X509_free(x509);
	}
	ERR_clear_error();
	return pkey ? pki_key_wrap(pkey, is_private) : NULL;
}

/* Collects the keys of a text; stops after the first when only_first. */
static struct pki_key **keys_of(const char *pem, size_t size, bool only_first, size_t *ret_n)
{
	struct pki_key **keys = NULL;
	size_t n = 0, cap = 0;
	BIO *bio = BIO_new_mem_buf(pem, size > INT32_MAX ? INT32_MAX : (int)size);
	char *name;
	unsigned char *der;
	long der_size;
	while (!(only_first && n) && pki_pem_next(bio, &name, &der, &der_size)) {
		struct pki_key *key = key_of_block(name, der, der_size);
		if (key) {
			mem_grow(&keys, &cap, n + 1, sizeof(struct pki_key *));
			keys[n++] = key;
		}
		OPENSSL_free(name);
		OPENSSL_clear_free(der, (size_t)der_size);
	}
	BIO_free(bio);
	*ret_n = n;
	return keys;
}

struct status *pki_key_parse(const char *pem, size_t size, struct pki_key **ret_key)
{
	size_t n;
	struct pki_key **keys = keys_of(pem, size, true, &n);
	if (n)
		*ret_key = keys[0];
	free(keys);
	return n ? NULL : status_bad_request("no PEM-encoded key found");
}

struct status *pki_keys_parse(const char *pem, size_t size, struct pki_key ***ret_keys, size_t *ret_n)
{
	struct pki_key **keys = keys_of(pem, size, false, ret_n);
	if (!*ret_n)
		return status_bad_request("no PEM-encoded key found");
	*ret_keys = keys;
	return NULL;
}

void pki_key_free(struct pki_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey); /* clears private material */
	free(key);
}

bool pki_key_is_private(const struct pki_key *key)
{
	return key->is_private;
}

char *pki_key_pem(struct arena *arena, const struct pki_key *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	PEM_write_bio_PrivateKey_traditional(bio, key->pkey, NULL, NULL, 0, NULL, NULL);
	return pki_bio_text(arena, bio);
}

char *pki_key_public_pem(struct arena *arena, const struct pki_key *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PUBKEY(bio, key->pkey);
	return pki_bio_text(arena, bio);
}

char *pki_key_id(struct arena *arena, const struct pki_key *key)
{
	unsigned char *der = NULL;
	uint8_t digest[32];
	int size = i2d_PUBKEY(key->pkey, &der);
	pki_sha256(der, size > 0 ? (size_t)size : 0, digest);
	OPENSSL_free(der);
	return base64url_encode(arena, digest, sizeof(digest));
}

const char *pki_key_jws_algorithm(const struct pki_key *key)
{
	char group[32] = "";
	if (EVP_PKEY_is_a(key->pkey, "RSA"))
		return "RS256";
	if (EVP_PKEY_is_a(key->pkey, "EC") && EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), NULL) &&
		(str_eq(group, "prime256v1") || str_eq(group, "P-256")))
		return "ES256";
	return NULL;
}

static char *number_base64url(struct arena *arena, const struct pki_key *key, const char *param, int width)
{
	BIGNUM *bn = NULL;
	unsigned char buf[1024];
	if (!EVP_PKEY_get_bn_param(key->pkey, param, &bn))
		return arena_strdup(arena, "");
	int size = width ? width : BN_num_bytes(bn);
	char *out = arena_strdup(arena, "");
	if (size <= (int)sizeof(buf) && BN_bn2binpad(bn, buf, size) == size)
		out = base64url_encode(arena, buf, (size_t)size);
	BN_free(bn);
	return out;
}

char *pki_key_jwk(struct arena *arena, const struct pki_key *key)
{
	const char *alg = pki_key_jws_algorithm(key), *kid = pki_key_id(arena, key);
	if (str_eq(alg, "RS256"))
		return arena_printf(arena,
			"{\"use\":\"sig\",\"kty\":\"RSA\",\"kid\":\"%s\",\"alg\":\"RS256\",\"n\":\"%s\",\"e\":\"%s\"}",
			kid, number_base64url(arena, key, OSSL_PKEY_PARAM_RSA_N, 0),
			number_base64url(arena, key, OSSL_PKEY_PARAM_RSA_E, 0));
	return arena_printf(arena,
		"{\"use\":\"sig\",\"kty\":\"EC\",\"kid\":\"%s\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"x\":\"%s\",\"y\":"
		"\"%s\"}",
		kid, number_base64url(arena, key, OSSL_PKEY_PARAM_EC_PUB_X, 32),
		number_base64url(arena, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32));
}

/* DER signature to r||s of 32 bytes each. */
static uint8_t *ecdsa_to_raw(struct arena *arena, const uint8_t *der, size_t size)
{
	const unsigned char *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)size);
	uint8_t *raw = arena_zalloc(arena, 64);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
	ECDSA_SIG_free(sig);
	return raw;
}

struct status *pki_key_sign(struct arena *arena, const struct pki_key *key, const void *data, size_t size,
	uint8_t **ret_sig, size_t *ret_size)
{
	uint8_t der[1024];
	size_t der_size = sizeof(der);
	const char *alg = pki_key_jws_algorithm(key);
	if (!alg || !key->is_private)
		return status_internal("sign: not a private RSA or ECDSA P-256 key");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
		  EVP_DigestSign(ctx, der, &der_size, data, size) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return pki_openssl_error("sign");
	bool is_ec = str_eq(alg, "ES256");
	*ret_sig = is_ec ? ecdsa_to_raw(arena, der, der_size) : arena_dup(arena, der, der_size);
	*ret_size = is_ec ? 64 : der_size;
	return NULL;
}

static bool verify_der(const struct pki_key *key, const void *data, size_t size, const uint8_t *sig, size_t sig_size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
		  EVP_DigestVerify(ctx, sig, sig_size, data, size) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool pki_key_verify(const struct pki_key *key, const char *jws_algorithm, const void *data, size_t size,
	const uint8_t *sig, size_t sig_size)
{
	const char *alg = pki_key_jws_algorithm(key);
	if (!alg || !str_eq(alg, jws_algorithm))
		return false;
	if (str_eq(alg, "RS256"))
		return verify_der(key, data, size, sig, sig_size);
	if (sig_size != 64)
		return false;
	ECDSA_SIG *ec = ECDSA_SIG_new();
	ECDSA_SIG_set0(ec, BN_bin2bn(sig, 32, NULL), BN_bin2bn(sig + 32, 32, NULL));
	unsigned char *der = NULL;
	int der_size = i2d_ECDSA_SIG(ec, &der);
	bool ok = der_size > 0 && verify_der(key, data, size, der, (size_t)der_size);
	OPENSSL_free(der);
	ECDSA_SIG_free(ec);
	return ok;
}

void pki_sha256(const void *data, size_t size, uint8_t ret_digest[static 32])
{
	EVP_Digest(data, size, ret_digest, NULL, EVP_sha256(), NULL);
}

void pki_sha512(const void *data, size_t size, uint8_t ret_digest[static 64])
{
	EVP_Digest(data, size, ret_digest, NULL, EVP_sha512(), NULL);
}

void pki_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t ret_digest[static 32])
{
	HMAC(EVP_sha256(), key, (int)key_size, data, size, ret_digest, NULL);
}
