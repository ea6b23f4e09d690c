#include "apiserver/authn/authn.h"
#include "apiserver/authn/internal.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static struct status *load_bundle(struct authn *authn, const char *path, struct authn_bundle **ret_bundle)
{
	return str_empty(path) ? NULL : authn_bundle_new(path, authn->clock, ret_bundle);
}

static void choose_audiences(struct authn *authn)
{
	const struct flag_list *from = authn->options.api_audiences.n_items ? &authn->options.api_audiences
									    : &authn->options.service_account_issuer;
	size_t n = from == &authn->options.api_audiences ? from->n_items : from->n_items > 0;
	authn->audiences = from->items;
	authn->n_audiences = n;
}

static struct status *load(struct authn *authn)
{
	const struct authn_options *o = &authn->options;
	TRY(load_bundle(authn, o->client_ca_file, &authn->client_ca));
	TRY(load_bundle(authn, o->requestheader_client_ca_file, &authn->requestheader_ca));
	if (!str_empty(o->token_auth_file))
		TRY(authn_load_static_tokens(authn, o->token_auth_file));
	choose_audiences(authn);
	return authn_load_service_account_keys(authn);
}

struct status *authn_new(
	const struct authn_options *options, struct objects *objects, const struct clock *clock, struct authn **ret)
{
	struct authn *authn = mem_zalloc(sizeof(*authn));
	authn->arena = arena_new();
	authn->options = *options;
	authn->objects = objects;
	authn->clock = clock;
	authn->certificates = authn_certificate_cache_new();
	struct status *s = load(authn);
	if (s) {
		authn_free(authn);
		return s;
	}
	*ret = authn;
	return NULL;
}

void authn_free(struct authn *authn)
{
	if (!authn)
		return;
	authn_bundle_free(authn->client_ca);
	authn_bundle_free(authn->requestheader_ca);
	if (authn->static_tokens)
		strmap_free(authn->static_tokens);
	for (size_t i = 0; i < authn->n_public_keys; i++)
		pki_key_free(authn->public_keys[i]);
	free(authn->public_keys);
	if (authn->signing_key)
		pki_key_free(authn->signing_key);
	authn_certificate_cache_free(authn->certificates);
	arena_free(authn->arena);
	free(authn);
}

static struct status *try_token(
	struct authn *authn, struct arena *arena, struct token_request *request, struct user **ret_user)
{
	*ret_user = NULL;
	if (authn->static_tokens) {
		const struct user *known = strmap_get(authn->static_tokens, request->token);
		if (known) {
			*ret_user = user_copy(arena, known);
			return NULL;
		}
	}
	TRY(authn_service_account_token(authn, arena, request, ret_user));
	if (*ret_user)
		return NULL;
	return authn_bootstrap_token(authn, arena, request->token, ret_user);
}

static void add_authenticated(struct arena *arena, struct user *user)
{
	if (!str_eq(user->name, USER_ANONYMOUS) && !user_in_group(user, GROUP_AUTHENTICATED) &&
		!user_in_group(user, GROUP_UNAUTHENTICATED))
		user_add_group(arena, user, GROUP_AUTHENTICATED);
}

/* Tokens that name no audience serve the server's own, so far as they were asked for. */
static void own_audiences(struct authn *authn, struct arena *arena, struct token_request *request)
{
	for (size_t i = 0; i < authn->n_audiences; i++)
		if (!request->n_audiences || str_in_n(authn->audiences[i], request->audiences, request->n_audiences))
			ARENA_PUSH(arena, request->ret_audiences, request->ret_n_audiences) = authn->audiences[i];
}

struct status *authn_token(
	struct authn *authn, struct arena *arena, struct token_request *request, struct user **ret_user)
{
	TRY(try_token(authn, arena, request, ret_user));
	if (!*ret_user)
		return status_new(STATUS_UNAUTHORIZED, "invalid bearer token");
	if (!request->ret_n_audiences) {
		own_audiences(authn, arena, request);
		if (!request->ret_n_audiences && request->n_audiences && authn->n_audiences) {
			*ret_user = NULL;
			return status_new(STATUS_UNAUTHORIZED, "token audiences are invalid for the target audiences");
		}
	}
	add_authenticated(arena, *ret_user);
	return NULL;
}

/* Remembers the last refusal, for the log: what is told to the client is only "Unauthorized". */
static void keep(struct status **refused, struct status *s)
{
	if (!s)
		return;
	status_drop(*refused, "another one follows");
	*refused = s;
}

/* By the token in the header, else by that of a WebSocket. *ret_user stays NULL without one. */
static struct status *by_token(
	struct authn *authn, struct arena *arena, const struct authn_request *request, struct user **ret_user)
{
	struct token_request asked = {.from = request};
	struct status *refused = NULL;
	char *token = authn_bearer_of(arena, request, request->header(request->data, "Authorization", 0));
	asked.token = token;
	if (token)
		refused = authn_token(authn, arena, &asked, ret_user);
	if (*ret_user)
		return NULL;
	keep(&refused, authn_websocket_bearer(arena, request, &token));
	asked = (struct token_request){.from = request, .token = token};
	if (token)
		keep(&refused, authn_token(authn, arena, &asked, ret_user));
	if (*ret_user)
		status_drop(STEAL(refused), "the other one is good");
	return refused;
}

static bool may_be_nobody(const struct authn *authn, const char *path)
{
	const struct flag_list *paths = &authn->options.anonymous_paths;
	return authn->options.anonymous_auth &&
	       (!paths->n_items || str_in_n(str_or_empty(path), paths->items, paths->n_items));
}

struct status *authn_authenticate(
	struct authn *authn, struct arena *arena, const struct authn_request *request, struct user **ret_user)
{
	CLEANUP_STATUS struct status *refused = NULL;
	struct user *user = NULL;
	keep(&refused, authn_front_proxy(authn, arena, request, &user));
	if (!user)
		keep(&refused, authn_x509(authn, arena, request, &user));
	if (!user)
		keep(&refused, by_token(authn, arena, request, &user));
	if (!user && !refused && may_be_nobody(authn, request->path)) {
		user = user_new(arena, USER_ANONYMOUS, "");
		user_add_group(arena, user, GROUP_UNAUTHENTICATED);
	}
	if (!user) {
		if (refused)
			log_v(1, "unable to authenticate the request: %s", refused->message);
		return status_new(STATUS_UNAUTHORIZED, "Unauthorized");
	}
	add_authenticated(arena, user);
	*ret_user = user;
	return NULL;
}

const char *authn_openid_configuration(struct authn *authn)
{
	return str_or_empty(authn->openid_configuration);
}

const char *authn_jwks(struct authn *authn)
{
	return str_or_empty(authn->jwks);
}

const char *authn_client_ca(struct authn *authn)
{
	return authn_bundle_pem(authn->client_ca);
}

const char *authn_requestheader_ca(struct authn *authn)
{
	return authn_bundle_pem(authn->requestheader_ca);
}

bool authn_authorities_changed(struct authn *authn)
{
	return authn_bundle_changes(authn->client_ca) || authn_bundle_changes(authn->requestheader_ca);
}

const struct authn_options *authn_options_of(struct authn *authn)
{
	return &authn->options;
}
