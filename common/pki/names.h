/* Subjects and extensions between struct pki_subject and X.509. */
#ifndef PKI_NAMES_H
#define PKI_NAMES_H

#include "pki/internal.h"

X509_NAME *pki_name_new(const struct pki_subject *subject);
/* Basic constraints, key usages, names and key identifiers, into a certificate. */
struct status *pki_extensions_add(X509 *x509, X509 *issuer, const struct pki_subject *subject) MUST_USE;
/* The subject alternative names as an extension for a request; NULL if the subject has none. */
struct status *pki_san_extension(const struct pki_subject *subject, X509_EXTENSION **ret_extension) MUST_USE;
/* extensions may be NULL. */
void pki_subject_read(struct arena *arena, const X509_NAME *name, const STACK_OF(X509_EXTENSION) * extensions,
	struct pki_subject *ret_subject);

#endif
