/*
 * What the authorizers share. RBAC and the node graph follow the cache; each has one lock.
 */
#ifndef APISERVER_AUTHZ_INTERNAL_H
#define APISERVER_AUTHZ_INTERNAL_H

#include <stdatomic.h>
#include "apiserver/authz/authz.h"
#include "apiserver/authz/rules.h"

struct rbac;
struct node_graph;
struct abac;

enum authz_mode {
	AUTHZ_MODE_NODE,
	AUTHZ_MODE_RBAC,
	AUTHZ_MODE_ALWAYS_ALLOW,
	AUTHZ_MODE_ALWAYS_DENY,
	AUTHZ_MODE_ABAC,
	AUTHZ_MODES
};

struct authz {
	struct authz_options options;
	struct rbac *rbac;
	struct node_graph *nodes;
	struct abac *abac;
	enum authz_mode modes[8];
	atomic_uint_least64_t n_allowed[AUTHZ_MODES], n_denied[AUTHZ_MODES];
	size_t n_modes;
};

struct rbac *rbac_new(struct objects *objects);
void rbac_free(struct rbac *rbac);
enum authz_decision rbac_authorize(
	struct rbac *rbac, struct arena *arena, const struct authz_attributes *a, const char **ret_reason);
/* Adds copies of every rule that applies to a user in a namespace ("" for the cluster), and roles that are missing to
 * problems. */
void rbac_rules_for(struct rbac *rbac, struct arena *arena, const struct user *user, const char *namespace,
	bool as_resources, struct rule_list *rules, struct problem_list *problems);
struct status *rbac_role_rules(struct rbac *rbac, struct arena *arena, const char *namespace, const RbacV1RoleRef *ref,
	struct rule_list *ret_rules) MUST_USE;

/* A file of policies, one a line. Error: the line that cannot be read. */
struct status *abac_new(const char *path, struct abac **ret_abac) MUST_USE;
void abac_free(struct abac *abac);
enum authz_decision abac_authorize(const struct abac *abac, const struct authz_attributes *a, const char **ret_reason);
void abac_rules_for(const struct abac *abac, struct arena *arena, const struct user *user, const char *namespace,
	struct rule_list *rules);

struct node_graph *node_graph_new(struct objects *objects);
void node_graph_free(struct node_graph *graph);
enum authz_decision node_authorize(
	struct node_graph *graph, struct arena *arena, const struct authz_attributes *a, const char **ret_reason);

#endif
