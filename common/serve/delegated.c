#include "serve/delegated.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <strings.h>
#include "api/meta.h"
#include "api/tree.h"
#include "base/encode.h"
#include "base/follow.h"
#include "base/io.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "pki/pki.h"

enum { MAX_CACHED = 2000, DEFAULT_TTL_MS = 10000, CHECK_MS = 10000, MAX_CA_BYTES = 1 << 20 };

/* What a token stood for. */
struct token_entry {
	struct arena *arena;
	struct http_user user;
	bool authenticated;
	int64_t expires_ms;
};

struct decision {
	bool allowed;
	char *reason;
	int64_t expires_ms;
};

struct delegated {
	struct delegated_config config;
	struct arena *arena;
	pthread_mutex_t lock; /* guards what follows */
	struct strmap *tokens, *decisions;
	struct follow ca;
	struct pki_pool *pool;
};

static void token_free(void *p)
{
	struct token_entry *t = p;
	arena_free(t->arena);
	free(t);
}

static void decision_free(void *p)
{
	struct decision *d = p;
	free(d->reason);
	free(d);
}

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static const char *const *copy_list(struct arena *arena, const char *const *list)
{
	char **copy = NULL;
	size_t n = 0;
	for (; list && *list; list++)
		ARENA_PUSH(arena, copy, n) = arena_strdup(arena, *list);
	ARENA_PUSH(arena, copy, n) = NULL;
	return (const char *const *)copy;
}

/* --- the client CA --- */

static void set_pool(struct delegated *d, const char *pem, size_t size)
{
	struct pki_pool *pool;
	struct status *error = pki_pool_parse(pem, size, &pool);
	if (error) {
		log_status(error, "client CA");
		return;
	}
	pki_pool_free(d->pool);
	d->pool = pool;
}

static void refresh_file(struct delegated *d)
{
	char *pem;
	size_t size;
	struct status *error = io_read_file(d->config.client_ca_file, MAX_CA_BYTES, &pem, &size);
	if (error) {
		log_status(error, "client CA");
		return;
	}
	follow_accept(&d->ca);
	set_pool(d, pem, size);
	free(pem);
}

static void refresh_cluster(struct delegated *d)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1ConfigMap *map;
	struct status *error = client_get(d->config.authn_client, arena, &CoreV1ConfigMap_schema, "kube-system",
		"extension-apiserver-authentication", &map);
	if (error) {
		log_status(error, "client CA of the cluster");
		return;
	}
	const char *pem = MAP_GET(map, data, "client-ca-file");
	if (!str_empty(pem))
		set_pool(d, pem, strlen(pem));
}

/* The lock is held. */
static void refresh_pool(struct delegated *d)
{
	if (!str_empty(d->config.client_ca_file)) {
		if (follow_changed(&d->ca))
			refresh_file(d);
	} else if (d->config.lookup_cluster_ca && d->config.authn_client && !d->pool) {
		refresh_cluster(d);
	}
}

struct status *delegated_new(const struct delegated_config *config, struct delegated **ret)
{
	struct delegated *d = mem_zalloc(sizeof(*d));
	d->arena = arena_new_sized(256);
	d->config = *config;
	d->config.client_ca_file = arena_strdup(d->arena, config->client_ca_file);
	d->config.always_allow_paths = copy_list(d->arena, config->always_allow_paths);
	if (!d->config.token_ttl_ms)
		d->config.token_ttl_ms = DEFAULT_TTL_MS;
	if (!d->config.allow_ttl_ms)
		d->config.allow_ttl_ms = DEFAULT_TTL_MS;
	if (!d->config.deny_ttl_ms)
		d->config.deny_ttl_ms = DEFAULT_TTL_MS;
	pthread_mutex_init(&d->lock, NULL);
	d->tokens = strmap_new(token_free);
	d->decisions = strmap_new(decision_free);
	if (!str_empty(d->config.client_ca_file)) {
		follow_init(&d->ca, clock_system(), CHECK_MS, (const char *[FOLLOW_MAX]){d->config.client_ca_file});
		refresh_file(d);
		if (!d->pool) {
			delegated_free(d);
			return status_bad_request("unable to load client CA file %s", config->client_ca_file);
		}
	}
	*ret = d;
	return NULL;
}

