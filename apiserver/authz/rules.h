/*
 * RBAC rules by themselves: matching a request, covering other rules.
 */
#ifndef APISERVER_AUTHZ_RULES_H
#define APISERVER_AUTHZ_RULES_H

#include "apiserver/authz/authz.h"
#include "apiserver/boot/policy.h"
#include "base/nameset.h"

bool rule_allows(const RbacV1PolicyRule *rule, const struct authz_attributes *a);

/* What went wrong on the way to an answer, each told once; as one text, "" without any. */
struct problem_list {
	struct nameset seen;
	char **items;
	size_t n_items;
};
void problem_add(struct problem_list *problems, const char *text);
char *problems_text(struct arena *arena, const struct problem_list *problems);

struct rule_list {
	RbacV1PolicyRule **items;
	size_t n_items;
};
/* What of wanted the owner's rules do not cover, split into single rights. False: these are more than MOST_RIGHTS, and
 * were not compared. */
#define MOST_RIGHTS 100000
bool rules_missing(struct arena *arena, const struct rule_list *owner, const struct rule_list *wanted,
	struct rule_list *ret_missing);
/* {APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]} */
char *rule_text(struct arena *arena, const RbacV1PolicyRule *rule);
/* The rules of a row of the policy table. */
void rules_of_policy(struct arena *arena, const struct policy_role *role, struct rule_list *ret_rules);

#endif
