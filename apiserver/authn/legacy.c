/* Tokens of Secrets. They have no expiry: each lives as long as its Secret holds it, and it is noted when it was used.
 */
#include "api/meta.h"
#include "apiserver/authn/internal.h"
#include "base/log.h"
#include "base/str.h"

#define INVALID_SINCE "kubernetes.io/legacy-token-invalid-since"
#define LAST_USED "kubernetes.io/legacy-token-last-used"
#define CLAIM "kubernetes.io/serviceaccount/"

enum { DAY_S = 24 * 60 * 60, DATE_LENGTH = 10 /* of YYYY-MM-DDTHH:MM:SSZ */ };

struct legacy {
	struct authn *authn;
	struct arena *arena;
	const struct token_request *request;
	const char *namespace, *account, *account_uid, *secret;
};

static struct status *refused(const char *why)
{
	return status_new(STATUS_UNAUTHORIZED, "%s", why);
}

static struct status *read_claims(struct legacy *l, const cJSON *claims)
{
	const char *subject = str_or_empty(tree_string(tree_get(claims, "sub")));
	l->namespace = str_or_empty(tree_string(tree_get(claims, CLAIM "namespace")));
	l->secret = str_or_empty(tree_string(tree_get(claims, CLAIM "secret.name")));
	l->account = str_or_empty(tree_string(tree_get(claims, CLAIM "service-account.name")));
	l->account_uid = str_or_empty(tree_string(tree_get(claims, CLAIM "service-account.uid")));
	const struct {
		const char *value, *missing;
	} needed[] = {{subject, "sub claim is missing"}, {l->namespace, "namespace claim is missing"},
		{l->secret, "secretName claim is missing"}, {l->account, "serviceAccountName claim is missing"},
		{l->account_uid, "serviceAccountUID claim is missing"}};
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!*needed[i].value)
			return refused(needed[i].missing);
	return str_eq(subject, service_account_user_name(l->arena, l->namespace, l->account))
		       ? NULL
		       : refused("sub claim is invalid");
}

/* Takes as long for a wrong token as for the right one. */
static bool holds(const CoreV1Secret *secret, const char *token)
{
	const size_t size = strlen(token);
	for (size_t i = 0; i < secret->n_data; i++) {
		const ProtobufCBinaryData *value = &secret->data[i]->value;
		if (!str_eq(secret->data[i]->key, "token"))
			continue;
		unsigned char differs = 0;
		for (size_t k = 0; value->len == size && k < size; k++)
			differs |= (unsigned char)(value->data[k] ^ (unsigned char)token[k]);
		return value->len == size && !differs;
	}
	return false;
}

static struct status *find_secret(const struct legacy *l, const CoreV1Secret **ret_secret)
{
	const ProtobufCMessage *object;
	struct status *s =
		objects_get(l->authn->objects, l->arena, &CoreV1Secret_schema, l->namespace, l->secret, &object);
	if (s || meta_is_deleting(object_meta(object))) {
		status_drop(s, "without its Secret there is no token");
		return refused("Token has been invalidated");
	}
	*ret_secret = (const CoreV1Secret *)object;
	return holds(*ret_secret, l->request->token) ? NULL : refused("Token does not match server's copy");
}

static struct status *find_account(const struct legacy *l, const CoreV1ServiceAccount **ret_account)
{
	const ProtobufCMessage *object;
	TRY(objects_get(l->authn->objects, l->arena, &CoreV1ServiceAccount_schema, l->namespace, l->account, &object));
	if (meta_is_deleting(object_meta(object)))
		return status_new(
			STATUS_UNAUTHORIZED, "ServiceAccount %s/%s has been deleted", l->namespace, l->account);
	if (!str_eq(object_uid(object), l->account_uid))
		return status_new(STATUS_UNAUTHORIZED, "ServiceAccount UID (%s) does not match claim (%s)",
			object_uid(object), l->account_uid);
	*ret_account = (const CoreV1ServiceAccount *)object;
	return NULL;
}

static const char *date(struct arena *arena, int64_t s)
{
	return arena_strndup(arena, time_format(arena, s), DATE_LENGTH);
}

struct use {
	const char *uid, *day;
};

static struct status *set_last_used(void *data, struct arena *arena, ProtobufCMessage *object)
{
	const struct use *use = data;
	MetaV1ObjectMeta *meta = object_meta(object);
	if (!str_eq(meta->uid, use->uid))
		return status_new(STATUS_CONFLICT, "it is another one");
	meta_set_label(arena, meta, LAST_USED, use->day);
	return NULL;
}

/* The day that the token was last used, by whichever clock. Who uses it does not wait for another try. */
static void note_use(const struct legacy *l, const CoreV1Secret *secret)
{
	const int64_t now_s = clock_wall_s(l->authn->clock);
	const struct use use = {object_uid(secret), date(l->arena, now_s)};
	const char *last = meta_label(secret->metadata, LAST_USED);
	if (last && (str_eq(last, use.day) || str_eq(last, date(l->arena, now_s + DAY_S))))
		return;
	struct status *s = objects_modify(l->authn->objects, l->arena, &CoreV1Secret_schema, "", l->namespace,
		l->secret, set_last_used, (void *)(uintptr_t)&use, NULL);
	if (s)
		log_warn("failed to label legacy service account token %s/%s with last-used date: %s", l->secret,
			l->namespace, s->message);
	status_drop(s, "logged");
}

static void count(atomic_uint_least64_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

/* Whether it was made with the account, as they all once were, or by somebody. */
static void count_origin(const struct legacy *l, const CoreV1ServiceAccount *account)
{
	const struct authn_request *from = l->request->from;
	bool automatic = false;
	for (size_t i = 0; i < account->n_secrets; i++)
		automatic |= str_eq(account->secrets[i]->name, l->secret);
	count(automatic ? &l->authn->n_automatic : &l->authn->n_manual);
	if (automatic && from && from->warn)
		from->warn(from->warn_data,
			"Use tokens from the TokenRequest API or manually created secret-based tokens "
			"instead of auto-generated secret-based tokens.");
}

static struct status *look_up(const struct legacy *l)
{
	const CoreV1Secret *secret = NULL;
	const CoreV1ServiceAccount *account = NULL;
	TRY(find_secret(l, &secret));
	TRY(find_account(l, &account));
	if (!str_empty(meta_label(secret->metadata, INVALID_SINCE))) {
		count(&l->authn->n_invalidated);
		note_use(l, secret);
		return status_new(STATUS_UNAUTHORIZED,
			"the token in secret %s/%s for service account %s/%s has been marked invalid. Use tokens from "
			"the "
			"TokenRequest API or manually created secret-based tokens, or remove the '" INVALID_SINCE
			"' label from the secret to temporarily allow use of this token",
			l->namespace, l->secret, l->namespace, l->account);
	}
	count_origin(l, account);
	note_use(l, secret);
	return NULL;
}

struct status *authn_legacy_token(struct authn *authn, struct arena *arena, const cJSON *claims,
	const struct token_request *request, struct user **ret_user)
{
	struct legacy l = {.authn = authn, .arena = arena, .request = request};
	TRY(read_claims(&l, claims));
	if (authn->options.service_account_lookup)
		TRY(look_up(&l));
	*ret_user = authn_service_account_user(arena, l.namespace, l.account, l.account_uid);
	return NULL;
}
