/*
 * Long-lived tokens: a Secret of type kubernetes.io/service-account-token that names a ServiceAccount is filled with a
 * token for it, and goes when the account goes.
 */
#include "api/json.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/controller.h"
#include "pki/jwt.h"

#define ACCOUNT_NAME "kubernetes.io/service-account.name"
#define ACCOUNT_UID "kubernetes.io/service-account.uid"
#define SECRET_TYPE "kubernetes.io/service-account-token"

struct tokens {
	struct controller_context *ctx;
	struct informer *secrets, *accounts;
	struct workqueue *queue;
	struct pki_key *key;
	char *ca;
	size_t ca_size;
};

static const ProtobufCBinaryData *data_get(const CoreV1Secret *secret, const char *key)
{
	for (size_t i = 0; i < secret->n_data; i++)
		if (str_eq(secret->data[i]->key, key))
			return &secret->data[i]->value;
	return NULL;
}

static void data_set(struct arena *arena, CoreV1Secret *secret, const char *key, const void *bytes, size_t size)
{
	const ProtobufCBinaryData value = {size, arena_dup(arena, bytes, size)};
	for (size_t i = 0; i < secret->n_data; i++)
		if (str_eq(secret->data[i]->key, key)) {
			secret->data[i]->value = value;
			return;
		}
	MapBytesEntry *entry = API_NEW(arena, MapBytesEntry);
	entry->key = arena_strdup(arena, key);
	entry->value = value;
	ARENA_PUSH(arena, secret->data, secret->n_data) = entry;
}

static bool lacks(const CoreV1Secret *secret, const char *key)
{
	const ProtobufCBinaryData *value = data_get(secret, key);
	return !value || !value->len;
}

static bool lacks_ca(const struct tokens *c, const CoreV1Secret *secret)
{
	const ProtobufCBinaryData *value = data_get(secret, "ca.crt");
	return c->ca && (!value || value->len != c->ca_size || memcmp(value->data, c->ca, c->ca_size));
}

static char *claims(struct arena *arena, const CoreV1ServiceAccount *account, const CoreV1Secret *secret)
{
	/* Names and uids need no escaping in JSON. */
	const MetaV1ObjectMeta *a = account->metadata;
	return arena_printf(arena,
		"{\"iss\":\"kubernetes/serviceaccount\",\"kubernetes.io/serviceaccount/namespace\":\"%s\","
		"\"kubernetes.io/serviceaccount/secret.name\":\"%s\","
		"\"kubernetes.io/serviceaccount/service-account.name\":\"%s\","
		"\"kubernetes.io/serviceaccount/service-account.uid\":\"%s\","
		"\"sub\":\"system:serviceaccount:%s:%s\"}",
		a->namespace, secret->metadata->name, a->name, a->uid, a->namespace, a->name);
}

static struct status *fill(
	struct tokens *c, struct arena *arena, const CoreV1ServiceAccount *account, const CoreV1Secret *secret)
{
	CoreV1Secret *copy = object_copy(arena, secret);
	if (lacks_ca(c, secret))
		data_set(arena, copy, "ca.crt", c->ca, c->ca_size);
	if (lacks(secret, "namespace"))
		data_set(arena, copy, "namespace", secret->metadata->namespace, strlen(secret->metadata->namespace));
	if (lacks(secret, "token")) {
		char *token;
		TRY(jwt_sign(arena, c->key, claims(arena, account, secret), &token));
		data_set(arena, copy, "token", token, strlen(token));
	}
	ANNOTATION_SET(arena, copy->metadata, ACCOUNT_NAME, account->metadata->name);
	ANNOTATION_SET(arena, copy->metadata, ACCOUNT_UID, account->metadata->uid);
	struct status *s = client_update(c->ctx->client, arena, copy, NULL);
	if (status_is(s, STATUS_CONFLICT) || status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "the newer version brings another sync");
		return NULL;
	}
	return s;
}

