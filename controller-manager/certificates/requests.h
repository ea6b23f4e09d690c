/*
 * What certificate signing requests ask for, and whether a signer may grant it: pure rules.
 *
 * Threads: any.
 */
#ifndef CONTROLLER_MANAGER_CERTIFICATE_REQUESTS_H
#define CONTROLLER_MANAGER_CERTIFICATE_REQUESTS_H

#include "controller-manager/support/object.h"
#include "pki/pki.h"

#define SIGNER_KUBELET_SERVING "kubernetes.io/kubelet-serving"
#define SIGNER_KUBELET_CLIENT "kubernetes.io/kube-apiserver-client-kubelet"
#define SIGNER_APISERVER_CLIENT "kubernetes.io/kube-apiserver-client"
#define SIGNER_LEGACY "kubernetes.io/legacy-unknown"

bool request_has_condition(const CertificatesV1CertificateSigningRequest *csr, const char *type);
/* The request inside; an error naming the object. */
struct status *request_parse(const CertificatesV1CertificateSigningRequest *csr, struct pki_csr **ret_csr) MUST_USE;
/* Why the signer named in the request refuses it, in the original's words; NULL: it does not. */
const char *request_refusal(
	struct arena *arena, const CertificatesV1CertificateSigningRequest *csr, const struct pki_subject *subject);
/* Usages as bits of pki/pki.h; an error naming one that is not known. */
struct status *request_usages(char *const *usages, size_t n, unsigned *ret_usages) MUST_USE;
/* How long the certificate lasts: what is asked for, at least ten minutes, at most max. */
int64_t request_duration_s(const CertificatesV1CertificateSigningRequest *csr, int64_t max_s);

#endif
