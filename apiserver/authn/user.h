/*
 * Who asks: the outcome of authentication.
 *
 * Ownership: a user and all it points to live in one arena.
 */
#ifndef APISERVER_AUTHN_USER_H
#define APISERVER_AUTHN_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

struct user_extra {
	const char *key; /* lower case */
	char **values;
	size_t n_values;
};

struct user {
	const char *name;
	const char *uid; /* "" when unknown */
	char **groups;
	size_t n_groups;
	struct user_extra *extra;
	size_t n_extra;
	int64_t certificate_until_s; /* until when the certificate is valid that named him; 0: there was none */
};

#define USER_ANONYMOUS "system:anonymous"
#define USER_APISERVER "system:apiserver"
#define GROUP_AUTHENTICATED "system:authenticated"
#define GROUP_UNAUTHENTICATED "system:unauthenticated"
#define GROUP_MASTERS "system:masters"
#define GROUP_NODES "system:nodes"
#define GROUP_SERVICE_ACCOUNTS "system:serviceaccounts"
#define NODE_USER_PREFIX "system:node:"
#define SERVICE_ACCOUNT_USER_PREFIX "system:serviceaccount:"

struct user *user_new(struct arena *arena, const char *name, const char *uid);
void user_add_group(struct arena *arena, struct user *user, const char *group);
/* Adds one value under a key. */
void user_add_extra(struct arena *arena, struct user *user, const char *key, const char *value);
/* The key of an extra value out of the name of a header: lower case, then percent-decoded if all of it can be. */
char *user_extra_key(struct arena *arena, const char *name);
bool user_in_group(const struct user *user, const char *group);
/* The first value of an extra key; NULL without one. */
const char *user_extra_get(const struct user *user, const char *key);
struct user *user_copy(struct arena *arena, const struct user *user);
/* The server itself: system:apiserver in system:masters. */
const struct user *user_apiserver(void);

/* "system:serviceaccount:NAMESPACE:NAME" in the arena; and taken apart, false for any other user name. */
char *service_account_user_name(struct arena *arena, const char *namespace, const char *name);
bool service_account_split(struct arena *arena, const char *user_name, char **ret_namespace, char **ret_name);
/* The node's name for a user system:node:NAME in system:nodes; NULL for anybody else. */
const char *user_node_name(const struct user *user);
/* A node by its group and the form of its name, which is missing. */
bool user_is_nameless_node(const struct user *user);

#endif
