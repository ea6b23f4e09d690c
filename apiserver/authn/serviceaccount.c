#include "api/meta.h"
#include "api/tree.h"
#include "apiserver/authn/internal.h"
#include "base/log.h"
#include "base/str.h"
#include "serve/metrics.h"

enum { LEEWAY_S = 60 };
#define LEGACY_ISSUER "kubernetes/serviceaccount"

bool authn_has_issuer(const struct authn *authn, const char *issuer)
{
	const struct flag_list *issuers = &authn->options.service_account_issuer;
	return issuer && str_in_n(issuer, issuers->items, issuers->n_items);
}

struct user *authn_service_account_user(struct arena *arena, const char *namespace, const char *name, const char *uid)
{
	struct user *user = user_new(arena, service_account_user_name(arena, namespace, name), uid);
	user_add_group(arena, user, GROUP_SERVICE_ACCOUNTS);
	user_add_group(arena, user, arena_printf(arena, GROUP_SERVICE_ACCOUNTS ":%s", namespace));
	return user;
}

/* Points in time that a token names; what it does not name bounds nothing. */
struct dates {
	int64_t not_before_s, expires_s, issued_s, warn_after_s; /* warn_after_s: 0 without one */
};

/* Any number will do, a fraction too; null is none. */
static struct status *read_date(const cJSON *claims, const char *name, int64_t *ret_s)
{
	const cJSON *node = tree_get(claims, name);
	if (!node || cJSON_IsNull(node))
		return NULL;
	if (!cJSON_IsNumber(node))
		return status_new(
			STATUS_UNAUTHORIZED, "go-jose/go-jose/jwt: expected number value to unmarshal NumericDate");
	const double s = strtod(node->valuestring, NULL);
	*ret_s = s >= (double)(INT64_MAX / 2)	? INT64_MAX / 2
		 : s <= (double)(INT64_MIN / 2) ? INT64_MIN / 2
						: (int64_t)s;
	return NULL;
}

static struct status *read_dates(const cJSON *claims, struct dates *ret)
{
	*ret = (struct dates){.not_before_s = INT64_MIN / 2, .expires_s = INT64_MAX / 2, .issued_s = INT64_MIN / 2};
	TRY(read_date(claims, "exp", &ret->expires_s));
	TRY(read_date(claims, "nbf", &ret->not_before_s));
	TRY(read_date(claims, "iat", &ret->issued_s));
	return read_date(tree_get(claims, "kubernetes.io"), "warnafter", &ret->warn_after_s);
}

static struct status *check_times(const struct dates *dates, int64_t now_s)
{
	if (now_s + LEEWAY_S < dates->not_before_s)
		return status_new(STATUS_UNAUTHORIZED, "service account token is not valid yet");
	if (now_s - LEEWAY_S > dates->expires_s)
		return status_new(STATUS_UNAUTHORIZED, "service account token has expired");
	if (now_s + LEEWAY_S < dates->issued_s)
		return status_new(STATUS_UNAUTHORIZED, "service account token is issued in the future");
	return NULL;
}

/* What a claim refers to: it must exist still, be the same, and not have been deleted for longer than the leeway. */
struct reference {
	const struct schema_type *type;
	const char *noun;
	const char *namespace;
	const char *name;
	const char *uid;
};

static struct status *check_reference(struct authn *authn, struct arena *arena, const struct reference *ref)
{
	const ProtobufCMessage *object = NULL;
	struct status *s = objects_get(authn->objects, arena, ref->type, ref->namespace, ref->name, &object);
	bool account = ref->type == &CoreV1ServiceAccount_schema;
	if (s && account)
		return s;
	if (s) {
		status_drop(s, "what the token is bound to is gone");
		return status_new(STATUS_UNAUTHORIZED, "service account token has been invalidated");
	}
	const MetaV1ObjectMeta *meta = object_meta(object);
	if (!str_eq(object_uid(object), ref->uid))
		return account ? status_new(STATUS_UNAUTHORIZED, "service account UID (%s) does not match claim (%s)",
					 object_uid(object), ref->uid)
			       : status_new(STATUS_UNAUTHORIZED,
					 "%s UID (%s) does not match service account %s ref claim (%s)", ref->noun,
					 object_uid(object), ref->noun, ref->uid);
	if (meta_is_deleting(meta) && meta->deletion_timestamp->seconds < clock_wall_s(authn->clock) - LEEWAY_S)
		return account ? status_new(STATUS_UNAUTHORIZED, "service account %s/%s has been deleted",
					 ref->namespace, ref->name)
			       : status_new(STATUS_UNAUTHORIZED, "service account token has been invalidated");
	return NULL;
}

