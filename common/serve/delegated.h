/*
 * Delegated authentication and authorization: who is this (client certificate, bearer token through TokenReview) and
 * may they (SubjectAccessReview), asked of the apiserver, with small caches.
 *
 * Threads: any.
 */
#ifndef SERVE_DELEGATED_H
#define SERVE_DELEGATED_H

#include "client/client.h"
#include "serve/http.h"

struct delegated;

struct delegated_config {
	struct client *authn_client; /* TokenReviews; NULL: no tokens */
	struct client *authz_client; /* SubjectAccessReviews; NULL: everything that is authenticated is allowed */
	const char *client_ca_file;  /* certificates; NULL: none. Read again when it changes */
	/* The front proxy; from kube-system/extension-apiserver-authentication if the client CA is taken from there. */
	bool lookup_cluster_ca;		       /* take the client CA from that ConfigMap when no file is given */
	bool anonymous;			       /* system:anonymous for who shows nothing; otherwise 401 */
	int64_t token_ttl_ms;		       /* 0: 10000 */
	int64_t allow_ttl_ms;		       /* 0: 10000 */
	int64_t deny_ttl_ms;		       /* 0: 10000 */
	const char *const *always_allow_paths; /* NULL-terminated; "/healthz*" forms; allowed for anybody */
};

/* What is asked about: a resource, or a path when resource is NULL. */
struct delegated_attributes {
	const char *verb;
	const char *group;
	const char *version;
	const char *resource;
	const char *subresource;
	const char *namespace;
	const char *name;
	const char *path;
};

struct status *delegated_new(const struct delegated_config *config, struct delegated **ret) MUST_USE;
void delegated_free(struct delegated *d);
DEFINE_CLEANUP(struct delegated *, delegated_free)
/* STATUS_UNAUTHORIZED if nobody is known. */
struct status *delegated_authenticate(
	struct delegated *d, struct http_request *request, struct http_user *ret_user) MUST_USE;
/* STATUS_FORBIDDEN worded as the original's. */
struct status *delegated_authorize(struct delegated *d, struct http_request *request, const struct http_user *user,
	const struct delegated_attributes *attributes) MUST_USE;
/* Both for a plain path (verb from the method): for http_server_config.authorize of daemons. */
struct status *delegated_check_path(
	struct delegated *d, struct http_request *request, struct http_user *ret_user) MUST_USE;

#endif
