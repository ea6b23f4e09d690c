#include "controller-manager/credentials.h"

#include "api/meta.h"
#include "base/fail.h"
#include "base/mem.h"
#include "base/str.h"

#define NAMESPACE "kube-system"

/* Lives as long as the process: a client keeps a pointer to it. */
struct token_source {
	struct client *manager;
	char *name;
};

static struct status *ensure_account(struct token_source *t, struct arena *arena)
{
	CoreV1ServiceAccount *account = API_NEW(arena, CoreV1ServiceAccount);
	account->metadata = API_NEW(arena, MetaV1ObjectMeta);
	account->metadata->namespace = arena_strdup(arena, NAMESPACE);
	account->metadata->name = arena_strdup(arena, t->name);
	struct status *s = client_create(t->manager, arena, account, NULL);
	if (status_is(s, STATUS_ALREADY_EXISTS)) {
		status_drop(s, "it is there");
		return NULL;
	}
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_drop(s, "the namespace is made first");
	CoreV1Namespace *namespace = API_NEW(arena, CoreV1Namespace);
	namespace->metadata = API_NEW(arena, MetaV1ObjectMeta);
	namespace->metadata->name = arena_strdup(arena, NAMESPACE);
	TRY(client_create(t->manager, arena, namespace, NULL));
	return client_create(t->manager, arena, account, NULL);
}

static struct status *request_token(struct token_source *t, struct arena *arena, AuthenticationV1TokenRequest **ret)
{
	AuthenticationV1TokenRequest *request = API_NEW(arena, AuthenticationV1TokenRequest);
	request->spec = API_NEW(arena, AuthenticationV1TokenRequestSpec);
	request->spec->has_expiration_seconds = true;
	request->spec->expiration_seconds = 3600;
	struct status *s = client_create_subresource(
		t->manager, arena, &CoreV1ServiceAccount_schema, NAMESPACE, t->name, "token", request, ret);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_drop(s, "the account is made, then asked again");
	TRY(ensure_account(t, arena));
	return client_create_subresource(
		t->manager, arena, &CoreV1ServiceAccount_schema, NAMESPACE, t->name, "token", request, ret);
}

static struct status *give_token(void *data, char **ret_token, int64_t *ret_expires_s)
{
	struct token_source *t = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	AuthenticationV1TokenRequest *answer;
	struct status *s = request_token(t, arena, &answer);
	if (s)
		return status_wrap(s, "no token for %s/%s", NAMESPACE, t->name);
	if (!answer->status || str_empty(answer->status->token))
		return status_internal("no token for %s/%s: the answer has none", NAMESPACE, t->name);
	*ret_token = mem_strdup(answer->status->token);
	*ret_expires_s = answer->status->expiration_timestamp ? answer->status->expiration_timestamp->seconds : 0;
	return NULL;
}

struct status *credentials_client(struct arena *arena, struct client *manager, const struct client_config *config,
	const struct clock *clock, const char *name, struct client **ret_client)
{
	struct token_source *t = ARENA_NEW(arena, struct token_source);
	t->manager = manager;
	t->name = arena_strdup(arena, name);
	struct client_config own = *config;
	own.cert_file = own.key_file = own.token = own.token_file = own.username = own.password = NULL;
	own.cert_data = own.key_data = NULL;
	own.cert_size = own.key_size = 0;
	own.exec = NULL;
	own.token_source = give_token;
	own.token_data = t;
	return client_new(&own, clock, ret_client);
}
