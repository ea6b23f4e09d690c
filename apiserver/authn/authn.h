/*
 * Authentication: the peer's certificates, the headers, and the bearer token of a request become a user.
 *
 *	struct authn *authn;
 *	TRY(authn_new(&options, objects, clock, &authn));
 *	struct authn_request request = {.chain = chain, .n_chain = n, .header = get_header, .data = connection};
 *	TRY(authn_authenticate(authn, arena, &request, &user));
 *
 * In the order of the original: front proxy headers, client certificate, token (static file, service account,
 *bootstrap), anonymous. A credential that is present and bad is refused, never treated as anonymous. Threads:
 *authenticate may be called from any thread at once; it reads memory only and does not block, but for the tokens of
 *Secrets: it is written down, once a day, that one is used.
 */
#ifndef APISERVER_AUTHN_AUTHN_H
#define APISERVER_AUTHN_AUTHN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "api/types.h"
#include "apiserver/authn/user.h"
#include "apiserver/registry/objects.h"
#include "base/clock.h"
#include "base/flags.h"
#include "base/str.h"

struct authn;

struct authn_options {
	char *client_ca_file;
	struct flag_list requestheader_allowed_names;
	char *requestheader_client_ca_file;
	struct flag_list requestheader_extra_headers_prefix;
	struct flag_list requestheader_group_headers;
	struct flag_list requestheader_uid_headers;
	struct flag_list requestheader_username_headers;
	char *token_auth_file;
	bool enable_bootstrap_token_auth;
	bool anonymous_auth, anonymous_auth_given;
	struct flag_list anonymous_paths; /* the only ones where it holds; none: everywhere */
	char *config_file;
	struct flag_list service_account_key_file;
	char *service_account_signing_key_file;
	struct flag_list service_account_issuer;
	struct flag_list api_audiences;
	bool service_account_lookup;
	bool service_account_extend_token_expiration;
	int64_t service_account_max_token_expiration_ms;
	char *service_account_jwks_uri;
	char *tls_private_key_file; /* verifies service accounts when no key file is given, as in the original */
};

/* The flags that fill them, for the server's flag tables (a table that ends with {NULL}). Allocated once, lives for
 * ever. */
struct flag *authn_flags(struct authn_options *options);
/* Reads the file that the flags name. Error: what is wrong with it, or with both. */
struct status *authn_settle(struct authn_options *options) MUST_USE;

struct authn_certificate {
	const uint8_t *der;
	size_t size;
};

struct authn_request {
	const struct authn_certificate *chain; /* as the peer sent it, its own first */
	size_t n_chain;
	const char *path; /* unescaped */
	/* The nth value of a header (any case), NULL past the last. */
	const char *(*header)(void *data, const char *name, size_t nth);
	/* Calls each for every header, for the prefixes of extra values. */
	void (*each_header)(
		void *data, void (*each)(void *each_data, const char *name, const char *value), void *each_data);
	void *data;
	/* What the answer is to warn of; may be NULL. */
	void (*warn)(void *warn_data, const char *text);
	void *warn_data;
};

struct status *authn_new(const struct authn_options *options, struct objects *objects, const struct clock *clock,
	struct authn **ret) MUST_USE;
void authn_free(struct authn *authn);
DEFINE_CLEANUP(struct authn *, authn_free)

/* The user, or 401 Unauthorized. The details of a failure are logged, not told. */
struct status *authn_authenticate(
	struct authn *authn, struct arena *arena, const struct authn_request *request, struct user **ret_user) MUST_USE;

/* POST tokenreviews: fills the status of the review. */
struct status *authn_review_token(
	struct authn *authn, struct arena *arena, AuthenticationV1TokenReview *review) MUST_USE;
/* A user in the form of the API, for SelfSubjectReview and the like. */
void authn_user_info(struct arena *arena, const struct user *user, AuthenticationV1UserInfo **ret_info);

/*
 * POST serviceaccounts/NAME/token: fills request->status with a signed token for the account, bound as asked.
 * *ret_warning is what to tell who asked, or NULL.
 */
struct status *authn_issue_token(struct authn *authn, struct arena *arena, const CoreV1ServiceAccount *account,
	AuthenticationV1TokenRequest *request, const char **ret_warning) MUST_USE;

/* The JSON documents /.well-known/openid-configuration and /openid/v1/jwks, owned by authn; "" without a signing key.
 */
/* Uses of service account tokens, as metrics. */
void authn_write_metrics(const struct authn *authn, struct strbuf *out);
const char *authn_openid_configuration(struct authn *authn);
const char *authn_jwks(struct authn *authn);

/* PEM bundles for clients of the server ("" when not configured): kube-system/extension-apiserver-authentication. */
const char *authn_client_ca(struct authn *authn);
/* Whether they are others than at the start. */
bool authn_authorities_changed(struct authn *authn);
const char *authn_requestheader_ca(struct authn *authn);
const struct authn_options *authn_options_of(struct authn *authn);

#endif
