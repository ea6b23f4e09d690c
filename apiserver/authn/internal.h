/*
 * What the authenticators share. Each has a file; authn.c runs them in order.
 */
#ifndef APISERVER_AUTHN_INTERNAL_H
#define APISERVER_AUTHN_INTERNAL_H

#include <stdatomic.h>
#include "api/tree.h"
#include "apiserver/authn/authn.h"
#include "base/map.h"
#include "pki/jwt.h"
#include "pki/pki.h"

struct authn_certificate_cache;

/* bundle.c: authorities out of a file that is followed. What is handed out lives as long as the bundle; one that is
 * NULL has no text and never changes. */
struct authn_bundle;
struct status *authn_bundle_new(const char *path, const struct clock *clock, struct authn_bundle **ret) MUST_USE;
void authn_bundle_free(struct authn_bundle *bundle);
const struct pki_pool *authn_bundle_pool(struct authn_bundle *bundle);
const char *authn_bundle_pem(struct authn_bundle *bundle);
/* How often they have changed. */
uint64_t authn_bundle_changes(struct authn_bundle *bundle);

struct authn {
	struct arena *arena; /* what lives as long as the whole */
	struct authn_options options;
	struct objects *objects;
	const struct clock *clock;
	struct authn_bundle *client_ca; /* NULL: none */
	struct authn_certificate_cache *certificates;
	struct authn_bundle *requestheader_ca;
	struct strmap *static_tokens; /* token -> struct user; NULL without a file */
	struct pki_key **public_keys;
	size_t n_public_keys;
	struct pki_key *signing_key;
	char **audiences;
	size_t n_audiences;
	char *openid_configuration;
	char *jwks;
	/* Uses of service account tokens: of Secrets (made by hand, with the account, marked as invalid), and of pods,
	 * before and after they should have been renewed. */
	atomic_uint_least64_t n_legacy, n_manual, n_automatic, n_invalidated, n_valid, n_stale;
};

/* The token of "Authorization: Bearer x"; NULL without one. request may be NULL: then nobody is warned. */
char *authn_bearer_of(struct arena *arena, const struct authn_request *request, const char *authorization);
/* The token among the protocols that a WebSocket is offered; NULL without one. Error: more than one, or a bad one. */
struct status *authn_websocket_bearer(
	struct arena *arena, const struct authn_request *request, char **ret_token) MUST_USE;

/* A bearer token as one kind of authenticator sees it: *ret_user stays NULL when it is none of its own. */
struct token_request {
	const struct authn_request *from; /* NULL: the token alone is asked about */
	const char *token;
	char *const *audiences;
	size_t n_audiences;
	char **ret_audiences;
	size_t ret_n_audiences;
};

/* Unauthorized when nobody knows the token. The audiences asked for, none for the server's own, become those it serves.
 */
struct status *authn_token(
	struct authn *authn, struct arena *arena, struct token_request *request, struct user **ret_user) MUST_USE;

/* Names what is wrong with a certificate; NULL user when the peer sent none, or it has no common name. */
struct status *authn_x509(
	struct authn *authn, struct arena *arena, const struct authn_request *request, struct user **ret_user) MUST_USE;
struct status *authn_front_proxy(
	struct authn *authn, struct arena *arena, const struct authn_request *request, struct user **ret_user) MUST_USE;
/* The peer's certificates verified against a pool; Unauthorized that says why not. */
struct status *authn_verify_chain(struct authn *authn, struct arena *arena, const struct pki_pool *pool,
	const struct authn_request *request, struct pki_subject *ret_subject, char **ret_fingerprint,
	int64_t *ret_not_after_s) MUST_USE;

/* Whom a client's certificate was found to name, for a short while. Any thread. */
struct authn_certificate_cache *authn_certificate_cache_new(void);
void authn_certificate_cache_free(struct authn_certificate_cache *cache);

struct status *authn_load_static_tokens(struct authn *authn, const char *path) MUST_USE;
struct status *authn_load_service_account_keys(struct authn *authn) MUST_USE;
struct status *authn_service_account_token(
	struct authn *authn, struct arena *arena, struct token_request *request, struct user **ret_user) MUST_USE;
/* Of a Secret, by its claims. */
struct status *authn_legacy_token(struct authn *authn, struct arena *arena, const cJSON *claims,
	const struct token_request *request, struct user **ret_user) MUST_USE;
struct status *authn_bootstrap_token(
	struct authn *authn, struct arena *arena, const char *token, struct user **ret_user) MUST_USE;

struct user *authn_service_account_user(struct arena *arena, const char *namespace, const char *name, const char *uid);
bool authn_has_issuer(const struct authn *authn, const char *issuer);

#endif
