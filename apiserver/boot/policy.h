/*
 * The bootstrap RBAC policy as a table.
 */
#ifndef APISERVER_BOOT_POLICY_H
#define APISERVER_BOOT_POLICY_H

#include <stddef.h>

struct policy_rule {
	const char *verbs; /* NULL ends a role's rules */
	const char *groups;
	const char *resources;
	const char *names;
	const char *urls;
};

struct policy_role {
	const char *namespace; /* "" is a ClusterRole; NULL ends the table */
	const char *name;
	const char *labels;    /* beside the one that all have */
	const char *aggregate; /* the label that selects what it is made of; "" when it has rules of its own */
	const struct policy_rule *rules;
};

struct policy_binding {
	const char *namespace; /* "" is a ClusterRoleBinding; NULL ends the table */
	const char *name;
	const char *role;     /* ClusterRole/NAME or Role/NAME */
	const char *subjects; /* Group:/NAME, User:/NAME, ServiceAccount:NAMESPACE/NAME */
};

extern const struct policy_role policy_roles[];
extern const struct policy_binding policy_bindings[];

#endif