static struct reference reference_of(const cJSON *claims, const char *member, const struct schema_type *type,
	const char *noun, const char *namespace)
{
	const cJSON *ref = tree_get(claims, member);
	return (struct reference){type, noun, namespace, str_or_empty(tree_string(tree_get(ref, "name"))),
		str_or_empty(tree_string(tree_get(ref, "uid")))};
}

static void add_extra(struct arena *arena, struct user *user, const char *key, const char *value)
{
	if (!str_empty(value))
		user_add_extra(arena, user, key, value);
}

static bool names(const cJSON *claims, const char *member)
{
	const cJSON *ref = tree_get(claims, member);
	return ref && !cJSON_IsNull(ref);
}

/* Everything that the private claims refer to, and the user they make. */
static struct status *check_claims(
	struct authn *authn, struct arena *arena, const cJSON *claims, struct user **ret_user)
{
	const cJSON *own = tree_get(claims, "kubernetes.io");
	const char *namespace = str_or_empty(tree_string(tree_get(own, "namespace")));
	struct reference account =
		reference_of(own, "serviceaccount", &CoreV1ServiceAccount_schema, "service account", namespace);
	struct reference secret = reference_of(own, "secret", &CoreV1Secret_schema, "secret", namespace);
	struct reference pod = reference_of(own, "pod", &CoreV1Pod_schema, "pod", namespace);
	struct reference node = reference_of(own, "node", &CoreV1Node_schema, "node", "");
	TRY(check_reference(authn, arena, &account));
	if (names(own, "secret"))
		TRY(check_reference(authn, arena, &secret));
	if (names(own, "pod"))
		TRY(check_reference(authn, arena, &pod));
	else if (names(own, "node"))
		TRY(check_reference(authn, arena, &node));
	struct user *user = authn_service_account_user(arena, namespace, account.name, account.uid);
	add_extra(arena, user, "authentication.kubernetes.io/pod-name", pod.name);
	add_extra(arena, user, "authentication.kubernetes.io/pod-uid", pod.uid);
	add_extra(arena, user, "authentication.kubernetes.io/node-name", node.name);
	add_extra(arena, user, "authentication.kubernetes.io/node-uid", node.uid);
	const char *id = tree_string(tree_get(claims, "jti"));
	if (!str_empty(id))
		add_extra(arena, user, "authentication.kubernetes.io/credential-id", arena_printf(arena, "JTI=%s", id));
	*ret_user = user;
	return NULL;
}

static void add_audience(
	struct arena *arena, struct token_request *request, char *const *wanted, size_t n_wanted, char *audience)
{
	if (audience && str_in_n(audience, wanted, n_wanted))
		ARENA_PUSH(arena, request->ret_audiences, request->ret_n_audiences) = audience;
}

static bool has_audience(const cJSON *claims)
{
	const cJSON *aud = tree_get(claims, "aud");
	return tree_string(aud) || tree_size(aud);
}

