#include "apiserver/authn/user.h"
#include <string.h>
#include "api/names.h"
#include "base/str.h"

struct user *user_new(struct arena *arena, const char *name, const char *uid)
{
	struct user *user = ARENA_NEW(arena, struct user);
	user->name = arena_strdup(arena, str_or_empty(name));
	user->uid = arena_strdup(arena, str_or_empty(uid));
	return user;
}

void user_add_group(struct arena *arena, struct user *user, const char *group)
{
	ARENA_PUSH(arena, user->groups, user->n_groups) = arena_strdup(arena, group);
}

static struct user_extra *extra_of(struct arena *arena, struct user *user, const char *key)
{
	for (size_t i = 0; i < user->n_extra; i++)
		if (!strcmp(user->extra[i].key, key))
			return &user->extra[i];
	struct user_extra *added = &ARENA_PUSH(arena, user->extra, user->n_extra);
	*added = (struct user_extra){.key = arena_strdup(arena, key)};
	return added;
}

void user_add_extra(struct arena *arena, struct user *user, const char *key, const char *value)
{
	struct user_extra *extra = extra_of(arena, user, key);
	ARENA_PUSH(arena, extra->values, extra->n_values) = arena_strdup(arena, value);
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

char *user_extra_key(struct arena *arena, const char *name)
{
	char *lower = str_lower(arena, name), *key = arena_strdup(arena, lower), *to = key;
	for (const char *p = lower; *p; p++) {
		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		int high = hex_value(p[1]), low = high >= 0 ? hex_value(p[2]) : -1;
		if (low < 0)
			return lower;
		*to++ = (char)(high * 16 + low);
		p += 2;
	}
	*to = '\0';
	return key;
}

bool user_in_group(const struct user *user, const char *group)
{
	return user && str_in_n(group, user->groups, user->n_groups);
}

const char *user_extra_get(const struct user *user, const char *key)
{
	for (size_t i = 0; user && i < user->n_extra; i++)
		if (!strcmp(user->extra[i].key, key) && user->extra[i].n_values)
			return user->extra[i].values[0];
	return NULL;
}

struct user *user_copy(struct arena *arena, const struct user *user)
{
	struct user *copy = user_new(arena, user->name, user->uid);
	copy->certificate_until_s = user->certificate_until_s;
	for (size_t i = 0; i < user->n_groups; i++)
		user_add_group(arena, copy, user->groups[i]);
	for (size_t i = 0; i < user->n_extra; i++) {
		struct user_extra extra = {.key = arena_strdup(arena, user->extra[i].key)};
		for (size_t k = 0; k < user->extra[i].n_values; k++)
			ARENA_PUSH(arena, extra.values, extra.n_values) = arena_strdup(arena, user->extra[i].values[k]);
		ARENA_PUSH(arena, copy->extra, copy->n_extra) = extra;
	}
	return copy;
}

const struct user *user_apiserver(void)
{
	static char authenticated[] = GROUP_AUTHENTICATED, masters[] = GROUP_MASTERS,
		    *groups[] = {authenticated, masters};
	static const struct user user = {
		.name = USER_APISERVER, .uid = "", .groups = groups, .n_groups = ARRAY_SIZE(groups)};
	return &user;
}

char *service_account_user_name(struct arena *arena, const char *namespace, const char *name)
{
	return arena_printf(arena, SERVICE_ACCOUNT_USER_PREFIX "%s:%s", namespace, name);
}

bool service_account_split(struct arena *arena, const char *user_name, char **ret_namespace, char **ret_name)
{
	if (!str_starts_with(user_name, SERVICE_ACCOUNT_USER_PREFIX))
		return false;
	const char *namespace = user_name + strlen(SERVICE_ACCOUNT_USER_PREFIX);
	const char *colon = strchr(namespace, ':');
	if (!colon || colon == namespace || !colon[1] || strchr(colon + 1, ':'))
		return false;
	*ret_namespace = arena_strndup(arena, namespace, (size_t)(colon - namespace));
	*ret_name = arena_strdup(arena, colon + 1);
	return !check_dns_label(arena, *ret_namespace) && !check_dns_subdomain(arena, *ret_name);
}

const char *user_node_name(const struct user *user)
{
	if (!user || !str_starts_with(user->name, NODE_USER_PREFIX) || !user_in_group(user, GROUP_NODES))
		return NULL;
	const char *name = user->name + strlen(NODE_USER_PREFIX);
	return *name ? name : NULL;
}

bool user_is_nameless_node(const struct user *user)
{
	return user && str_eq(user->name, NODE_USER_PREFIX) && user_in_group(user, GROUP_NODES);
}
