#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/str.h"
#include "pki/internal.h"
#include "pki/names.h"

static struct status *build(X509_REQ *req, const struct pki_key *key, const struct pki_subject *subject)
{
	X509_EXTENSION *san;
	TRY(pki_san_extension(subject, &san));
	X509_NAME *name = pki_name_new(subject);
	X509_REQ_set_version(req, X509_REQ_VERSION_1);
	X509_REQ_set_subject_name(req, name);
	X509_REQ_set_pubkey(req, key->pkey);
	X509_NAME_free(name);
	if (san) {
		STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
		sk_X509_EXTENSION_push(extensions, san);
		X509_REQ_add_extensions(req, extensions);
		sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	}
	return X509_REQ_sign(req, key->pkey, EVP_sha256()) ? NULL : pki_openssl_error("sign request");
}

struct status *pki_csr_create(const struct pki_key *key, const struct pki_subject *subject, struct pki_csr **ret_csr)
{
	struct pki_csr *csr = mem_zalloc(sizeof(*csr));
	csr->req = X509_REQ_new();
	struct status *s = build(csr->req, key, subject);
	if (s) {
		pki_csr_free(csr);
		return s;
	}
	*ret_csr = csr;
	return NULL;
}

void pki_csr_free(struct pki_csr *csr)
{
	if (!csr)
		return;
	X509_REQ_free(csr->req);
	free(csr);
}

char *pki_csr_pem(struct arena *arena, const struct pki_csr *csr)
{
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509_REQ(bio, csr->req);
	return pki_bio_text(arena, bio);
}

void pki_csr_subject(struct arena *arena, const struct pki_csr *csr, struct pki_subject *ret_subject)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr->req);
	pki_subject_read(arena, X509_REQ_get_subject_name(csr->req), extensions, ret_subject);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	ERR_clear_error();
}
