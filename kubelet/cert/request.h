/*
 * One certificate by way of a CertificateSigningRequest: a new key, a request, the wait, a file with both.
 */
#ifndef KUBELET_CERT_REQUEST_H
#define KUBELET_CERT_REQUEST_H

#include <stdatomic.h>
#include "client/client.h"
#include "pki/pki.h"

struct cert_request {
	struct client *client;
	const struct clock *clock;
	const char *signer;
	const char *const *usages; /* NULL-terminated, in the API's words */
	const struct pki_subject *subject;
	const char *dir;
	const char *prefix;	     /* kubelet-client */
	const atomic_bool *stopping; /* NULL: waits for ever */
	int64_t timeout_ms;	     /* <= 0: none */
};

/* Blocks until the certificate is issued and stored under dir/prefix-current.pem. Error: denied, failed, timeout. */
struct status *cert_request_run(const struct cert_request *r) MUST_USE;
/* The path of the link. */
char *cert_current_path(struct arena *arena, const char *dir, const char *prefix);
/* When the certificate in a file is to be renewed (seconds since 1970): between 70 and 90 % of its life. Error:
 * unreadable. */
struct status *cert_renewal_time(const char *path, int64_t *ret_when, int64_t *ret_end) MUST_USE;

#endif
