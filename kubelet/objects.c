#include "kubelet/objects.h"

#include <pthread.h>
#include "api/copy.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

#define FRESH_MS 2000
#define MAX_TOKEN_AGE_S (24 * 3600)

/* One object, or the error that it was not there, as last read. */
struct cached {
	struct arena *arena;
	const void *msg;
	int64_t read_ms;
};

struct token {
	char *text;
	int64_t from_s;
	int64_t until_s;
};

struct objects {
	struct client *client;
	const struct clock *clock;
	pthread_mutex_t lock;
	struct strmap *cache;  /* kind/namespace/name → struct cached */
	struct strmap *tokens; /* uid/audience/seconds → struct token */
};

static void cached_free(void *p)
{
	struct cached *c = p;
	arena_free(c->arena);
	free(c);
}

static void token_free(void *p)
{
	struct token *t = p;
	mem_cleanse_free(t->text, strlen(t->text));
	free(t);
}

struct objects *objects_new(struct client *client, const struct clock *clock)
{
	struct objects *o = mem_zalloc(sizeof(*o));
	o->client = client;
	o->clock = clock;
	pthread_mutex_init(&o->lock, NULL);
	o->cache = strmap_new(cached_free);
	o->tokens = strmap_new(token_free);
	return o;
}

void objects_free(struct objects *o)
{
	strmap_free(o->cache);
	strmap_free(o->tokens);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static void drop_stale(struct objects *o, int64_t now)
{
	STRMAP_FOREACH (o->cache, it) {
		const struct cached *c = it.value;
		if (now - c->read_ms > FRESH_MS)
			strmap_remove(o->cache, it.key);
	}
}

static struct status *read_object(struct objects *o, struct arena *arena, const struct schema_type *type,
	const char *what, const char *namespace, const char *name, const void **ret)
{
	if (!o->client)
		return status_new(
			STATUS_UNAVAILABLE, "couldn't get %s %s/%s, no kubeClient defined", what, namespace, name);
	char *key = arena_printf(arena, "%s/%s/%s", what, namespace, name);
	int64_t now = clock_mono_ms(o->clock);
	pthread_mutex_lock(&o->lock);
	drop_stale(o, now);
	const struct cached *hit = strmap_get(o->cache, key);
	if (hit)
		*ret = api_copy_msg(arena, hit->msg);
	pthread_mutex_unlock(&o->lock);
	if (hit)
		return NULL;
	struct cached *fresh = mem_zalloc(sizeof(*fresh));
	fresh->arena = arena_new();
	fresh->read_ms = now;
	void *msg;
	struct status *s = client_get(o->client, fresh->arena, type, namespace, name, &msg);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_free(s);
		cached_free(fresh);
		return status_new(STATUS_NOT_FOUND, "%s \"%s\" not found", str_lower(arena, what), name);
	}
	if (s) {
		cached_free(fresh);
		return s;
	}
	fresh->msg = msg;
	*ret = api_copy_msg(arena, msg);
	pthread_mutex_lock(&o->lock);
	strmap_put(o->cache, key, fresh);
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

struct status *objects_config_map(
	struct objects *o, struct arena *arena, const char *namespace, const char *name, const CoreV1ConfigMap **ret)
{
	return read_object(o, arena, &CoreV1ConfigMap_schema, "configMap", namespace, name, (const void **)ret);
}

struct status *objects_secret(
	struct objects *o, struct arena *arena, const char *namespace, const char *name, const CoreV1Secret **ret)
{
	return read_object(o, arena, &CoreV1Secret_schema, "secret", namespace, name, (const void **)ret);
}

/* A token is renewed when a fifth of its life is left, or after a day. */
static bool still_good(const struct token *t, int64_t now_s)
{
	int64_t life = t->until_s - t->from_s;
	return now_s < t->until_s - life / 5 && now_s - t->from_s < MAX_TOKEN_AGE_S;
}

static struct status *request_token(struct objects *o, struct arena *arena, const struct pod *pod, const char *audience,
	int64_t expiration_seconds, AuthenticationV1TokenRequest **ret)
{
	AuthenticationV1TokenRequest *r = API_NEW(arena, AuthenticationV1TokenRequest);
	r->spec = API_NEW(arena, AuthenticationV1TokenRequestSpec);
	if (!str_empty(audience))
		ARENA_PUSH(arena, r->spec->audiences, r->spec->n_audiences) = arena_strdup(arena, audience);
	r->spec->has_expiration_seconds = true;
	r->spec->expiration_seconds = expiration_seconds;
	r->spec->bound_object_ref = API_NEW(arena, AuthenticationV1BoundObjectReference);
	r->spec->bound_object_ref->api_version = arena_strdup(arena, "v1");
	r->spec->bound_object_ref->kind = arena_strdup(arena, "Pod");
	r->spec->bound_object_ref->name = arena_strdup(arena, pod->name);
	r->spec->bound_object_ref->uid = arena_strdup(arena, pod->uid);
	const char *account = str_or(pod_spec(pod)->service_account_name, "default");
	return status_wrap(client_create_subresource(o->client, arena, &CoreV1ServiceAccount_schema, pod->namespace,
				   account, "token", r, ret),
		"failed to fetch token");
}

struct status *objects_token(struct objects *o, struct arena *arena, const struct pod *pod, const char *audience,
	int64_t expiration_seconds, char **ret_token)
{
	if (!o->client)
		return status_new(STATUS_UNAVAILABLE, "cannot use TokenManager when kubelet is in standalone mode");
	char *key = arena_printf(arena, "%s/%s/%lld", pod->uid, str_or_empty(audience), (long long)expiration_seconds);
	int64_t now = clock_wall_s(o->clock);
	pthread_mutex_lock(&o->lock);
	const struct token *kept = strmap_get(o->tokens, key);
	bool good = kept && still_good(kept, now);
	bool usable = kept && now < kept->until_s;
	if (kept)
		*ret_token = arena_strdup(arena, kept->text);
	pthread_mutex_unlock(&o->lock);
	if (good)
		return NULL;
	AuthenticationV1TokenRequest *answer;
	struct status *s = request_token(o, arena, pod, audience, expiration_seconds, &answer);
	if (s && usable) {
		status_drop(s, "the present token still holds; tried again at the next sync");
		return NULL;
	}
	if (s)
		return s;
	if (!answer->status || str_empty(answer->status->token))
		return status_internal("the apiserver answered a token request without a token");
	struct token *t = mem_zalloc(sizeof(*t));
	t->text = mem_strdup(answer->status->token);
	t->from_s = now;
	t->until_s = answer->status->expiration_timestamp ? answer->status->expiration_timestamp->seconds
							  : now + expiration_seconds;
	*ret_token = arena_strdup(arena, t->text);
	pthread_mutex_lock(&o->lock);
	strmap_put(o->tokens, key, t);
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

void objects_forget_pod(struct objects *o, const char *uid)
{
	CLEANUP_FREE char *prefix = mem_printf("%s/", uid);
	pthread_mutex_lock(&o->lock);
	STRMAP_FOREACH (o->tokens, it)
		if (str_starts_with(it.key, prefix))
			strmap_remove(o->tokens, it.key);
	pthread_mutex_unlock(&o->lock);
}
