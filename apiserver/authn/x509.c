#include "apiserver/authn/internal.h"
#include "base/str.h"

enum { MAX_CHAIN = 16 };

static void certs_free(struct pki_cert **certs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pki_cert_free(certs[i]);
}

static struct status *parse_chain(const struct authn_request *request, struct pki_cert **certs, size_t *n)
{
	for (*n = 0; *n < request->n_chain && *n < MAX_CHAIN; (*n)++)
		TRY(pki_cert_parse_der(request->chain[*n].der, request->chain[*n].size, &certs[*n]));
	return NULL;
}

struct status *authn_verify_chain(struct authn *authn, struct arena *arena, const struct pki_pool *pool,
	const struct authn_request *request, struct pki_subject *ret_subject, char **ret_fingerprint)
{
	struct pki_cert *certs[MAX_CHAIN];
	size_t n = 0;
	struct status *s = parse_chain(request, certs, &n);
	if (!s)
		s = pki_verify(pool, certs, n, PKI_CLIENT_AUTH, clock_wall_s(authn->clock));
	if (!s) {
		pki_cert_subject(arena, certs[0], ret_subject);
		*ret_fingerprint = pki_cert_fingerprint(arena, certs[0]);
	}
	certs_free(certs, n);
	return s;
}

struct status *authn_x509(
	struct authn *authn, struct arena *arena, const struct authn_request *request, struct user **ret_user)
{
	*ret_user = NULL;
	if (!authn->client_ca || !request->n_chain)
		return NULL;
	struct pki_subject subject = {0};
	char *fingerprint;
	TRY(authn_verify_chain(authn, arena, authn->client_ca, request, &subject, &fingerprint));
	if (str_empty(subject.common_name))
		return NULL;
	struct user *user = user_new(arena, subject.common_name, "");
	for (size_t i = 0; i < subject.n_organizations; i++)
		user_add_group(arena, user, subject.organizations[i]);
	user_add_extra(arena, user, "authentication.kubernetes.io/credential-id",
		arena_printf(arena, "X509SHA256=%s", fingerprint));
	*ret_user = user;
	return NULL;
}
