#include "apiserver/authn/authn.h"
#include "apiserver/authz/authz.h"
#include "base/str.h"

#define EXTRA_PREFIX "Impersonate-Extra-"

struct impersonation {
	struct authz *authz;
	struct arena *arena;
	const struct user *asker;
	struct user *target;
	struct status *refused;
};

/* May the asker impersonate this one thing: a user, a group, a service account, a UID, a value of an extra key. */
static struct status *check(struct impersonation *im, const char *group, const char *resource, const char *subresource,
	const char *namespace, const char *name)
{
	struct authz_attributes a = {.user = im->asker,
		.verb = "impersonate",
		.resource_request = true,
		.group = group,
		.version = "v1",
		.resource = resource,
		.subresource = subresource,
		.namespace = namespace,
		.name = name};
	const char *reason;
	if (authz_authorize(im->authz, im->arena, &a, &reason) == AUTHZ_ALLOW)
		return NULL;
	return authz_forbidden(&a, reason);
}

static struct status *check_user(struct impersonation *im, const char *name, bool groups_given)
{
	char *namespace, *account;
	if (!service_account_split(im->arena, name, &namespace, &account))
		return check(im, "", "users", "", "", name);
	TRY(check(im, "", "serviceaccounts", "", namespace, account));
	if (!groups_given) {
		user_add_group(im->arena, im->target, GROUP_SERVICE_ACCOUNTS);
		user_add_group(im->arena, im->target, arena_printf(im->arena, GROUP_SERVICE_ACCOUNTS ":%s", namespace));
	}
	return NULL;
}

static void check_extra(void *data, const char *name, const char *value)
{
	struct impersonation *im = data;
	if (im->refused || strncasecmp(name, EXTRA_PREFIX, sizeof(EXTRA_PREFIX) - 1))
		return;
	char *key = user_extra_key(im->arena, name + sizeof(EXTRA_PREFIX) - 1);
	im->refused = check(im, "authentication.k8s.io", "userextras", key, "", value);
	if (!im->refused)
		user_add_extra(im->arena, im->target, key, value);
}

static struct status *check_all(struct impersonation *im, const struct authn_request *request, const char *name)
{
	const char *group, *uid = request->header(request->data, "Impersonate-Uid", 0);
	TRY(check_user(im, name, request->header(request->data, "Impersonate-Group", 0)));
	for (size_t i = 0; (group = request->header(request->data, "Impersonate-Group", i)); i++) {
		TRY(check(im, "", "groups", "", "", group));
		user_add_group(im->arena, im->target, group);
	}
	if (request->each_header)
		request->each_header(request->data, check_extra, im);
	TRY(STEAL(im->refused));
	if (!str_empty(uid)) {
		TRY(check(im, "authentication.k8s.io", "uids", "", "", uid));
		im->target->uid = arena_strdup(im->arena, uid);
	}
	return NULL;
}

/* What was asked for beside a user, as Go prints references to objects. */
struct nameless {
	struct arena *arena;
	char **items;
	size_t n_items;
};

static void add_reference(
	struct nameless *n, const char *kind, const char *name, const char *api_version, const char *field)
{
	ARENA_PUSH(n->arena, n->items, n->n_items) =
		arena_printf(n->arena, "{%s  %s  %s  %s}", kind, name, api_version, field);
}

static void add_extra(void *data, const char *name, const char *value)
{
	struct nameless *n = data;
	if (!strncasecmp(name, EXTRA_PREFIX, sizeof(EXTRA_PREFIX) - 1))
		add_reference(n, "UserExtra", value, "authentication.k8s.io/v1",
			user_extra_key(n->arena, name + sizeof(EXTRA_PREFIX) - 1));
}

/* Nobody is named: then nothing else may be asked for either. */
static struct status *check_nameless(struct arena *arena, const struct authn_request *request, const char *path)
{
	struct nameless n = {.arena = arena};
	const char *group, *uid = request->header(request->data, "Impersonate-Uid", 0);
	for (size_t i = 0; (group = request->header(request->data, "Impersonate-Group", i)); i++)
		add_reference(&n, "Group", group, "", "");
	if (request->each_header)
		request->each_header(request->data, add_extra, &n);
	if (!str_empty(uid))
		add_reference(&n, "UID", uid, "authentication.k8s.io/v1", "");
	if (!n.n_items)
		return NULL;
	return status_internal("Internal Server Error: \"%s\": requested [%s] without impersonating a user", path,
		str_join(arena, n.items, n.n_items, " "));
}

struct status *authz_impersonate(struct authz *authz, struct arena *arena, const struct authn_request *request,
	const char *path, const struct user *user, const struct user **ret_user)
{
	*ret_user = user;
	const char *name = request->header(request->data, "Impersonate-User", 0);
	if (str_empty(name))
		return check_nameless(arena, request, path);
	struct impersonation im = {authz, arena, user, user_new(arena, name, ""), NULL};
	TRY(check_all(&im, request, name));
	bool anonymous = str_eq(name, USER_ANONYMOUS);
	if (anonymous && !user_in_group(im.target, GROUP_UNAUTHENTICATED))
		user_add_group(arena, im.target, GROUP_UNAUTHENTICATED);
	if (!anonymous && !user_in_group(im.target, GROUP_AUTHENTICATED) &&
		!user_in_group(im.target, GROUP_UNAUTHENTICATED))
		user_add_group(arena, im.target, GROUP_AUTHENTICATED);
	*ret_user = im.target;
	return NULL;
}
