#include "apiserver/authn/authn.h"
#include "base/mem.h"

struct flag *authn_flags(struct authn_options *o)
{
	const struct flag flags[] = {
		{"client-ca-file", 0, FLAG_STRING, &o->client_ca_file, "",
			"bundle of the authorities whose client certificates are accepted"},
		{"requestheader-allowed-names", 0, FLAG_STRINGS, &o->requestheader_allowed_names, "",
			"common names of the front proxies; empty: any that the bundle verifies"},
		{"requestheader-client-ca-file", 0, FLAG_STRING, &o->requestheader_client_ca_file, "",
			"bundle that verifies front proxies before their headers are believed"},
		{"requestheader-extra-headers-prefix", 0, FLAG_STRINGS, &o->requestheader_extra_headers_prefix, "",
			"prefixes of headers with further user information"},
		{"requestheader-group-headers", 0, FLAG_STRINGS, &o->requestheader_group_headers, "",
			"headers that hold groups"},
		{"requestheader-uid-headers", 0, FLAG_STRINGS, &o->requestheader_uid_headers, "",
			"headers that hold the UID"},
		{"requestheader-username-headers", 0, FLAG_STRINGS, &o->requestheader_username_headers, "",
			"headers that hold the user name"},
		{"token-auth-file", 0, FLAG_STRING, &o->token_auth_file, "",
			"CSV file: token,user,uid,\"group,group\""},
		{"enable-bootstrap-token-auth", 0, FLAG_BOOL, &o->enable_bootstrap_token_auth, "false",
			"accept the bootstrap tokens in kube-system"},
		{"anonymous-auth", 0, FLAG_BOOL, &o->anonymous_auth, "true",
			"let requests without credentials in as system:anonymous", .changed = &o->anonymous_auth_given},
		{"authentication-config", 0, FLAG_STRING, &o->config_file, "",
			"file that says who may come without credentials (AuthenticationConfiguration)"},
		{"service-account-key-file", 0, FLAG_STRING_ARRAY, &o->service_account_key_file, "",
			"keys that verify service account tokens; may be given several times"},
		{"service-account-signing-key-file", 0, FLAG_STRING, &o->service_account_signing_key_file, "",
			"private key that signs service account tokens"},
		{"service-account-issuer", 0, FLAG_STRING_ARRAY, &o->service_account_issuer, "",
			"issuer of service account tokens; the first signs, all are accepted"},
		{"api-audiences", 0, FLAG_STRINGS, &o->api_audiences, "",
			"audiences of this server; default: the issuer"},
		{"service-account-lookup", 0, FLAG_BOOL, &o->service_account_lookup, "true",
			"check that tokens still exist"},
		{"service-account-extend-token-expiration", 0, FLAG_BOOL, &o->service_account_extend_token_expiration,
			"true", "tokens injected into pods outlive their nominal hour"},
		{"service-account-max-token-expiration", 0, FLAG_DURATION, &o->service_account_max_token_expiration_ms,
			"", "the longest validity a token may ask for"},
		{"service-account-jwks-uri", 0, FLAG_STRING, &o->service_account_jwks_uri, "",
			"where the discovery document says the keys are"},
		{NULL},
	};
	return mem_dup(flags, sizeof(flags));
}
