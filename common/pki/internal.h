/* What the files of this library share. */
#ifndef PKI_INTERNAL_H
#define PKI_INTERNAL_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include "pki/pki.h"

struct pki_key {
	EVP_PKEY *pkey;
	bool is_private;
};

struct pki_cert {
	X509 *x509;
};

struct pki_csr {
	X509_REQ *req;
};

/* An internal error that carries OpenSSL's own reason; empties its queue. */
struct status *pki_openssl_error(const char *what) MUST_USE;
struct pki_key *pki_key_wrap(EVP_PKEY *pkey, bool is_private);
/* The contents of a memory BIO as a string of the arena; frees the BIO. */
char *pki_bio_text(struct arena *arena, BIO *bio);
/* Finds the next PEM block at *p; name and DER are allocated by OpenSSL. False at the end. */
bool pki_pem_next(BIO *bio, char **ret_name, unsigned char **ret_der, long *ret_size);

struct pem_block {
	const char *type;
	bool has_headers;
	uint8_t *der;
	size_t size;
};
/* The first block of a text, as Go's encoding/pem finds it, and the text after it; false when there is none. */
bool pki_pem_block(struct arena *arena, const char **pem, size_t *size, struct pem_block *ret_block);

#endif
