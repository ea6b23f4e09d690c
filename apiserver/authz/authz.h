/*
 * Authorization: may this user do that.
 *
 *	struct authz_attributes a = {.user = user, .verb = "get", .resource_request = true, .resource = "pods", …};
 *	if (authz_authorize(authz, arena, &a, &reason) != AUTHZ_ALLOW)
 *		return authz_forbidden(&a, reason);
 *
 * A chain of authorizers (--authorization-mode or --authorization-config: Node, RBAC, ABAC, AlwaysAllow, AlwaysDeny),
 *the first opinion wins. The group system:masters comes before them. Threads: from any thread at once; answers from
 *memory without blocking.
 */
#ifndef APISERVER_AUTHZ_AUTHZ_H
#define APISERVER_AUTHZ_AUTHZ_H

#include <stdbool.h>
#include "api/types.h"
#include "apiserver/authn/user.h"
#include "apiserver/registry/objects.h"
#include "base/flags.h"
#include "base/str.h"

struct authz;

enum authz_decision { AUTHZ_NO_OPINION, AUTHZ_ALLOW, AUTHZ_DENY };

struct authz_attributes {
	const struct user *user;
	const char *verb; /* get list watch create update patch delete deletecollection proxy …; for paths the HTTP
			     method, lower case */
	bool resource_request;
	const char *group;
	const char *version;
	const char *resource;
	const char *subresource;
	const char *namespace;
	const char *name;
	const char *path;	    /* of a request that is for no resource */
	const char *field_selector; /* as text, for lists */
};

struct authz_options {
	struct flag_list modes; /* Node, RBAC, ABAC, AlwaysAllow, AlwaysDeny; none: AlwaysAllow */
	bool modes_given;
	char *config_file; /* instead of modes */
	char *policy_file;
};

/* The flags that fill them (a table that ends with {NULL}). Allocated once, lives for ever. */
struct flag *authz_flags(struct authz_options *options);
/* Reads the file that the flags name into modes. Error: what is wrong with it, or with both. */
struct status *authz_settle(struct authz_options *options) MUST_USE;

/* Subscribes to what it needs; call before the cache is started. Error: an unknown mode. */
struct status *authz_new(const struct authz_options *options, struct objects *objects, struct authz **ret) MUST_USE;
void authz_free(struct authz *authz);

/* reason is in the arena, "" without one. */
enum authz_decision authz_authorize(
	struct authz *authz, struct arena *arena, const struct authz_attributes *attributes, const char **ret_reason);
void authz_write_metrics(const struct authz *authz, struct strbuf *out);
/* The 403 of the original for a decision that is not to allow. */
struct status *authz_forbidden(const struct authz_attributes *attributes, const char *reason) MUST_USE;

/*
 * Impersonation: when the request carries Impersonate-* headers, checks that the user may, and gives the one to act as.
 * ret_user is the same user when there are no such headers. Headers as in authn_request.
 */
struct authn_request;
struct status *authz_impersonate(struct authz *authz, struct arena *arena, const struct authn_request *request,
	const char *path, const struct user *user, const struct user **ret_user) MUST_USE;

/* The create-only reviews of authorization.k8s.io: fill the status. user is who asks. */
struct status *authz_review_self(struct authz *authz, struct arena *arena, const struct user *user,
	AuthorizationV1SelfSubjectAccessReview *review) MUST_USE;
struct status *authz_review_subject(
	struct authz *authz, struct arena *arena, AuthorizationV1SubjectAccessReview *review) MUST_USE;
struct status *authz_review_local(struct authz *authz, struct arena *arena, const char *namespace,
	AuthorizationV1LocalSubjectAccessReview *review) MUST_USE;
struct status *authz_review_rules(struct authz *authz, struct arena *arena, const struct user *user,
	AuthorizationV1SelfSubjectRulesReview *review) MUST_USE;

/*
 * RBAC writes: nobody grants more than he has. NULL when the user holds every one of the rules in the namespace ("" for
 * the cluster), or may "escalate"/"bind"; else 403 that lists what is missing.
 */
struct status *authz_check_escalation(struct authz *authz, struct arena *arena, const struct user *user,
	const char *namespace, RbacV1PolicyRule *const *rules, size_t n_rules) MUST_USE;
/* The rules a binding refers to. NotFound when the role is missing. */
struct status *authz_role_rules(struct authz *authz, struct arena *arena, const char *namespace,
	const RbacV1RoleRef *ref, RbacV1PolicyRule ***ret_rules, size_t *ret_n_rules) MUST_USE;

#endif