void delegated_free(struct delegated *d)
{
	if (!d)
		return;
	strmap_free(d->tokens);
	strmap_free(d->decisions);
	pki_pool_free(d->pool);
	pthread_mutex_destroy(&d->lock);
	arena_free(d->arena);
	free(d);
}

/* --- who --- */

static void add_group(struct arena *arena, struct http_user *user, const char *group)
{
	char **groups = (char **)user->groups;
	ARENA_PUSH(arena, groups, user->n_groups) = arena_strdup(arena, group);
	user->groups = (const char *const *)groups;
}

static bool by_certificate(struct delegated *d, struct http_request *request, struct http_user *ret_user)
{
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	if (!request->peer_cert_size)
		return false;
	struct status *error = pki_cert_parse_der(request->peer_cert, request->peer_cert_size, &cert);
	if (!error) {
		pthread_mutex_lock(&d->lock);
		refresh_pool(d);
		if (!d->pool)
			error = status_new(STATUS_UNAUTHORIZED, "no client CA");
		else
			error = pki_verify(d->pool, &cert, 1, PKI_CLIENT_AUTH, clock_wall_s(clock_system()));
		pthread_mutex_unlock(&d->lock);
	}
	if (error) {
		log_v(4, "client certificate of %s: %s", request->remote_address, error->message);
		status_drop(error, "another way of authentication may do");
		return false;
	}
	struct pki_subject subject;
	pki_cert_subject(request->arena, cert, &subject);
	if (str_empty(subject.common_name))
		return false;
	ret_user->name = subject.common_name;
	ret_user->uid = "";
	for (size_t i = 0; i < subject.n_organizations; i++)
		add_group(request->arena, ret_user, subject.organizations[i]);
	add_group(request->arena, ret_user, "system:authenticated");
	return true;
}

static void copy_user(struct arena *arena, const struct http_user *from, struct http_user *to)
{
	to->name = arena_strdup(arena, from->name);
	to->uid = arena_strdup(arena, from->uid);
	for (size_t i = 0; i < from->n_groups; i++)
		add_group(arena, to, from->groups[i]);
}

static bool cached_token(
	struct delegated *d, struct arena *arena, const char *key, struct http_user *ret_user, bool *ret_ok)
{
	pthread_mutex_lock(&d->lock);
	const struct token_entry *t = strmap_get(d->tokens, key);
	bool found = t && t->expires_ms > now_ms();
	if (found) {
		*ret_ok = t->authenticated;
		if (t->authenticated)
			copy_user(arena, &t->user, ret_user);
	}
	pthread_mutex_unlock(&d->lock);
	return found;
}

static void remember_token(struct delegated *d, const char *key, const struct http_user *user, bool ok)
{
	struct token_entry *t = mem_zalloc(sizeof(*t));
	t->arena = arena_new_sized(256);
	t->authenticated = ok;
	t->expires_ms = now_ms() + d->config.token_ttl_ms;
	if (ok)
		copy_user(t->arena, user, &t->user);
	pthread_mutex_lock(&d->lock);
	if (strmap_count(d->tokens) >= MAX_CACHED)
		strmap_clear(d->tokens);
	strmap_put(d->tokens, key, t);
	pthread_mutex_unlock(&d->lock);
}

