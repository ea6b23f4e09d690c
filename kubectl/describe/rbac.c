#include "kubectl/describe/describe.h"
#include "kubectl/rules.h"

struct status *describe_role(struct desc *d, const cJSON *o)
{
	struct rule_table rules = {.arena = d->arena, .keys = {.arena = d->arena}};
	line(d, 0, "Name:\t%s\n", obj_name(o));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	rules_add(&rules, tree_get(o, "rules"));
	rules_sort(&rules);
	line(d, 0, "PolicyRule:\n");
	line(d, 1, "Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
	line(d, 1, "---------\t-----------------\t--------------\t-----\n");
	rules_print(&d->w, "  ", &rules);
	return NULL;
}

struct status *describe_role_binding(struct desc *d, const cJSON *o)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	line(d, 0, "Role:\n");
	line(d, 1, "Kind:\t%s\n", obj_string(o, "roleRef.kind"));
	line(d, 1, "Name:\t%s\n", obj_string(o, "roleRef.name"));
	line(d, 0, "Subjects:\n");
	line(d, 1, "Kind\tName\tNamespace\n");
	line(d, 1, "----\t----\t---------\n");
	TREE_FOREACH (s, tree_get(o, "subjects"))
		line(d, 1, "%s\t%s\t%s\n", obj_string(s, "kind"), obj_string(s, "name"), obj_string(s, "namespace"));
	return NULL;
}