/* Which of the audiences asked for the token serves; without a claim, the server's own. */
static struct status *check_audiences(
	struct authn *authn, struct arena *arena, const cJSON *claims, struct token_request *request)
{
	char *const *wanted = request->n_audiences ? request->audiences : authn->audiences;
	size_t n_wanted = request->n_audiences ? request->n_audiences : authn->n_audiences;
	cJSON *aud = tree_get(claims, "aud");
	if (tree_string(aud))
		add_audience(arena, request, wanted, n_wanted, arena_strdup(arena, tree_string(aud)));
	else if (tree_size(aud))
		for (size_t i = 0; i < tree_size(aud); i++)
			add_audience(
				arena, request, wanted, n_wanted, arena_strdup(arena, tree_string(tree_at(aud, i))));
	else
		for (size_t i = 0; i < authn->n_audiences; i++)
			add_audience(arena, request, wanted, n_wanted, authn->audiences[i]);
	if (!request->ret_n_audiences && authn->n_audiences)
		return status_new(STATUS_UNAUTHORIZED,
			"token audiences %s is invalid for the target audiences [\"%s\"]",
			tree_string(aud) ? arena_printf(arena, "[%s]", tree_to_string(arena, aud, 0))
					 : tree_to_string(arena, aud, 0),
			str_join(arena, wanted, n_wanted, "\" \""));
	return NULL;
}

/* A token that lives on after it should have been renewed says since when. */
static void count_use(struct authn *authn, const struct dates *dates)
{
	if (dates->warn_after_s)
		atomic_fetch_add_explicit(
			clock_wall_s(authn->clock) > dates->warn_after_s ? &authn->n_stale : &authn->n_valid, 1,
			memory_order_relaxed);
}

struct status *authn_service_account_token(
	struct authn *authn, struct arena *arena, struct token_request *request, struct user **ret_user)
{
	*ret_user = NULL;
	struct jwt *jwt;
	if (!authn->n_public_keys)
		return NULL;
	struct status *s = jwt_parse(arena, request->token, &jwt);
	cJSON *claims = NULL;
	if (!s)
		s = tree_parse(arena, jwt->claims, strlen(jwt->claims), NULL, &claims);
	if (s) {
		status_drop(s, "a token of another kind");
		return NULL;
	}
	const char *issuer = tree_string(tree_get(claims, "iss"));
	bool legacy = str_eq(issuer, LEGACY_ISSUER);
	if (!legacy && !authn_has_issuer(authn, issuer))
		return NULL;
	TRY(jwt_verify(jwt, authn->public_keys, authn->n_public_keys));
	struct dates dates;
	TRY(read_dates(claims, &dates));
	TRY(check_audiences(authn, arena, claims, request));
	if (!has_audience(claims))
		atomic_fetch_add_explicit(&authn->n_legacy, 1, memory_order_relaxed);
	if (legacy)
		return authn_legacy_token(authn, arena, claims, request, ret_user);
	TRY(check_times(&dates, clock_wall_s(authn->clock)));
	TRY(check_claims(authn, arena, claims, ret_user));
	count_use(authn, &dates);
	return NULL;
}

void authn_write_metrics(const struct authn *authn, struct strbuf *out)
{
	const struct {
		const char *name, *help;
		const atomic_uint_least64_t *n;
	} families[] = {
		{"serviceaccount_invalid_legacy_auto_token_uses_total",
			"Uses of tokens of Secrets that are marked as invalid.", &authn->n_invalidated},
		{"serviceaccount_legacy_auto_token_uses_total",
			"Uses of tokens of Secrets that came with their accounts.", &authn->n_automatic},
		{"serviceaccount_legacy_manual_token_uses_total", "Uses of tokens of Secrets that were made by hand.",
			&authn->n_manual},
		{"serviceaccount_legacy_tokens_total", "Uses of tokens without an audience, which Secrets hold.",
			&authn->n_legacy},
		{"serviceaccount_stale_tokens_total", "Uses of tokens that should have been renewed.", &authn->n_stale},
		{"serviceaccount_valid_tokens_total", "Uses of tokens that are renewed in time.", &authn->n_valid},
	};
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		metrics_write_head(out, families[i].name, "counter", families[i].help);
		metrics_write_sample(out, families[i].name, "", (double)atomic_load(families[i].n));
	}
}