static struct status *review_token(
	struct delegated *d, struct arena *arena, const char *token, struct http_user *ret_user, bool *ret_ok)
{
	AuthenticationV1TokenReview *review = API_NEW(arena, AuthenticationV1TokenReview);
	review->spec = API_NEW(arena, AuthenticationV1TokenReviewSpec);
	review->spec->token = arena_strdup(arena, token);
	TRY(client_create(d->config.authn_client, arena, review, &review));
	const AuthenticationV1TokenReviewStatus *status = review->status;
	*ret_ok = status && status->authenticated && status->user;
	if (!*ret_ok)
		return NULL;
	ret_user->name = status->user->username;
	ret_user->uid = status->user->uid;
	for (size_t i = 0; i < status->user->n_groups; i++)
		add_group(arena, ret_user, status->user->groups[i]);
	return NULL;
}

static struct status *by_token(
	struct delegated *d, struct http_request *request, struct http_user *ret_user, bool *ret_ok)
{
	const char *header = http_request_header(request, "Authorization");
	*ret_ok = false;
	if (!d->config.authn_client || !header || strncasecmp(header, "Bearer ", 7) || !header[7])
		return NULL;
	/* The cache holds no secrets: a digest stands for the token. */
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_size = 0;
	EVP_Digest(header, strlen(header), digest, &digest_size, EVP_sha256(), NULL);
	char *key = hex_encode(request->arena, digest, digest_size);
	if (cached_token(d, request->arena, key, ret_user, ret_ok))
		return NULL;
	TRY(review_token(d, request->arena, header + 7, ret_user, ret_ok));
	remember_token(d, key, ret_user, *ret_ok);
	return NULL;
}

struct status *delegated_authenticate(struct delegated *d, struct http_request *request, struct http_user *ret_user)
{
	bool ok = by_certificate(d, request, ret_user);
	if (!ok) {
		struct status *error = by_token(d, request, ret_user, &ok);
		if (error) {
			log_status(error, "token review");
			return status_new(STATUS_UNAUTHORIZED, "Unauthorized");
		}
	}
	if (ok)
		return NULL;
	if (!d->config.anonymous || http_request_header(request, "Authorization"))
		return status_new(STATUS_UNAUTHORIZED, "Unauthorized");
	*ret_user = (struct http_user){.name = "system:anonymous", .uid = ""};
	add_group(request->arena, ret_user, "system:unauthenticated");
	return NULL;
}

/* --- may they --- */

static char *decision_key(struct arena *arena, const struct http_user *user, const struct delegated_attributes *a)
{
	char *groups = str_join(arena, (char *const *)user->groups, user->n_groups, ",");
	return arena_printf(arena, "%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s", user->name, groups, str_or_empty(a->verb),
		str_or_empty(a->group), str_or_empty(a->version), str_or_empty(a->resource),
		str_or_empty(a->subresource), str_or_empty(a->namespace), str_or_empty(a->name), str_or_empty(a->path));
}

static struct status *review(struct delegated *d, struct arena *arena, const struct http_user *user,
	const struct delegated_attributes *a, bool *ret_allowed, const char **ret_reason)
{
	AuthorizationV1SubjectAccessReview *r = API_NEW(arena, AuthorizationV1SubjectAccessReview);
	AuthorizationV1SubjectAccessReviewSpec *spec = r->spec = API_NEW(arena, AuthorizationV1SubjectAccessReviewSpec);
	spec->user = arena_strdup(arena, user->name);
	spec->uid = arena_strdup(arena, str_or_empty(user->uid));
	for (size_t i = 0; i < user->n_groups; i++)
		ARENA_PUSH(arena, spec->groups, spec->n_groups) = arena_strdup(arena, user->groups[i]);
	if (a->resource) {
		AuthorizationV1ResourceAttributes *ra = spec->resource_attributes =
			API_NEW(arena, AuthorizationV1ResourceAttributes);
		ra->verb = arena_strdup(arena, str_or_empty(a->verb));
		ra->group = arena_strdup(arena, str_or_empty(a->group));
		ra->version = arena_strdup(arena, str_or_empty(a->version));
		ra->resource = arena_strdup(arena, a->resource);
		ra->subresource = arena_strdup(arena, str_or_empty(a->subresource));
		ra->namespace = arena_strdup(arena, str_or_empty(a->namespace));
		ra->name = arena_strdup(arena, str_or_empty(a->name));
	} else {
		AuthorizationV1NonResourceAttributes *na = spec->non_resource_attributes =
			API_NEW(arena, AuthorizationV1NonResourceAttributes);
		na->verb = arena_strdup(arena, str_or_empty(a->verb));
		na->path = arena_strdup(arena, str_or_empty(a->path));
	}
	TRY(client_create(d->config.authz_client, arena, r, &r));
	*ret_allowed = r->status && r->status->allowed;
	*ret_reason = r->status ? r->status->reason : "";
	return NULL;
}

