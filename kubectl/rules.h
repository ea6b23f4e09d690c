/*
 * RBAC rules as rows of a table: one row for each resource and set of names, with the verbs of all rules joined, in the
 * order that the original shows them.
 */
#ifndef KUBECTL_RULES_H
#define KUBECTL_RULES_H

#include "kubectl/object.h"
#include "kubectl/tabwriter.h"

struct rule_row {
	char *group, *resource; /* "" for paths */
	char *url, *name;	/* "" for none */
	char *verbs;		/* joined by spaces */
};

/* Breaks rules (of a Role, or of a SelfSubjectRulesReview) down and adds them. */
void rules_add(struct arena *arena, const cJSON *rules, struct rule_row **rows, size_t *n);
void rules_sort(struct arena *arena, struct rule_row *rows, size_t n);
/* "pods.group/sub", "[url]", "[name]", "[verbs]" with tabs between. */
void rules_print(struct tabwriter *w, const char *indent, const struct rule_row *rows, size_t n);

#endif
