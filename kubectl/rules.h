/*
 * RBAC rules as rows of a table: one row for each resource and set of names, with the verbs of all rules joined, in the
 * order that the original shows them.
 */
#ifndef KUBECTL_RULES_H
#define KUBECTL_RULES_H

#include "base/nameset.h"
#include "kubectl/object.h"
#include "kubectl/tabwriter.h"

struct rule_row {
	const char *group, *resource; /* "" for paths */
	const char *url, *name;	      /* "" for none */
	char **verbs;
	size_t n_verbs;
	struct nameset said; /* the verbs */
};

/* In an arena; begins as {.arena = arena, .keys = {.arena = arena}}. */
struct rule_table {
	struct arena *arena;
	struct rule_row *rows;
	size_t n_rows;
	struct nameset keys; /* a key for each row, in their order */
};

/* Breaks rules (of a Role, or of a SelfSubjectRulesReview) down and adds them. */
void rules_add(struct rule_table *table, const cJSON *rules);
void rules_sort(struct rule_table *table);
/* "pods.group/sub", "[url]", "[name]", "[verbs]" with tabs between. */
void rules_print(struct tabwriter *w, const char *indent, const struct rule_table *table);

#endif