static struct status *find_account(
	struct tokens *c, struct arena *arena, const CoreV1Secret *secret, const CoreV1ServiceAccount **ret_account)
{
	const char *name = ANNOTATION_GET(secret->metadata, ACCOUNT_NAME),
		   *uid = ANNOTATION_GET(secret->metadata, ACCOUNT_UID);
	const CoreV1ServiceAccount *account = informer_get(c->accounts, arena, secret->metadata->namespace, name);
	CoreV1ServiceAccount *live;
	*ret_account = NULL;
	if (!account || (!str_empty(uid) && !str_eq(uid, account->metadata->uid))) {
		struct status *s = client_get(
			c->ctx->client, arena, &CoreV1ServiceAccount_schema, secret->metadata->namespace, name, &live);
		if (status_is(s, STATUS_NOT_FOUND)) {
			status_drop(s, "there is none");
			return NULL;
		}
		if (s)
			return s;
		object_complete(arena, live);
		account = live;
	}
	if (str_empty(uid) || str_eq(uid, account->metadata->uid))
		*ret_account = account;
	return NULL;
}

static struct status *sync_secret(void *data, struct arena *arena, const char *key)
{
	struct tokens *c = data;
	const CoreV1Secret *secret = informer_get_key(c->secrets, arena, key);
	if (!secret || str_empty(ANNOTATION_GET(secret->metadata, ACCOUNT_NAME)))
		return NULL;
	const CoreV1ServiceAccount *account;
	TRY(find_account(c, arena, secret, &account));
	if (account) {
		bool complete = !lacks(secret, "token") && !lacks(secret, "namespace") && !lacks_ca(c, secret);
		return complete ? NULL : fill(c, arena, account, secret);
	}
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	options->preconditions = API_NEW(arena, MetaV1Preconditions);
	options->preconditions->uid = arena_strdup(arena, secret->metadata->uid);
	log_v(2, "secret %s: its service account is gone", key);
	struct status *s = client_delete(c->ctx->client, arena, &CoreV1Secret_schema, secret->metadata->namespace,
		secret->metadata->name, options);
	if (status_is(s, STATUS_NOT_FOUND) || status_is(s, STATUS_CONFLICT)) {
		status_drop(s, "gone already, or another one");
		return NULL;
	}
	return s;
}

/* The account's tokens go with it. */
static void account_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct tokens *c = data;
	const MetaV1ObjectMeta *account = object_metadata(object->msg);
	size_t n;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const void *const *secrets = informer_list(c->secrets, arena, account->namespace, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq(ANNOTATION_GET(object_metadata(secrets[i]), ACCOUNT_NAME), account->name))
			workqueue_add(c->queue, object_key(arena, secrets[i]));
}

static bool wanted(const struct options *options)
{
	return !str_empty(options->service_account_private_key_file);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler account_handler = {.deleted = account_deleted};
	struct tokens *c = controller_state(ctx, sizeof(*c));
	CLEANUP_FREE char *pem = NULL;
	size_t size;
	c->ctx = ctx;
	TRY(io_read_file(ctx->options->service_account_private_key_file, 1 << 20, &pem, &size));
	struct status *s = pki_key_parse(pem, size, &c->key);
	explicit_bzero(pem, size);
	if (s)
		return status_wrap(s, "%s", ctx->options->service_account_private_key_file);
	CONTROLLER_OWNS(ctx, pki_key_free, c->key);
	if (!pki_key_is_private(c->key))
		return status_bad_request("%s: no private key", ctx->options->service_account_private_key_file);
	if (!str_empty(ctx->options->root_ca_file))
		TRY(controller_read_file(ctx, ctx->options->root_ca_file, &c->ca, &c->ca_size));
	c->secrets = informers_get(ctx->informers,
		&(struct informer_spec){
			.type = &CoreV1Secret_schema, .field_selector = "type=" SECRET_TYPE, .trim = object_trim});
	c->accounts = controller_informer(ctx, &CoreV1ServiceAccount_schema);
	c->queue = controller_queue(
		ctx, "serviceaccount_tokens_secret", ctx->options->concurrent_token_syncs, sync_secret, c);
	informer_add_handler(c->secrets, &enqueue_self, c->queue);
	informer_add_handler(c->accounts, &account_handler, c);
	return NULL;
}

/* Speaks as the manager itself: it is what makes the other accounts' tokens possible. */
const struct controller serviceaccount_token_controller = {.name = "serviceaccount-token-controller",
	.alias = "serviceaccount-token",
	.service_account = "",
	.wanted = wanted,
	.start = start};
