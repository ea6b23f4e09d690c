#include <openssl/crypto.h>
#include "api/meta.h"
#include "apiserver/authn/internal.h"
#include "base/log.h"
#include "base/str.h"

enum { ID_LEN = 6, SECRET_LEN = 16, TOKEN_LEN = ID_LEN + 1 + SECRET_LEN };

static bool is_token(const char *token)
{
	if (strlen(token) != TOKEN_LEN || token[ID_LEN] != '.')
		return false;
	for (size_t i = 0; i < TOKEN_LEN; i++)
		if (i != ID_LEN && !(token[i] >= 'a' && token[i] <= 'z') && !(token[i] >= '0' && token[i] <= '9'))
			return false;
	return true;
}

static char *data_text(struct arena *arena, const CoreV1Secret *secret, const char *key)
{
	for (size_t i = 0; i < secret->n_data; i++)
		if (str_eq(secret->data[i]->key, key))
			return arena_strndup(
				arena, (const char *)secret->data[i]->value.data, secret->data[i]->value.len);
	return arena_strdup(arena, "");
}

/* An expiry that cannot be read has passed. */
static bool has_expired(struct arena *arena, const CoreV1Secret *secret, int64_t now_s)
{
	char *text = data_text(arena, secret, "expiration");
	int64_t expires_s;
	int32_t nanos;
	return *text && (!time_parse(text, strlen(text), &expires_s, &nanos) || now_s >= expires_s);
}

static bool is_group_name(const char *group)
{
	static const char prefix[] = "system:bootstrappers:";
	if (!str_starts_with(group, prefix))
		return false;
	const char *rest = group + sizeof(prefix) - 1;
	size_t len = strspn(rest, "abcdefghijklmnopqrstuvwxyz0123456789:-");
	return len && !rest[len] && len <= 256 && rest[len - 1] != ':' && rest[len - 1] != '-';
}

static const char *why_not(struct arena *arena, const CoreV1Secret *secret, const char *token, int64_t now_s)
{
	if (meta_is_deleting(secret->metadata))
		return "is deleted and awaiting removal";
	if (!str_eq(secret->type, "bootstrap.kubernetes.io/token"))
		return "has an invalid type";
	char *value = data_text(arena, secret, "token-secret");
	if (strlen(value) != SECRET_LEN || CRYPTO_memcmp(value, token + ID_LEN + 1, SECRET_LEN))
		return "has an invalid value for key token-secret";
	char *id = data_text(arena, secret, "token-id");
	if (strlen(id) != ID_LEN || memcmp(id, token, ID_LEN))
		return "has an invalid value for key token-id";
	if (has_expired(arena, secret, now_s))
		return "has expired";
	if (!str_eq(data_text(arena, secret, "usage-bootstrap-authentication"), "true"))
		return "is not marked usage-bootstrap-authentication=true";
	return NULL;
}

static bool add_groups(struct arena *arena, const CoreV1Secret *secret, struct user *user)
{
	user_add_group(arena, user, "system:bootstrappers");
	char **groups;
	size_t n = str_split(arena, data_text(arena, secret, "auth-extra-groups"), ',', &groups);
	for (size_t i = 0; i < n; i++) {
		if (!is_group_name(groups[i]))
			return false;
		if (!user_in_group(user, groups[i]))
			user_add_group(arena, user, groups[i]);
	}
	qsort(user->groups, user->n_groups, sizeof(*user->groups), str_cmp_qsort);
	return true;
}

struct status *authn_bootstrap_token(
	struct authn *authn, struct arena *arena, const char *token, struct user **ret_user)
{
	*ret_user = NULL;
	if (!authn->options.enable_bootstrap_token_auth || !is_token(token))
		return NULL;
	char *name = arena_printf(arena, "bootstrap-token-%.*s", ID_LEN, token);
	const ProtobufCMessage *found;
	struct status *s = objects_get(authn->objects, arena, &CoreV1Secret_schema, "kube-system", name, &found);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "an unknown token belongs to nobody");
		return NULL;
	}
	if (s)
		return s;
	const CoreV1Secret *secret = (const CoreV1Secret *)found;
	const char *why = why_not(arena, secret, token, clock_wall_s(authn->clock));
	struct user *user = user_new(arena, arena_printf(arena, "system:bootstrap:%.*s", ID_LEN, token), "");
	if (!why && !add_groups(arena, secret, user))
		why = "has an invalid value for key auth-extra-groups";
	if (why)
		log_v(3, "bootstrap token: secret kube-system/%s %s", name, why);
	else
		*ret_user = user;
	return NULL;
}
