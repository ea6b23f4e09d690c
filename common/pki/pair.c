/*
 * Whether a certificate and a key go together, said as Go's crypto/tls says it.
 */
#include "base/str.h"
#include "pki/internal.h"

/* The kinds of PEM blocks in a text, and the first that is asked for. */
struct blocks {
	struct arena *arena;
	bool (*wanted)(const char *name);
	bool found;
	char **others;
	size_t n_others;
};

static bool is_certificate(const char *name)
{
	return !strcmp(name, "CERTIFICATE");
}

static bool is_private_key(const char *name)
{
	return !strcmp(name, "PRIVATE KEY") || str_ends_with(name, " PRIVATE KEY");
}

/* Of a certificate's text all blocks count, of a key's those before the key. */
static void read_blocks(struct blocks *blocks, const char *pem, size_t size, bool to_the_end)
{
	BIO *bio = BIO_new_mem_buf(pem ? pem : "", (int)size);
	char *name;
	unsigned char *der;
	long der_size;
	while ((to_the_end || !blocks->found) && pki_pem_next(bio, &name, &der, &der_size)) {
		if (blocks->wanted(name))
			blocks->found = true;
		else
			ARENA_PUSH(blocks->arena, blocks->others, blocks->n_others) = arena_strdup(blocks->arena, name);
		OPENSSL_free(name);
		OPENSSL_free(der);
	}
	BIO_free(bio);
}

static const char *others_text(const struct blocks *blocks)
{
	return arena_printf(blocks->arena, "[%s]", str_join(blocks->arena, blocks->others, blocks->n_others, " "));
}

static const char *no_certificate(const struct blocks *blocks)
{
	if (!blocks->n_others)
		return "failed to find any PEM data in certificate input";
	if (blocks->n_others == 1 && str_ends_with(blocks->others[0], "PRIVATE KEY"))
		return "failed to find certificate PEM data in certificate input, but did find a private key; PEM "
		       "inputs "
		       "may have been switched";
	return arena_printf(blocks->arena,
		"failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the "
		"following "
		"types: %s",
		others_text(blocks));
}

static const char *no_key(const struct blocks *blocks)
{
	if (!blocks->n_others)
		return "failed to find any PEM data in key input";
	if (blocks->n_others == 1 && is_certificate(blocks->others[0]))
		return "found a certificate rather than a key in the PEM for the private key";
	return arena_printf(blocks->arena,
		"failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks "
		"of "
		"the following types: %s",
		others_text(blocks));
}

static const char *pair_problem(const struct pki_cert *cert, const struct pki_key *key)
{
	EVP_PKEY *public = X509_get0_pubkey(cert->x509);
	if (!public || EVP_PKEY_get_base_id(public) != EVP_PKEY_get_base_id(key->pkey))
		return "private key type does not match public key type";
	return pki_cert_matches_key(cert, key) ? NULL : "private key does not match public key";
}

const char *pki_pair_problem(
	struct arena *arena, const char *certs, size_t certs_size, const char *key, size_t key_size)
{
	struct blocks of_certs = {.arena = arena, .wanted = is_certificate};
	struct blocks of_key = {.arena = arena, .wanted = is_private_key};
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	CLEANUP(pki_key_freep) struct pki_key *parsed = NULL;
	read_blocks(&of_certs, certs, certs_size, true);
	if (!of_certs.found)
		return no_certificate(&of_certs);
	read_blocks(&of_key, key, key_size, false);
	if (!of_key.found)
		return no_key(&of_key);
	CLEANUP_STATUS struct status *bad_cert = pki_cert_parse(certs, certs_size, &cert);
	if (bad_cert)
		return arena_strdup(arena, bad_cert->message);
	CLEANUP_STATUS struct status *bad_key = pki_key_parse(key, key_size, &parsed);
	return bad_key ? "failed to parse private key" : pair_problem(cert, parsed);
}