static struct status *forbidden(const struct http_user *user, const struct delegated_attributes *a, const char *reason)
{
	const char *separator = str_empty(reason) ? "" : ", ";
	struct status *s;
	if (a->resource)
		s = status_new(STATUS_FORBIDDEN, "Forbidden (user=%s, verb=%s, resource=%s, subresource=%s)%s%s",
			user->name, str_or_empty(a->verb), a->resource, str_or_empty(a->subresource), separator,
			str_or_empty(reason));
	else
		s = status_new(STATUS_FORBIDDEN, "forbidden: User \"%s\" cannot %s path \"%s\"%s%s", user->name,
			str_or_empty(a->verb), str_or_empty(a->path), separator, str_or_empty(reason));
	return s;
}

struct status *delegated_authorize(struct delegated *d, struct http_request *request, const struct http_user *user,
	const struct delegated_attributes *a)
{
	for (size_t i = 0; i < user->n_groups; i++)
		if (str_eq(user->groups[i], "system:masters"))
			return NULL;
	if (!d->config.authz_client)
		return str_eq(user->name, "system:anonymous") ? forbidden(user, a, NULL) : NULL;
	char *key = decision_key(request->arena, user, a);
	bool found, allowed = false;
	const char *reason = "";
	pthread_mutex_lock(&d->lock);
	const struct decision *known = strmap_get(d->decisions, key);
	found = known && known->expires_ms > now_ms();
	if (found) {
		allowed = known->allowed;
		reason = arena_strdup(request->arena, known->reason);
	}
	pthread_mutex_unlock(&d->lock);
	if (!found) {
		struct status *error = review(d, request->arena, user, a, &allowed, &reason);
		if (error)
			return status_wrap(
				error, "authorization error (user=%s, verb=%s)", user->name, str_or_empty(a->verb));
		struct decision *fresh = mem_zalloc(sizeof(*fresh));
		*fresh = (struct decision){allowed, mem_strdup(str_or_empty(reason)),
			now_ms() + (allowed ? d->config.allow_ttl_ms : d->config.deny_ttl_ms)};
		pthread_mutex_lock(&d->lock);
		if (strmap_count(d->decisions) >= MAX_CACHED)
			strmap_clear(d->decisions);
		strmap_put(d->decisions, key, fresh);
		pthread_mutex_unlock(&d->lock);
	}
	return allowed ? NULL : forbidden(user, a, reason);
}

static bool is_always_allowed(const struct delegated *d, const char *path)
{
	for (const char *const *p = d->config.always_allow_paths; *p; p++) {
		size_t len = strlen(*p);
		if (len && (*p)[len - 1] == '*' ? !strncmp(path, *p, len - 1) : str_eq(path, *p))
			return true;
	}
	return false;
}

struct status *delegated_check_path(struct delegated *d, struct http_request *request, struct http_user *ret_user)
{
	if (is_always_allowed(d, request->path))
		return NULL;
	TRY(delegated_authenticate(d, request, ret_user));
	char *verb = str_lower(request->arena, request->method);
	struct delegated_attributes a = {.verb = verb, .path = request->path};
	return delegated_authorize(d, request, ret_user, &a);
}
