#include "controller-manager/bootstrap/tokens.h"

#include "base/str.h"

#define NAME_PREFIX "bootstrap-token-"

struct informer *token_informer(struct controller_context *ctx)
{
	return informers_get(ctx->informers, &(struct informer_spec){.type = &CoreV1Secret_schema,
						     .namespace = "kube-system",
						     .field_selector = "type=bootstrap.kubernetes.io/token",
						     .trim = object_trim});
}

const char *token_field(struct arena *arena, const CoreV1Secret *secret, const char *key)
{
	for (size_t i = 0; i < secret->n_data; i++)
		if (str_eq(secret->data[i]->key, key))
			return arena_strndup(
				arena, (const char *)secret->data[i]->value.data, secret->data[i]->value.len);
	return NULL;
}

bool token_expiration(struct arena *arena, const CoreV1Secret *secret, int64_t *ret_seconds)
{
	const char *text = token_field(arena, secret, "expiration");
	int32_t nanos;
	if (str_empty(text))
		return false;
	if (!time_parse(text, strlen(text), ret_seconds, &nanos))
		*ret_seconds = 0;
	return true;
}

static bool is_name_text(const char *s, size_t len)
{
	return s && strlen(s) == len && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

bool token_signs(
	struct arena *arena, const CoreV1Secret *secret, int64_t now_s, const char **ret_id, const char **ret_secret)
{
	const char *name = secret->metadata->name;
	const char *id = token_field(arena, secret, "token-id"), *value = token_field(arena, secret, "token-secret");
	int64_t end;
	if (!str_starts_with(name, NAME_PREFIX) || !is_name_text(id, 6) || !str_eq(id, name + strlen(NAME_PREFIX)) ||
		!is_name_text(value, 16))
		return false;
	if (token_expiration(arena, secret, &end) && end <= now_s)
		return false;
	if (!str_eq(token_field(arena, secret, "usage-bootstrap-signing"), "true"))
		return false;
	*ret_id = id;
	*ret_secret = value;
	return true;
}
